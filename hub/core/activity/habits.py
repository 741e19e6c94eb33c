"""A home's habits: learned from each quiet that somebody at home has ended.

The hazard of a step of quiet is how likely an end of the quiet is in it. It is learned by the hour
and by the quiet's age, and corrected by device and by weekday. A step that ends nothing adds its
surprise, `-log(1 - hazard)`; `limit` is the sum beyond which a quiet is unusual.
"""

import math
from itertools import islice
from operator import add

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.times import DAY_S
from hub.core.model.activity import (
    BINS,
    CLASSES,
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
from hub.core.model.rules import QuietRules

# Priors: the hazard of each step on a plain day and night; what is learned outweighs them
BY_DAY = (0.60, 0.50, 0.40, 0.35, 0.30, 0.25, 0.25)
BY_NIGHT = (0.25, 0.20, 0.12, 0.10, 0.10, 0.12, 0.15)
PRIOR_WIDE = 4.0  # steps that a prior hazard counts for, against five hours around
PRIOR_NEAR = 6.0  # and those five hours against the half-hour itself
PRIOR_DEVICE = 10.0
PRIOR_WEEK = 60.0
NEAR = ((-CLASSES, 0.6), (0, 1.0), (CLASSES, 0.6))  # half-hours before and after, in cells
WIDE = tuple(range(-5 * CLASSES, 6 * CLASSES, CLASSES))
SIZE = BINS * CLASSES
PRIOR_PEAK, PRIOR_PEAKS = 3.3, 4  # ln 27: a day has about so many quiets of over 15 minutes
PRIOR_TAIL, PRIOR_TAILS = 1.0, 10.0  # an exact model has an exponential tail
# no step is sure: even a life as regular as a clock may change
LEAST_HAZARD, MOST_HAZARD = 1e-4, 0.9
REST = 0.5  # surprise after a quarter of an hour: between the priors of night and day
DEVICES = 64
PEAKS = 60
FEW = 0.01
MOST_EXPECTED = 1.5  # the most surprise that one step may count in the corrections
CAP = 1.1  # a peak far over the limit was an absence that nobody saw: it counts as one just over


class Ended(Struct, frozen=True):
    """How a quiet ended: after how long, by which device, and how surprising it had become."""

    lasted_s: float
    device: str
    score: float


def surprise(habits: Habits, quiet: Quietness, step: int, rules: QuietRules) -> float:
    """Return how surprising it is that nothing has ended the quiet in its `step`."""
    local = quiet.local + (step + 1) * STEP_S
    base = by_hour(habits, local, age_class(step), rules)
    return base * by_device(habits, quiet.device, age_class(step)) * _by_week(habits, local)


def limit(habits: Habits, rules: QuietRules) -> float:
    """Return the sum of surprises beyond which an alarm is due, for `alarms_a_day`."""
    middle = _middle(habits)
    over = [peak - middle for peak in habits.peaks if peak > middle]
    tail = (sum(over) + PRIOR_TAIL * PRIOR_TAILS) / (len(over) + PRIOR_TAILS)
    return middle + tail * math.log(0.5 / rules.alarms_a_day)


def usual_s(habits: Habits, quiet: Quietness, rules: QuietRules) -> float:
    """Return how long a quiet that began so lasts at most on half of all days."""
    middle, score, step = _middle(habits), 0.0, 0
    while score < middle and step < 2 * DAY_S / STEP_S:
        step += 1
        score += surprise(habits, quiet, step, rules)
    return (step + 1) * STEP_S


def rests(habits: Habits, local: float, rules: QuietRules) -> bool:
    """Whether the resident, as a rule, rests at this hour: long quiets are usual then."""
    return by_hour(habits, local, 0, rules) < REST


def by_hour(habits: Habits, local: float, age: int, rules: QuietRules) -> float:
    """Return the surprise of a step by the hour and the quiet's age alone."""
    here = cell(local, age)
    ends, spans = habits.ends, habits.spans
    wide_ends = wide_spans = near_ends = near_spans = 0.0
    for offset in WIDE:
        there = (here + offset) % SIZE
        wide_ends += ends[there]
        wide_spans += spans[there]
    for offset, weight in NEAR:
        there = (here + offset) % SIZE
        near_ends += weight * ends[there]
        near_spans += weight * spans[there]
    hour = local % DAY_S / 3600.0
    night = hour >= rules.night_from_h or hour < rules.night_to_h
    prior = (BY_NIGHT if night else BY_DAY)[age]
    wide = (wide_ends + PRIOR_WIDE * prior) / (wide_spans + PRIOR_WIDE)
    hazard = (near_ends + PRIOR_NEAR * wide) / (near_spans + PRIOR_NEAR)
    return -math.log(1.0 - min(max(hazard, LEAST_HAZARD), MOST_HAZARD))


def by_device(habits: Habits, device: str, age: int) -> float:
    """Return how much sooner a quiet ends after this device than the hour suggests."""
    ratio = habits.devices.get(device)
    if ratio is None:
        return 1.0
    return (ratio.seen[age] + PRIOR_DEVICE) / (ratio.awaited[age] + PRIOR_DEVICE)


def _by_week(habits: Habits, local: float) -> float:
    here = week_cell(local)
    return (habits.week.seen[here] + PRIOR_WEEK) / (habits.week.awaited[here] + PRIOR_WEEK)


def _middle(habits: Habits) -> float:
    known = sorted([*habits.peaks, *(PRIOR_PEAK,) * PRIOR_PEAKS])
    return known[len(known) // 2]


def learn_quiet(habits: Habits, quiet: Quietness, ended: Ended, rules: QuietRules) -> Habits:
    """Learn from a quiet at home that somebody ended."""
    habits = begin_day(habits, quiet.local + ended.lasted_s, rules)
    ends, spans = list(habits.ends), list(habits.spans)
    devices = _Ledger(habits.devices.get(quiet.device) or Ratio(zeros(CLASSES), zeros(CLASSES)))
    week = _Ledger(habits.week)
    last = int(ended.lasted_s // STEP_S)
    for step in range(1, last + 1):
        local, age = quiet.local + (step + 1) * STEP_S, age_class(step)
        base = min(by_hour(habits, local, age, rules), MOST_EXPECTED)
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


def begin_day(habits: Habits, local: float, rules: QuietRules) -> Habits:
    """Begin a new day where one has begun: old days fade, the last day's peak is kept."""
    day = int(local // DAY_S)
    if day == habits.day:
        return habits
    if habits.day == 0 or day < habits.day:  # the first day, or a clock that was corrected
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


def with_longest(habits: Habits, routine: str, value: float) -> Habits:
    """Learn the longest duration of a routine; it fades as all else does."""
    if value <= habits.longest.get(routine, 0.0):
        return habits
    return replace(habits, longest={**habits.longest, routine: value})


def merged(old: Habits, new: Habits) -> Habits:
    """Add what was learned while `old` could not be read: sums of counts, the larger of limits."""
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
    """Put the newest device last, and drop the least used one."""
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
