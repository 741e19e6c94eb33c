"""The simulated pins: a finger on the buttons, an eye on the lamps."""

import asyncio

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from drivers import contact
from drivers.lamp import TABLE, Driver, Pattern
from drivers.virtual.pins import EDGES_KEPT, Edge, beeping, pattern
from hub.core.model.effects import Show, Signal
from tests.drivers.fakes import FakePort, jump, running

LAMP = Driver(name="lamp", red=5, green=6, amber=13, buzzer=19)
SEEN = {
    Signal.RESTING: ("green", "blink"),
    Signal.OFFLINE: ("amber", "slow_blink"),
    Signal.UNCLAIMED: ("amber", "breath"),
    Signal.FAULT: ("amber", "triple_flash"),
    Signal.TEST_MODE: ("green", "ebb"),
    Signal.PAIRING: ("green", "slow_blink"),
    Signal.ASKING: ("green", "breath"),
    Signal.WARNING: ("amber", "hurry"),
    Signal.RAISED: ("red", "fast_flash"),
    Signal.UNDELIVERED: ("red", "double_flash"),
    Signal.RECEIVED: ("red", "slow_pulse"),
    Signal.ACCEPTED: ("red", "on"),
    Signal.PRESENT: ("green", "wink"),
    Signal.CLOSED: ("green", "wink"),
    Signal.CANCELLED: ("green", "wink"),
}


class Eye:
    """Edges of the lamp's pins on the loop's own clock."""

    def __init__(self, pins: MockFactory) -> None:
        self.clock = asyncio.get_running_loop().time
        self.edges: dict[str, list[Edge]] = {part: [] for part in LAMP.pins()}
        for part, number in LAMP.pins().items():
            pin = pins.pin(number)
            pin.heard = lambda part=part, pin=pin: self._note(part, lit=bool(pin.state))

    def _note(self, part: str, *, lit: bool) -> None:
        self.edges[part] = [*self.edges[part], Edge(self.clock(), lit)][-EDGES_KEPT:]

    def sees(self, since: float) -> dict[str, str]:
        parts = ("red", "green", "amber")
        return {part: pattern(self.edges[part], since + 0.05, self.clock()) for part in parts}


@pytest.mark.parametrize("before", Signal)
def test_the_eye_names_every_signal_whatever_was_before(pins: MockFactory, before: Signal) -> None:
    async def story() -> None:
        eye = Eye(pins)
        port = FakePort()
        async with running(LAMP, port):
            for signal, (part, name) in SEEN.items():
                since = eye.clock()
                port.tell(Show(before))
                await asyncio.sleep(3.3)
                since = since if signal == before else eye.clock()
                port.tell(Show(signal))
                dark = {"red": "off", "green": "off", "amber": "off"}
                for wait_s in (5.0, 0.7, 0.9, 30.0):
                    await asyncio.sleep(wait_s)
                    assert eye.sees(since) == dark | {part: name}, (signal, wait_s)
                assert beeping(eye.edges["buzzer"], eye.clock()) == "off"

    jump(story())


def test_the_eye_hears_a_beep(pins: MockFactory) -> None:
    async def story() -> None:
        eye = Eye(pins)
        port = FakePort()
        async with running(LAMP, port):
            assert beeping([], eye.clock()) == "off"
            port.tell(Show(Signal.RAISED))
            await asyncio.sleep(0.05)
            assert beeping(eye.edges["buzzer"], eye.clock()) == "beep"
            await asyncio.sleep(1.5)
            assert beeping(eye.edges["buzzer"], eye.clock()) == "beep"
            await asyncio.sleep(1)
            assert beeping(eye.edges["buzzer"], eye.clock()) == "off"

    jump(story())


@given(
    signal=st.sampled_from([s for s in Signal if s is not Signal.ACCEPTED]),
    late=st.lists(st.floats(0, 0.025), min_size=EDGES_KEPT, max_size=EDGES_KEPT),
)
def test_a_busy_machine_does_not_confuse_the_eye(signal: Signal, late: list[float]) -> None:
    look = TABLE[signal]
    part, name = SEEN[signal]
    rhythm: Pattern = getattr(look, part)
    edges, at = [], 0.0
    for number, delay in enumerate(late):
        edges.append(Edge(at + delay, number % 2 == 0))
        at += rhythm.steps[number % len(rhythm.steps)]
    assert pattern(edges, 0.0, at) == name


def test_a_lamp_that_never_changed_is_off() -> None:
    assert pattern([], 0.0, 100.0) == "off"
    assert pattern([Edge(1.0, lit=True)], 0.0, 1.1) == "on"
    assert pattern([Edge(1.0, lit=True)], 50.0, 100.0) == "on"


@pytest.mark.parametrize(("pull", "rest"), [("up", True), ("down", False), ("floating", True)])
def test_a_finger_goes_against_the_pull_and_stays(
    pins: MockFactory,
    pull: str,
    rest: bool,  # noqa: FBT001 - pytest
) -> None:
    pin = pins.pin(17)
    pin.pull = pull
    at = pin.press()
    assert bool(pin.state) is not rest
    assert at <= pin.press()
    pin.pull = pull  # a driver claims the line while the finger is there
    assert bool(pin.state) is not rest
    assert pin.release() >= at
    assert bool(pin.state) is rest


def test_a_contact_that_rests_closed_calls_when_a_finger_or_a_cut_opens_it(
    pins: MockFactory,
) -> None:
    async def story() -> None:
        pin = pins.pin(17)
        pin.rest_closed()
        port = FakePort()
        wired = {"name": "help", "pin": 17, "role": "help_button", "wiring": "normally_closed"}
        async with running(msgspec.convert(wired, contact.Driver), port):
            pin.press()
            pin.release()
        assert port.closed() == [False, True, False]

    asyncio.run(story())


def test_a_hundred_thousand_edges_leave_no_trace(pins: MockFactory) -> None:
    pin = pins.pin(17)
    for _ in range(50_000):
        pin.press()
        pin.release()
    assert len(pin.states) == 1
    assert len(pin.history) == EDGES_KEPT
