"""The call list: whom to call and why, what was tried; and the form for a call's result."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.lengths import clock
from center.console.view import Badge, Viewer, title
from center.console.visit import Visit, acted, field, note_of, visited, whole
from center.domain import times
from center.domain.incident import Incident
from center.domain.need import CHOICES, Called, Need, NeedKind, Try, WhyNot
from center.domain.record import Contact, Kept
from center.service import homes
from center.service.desk import Desk
from center.service.homes import NotHandledError
from center.service.refusals import CONFLICT
from center.store.rows import needs, parts, records
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
    is_press: bool = False  # a button is to be tested together
    told: str = ""  # of a test press: who announced it, and until when


class HomeTasks(Struct, frozen=True):
    """All tasks of one home: one call is for all of them."""

    hub: str
    name: str
    phone: str
    contacts: tuple[Contact, ...]
    needs: tuple[NeedView, ...]
    incident: str  # an open one of the same home
    incident_title: str


class Draft(Struct, frozen=True):
    """What was typed into a form that was refused, and why; `of` is the home."""

    of: str = ""
    note: str = ""
    problem: str = ""


class Look(Struct, frozen=True):
    """The tasks and the records of their homes, in one snapshot."""

    waiting: tuple[Task, ...]
    done: tuple[Task, ...]
    kept: dict[str, Kept]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the call list."""
    return [visited("/calls-today", desk, _read), acted("/calls-today/{hub}", desk, _call)]


async def _read(visit: Visit) -> Response:
    return await _page(visit, Draft())


async def _page(visit: Visit, draft: Draft, status: int = 200) -> Response:
    today = times.day_start(times.day_of(visit.viewer.now)) or 0.0
    found = await visit.desk.store.ask(look, today)
    return show(
        visit.request,
        "homes/calls.html",
        status,
        page=visit.page("calls", visit.t("calls_today.title"), "/calls-today"),
        waiting=waiting(found, visit),
        done=done(found, visit),
        choices=CHOICES,
        draft=draft,
    )


async def _call(visit: Visit) -> Response:
    form = await visit.request.form()
    hub = visit.request.path_params["hub"]
    wish = field(form, "result")
    tried = homes.trying(
        visit.desk,
        visit.person.name,
        Called(wish) if wish in set(CHOICES) else None,
        note_of(form),
    )
    try:
        await homes.call(visit.desk, _looked(form), tried)
    except NotHandledError as error:
        return await _refused(visit, hub, tried, error)
    return RedirectResponse(homes.path(hub) if form.get("from") == "home" else "/calls-today", 303)


def _looked(form: FormData) -> dict[str, int | None]:
    """Return the chosen tasks, each with the version that the page showed; -1 if missing."""
    versions: dict[str, int] = {}
    for text in map(str, form.getlist("version")):
        ident, _, number = text.rpartition(":")
        version = whole(number)
        versions[ident] = -1 if version is None else version
    return {ident: versions.get(ident, -1) for ident in map(str, form.getlist("need"))}


async def _refused(visit: Visit, hub: str, tried: Try, refused: NotHandledError) -> Response:
    if refused.why is WhyNot.NOT_FOUND:
        return visit.error(404, visit.t("need.why_not_found"))
    problem = problem_of(visit, refused)
    return await _page(
        visit, Draft(hub, tried.note, problem), CONFLICT if refused.is_conflict else 422
    )


def problem_of(visit: Visit, refused: NotHandledError) -> str:
    """Return why a call was not noted, and what somebody else did meanwhile."""
    problem = visit.t(f"need.why_{refused.why}")
    if refused.is_conflict and refused.need:
        return f"{problem} {meanwhile(refused.need, visit.viewer)}"
    return problem


def look(conn: Connection, today_utc: float, hub: str | None = None) -> Look:
    """Read the tasks that wait and those that ended since `today_utc`; of one home or of all."""
    pressed = parts.devices(conn)
    waiting = [
        replace(task, devices=pressed.get(task.need.id, ())) for task in needs.still_open(conn, hub)
    ]
    done = needs.done_since(conn, today_utc, hub)
    known = {task.need.hub: records.find(conn, task.need.hub) for task in (*waiting, *done)}
    return Look(tuple(waiting), tuple(done), {hub: kept for hub, kept in known.items() if kept})


def waiting(found: Look, visit: Visit) -> list[HomeTasks]:
    """Return the waiting tasks in words, by home."""
    by_hub = newest_by_hub(visit.still_open)
    return by_home(found.waiting, found.kept, by_hub, visit.viewer)


def done(found: Look, visit: Visit) -> list[NeedView]:
    """Return the tasks that ended, in words."""
    return [view(one, found.kept.get(one.need.hub), visit.viewer) for one in found.done]


