"""What is usual for this person: their pulse at rest, and their stress, learned over days.

Each is compared with the person's own, never with a norm: between healthy people RMSSD differs
fivefold, and it falls with age (Lee 2018, Heart Lung Circ 27:576-587: 1,828 Koreans of 20 to 84
years). Until enough days are known, nothing is compared.
"""

import math
from typing import NamedTuple

from msgspec.structs import replace

from hub.contract.messages import VitalLevel
from hub.contract.times import DAY_S
from hub.core.model.vitals import BIN_BPM, BINS, LEAST_BPM, Day, Usual

FORGET = 0.9  # of the minutes at rest, each day: half of them are older than a week
REST_DAYS, REST_MINUTES = 3, 120.0
LEAST_BPM_OFF = 8.0  # a band's own error is 5 to 10 % (Nelson 2019, JMIR mHealth 7:e10828)
STRESS_DAYS, STRESS_WINDOWS, KEPT_DAYS = 5, 2, 14  # a week or two of mornings: Plews 2013
FAR, LEAST_SPREAD = 1.5, math.log(1.3)  # standard deviations of a person's days; and at least 30 %


class Span(NamedTuple):
    """The middle of what is usual, and from where to where a value is."""

    mid: float
    low: float
    high: float

    def level(self, value: float) -> VitalLevel:
        """Compare a value with what is usual."""
        if value < self.low:
            return VitalLevel.LOWER
        return VitalLevel.HIGHER if value > self.high else VitalLevel.USUAL


def with_rest(usual: Usual, bpm: float, local: float) -> Usual:
    """Learn one minute at rest."""
    usual = _on_day(usual, int(local // DAY_S))
    place = min(max(int((bpm - LEAST_BPM) // BIN_BPM), 0), BINS - 1)
    rest = (*usual.rest[:place], usual.rest[place] + 1.0, *usual.rest[place + 1 :])
    return replace(usual, rest=rest)


def with_stress(usual: Usual, indices: list[float], local: float) -> Usual:
    """Learn the stress of some windows of one day."""
    day, total = int(local // DAY_S), sum(math.log(one) for one in indices)
    old = next((one for one in usual.stress if one.day == day), Day(day, 0, 0.0))
    others = tuple(one for one in usual.stress if one.day != day)
    new = Day(day, old.n + len(indices), old.total + total)
    return replace(usual, stress=(*others, new)[-KEPT_DAYS:])


def of_rest(usual: Usual) -> Span | None:
    """Return the usual pulse at rest: its median, and where nine in ten minutes lie."""
    minutes = sum(usual.rest)
    if usual.days < REST_DAYS or minutes < REST_MINUTES:
        return None
    mid, low, high = (_quantile(usual, share * minutes) for share in (0.5, 0.05, 0.95))
    return Span(mid, min(low, mid - LEAST_BPM_OFF), max(high, mid + LEAST_BPM_OFF))


def of_stress(usual: Usual, local: float) -> Span | None:
    """Return the usual stress, by the days before this one."""
    today = int(local // DAY_S)
    means = [day.total / day.n for day in usual.stress
             if day.day != today and day.n >= STRESS_WINDOWS]  # fmt: skip
    if len(means) < STRESS_DAYS:
        return None
    mid = sum(means) / len(means)
    spread = math.sqrt(sum((one - mid) ** 2 for one in means) / (len(means) - 1))
    by = max(FAR * spread, LEAST_SPREAD)
    return Span(math.exp(mid), math.exp(mid - by), math.exp(mid + by))


def _on_day(usual: Usual, day: int) -> Usual:
    """Begin a day; a clock that goes back begins one, too."""
    if usual.day == day:
        return usual
    rest = tuple(round(FORGET * one, 4) for one in usual.rest)
    return replace(usual, day=day, days=usual.days + (usual.day > 0), rest=rest)


def _quantile(usual: Usual, count: float) -> float:
    """Return the pulse below which `count` of the minutes lie."""
    place, below = 0, 0.0
    while place < BINS - 1 and below + usual.rest[place] < count:
        below += usual.rest[place]
        place += 1
    share = (count - below) / usual.rest[place] if usual.rest[place] else 0.0
    return LEAST_BPM + BIN_BPM * (place + min(share, 1.0))
