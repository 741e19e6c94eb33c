"""How a home's habits are learned: from each quiet that somebody at home has ended."""

from itertools import islice
from operator import add

from msgspec import Struct
from msgspec.structs import replace

from hub.core.habits import (
    CLASSES,
    DAY_S,
    FRESH,
    STEP_S,
    Habits,
    Quietness,
    Ratio,
    Row,
    age_class,
    cell,
    week_cell,
    zeros,
)
from hub.core.hazard import by_device, by_hour, limit
from hub.core.quiet_rules import QuietRules

DEVICES = 64
PEAKS = 60
FEW = 0.01
MOST = 1.5  # of the surprise that a single step may weigh in the corrections
CAP = 1.1  # a peak far over the limit says no more than one over it: an absence nobody saw


class Ended(Struct, frozen=True):
    """How a quiet ended: after how long, by which device, and how surprising it had become."""

    lasted_s: float
    device: str
    score: float


def learned(habits: Habits, quiet: Quietness, ended: Ended, rules: QuietRules) -> Habits:
    """Learn from a quiet at home that somebody ended."""
    habits = turned(habits, quiet.local + ended.lasted_s, rules)
    ends, spans = list(habits.ends), list(habits.spans)
    devices = _Ledger(habits.devices.get(quiet.device) or Ratio(zeros(CLASSES), zeros(CLASSES)))
    week = _Ledger(habits.week)
    last = int(ended.lasted_s // STEP_S)
    for step in range(1, last + 1):
        local, age = quiet.local + (step + 1) * STEP_S, age_class(step)
        base = min(by_hour(habits, local, age, rules), MOST)
        over = float(step == last)
        spans[cell(local, age)] += 1.0
        ends[cell(local, age)] += over
        devices.note(age, over, base)
        week.note(week_cell(local), over, base * by_device(habits, quiet.device, age))
    return replace(
        habits,
        ends=tuple(ends),
        spans=tuple(spans),
        devices=_with(habits.devices, quiet.device, devices.ratio()),
        week=week.ratio(),
        shares={**habits.shares, ended.device: habits.shares.get(ended.device, 0.0) + 1.0},
        peak=max(habits.peak, min(ended.score, CAP * limit(habits, rules))),
    )


def turned(habits: Habits, local: float, rules: QuietRules) -> Habits:
    """Turn the page where a new day has begun: old days fade, the day's peak is kept."""
    day = int(local // DAY_S)
    if day == habits.day:
        return habits
    if habits.day == 0 or day < habits.day:  # the first, or a clock that was put right
        return replace(habits, day=day)
    keep = 1.0 - rules.forget_a_day
    return replace(
        habits,
        day=day,
        days=habits.days + 1,
        ends=_faded(habits.ends, keep),
        spans=_faded(habits.spans, keep),
        devices={name: _fade(ratio, keep) for name, ratio in habits.devices.items()},
        week=_fade(habits.week, keep),
        shares={name: n * keep for name, n in habits.shares.items() if n > FEW},
        peaks=(*habits.peaks[-(PEAKS - 1) :], habits.peak) if habits.peak else habits.peaks,
        peak=0.0,
        longest={name: n * keep for name, n in habits.longest.items()},
    )


def stretched(habits: Habits, routine: str, value: float) -> Habits:
    """Learn the longest of a routine; it fades as all else does."""
    if value <= habits.longest.get(routine, 0.0):
        return habits
    return replace(habits, longest={**habits.longest, routine: value})


def merged(old: Habits, new: Habits) -> Habits:
    """Add what was learned before `old` was known again: counts are sums, limits are the larger."""
    if new == FRESH:
        return old
    devices = old.devices
    for name, ratio in new.devices.items():
        known = devices.get(name)
        devices = _with(devices, name, _sum(known, ratio) if known else ratio)
    return replace(
        old,
        days=old.days + new.days,
        day=max(old.day, new.day),
        ends=_added(old.ends, new.ends),
        spans=_added(old.spans, new.spans),
        devices=devices,
        week=_sum(old.week, new.week),
        shares={
            k: old.shares.get(k, 0.0) + new.shares.get(k, 0.0) for k in old.shares | new.shares
        },
        peaks=(*old.peaks, *new.peaks)[-PEAKS:],
        peak=max(old.peak, new.peak),
        longest={
            k: max(old.longest.get(k, 0.0), new.longest.get(k, 0.0))
            for k in old.longest | new.longest
        },
    )


class _Ledger:
    """A ratio that is being added to."""

    def __init__(self, ratio: Ratio) -> None:
        self._seen, self._awaited = list(ratio.seen), list(ratio.awaited)

    def note(self, cell: int, seen: float, awaited: float) -> None:
        self._seen[cell] += seen
        self._awaited[cell] += awaited

    def ratio(self) -> Ratio:
        return Ratio(tuple(self._seen), tuple(self._awaited))


def _with(devices: dict[str, Ratio], name: str, ratio: Ratio) -> dict[str, Ratio]:
    """Put the newest last and let the least used go."""
    kept = {k: r for k, r in devices.items() if k != name}
    return {**dict(islice(kept.items(), max(0, len(kept) - DEVICES + 1), None)), name: ratio}


def _added(one: Row, other: Row) -> Row:
    return tuple(map(add, one, other))


def _sum(one: Ratio, other: Ratio) -> Ratio:
    return Ratio(_added(one.seen, other.seen), _added(one.awaited, other.awaited))


def _faded(row: Row, keep: float) -> Row:
    return tuple(value * keep for value in row)


def _fade(ratio: Ratio, keep: float) -> Ratio:
    return Ratio(_faded(ratio.seen, keep), _faded(ratio.awaited, keep))
