"""One GPIO line, watched: each edge raw, as the GPIO thread sees it, and the level as a net.

A level poll catches what edges cannot tell: gpiozero is silent about the level at start, and a
callback can get lost. As long as the line can be read, that is said every hour: it is the sign of
life of a device on a wire, which has none of its own.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

from gpiozero import DigitalInputDevice, GPIOZeroError
from msgspec import Meta, Struct

from hub.core.model.driver import Port
from hub.core.model.events import DeviceSeen, Event

POLL_S = 0.1
DEAF_POLL_S = 0.01  # while the GPIO thread is dead: a press of 20 ms is still seen
TICK_BELIEVED_S = 1.0  # an edge older than this carries a tick of another clock
ALIVE_S = 3600.0
SILENT_S = 4 * ALIVE_S  # three signs of life may get lost
BURST = 40  # edges of a sensor that pass as they come; in a flood so few a second pass that ...
FLOOD_HZ = 4.0  # ... a noisy wire writes no SD card full, and the core still sees what it is
PULL_UP = {"up": True, "down": False, "none": None}

Pin = Annotated[int, Meta(ge=0, le=27)]
Pull = Literal["up", "down", "none"]


class LineError(Exception):
    """The line cannot be used; the text says which, where and why."""


class Line(Struct, frozen=True):
    """A line of `device`. `active_low` is the level that counts as on; None: against the pull."""

    kind: str
    device: str
    pin: int
    pull: Pull
    active_low: bool | None = None
    mute_until: float = 0.0  # monotonic seconds: before, what the line does means nothing
    damped: bool = False  # of a flood only a few edges pass: for sensors, never for buttons


Word = Callable[[float, bool], Event]  # when, and whether the line is on now


async def watch(line: Line, port: Port, word: Word) -> None:
    """Report every edge and the level at start, until cancelled.

    Raises LineError when the line cannot be claimed or an edge could not be handed over.
    """
    device = _claim(line)
    try:
        watched = _Watched(line, device, port, word)
        device.when_activated = watched.activated
        device.when_deactivated = watched.deactivated
        watched.poll()
        port.ready()
        await _poll(watched, device, port)
    finally:
        device.close()


class _Watched:
    """What was last said about one line, guarded: the GPIO thread and the poll both speak."""

    def __init__(self, line: Line, device: DigitalInputDevice, port: Port, word: Word) -> None:
        self._line, self._device, self._port, self._word = line, device, port, word
        low = line.pull != "down" if line.active_low is None else line.active_low
        self._on_is_active = low == (line.pull != "down")
        self._lock = threading.Lock()
        self._last: bool | None = None
        self._last_at = 0.0
        self._alive_at = time.monotonic()
        self._passes, self._counted_at = float(BURST), self._alive_at
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
            at = time.monotonic()
            self._say(at, active=self._device.is_active)
            if self._alive_at + ALIVE_S <= at:
                self._alive_at = at
                self._port.emit(DeviceSeen(at, self._line.device))

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
        on = active == self._on_is_active
        if on == self._last or at < self._line.mute_until or not self._passes_at(at):
            return
        self._last, self._last_at = on, max(at, self._last_at)
        self._port.emit(self._word(self._last_at, on))

    def _passes_at(self, at: float) -> bool:
        """Tell whether one more edge may pass; what is dropped the next poll makes good."""
        if not self._line.damped:
            return True
        gained = max(at - self._counted_at, 0.0) * FLOOD_HZ
        self._passes, self._counted_at = min(self._passes + gained, BURST), at
        if self._passes < 1:
            return False
        self._passes -= 1
        return True


async def _poll(watched: _Watched, device: DigitalInputDevice, port: Port) -> None:
    while True:
        watched.poll()
        if watched.trouble is not None:
            message = f"an edge could not be handed over: {watched.trouble}"
            raise LineError(message) from watched.trouble
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


def _claim(line: Line) -> DigitalInputDevice:
    floating = line.pull == "none"
    try:
        return DigitalInputDevice(
            line.pin, pull_up=PULL_UP[line.pull], active_state=False if floating else None
        )
    except _claim_errors() as error:
        message = f"{line.kind} {line.device}: GPIO {line.pin} cannot be claimed: {error}"
        raise LineError(message) from error


def _claim_errors() -> tuple[type[Exception], ...]:
    """List what a claim may raise; lgpio's own error is known only where lgpio is installed."""
    lgpio = sys.modules.get("lgpio")
    return (GPIOZeroError, OSError, ImportError, *([lgpio.error] if lgpio else []))
