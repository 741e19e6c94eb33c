"""What the centre knows of a hub, and whether it counts as alive. Pure."""

from enum import StrEnum

from msgspec import Struct

from hub.contract.messages import (
    Availability,
    FaultKind,
    PairingReport,
    PhoneSeen,
    Trigger,
    VoiceReport,
)

MISSED = 3  # intervals of silence that mean lost
LOST_MAX_S = 80.0  # the page must say so in 90 s (EN 50136 SP5), look and refresh included
AHEAD_S = 5.0  # by which a message may be newer than the time that a page is made for
BACK_S = 7 * 86_400.0  # the page says for a week that a removed hub came back
LOST_MIN_S = 3.0  # a hub with a very short interval is not lost after one late message


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
    """A hub as last heard; `state` comes from the hub itself or, for lost, from the broker."""

    hub: str
    state: Availability
    heard_utc: float
    boot: str
    software: str
    interval_s: float
    synced: bool
    faults: tuple[Fault, ...] = ()
    voice: VoiceReport | None = None  # None: the hub has not said
    removed_utc: float | None = None  # a person removed it; it is not listed any more
    back_utc: float | None = None  # when it spoke again after that
    triggers: tuple[Trigger, ...] | None = None  # None: the hub has not said
    phones: tuple[PhoneSeen, ...] | None = None  # by consent; None: the hub has not said
    pairing: PairingReport | None = None  # None: no device can be paired there now

    @property
    def is_unsynced(self) -> bool:
        """Whether it has said that its clock is not set: then no press of it is a test."""
        return bool(self.boot) and not self.synced  # no boot: it has not said anything yet


class Seen(StrEnum):
    """What the console shows of a hub."""

    READY = "ready"
    STARTING = "starting"
    DISCONNECTED = "disconnected"  # it said good-bye: a planned stop
    LOST = "lost"
    UNKNOWN = "unknown"  # the centre itself is not connected


def seen(hub: Hub, now_utc: float, listening_utc: float | None) -> Seen:
    """Return what to show of a hub; `listening_utc` is since when the centre is connected, or None.

    Silence while the centre was not connected does not count. A message from the future was heard
    before the centre's clock was set back; it is not known how long ago, so it is no sign of life.
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
    """Return whether a hub that sends every `interval_s` seconds has been silent for too long."""
    return silence_s > min(LOST_MAX_S, max(LOST_MIN_S, MISSED * interval_s))
