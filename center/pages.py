"""The console's pages: board, incident, hubs, audit, sign-in, and what they are made of."""

from pathlib import Path

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from center import casework, dossier, gate, moments, queries, rooms, search
from center.announcing import pages as announced
from center.announcing import writing
from center.auth import Role
from center.desk import Desk
from center.frame import address, show
from center.homes import (
    calls_page,
    checkins_page,
    edit_page,
    equipment_page,
    home_page,
    rates_page,
    record_rows,
    sheet_page,
    why,
)
from center.hubs import Seen
from center.views import arrange
from center.visit import Visit, visited

STATIC = Path(__file__).parent / "static"
CLOSED_SHOWN = 12
AUDIT_LINES = 50
ICON_MAX = 9  # more calls than that are "9+"


class AuditRow(Struct, frozen=True):
    """A row of the audit page."""

    incident: str
    hub: str
    line: dossier.Line


def routes(desk: Desk) -> list[BaseRoute]:
    """Give all routes of the console."""
    return [
        visited("/", desk, _board),
        visited("/hubs", desk, _hubs),
        visited("/audit", desk, _audit, Role.SUPERVISOR),
        *casework.routes(desk),
        *writing.routes(desk),
        *announced.routes(desk),
        *calls_page.routes(desk),
        *checkins_page.routes(desk),
        *edit_page.routes(desk),
        *sheet_page.routes(desk),
        *equipment_page.routes(desk),
        *home_page.routes(desk),
        *rates_page.routes(desk),
        *gate.routes(desk),
        Route("/icon/{count:int}.svg", _icon),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


async def _board(visit: Visit) -> Response:
    ask = visit.desk.store.ask
    closed = await ask(queries.incidents, queries.Which.CLOSED, CLOSED_SHOWN)
    page = visit.page("board", visit.t("board.title"), "/")
    board = arrange(visit.still_open, closed, visit.eye)
    reasons = {one.id: why.brief(one, visit.eye) for one in visit.still_open}
    names = await ask(record_rows.names, {one.hub for one in (*visit.still_open, *closed)})
    return show(
        visit.request,
        "board.html",
        page=page,
        board=board,
        names=names,
        reasons=reasons,
        hidden=visit.hidden,
        equipment=await equipment_page.board(visit),
    )


async def _hubs(visit: Visit) -> Response:
    wish = visit.request.query_params.get("q", "")[:64]
    listening_utc = visit.desk.link.listening_utc
    hubs = await visit.desk.store.ask(queries.hubs)
    last = await visit.desk.store.ask(search.last_calls)
    names = await visit.desk.store.ask(record_rows.names)
    rows = [
        rooms.row(hub, last.get(hub.hub), visit.eye, listening_utc, names.get(hub.hub, ""))
        for hub in hubs
    ]
    return show(
        visit.request,
        "hubs.html",
        page=visit.page("hubs", visit.t("hubs.title"), address("/hubs", q=wish)),
        q=wish,
        total=len(rows),
        ready=sum(row.seen is Seen.READY for row in rows),
        rows=sorted((row for row in rows if rooms.fits(row, wish)), key=rooms.worst_first),
    )


async def _audit(visit: Visit) -> Response:
    asked = visit.request.query_params
    names = ("incident", "hub", "operator", "since", "until")
    given = {name: asked.get(name, "").strip()[:64] for name in names}
    before = asked.get("before", "")
    wish = _wish(given, before)
    lines = await visit.desk.store.ask(search.audit, wish, AUDIT_LINES + 1)
    shown = lines[:AUDIT_LINES]
    older = str(shown[-1].seq) if len(lines) > AUDIT_LINES else ""
    return show(
        visit.request,
        "audit.html",
        page=visit.page("audit", visit.t("audit.title"), address("/audit", **given, before=before)),
        wish=given,
        rows=[
            AuditRow(line.incident, line.entry.hub, dossier.line(line.entry, visit.eye))
            for line in shown
        ],
        older_url=address("/audit", **given, before=older) if older else "",
        newest_url=address("/audit", **given) if before else "",
    )


def _wish(given: dict[str, str], before: str) -> search.Wish:
    until = moments.day_start(given["until"])
    return search.Wish(
        incident=given["incident"],
        hub=given["hub"],
        operator=given["operator"],
        since_utc=moments.day_start(given["since"]),
        until_utc=None if until is None else until + moments.DAY_S,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,  # noqa: PLR2004
    )


async def _icon(request: Request) -> Response:
    """Draw the tab's icon: a house, and how many calls wait."""
    count = request.path_params["count"]
    number = f"{ICON_MAX}+" if count > ICON_MAX else str(count)
    response = show(request, "icon.svg", number=number if count else "")
    response.headers["Content-Type"] = "image/svg+xml"
    response.headers["Cache-Control"] = "max-age=86400"
    return response
