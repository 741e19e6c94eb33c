"""A heart that a virtual band feels: intervals between beats that fit a pulse.

Pure but for its dice, which a test can seed.
"""

from math import pi, sin
from random import Random

from drivers.virtual.words import Variation

SLOW_HZ, BREATH_HZ = 0.1, 0.25  # the middle of the bands LF and HF (Task Force 1996)
SWING, JITTER = 0.03, 0.008  # of the interval; SDNN is then some 26 ms at 72 bpm
ERRATIC = 0.35  # an irregular interval is even between 65 and 135 % of the mean one


class Heart:
    """Beats on, second by second."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._now_s = self._beat_s = 0.0
        self._rr_s: float | None = None  # the interval that has begun

    def beat(self, seconds: float, bpm: float, variation: Variation) -> tuple[float, ...]:
        """Return the intervals, in ms, of the beats in the next `seconds`, oldest first."""
        self._now_s += seconds
        found = list[float]()
        while True:
            rr_s = self._rr_s or self._interval(60.0 / bpm, variation)
            if self._beat_s + rr_s > self._now_s:
                self._rr_s = rr_s  # drawn anew each second, long ones would be too few
                return tuple(found)
            self._beat_s, self._rr_s = self._beat_s + rr_s, None
            found.append(rr_s * 1000.0)

    def stop(self) -> None:
        """Feel nothing: the next interval begins with the next beat."""
        self._beat_s, self._rr_s = self._now_s, None

    def _interval(self, mean_s: float, variation: Variation) -> float:
        match variation:
            case Variation.NONE:
                return mean_s
            case Variation.IRREGULAR:
                return mean_s * self._dice.uniform(1 - ERRATIC, 1 + ERRATIC)
            case _:
                swing = sum(sin(2 * pi * hz * self._beat_s) for hz in (SLOW_HZ, BREATH_HZ))
                return mean_s * (1 + SWING * swing + self._dice.gauss(0.0, JITTER))
