"""Pins of the virtual house: contacts that can be held, and lamps whose last edges are kept."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from time import monotonic

from msgspec import Struct

from drivers.gpio import lean

with lean():
    from gpiozero.pins.mock import MockFactory, MockPin

__all__ = ["HousePin", "MockFactory"]

EDGES_KEPT = 64  # 12 s of the fastest flash
STEADY_ON_S = 3.5  # longer than any pattern is on without a gap
STEADY_OFF_S = 4.5  # longer than any pattern is off without a flash
GAP_S = 0.5  # a longer pause ends a group of flashes
BEEP_S = 1.0  # the beeps of one pattern are closer together
LONGER_THAN_S = (
    (2.1, "wink"),
    (1.3, "breath"),
    (1.1, "ebb"),
    (0.8, "slow_pulse"),
    (0.5, "slow_blink"),
    (0.32, "hurry"),
    (0.17, "fast_flash"),
)
GROUPS = {1: "blink", 2: "double_flash", 3: "triple_flash"}


class Edge(Struct, frozen=True):
    """A pin's level from `at` on."""

    at: float
    lit: bool


class HousePin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A mock pin that a finger can hold against its pull, and that remembers a few edges."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.finger = False
        self.rests_closed = False  # a normally closed contact: the finger opens it
        self.history: deque[Edge] = deque(maxlen=EDGES_KEPT)
        self.heard: Callable[[], None] | None = None
        super().__init__(*args, **kwargs)

    def press(self) -> float:
        """Close the contact (or open one that rests closed) and hold it; return when."""
        self.finger = True
        return self._settle()

    def release(self) -> float:
        """Release the contact; return when."""
        self.finger = False
        return self._settle()

    def rest_closed(self) -> None:
        """Make this a normally closed contact, with an intact wire."""
        self.rests_closed = True
        self._settle()

    def _settle(self) -> float:
        """Set the level: against the pull for a closed contact, else that of the pull."""
        closed = self.finger != self.rests_closed
        if (self._pull == "down") == closed:
            self.drive_high()
        else:
            self.drive_low()
        return self.history[-1].at if self.history else monotonic()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if self.finger != self.rests_closed:
            self._settle()

    def _change_state(self, value: bool) -> bool:  # noqa: FBT001 - gpiozero calls it so
        changed: bool = super()._change_state(value)
        if changed:
            del self.states[:-1]  # MockPin keeps every edge for ever
            self.history.append(Edge(at=monotonic(), lit=value))
            if self.heard is not None:
                self.heard()
        return changed


def beeping(edges: Iterable[Edge], now: float) -> str:
    """Return what is heard of a buzzer: `beep` or `off`."""
    *_, last = (Edge(at=-math.inf, lit=False), *edges)
    return "beep" if last.lit or now - last.at < BEEP_S else "off"


def pattern(edges: Iterable[Edge], since: float, now: float) -> str:
    """Return the name of the pattern that a lamp shows, which may have begun at `since`.

    It is derived from the lengths of light and dark alone, not from the driver's table. A pattern
    is named after its first flash, a group of flashes after the group.
    """
    kept = list(edges)
    lit = kept[-1].lit if kept else False
    marks = _marks(kept, since)
    spans = [(edge.lit, after.at - edge.at) for edge, after in pairwise(marks)]
    age_s = now - marks[-1].at if marks else math.inf
    flashes = [length for on, length in spans if on]
    if age_s > (STEADY_ON_S if lit else STEADY_OFF_S) or not flashes:
        return "on" if lit else "off"
    for longer_s, name in LONGER_THAN_S:
        if flashes[-1] > longer_s:
            return name
    return GROUPS.get(_longest_group(spans), "fast_flash")


def _marks(kept: list[Edge], since: float) -> list[Edge]:
    """Return the edges after `since`, with the level of that moment as the first one."""
    before = [edge for edge in kept if edge.at <= since]
    after = [edge for edge in kept if edge.at > since]
    if before:
        return [Edge(at=since, lit=before[-1].lit), *after]
    return after


def _longest_group(spans: list[tuple[bool, float]]) -> int:
    longest = group = 0
    for on, length in spans:
        if on:
            group += 1
            longest = max(longest, group)
        elif length > GAP_S:
            group = 0
    return longest
