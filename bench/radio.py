"""The help button while the radio is killed, hung and restarted, and how soon the radio is back.

A real hub, Mosquitto and centre; a real `anbu radio run` on a bus of its own with a fake
`org.bluez`, started again after 200 ms as its unit does. First presses of the help button while the
radio is left alone: the floor, with disk and broker beside it as in `bench/press.py`. Then the same
while the radio is ended `--times` times, by turns:

    killed     SIGKILL
    hung       SIGSTOP: the hub must notice, and kill it
    restarted  SIGTERM

It is back when the hub has taken a frame of a pendant again, which is pressed each 50 ms. Faults
are what the hub has published of them. Memory is resident: the hub's with and without a radio, each
freshly started and idle, the radio's at its most.
"""

import itertools
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from bench.child import Child
from bench.floor import Floor
from bench.press import FLOOR_ID, Press, press
from bench.report import Report, arguments, percentile
from bench.rig import Rig
from bench.witness import Witness
from drivers.bluetooth.air import BTHOME
from hub.core.model.effects import Publish
from hub.core.model.events import LinkUp, WirelessPressed
from hub.process.blackbox import Entry
from hub.replay.transcript import opened
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

IDLE_S = 5.0  # it has said all that it says at start
REST_S = 0.2  # RestartSec of systemd/anbu-radio.service
PRESS_EACH_S, LOOK_S = 0.05, 0.005
BACK_S, PATIENCE_S = 5.0, 30.0
HUB_MB, RADIO_MB = 40, 45
ADDRESS, KEY = "38:39:8F:70:B2:E1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
DEVICES = f"""
[[device]]
kind = "pendant"
name = "pendant"
address = "{ADDRESS}"
key = "{KEY}"
"""
ENDS = {"killed": signal.SIGKILL, "hung": signal.SIGSTOP, "restarted": signal.SIGTERM}
FAULTS_MOST = 4  # one that it is missing, its end, and the same once more for a busy machine


def radio_device(rig: Rig) -> str:
    """Return the hub's settings of the radio."""
    return f'[[device]]\nkind = "radio"\nsocket = "{rig.folder}/run/radio.sock"\n'


class Unit:
    """The radio as systemd runs it: it is started again whenever it has ended."""

    def __init__(self, folder: Path, bus: PrivateBus) -> None:
        self._settings, self._bus = folder / "radio.toml", bus
        home = folder / "radio"  # the hub does not know the pendant, so a press of it is no call
        home.mkdir(exist_ok=True)
        (home / "devices.toml").write_text(DEVICES, encoding="utf-8")
        text = f'socket = "{folder}/run/radio.sock"\nstate_dir = "{home}"\n'
        self._settings.write_text(text, encoding="utf-8")
        self.log = folder / "radio.log"
        self._over = False
        self.child: Child
        self.starts, self.rss_mb = 0, 0.0
        self._begun = threading.Event()
        threading.Thread(target=self._keep, daemon=True).start()
        self._begun.wait(PATIENCE_S)

    def end(self, by: signal.Signals) -> None:
        """End or stop the one that runs."""
        self.child.send(by)

    def measure(self) -> None:
        """Note its memory."""
        self.rss_mb = max(self.rss_mb, self.child.use().rss_mb)

    def close(self) -> None:
        """End it for good."""
        self._over = True
        self.child.kill()

    def _keep(self) -> None:
        command = (sys.executable, "-m", "hub", "radio", "--config", str(self._settings), "run")
        env = {"DBUS_SYSTEM_BUS_ADDRESS": self._bus.address}
        while not self._over:
            self.child = Child(*command, log=self.log, env=env)
            self.starts += 1
            self._begun.set()
            self.child.process.wait()
            time.sleep(REST_S)


class Pendant:
    """A pendant that is pressed until the hub has heard it."""

    def __init__(self, bluez: FakeBlueZ, hub: Path) -> None:
        self._bluez, self._witness = bluez, Witness(hub)
        self._cipher = AESCCM(bytes.fromhex(KEY), tag_length=4)
        self._counter = itertools.count(1)

    def press(self) -> int:
        """Press once; return the counter of the frame."""
        counter = next(self._counter)
        count = counter.to_bytes(4, "little")
        nonce = bytes.fromhex(ADDRESS.replace(":", "")) + b"\xd2\xfc\x45" + count
        sealed = self._cipher.encrypt(nonce, b"\x3a\x01", None)
        frame = b"\x45" + sealed[:-4] + count + sealed[-4:]
        self._bluez.do("advert", address=ADDRESS, data={BTHOME: frame.hex()})
        return counter

    def until_heard(self) -> float:
        """Press until the hub has taken a press that was made from now on; return when."""
        fresh, deadline = self.press(), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            due = time.monotonic() + PRESS_EACH_S
            while time.monotonic() < due:
                for line in self._witness.news():
                    if isinstance(line, WirelessPressed) and (line.counter or 0) >= fresh:
                        return time.monotonic()
                time.sleep(LOOK_S)
            self.press()
        message = f"no press was heard for {PATIENCE_S:.0f} s"
        raise TimeoutError(message)


