"""The shapes of the API's JSON. Pure; the OpenAPI document is generated from them."""

from msgspec import Struct
from msgspec.structs import replace

from center.domain.hub import Fault, Hub, Seen, seen
from center.domain.incident import Deed, Entry, Incident, Outcome, Urgency, urgency, waited_s
from center.store.rows.audit import Line
from center.store.rows.incidents import Case
from hub.contract.messages import Availability, Evidence, Stage, VitalEvidence, VoiceReport
from hub.contract.scaip import Kind
from hub.contract.wire import timestamp


class Times(Struct, frozen=True):
    """RFC 3339 in UTC; null where it has not happened. `raised` is by the hub's clock."""

    raised: str
    received: str
    waiting: str
    accepted: str | None
    present: str | None
    closed: str | None
    cancelled: str | None
    cancel_asked: str | None
    reopened: str | None
    expires: str | None
    cleared: str | None = None
    sent: str | None = None  # somebody is on the way
    again: str | None = None  # it came in again, and its holder has not answered yet


class Ages(Struct, frozen=True):
    """Seconds at the moment of the answer; `waited_s` stops when a person takes it."""

    received_s: float
    waited_s: float
    urgency: Urgency


class Event(Struct, frozen=True):
    """A line of the timeline; `happened` is by the hub's clock, `stored` by the centre's."""

    stored: str
    deed: Deed
    version: int
    by: str
    event: str
    happened: str | None
    clock_synced: bool
    device: str
    place: str
    outcome: Outcome | None
    text: str


class Alarm(Struct, frozen=True):
    """One alarm; the timeline comes only when it is asked for by its id."""

    id: str
    hub: str
    kind: Kind
    device: str
    place: str
    stage: Stage
    version: int
    who: str
    needs_person: bool
    presses: int
    clock_synced: bool
    outcome: Outcome | None
    false_alarm: bool | None
    times: Times
    ages: Ages
    evidence: Evidence | None = None  # why an automatic alarm was raised
    vital: VitalEvidence | None = None  # the reading for which it was raised
    about: str = ""  # what a spoken call was about: `fall`, `fire`, ...
    surplus: int = 0  # so many calls of one home share it: more than are shown one by one
    unread: str = ""  # places of its events that could not be read, with blanks between; `*`: all
    raw: dict[str, str] = {}  # field -> what was said there, where this program knows only `other`
    timeline: tuple[Event, ...] | None = None  # a page of it, oldest line first
    timeline_next: int | None = None  # the `before` of the page of older lines, null: no more


class Alarms(Struct, frozen=True):
    """Newest first; `next` is the `before` of the next page, null on the last.

    With `order=urgent` the most urgent and oldest first, as the board has them, in one page.
    """

    alarms: tuple[Alarm, ...]
    next: str | None


class HubOut(Struct, frozen=True):
    """A hub as `seen` at the moment of the answer; `state` is its own, or the broker's, word."""

    hub: str
    seen: Seen
    state: Availability
    heard: str
    silent_s: float
    boot: str
    software: str
    interval_s: float
    clock_synced: bool
    faults: tuple[Fault, ...]
    voice: VoiceReport | None  # null: it has not said


class Hubs(Struct, frozen=True):
    """All hubs; `listening` is false while the centre's own link is down."""

    hubs: tuple[HubOut, ...]
    listening: bool


class OutcomeOut(Struct, frozen=True):
    """A way in which an alarm can end."""

    id: Outcome
    label: str
    false_alarm: bool
    needs_note: bool


class Outcomes(Struct, frozen=True):
    """All ways in which an alarm can end."""

    outcomes: tuple[OutcomeOut, ...]


class AuditLine(Struct, frozen=True):
    """A line of the audit; `alarm` is empty for sign-ins and the like."""

    seq: int
    alarm: str
    event: Event
    hub: str = ""  # of a line about a home


class Audit(Struct, frozen=True):
    """Newest first; `next` is the `before` of the next page."""

    lines: tuple[AuditLine, ...]
    next: int | None


