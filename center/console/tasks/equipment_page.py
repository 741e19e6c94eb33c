"""The pages of failing equipment: the list of tasks, each task with its homes, and its form."""

from collections.abc import Collection

from msgspec import Struct
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import address, show
from center.console.tasks import calls, equipment_view
from center.console.tasks.calls import Draft
from center.console.tasks.equipment_view import Person, TaskLine
from center.console.visit import Visit, acted, field, note_of, visited, whole
from center.domain.need import Called, WhyNot
from center.domain.times import DAY_S
from center.service import homes
from center.service.desk import Desk
from center.service.homes import NotHandledError
from center.service.refusals import CONFLICT
from center.store.rows import hubs, needs, parts, records
from center.store.rows.needs import Task
from center.store.rows.parts import AreaTask, Row

ON_BOARD = 8  # rows; the board is mainly for calls
LISTED = 200
DONE_DAYS = 30
PAGE = 50  # homes
PAGE_DIGITS = 5  # of the number of a page


class Board(Struct, frozen=True):
    """The tasks that the board shows, and how many more there are."""

    lines: tuple[TaskLine, ...]
    more: int


class Look(Struct, frozen=True):
    """A task with a page of its homes, in one snapshot."""

    task: AreaTask
    parts: tuple[Row, ...]
    count: int
    notes: Task
    people: dict[str, Person]


def routes(desk: Desk) -> list[Route]:
    """Return the routes."""
    return [
        visited("/tasks", desk, _list),
        visited("/tasks/{id}", desk, _read),
        acted("/tasks/{id}", desk, _act),
        acted("/homes/{hub}/test", desk, _tell_of_test),
    ]


async def board(visit: Visit) -> Board:
    """Return what the board shows of equipment."""
    lines = await _lines(visit, ON_BOARD) if visit.equipment.tasks else []
    return Board(tuple(lines), max(0, visit.equipment.tasks - len(lines)))


async def _lines(visit: Visit, limit: int) -> list[TaskLine]:
    tasks = await visit.desk.store.ask(parts.areas_open, limit)
    people = await visit.desk.store.ask(_people, {task.hub for task in tasks})
    return [equipment_view.line(task, people, visit.viewer) for task in tasks]


async def _list(visit: Visit) -> Response:
    since = visit.viewer.now - DONE_DAYS * DAY_S
    done = await visit.desk.store.ask(parts.areas_done, since, LISTED)
    people = await visit.desk.store.ask(_people, {task.hub for task in done})
    return show(
        visit.request,
        "homes/equipment.html",
        page=visit.page("tasks", visit.t("equipment.title"), "/tasks"),
        lines=await _lines(visit, LISTED),
        done=[equipment_view.line(task, people, visit.viewer) for task in done],
    )


async def _read(visit: Visit) -> Response:
    return await _page(visit, Draft())


async def _page(visit: Visit, draft: Draft, status: int = 200) -> Response:
    ident = visit.request.path_params["id"]
    number = max(1, whole(visit.request.query_params.get("page", ""), PAGE_DIGITS) or 1)
    found = await visit.desk.store.ask(_look, ident, number)
    if found is None:
        return visit.error(404, visit.t("equipment.not_found"))
    line = equipment_view.line(found.task, found.people, visit.viewer)
    path = f"/tasks/{ident}"
    pages = max(1, -(-found.count // PAGE))
    return show(
        visit.request,
        "homes/equipment_task.html",
        status,
        page=visit.page("tasks", f"{line.kind.text} · {line.where}", _at(path, number)),
        task=line,
        parts=[equipment_view.part(row, found.people, visit.viewer) for row in found.parts],
        notes=equipment_view.notes(found.notes.notes, visit.viewer),
        draft=draft,
        path=path,
        number=number,
        pages=pages,
        newer=_at(path, number - 1) if number > 1 else "",
        older=_at(path, number + 1) if number < pages else "",
    )


async def _act(visit: Visit) -> Response:
    form = await visit.request.form()
    ident = visit.request.path_params["id"]
    wish, version = field(form, "result"), whole(field(form, "version"))
    result = Called(wish) if wish in set(Called) - {Called.BY_ITSELF, Called.BY_INCIDENT} else None
    tried = homes.trying(visit.desk, visit.person.name, result, note_of(form))
    try:
        await homes.call(visit.desk, {ident: -1 if version is None else version}, tried)
    except NotHandledError as error:
        return await _refused(visit, form, error)
    return RedirectResponse("/" if form.get("from") == "board" else f"/tasks/{ident}", 303)


async def _refused(visit: Visit, form: FormData, refused: NotHandledError) -> Response:
    if refused.why is WhyNot.NOT_FOUND:
        return visit.error(404, visit.t("equipment.not_found"))
    draft = Draft("", field(form, "note"), calls.problem_of(visit, refused))
    return await _page(visit, draft, CONFLICT if refused.is_conflict else 422)


async def _tell_of_test(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    if not await visit.desk.store.ask(_is_known, hub):
        return visit.error(404, visit.t("home.not_found"))
    await homes.tell_of_test(visit.desk, hub, visit.person.name)
    form = await visit.request.form()
    return RedirectResponse("/calls-today" if form.get("from") == "calls" else homes.path(hub), 303)


def _look(conn: Connection, ident: str, number: int) -> Look | None:
    task = parts.area_task(conn, ident)
    if task is None or not task.need.kind.is_of_area:
        return None
    shown = parts.parts_of(conn, ident, PAGE, (number - 1) * PAGE)
    people = _people(conn, {task.hub, *(part.hub for part in shown)})
    count = parts.count_parts(conn, ident)
    return Look(task, tuple(shown), count, needs.task(conn, task.need), people)


def _people(conn: Connection, hubs: Collection[str]) -> dict[str, Person]:
    return {hub: Person(*found) for hub, found in records.names_and_phones(conn, hubs).items()}


def _is_known(conn: Connection, hub: str) -> bool:
    return bool(hubs.known(conn, hub))


def _at(path: str, number: int) -> str:
    return address(path, page=str(number) if number > 1 else "")
