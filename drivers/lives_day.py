"""The days of a simulated life: an agenda with jitter, and what fills the time between (semi-Markov).

An agenda comes from `lives_agenda.py`; this module lives through it and writes the diary.
"""

from collections.abc import Iterator, Mapping

from drivers.lives_acts import (
    BY_DAY,
    BY_EVENING,
    DAY,
    HOUR,
    MINUTE,
    WHEN_ILL,
    WITH_COMPANY,
    State,
    Zone,
)
from drivers.lives_agenda import Deed, Task, agenda
from drivers.lives_diary import Diary, Opening, Stay
from drivers.lives_dice import Dice
from drivers.lives_night import night
from drivers.lives_year import Year

EVENING = 0.7  # of the time between getting up and going to bed
TOO_LATE_S = 1.5 * HOUR  # a missed meal is not eaten twice
NEVER_DROPPED = {Deed.TRIP, Deed.RITE, Deed.GUESTS, Deed.FAREWELL}


def live(year: Year, days: int) -> Iterator[tuple[list[Stay], list[Opening]]]:
    """Write the diary from the day before the trace to its end, some day at a time."""
    person = year.person
    diary = Diary(Dice(person.name, "diary", year.date_of(0)), person.habits.bustle)
    diary.now = year.wake(-1)
    diary.toilet_due = diary.now + HOUR
    while diary.now < days * DAY:
        day = year.day_at(diary.now)
        dice = year.dice(day, "day")
        bed = _bedtime(year, day, dice)
        _live_until(bed, year, day, diary, dice)
        if diary.now < year.wake(day + 1) - HOUR:
            night(diary, person.habits, year.wake(day + 1), dice)
