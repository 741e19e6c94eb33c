"""One watched GPIO line: every edge as the GPIO thread sees it, and a poll of the level.

The poll catches what edges miss: gpiozero does not report the level at start, and a callback can
get lost. While the line can be read, that is reported every hour: it is the sign of life of a
wired device, which has none of its own.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from drivers.gpio import DigitalInputDevice, claim_errors, ensure_pins
from hub.core.model.driver import Port
from hub.core.model.events import DeviceSeen, Event

POLL_S = 0.1
DEAF_POLL_S = 0.01  # while the GPIO thread is dead: a press of 20 ms is still seen
TICK_BELIEVED_S = 1.0  # an older edge has a tick of another clock: the time of now counts
ALIVE_S = 3600.0
SILENT_S = 4 * ALIVE_S  # three signs of life may get lost
BURST = 40  # edges of a sensor that are reported at once; of a flood FLOOD_HZ are reported:
FLOOD_HZ = 4.0  # a noisy wire fills no SD card, and the core still sees that it is noisy
PULL_UP = {"up": True, "down": False, "none": None}

Pin = Annotated[int, Meta(ge=0, le=27)]
Pull = Literal["up", "down", "none"]


class LineError(Exception):
    """The line cannot be used; the text says which, where and why."""


class Line(Struct, frozen=True):
    """A line of `device`. `active_low`: low counts as on; None: the level against the pull."""

    kind: str
    device: str
    pin: int
    pull: Pull
    active_low: bool | None = None
    mute_until: float = 0.0  # monotonic seconds: the line is ignored until then
    damped: bool = False  # only a few edges of a flood are reported: for sensors, never for buttons


MakeEvent = Callable[[float, bool], Event]  # when, and whether the line is on now


async def watch(line: Line, port: Port, event: MakeEvent) -> None:
    """Report every edge and the level at start, until cancelled.

    Raises LineError when the line cannot be claimed or an edge could not be handed over.
    """
    device = _claim(line)
    try:
        watched = _Watched(line, device, port, event)
        device.when_activated = watched.activated
        device.when_deactivated = watched.deactivated
        watched.poll()
        port.ready()
        await _poll(watched, device, port)
    finally:
        device.close()


class _Watched:
    """What was last reported of one line; with a lock, for the GPIO thread and the poll."""

    def __init__(
        self, line: Line, device: DigitalInputDevice, port: Port, event: MakeEvent
    ) -> None:
        self._line, self._device, self._port, self._event = line, device, port, event
        low = line.pull != "down" if line.active_low is None else line.active_low
        self._on_is_active = low == (line.pull != "down")
        self._lock = threading.Lock()
        self._last: bool | None = None
        self._last_at = 0.0
        self._alive_at = time.monotonic()
        self._passes, self._counted_at = float(BURST), self._alive_at
        self.trouble: Exception | None = None

    def activated(self) -> None:
        """Report an edge to the active level; called in the GPIO thread."""
        self._edge(active=True)

    def deactivated(self) -> None:
        """Report an edge to the resting level; called in the GPIO thread."""
        self._edge(active=False)

    def poll(self) -> None:
        """Report the level if it differs from the last report; at start in any case."""
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
        except Exception as error:  # noqa: BLE001 - it would end lgpio's only thread, for all lines
            self.trouble = error

    def _say(self, at: float, *, active: bool) -> None:
        on = active == self._on_is_active
        if on == self._last or at < self._line.mute_until or not self._passes_at(at):
            return
        self._last, self._last_at = on, max(at, self._last_at)
        self._port.emit(self._event(self._last_at, on))

    def _passes_at(self, at: float) -> bool:
        """Whether one more edge may be reported; after a dropped one the poll reports the level."""
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
    """Whether edges can still arrive.

    lgpio reports all edges of the process from one thread, of its private class
    `_callback_thread`; the first exception in it ends it for good. Other pins have no thread.
    """
    if type(factory).__module__ != "gpiozero.pins.lgpio":
        return True
    return any(type(thread).__module__ == "lgpio" for thread in threading.enumerate())


def _claim(line: Line) -> DigitalInputDevice:
    floating = line.pull == "none"
    try:
        ensure_pins()
        return DigitalInputDevice(
            line.pin, pull_up=PULL_UP[line.pull], active_state=False if floating else None
        )
    except claim_errors() as error:
        message = f"{line.kind} {line.device}: GPIO {line.pin} cannot be claimed: {error}"
        raise LineError(message) from error
