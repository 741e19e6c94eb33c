"""The three lamps and the buzzer, which show each `Signal` to the resident.

Each signal has its own rhythm, so that it can be recognised without seeing colour, and no lamp
flashes faster than 2 Hz (IEC 60601-1-8: 1.4 to 2.8 Hz for high priority; WCAG 2.3.1: at most three
flashes a second).
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import ExitStack
from itertools import accumulate
from typing import Annotated

from msgspec import Meta, Struct

from drivers.gpio import DigitalOutputDevice, claim_errors, ensure_pins
from hub.contract.forms import Name
from hub.core.model.driver import Port
from hub.core.model.effects import Order, Show, Signal

SHORTEST_WAIT_S = 0.001  # no busy loop when rounding leaves a tiny rest of a step

Pin = Annotated[int, Meta(ge=0, le=27)]


class LampError(Exception):
    """A lamp cannot be used; the text says which, where and why."""


class Pattern(Struct, frozen=True):
    """Seconds on, off, on, off, ...; repeated (`again`), or once."""

    steps: tuple[float, ...] = ()
    again: bool = True


OFF = Pattern()


class Look(Struct, frozen=True):
    """What each lamp and the buzzer do for one signal."""

    red: Pattern = OFF
    green: Pattern = OFF
    amber: Pattern = OFF
    buzzer: Pattern = OFF


def beeps(*steps: float) -> Pattern:
    """Return a pattern that sounds once, when the signal begins."""
    return Pattern(steps, again=False)


ON = Pattern((math.inf,))
FAST_FLASH = Pattern((0.25, 0.25))
DOUBLE_FLASH = Pattern((0.1, 0.15, 0.1, 1.15))
TRIPLE_FLASH = Pattern((0.1, 0.15, 0.1, 0.15, 0.1, 1.9))
SLOW_PULSE = Pattern((1.0, 1.0))
SLOW_BLINK = Pattern((0.6, 2.4))
LONG_FLASH = Pattern((1.5, 0.3))
BREATH = Pattern((1.6, 0.8))
EVEN = Pattern((0.7, 0.7))
EBB = Pattern((1.2, 2.4))  # slower than a breath: it lasts for a quarter of an hour
HURRY = Pattern((0.4, 0.4))  # slower than the flash of an alarm
BLINK = Pattern((0.1, 3.9))
WINK = Pattern((2.7, 0.3))  # looks lit; the short gap distinguishes it from ON without colour

TABLE: dict[Signal, Look] = {
    Signal.RESTING: Look(green=BLINK),
    Signal.UNCLAIMED: Look(amber=LONG_FLASH, buzzer=beeps(0.08, 0.12, 0.08, 0.12, 0.3)),
    Signal.OFFLINE: Look(amber=SLOW_BLINK),
    Signal.FAULT: Look(amber=TRIPLE_FLASH),
    Signal.TEST_MODE: Look(green=EBB, buzzer=beeps(0.3, 0.15, 0.08)),
    Signal.PAIRING: Look(green=EVEN, buzzer=beeps(0.08, 0.08, 0.08, 0.08, 0.08)),
    Signal.ASKING: Look(green=BREATH, buzzer=beeps(0.08, 0.12, 0.08)),
    Signal.WARNING: Look(amber=HURRY, buzzer=beeps(0.3, 0.3, 0.3)),
    Signal.RAISED: Look(red=FAST_FLASH, buzzer=beeps(0.15, 0.1, 0.15, 0.1, 0.5)),
    Signal.UNDELIVERED: Look(red=DOUBLE_FLASH, buzzer=beeps(0.4, 0.2, 0.4)),
    Signal.RECEIVED: Look(red=SLOW_PULSE, buzzer=beeps(0.12)),
    Signal.ACCEPTED: Look(red=ON, buzzer=beeps(0.12, 0.12, 0.12)),
    Signal.PRESENT: Look(green=WINK, buzzer=beeps(0.5)),
    Signal.CLOSED: Look(green=WINK, buzzer=beeps(0.12, 0.12, 0.5)),
    Signal.CANCELLED: Look(green=WINK, buzzer=beeps(0.5, 0.12, 0.12)),
}
DARK = Look()


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="lamp", tag_field="kind"):
    """A red, a green and an amber lamp on three GPIO lines, and perhaps a buzzer."""

    name: Name
    red: Pin
    green: Pin
    amber: Pin
    buzzer: Pin | None = None
    active_high: bool = True

    async def run(self, port: Port) -> None:
        """Show each signal within 50 ms of its order, until cancelled.

        At the end all is dark and silent: a lamp that stays on would say "a person has taken your
        call" though the hub no longer runs. Raises LampError when a line cannot be claimed.
        """
        with ExitStack() as closing:
            outputs = {
                part: closing.enter_context(_claim(self, part, pin))
                for part, pin in self.pins().items()
            }
            for output in outputs.values():
                closing.callback(output.off)
            port.ready()
            await _play(outputs, port.orders())

    def pins(self) -> dict[str, int]:
        """Return the GPIO lines in use, by the part of a `Look` that each shows."""
        pins = {"red": self.red, "green": self.green, "amber": self.amber}
        return pins if self.buzzer is None else pins | {"buzzer": self.buzzer}


def level(pattern: Pattern, elapsed_s: float) -> tuple[bool, float]:
    """Return whether the pattern is on after `elapsed_s`, and for how many seconds it stays so."""
    ends = list(accumulate(pattern.steps))
    if not ends:
        return False, math.inf
    if pattern.again:
        elapsed_s %= ends[-1]
    for index, end in enumerate(ends):
        if elapsed_s < end:
            return index % 2 == 0, end - elapsed_s
    return False, math.inf


async def _play(outputs: dict[str, DigitalOutputDevice], orders: AsyncIterator[Order]) -> None:
    clock = asyncio.get_running_loop().time
    look, since = DARK, clock()
    coming = asyncio.ensure_future(anext(orders, None))
    try:
        while True:
            wait_s = _light(outputs, look, clock() - since)
            await asyncio.wait({coming}, timeout=None if math.isinf(wait_s) else wait_s)
            if not coming.done():
                continue
            order = coming.result()
            if order is None:
                return
            if isinstance(order, Show) and TABLE[order.signal] is not look:
                look, since = TABLE[order.signal], clock()
            coming = asyncio.ensure_future(anext(orders, None))
    finally:
        coming.cancel()


def _light(outputs: dict[str, DigitalOutputDevice], look: Look, elapsed_s: float) -> float:
    """Set every line; return the seconds until one of them changes."""
    waits = []
    for part, output in outputs.items():
        lit, wait_s = level(getattr(look, part), elapsed_s)
        output.value = lit
        waits.append(wait_s)
    return max(min(waits), SHORTEST_WAIT_S)


def _claim(config: Driver, part: str, pin: int) -> DigitalOutputDevice:
    try:
        ensure_pins()
        return DigitalOutputDevice(pin, active_high=config.active_high)
    except claim_errors() as error:
        message = f"lamp {config.name}: GPIO {pin} ({part}) cannot be claimed: {error}"
        raise LampError(message) from error