class Error(Struct, frozen=True, omit_defaults=True):
    """What went wrong, as a code and as one sentence; `alarm` is how it stands where that helps."""

    error: str
    message: str
    alarm: Alarm | None = None


def of_case(case: Case, now: float) -> Alarm:
    """Return an incident with a page of its timeline as the API shows it."""
    shown = alarm(case.incident, now, case.timeline)
    return replace(shown, timeline_next=case.older)


def alarm(incident: Incident, now: float, timeline: tuple[Entry, ...] | None = None) -> Alarm:
    """Return an incident as the API shows it at `now`, UTC seconds."""
    waited = waited_s(incident, now)
    outcome = incident.outcome
    return Alarm(
        id=incident.id,
        hub=incident.hub,
        kind=incident.kind.plain,
        device=incident.device,
        place=incident.place,
        stage=incident.stage.plain,
        version=incident.version,
        who=incident.who,
        needs_person=incident.needs_person,
        presses=incident.presses,
        clock_synced=incident.synced,
        outcome=outcome and outcome.plain,
        false_alarm=outcome.is_false_alarm if outcome else None,
        times=_times(incident),
        ages=Ages(max(0.0, now - incident.received_utc), waited, urgency(waited)),
        evidence=incident.evidence,
        vital=_vital(incident.vital),
        about=incident.about,
        surplus=incident.surplus,
        unread=incident.unread,
        raw=_unlisted(incident),
        timeline=None if timeline is None else tuple(map(_event, timeline)),
    )


def _times(incident: Incident) -> Times:
    return Times(
        raised=timestamp(incident.raised_utc),
        received=timestamp(incident.received_utc),
        waiting=timestamp(incident.waiting_utc),
        accepted=timestamp_or_none(incident.accepted_utc),
        present=timestamp_or_none(incident.present_utc),
        closed=timestamp_or_none(incident.closed_utc),
        cancelled=timestamp_or_none(incident.cancelled_utc),
        cancel_asked=timestamp_or_none(incident.cancel_asked_utc),
        reopened=timestamp_or_none(incident.reopened_utc),
        expires=timestamp_or_none(incident.expires_utc),
        cleared=timestamp_or_none(incident.cleared_utc),
        sent=timestamp_or_none(incident.sent_utc),
        again=timestamp_or_none(incident.again_utc),
    )


def _event(entry: Entry) -> Event:
    return Event(
        stored=timestamp(entry.utc),
        deed=entry.deed,
        version=entry.version,
        by=entry.by,
        event=entry.event,
        happened=timestamp_or_none(entry.happened_utc),
        clock_synced=entry.synced,
        device=entry.device,
        place=entry.place,
        outcome=entry.outcome,
        text=entry.text,
    )


def _vital(said: VitalEvidence | None) -> VitalEvidence | None:
    return said and replace(said, kind=said.kind.plain)


def _unlisted(incident: Incident) -> dict[str, str]:
    """Return the raw values that the answer shows as `other`."""
    said = {"kind": incident.kind, "stage": incident.stage, "outcome": incident.outcome}
    return {name: value for name, value in said.items() if value and not value.is_known}


def hub(known: Hub, now: float, listening_utc: float | None) -> HubOut:
    """Return a hub as the API shows it at `now`."""
    return HubOut(
        hub=known.hub,
        seen=seen(known, now, listening_utc),
        state=known.state,
        heard=timestamp(known.heard_utc),
        silent_s=max(0.0, now - known.heard_utc),
        boot=known.boot,
        software=known.software,
        interval_s=known.interval_s,
        clock_synced=known.synced,
        faults=known.faults,
        voice=known.voice,
    )


def audit_line(line: Line) -> AuditLine:
    """Return a line of the audit as the API shows it."""
    return AuditLine(line.seq, line.incident, _event(line.entry), line.entry.hub)


def timestamp_or_none(utc: float | None) -> str | None:
    """Write UTC seconds as RFC 3339; null where something has not happened."""
    return None if utc is None else timestamp(utc)
