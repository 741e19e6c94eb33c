"""A motion sensor: every edge, its level once it has warmed up, and a sign of life every hour."""

import asyncio
import time
from unittest.mock import patch

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory

from drivers import gpio_line
from drivers.gpio_line import LineError
from drivers.motion import Driver
from hub.core.model.events import DeviceSeen, MotionChanged
from hub.core.model.rules import Room, Sense
from tests.drivers.fakes import FakePort, running

KITCHEN = Driver(name="kitchen", pin=23, place="부엌", warm_up_s=0.0)


def moved(port: FakePort) -> list[bool]:
    return [event.active for event in port.emitted if isinstance(event, MotionChanged)]


def test_somebody_who_walks_past_is_seen_at_once(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(KITCHEN, port):
            assert moved(port) == [False]
            pins.pin(23).drive_high()
            assert moved(port) == [False, True]
            pins.pin(23).drive_low()
            assert moved(port) == [False, True, False]
            seen = port.emitted[1]
            assert isinstance(seen, MotionChanged)
            assert seen.device == "kitchen"
            assert seen.at == pytest.approx(time.monotonic(), abs=0.5)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("pull", "active_high", "high_is_motion"),
    [("down", True, True), ("none", True, True), ("up", False, False), ("down", False, False)],
)
def test_the_wiring_says_which_level_is_motion(
    pins: MockFactory,
    pull: str,
    active_high: bool,  # noqa: FBT001 - pytest
    high_is_motion: bool,  # noqa: FBT001 - pytest
) -> None:
    async def story() -> None:
        config = {"name": "x", "pin": 4, "warm_up_s": 0, "pull": pull, "active_high": active_high}
        port = FakePort()
        async with running(msgspec.convert(config, Driver), port):
            for drive in (pins.pin(4).drive_low, pins.pin(4).drive_high) * 2:
                drive()
        assert moved(port)[-4:] == [not high_is_motion, high_is_motion] * 2

    asyncio.run(story())


def test_until_it_has_warmed_up_nothing_counts_and_then_the_level_is_said(
    pins: MockFactory,
) -> None:
    async def story() -> None:
        settled_at = time.monotonic() + 0.5
        port = FakePort()
        cold = Driver(name="kitchen", pin=23, warm_up_s=settled_at)
        async with running(cold, port):
            for _ in range(5):
                pins.pin(23).drive_high()
                pins.pin(23).drive_low()
            pins.pin(23).drive_high()
            assert moved(port) == []
            assert port.readies == 1
            await port.until(lambda: moved(port) == [True])
            assert time.monotonic() >= settled_at

    asyncio.run(story())


def test_a_hub_that_starts_again_does_not_wait_for_a_warm_sensor() -> None:
    assert Driver(name="x", pin=4).warm_up_s < 60.0 < time.monotonic()


def test_the_poll_catches_an_edge_whose_callback_was_lost(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(KITCHEN, port):
            pins.pin(23).when_changed = None
            pins.pin(23).drive_high()
            assert moved(port) == [False]
            await port.until(lambda: moved(port) == [False, True])

    asyncio.run(story())


def test_of_a_flood_only_a_few_pass_and_the_level_is_right_after_it(pins: MockFactory) -> None:
    """Hundreds of edges a second would write 4 GB a day into the black box."""

    async def story() -> None:
        port = FakePort()
        async with running(KITCHEN, port):
            began = time.monotonic()
            while time.monotonic() < began + 1.0:
                pins.pin(23).drive_high()
                pins.pin(23).drive_low()
                await asyncio.sleep(0.001)
            pins.pin(23).drive_high()
            took_s = time.monotonic() - began
            assert (
                gpio_line.BURST
                <= len(moved(port))
                <= gpio_line.BURST + gpio_line.FLOOD_HZ * took_s + 1
            )
            await port.until(lambda: moved(port)[-1])
            said = len(moved(port))
            await asyncio.sleep(0.5)
            assert len(moved(port)) == said, "at rest nothing more is said"

    asyncio.run(story())


def test_an_evening_of_walking_past_is_told_edge_by_edge(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(KITCHEN, port):
            for _ in range(15):
                pins.pin(23).drive_high()
                pins.pin(23).drive_low()
            assert moved(port) == [False, *[True, False] * 15]

    asyncio.run(story())


def test_a_line_that_can_be_read_is_a_sign_of_life(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        with patch.object(gpio_line, "ALIVE_S", 0.25):
            async with running(KITCHEN, port):
                await port.until(lambda: sum(isinstance(e, DeviceSeen) for e in port.emitted) == 2)
            assert moved(port) == [False]
            assert pins.pin(23).function == "input"

    asyncio.run(story())


def test_in_a_quiet_hour_there_is_one_sign_of_life_and_no_more(pins: MockFactory) -> None:
    assert gpio_line.ALIVE_S == 3600.0
    assert gpio_line.SILENT_S >= 3 * gpio_line.ALIVE_S

    async def story() -> None:
        port = FakePort()
        async with running(KITCHEN, port):
            beats = port.beats
            await port.until(lambda: port.beats >= beats + 3)
            assert not [e for e in port.emitted if isinstance(e, DeviceSeen)]
            assert pins.pin(23).function == "input"

    asyncio.run(story())


def test_a_line_that_cannot_be_read_is_a_failure_and_no_quiet(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(KITCHEN, port) as task:
            pins.pin(23).close()
            pins.pin(23)._get_state = None
            with pytest.raises(TypeError):
                await task

    asyncio.run(story())


def test_a_taken_line_is_refused_by_name(pins: MockFactory) -> None:
    async def story() -> None:
        other = Driver(name="living", pin=23, warm_up_s=0.0)
        async with running(KITCHEN, FakePort()):
            with pytest.raises(LineError, match="motion living: GPIO 23 cannot be claimed"):
                await other.run(FakePort())
            assert pins.pin(23).function == "input"

    asyncio.run(story())


def test_it_says_what_it_senses_and_where() -> None:
    config = {"kind": "motion", "name": "bath", "pin": 5, "room": "bathroom", "silent_s": 100}
    driver = msgspec.convert(config, Driver)
    assert (driver.sense, driver.room, driver.silent_s) == (Sense.MOTION, Room.BATHROOM, 100)
    for wrong in ({"pin": 99}, {"room": "attic"}, {"warm_up_s": -1}, {"silent_s": -1}, {"x": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(config | wrong, Driver)