def newest_by_hub(incidents: tuple[Incident, ...]) -> dict[str, Incident]:
    """Return the newest incident of each home."""
    return {one.hub: one for one in sorted(incidents, key=lambda one: one.received_utc)}


def by_home(
    tasks: Iterable[Task],
    kept: Mapping[str, Kept],
    incidents: Mapping[str, Incident],
    viewer: Viewer,
) -> list[HomeTasks]:
    """Return tasks by home, in their order; `incidents` has the open one of a home.

    Homes where only a button is to be tested come last.
    """
    some: dict[str, list[Task]] = {}
    for task in tasks:
        some.setdefault(task.need.hub, []).append(task)
    homes = [
        _home(hub, found, kept.get(hub), incidents.get(hub), viewer) for hub, found in some.items()
    ]
    return sorted(homes, key=lambda home: all(need.is_press for need in home.needs))


def _home(
    hub: str, tasks: list[Task], kept: Kept | None, incident: Incident | None, viewer: Viewer
) -> HomeTasks:
    record = kept.record if kept else None
    return HomeTasks(
        hub=hub,
        name=record.name if record else "",
        phone=record.phone if record else "",
        contacts=record.contacts if record else (),
        needs=tuple(view(task, kept, viewer) for task in tasks),
        incident=incident.id if incident else "",
        incident_title=title(incident, viewer.t) if incident else "",
    )


def view(task: Task, kept: Kept | None, viewer: Viewer) -> NeedView:
    """Return a task in words."""
    need, t = task.need, viewer.t
    unit, count = times.ago(viewer.now - need.since_utc)
    return NeedView(
        id=need.id,
        hub=need.hub,
        name=kept.record.name if kept else "",
        version=need.version,
        kind=kind(need.kind, viewer),
        since=need.since_utc,
        since_at=clock(need.since_utc, viewer.now),
        ago=t(f"ago.{unit}", n=count),
        said=_said(task, viewer),
        badges=tuple(_badges(need, viewer)),
        tried=tuple(tried(note, viewer) for note in task.notes),
        done=meanwhile(need, viewer) if not need.is_open else "",
        is_press=need.kind is NeedKind.PRESS_DUE,
        told=_told(need, viewer),
    )


def kind(which: NeedKind, viewer: Viewer) -> Badge:
    """Return a kind of task as icon and word."""
    shape, tone = _LOOK.get(which, ("ring", "warn"))
    return Badge(shape, tone, viewer.t(f"need.{which}"))


def tried(note: Note, viewer: Viewer) -> Tried:
    """Return in words what somebody did about a task."""
    return Tried(clock(note.utc, viewer.now), note.by, viewer.t(f"called.{note.result}"), note.text)


def meanwhile(need: Need, viewer: Viewer) -> str:
    """Return who called last, when, and with what result; empty where nobody has."""
    if need.result is None or need.called_utc is None:
        return ""
    when = clock(need.called_utc, viewer.now)
    pressed = need.kind is NeedKind.PRESS_DUE and need.result is Called.BY_ITSELF
    result = "pressed" if pressed else need.result
    return viewer.t(f"need.last_{result}", who=need.called_by, time=when)


def _told(need: Need, viewer: Viewer) -> str:
    if need.kind is not NeedKind.PRESS_DUE or not need.taken_by or need.until_utc is None:
        return ""
    if not need.is_open or need.until_utc <= viewer.now:
        return ""
    return viewer.t("press.told", who=need.taken_by, time=clock(need.until_utc, viewer.now))


def _said(task: Task, viewer: Viewer) -> str:
    need, parts = task.need, []
    if task.devices:
        parts.append(viewer.t("press.devices", names=", ".join(task.devices)))
    if need.kind is NeedKind.LOW_MOOD and need.score:
        parts.append(viewer.t("need.score", n=need.score))
    if need.last_utc - need.since_utc > 600:  # noqa: PLR2004 - ten minutes: not the same word twice
        parts.append(viewer.t("need.again", time=clock(need.last_utc, viewer.now)))
    return " · ".join(parts)


def _badges(need: Need, viewer: Viewer) -> list[Badge]:
    some = []
    if times.is_before_today(need.since_utc, viewer.now):
        some.append(Badge("clock", "bad", viewer.t("need.since_before")))
    if need.eased_utc is not None:
        when = clock(need.eased_utc, viewer.now)
        some.append(Badge("check", "good", viewer.t("need.eased", time=when)))
    if need.tries:
        some.append(Badge("bell", "warn", viewer.t("need.tries", n=need.tries)))
    return some
