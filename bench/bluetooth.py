"""A busy air: 20 sensors, 2 wearables and 200 strangers, 2,200 adverts/s, and presses in it.

A fake `org.bluez` on a bus of its own gives the adverts; what hears them is measured from outside:

    floor    bleak's passive scanner with an empty callback: what a process pays for all adverts
    radio    the whole `anbu radio run`, connected to both wearables, and to a hub

A press is an encrypted frame of a pendant. Its time is from just before the fake sends its signal
until the hub's core has the fact `WirelessPressed` (`bench.witness`; 1 ms to look). Our own scanner
has match rules for listed devices only, so strangers do not reach it; bleak's connection, which the
process has once a wearable is connected, gets every signal. Both are in the figure, and the share
before the wearables are connected is told, too. `dbus-daemon`'s own share is paid on a Pi as well.

Then, in a quiet air, the daemon and the adapter go and come back. Then a band flaps: each link to
it ends at once, and each connect makes an adapter that listens deaf for 4 s. With one adapter
frames are lost, and how many is told; with two none may be. A frame is pressed each 0.25 s and sent
once: a real pendant repeats its own for 1 to 3 s.

The radio's memory grows by some 0.4 MB in its first 2 to 4 minutes, in steps; what these are was
not found. What it grew by is told, and the slope is that of the time after.

A Pi 4 is arithmetic, no measurement: a core of it is taken to be 5 times slower than one here
(`bench/voice.py` assumes the same). A real controller delivers far fewer adverts, and BlueZ tells
RSSI only when it changes by 8 dB, so 2,200 signals a second are a bound and no expectation.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bleak import BleakScanner
from bleak.args.bluez import OrPattern, OrPatternLike
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from bench.child import TICKS, Child
from bench.report import Report, arguments
from bench.rig import Rig
from bench.witness import Committed
from drivers.bluetooth.air import BTHOME
from hub.core.model.events import WirelessPressed
from hub.shared.system import one_heap, rss_mb
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus, wait_for

PER_S, STRANGERS, SENSORS = 2200, 200, 20
KEY = "231d39c1d7cc1ab1aee224cd096db932"  # invented
PENDANT = "A4:C1:38:00:00:FF"
LISTED = [f"A4:C1:38:00:00:{n:02X}" for n in range(SENSORS)]
BANDS = ["A4:C1:38:00:01:01", "A4:C1:38:00:01:02"]
PULSE = "00002a37-0000-1000-8000-00805f9b34fb"
RADIO = """
[[device]]
kind = "radio"
socket = "{folder}/radio.sock"
"""
BACK_S = 10.0  # the bar: heard again after the daemon or the adapter is back
GONE_S = 2.0
PI_4 = 5.0  # assumed: a core of it against one of here
PATIENCE_S = 30.0
WARM_S = 5.0
WARM_UP_S = 240.0  # until then the heap still fills, by steps
APART_S = 0.1  # between two presses
CONNECT_S = 4.0  # measured on emulated cores: deaf for so long
PRESS_EACH_S = 0.25
TWO = '[adapters]\nlisten = "hci0"\nconnect = "hci1"\n'
GATT = "tests.drivers.bluetooth.fake_gatt"


def devices() -> str:
    """Return the list of devices, as `devices.toml` holds it."""
    tables = [f'kind = "pendant"\nname = "pendant"\naddress = "{PENDANT}"\nkey = "{KEY}"']
    tables += [
        f'kind = "sensor"\nname = "sensor{n}"\naddress = "{address}"\nsense = "motion"'
        for n, address in enumerate(LISTED)
    ]
    tables += [
        f'kind = "wearable"\nname = "band{n}"\naddress = "{address}"\nwhat = "band"'
        for n, address in enumerate(BANDS)
    ]
    return "".join(f"[[device]]\n{table}\n" for table in tables)


def press_frame(counter: int) -> str:
    """Return the pendant's frame of one press, encrypted, as hex (BTHome v2, encryption)."""
    info, uuid = b"\x45", b"\xd2\xfc"
    number = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(PENDANT.replace(":", "")) + uuid + info + number
    sealed = AESCCM(bytes.fromhex(KEY), tag_length=4).encrypt(nonce, b"\x3a\x01", None)
    return (info + sealed[:-4] + number + sealed[-4:]).hex()


async def floor() -> None:
    """Scan with an empty callback, until killed."""

    def heard(_: BLEDevice, __: AdvertisementData) -> None:
        """Nothing: what is measured is how a process gets here."""

    patterns: list[OrPatternLike] = [
        OrPattern(0, AdvertisementDataType.SERVICE_DATA_UUID16, b"\xd2\xfc"),
        OrPattern(0, AdvertisementDataType.FLAGS, b"\x06"),
    ]
    async with BleakScanner(heard, None, "passive", bluez={"or_patterns": patterns}):
        await asyncio.Event().wait()


