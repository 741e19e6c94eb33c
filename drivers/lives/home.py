"""A person and a home, drawn from a profile by a seed; the profiles are the kinds of lives.

The zones of a home are a tree: bedroom and bathroom join the passage; passage, kitchen and entry
join the living room. In a studio the bed stands in the living room. No two homes have the same
sensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from drivers.lives.diary import Zone
from drivers.lives.dice import Dice

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


TOWARDS_LIVING = {
    Zone.BEDROOM: Zone.PASSAGE,
    Zone.BATHROOM: Zone.PASSAGE,
    Zone.PASSAGE: Zone.LIVING,
    Zone.KITCHEN: Zone.LIVING,
    Zone.ENTRY: Zone.LIVING,
}


class Pir(NamedTuple):
    """A passive infrared sensor.

    Active for `hold_s` after a trigger, then blind for `block_s`; `sees` is the chance that it
    notices a movement in each zone.
    """

    device: str
    sees: Mapping[Zone, float]
    hold_s: float
    block_s: float


class Home(NamedTuple):
    """The sensors of one home."""

    studio: bool
    pirs: tuple[Pir, ...]
    fridge: bool
    bathroom_door: bool
    shuts_door: float  # chance that the bathroom door is shut behind one
    wearable_s: float  # seconds between heart rates; 0 without a wearable
    asked_h: float  # o'clock of the daily check-in; 0 where nobody asks
    hardware: Hardware


class Person(NamedTuple):
    """One person: habits, where they like to go, and their home."""

    name: str  # of all streams of chance of this life
    habits: Habits
    errands: Mapping[str, float]
    rites: tuple[Rite, ...]
    home: Home
    resting_bpm: float


def meet(profile: str, seed: int) -> Person:
    """Return the person of a profile and a seed. Raises KeyError for an unknown profile."""
    kind = PROFILES[profile]
    name = f"{profile}/{seed}"
    dice = Dice(name, "person")
    ranges = {**USUAL, **kind.habits}
    habits = Habits(**{habit: dice.between(*ranges[habit]) for habit in Habits._fields})
    liked = {
        errand: weight * dice.long(1.0, 0.7) for errand, weight in (kind.errands or ERRANDS).items()
    }
    rites = tuple(
        rite._replace(hour=rite.hour + dice.normal(0, rite.shift_h)) for rite in kind.rites
    )
    home = _furnish(Dice(name, "home"), kind.hardware)
    return Person(name, habits, liked, rites, home, dice.between(58, 76))


def route(home: Home, start: Zone, end: Zone) -> list[Zone]:
    """Return the zones on the way from `start` to `end`, without the first."""
    if start == end:
        return []
    up, down = _chain(home, start), _chain(home, end)
    meeting = next(zone for zone in up if zone in down)
    climb = up[1 : up.index(meeting) + 1]
    return climb + down[: down.index(meeting)][::-1]


def _chain(home: Home, zone: Zone) -> list[Zone]:
    chain = [zone]
    while chain[-1] in TOWARDS_LIVING:
        chain.append(TOWARDS_LIVING[chain[-1]])
    return [z for z in chain if z is not Zone.PASSAGE or not home.studio]


def _furnish(dice: Dice, hardware: Hardware) -> Home:
    studio = dice.chance(0.2)
    near = {Zone.ENTRY: dice.between(0.0, 0.3), Zone.KITCHEN: dice.between(0.0, 0.35)}
    fields: dict[str, dict[Zone, float]] = {"living": {Zone.LIVING: 0.95, **near}}
    if studio:
        fields["living"][Zone.BEDROOM] = dice.between(0.4, 0.9)
    if dice.chance(0.85):
        fields["kitchen"] = {Zone.KITCHEN: 0.95, Zone.LIVING: dice.between(0.0, 0.05)}
    in_bathroom = dice.chance(0.65)
    if in_bathroom:
        fields["bathroom"] = {Zone.BATHROOM: 0.9}
    if not studio and dice.chance(0.75):
        fields["bedroom-hall"] = {Zone.PASSAGE: 0.95, Zone.BEDROOM: dice.between(0.0, 0.1)}
    if not studio and dice.chance(0.45):
        fields["bedroom"] = {Zone.BEDROOM: dice.between(0.6, 0.9)}
    if dice.chance(0.6):
        fields["hall"] = {Zone.ENTRY: 0.97, Zone.LIVING: dice.between(0.0, 0.08)}
    hold_s, block_s = dice.between(4, 25), dice.between(10, 60)
    return Home(
        studio=studio,
        pirs=tuple(Pir(device, sees, hold_s, block_s) for device, sees in fields.items()),
        fridge=dice.chance(0.75),
        bathroom_door=dice.chance(0.4 if in_bathroom else 0.85),
        shuts_door=dice.one_of((0.15, 0.6, 0.95)),
        wearable_s=dice.between(300, 900) if dice.chance(0.4) else 0.0,
        asked_h=dice.between(9, 11) if dice.chance(0.6) else 0.0,
        hardware=hardware,
    )
