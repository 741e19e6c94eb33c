"""Lamps and buzzer, measured at the pins on a clock that jumps."""

import asyncio
import time

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.lamp import TABLE, Driver, LampError
from hub.contract.voice import Phrase
from hub.core.model.effects import Say, Show, Signal
from tests.drivers.fakes import Edges, FakePort, jump, running, wanted

LAMP = Driver(name="lamp", red=5, green=6, amber=13, buzzer=19)
GREENS = {Signal.PRESENT, Signal.CLOSED, Signal.CANCELLED}


def listen(pins: MockFactory) -> dict[str, Edges]:
    """Write down every edge of the four lines with the loop's time."""
    clock = asyncio.get_running_loop().time
    heard: dict[str, Edges] = {part: [] for part in LAMP.pins()}
    for part, number in LAMP.pins().items():
        pin = pins.pin(number)
        pin.heard = lambda edges=heard[part], pin=pin: edges.append((clock(), bool(pin.state)))
    return heard


@pytest.mark.parametrize("signal", Signal)
def test_the_pins_do_what_the_table_says(pins: MockFactory, signal: Signal) -> None:
    async def story() -> None:
        heard = listen(pins)
        port = FakePort()
        async with running(LAMP, port):
            port.tell(Show(signal))
            await asyncio.sleep(10.05)
            for part, edges in heard.items():
                expected = wanted(getattr(TABLE[signal], part), 10.05)
                assert [lit for _, lit in edges] == [lit for _, lit in expected], part
                assert [at for at, _ in edges] == pytest.approx(
                    [at for at, _ in expected], abs=0.0015
                )

    jump(story())


def test_the_buzzer_sounds_once_per_entering(pins: MockFactory) -> None:
    async def story() -> None:
        heard = listen(pins)
        port = FakePort()
        async with running(LAMP, port):
            for order in (Show(Signal.RECEIVED), Say(Phrase.RECEIVED), Show(Signal.RECEIVED)):
                port.tell(order)
                await asyncio.sleep(5)
            assert [lit for _, lit in heard["buzzer"]] == [True, False]
            port.tell(Show(Signal.RESTING))
            port.tell(Show(Signal.RECEIVED))
            await asyncio.sleep(5)
            assert [lit for _, lit in heard["buzzer"]] == [True, False] * 2

    jump(story())


def test_a_new_signal_cuts_the_old_one_short(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(LAMP, port):
            port.tell(Show(Signal.RAISED))
            await asyncio.sleep(0.05)
            assert (pins.pin(5).state, pins.pin(19).state) == (True, True)
            port.tell(Show(Signal.FAULT))
            await asyncio.sleep(0.001)
            states = {part: bool(pins.pin(n).state) for part, n in LAMP.pins().items()}
            assert states == {"red": False, "green": False, "amber": True, "buzzer": False}

    jump(story())


def test_the_first_change_is_seen_within_50_ms(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        seen = asyncio.Event()
        waits = []
        async with running(LAMP, port):
            pins.pin(5).heard = seen.set
            for signal in (Signal.RAISED, Signal.CLOSED) * 5:
                seen.clear()
                began = time.monotonic()
                port.tell(Show(signal))
                await seen.wait()
                waits.append(time.monotonic() - began)
        assert sorted(waits)[len(waits) // 2] < 0.05

    asyncio.run(story())


def test_a_hub_that_ends_leaves_the_lamps_dark_and_the_lines_free(pins: MockFactory) -> None:
    async def story() -> None:
        for _ in range(2):
            port = FakePort()
            async with running(LAMP, port):
                port.tell(Show(Signal.ACCEPTED))
                await asyncio.sleep(1)
                assert pins.pin(5).state
            assert not any(pins.pin(number).state for number in LAMP.pins().values())

    jump(story())


def test_a_line_that_fails_is_not_hidden(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(LAMP, port) as task:
            monkeypatch.delattr(pins.pin(5), "_state")
            port.tell(Show(Signal.RAISED))
            await asyncio.wait({task}, timeout=5)
            assert isinstance(task.exception(), AttributeError)
            monkeypatch.undo()

    asyncio.run(story())


def test_a_taken_line_is_refused_by_name_and_the_others_are_let_go(pins: MockFactory) -> None:
    async def story() -> None:
        other = Driver(name="other", red=20, green=21, amber=6)
        async with running(LAMP, FakePort()):
            with pytest.raises(LampError, match=r"lamp other: GPIO 6 \(amber\) cannot be claimed"):
                await other.run(FakePort())
        async with running(other, FakePort()):
            assert pins.pin(20).function == "output"

    asyncio.run(story())


def test_a_house_without_a_buzzer_has_lamps_all_the_same(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(Driver(name="lamp", red=5, green=6, amber=13), port) as task:
            port.tell(Show(Signal.RAISED))
            port.tell(None)  # no more orders
            await task
        assert len(pins.pin(5).history) >= 2

    asyncio.run(story())
    assert Device.pin_factory is pins
