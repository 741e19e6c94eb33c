"""The year of a simulated life: times of waking, seasons, ill days, feasts.

Every result depends only on the person and the day. Feasts: Seollal and Chuseok by the
calendar of the Korea Astronomy and Space Science Institute, 2024 to 2031; other years have none.
"""

from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from math import cos, pi, sin

from drivers.lives.diary import DAY, HOUR
from drivers.lives.dice import Dice
from drivers.lives.home import SAT, Person, Rite

FEASTS = frozenset(
    date(*day)
    for day in (
        (2024, 2, 10), (2025, 1, 29), (2026, 2, 17), (2027, 2, 7), (2028, 1, 27), (2029, 2, 13),
        (2030, 2, 3), (2031, 1, 23), (2024, 9, 17), (2025, 10, 6), (2026, 9, 25), (2027, 9, 15),
        (2028, 10, 3), (2029, 9, 22), (2030, 9, 12), (2031, 10, 1),
    )
)  # fmt: skip
COLDEST_DAY = 20  # of the year
LONGEST_ILLNESS_D = 6
A_DAY = timedelta(days=1)


class Feast(StrEnum):
    """How a person spends Seollal and Chuseok."""

    GUESTS = "guests"  # the children come and stay, from the eve on
    TRIP = "trip"  # a stay with the children, from the eve on
    LUNCH = "lunch"  # they come for the day
    ALONE = "alone"


class Year:
    """What is fixed about the days of one person. Days count from the start of the trace."""

    def __init__(self, person: Person, start: date) -> None:
        self.person = person
        self._start = start
        dice = Dice(person.name, "year")
        self._phases = [dice.between(0, 2 * pi) for _ in range(2)]
        self._wake = lru_cache(maxsize=16)(self._wake_of)

    def date_of(self, day: int) -> date:
        """Return the date of a day."""
        return self._start + day * A_DAY

    def dice(self, day: int, what: str) -> Dice:
        """Return the random numbers for one purpose on one date."""
        return Dice(self.person.name, what, self.date_of(day))

    def winter(self, day: int) -> float:
        """Return the season: 1 in the middle of winter, -1 in the middle of summer."""
        return cos((self.date_of(day).timetuple().tm_yday - COLDEST_DAY) * 2 * pi / 365.25)

    def wake(self, day: int) -> float:
        """Return when the person plans to get up on a day."""
        return self._wake(day)

    def day_at(self, now: float) -> int:
        """Return which day it is for the person: the last one on which they got up."""
        day = int(now // DAY) + 1
        while self.wake(day) > now + 1:
            day -= 1
        return day

    def keeps(self, rite: Rite, day: int) -> bool:
        """Whether the person goes to a fixed event on a day."""
        when = self.date_of(day)
        due = when.weekday() in rite.weekdays or when.day % 10 in rite.month_digits
        dice = self.dice(day, f"rite {sorted(rite.weekdays)}")
        well = not self.is_ill(day) and self.feast(day) is None
        return due and well and dice.chance(rite.kept)

    def is_ill(self, day: int) -> bool:
        """Whether the person is ill in bed on a day; an illness lasts one to six days."""
        return any(self._falls_ill(day - ago) > ago for ago in range(LONGEST_ILLNESS_D))

    def feast(self, day: int) -> Feast | None:
        """Return how a feast, its eve and the day after are spent; None on other days."""
        when = self.date_of(day)
        near = [feast for feast in (when - A_DAY, when, when + A_DAY) if feast in FEASTS]
        if not near:
            return None
        dice = Dice(self.person.name, "feast", near[0])
        ways = {Feast.GUESTS: 0.35, Feast.TRIP: 0.25, Feast.LUNCH: 0.25, Feast.ALONE: 0.15}
        return Feast(dice.pick({str(way): weight for way, weight in ways.items()}))

    def is_eve(self, day: int) -> bool:
        """Whether the next day is a feast."""
        return self.date_of(day + 1) in FEASTS

    def is_feast(self, day: int) -> bool:
        """Whether the day is a feast."""
        return self.date_of(day) in FEASTS

    def drift(self, day: int) -> float:
        """Return how habits have changed, about -1 to 1: two slow waves without a calendar."""
        slow, slower = self._phases
        age = self.date_of(day).toordinal()
        return 0.5 * sin(age / 23 + slow) + 0.5 * sin(age / 61 + slower)

    def _falls_ill(self, day: int) -> float:
        dice = self.dice(day, "ill")
        return dice.long(1.8, 0.5) if dice.chance(self.person.habits.ill) else 0.0

    def _wake_of(self, day: int) -> float:
        habits, dice = self.person.habits, self.dice(day, "wake")
        hour = habits.wake_h + dice.normal(0, habits.scatter_h) + 0.2 * self.drift(day)
        hour += habits.drift_h * self.winter(day)
        if self.date_of(day).weekday() >= SAT:
            hour += habits.weekend_h
        if habits.off_h and not any(self.keeps(rite, day - 1) for rite in self.person.rites):
            hour += habits.off_h
        if self.is_ill(day):
            hour += dice.between(0, 2)
        fate = dice.roll()
        if fate < 0.05:  # noqa: PLR2004 - about 18 days a year
            hour += dice.between(0.8, 2.6)
        elif fate > 0.97:  # noqa: PLR2004 - about 11 days a year
            hour -= dice.between(0.7, 2.0)
        return day * DAY + max(hour, 2.5) * HOUR
