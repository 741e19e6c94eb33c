"""What people do to an incident: take, send, present, close, reopen, note. Pure.

Every act is decided against the version that the operator looked at. It is a `Change`, which is
stored whole, or a `Refusal`, which tells the second of two operators what happened.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from center.domain.incident import (
    Change,
    Deed,
    Entry,
    Incident,
    Outcome,
    Patience,
    advance,
    reopened,
)
from hub.contract.messages import Stage

PATIENCE = Patience()
NOTE_MAX = 2000  # characters


class Why(StrEnum):
    """Why an act was not done."""

    NOT_FOUND = "not_found"
    STALE = "stale"  # the incident has changed since the operator looked at it
    IS_CLOSED = "is_closed"
    NO_TEST = "no_test"  # it does not wait as a test, or does not any more
    NOT_CLOSED = "not_closed"
    NO_OUTCOME = "no_outcome"
    NOTE_NEEDED = "note_needed"
    NOTE_TOO_LONG = "note_too_long"


class Refusal(Struct, frozen=True):
    """An act that was not done, with the incident as it is; its `last_*` say who was first."""

    why: Why
    incident: Incident | None = None


class Act(Struct, frozen=True):
    """A person's act: who, when, and which version was looked at (None: any)."""

    by: str
    utc: float
    version: int | None = None
    patience: Patience = PATIENCE


def take(incident: Incident, act: Act) -> Change | Refusal:
    """Make `act.by` the holder. Taking one's own again renews it, or answers a new call."""
    refusal = _refuse(incident, act, incident.staged)
    if refusal:
        return refusal
    if incident.who == act.by and not incident.is_test:
        deed = Deed.RENEWED if incident.again_utc is None else Deed.ANSWERED
        return _act(incident, incident, act, deed)
    stage = Stage.PRESENT if incident.stage is Stage.PRESENT else Stage.ACCEPTED
    after = replace(incident, who=act.by, stage=stage, accepted_utc=act.utc)
    other = incident.who if incident.who != act.by else ""
    return _act(incident, after, act, Deed.TAKEN_OVER if other else Deed.TAKEN, text=other)


def send(incident: Incident, act: Act) -> Change | Refusal:
    """Note that somebody is on the way; from now on the home's green button means "I am here".

    Where nobody holds the incident, whoever sends somebody becomes its holder.
    """
    refusal = _refuse(incident, act, incident.staged)
    if refusal:
        return refusal
    after = replace(incident, sent_utc=act.utc)
    if not incident.who or incident.is_test:
        stage = Stage.PRESENT if incident.stage is Stage.PRESENT else Stage.ACCEPTED
        after = replace(after, who=act.by, stage=stage, accepted_utc=act.utc)
    return _act(incident, after, act, Deed.SENT)


def present(incident: Incident, act: Act) -> Change | Refusal:
    """Note that someone is with the resident; it ends after `present_expires_s` without an act."""
    refusal = _refuse(incident, act, incident.staged)
    if refusal:
        return refusal
    after = replace(
        incident,
        stage=Stage.PRESENT,
        who=act.by if incident.is_test else incident.who or act.by,
        present_utc=act.utc,
        expires_utc=act.utc + act.patience.present_expires_s,
        accepted_utc=incident.accepted_utc or act.utc,
    )
    return _act(incident, after, act, Deed.PRESENT)


def close(
    incident: Incident, act: Act, outcome: Outcome | None, text: str = ""
) -> Change | Refusal:
    """Close the incident with its outcome; refused if anything changed since `act.version`."""
    refusal = _refuse(incident, act, incident.version)
    if refusal:
        return refusal
    if outcome is None:
        return Refusal(Why.NO_OUTCOME, incident)
    if outcome.needs_note and not text.strip():
        return Refusal(Why.NOTE_NEEDED, incident)
    if len(text) > NOTE_MAX:
        return Refusal(Why.NOTE_TOO_LONG, incident)
    after = replace(incident, stage=Stage.CLOSED, outcome=outcome, closed_utc=act.utc)
    return _act(incident, after, act, Deed.CLOSED, outcome=outcome, text=text.strip())


def answer_test(incident: Incident, act: Act) -> Change | Refusal:
    """Close as a test what waits as one; refused where that time is over, or anything changed."""
    refusal = _refuse(incident, act, incident.version)
    if refusal:
        return refusal
    if not incident.is_test or act.utc >= (incident.test_utc or 0.0):
        return Refusal(Why.NO_TEST, incident)
    return close(incident, act, Outcome.TEST)


def reopen(incident: Incident, act: Act) -> Change | Refusal:
    """Open a closed incident again; nobody holds it until somebody takes it."""
    if _is_stale(incident, act, incident.version):
        return Refusal(Why.STALE, incident)
    if incident.is_open:
        return Refusal(Why.NOT_CLOSED, incident)
    return _act(incident, reopened(incident, act.utc), act, Deed.REOPENED)


def note(incident: Incident, act: Act, text: str) -> Change | Refusal:
    """Write a note into the timeline, closed or not; a note of the holder renews the take."""
    if not text.strip():
        return Refusal(Why.NOTE_NEEDED, incident)
    if len(text) > NOTE_MAX:
        return Refusal(Why.NOTE_TOO_LONG, incident)
    return _act(incident, incident, act, Deed.NOTED, text=text.strip())


def _refuse(incident: Incident, act: Act, since: int) -> Refusal | None:
    if _is_stale(incident, act, since):
        return Refusal(Why.STALE, incident)
    return None if incident.is_open else Refusal(Why.IS_CLOSED, incident)


def _is_stale(incident: Incident, act: Act, since: int) -> bool:
    return act.version is not None and not since <= act.version <= incident.version


def _act(
    before: Incident,
    after: Incident,
    act: Act,
    deed: Deed,
    *,
    outcome: Outcome | None = None,
    text: str = "",
) -> Change:
    if before.is_test and deed is Deed.NOTED:  # a word about it is no answer: its time runs on
        entry = Entry(act.utc, deed, version=0, by=act.by, text=text)
        return advance(before, after, entry)
    after = replace(after, test_utc=None)
    if act.by == after.who:
        lasts_s = act.patience.lasts_s(after.stage)
        after = replace(after, acted_utc=act.utc, again_utc=None, expires_utc=act.utc + lasts_s)
    entry = Entry(act.utc, deed, version=0, by=act.by, outcome=outcome, text=text)
    return advance(before, after, entry)
