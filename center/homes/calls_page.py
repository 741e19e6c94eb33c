"""The call list: whom somebody should call today, the oldest first, and what came of it."""

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.tasks import calls
from center.console.tasks.calls import HomeTasks, NeedView
from center.console.visit import Visit, acted, visited
from center.domain import times
from center.domain.incident import Incident
from center.domain.need import CHOICES, Called, NotHandled, Try, WhyNot
from center.domain.record import Kept
from center.service import homes
from center.service.desk import Desk
from center.service.homes import NotHandledError
from center.store.rows import needs, parts, records
from center.store.rows.needs import Task

CONFLICT = frozenset({WhyNot.STALE, WhyNot.IS_DONE})


class Draft(Struct, frozen=True):
    """What was typed where it was not accepted, and why not; `of` is the home."""

    of: str = ""
    note: str = ""
    problem: str = ""


class Look(Struct, frozen=True):
    """The tasks and the records of their homes, in one snapshot."""

    waiting: tuple[Task, ...]
    done: tuple[Task, ...]
    kept: dict[str, Kept]


def routes(desk: Desk) -> list[Route]:
    """Give the routes of the call list."""
    return [visited("/calls-today", desk, _read), acted("/calls-today/{hub}", desk, _call)]


def look(conn: Connection, today_utc: float, hub: str | None = None) -> Look:
    """Read what waits and what was dealt with today; of one home or of all."""
    pressed = parts.devices(conn)
    waiting = [
        replace(task, devices=pressed.get(task.need.id, ())) for task in needs.still_open(conn, hub)
    ]
    done = needs.done_since(conn, today_utc, hub)
    known = {task.need.hub: records.find(conn, task.need.hub) for task in (*waiting, *done)}
    return Look(tuple(waiting), tuple(done), {hub: kept for hub, kept in known.items() if kept})


def waiting(found: Look, visit: Visit) -> list[HomeTasks]:
    """Word what waits, by home."""
    by_hub = newest_by_hub(visit.still_open)
    return calls.by_home(found.waiting, found.kept, by_hub, visit.eye)


def done(found: Look, visit: Visit) -> list[NeedView]:
    """Word what was dealt with."""
    return [calls.view(one, found.kept.get(one.need.hub), visit.eye) for one in found.done]


def newest_by_hub(incidents: tuple[Incident, ...]) -> dict[str, Incident]:
    """Give the newest incident of each home."""
    return {one.hub: one for one in sorted(incidents, key=lambda one: one.received_utc)}


async def _read(visit: Visit) -> Response:
    return await _page(visit, Draft())


async def _page(visit: Visit, draft: Draft, status: int = 200) -> Response:
    today = times.day_start(times.day_of(visit.eye.now)) or 0.0
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
    wish = str(form.get("result", ""))
    tried = homes.trying(
        visit.desk,
        visit.person.name,
        Called(wish) if wish in set(CHOICES) else None,
        str(form.get("note", "")).replace("\r\n", "\n"),
    )
    try:
        await homes.call(visit.desk, _looked(form), tried)
    except NotHandledError as error:
        return await _refused(visit, hub, tried, error.refused)
    return RedirectResponse(homes.path(hub) if form.get("from") == "home" else "/calls-today", 303)


def _looked(form: FormData) -> dict[str, int | None]:
    """Read the chosen tasks, each with the version that the page showed; -1 fits none."""
    versions: dict[str, int] = {}
    for text in map(str, form.getlist("version")):
        ident, _, number = text.rpartition(":")
        fits = number.isdecimal() and len(number) < 10  # noqa: PLR2004 - an INTEGER
        versions[ident] = int(number) if fits else -1
    return {ident: versions.get(ident, -1) for ident in map(str, form.getlist("need"))}


async def _refused(visit: Visit, hub: str, tried: Try, refused: NotHandled) -> Response:
    if refused.why is WhyNot.NOT_FOUND:
        return visit.error(404, visit.t("need.why_not_found"))
    problem = visit.t(f"need.why_{refused.why}")
    conflict = refused.why in CONFLICT
    if conflict and refused.need:
        problem = f"{problem} {calls.meanwhile(refused.need, visit.eye)}"
    return await _page(visit, Draft(hub, tried.note, problem), 409 if conflict else 422)
