"""A contact on a GPIO line: help button, pull cord, green cancel button.

Edges go out raw, as the GPIO thread sees them; `core/press.py` decides what is a press. A level
poll is the safety net: gpiozero is silent about the level at start, and a callback can get lost.
"""

import asyncio
import sys
import threading
import time
from typing import Annotated, Literal

from gpiozero import DigitalInputDevice, GPIOZeroError
from msgspec import Meta, Struct

from hub.core.driver import Name, Port
from hub.core.events import ContactChanged
from hub.core.rules import Role

POLL_S = 0.1
DEAF_POLL_S = 0.01  # while the GPIO thread is dead: a press of 20 ms is still seen
TICK_BELIEVED_S = 1.0  # an edge older than this carries a tick of another clock
PULL_UP = {"up": True, "down": False, "none": None}


class ContactError(Exception):
    """The contact cannot be used; the text says which, where and why."""


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="contact", tag_field="kind"):
    """A contact between a GPIO line and ground (or 3.3 V, then `pull = "down"`).

    `active_low` says at which level the contact counts as closed; left out, it is the level
    against the pull. A normally closed contact has it the other way round.
    """

    name: Name
    pin: Annotated[int, Meta(ge=0, le=27)]
    role: Role
    place: str = ""
    pull: Literal["up", "down", "none"] = "up"
    active_low: bool | None = None

    async def run(self, port: Port) -> None:
        """Report every edge and the level at start, until cancelled.

        Raises ContactError when the line cannot be claimed or an edge could not be handed over.
        """
        device = _claim(self)
        try:
            line = _Line(self, device, port)
            device.when_activated = line.activated
            device.when_deactivated = line.deactivated
            line.poll()
            port.ready()
            await _watch(line, device, port)
        finally:
            device.close()


class _Line:
    """What was last said about one line, guarded: the GPIO thread and the poll both speak."""

    def __init__(self, config: Driver, device: DigitalInputDevice, port: Port) -> None:
        self._name = config.name
        self._device = device
        self._port = port
        self._closed_is_active = _closes_low(config) == (config.pull != "down")
        self._lock = threading.Lock()
        self._last: bool | None = None
        self._last_at = 0.0
        self.trouble: Exception | None = None

    def activated(self) -> None:
        """Take an edge to the active level, in the GPIO thread."""
        self._edge(active=True)

    def deactivated(self) -> None:
        """Take an edge to the resting level, in the GPIO thread."""
        self._edge(active=False)

    def poll(self) -> None:
        """Say the level where it differs from what was said last; at start, in any case."""
        with self._lock:
            self._say(time.monotonic(), active=self._device.is_active)

    def _edge(self, *, active: bool) -> None:
        try:
            device = self._device
            age_s = (device.active_time if active else device.inactive_time) or 0.0
            at = time.monotonic() - (age_s if 0 <= age_s <= TICK_BELIEVED_S else 0.0)
            with self._lock:
                self._say(at, active=active)
        except Exception as error:  # noqa: BLE001 - lgpio's thread dies of it, and with it all lines
            self.trouble = error

    def _say(self, at: float, *, active: bool) -> None:
        closed = active == self._closed_is_active
        if closed == self._last:
            return
        self._last, self._last_at = closed, max(at, self._last_at)
        self._port.emit(ContactChanged(at=self._last_at, device=self._name, closed=closed))


async def _watch(line: _Line, device: DigitalInputDevice, port: Port) -> None:
    while True:
        line.poll()
        if line.trouble is not None:
            message = f"an edge could not be handed over: {line.trouble}"
            raise ContactError(message) from line.trouble
        alive = gpio_thread_alive(device.pin_factory)
        if alive:
            port.beat()
        await asyncio.sleep(POLL_S if alive else DEAF_POLL_S)


def gpio_thread_alive(factory: object) -> bool:
    """Tell whether edges can still arrive.

    lgpio hands out all edges of the process from one thread, of its private class
    `_callback_thread`; the first exception in it ends it for good. Other pins have no thread.
    """
    if type(factory).__module__ != "gpiozero.pins.lgpio":
        return True
    return any(type(thread).__module__ == "lgpio" for thread in threading.enumerate())


def _closes_low(config: Driver) -> bool:
    return config.pull != "down" if config.active_low is None else config.active_low


def _claim(config: Driver) -> DigitalInputDevice:
    floating = config.pull == "none"
    try:
        return DigitalInputDevice(
            config.pin, pull_up=PULL_UP[config.pull], active_state=False if floating else None
        )
    except _claim_errors() as error:
        message = f"contact {config.name}: GPIO {config.pin} cannot be claimed: {error}"
        raise ContactError(message) from error


def _claim_errors() -> tuple[type[Exception], ...]:
    """List what a claim may raise; lgpio's own error is known only where lgpio is installed."""
    lgpio = sys.modules.get("lgpio")
    return (GPIOZeroError, OSError, ImportError, *([lgpio.error] if lgpio else []))
