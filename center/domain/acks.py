"""What the centre answers the hubs. Pure: from an incident to its acks."""

from center.domain.incident import Incident
from hub.contract.messages import Ack, AlarmBrief, Stage


def of_event(event: str, incident: Incident, utc: float) -> tuple[Ack, ...]:
    """Say that `event` is stored, and where its alarm stands.

    Past `received`, the first ack bears a version from before the present stage: a hub lets the
    event go by it, but does not fall back to `received`.
    """
    if incident.stage is Stage.RECEIVED:
        return (_ack(event, incident, Stage.RECEIVED, incident.version, utc),)
    stored = _ack(event, incident, Stage.RECEIVED, incident.staged - 1, utc)
    return (stored, of_stage(incident, utc))


def of_word(event: str, utc: float) -> Ack:
    """Say that an event of no alarm (a check-in, a need) is stored."""
    return Ack(event, "", Stage.RECEIVED, 0, utc)


def of_stage(incident: Incident, utc: float) -> Ack:
    """Say where an alarm stands and who has it."""
    return _ack("", incident, incident.stage, incident.version, utc)


def of_brief(brief: AlarmBrief, incident: Incident | None, utc: float) -> Ack | None:
    """Put right what a hub believes of an alarm; None when it is right.

    An alarm that was never heard of is `unknown`, so that the hub sends it again.
    """
    if incident is None:
        return Ack("", brief.alarm, Stage.UNKNOWN, 0, utc)
    if brief.version == incident.version and _same(brief.stage, incident.stage):
        return None
    return of_stage(incident, utc)


def _same(believed: Stage, true: Stage) -> bool:
    # a cancelled alarm stays cancelled for its resident, whatever the centre does short of closing
    return believed is true or (believed is Stage.CANCELLED and true is not Stage.CLOSED)


def _ack(event: str, incident: Incident, stage: Stage, version: int, utc: float) -> Ack:
    sent = incident.sent_utc is not None
    return Ack(event, incident.alarm, stage, version, utc, incident.who, sent)
