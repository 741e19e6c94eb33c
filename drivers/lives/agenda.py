"""What a person plans for a day, and when: meals, washing, outings, visitors, feasts.

Times are drawn relative to the waking day: a person who sleeps by day has breakfast in the
afternoon, and goes out later as well. The numbers are the author's judgement.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from drivers.lives.diary import DAY, HOUR, MINUTE
from drivers.lives.dice import Dice
from drivers.lives.home import SAT, SUN
from drivers.lives.year import Feast, Year

OUT_MIN = {  # errand -> median minutes, deviation of the logarithm
    "errand": (28.0, 0.6), "walk": (45.0, 0.5), "hall": (150.0, 0.4), "clinic": (85.0, 0.5),
    "market": (80.0, 0.5), "friend": (110.0, 0.6), "garden": (75.0, 0.7),
}  # fmt: skip


class Deed(StrEnum):
    """The kinds of things on an agenda."""

    DO = "do"
    OUT = "out"
    RITE = "rite"
    TRIP = "trip"
    RUBBISH = "rubbish"
    DELIVERY = "delivery"
    VISIT = "visit"
    GUESTS = "guests"
    FAREWELL = "farewell"


DECENT_H = {Deed.OUT: (5.0, 21.5), Deed.VISIT: (7.5, 20.5), Deed.DELIVERY: (6.5, 21.5)}
CLOSED_ON_SUNDAY = {"clinic", "hall"}
VISITS_AT_THE_WEEKEND, VISITS_IN_THE_WEEK = 1.7, 0.72


class Task(NamedTuple):
    """Something to do at a time. `size`: its seconds; of a `do`, a factor on the usual time."""

    at: float
    deed: Deed
    what: str = ""
    size: float = 1.0


def agenda(year: Year, day: int, bed: float, dice: Dice) -> list[Task]:
    """Return what is planned between getting up and `bed`, in the order of time."""
    begin, span = year.wake(day), bed - year.wake(day)
    tasks = list(_meals(year, day, span, dice))
    if not year.is_ill(day):
        tasks += _outings(year, day, span, dice)
    elif dice.chance(0.25):
        tasks.append(Task(begin + dice.between(2.5, 6) * HOUR, Deed.OUT, "clinic", 80 * MINUTE))
    tasks += [*_callers(year, day, span, dice), *_fixed(year, day, dice), *_feast(year, day, dice)]
    return sorted(task for task in tasks if begin <= task.at < bed and _is_decent(task))


def _is_decent(task: Task) -> bool:
    """Whether it is a possible time of day for the task, also for people who live by night."""
    first, last = DECENT_H.get(task.deed, (0.0, 24.0))
    return first <= task.at % DAY / HOUR < last


def _meals(year: Year, day: int, span: float, dice: Dice) -> Iterator[Task]:
    begin, ill = year.wake(day), year.is_ill(day)
    yield Task(begin + dice.between(1, 15) * MINUTE, Deed.DO, "wash")
    for share, kept, effort in ((0.06, 0.9, 0.7), (0.39, 0.85, 0.9), (0.72, 0.93, 1.2)):
        if dice.chance(kept * (0.6 if ill else 1.0)):
            at = begin + max(share * span + dice.normal(0, 25 * MINUTE), 12 * MINUTE)
            yield Task(at, Deed.DO, "cook", effort * (0.5 if ill else 1.0))
            yield Task(at + MINUTE, Deed.DO, "eat")
            if not ill and dice.chance(0.8):
                yield Task(at + 2 * MINUTE, Deed.DO, "dishes")
    if dice.chance(0.05 if ill else 0.3):
        yield Task(begin + dice.between(0.1, 0.95) * span, Deed.DO, "bath")
    if dice.chance(year.person.habits.nap):
        yield Task(begin + dice.normal(0.48, 0.06) * span, Deed.DO, "nap")
    if dice.chance(0.12):  # a long call with a daughter or a friend
        yield Task(begin + dice.between(0.2, 0.9) * span, Deed.DO, "phone", 4.0)


def _outings(year: Year, day: int, span: float, dice: Dice) -> Iterator[Task]:
    person, begin = year.person, year.wake(day)
    habits = person.habits
    rainy = 0.4 if dice.chance(0.2) else 1.0
    season = max(0.0, 1 - habits.drift_out * year.winter(day) + 0.15 * year.drift(day))
    for _ in range(dice.count(habits.outings * rainy * season)):
        what = dice.pick(person.errands)
        if what in CLOSED_ON_SUNDAY and year.date_of(day).weekday() == SUN:
            continue
        median, spread = OUT_MIN[what]
        minutes = max(4.0, min(dice.long(median, spread), 480.0))
        at = begin + (0.1 + 0.68 * dice.roll() ** 1.3) * span
        yield Task(at, Deed.OUT, what, minutes * MINUTE)
    if dice.chance(habits.trips):
        at = begin + dice.between(1.5, 4) * HOUR
        back = (day + 1 + dice.count(1.1)) * DAY + dice.between(11, 19.5) * HOUR
        yield Task(at, Deed.TRIP, size=min(back, at + 5 * DAY) - at)


def _callers(year: Year, day: int, span: float, dice: Dice) -> Iterator[Task]:
    habits, begin = year.person.habits, year.wake(day)
    weekend = year.date_of(day).weekday() >= SAT
    visits = habits.visits * (VISITS_AT_THE_WEEKEND if weekend else VISITS_IN_THE_WEEK)
    for _ in range(dice.count(visits)):
        hours = max(0.15, min(dice.long(1.1, 0.7), 6.0))
        yield Task(begin + dice.between(0.15, 0.8) * span, Deed.VISIT, size=hours * HOUR)
    for _ in range(dice.count(habits.deliveries)):
        yield Task(begin + dice.between(0.15, 0.85) * span, Deed.DELIVERY)
    if dice.chance(0.4):
        yield Task(begin + dice.one_of((0.08, 0.5, 0.85)) * span, Deed.RUBBISH)


def _fixed(year: Year, day: int, dice: Dice) -> Iterator[Task]:
    for rite in year.person.rites:
        if year.keeps(rite, day):
            hour = rite.hour + dice.normal(0, 0.15)
            hours = max(rite.hours + dice.normal(0, 0.3), 0.5)
            yield Task(day * DAY + hour * HOUR, Deed.RITE, size=hours * HOUR)


def _feast(year: Year, day: int, dice: Dice) -> Iterator[Task]:
    noon = max(day * DAY + dice.between(10.5, 13) * HOUR, year.wake(day) + HOUR)
    match year.feast(day):
        case Feast.TRIP if year.is_eve(day):
            back = (day + dice.one_of((1, 2, 2))) * DAY + dice.between(12, 20.5) * HOUR
            yield Task(noon, Deed.TRIP, size=back - noon)
        case Feast.GUESTS if year.is_eve(day):
            yield Task(noon + dice.between(1, 6) * HOUR, Deed.GUESTS)
        case Feast.GUESTS if not year.is_feast(day) or dice.chance(0.4):
            yield Task(noon + dice.between(0, 4) * HOUR, Deed.FAREWELL)
        case Feast.LUNCH if year.is_feast(day):
            yield Task(noon, Deed.VISIT, size=dice.between(3, 8) * HOUR)
        case _:
            pass
