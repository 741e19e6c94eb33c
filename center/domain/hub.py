"""What the centre knows of a hub, and whether to believe that it lives. Pure."""

from enum import StrEnum

from msgspec import Struct

from hub.contract.messages import Availability, FaultKind, Trigger, VoiceReport

MISSED = 3  # intervals of silence that mean lost
LOST_MAX_S = 80.0  # the page must say so in 90 s (EN 50136 SP5), look and refresh included
AHEAD_S = 5.0  # by which a word may be newer than the moment of which a page tells
BACK_S = 7 * 86_400.0  # a hub that came back is told of for a week
LOST_MIN_S = 3.0  # a hub that promises more than it can is not lost at each hiccup


class Fault(Struct, frozen=True):
    """A fault that lasts; `since_utc` is the hub's clock, trusted only if `synced`."""

    fault: str
    kind: FaultKind
    device: str
    since_utc: float
    synced: bool
    detail: str
    stored_utc: float | None = None  # the centre's clock; None: of an older centre, long ago


class Hub(Struct, frozen=True):
    """A hub as last heard; `state` is its own word or, for lost, the broker's."""

    hub: str
    state: Availability
    heard_utc: float
    boot: str
    software: str
    interval_s: float
    synced: bool
    faults: tuple[Fault, ...] = ()
    voice: VoiceReport | None = None  # None: the hub has not said
    removed_utc: float | None = None  # it was gone for good, and is off the board
    back_utc: float | None = None  # and spoke again since
    triggers: tuple[Trigger, ...] | None = None  # None: the hub has not said


class Seen(StrEnum):
    """What the console shows of a hub."""

    READY = "ready"
    STARTING = "starting"
    DISCONNECTED = "disconnected"  # it said good-bye: a planned stop
    LOST = "lost"
    UNKNOWN = "unknown"  # the centre itself hears nobody at the moment


def seen(hub: Hub, now_utc: float, listening_utc: float | None) -> Seen:
    """Judge a hub; `listening_utc` is since when the centre's own link stands (None: it is down).

    A hub is not blamed for silence while nobody listened. A word of the future was heard before the
    centre's clock was set back, nobody knows how long ago: it is no sign of life.
    """
    if listening_utc is None:
        return Seen.UNKNOWN
    heard_utc, since_utc = _past(hub.heard_utc, now_utc), _past(listening_utc, now_utc)
    silence_s = now_utc - max(heard_utc, since_utc)
    match hub.state:
        case Availability.LOST:
            return Seen.LOST
        case Availability.DISCONNECTED:
            return Seen.DISCONNECTED
        case _ if is_lost(silence_s, hub.interval_s):
            return Seen.LOST
        case Availability.INIT:
            return Seen.STARTING
        case _:  # ready, or what only a newer hub knows: it speaks
            return Seen.READY


def _past(utc: float, now_utc: float) -> float:
    return utc if utc <= now_utc + AHEAD_S else 0.0


def is_lost(silence_s: float, interval_s: float) -> bool:
    """Tell whether a hub that promised a word every `interval_s` has been silent for too long."""
    return silence_s > min(LOST_MAX_S, max(LOST_MIN_S, MISSED * interval_s))
