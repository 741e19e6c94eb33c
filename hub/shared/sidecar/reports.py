"""What a process tells of itself, but not each short change of it."""

import math
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MOST = 256  # keys; a broken process may invent names for ever


class Damped(Generic[K, V]):
    """Passes on changes of the value of each key, each key at most every `every_s()`.

    What came too soon is passed on by a later `look`, as it is then. Keys beyond `MOST` are left
    out.
    """

    def __init__(self, tell: Callable[[K, V], None], every_s: Callable[[], float]) -> None:
        self._tell, self._every_s = tell, every_s
        self._now: dict[K, V] = {}
        self._told: dict[K, tuple[float, V]] = {}

    def assume(self, key: K, value: V) -> None:
        """Note a value that need not be passed on."""
        self._now[key], self._told[key] = value, (-math.inf, value)

    def value(self, key: K) -> V | None:
        """Return the last value of a key."""
        return self._now.get(key)

    def change(self, key: K, value: V) -> None:
        """Note a value, and pass it on if it is new and the last one is not too young."""
        if key not in self._now and len(self._now) >= MOST:
            return
        self._now[key] = value
        at = monotonic()
        told_at, told = self._told.get(key, (-math.inf, None))
        if told != value and at - told_at >= self._every_s():
            self._told[key] = at, value
            self._tell(key, value)

    def look(self) -> None:
        """Pass on what changed too often to be passed on at once."""
        for key, value in list(self._now.items()):
            self.change(key, value)
