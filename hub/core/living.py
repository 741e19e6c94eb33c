"""What the house has seen of its resident: devices, presence, the present quiet.

Part of the state (`HomeState.house`); times are monotonic seconds of the running boot, and
`home.recover` moves them into the next one.
"""

from msgspec import Struct, field

from hub.core.daily import PresenceKind

NEVER = float("-inf")


class Sensed(Struct, frozen=True):
    """One device: its last sign of life, its level, and since when it has that."""

    seen_at: float = NEVER
    active: bool = False
    since: float = NEVER
    active_at: float = NEVER  # when it last became active


class Presence(Struct, frozen=True):
    """Where the resident is, since when; `until` limits what was only declared."""

    kind: PresenceKind = PresenceKind.UNKNOWN
    since: float = 0.0
    until: float | None = None


class House(Struct, frozen=True):
    """All that the sensors have told, and what follows from it at once."""

    sensed: dict[str, Sensed] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    active_at: float = NEVER  # the last activity of the resident, anywhere
    active_by: str = ""