def measure_floor(report: Report, idle_s: float) -> float:
    """Measure bleak's empty callback."""
    with PrivateBus() as bus, FakeBlueZ(bus) as bluez:
        env = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}
        child = Child(sys.executable, "-m", "bench.bluetooth", "--floor",
                      log=bus.folder / "floor.log", env=env)  # fmt: skip
        try:
            wait_for(lambda: child.alive() and bluez.do("state")["monitors"], "it scans")
            load(bluez)
            share, _ = share_pct(report, child, bus, bluez, idle_s, "floor")
        finally:
            child.stop()
    return share


@contextmanager
def home(adapters: str = "") -> Iterator[tuple[Rig, PrivateBus, FakeBlueZ, Child]]:
    """Start a hub with its radio, and BlueZ; the radio listens."""
    with Rig() as rig, PrivateBus() as bus, FakeBlueZ(bus, GATT) as bluez:
        bluez.do("set", dongle=bool(adapters))
        rig.state_dir.mkdir(exist_ok=True)
        listed = rig.state_dir / "devices.toml"
        listed.write_text(devices(), encoding="utf-8")
        listed.chmod(0o600)
        config = rig.folder / "radio.toml"
        config.write_text(
            f'socket = "{rig.folder}/radio.sock"\nstate_dir = "{rig.state_dir}"\n{adapters}',
            "utf-8",
        )
        rig.configure(top=RADIO.format(folder=rig.folder))
        rig.center.start()
        rig.start_hub()
        radio = Child(
            *(sys.executable, "-m", "hub", "radio", "--config", str(config), "run"),
            log=rig.folder / "radio.log",
            env={"DBUS_SYSTEM_BUS_ADDRESS": bus.address},
        )
        try:
            wait_for(lambda: radio.alive() and bluez.do("state")["monitors"], "it scans")
            yield rig, bus, bluez, radio
        finally:
            radio.stop()


def load(bluez: FakeBlueZ) -> None:
    """Let the air be busy."""
    bluez.do("load", per_s=PER_S, strangers=STRANGERS, listed=LISTED)
    time.sleep(WARM_S)


