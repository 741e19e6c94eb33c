"""What the house has seen of its resident, and what the hub has learned of the home's habits.

Part of the state (`HomeState.house`, `HomeState.habits`). Times are monotonic seconds of the
running boot; `activity.restart` moves them into the next one.
"""

from msgspec import Struct, field

from hub.contract.messages import PresenceKind
from hub.contract.times import DAY_S

NEVER = -1e300  # before all time, and finite: the JSON of a transcript has no infinity
VERSION = 1
STEP_S = 900.0
BINS = 48
CLASSES = 7
UP_TO = (2, 4, 8, 12, 20, 32)  # the steps at which the next class of age begins
MOST = 1e9  # counts and scores are far below
WEEK_CELLS = 42  # seven days of six times
Row = tuple[float, ...]


class Sensed(Struct, frozen=True):
    """One device: its last sign of life, its level, and since when it has that level."""

    seen_at: float = NEVER
    active: bool = False
    since: float = NEVER
    active_at: float = NEVER  # when it last became active
    before_s: float = 0.0  # how long it had the other level
    known: bool = True  # whether this process has seen its level
    count: int = 0  # how often it became active in the present hour


class Presence(Struct, frozen=True):
    """Where the resident is, and since when; `until` ends an absence that was announced."""

    kind: PresenceKind = PresenceKind.UNKNOWN
    since: float = NEVER
    until: float | None = None
    door_at: float = NEVER  # the last edge of the exit door
    ajar: bool = False  # that door stands open, as far as it tells
    came_in: bool = False  # the door was opened to come in, so quiet after it is no absence
    blip_at: float = NEVER  # the first activity while away, which is not confirmed yet
    blip_by: str = ""
    blips: int = 0  # lone ones, in a row


class Quiet(Struct, frozen=True):
    """The present quiet: how many steps of it are judged, and how surprising they were.

    It began with the last activity, or at `since` when that is later: after an absence ran out.
    """

    since: float = NEVER
    steps: int = 0
    score: float = 0.0
    fired: bool = False  # suspended until something moves


class Stay(Struct, frozen=True):
    """The resident's stay in the bathroom, as far as is seen, and since when."""

    room: str = ""
    since: float = NEVER


class Lone(Struct, frozen=True):
    """A run of pulses of one motion sensor, while no other sensor, hand or word is noticed."""

    device: str = ""
    since: float = NEVER
    last_at: float = NEVER
    pulses: tuple[float, ...] = ()  # the last of them
    even_since: float = NEVER  # since when they come evenly; NEVER: they do not
    noise: bool = False  # the pulses are not from a person


class House(Struct, frozen=True):
    """All that the sensors have told, and what follows from it at once."""

    sensed: dict[str, Sensed] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    visitor_until: float = NEVER  # until when, as the resident said, somebody is or was with them
    active_at: float = NEVER  # the last activity of the resident, anywhere
    active_by: str = ""
    quiet: Quiet = field(default_factory=Quiet)
    stay: Stay = field(default_factory=Stay)
    told: frozenset[str] = frozenset()  # routines that were warned of, until their cause is over
    slot_at: float = NEVER  # the five-minute slot of a night in which somebody was last up
    slots: int = 0
    lone: Lone = field(default_factory=Lone)
    noisy: dict[str, float] = field(default_factory=dict)  # sensors, and when each last made noise
    overdue: bool = False  # the centre was told that the resident is not back as usual
    hour_at: float | None = None  # when the present hour began


def proved_at(house: House) -> float:
    """Return the time of the last activity, without a run of pulses that counts as noise."""
    return house.lone.since if house.lone.noise else house.active_at


def zeros(n: int) -> Row:
    """Return a row of `n` zeros."""
    return (0.0,) * n


class Ratio(Struct, frozen=True):
    """How many ends of quiets were seen in each cell, and how many were expected there."""

    seen: Row
    awaited: Row


class Habits(Struct, frozen=True):
    """What was learned of a home."""

    version: int = VERSION
    days: int = 0  # that have been learned
    day: int = 0  # the local day that is being learned, since 1970
    ends: Row = zeros(BINS * CLASSES)
    spans: Row = zeros(BINS * CLASSES)
    devices: dict[str, Ratio] = field(default_factory=dict)
    week: Ratio = Ratio(zeros(WEEK_CELLS), zeros(WEEK_CELLS))
    shares: dict[str, float] = field(default_factory=dict)  # device -> quiets that it ended
    peaks: Row = ()
    peak: float = 0.0  # of the day that is being learned
    longest: dict[str, float] = field(default_factory=dict)  # of routines, in seconds

    @property
    def whole(self) -> bool:
        """Whether every table has all its cells, and every number is plausible."""
        ratios = ((ratio, CLASSES) for ratio in self.devices.values())
        rows = [(self.ends, BINS * CLASSES), (self.spans, BINS * CLASSES)]
        for ratio, size in (*ratios, (self.week, WEEK_CELLS)):
            rows += [(ratio.seen, size), (ratio.awaited, size)]
        rows.append((self.peaks, len(self.peaks)))
        return all(len(row) == size and all(map(_plausible, row)) for row, size in rows)


def _plausible(value: float) -> bool:
    return 0.0 <= value < MOST


FRESH = Habits()


class Quietness(Struct, frozen=True):
    """A quiet: when it began by local time, and which device was active last before it."""

    local: float  # seconds since 1970, as if the zone were UTC
    device: str


def age_class(step: int) -> int:
    """Return the age class of a quiet's `step` (1 is the second quarter of an hour)."""
    return sum(step >= bound for bound in UP_TO)


def cell(local: float, age: int) -> int:
    """Return the index in `ends` and `spans` of a half-hour of the day and an age class."""
    return int(local % DAY_S // 1800) * CLASSES + age


def week_cell(local: float) -> int:
    """Return the index in `week` of a weekday and a time of day."""
    return int(local // DAY_S) % 7 * 6 + int(local % DAY_S // 14_400)
