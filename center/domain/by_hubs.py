"""What hubs and the clock change in an incident. They never close or remove one. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from center.domain.incident import (
    CLOCK_BACK_S,
    HELD,
    TEST_S,
    Change,
    Deed,
    Entry,
    Incident,
    Patience,
    advance,
    given_back,
    reopened,
)
from hub.contract.messages import WORDLESS, AlarmData, AlarmEvent, Stage
from hub.contract.scaip import DETECTED, What, priority

PATIENCE = Patience()
VERSION_MAX = 2**31  # what a database's INTEGER holds
UNREAD_MAX = 500  # characters of what could not be read of a call

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
    patience: Patience = PATIENCE


def is_call(what: What) -> bool:
    """Return whether the event is a call; a value that only a newer hub knows counts as one."""
    return what in _PRESS or not what.is_known


def fold(incident: Incident | None, heard: Heard) -> Change:
    """Add a hub's event, which was never seen before, to its incident; the first one makes it.

    A call after closing opens the incident again; any other event after closing is kept and rings
    nobody. A call in an incident that somebody holds rings the holder; where nobody holds it, or
    the holder has done nothing for `fresh_act_s`, it rings everybody; so does one that comes again
    while it waits as a test: who presses twice means it. Where several alarms share an
    incident, an event that ends or moves one of them is only noted: it says nothing of the others.
    """
    data = heard.event.data
    calls = is_call(data.what)
    before = incident or _received(heard)
    after = _marked(before, data, heard)
    after = _of_many(before, after, data) if incident and incident.is_shared else after
    entry = Entry(
        utc=heard.utc,
        deed=_deed(before, data),
        version=0,
        event=heard.event.id,
        happened_utc=heard.happened_utc,
        synced=data.synced,
        device=data.device,
        place=data.place,
        text=data.kind if calls and data.kind != before.kind else "",
    )
    if not calls or before.stage is Stage.RECEIVED:
        return advance(before, after, entry)
    if not before.is_open:
        return advance(before, reopened(after, heard.utc), entry, _reopening(heard.utc))
    return _called_again(before, after, entry, heard)


def _called_again(before: Incident, after: Incident, entry: Entry, heard: Heard) -> Change:
    """Return what somebody holds after one more call: it rings the holder, or everybody."""
    if before.is_test:
        earnest = Entry(heard.utc, Deed.TEST_IN_EARNEST, version=0, text=before.who)
        return advance(before, given_back(after), entry, earnest)
    if _is_looked_after(before, heard):
        again_utc = heard.utc if before.again_utc is None else before.again_utc
        return advance(before, replace(after, again_utc=again_utc), entry)
    back = replace(given_back(after), waiting_utc=heard.utc)
    returned = Entry(heard.utc, Deed.RETURNED, version=0, text=before.who)
    return advance(before, back, entry, returned)


def _of_many(before: Incident, after: Incident, data: AlarmData) -> Incident:
    """Return a shared incident after an event of one alarm: only a call changes it."""
    kind = min(before.kind, data.kind, key=priority)
    return replace(after, kind=kind) if is_call(data.what) else before


def partly_read(change: Change, lost: tuple[str, ...]) -> Change:
    """Return the change with a note of what could not be read of the event (`lost`)."""
    if not lost:
        return change
    incident = change.incident
    known = incident.unread.split()
    unread = " ".join(dict.fromkeys((*known, *(place.replace(" ", "_") for place in lost))))
    text = unread[:UNREAD_MAX]
    entry = Entry(incident.last_utc, Deed.UNREAD, version=incident.version, text=text)
    return Change(replace(incident, unread=text), (*change.entries, entry))


def expire(incident: Incident, utc: float, patience: Patience = PATIENCE) -> Change | None:
    """Return what its holder forgot as given back to everybody; None while nothing is due.

    Due are: a call that came again and was not answered for `answer_s`, a take after
    `take_expires_s`, somebody on site after `present_expires_s`. After a forgotten take the waiting
    time counts from the call, else from now. A time that is further ahead than it can be is due,
    too: the server's clock was set back since. A test that nobody has answered is a call.
    """
    unheard = incident.again_utc
    if incident.stage not in HELD:
        return None
    if incident.test_utc is not None:
        waits = 0.0 < incident.test_utc - utc <= TEST_S
        return None if waits else in_earnest(incident, utc, Deed.TEST_UNANSWERED)
    if unheard is not None and not -CLOCK_BACK_S <= utc - unheard < patience.answer_s:
        deed, waiting_utc = Deed.UNANSWERED, min(unheard, utc)
    elif 0.0 < _left_s(incident, utc, patience) <= patience.lasts_s(incident.stage) + CLOCK_BACK_S:
        return None
    elif incident.stage is Stage.PRESENT:
        deed, waiting_utc = Deed.PRESENT_EXPIRED, utc
    else:
        deed, waiting_utc = Deed.EXPIRED, incident.waiting_utc
    after = replace(given_back(incident), waiting_utc=waiting_utc)
    return advance(incident, after, Entry(utc, deed, version=0, text=incident.who))


def in_earnest(incident: Incident, utc: float, deed: Deed) -> Change:
    """Return what waited as a test as a call: it rings everybody, and has waited since it came."""
    return advance(incident, given_back(incident), Entry(utc, deed, version=0, text=incident.who))


def catch_up(incident: Incident, version: int, utc: float) -> Change | None:
    """Raise the version above the one that the hub knows; None where it is above already.

    A hub ignores lower versions, and this store may be a restored, older copy.
    """
    if not incident.version < version < VERSION_MAX:
        return None
    before = replace(incident, version=version, staged=version)
    return advance(before, before, Entry(utc, Deed.CAUGHT_UP, version=0))


def _left_s(incident: Incident, utc: float, patience: Patience) -> float:
    """Return the seconds that its holder still has; `present` of an older release has no end."""
    if incident.expires_utc is None and incident.present_utc is not None:
        return incident.present_utc + patience.present_expires_s - utc
    return (incident.expires_utc or 0.0) - utc


def _is_looked_after(incident: Incident, heard: Heard) -> bool:
    """Return whether its holder did something within `fresh_act_s`, whichever clock is ahead."""
    acted_utc = incident.acted_utc or incident.accepted_utc
    if incident.stage not in HELD or not incident.who or acted_utc is None:
        return False
    return abs(heard.utc - acted_utc) < heard.patience.fresh_act_s


def _deed(incident: Incident, data: AlarmData) -> Deed:
    if data.what is What.CLEARED and data.kind in DETECTED:
        return Deed.ALL_CLEAR
    unsent = data.what is What.PRESENT and incident.sent_utc is None
    return Deed.HELD if unsent else _DEED.get(data.what, Deed.REPEATED)


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
        last_deed=_DEED.get(data.what, Deed.REPEATED),
    )


def _marked(incident: Incident, data: AlarmData, heard: Heard) -> Incident:
    utc = heard.utc
    match data.what:
        case What.CANCELLED:
            return replace(incident, cancelled_utc=utc)
        case What.CANCEL_ASKED:
            return replace(incident, cancel_asked_utc=utc)
        case What.CLEARED:
            return replace(incident, cleared_utc=utc)
        case What.PRESENT if incident.sent_utc is None or not incident.is_open:
            return incident  # nobody was sent: the resident may hold the green button, too
        case What.PRESENT:
            expires_utc = utc + heard.patience.present_expires_s
            return replace(incident, stage=Stage.PRESENT, present_utc=utc, expires_utc=expires_utc)
        case _:  # raised or repeated; what only a newer hub knows is heard as a call
            return replace(
                incident,
                presses=incident.presses + 1,
                cancelled_utc=None,
                cancel_asked_utc=None,
                cleared_utc=None,
                evidence=data.evidence or incident.evidence,
                vital=data.vital or incident.vital,
                about=_about(incident, data),
            )


def _reopening(utc: float) -> Entry:
    return Entry(utc, Deed.REOPENED, version=0)


def _about(incident: Incident, data: AlarmData) -> str:
    """Return what a spoken call is about: the newest word that said so, else what was known."""
    said = data.about if data.about != WORDLESS or not incident.about else ""
    return said or incident.about
