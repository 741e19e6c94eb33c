"""A band that comes and goes, and what it costs to listen to one in a busy air.

A fake `org.bluez` on a bus of its own gives a band that advertises at an interval, answers a
connect with its next advert, and beats each second once somebody has subscribed. The real scanner,
bleak's real client and the connection loop find it again:

    back     from the moment that it is in range (its next advert comes within an interval) until
             its first pulse is told; after short and after long absences
    busy     the whole process' share of a core while the band beats and 2,200 adverts/s pass, of
             200 strangers and 20 sensors

What it does not show: a radio. A connect of a Pi takes 0.5 to 4 s where the fake takes none; the
command that measures it there is `anbu radio measure`.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.report import Report, arguments
from drivers.bluetooth.air import Advert, Listener
from drivers.bluetooth.bluez.connect import Connector
from drivers.bluetooth.bluez.scanner import Scanner
from drivers.bluetooth.wearables.service import Around, uuid
from drivers.bluetooth.wearables.wearables import Wearables
from hub.contract.radio import Fact, Part, Presence, Pulse
from hub.core.model.wireless import Wearable
from hub.shared.system import rss_mb
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

BAND = "C0:11:22:33:44:55"
SENSORS = tuple(f"A4:C1:38:00:00:{n:02X}" for n in range(20))
HEART_RATE, LEVEL = uuid(0x2A37), uuid(0x2A19)
INTERVALS_S = (0.25, 1.0, 2.5)
BEYOND_S = 5.0  # the bar: 2 intervals and so much
AWAY_S = 1.0  # when the scanner says "not heard": 30 s in a home, which only takes longer
SHORT_S, LONG_S = 0.5, 11.0  # absences: within that time, and so long that it is a new arrival
PER_S, STRANGERS = 2200, 200
PATIENCE_S = 60.0


class Radio:
    """What the process does of wearables, with what it told and when."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.pulses, self.near_told = list[float](), list[bool]()
        air = _Air()
        around = Around(self._tell, lambda _: None, time.monotonic, time.time)
        self.wearables = Wearables(air, around)
        self.wearables.follow((Wearable("band", BAND, "band"),))
        self._air = air

    async def run(self) -> None:
        """Listen and keep connected, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.wearables.run())
            group.create_task(self._air.scanner.listen(_listed(), self))

    async def pulse_after(self, at: float) -> float:
        """Return when a pulse was told after a moment."""
        async with asyncio.timeout(PATIENCE_S):
            while not (later := [one for one in self.pulses if one >= at]):
                await self._next()
        return later[0]

    def heard(self, advert: Advert) -> None:
        """Pass an advert on."""
        self.wearables.heard(advert)

    def near(self, address: str, *, near: bool) -> None:
        """Pass on who is near."""
        self.wearables.near(address, near=near)

    def trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        """Nothing is out of order here."""

    def _tell(self, fact: Fact) -> None:
        if isinstance(fact, Pulse):
            self.pulses.append(time.monotonic())
        elif isinstance(fact, Presence):
            self.near_told.append(fact.near)
        self.news.set()

    async def _next(self) -> None:
        self.news.clear()
        await self.news.wait()


class _Air(Connector):
    """The real scanner and the real connector."""

    def __init__(self) -> None:
        super().__init__()
        self.scanner = Scanner(kernel=(6, 12, 0), rfkill=Path("/nonexistent"), away_s=AWAY_S)

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        """Listen for ever."""
        await self.scanner.listen(addresses, listener)


async def _listed() -> AsyncIterator[frozenset[str]]:
    yield frozenset({BAND, *SENSORS})


@asynccontextmanager
async def _home(bluez: FakeBlueZ) -> AsyncIterator[Radio]:
    bluez.do("peripheral", address=BAND, characteristics={HEART_RATE: "", LEVEL: "50"})
    bluez.do("behave", address=BAND, how="when_heard")
    radio = Radio()
    task = asyncio.create_task(radio.run())
    try:
        yield radio
    finally:
        task.cancel()
        await asyncio.wait({task})


async def back(report: Report, bluez: FakeBlueZ, rounds: int) -> None:
    """Have the band leave and come back; add how long it took."""
    async with _home(bluez) as radio:
        for interval_s in INTERVALS_S:
            took_s = list[float]()
            for n in range(rounds):
                bluez.do("range", address=BAND, interval_s=0)
                await asyncio.sleep(LONG_S if n % 2 else SHORT_S)
                at = time.monotonic()
                bluez.do("range", address=BAND, interval_s=interval_s)
                took_s.append(await radio.pulse_after(at) - at)
            bar_ms = (2 * interval_s + BEYOND_S) * 1e3
            report.spread(f"back, advert each {interval_s:g} s", took_s, {"max": bar_ms})


async def busy(report: Report, bluez: FakeBlueZ, idle_s: float) -> None:
    """Listen to the band in a busy air; add the share of a core."""
    async with _home(bluez) as radio:
        bluez.do("range", address=BAND, interval_s=1.0)
        await radio.pulse_after(time.monotonic())
        bluez.do("load", per_s=PER_S, strangers=STRANGERS, listed=SENSORS)
        await asyncio.sleep(2.0)
        pulses, sent = len(radio.pulses), bluez.do("state")["sent"]
        began, cpu_s = time.monotonic(), _cpu_s()
        await asyncio.sleep(idle_s)
        passed_s = time.monotonic() - began
        sent = bluez.do("state")["sent"] - sent
        report.add("busy, adverts", sent / passed_s, "/s", at_least=0.9 * PER_S, hard=False)
        share = (_cpu_s() - cpu_s) / passed_s * 100
        report.add("busy, share of a core", share, "%", at_most=8.0)
        report.add(
            "busy, pulses a second", (len(radio.pulses) - pulses) / passed_s, "", at_least=0.8
        )
        report.add("memory of this bench's process", rss_mb(), "MB")
        bluez.do("load", per_s=0, strangers=0, listed=[])


def _cpu_s() -> float:
    return sum(os.times()[:2])


def main() -> int:
    """Measure."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="how often the band comes back, per interval")
    parser.add_argument("--idle-s", type=float, help="how long the busy air is listened to")
    args = parser.parse_args()
    report = Report("wearables: a band comes and goes")
    with PrivateBus() as bus:
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
        for part, size in (
            (back, args.rounds or (1 if args.short else 20)),
            (busy, args.idle_s or (12 if args.short else 120)),
        ):
            with FakeBlueZ(bus, "tests.drivers.bluetooth.fake_gatt") as bluez:
                asyncio.run(part(report, bluez, size))
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
