"""What hubs and the clock do to an incident, pure. They never close or remove one."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from center.change import Change, advance, reopened
from center.incident import Deed, Entry, Incident
from hub.core.notice import WORDLESS
from hub.core.payloads import AlarmData, AlarmEvent, Stage
from hub.core.scaip import What

VERSION_MAX = 2**31  # what a database's INTEGER holds

_DEED = {
    What.RAISED: Deed.RAISED,
    What.REPEATED: Deed.REPEATED,
    What.CANCELLED: Deed.CANCELLED,
    What.CANCEL_ASKED: Deed.CANCEL_ASKED,
    What.PRESENT: Deed.ON_SITE,
    What.CLEARED: Deed.CLEARED,
}
_PRESS = frozenset({What.RAISED, What.REPEATED})


class Heard(Struct, frozen=True):
    """A hub's event and its circumstances; times are UTC seconds."""

    event: AlarmEvent
    hub: str
    incident: str  # the id that a new incident would get
    happened_utc: float  # the hub's clock
    utc: float  # the centre's


def fold(incident: Incident | None, heard: Heard) -> Change:
    """Add a hub's event, never seen before, to its incident; the first one makes it.

    A press after closing reopens; other evidence after closing is kept, and wakes nobody.
    """
    data = heard.event.data
    before = incident or _received(heard)
    after = _marked(before, data, heard.utc)
    entry = Entry(
        utc=heard.utc,
        deed=_DEED[data.what],
        version=0,
        event=heard.event.id,
        happened_utc=heard.happened_utc,
        synced=data.synced,
        device=data.device,
        place=data.place,
    )
    if before.is_open or data.what not in _PRESS:
        return advance(before, after, entry)
    return advance(before, reopened(after, heard.utc), entry, _reopening(heard.utc))


def expire(incident: Incident, utc: float) -> Change | None:
    """Give a forgotten take back to everybody; None while it is not due."""
    if incident.stage is not Stage.ACCEPTED or utc < (incident.expires_utc or 0.0):
        return None
    after = replace(incident, stage=Stage.RECEIVED, who="", accepted_utc=None)
    return advance(incident, after, Entry(utc, Deed.EXPIRED, version=0, text=incident.who))


def catch_up(incident: Incident, version: int, utc: float) -> Change | None:
    """Pass the version that a hub knows, lest it ignore this (older, restored) store for ever."""
    if not incident.version < version < VERSION_MAX:
        return None
    before = replace(incident, version=version, staged=version)
    return advance(before, before, Entry(utc, Deed.CAUGHT_UP, version=0))


def _received(heard: Heard) -> Incident:
    data = heard.event.data
    return Incident(
        id=heard.incident,
        hub=heard.hub,
        alarm=data.alarm,
        kind=data.kind,
        device=data.device,
        place=data.place,
        stage=Stage.RECEIVED,
        version=0,
        staged=1,
        raised_utc=heard.happened_utc,
        synced=data.synced,
        received_utc=heard.utc,
        waiting_utc=heard.utc,
        last_utc=heard.utc,
        last_deed=_DEED[data.what],
    )


def _marked(incident: Incident, data: AlarmData, utc: float) -> Incident:
    match data.what:
        case What.RAISED | What.REPEATED:
            return replace(
                incident,
                presses=incident.presses + 1,
                cancelled_utc=None,
                cancel_asked_utc=None,
                cleared_utc=None,
                evidence=data.evidence or incident.evidence,
                about=_about(incident, data),
            )
        case What.CANCELLED:
            return replace(incident, cancelled_utc=utc)
        case What.CANCEL_ASKED:
            return replace(incident, cancel_asked_utc=utc)
        case What.CLEARED:
            return replace(incident, cleared_utc=utc)
        case What.PRESENT:
            stage = Stage.PRESENT if incident.is_open else Stage.CLOSED
            return replace(incident, stage=stage, present_utc=utc)
        case _:
            assert_never(data.what)


def _reopening(utc: float) -> Entry:
    return Entry(utc, Deed.REOPENED, version=0)


def _about(incident: Incident, data: AlarmData) -> str:
    """Name what a spoken call is about by its newest word; that there was none tells least."""
    said = data.about if data.about != WORDLESS or not incident.about else ""
    return said or incident.about
