"""The form in which operators write a home's record."""

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.visit import Visit, acted, visited
from center.domain import times
from center.domain.record import CONTACTS_MAX, ConsentItem, Kept
from center.homes import edit_form
from center.homes.edit_form import CONTACT, LINES, TEXTS, record_of, typed_of
from center.service import homes
from center.service.desk import Desk
from center.service.homes import NotKeptError
from center.store.rows import records

BLANKS = 2  # contacts that may be added at once


def routes(desk: Desk) -> list[Route]:
    """Give the routes of the form."""
    path = "/homes/{hub}/edit"
    return [visited(path, desk, _read), acted(path, desk, _write)]


async def _read(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    kept = await visit.desk.store.ask(records.find, hub)
    if kept is None:
        return visit.error(404, visit.t("home.not_found"))
    if not visit.bare:
        await homes.note_record_seen(visit.desk, hub, visit.person.name, again=False)
    return _page(visit, kept, typed_of(kept.record), kept.version)


async def _write(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    kept = await visit.desk.store.ask(records.find, hub)
    if kept is None:
        return visit.error(404, visit.t("home.not_found"))
    form = await visit.request.form()
    typed = {name: str(value) for name, value in form.items()}
    said = typed.get("version", "")
    version = int(said) if said.isdecimal() and len(said) < 10 else -1  # noqa: PLR2004 - an INTEGER
    record, problems = record_of(typed)
    if problems:
        return _page(visit, kept, typed, version, problems, status=422)
    try:
        await homes.keep(visit.desk, hub, record, visit.person.name, version)
    except NotKeptError as error:
        return _page(visit, error.refused.kept, typed, error.refused.kept.version, status=409)
    return RedirectResponse(homes.path(hub), 303)


def _page(
    visit: Visit,
    kept: Kept,
    typed: Mapping[str, str],
    version: int,
    problems: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    t, found = visit.t, problems or {}
    problem = t("record.problems", n=len(found)) if found else ""
    if status == 409:  # noqa: PLR2004 - HTTP's own number
        when = times.short(kept.changed_utc, visit.eye.now)
        key = "record.stale" if kept.changed_by else "record.stale_here"
        problem = t(key, who=kept.changed_by, time=when)
    return show(
        visit.request,
        "homes/edit.html",
        status,
        page=visit.page("edit", t("record.edit_title"), homes.path(kept.hub, "edit")),
        hub=kept.hub,
        typed=typed,
        version=version,
        problem=problem,
        stale=status == 409,  # noqa: PLR2004 - HTTP's own number
        problems=found,
        lines=(*LINES[:1], "birth_year", *LINES[1:]),
        texts=TEXTS,
        contacts=range(min(CONTACTS_MAX, _contacts(typed) + BLANKS)),
        contact_parts=CONTACT,
        items=tuple(ConsentItem),
        yes=edit_form.YES,
        no=edit_form.NO,
    )


def _contacts(typed: Mapping[str, str]) -> int:
    filled = [
        number
        for number in range(CONTACTS_MAX)
        if any(typed.get(f"contact-{number}-{part}") for part in CONTACT)
    ]
    return max(filled, default=-1) + 1
