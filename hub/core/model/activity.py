"""What the house has seen of its resident: devices, presence, the present quiet.

Part of the state (`HomeState.house`); times are monotonic seconds of the running boot, and
`recovery.house` moves them into the next one.
"""

from msgspec import Struct, field

from hub.contract.messages import PresenceKind

NEVER = -1e300  # before all time, and finite: the JSON of a transcript has no infinity


class Sensed(Struct, frozen=True):
    """One device: its last sign of life, its level, and since when it has that."""

    seen_at: float = NEVER
    active: bool = False
    since: float = NEVER
    active_at: float = NEVER  # when it last became active
    before_s: float = 0.0  # how long it had the other level
    known: bool = True  # whether this process has seen its level
    count: int = 0  # how often it became active in the present hour


class Presence(Struct, frozen=True):
    """Where the resident is, since when; `until` limits what was only declared."""

    kind: PresenceKind = PresenceKind.UNKNOWN
    since: float = NEVER
    until: float | None = None
    door_at: float = NEVER  # the last edge of the exit door
    ajar: bool = False  # that door stands open, as far as it tells
    came_in: bool = False  # that door was opened to come in, so quiet after it is no absence
    blip_at: float = NEVER  # a first activity while away, which has yet to be confirmed
    blip_by: str = ""
    blips: int = 0  # lone ones, in a row


class Quiet(Struct, frozen=True):
    """The present quiet: how many steps of it are judged, and how surprising they were.

    It began with the last activity, or at `since`, when that was later: after an absence ran out.
    """

    since: float = NEVER
    steps: int = 0
    score: float = 0.0
    fired: bool = False  # suspended until something moves


class Stay(Struct, frozen=True):
    """In the bathroom without a break, so far as is seen, and since when."""

    room: str = ""
    since: float = NEVER


class Lone(Struct, frozen=True):
    """What one motion sensor sees alone, since another, a hand or a word was last heard of."""

    device: str = ""
    since: float = NEVER
    last_at: float = NEVER
    pulses: tuple[float, ...] = ()  # the last of them
    even_since: float = NEVER  # since when they come evenly; NEVER: they do not
    noise: bool = False  # it is nobody


class House(Struct, frozen=True):
    """All that the sensors have told, and what follows from it at once."""

    sensed: dict[str, Sensed] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    visitor_until: float = NEVER  # until when somebody is, or was, with the resident by their word
    active_at: float = NEVER  # the last activity of the resident, anywhere
    active_by: str = ""
    quiet: Quiet = field(default_factory=Quiet)
    stay: Stay = field(default_factory=Stay)
    told: frozenset[str] = frozenset()  # routines that have warned, until their cause is over
    slot_at: float = NEVER  # the five-minute slot of a night in which somebody was last up
    slots: int = 0
    lone: Lone = field(default_factory=Lone)
    noisy: dict[str, float] = field(default_factory=dict)  # sensors, and when each last made noise
    overdue: bool = False  # the centre was told that the resident is not back as usual
    hour_at: float | None = None  # when the present hour began


def proved_at(house: House) -> float:
    """Give the last activity, without what one sensor alone has seen and nobody bears out."""
    return house.lone.since if house.lone.noise else house.active_at
