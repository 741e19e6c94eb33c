"""The supervisor: a driver that fails is reported and started again, its neighbours left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from unittest.mock import patch

from msgspec import Struct, field

from hub.contract.voice import Phrase
from hub.core.model.driver import Port
from hub.core.model.effects import Order, Say, Show, Signal
from hub.core.model.events import DriverFailed, DriverReady, Event
from hub.process import supervisor
from hub.process.supervisor import HUNG_S, PROVEN_S, DriverPort, Supervisor
from tests.hub.rig import tell, until


class Plan(Struct):
    """What each run of a driver does, in turn; the last of them for ever."""

    acts: list[Callable[[Port], object]]
    runs: int = 0
    orders: list[Order] = field(default_factory=list)


class Device(Struct, frozen=True):
    name: str
    plan: Plan

    async def run(self, port: Port) -> None:
        act = self.plan.acts[min(self.plan.runs, len(self.plan.acts) - 1)]
        self.plan.runs += 1
        act(port)
        async for order in port.orders():
            self.plan.orders.append(order)


class Beside(Device, frozen=True):
    """A driver whose device is a process of its own."""

    is_beside = True


def works(port: Port) -> None:
    port.ready()


def never(_: Port) -> None:
    """It says nothing of itself."""


def beats(port: Port) -> None:
    port.beat()


def breaks(_: Port) -> None:
    message = "no such line"
    raise OSError(message)


def breaks_late(port: Port) -> None:
    port.ready()
    breaks(port)


def cancels_itself(_: Port) -> None:
    raise asyncio.CancelledError


class Clock:
    now = 100.0

    def at(self) -> float:
        return self.now


@asynccontextmanager
async def supervised(*devices: Device) -> AsyncIterator[tuple[Supervisor, list[Event], Clock]]:
    events: list[Event] = []
    clock = Clock()
    watched = Supervisor(devices, events.append, clock.at)
    running = asyncio.create_task(watched.run())
    try:
        yield watched, events, clock
    finally:
        running.cancel()
        await asyncio.wait({running})


def of(kind: type[Event], events: list[Event]) -> list[str]:
    return [e.device for e in events if isinstance(e, kind) and hasattr(e, "device")]


def test_a_failed_driver_is_reported_and_started_again_and_its_neighbour_left_alone() -> None:
    async def story() -> None:
        bad, good = Plan([breaks, works]), Plan([works])
        with patch.object(supervisor, "FIRST_S", 0.01):
            async with supervised(Device("bad", bad), Device("good", good)) as (_, events, __):
                await until(lambda: bad.runs == 2, "it is started again")
                assert of(DriverFailed, events) == ["bad"]
                (failed,) = (e for e in events if isinstance(e, DriverFailed))
                assert failed.reason == "OSError: no such line"
                assert good.runs == 1

    tell(story())


def test_a_driver_that_keeps_failing_is_tried_less_and_less_often() -> None:
    async def story() -> None:
        plan, waits = Plan([breaks]), list[float]()
        sleep = asyncio.sleep

        async def noted(wait_s: float) -> None:
            if wait_s > 0.5:
                waits.append(wait_s)
            await sleep(0)

        with patch("hub.process.supervisor.asyncio.sleep", noted):
            async with supervised(Device("bad", plan)):
                while len(waits) < 9:
                    await sleep(0)
        assert waits[:9] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0, 10.0]

    tell(story())


def test_a_driver_that_cancels_itself_is_not_gone_for_good() -> None:
    """The error of a cancelled inner task looks like a cancellation of the supervisor."""

    async def story() -> None:
        plan = Plan([cancels_itself, works])
        with patch.object(supervisor, "FIRST_S", 0.01):
            async with supervised(Device("odd", plan)) as (_, events, __):
                await until(lambda: plan.runs == 2, "it is started again")
                assert of(DriverFailed, events) == ["odd"]

    tell(story())


def test_a_driver_that_fails_again_and_again_is_one_fault() -> None:
    async def story() -> None:
        plan = Plan([breaks_late, breaks_late, breaks_late, works])
        with patch.multiple(supervisor, FIRST_S=0.01, PROVEN_S=0.1):
            async with supervised(Device("shaky", plan)) as (_, events, __):
                await until(lambda: len(of(DriverReady, events)) == 2, "it has proven itself")
                kinds = [type(e).__name__ for e in events]
                assert kinds == ["DriverReady", *["DriverFailed"] * 3, "DriverReady"]

    tell(story())
    assert PROVEN_S >= 10.0


def test_the_hub_is_ready_when_each_driver_has_answered_in_one_way_or_the_other() -> None:
    async def story() -> None:
        devices = (Device("good", Plan([works])), Device("bad", Plan([breaks])))
        async with supervised(*devices) as (watched, _, __):
            async with asyncio.timeout(1):
                await watched.settled(within_s=60)
        async with supervised(*devices, Device("mute", Plan([never]))) as (watched, _, __):
            async with asyncio.timeout(1):
                await watched.settled(within_s=0.1)

    tell(story())


def test_nobody_waits_for_voice_or_radio_at_the_start() -> None:
    async def story() -> None:
        devices = (Device("good", Plan([works])), Beside("voice", Plan([never])))
        async with supervised(*devices) as (watched, _, __), asyncio.timeout(1):
            await watched.settled(within_s=60)

    tell(story())


def test_a_driver_that_stops_beating_is_hung_and_one_that_never_beat_is_not() -> None:
    async def story() -> None:
        devices = (Device("beats", Plan([beats])), Device("mute", Plan([works])))
        async with supervised(*devices) as (watched, _, clock):
            await until(lambda: devices[0].plan.runs, "it beats")
            assert watched.hung() == []
            clock.now += HUNG_S + 0.1
            assert watched.hung() == ["beats"]

    tell(story())


def test_a_driver_is_told_first_what_is_shown_already_and_keeps_only_the_newest() -> None:
    async def story() -> None:
        lent = DriverPort("lamp", lambda _: None, lambda: 0.0, {})
        lent.tell(Show(Signal.RESTING))
        for _ in range(1000):
            lent.tell(Say(Phrase.RAISED))
        lent.tell(Show(Signal.RAISED))
        assert lent._orders.qsize() <= supervisor.QUEUE
        assert await anext(lent.orders()) == Show(Signal.RAISED)

    tell(story())
