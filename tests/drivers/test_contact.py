"""A contact: every edge, the level at start, and presses that outlive the GPIO thread."""

import asyncio
import random
import threading
import time

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.contact import Driver
from drivers.gpio_line import LineError, gpio_thread_alive
from drivers.virtual.pins import HousePin
from hub.core.model.events import ContactChanged, Event
from hub.core.model.rules import Role, Sense
from tests.drivers.fakes import FakePort, running

HELP = Driver(name="help", pin=17, role=Role.HELP_BUTTON)


class LgpioLikeFactory(MockFactory):  # type: ignore[misc]  # gpiozero ships no types
    """Pins that look like lgpio's, whose callbacks all run in one thread."""


LgpioLikeFactory.__module__ = "gpiozero.pins.lgpio"


class NotifyThread(threading.Thread):
    """Stands for `lgpio._callback_thread`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()

    def run(self) -> None:
        self.ended.wait()


NotifyThread.__module__ = "lgpio"


def test_every_edge_is_passed_raw(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(HELP, port):
            pin = pins.pin(17)
            for _ in range(5):
                pin.press()
                pin.release()
            edges = [edge.at for edge in list(pin.history)[-10:]]
        events = [e for e in port.emitted if isinstance(e, ContactChanged)]
        assert port.closed() == [False, *[True, False] * 5]
        assert {event.device for event in events} == {"help"}
        for event, edge in zip(events[1:], edges, strict=True):
            assert event.at == pytest.approx(edge, abs=0.001)

    asyncio.run(story())


def test_a_thousand_random_presses_are_all_seen(pins: MockFactory) -> None:
    dice = random.Random(7)  # noqa: S311 - a reproducible finger

    def finger(pin: HousePin) -> None:
        for _ in range(1000):
            pin.press()
            time.sleep(dice.random() * 0.0005)
            pin.release()
            time.sleep(dice.random() * 0.0005)

    async def story() -> None:
        port = FakePort()
        async with running(HELP, port):
            await asyncio.to_thread(finger, pins.pin(17))
            await port.until(lambda: port.beats >= 2)
        assert port.closed() == [False, *[True, False] * 1000]
        times = [event.at for event in port.emitted if isinstance(event, ContactChanged)]
        assert times == sorted(times)

    asyncio.run(story())


@pytest.mark.parametrize("held", [False, True])
def test_the_level_at_start_is_always_said(pins: MockFactory, held: bool) -> None:  # noqa: FBT001 - pytest
    async def story() -> None:
        port = FakePort()
        if held:
            pins.pin(17).press()
        async with running(HELP, port):
            assert port.closed() == [held]

    asyncio.run(story())


def test_the_poll_catches_an_edge_whose_callback_was_lost(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(HELP, port):
            pin = pins.pin(17)
            pin.when_changed = None
            pin.press()
            assert port.closed() == [False]
            await port.until(lambda: port.closed() == [False, True])
            pin.release()
            await port.until(lambda: port.closed() == [False, True, False])

    asyncio.run(story())


def test_a_steady_level_is_said_once(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(HELP, port):
            pins.pin(17).press()
            beats = port.beats
            await port.until(lambda: port.beats >= beats + 3)
        assert port.closed() == [False, True]

    asyncio.run(story())


def test_a_dead_gpio_thread_stops_the_beat_but_not_the_presses() -> None:
    async def story() -> None:
        notify = NotifyThread()
        notify.start()
        port = FakePort()
        async with running(HELP, port):
            await port.until(lambda: port.beats >= 2)
            pin = Device.pin_factory.pin(17)
            notify.ended.set()
            notify.join()
            pin.when_changed = None
            beats = port.beats
            for presses in range(1, 6):
                pin.press()
                await port.until(lambda n=presses: sum(port.closed()) == n)  # type: ignore[misc]
                pin.release()
                await port.until(lambda: not port.closed()[-1])
            assert port.beats == beats

    before, Device.pin_factory = Device.pin_factory, LgpioLikeFactory(pin_class=HousePin)
    try:
        asyncio.run(story())
    finally:
        Device.pin_factory = before


def test_without_lgpio_there_is_no_thread_to_die(pins: MockFactory) -> None:
    assert gpio_thread_alive(pins)
    assert not gpio_thread_alive(LgpioLikeFactory())


def test_a_failing_hand_over_spares_the_gpio_thread_and_is_reported(pins: MockFactory) -> None:
    class Deaf(FakePort):
        def emit(self, event: Event) -> None:
            super().emit(event)
            if len(self.emitted) > 1:
                message = "loop closed"
                raise RuntimeError(message)

    async def story() -> None:
        port = Deaf()
        async with running(HELP, port) as task:
            pins.pin(17).press()  # would raise here, as it would in lgpio's thread
            with pytest.raises(LineError, match="loop closed"):
                await task

    asyncio.run(story())


def test_a_tick_of_another_clock_is_not_believed(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(HELP, port):
            for tick, low in ((1.7e9, False), (-5.0, True)):
                pins.pin(17).when_changed(tick, low)
                event = port.emitted[-1]
                assert isinstance(event, ContactChanged)
                assert event.at == pytest.approx(time.monotonic(), abs=0.5)
        assert port.closed()[:3] == [False, True, False]

    asyncio.run(story())


def test_a_door_is_a_sense_and_a_button_is_none() -> None:
    door = Driver(name="front", pin=4, role=Role.EXIT_DOOR)
    assert (door.sense, HELP.sense) == (Sense.EXIT_DOOR, None)
