"""What the store has of a home's voice: its faults, and when it last worked."""

from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, func, or_, select

from center.domain.announcement import Fate
from center.store.shaping import shape
from center.store.tables import checkins, deliveries, faults, incidents
from hub.contract.messages import AnsweredBy, FaultKind
from hub.contract.scaip import Kind

OF_VOICE = frozenset(
    {
        FaultKind.NO_MICROPHONE,
        FaultKind.NO_LOUDSPEAKER,
        FaultKind.NO_SPEECH,
        FaultKind.MUTED,
    }
)
NAMES = ("voice", "voicebox")  # the usual names of the hub's driver
SHOWN = 5


class Sign(StrEnum):
    """By what a voice last showed that it works."""

    CHECKIN = "checkin"
    ANNOUNCEMENT = "announcement"
    CALL = "call"


class PastFault(Struct, frozen=True):
    """A fault of the voice; `cleared_utc` None: it lasts. `since_utc` is trusted if `synced`."""

    kind: FaultKind
    device: str
    since_utc: float
    synced: bool
    cleared_utc: float | None


class Voice(Struct, frozen=True):
    """The voice's faults, newest first, and its last sign of work (UTC seconds), if any."""

    faults: tuple[PastFault, ...]
    sign: Sign | None
    sign_utc: float


def look(conn: Connection, hub: str) -> Voice:
    """Read what is known of a home's voice."""
    held: list[tuple[float, Sign]] = []
    for sign, query in _signs(hub):
        utc: float | None = conn.scalar(query)
        if utc is not None:
            held.append((utc, sign))
    if not held:
        return Voice(_faults(conn, hub), None, 0.0)
    sign_utc, last = max(held)
    return Voice(_faults(conn, hub), last, sign_utc)


def _faults(conn: Connection, hub: str) -> tuple[PastFault, ...]:
    column = faults.c
    of_voice = column.kind.in_([kind.value for kind in OF_VOICE])
    devices = select(column.device).where(column.hub == hub, of_voice)
    its_driver = column.device.in_(NAMES) | column.device.in_(devices)
    query = select(faults).where(column.hub == hub, or_(of_voice, its_driver))
    query = query.order_by(column.cleared_utc.is_(None).desc(), column.since_utc.desc())
    found = conn.execute(query.limit(SHOWN))
    return tuple(shape(row, PastFault) for row in found)


def _signs(hub: str) -> tuple[tuple[Sign, Select[Any]], ...]:
    answered = select(func.max(checkins.c.stored_utc)).where(
        checkins.c.hub == hub, checkins.c.by == AnsweredBy.VOICE.value
    )
    spoken = select(func.max(deliveries.c.over_utc)).where(
        deliveries.c.hub == hub, deliveries.c.fate == Fate.SPOKEN.value
    )
    called = select(func.max(incidents.c.received_utc)).where(
        incidents.c.hub == hub, incidents.c.kind == Kind.SPOKEN.value
    )
    return (Sign.CHECKIN, answered), (Sign.ANNOUNCEMENT, spoken), (Sign.CALL, called)
