"""An incident's stages, timeline and possible outcomes in words. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from center.console.view import Viewer
from center.console.vitals import limits
from center.domain import times
from center.domain.incident import Deed, Entry, Incident, Outcome
from center.service.texts import Texts
from hub.contract.messages import Stage
from hub.contract.reading import ALL
from hub.contract.scaip import DETECTED, HAZARDS, Kind

_OF_KINDS = {
    Outcome.MISHEARD: frozenset({Kind.SPOKEN}),
    Outcome.MADE_SAFE: DETECTED,
    Outcome.COOKING: HAZARDS,
}


class Step(Struct, frozen=True):
    """One stage: its name, its time or what is known of it, whether it is reached or current."""

    name: str
    at: str
    detail: str
    done: bool
    current: bool


class Line(Struct, frozen=True):
    """A line of the timeline: the centre's time, who, what, and what the hub said of its time."""

    at: str
    full: str
    who: str
    did: str
    text: str
    hub_time: str
    doubtful: bool
    device: str


class Choice(Struct, frozen=True):
    """An outcome to choose."""

    value: str
    text: str
    needs_note: bool


def steps(incident: Incident, viewer: Viewer) -> tuple[Step, ...]:
    """Return the six stages. `sent` shows how long the call took to arrive, not a time."""
    t = viewer.t
    raised = times.short(incident.raised_utc, viewer.now) if incident.synced else ""
    rows: list[tuple[Stage, str, str]] = [
        (Stage.RAISED, raised or t("stage.unknown_time"), "" if raised else t("call.unsynced")),
        (Stage.SENT, _took(incident, t), ""),
        (Stage.RECEIVED, times.short(incident.received_utc, viewer.now), ""),
        (Stage.ACCEPTED, _at(incident.accepted_utc, viewer), incident.who),
        (Stage.PRESENT, _at(incident.present_utc, viewer), ""),
        (Stage.CLOSED, _at(incident.closed_utc, viewer), _outcome(incident.outcome, t)),
    ]
    return tuple(
        Step(
            name=t(f"stage.{stage}"),
            at=at or t("stage.pending"),
            detail=detail,
            done=bool(at),
            current=stage is incident.stage,
        )
        for stage, at, detail in rows
    )


def line(entry: Entry, viewer: Viewer) -> Line:
    """Return an entry of the timeline in words."""
    t = viewer.t
    from_hub = bool(entry.event)
    place = entry.place or t("call.no_place")
    happened = entry.happened_utc
    key = "unsynced" if not entry.synced else "hub_time"
    time = times.short(happened, viewer.now) if happened is not None else ""
    return Line(
        at=times.short(entry.utc, viewer.now),
        full=times.in_full(entry.utc),
        who=entry.by or t("timeline.by_hub" if from_hub else "timeline.by_clock"),
        did=_did(entry, t),
        text=_text(entry, t),
        hub_time=t(f"timeline.{key}", time=time) if time else "",
        doubtful=not entry.synced,
        device=t("timeline.device", device=entry.device, place=place) if entry.device else "",
    )


def meanwhile(incident: Incident, t: Texts) -> str:
    """Return plainly who changed the incident last, and what they did."""
    deed = incident.last_deed.value
    if incident.last_deed is Deed.REOPENED and not incident.last_by:
        deed = "reopened_by_press"
    elif incident.is_pressed and incident.last_deed in {
        Deed.RAISED,
        Deed.REPEATED,
    }:
        deed = f"{deed}_by_press"
    return t(f"last.{deed}", who=incident.last_by, time=times.of_day(incident.last_utc))


def unread(places: str, t: Texts) -> str:
    """Return in words what of a call could not be read."""
    parts = places.split()
    return t("incident.unread_all") if ALL in parts else ", ".join(parts)


def outcomes(kind: Kind, t: Texts) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    """Return the outcomes to choose from, grouped: real needs, then false alarms by cause.

    What fits one kind alone stands first there, and is not offered for any other.
    """
    own = [o for o, kinds in _OF_KINDS.items() if kind in kinds]
    some = [*own, *(o for o in Outcome if o not in _OF_KINDS)]
    return (
        (t("incident.real"), _choices((o for o in some if not o.is_false_alarm), t)),
        (t("incident.false"), _choices((o for o in some if o.is_false_alarm), t)),
    )


def _choices(some: Iterable[Outcome], t: Texts) -> tuple[Choice, ...]:
    return tuple(Choice(o.value, t(f"outcome.{o}"), o.needs_note) for o in some)


def _did(entry: Entry, t: Texts) -> str:
    if entry.deed is Deed.REOPENED and not entry.by:
        return t("deed.reopened_by_press")
    return t(f"deed.{entry.deed}", text=entry.text, outcome=_outcome(entry.outcome, t))


def _text(entry: Entry, t: Texts) -> str:
    match entry.deed:
        case Deed.TAKEN_OVER | Deed.EXPIRED | Deed.UNANSWERED | Deed.RETURNED:
            return ""  # their sentence has it already
        case Deed.PRESENT_EXPIRED:
            return ""
        case Deed.RAISED | Deed.REPEATED:
            return t.word("kind", entry.text) if entry.text else ""
        case Deed.UNREAD:
            return unread(entry.text, t)
        case Deed.RECORD_CHANGED:
            return ", ".join(_field(name, t) for name in entry.text.split())
        case Deed.LIMITS_CHANGED:
            return limits.told(entry.text, t)
        case Deed.VITALS_SHARED:
            return t("vitals.shared", n=entry.text)
        case Deed.CALLED:
            kind, _, result = entry.text.partition(" ")
            return f"{t.word('need', kind)} · {t.word('called', result)}"
        case Deed.ANNOUNCED | Deed.WITHDRAWN:
            ident, _, homes = entry.text.partition(" ")
            return t("announce.audited", id=ident, n=homes)
        case _:
            return entry.text


def _field(name: str, t: Texts) -> str:
    group, _, item = name.rpartition(".")
    if group:
        return f"{t('record.consents')}: {t.word('consent', item)}"
    return t.word("record", name)


def _outcome(outcome: Outcome | None, t: Texts) -> str:
    return t(f"outcome.{outcome}") if outcome else ""


def _at(utc: float | None, viewer: Viewer) -> str:
    return times.short(utc, viewer.now) if utc is not None else ""


def _took(incident: Incident, t: Texts) -> str:
    if not incident.synced:
        return t("stage.unknown_time")
    seconds = max(0.0, incident.received_utc - incident.raised_utc)
    if seconds < 10:  # noqa: PLR2004 - below it a tenth of a second still says something
        return t("stage.took", seconds=f"{seconds:.1f}")
    return t("stage.took_long", clock=times.span(seconds))
