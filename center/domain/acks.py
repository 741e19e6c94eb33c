"""The acks that the centre sends to a hub, made from an incident. Pure."""

from center.domain.incident import Incident
from hub.contract.messages import Ack, AlarmBrief, Stage


def of_event(event: str, incident: Incident, utc: float) -> tuple[Ack, ...]:
    """Return the acks of an event that is stored: one for the event, one for its alarm's stage.

    Where the alarm is past `received`, the first ack has a version from before the present stage:
    by it the hub stops sending the event, but does not show `received` again.
    """
    if _told(incident) is Stage.RECEIVED:
        return (_ack(event, incident, Stage.RECEIVED, incident.version, utc),)
    stored = _ack(event, incident, Stage.RECEIVED, incident.staged - 1, utc)
    return (stored, of_stage(incident, utc))


def of_word(event: str, utc: float) -> Ack:
    """Return the ack of an event without an alarm (a check-in, a need) that is stored."""
    return Ack(event, "", Stage.RECEIVED, 0, utc)


def of_stage(incident: Incident, utc: float) -> Ack:
    """Return the ack that says at which stage an alarm is and who has it."""
    return _ack("", incident, _told(incident), incident.version, utc)


def of_brief(brief: AlarmBrief, incident: Incident | None, utc: float) -> Ack | None:
    """Return the ack that corrects what a hub believes of an alarm; None where it is right.

    An alarm that the centre does not know is `unknown`, so that the hub sends it again.
    """
    if incident is None:
        return Ack("", brief.alarm, Stage.UNKNOWN, 0, utc)
    if brief.version == incident.version and _same(brief.stage, _told(incident)):
        return None
    return of_stage(incident, utc)


def _told(incident: Incident) -> Stage:
    """Return the stage that the home is told: nobody has seen yet what waits as a test."""
    return Stage.RECEIVED if incident.is_test else incident.stage


def _same(believed: Stage, true: Stage) -> bool:
    # a cancelled alarm stays cancelled for its resident, whatever the centre does short of closing
    return believed is true or (believed is Stage.CANCELLED and true is not Stage.CLOSED)


def _ack(event: str, incident: Incident, stage: Stage, version: int, utc: float) -> Ack:
    sent = incident.sent_utc is not None
    who = "" if incident.is_test else incident.who
    return Ack(event, incident.alarm, stage, version, utc, who, sent)
