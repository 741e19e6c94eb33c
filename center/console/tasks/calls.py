"""Tasks in words: whom to call and why, what was tried, what an operator should know. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from center.console.lengths import clock
from center.console.view import Badge, Eye, title
from center.domain import times
from center.domain.incident import Incident
from center.domain.need import Called, Need, NeedKind
from center.domain.record import Contact, Kept
from center.store.rows.needs import Note, Task

_LOOK = {  # kind -> (shape, tone)
    NeedKind.MISSED_CHECKIN: ("octagon", "bad"),
    NeedKind.NOT_BACK: ("octagon", "bad"),
    NeedKind.WORDLESS: ("octagon", "bad"),
    NeedKind.UNWELL: ("triangle", "warn"),
    NeedKind.LOW_MOOD: ("triangle", "warn"),
    NeedKind.COUNSELLING: ("person", "plain"),
    NeedKind.UNCLEAR: ("ring", "plain"),
    NeedKind.PRESS_DUE: ("bell", "plain"),
    NeedKind.HUB_LOST: ("away", "bad"),
    NeedKind.TRIGGER_FAULT: ("octagon", "bad"),
    NeedKind.DEVICE_FAULT: ("triangle", "plain"),
}


class Tried(Struct, frozen=True):
    """A call that was made: when, by whom, with what result and note."""

    at: str
    by: str
    result: str
    text: str


class NeedView(Struct, frozen=True):
    """A task: why to call, since when, what was tried; `done` once it is dealt with."""

    id: str
    hub: str
    name: str
    version: int
    kind: Badge
    since: float
    since_at: str
    ago: str
    said: str  # by the home again, or its score
    badges: tuple[Badge, ...]
    tried: tuple[Tried, ...]
    done: str
    is_press: bool = False  # a button is to be tried together
    told: str = ""  # of a test press: who told of it, and until when


class HomeTasks(Struct, frozen=True):
    """All that waits at one home: one call is for all of it."""

    hub: str
    name: str
    phone: str
    contacts: tuple[Contact, ...]
    needs: tuple[NeedView, ...]
    incident: str  # an open one of the same home
    incident_title: str


def by_home(
    tasks: Iterable[Task], kept: Mapping[str, Kept], incidents: Mapping[str, Incident], eye: Eye
) -> list[HomeTasks]:
    """Gather tasks by home, in the order in which they come; `incidents` holds open ones.

    Homes where only a button is to be tried come last.
    """
    some: dict[str, list[Task]] = {}
    for task in tasks:
        some.setdefault(task.need.hub, []).append(task)
    homes = [
        _home(hub, found, kept.get(hub), incidents.get(hub), eye) for hub, found in some.items()
    ]
    return sorted(homes, key=lambda home: all(need.is_press for need in home.needs))


def view(task: Task, kept: Kept | None, eye: Eye) -> NeedView:
    """Word a task."""
    need, t = task.need, eye.t
    unit, count = times.ago(eye.now - need.since_utc)
    return NeedView(
        id=need.id,
        hub=need.hub,
        name=kept.record.name if kept else "",
        version=need.version,
        kind=kind(need.kind, eye),
        since=need.since_utc,
        since_at=clock(need.since_utc, eye.now),
        ago=t(f"ago.{unit}", n=count),
        said=_said(task, eye),
        badges=tuple(_badges(need, eye)),
        tried=tuple(tried(note, eye) for note in task.notes),
        done=meanwhile(need, eye) if not need.is_open else "",
        is_press=need.kind is NeedKind.PRESS_DUE,
        told=_told(need, eye),
    )


def _home(
    hub: str, tasks: list[Task], kept: Kept | None, incident: Incident | None, eye: Eye
) -> HomeTasks:
    record = kept.record if kept else None
    return HomeTasks(
        hub=hub,
        name=record.name if record else "",
        phone=record.phone if record else "",
        contacts=record.contacts if record else (),
        needs=tuple(view(task, kept, eye) for task in tasks),
        incident=incident.id if incident else "",
        incident_title=title(incident, eye.t) if incident else "",
    )


def meanwhile(need: Need, eye: Eye) -> str:
    """Say who called last, when, and with what result; nothing where nobody has."""
    if need.result is None or need.called_utc is None:
        return ""
    when = clock(need.called_utc, eye.now)
    pressed = need.kind is NeedKind.PRESS_DUE and need.result is Called.BY_ITSELF
    result = "pressed" if pressed else need.result
    return eye.t(f"need.last_{result}", who=need.called_by, time=when)


def _told(need: Need, eye: Eye) -> str:
    if need.kind is not NeedKind.PRESS_DUE or not need.taken_by or need.until_utc is None:
        return ""
    if not need.is_open or need.until_utc <= eye.now:
        return ""
    return eye.t("press.told", who=need.taken_by, time=clock(need.until_utc, eye.now))


def _said(task: Task, eye: Eye) -> str:
    need, parts = task.need, []
    if task.devices:
        parts.append(eye.t("press.devices", names=", ".join(task.devices)))
    if need.kind is NeedKind.LOW_MOOD and need.score:
        parts.append(eye.t("need.score", n=need.score))
    if need.last_utc - need.since_utc > 600:  # noqa: PLR2004 - ten minutes: not the same word twice
        parts.append(eye.t("need.again", time=clock(need.last_utc, eye.now)))
    return " · ".join(parts)


def _badges(need: Need, eye: Eye) -> list[Badge]:
    some = []
    if times.is_before_today(need.since_utc, eye.now):
        some.append(Badge("clock", "bad", eye.t("need.since_before")))
    if need.eased_utc is not None:
        when = clock(need.eased_utc, eye.now)
        some.append(Badge("check", "good", eye.t("need.eased", time=when)))
    if need.tries:
        some.append(Badge("bell", "warn", eye.t("need.tries", n=need.tries)))
    return some


def kind(which: NeedKind, eye: Eye) -> Badge:
    """Name a kind of task, with its shape."""
    shape, tone = _LOOK.get(which, ("ring", "warn"))
    return Badge(shape, tone, eye.t(f"need.{which}"))


def tried(note: Note, eye: Eye) -> Tried:
    """Word what somebody did about a task."""
    return Tried(clock(note.utc, eye.now), note.by, eye.t(f"called.{note.result}"), note.text)
