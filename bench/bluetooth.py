"""A busy air: 20 sensors, 2 wearables and 200 strangers, 2,200 adverts/s, and presses in it.

A fake `org.bluez` on a bus of its own gives the adverts; the processes that hear them are measured
from outside, one after the other in the same run:

    floor    bleak's passive scanner with an empty callback: what a process pays for all adverts
    radio    our scanner, whose match rules let only listed devices through

A press is a frame of a pendant that nobody else sends; its time is from just before the fake sends
its signal until the process has it as an advert. `dbus-daemon`'s own share is told: it passes every
signal to whoever wants it, and on a Pi it is paid, too.

A Pi 4 is arithmetic, no measurement: a core of it is taken to be 5 times slower than one here
(`bench/voice.py` assumes the same). A real controller delivers far fewer adverts, and BlueZ tells
RSSI only when it changes by 8 dB, so 2,200 signals a second are a bound and no expectation.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bleak import BleakScanner
from bleak.args.bluez import OrPattern, OrPatternLike
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from bench.child import TICKS, Child
from bench.report import Report, arguments
from drivers.bluetooth.air import BTHOME, Advert
from drivers.bluetooth.bluez.scanner import Scanner
from hub.contract.radio import Part
from hub.shared.system import one_heap, rss_mb
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

PER_S, STRANGERS, SENSORS, WEARABLES = 2200, 200, 20, 2
PENDANT = "A4:C1:38:00:00:FF"
LISTED = tuple(f"A4:C1:38:00:00:{n:02X}" for n in range(SENSORS + WEARABLES))
PI_4 = 5.0  # assumed: a core of it against one of here
PATIENCE_S = 10.0
WARM_S = 5.0
LOOK_S = 0.001


class Heard:
    """Prints each press with the time it was heard at."""

    def heard(self, advert: Advert) -> None:
        """Print a press."""
        if advert.address == PENDANT and advert.service_data:
            _say(advert.service_data[BTHOME].hex(), time.monotonic())

    def near(self, address: str, *, near: bool) -> None:
        """Nobody needs it here."""

    def trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        """Say when it scans."""
        if part is Part.PASSIVE:
            _say("passive" if not present else detail, 0)


def _say(what: str, at: float) -> None:
    sys.stdout.write(f"{what} {at:.6f}\n")
    sys.stdout.flush()


async def _radio() -> None:
    async def listed() -> AsyncIterator[frozenset[str]]:
        yield frozenset((*LISTED, PENDANT))

    await Scanner(kernel=(6, 12, 0), rfkill=Path("/nonexistent")).listen(listed(), Heard())


async def _floor() -> None:
    def heard(_: BLEDevice, __: AdvertisementData) -> None:
        """Nothing: what is measured is how a process gets here."""

    patterns: list[OrPatternLike] = [
        OrPattern(0, AdvertisementDataType.SERVICE_DATA_UUID16, b"\xd2\xfc"),
        OrPattern(0, AdvertisementDataType.FLAGS, b"\x06"),
    ]
    async with BleakScanner(heard, None, "passive", bluez={"or_patterns": patterns}):
        _say("passive", 0)
        await asyncio.Event().wait()


CHILDREN = {"radio": _radio, "floor": _floor}


class Air:
    """A bus with the fake on it, and one process that listens."""

    def __init__(self, bus: PrivateBus, bluez: FakeBlueZ, kind: str) -> None:
        self.bus, self.bluez = bus, bluez
        self.log = bus.folder / f"{kind}.log"
        env = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}
        self.child = Child(sys.executable, "-m", "bench.bluetooth", "--child", kind,
                           log=self.log, env=env)  # fmt: skip
        self._read = 0
        self.heard = dict[str, float]()

    def wait_for(self, frame: str, patience_s: float = PATIENCE_S) -> float | None:
        """Return when it was heard, None where it never was."""
        until = time.monotonic() + patience_s
        while frame not in self.heard and time.monotonic() < until and self.child.alive():
            self._look()
            time.sleep(LOOK_S)
        return self.heard.get(frame)

    def _look(self) -> None:
        with self.log.open(encoding="utf-8") as log:
            log.seek(self._read)
            text = log.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        for line in whole.splitlines():
            what, _, at = line.rpartition(" ")
            self.heard.setdefault(what, float(at))

    def press(self, n: int) -> float | None:
        """Press once; return how long it took in seconds, None where it was lost."""
        frame = n.to_bytes(4, "big").hex()
        at = self.bluez.do("advert", address=PENDANT, data={BTHOME: frame})["at"]
        heard = self.wait_for(frame)
        return None if heard is None else heard - at


def run(report: Report, presses: int, idle_s: float) -> None:
    """Measure each process under the load; add the figures."""
    shares = dict[str, float]()
    for kind in CHILDREN:
        with PrivateBus() as bus, FakeBlueZ(bus) as bluez:
            air = Air(bus, bluez, kind)
            try:
                if air.wait_for("passive") is None:
                    message = f"it does not scan: {air.log.read_text(encoding='utf-8')}"
                    raise RuntimeError(message)
                bluez.do("load", per_s=PER_S, strangers=STRANGERS, listed=LISTED)
                time.sleep(WARM_S)
                shares[kind] = _share(report, air, kind, idle_s)
                if kind == "radio":
                    _presses(report, air, presses)
            finally:
                air.child.stop()
    floor = shares["floor"]
    report.add("radio, share of a core", shares["radio"], "%", at_most=8.0, floor=floor)
    report.notes.append(
        f"a Pi 4, if a core of it is {PI_4:g} times slower (arithmetic): "
        f"{shares['radio'] * PI_4:.1f} % of a core for the radio, "
        f"{floor * PI_4:.1f} % were it bleak's callback"
    )


def _share(report: Report, air: Air, kind: str, idle_s: float) -> float:
    """Return a process's share of a core in per cent; note its memory and the bus's share."""
    begun, before, bus = time.monotonic(), air.child.use(), air.bus.pid
    bus_before = _cpu_s(bus)
    sent_before = air.bluez.do("state")["sent"]
    memory = list[tuple[float, float]]()
    while (passed := time.monotonic() - begun) < idle_s:
        memory.append((passed, rss_mb(air.child.pid)))
        time.sleep(1.0)
    passed = time.monotonic() - begun
    if kind == "radio":
        sent = air.bluez.do("state")["sent"] - sent_before
        report.add("adverts", sent / passed, "/s", at_least=0.95 * PER_S, hard=False)
        report.add("memory", air.child.use().rss_mb, "MB", at_most=45.0)
        slope = _slope(memory[len(memory) // 4 :]) * 3600
        report.add(
            "memory, slope", slope, "MB/h", at_most=1.0 if idle_s > 300 else None, hard=False
        )
    report.add(f"dbus-daemon beside {kind}", (_cpu_s(bus) - bus_before) / passed * 100, "%")
    return (air.child.use().cpu_s - before.cpu_s) / passed * 100


def _presses(report: Report, air: Air, presses: int) -> None:
    took_s, lost = list[float](), 0
    for n in range(1, presses + 1):
        passed = air.press(n)
        if passed is None:
            lost += 1
        else:
            took_s.append(passed)
    report.spread("press to advert", took_s, {"p99": 1000.0})
    report.add(f"presses lost of {presses}", lost, "", at_most=0)


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares; 0 of fewer than two points."""
    n = len(points)
    if n < 2:
        return 0.0
    x_mean, y_mean = (sum(axis) / n for axis in zip(*points, strict=True))
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    slope: float = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
    return slope


def _cpu_s(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICKS


def main() -> int:
    """Measure, or be one of the processes that are measured."""
    parser = arguments(__doc__)
    parser.add_argument("--child", choices=CHILDREN)
    parser.add_argument("--presses", type=int)
    parser.add_argument("--idle-s", type=float, help="how long each process only listens")
    args = parser.parse_args()
    if args.child:
        one_heap()
        asyncio.run(CHILDREN[args.child]())
        return 0
    report = Report("bluetooth: a busy air")
    run(
        report,
        args.presses or (100 if args.short else 1000),
        args.idle_s or (10 if args.short else 600),
    )
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