def measure_radio(report: Report, presses: int, idle_s: float) -> tuple[float, float]:
    """Measure the whole radio; return its share without and with the wearables connected."""
    with home() as (rig, bus, bluez, radio):
        quiet = help_button(rig, presses // 10)
        load(bluez)
        busy = help_button(rig, presses // 10)
        report.spread("help button to its commit, in the busy air", busy, floor_s=quiet)
        alone, _ = share_pct(report, radio, bus, bluez, min(idle_s, 30.0), "radio, no wearable")
        for address in BANDS:
            bluez.do("peripheral", address=address, characteristics={PULSE: "0048"})
            bluez.do("advert", address=address, data={}, rssi=-50)
        connected = lambda: bluez.do("state")["notifying"] == len(BANDS)  # noqa: E731
        wait_for(connected, "both bands are connected", PATIENCE_S)
        share, memory = share_pct(report, radio, bus, bluez, idle_s, "radio")
        report.add("radio, memory", radio.use().rss_mb, "MB", at_most=45.0)
        warm = [one for one in memory if one[0] < WARM_UP_S]
        report.add(f"radio, grown in {WARM_UP_S:.0f} s of warm-up", warm[-1][1] - warm[0][1], "MB")
        slope = _slope(memory[len(warm) :]) * 3600
        bar = 1.0 if idle_s >= 2 * WARM_UP_S else None  # a short run's slope is noise
        report.add("radio, memory's slope from then on", slope, "MB/h", at_most=bar, hard=False)
        press_all(report, rig, bluez, presses)
    return alone, share


def measure_connects(report: Report, for_s: float, adapters: str, name: str) -> None:
    """Press while a band flaps: it is connected to again and again, which takes 4 s each time."""
    with home(adapters) as (rig, _, bluez, _):
        adapter = "/org/bluez/hci1" if adapters else "/org/bluez/hci0"
        band = {"address": BANDS[0], "characteristics": {PULSE: "0048"}, "adapter": adapter}
        bluez.do("peripheral", **band)
        bluez.do("set", connect_s=CONNECT_S)
        rig.witness.forget()
        pressed, came, counter = set[int](), set[int](), 0
        ends = time.monotonic() + for_s
        while time.monotonic() < ends:
            counter += 1
            pressed.add(counter)
            bluez.do("advert", address=PENDANT, data={BTHOME: press_frame(counter)})
            bluez.do("advert", address=BANDS[0], data={}, rssi=-50 - counter % 20)
            time.sleep(PRESS_EACH_S)
            came |= _counters(rig)
            if bluez.do("state")["notifying"]:
                bluez.do("part", address=BANDS[0], reason="org.bluez.Reason.Timeout")
        time.sleep(1.0)
        came |= _counters(rig)
        connects = bluez.do("state")["calls"].count("Connect")
    lost = len(pressed - came)
    report.add(f"{name}: connects in {for_s:.0f} s", connects, "", at_least=1)
    bar = 0 if adapters else None
    report.add(f"{name}: frames lost of {len(pressed)}", lost, "", at_most=bar)


def measure_returns(report: Report, rounds: int) -> None:
    """Measure how soon a press is heard after the daemon, or the adapter, is there again."""
    with home() as (rig, _, bluez, _):
        counter = 0
        for name, leave, back in (
            ("bluetoothd", bluez.kill, bluez.start),
            ("the adapter", lambda: bluez.do("vanish"), lambda: bluez.do("return")),
        ):
            took_s = list[float]()
            for _ in range(rounds):
                leave()
                time.sleep(GONE_S)
                back()
                took_s.append(_until_heard(rig, bluez, counter))
                counter += 1000  # more than a round presses
            report.spread(f"heard again after {name} is back", took_s, {"max": BACK_S * 1000})


def _until_heard(rig: Rig, bluez: FakeBlueZ, counter: int) -> float:
    """Press again and again until the core has a press; return how long that took."""
    began, before = time.monotonic(), counter
    rig.witness.forget()
    while not any(n > before for n in _counters(rig)):
        if time.monotonic() > began + 10 * BACK_S:
            break
        counter += 1
        bluez.do("advert", address=PENDANT, data={BTHOME: press_frame(counter)})
        time.sleep(0.05)
    return time.monotonic() - began


def _counters(rig: Rig) -> set[int]:
    lines = list(rig.witness.news())
    return {line.counter or 0 for line in lines if isinstance(line, WirelessPressed)}


def help_button(rig: Rig, presses: int) -> list[float]:
    """Press the wired help button; return how long each took until its call was on the disk."""
    took_s = list[float]()
    for _ in range(presses):
        rig.witness.forget()
        at = rig.finger.press("help")["pressed_at"]
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            lines = [line for line in rig.witness.news() if isinstance(line, Committed)]
            if came := [line.at for line in lines if line.ids]:
                took_s.append(came[0] - at)
                break
            time.sleep(0.001)
        time.sleep(APART_S)
    return took_s


def press_all(report: Report, rig: Rig, bluez: FakeBlueZ, presses: int) -> None:
    """Press again and again; add how long it took, and how many were lost."""
    took_s, lost = list[float](), 0
    rig.witness.forget()
    for counter in range(1, presses + 1):
        at = bluez.do("advert", address=PENDANT, data={BTHOME: press_frame(counter)})["at"]
        came = _core_has(rig, counter)
        if came is None:
            lost += 1
        else:
            took_s.append(came - at)
        bluez.do("send", address=BANDS[counter % 2], uuid=PULSE, value="0048")
        time.sleep(APART_S)
    report.spread("press to the hub's core", took_s, {"p99": 1000.0})
    report.add(f"presses lost of {presses}", lost, "", at_most=0)


def _core_has(rig: Rig, counter: int) -> float | None:
    """Return when the core had the press, None if it never did."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for line in rig.witness.news():
            if isinstance(line, WirelessPressed) and line.counter == counter:
                return time.monotonic()
        time.sleep(0.001)
    return None


def share_pct(
    report: Report, child: Child, bus: PrivateBus, bluez: FakeBlueZ, for_s: float, name: str
) -> tuple[float, list[tuple[float, float]]]:
    """Return a process's share of a core in per cent, and its memory in MB by second."""
    begun, before, bus_before = time.monotonic(), child.use().cpu_s, _cpu_s(bus.pid)
    sent = bluez.do("state")["sent"]
    memory = list[tuple[float, float]]()
    while (passed := time.monotonic() - begun) < for_s:
        memory.append((passed, rss_mb(child.pid)))
        time.sleep(1.0)
    passed = time.monotonic() - begun
    rate = (bluez.do("state")["sent"] - sent) / passed
    report.add(f"adverts ({name})", rate, "/s", at_least=0.95 * PER_S, hard=False)
    report.add(f"dbus-daemon beside {name}", (_cpu_s(bus.pid) - bus_before) / passed * 100, "%")
    return (child.use().cpu_s - before) / passed * 100, memory


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares; 0 of fewer than two points."""
    if len(points) < 2:
        return 0.0
    x_mean, y_mean = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    slope: float = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
    return slope


def _cpu_s(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICKS


def main() -> int:
    """Measure, or be the floor."""
    parser = arguments(__doc__)
    parser.add_argument("--floor", action="store_true", help="be the process of the floor")
    parser.add_argument("--presses", type=int)
    parser.add_argument("--idle-s", type=float, help="how long each process only listens")
    args = parser.parse_args()
    if args.floor:
        one_heap()
        asyncio.run(floor())
    report = Report("bluetooth: a busy air")
    idle_s = args.idle_s or (8.0 if args.short else 600.0)
    least = measure_floor(report, min(idle_s, 30.0))
    alone, share = measure_radio(report, args.presses or (50 if args.short else 1000), idle_s)
    for_s = 10.0 if args.short else 300.0
    measure_returns(report, 2 if args.short else 20)
    measure_connects(report, for_s, "", "one adapter, a band that flaps")
    measure_connects(report, for_s, TWO, "two adapters, a band that flaps")
    report.add("radio, share of a core, no wearable", alone, "%", floor=least)
    report.add("radio, share of a core", share, "%", at_most=8.0, floor=least)
    report.notes.append(
        f"a Pi 4, if a core of it is {PI_4:g} times slower (arithmetic): {alone * PI_4:.1f} % of a "
        f"core without a wearable, {share * PI_4:.1f} % with two"
    )
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
