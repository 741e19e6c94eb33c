"""From what the store holds to what the API answers. Pure."""

from msgspec.structs import replace

from center.api.shapes import Ages, Alarm, AuditLine, Event, HubOut, Times
from center.domain.hub import Hub, seen
from center.domain.incident import Entry, Incident, urgency, waited_s
from center.queries import Case, Line
from hub.contract.wire import timestamp


def alarm(incident: Incident, now: float, timeline: tuple[Entry, ...] | None = None) -> Alarm:
    """Show an incident as of `now`, UTC seconds."""
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
        about=incident.about,
        surplus=incident.surplus,
        unread=incident.unread,
        raw=_unlisted(incident),
        timeline=None if timeline is None else tuple(map(_event, timeline)),
    )


def _unlisted(incident: Incident) -> dict[str, str]:
    """Give what a newer program said, where the answer has only `other`."""
    said = {"kind": incident.kind, "stage": incident.stage, "outcome": incident.outcome}
    return {name: value for name, value in said.items() if value and not value.is_known}


def of_case(case: Case, now: float) -> Alarm:
    """Show an incident with a page of its timeline."""
    shown = alarm(case.incident, now, case.timeline)
    return replace(shown, timeline_next=case.older)


def hub(known: Hub, now: float, listening_utc: float | None) -> HubOut:
    """Show a hub as of `now`."""
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
    """Show a line of the audit."""
    return AuditLine(line.seq, line.incident, _event(line.entry), line.entry.hub)


def _times(incident: Incident) -> Times:
    return Times(
        raised=timestamp(incident.raised_utc),
        received=timestamp(incident.received_utc),
        waiting=timestamp(incident.waiting_utc),
        accepted=_maybe(incident.accepted_utc),
        present=_maybe(incident.present_utc),
        closed=_maybe(incident.closed_utc),
        cancelled=_maybe(incident.cancelled_utc),
        cancel_asked=_maybe(incident.cancel_asked_utc),
        reopened=_maybe(incident.reopened_utc),
        expires=_maybe(incident.expires_utc),
        cleared=_maybe(incident.cleared_utc),
        sent=_maybe(incident.sent_utc),
        again=_maybe(incident.again_utc),
    )


def _event(entry: Entry) -> Event:
    return Event(
        stored=timestamp(entry.utc),
        deed=entry.deed,
        version=entry.version,
        by=entry.by,
        event=entry.event,
        happened=_maybe(entry.happened_utc),
        clock_synced=entry.synced,
        device=entry.device,
        place=entry.place,
        outcome=entry.outcome,
        text=entry.text,
    )


def _maybe(utc: float | None) -> str | None:
    return None if utc is None else timestamp(utc)
