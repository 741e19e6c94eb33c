"""A flood on a motion sensor's line, and the help button beside it, through the real engine."""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from gpiozero import Device
from msgspec.structs import replace

from drivers import contact, gpio_line, motion
from drivers.virtual.driver import use_virtual_pins
from drivers.virtual.pins import HousePin
from hub.core.model.driver import Driver
from hub.core.model.effects import Lane
from hub.core.model.events import ContactChanged, Event, MotionChanged
from hub.core.model.rules import Role, Sense, Sensor
from hub.engine import BATCH, EARLY
from hub.process.supervisor import Supervisor
from tests.hub import test_engine
from tests.hub.rig import HUB, RULES, figure, tell, until

HELP = contact.Driver(name="help", pin=17, role=Role.HELP_BUTTON)
PIR = motion.Driver(name="pir", pin=23, warm_up_s=0.0)
SENSED = replace(RULES, sensors={"pir": Sensor(Sense.MOTION, silent_s=14_400.0)})
PRESSES = 12
SETTLE_S = RULES.press_settle_s


class TrueClock(test_engine.Clock):
    """The clock that the drivers read as well."""

    def __init__(self) -> None:
        self.skipped_s = 0.0


@pytest.fixture(autouse=True)
def virtual() -> Iterator[None]:
    before = Device.pin_factory
    use_virtual_pins()
    raw = patch.object(gpio_line, "BURST", 1e9)  # the harder case: the driver lets all of it pass
    true = patch.object(test_engine, "Clock", TrueClock)
    with patch.object(test_engine, "RULES", SENSED), true, raw:
        yield
    Device.pin_factory = before


@contextmanager
def flooding(pin: HousePin, edges_s: float) -> Iterator[None]:
    """Shake a line from a thread of its own, as lgpio's would."""
    over = threading.Event()

    def shake() -> None:
        while not over.wait(2 / edges_s):
            pin.press()
            pin.release()

    thread = threading.Thread(target=shake, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def presses(house: test_engine.Home, stack: AsyncExitStack) -> list[float]:
    """Press again and again; return how long it took until each call was committed and sent."""
    drivers: tuple[Driver, ...] = (HELP, PIR)
    supervisor = Supervisor(drivers, house.engine.emit, house.clock.at)
    task = asyncio.create_task(supervisor.run())
    stack.callback(task.cancel)
    await supervisor.settled(within_s=2.0)
    return [await _press(house) for _ in range(PRESSES)]


async def _press(house: test_engine.Home) -> float:
    calls = len(house.calls())
    began = time.monotonic()
    Device.pin_factory.pin(HELP.pin).press()
    await until(lambda: len(house.calls()) > calls, "the call is sent")
    took_s = time.monotonic() - began
    Device.pin_factory.pin(HELP.pin).release()
    await asyncio.sleep(0.1)
    return took_s


def test_a_thousand_edges_a_second_do_not_hold_up_the_help_button(tmp_path: Path) -> None:
    async def story(*, flood: bool) -> list[float]:
        async with test_engine.home(tmp_path / f"{flood}.db") as house, AsyncExitStack() as stack:
            if flood:
                stack.enter_context(flooding(Device.pin_factory.pin(PIR.pin), 1000.0))
            took = await presses(house, stack)
            assert len(house.calls()) == PRESSES, "each press is one call"
            if flood:
                assert house.count(MotionChanged) > 300
                assert "pir:chatter" in house.engine.state.faults
            return took

    calm, flooded = tell(story(flood=False)), tell(story(flood=True))
    middle = [statistics.median(times) * 1000 for times in (calm, flooded)]
    worst = [max(times) * 1000 for times in (calm, flooded)]
    figure(
        f"press to commit and send: median {middle[0]:.0f} ms, worst {worst[0]:.0f} ms; under "
        f"1000 edges/s on a motion sensor: median {middle[1]:.0f} ms, worst {worst[1]:.0f} ms"
    )
    assert min(calm) >= SETTLE_S
    assert middle[1] < middle[0] + 50


def test_a_due_press_does_not_wait_for_the_motion_that_has_queued_up(tmp_path: Path) -> None:
    """The delay is limited in decisions, not in seconds."""

    async def story() -> None:
        async with test_engine.home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            at = house.clock.at()
            house.engine.emit(ContactChanged(at + 30.0, "help", closed=True))
            await until(lambda: house.count(ContactChanged) == 1, "the finger is seen")
            for n in range(10_000):
                house.engine.emit(MotionChanged(at, "pir", active=bool(n % 2)))
            begin = len(house.events)
            house.jump_at, house.jump_s = begin + 1000, 60.0
            await until(house.calls, "the call is sent", 30.0)
            decided = house.called_at[0] - house.jump_at
            figure(f"decisions between a due press and its turn, under 10,000 motions: {decided}")
            assert 0 < decided <= BATCH + EARLY + 1

    tell(story())


def test_a_flood_is_one_fault_and_no_storm_of_commits(tmp_path: Path) -> None:
    async def story() -> None:
        async with test_engine.home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            began = house.deeds.count("commit")
            edges: list[Event] = [
                MotionChanged(house.clock.at(), "pir", active=n % 2 == 0) for n in range(5000)
            ]
            for edge in edges:
                house.engine.emit(edge)
            await until(lambda: house.count(MotionChanged) == 5000, "all are decided", 30.0)
            told = [row.topic for row in house.sent if row.lane is Lane.FAULT]
            assert [topic for topic in told if "/fault/" in topic] == [
                f"anbu/1/{HUB}/fault/pir:chatter"
            ]
            assert house.deeds.count("commit") - began <= 2

    tell(story())


def test_of_a_flood_enough_passes_the_driver_that_the_core_takes_it_for_one() -> None:
    watch = SENSED.watch
    assert gpio_line.FLOOD_HZ / 2 * watch.chatter_window_s >= 1.5 * watch.chatter_pulses
    assert watch.short_s > 2 / gpio_line.FLOOD_HZ