class Torment:
    """Ends the radio again and again, in a thread of its own."""

    def __init__(self, unit: Unit, pendant: Pendant, times: int) -> None:
        self.back: dict[str, list[float]] = {how: [] for how in ENDS}
        self._unit, self._pendant = unit, pendant
        self._kinds = itertools.islice(itertools.cycle(ENDS), times)
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        """Whether there is more to come; raises what went wrong."""
        if self.error:
            raise self.error
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            for how in self._kinds:
                self._unit.measure()
                starts, began = self._unit.starts, time.monotonic()
                self._unit.end(ENDS[how])
                while self._unit.starts == starts and time.monotonic() < began + PATIENCE_S:
                    time.sleep(LOOK_S)
                self.back[how].append(self._pendant.until_heard() - began)
        except (OSError, RuntimeError) as error:
            self.error = error


@contextmanager
def scene(rig: Rig) -> Iterator[tuple[Unit, Pendant]]:
    """Run hub, centre and radio."""
    rig.center.start()
    rig.start_hub()
    list(rig.witness.until(LinkUp))
    with PrivateBus() as bus, FakeBlueZ(bus) as bluez:
        unit = Unit(rig.folder, bus)
        try:
            pendant = Pendant(bluez, rig.witness.path)
            pendant.until_heard()
            yield unit, pendant
        except TimeoutError as error:
            error.add_note(unit.log.read_text(encoding="utf-8", errors="replace")[-3000:])
            error.add_note(str(bluez.do("state")))
            raise
        finally:
            unit.close()


def idle_mb(rig: Rig, *, radio: bool) -> float:
    """Return what a hub holds that has just started, with a radio that works or without one."""
    rig.configure(devices=radio_device(rig) if radio else "")
    rig.start_hub(witness=False)
    with PrivateBus() as bus, FakeBlueZ(bus):
        unit = Unit(rig.folder, bus) if radio else None
        time.sleep(IDLE_S)
        found = rig.hub.use().rss_mb
        if unit:
            unit.close()
    rig.finger.close()
    rig.hub.stop()
    return found


def presses(rig: Rig, floor: Floor, count: int = 0, during: Torment | None = None) -> list[Press]:
    """Press `count` times, or for as long as it lasts."""
    found = list[Press]()
    while len(found) < count or (during is not None and during.goes_on):
        found.append(press(rig))
        rig.center.close_all()
        floor.measure()
    return found


def faults(rig: Rig) -> int:
    """Return how many messages about faults the hub has published."""
    count = 0
    for path in (rig.state_dir / "blackbox").glob("[0-9]*"):
        with opened(path) as file:
            lines = file.read().splitlines()
        for line in lines[1:]:
            effects = msgspec.json.decode(line, type=Entry).effects
            count += sum(isinstance(e, Publish) and "/fault/" in e.topic for e in effects)
    return count


def spreads(report: Report, name: str, found: list[Press], floor: Floor) -> None:
    """Note the figures of one round of presses."""
    pubacks = [one.puback for one in found]
    bars = {"p99": 15.0}
    report.spread(f"{name}: edge -> PUBACK", pubacks, bars, floor.pubacks)


def measure(rig: Rig, quiet: int, times: int) -> Report:
    """Measure, and return the figures."""
    report = Report(f"the help button while the radio is ended {times} times")
    report.add("hub without a radio, idle", idle_mb(rig, radio=False), "MB", at_most=HUB_MB)
    report.add("hub with a radio, idle", idle_mb(rig, radio=True), "MB", at_most=HUB_MB)
    with scene(rig) as (unit, pendant):
        with Floor(rig.broker, FLOOR_ID, rig.folder) as floor:
            alone = presses(rig, floor, count=quiet)
            spreads(report, "left alone", alone, floor)
            before = rig.hub.use().rss_mb
            floor.commits, floor.pubacks = [], []
            torment = Torment(unit, pendant, times)
            amid = presses(rig, floor, during=torment)
            spreads(report, "ended", amid, floor)
        unit.measure()
        after = rig.hub.use().rss_mb
    medians = [percentile([one.puback for one in found], 50) for found in (amid, alone)]
    report.add("ended / left alone, PUBACK p50", medians[0] / medians[1], "x", at_most=1.2,
               hard=False)  # fmt: skip
    told = len(list(rig.center.events()))
    made = len(alone) + len(amid)
    report.add("presses at the centre", told, "calls", at_least=made, at_most=made)
    for how, times_s in torment.back.items():
        report.add(f"back when {how}, median", percentile(times_s, 50), "s")
        report.add(f"back when {how}, worst", max(times_s, default=0.0), "s", at_most=BACK_S)
    report.add("messages about faults", faults(rig), "messages", at_most=FAULTS_MOST)
    report.add("hub, growth meanwhile", after - before, "MB", at_most=1)
    report.add("radio, resident at most", unit.rss_mb, "MB", at_most=RADIO_MB)
    return report


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=0, help="how often the radio is ended")
    args = parser.parse_args()
    times = args.times or (6 if args.short else 100)
    with Rig() as rig:
        report = measure(rig, 30 if args.short else 300, times)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
