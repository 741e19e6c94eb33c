"""The kinds of lives that can be simulated, as data: ranges, from which each seed draws a person.

Ranges are the author's judgement of people over 65 who live alone in Korea. Night visits to the
bathroom: two or more are usual for 3 to 6 of 10 people in their seventies (Bosch & Weiss, J Urol
2010). Market days of Jeongseon: the days of the month that end in 2 or 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

Range = tuple[float, float]
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


class Habits(NamedTuple):
    """One person in numbers. `_h` are hours or o'clock; without a unit, chances or factors."""

    wake_h: float
    sleep_h: float
    scatter_h: float  # deviation of the waking time from day to day
    weekend_h: float  # how much later on Saturday and Sunday
    off_h: float  # how much later (below zero: earlier) after a night without work
    outings: float  # a day
    forgets: float  # chance to come back at once for something
    tv: float
    doze: float
    nap: float  # chance of a long nap a day
    night_visits: float  # to the bathroom, a night
    insomnia: float  # chance to stay up after waking at night
    sleepless: float  # chance of a sleepless night
    visits: float  # a day
    deliveries: float  # a day
    trips: float  # chance a day of leaving for days
    ill: float  # chance a day of falling ill
    drift_h: float  # later in winter, earlier in summer
    drift_out: float  # fewer outings in winter
    bustle: float  # factor on all movement
    pet_bouts_h: float


USUAL: Mapping[str, Range] = MappingProxyType({
    "wake_h": (5.7, 7.5), "sleep_h": (6.4, 7.8), "scatter_h": (0.25, 0.6), "weekend_h": (0.0, 0.4),
    "off_h": (0.0, 0.0), "outings": (0.6, 1.4), "forgets": (0.02, 0.09), "tv": (0.7, 1.5),
    "doze": (0.5, 1.5),
    "nap": (0.08, 0.35), "night_visits": (0.4, 2.0), "insomnia": (0.03, 0.12),
    "sleepless": (0.005, 0.03), "visits": (0.08, 0.25), "deliveries": (0.1, 0.4),
    "trips": (0.0, 0.004), "ill": (0.003, 0.01), "drift_h": (0.1, 0.35), "drift_out": (0.05, 0.25),
    "bustle": (0.7, 1.4), "pet_bouts_h": (0.0, 0.0),
})  # fmt: skip


class Hardware(NamedTuple):
    """How good the sensors of a home are."""

    blind: float = 0.08  # chance that the PIR misses a movement in its field
    loss: float = 0.002  # chance that the radio loses an edge
    false_day: float = 0.03  # triggers a day without anybody, of each PIR (sun, heating)
    outages: float = 0.006  # chance a day, of each device, to be dead for some hours


class Rite(NamedTuple):
    """Something that a person goes to on fixed days: leaves at `hour` o'clock for `hours`."""

    hour: float
    hours: float
    weekdays: frozenset[int] = frozenset()
    month_digits: frozenset[int] = frozenset()  # last digit of the day of the month
    kept: float = 0.92  # chance that it is kept
    shift_h: float = 0.3  # deviation of this person's own hour


USUAL_HARDWARE = Hardware()


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of life: what differs from the usual."""

    habits: Mapping[str, Range] = field(default_factory=dict)
    errands: Mapping[str, float] = field(default_factory=dict)
    rites: tuple[Rite, ...] = ()
    hardware: Hardware = USUAL_HARDWARE


ERRANDS = {"errand": 3.0, "walk": 3.0, "hall": 2.0, "clinic": 0.8, "market": 1.0, "friend": 1.2}
STROLLS = {"errand": 4.0, "walk": 4.0, "hall": 2.0, "garden": 4.0, "friend": 2.0, "market": 1.0}
WORK_NIGHTS = Rite(20.7, 10.0, frozenset({SUN, MON, TUE, WED, THU}), kept=0.95, shift_h=0.5)
CHURCH = Rite(10.3, 2.6, frozenset({SUN}))
DAY_CARE = Rite(8.9, 7.6, frozenset({MON, WED, FRI}), kept=0.95, shift_h=0.2)
MARKET = Rite(10.0, 2.8, month_digits=frozenset({2, 7}), kept=0.85, shift_h=0.6)

PROFILES: Mapping[str, Profile] = MappingProxyType({
    "early-riser": Profile({"wake_h": (3.8, 5.3), "nap": (0.2, 0.5)}),
    "night-shift": Profile(
        {"wake_h": (14.2, 15.8), "sleep_h": (5.9, 7.2), "off_h": (-4.0, -2.0), "nap": (0.1, 0.3),
         "outings": (0.2, 0.6), "weekend_h": (0.0, 0.0), "trips": (0.0, 0.002)},
        rites=(WORK_NIGHTS,),
    ),
    "outings": Profile(
        {"outings": (2.6, 4.8), "forgets": (0.08, 0.25), "deliveries": (0.5, 1.2),
         "tv": (0.5, 1.0)},
        STROLLS,
    ),
    "visitors": Profile({"visits": (0.6, 1.5), "deliveries": (0.3, 0.8), "outings": (0.4, 1.0)}),
    "pet": Profile({"pet_bouts_h": (0.25, 0.9)}),
    "weak-sensor": Profile(hardware=Hardware(0.5, 0.06, 0.3, 0.05)),
    "seasonal": Profile({"drift_h": (0.9, 1.6), "drift_out": (0.4, 0.75), "outings": (1.0, 2.2)}),
    "homebody": Profile({
        "outings": (0.05, 0.2), "tv": (1.6, 3.0), "doze": (2.5, 6.0), "nap": (0.35, 0.75),
        "bustle": (0.5, 0.9), "visits": (0.05, 0.3), "deliveries": (0.3, 0.7), "trips": (0, 0.001),
    }),
    "insomniac": Profile({
        "sleep_h": (5.4, 6.6), "scatter_h": (0.7, 1.2), "night_visits": (1.5, 3.5),
        "insomnia": (0.3, 0.6), "sleepless": (0.1, 0.25), "nap": (0.2, 0.5),
    }),
    "traveller": Profile({"trips": (0.05, 0.11), "outings": (1.0, 1.8)}),
    "weekly": Profile({"outings": (0.3, 0.8), "weekend_h": (-0.1, 0.2)},
                      rites=(CHURCH, DAY_CARE, MARKET)),
})  # fmt: skip
