"""How surprising a quiet is, against a home's habits, and from where on it is an alarm.

`surprise` of a step is -ln(1 - hazard), so the sum over the steps of a quiet is -ln of the chance
that it lasts so long. Were the model exact, such sums would have an exponential tail of mean 1, and
the highest of a day's n quiets would lie about ln n; how far the home departs from that is learned
from the days' peaks, and gives the limit for a wanted rate of alarms.
"""

import math

from hub.core.habits import (
    BINS,
    CLASSES,
    DAY_S,
    STEP_S,
    Habits,
    Quietness,
    age_class,
    cell,
    week_cell,
)
from hub.core.quiet_rules import QuietRules

# Priors: hazards a step, of a plain day and night; each fades against evidence
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
PRIOR_TAIL, PRIOR_TAILS = 1.0, 10.0  # the exponential tail of an exact model
LEAST, MOST = 1e-4, 0.9  # no single step says everything: even a clockwork of a life may stop
REST = 0.5  # of the surprise after a quarter of an hour: between the priors of night and day


def surprise(habits: Habits, quiet: Quietness, step: int, rules: QuietRules) -> float:
    """Give how surprising it is that nothing has ended the quiet in its `step`."""
    local = quiet.local + (step + 1) * STEP_S
    base = by_hour(habits, local, age_class(step), rules)
    return base * by_device(habits, quiet.device, age_class(step)) * _by_week(habits, local)


def limit(habits: Habits, rules: QuietRules) -> float:
    """Give the sum of surprises beyond which an alarm is due, for `alarms_a_day`."""
    middle = _middle(habits)
    over = [peak - middle for peak in habits.peaks if peak > middle]
    tail = (sum(over) + PRIOR_TAIL * PRIOR_TAILS) / (len(over) + PRIOR_TAILS)
    return middle + tail * math.log(0.5 / rules.alarms_a_day)


def usual_s(habits: Habits, quiet: Quietness, rules: QuietRules) -> float:
    """Give how long a quiet that began so lasts at most in half of all days."""
    middle, score, step = _middle(habits), 0.0, 0
    while score < middle and step < 2 * DAY_S / STEP_S:
        step += 1
        score += surprise(habits, quiet, step, rules)
    return (step + 1) * STEP_S


def rests(habits: Habits, local: float, rules: QuietRules) -> bool:
    """Tell whether the resident, as a rule, rests at this hour: long quiets are usual."""
    return by_hour(habits, local, 0, rules) < REST


def by_hour(habits: Habits, local: float, age: int, rules: QuietRules) -> float:
    """Give the surprise of a step by the hour and the quiet's age alone."""
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
    return -math.log(1.0 - min(max(hazard, LEAST), MOST))


def by_device(habits: Habits, device: str, age: int) -> float:
    """Give how much sooner than the hour says a quiet ends after this device."""
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
