"""The provisioning process as a device: its facts are events, and no call waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from drivers import provision as module
from drivers.provision import Driver, event_of
from hub.contract import provision
from hub.contract.provision import Part, Way, decode, encode
from hub.contract.voice import Phrase
from hub.core.model.effects import OpenHotspot, Say, Show, Signal
from hub.core.model.events import (
    ClaimChanged,
    ClockCompared,
    DriverFailed,
    NetworkChanged,
    Registered,
    SetupPartChanged,
)
from hub.shared.sidecar import host
from hub.shared.sidecar.host import Patience
from tests.drivers.fakes import FakePort
from tests.hub.rig import tell, until


class Process:
    """A provisioning process, as the hub sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *words: provision.Fact) -> None:
        self.writer.write(b"".join(map(encode, words)))

    async def hear(self) -> provision.Word:
        """The next order that is no ping."""
        async with asyncio.timeout(10):
            while isinstance(word := decode(await self.reader.readline()), provision.Ping):
                self.say(provision.Pong(word.n))
        return word


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Process, FakePort]]:
    port, path = FakePort(), folder / "provision.sock"
    task = asyncio.create_task(Driver(str(path)).run(port))
    try:
        await until(path.exists, "the socket is there")
        process = Process(*await asyncio.open_unix_connection(path))
        yield process, port
        process.writer.close()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def events(port: FakePort, kind: type[object]) -> list[object]:
    return [event for event in port.emitted if isinstance(event, kind)]


@pytest.mark.parametrize(
    ("fact", "event"),
    [
        (provision.Claiming("40718235"), ClaimChanged(9.0, "40718235")),
        (provision.Claiming(trouble="busy"), ClaimChanged(9.0, trouble="busy")),
        (provision.Claimed("js-0001"), Registered(9.0, "js-0001")),
        (
            provision.Network(Way.HOTSPOT, "Anbu-07", "12345678"),
            NetworkChanged(9.0, Way.HOTSPOT, "Anbu-07", "12345678"),
        ),
        (
            provision.Network(Way.WIFI, "home", signal_dbm=-60),
            NetworkChanged(9.0, Way.WIFI, "home", signal_dbm=-60),
        ),
        (provision.Hello(), None),
        (provision.Pong(1), None),
        (provision.Clock(1.0), None),
        (provision.Trouble(Part.DISK, present=True), None),
    ],
)
def test_each_fact_has_its_event(fact: provision.Fact, event: object) -> None:
    assert event_of(fact, 9.0) == event


def test_the_hotspots_order_goes_out_and_no_other(tmp_path: Path) -> None:
    async def story() -> provision.Word:
        async with served(tmp_path) as (process, port):
            process.say(provision.Hello())
            for order in (Show(Signal.UNCLAIMED), Say(Phrase.UNCLAIMED), OpenHotspot(600.0)):
                port.tell(order)
            return await process.hear()

    assert tell(story()) == provision.OpenHotspot(600.0)


def test_parts_and_the_clock_are_told_now_and_then(tmp_path: Path) -> None:
    async def story() -> FakePort:
        async with served(tmp_path) as (process, port):
            broken = provision.Trouble(Part.IDENTITY, present=True, detail="expired")
            process.say(provision.Hello(), broken, broken)
            process.say(*(provision.Clock(float(n)) for n in range(20)))
            process.say(provision.Claimed("js-0001"))
            await until(lambda: events(port, Registered), "all of it is read")
            return port

    port = tell(story())
    (changed,) = events(port, SetupPartChanged)
    assert isinstance(changed, SetupPartChanged)
    assert (changed.device, changed.part, changed.broken) == ("provision", Part.IDENTITY, True)
    (clock,) = events(port, ClockCompared)
    assert isinstance(clock, ClockCompared)
    assert clock.ahead_s == 0.0


def test_a_process_that_nobody_starts_is_one_fault_and_may_come_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", Patience(0.02, 5.0, 100))
    monkeypatch.setattr(host, "LOST_S", 0.1)
    monkeypatch.setattr(host, "STEADY_S", 0.1)

    async def story() -> None:
        port, path = FakePort(), tmp_path / "provision.sock"
        task = asyncio.create_task(Driver(str(path)).run(port))
        await until(lambda: events(port, DriverFailed), "the fault is told")
        process = Process(*await asyncio.open_unix_connection(path))
        process.say(provision.Hello())
        await until(lambda: port.readies, "it works")
        assert len(events(port, DriverFailed)) == 1
        process.writer.close()
        task.cancel()
        await asyncio.wait({task})

    tell(story())


def test_the_hub_waits_for_it_at_no_start() -> None:
    driver = Driver()
    assert (driver.is_beside, driver.registers) == (True, True)
