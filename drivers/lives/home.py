"""Who lives where: a person and a home, drawn from a profile by a seed.

Zones hang on a tree (bedroom and bathroom on the passage, passage, kitchen and entry on the living
room); in a studio the bed stands in the living room. No two homes have the same sensors.
"""

from collections.abc import Mapping
from typing import NamedTuple

from drivers.lives.dice import Dice
from drivers.lives_acts import Zone
from drivers.lives_profiles import ERRANDS, PROFILES, USUAL, Habits, Hardware, Rite

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
    """Draw the person that a seed stands for. Raises KeyError where there is no such profile."""
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
    """Give the zones that one walks through, with the last but without the first."""
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
