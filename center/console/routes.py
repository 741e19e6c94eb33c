"""All routes of the console, and the pages of the board, the hubs and the audit."""

from pathlib import Path

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from center.console import hubs, sign_in, strike_off
from center.console.announcements import form, pages
from center.console.frame import address, show
from center.console.homes import checkins, lease, pairing, rates, record
from center.console.homes import page as home_page
from center.console.incident import page as incident_page
from center.console.incident import reason, sheet_119, timeline
from center.console.install import claim
from center.console.install import page as install_page
from center.console.tasks import calls, equipment_page
from center.console.view import arrange
from center.console.visit import Visit, visited, whole
from center.console.vitals import page as vitals_page
from center.domain import times
from center.domain.hub import Seen
from center.service.auth import Role
from center.service.desk import Desk
from center.store.rows import audit, incidents, leases, records
from center.store.rows import hubs as hub_rows

STATIC = Path(__file__).resolve().parents[1] / "static"
CLOSED_SHOWN = 12
AUDIT_LINES = 50
SEQ_DIGITS = 18  # of the number of a line; below 2**63
ICON_MAX = 9  # more calls than that are "9+"


class AuditRow(Struct, frozen=True):
    """A row of the audit page."""

    incident: str
    hub: str
    line: timeline.Line


def routes(desk: Desk) -> list[BaseRoute]:
    """Return all routes of the console."""
    return [
        visited("/", desk, _first, Role.INSTALLER),
        visited("/hubs", desk, _hubs, Role.INSTALLER),
        visited("/audit", desk, _audit, Role.SUPERVISOR),
        *incident_page.routes(desk),
        *form.routes(desk),
        *pages.routes(desk),
        *calls.routes(desk),
        *checkins.routes(desk),
        *record.routes(desk),
        *pairing.routes(desk),
        *strike_off.routes(desk),
        *lease.routes(desk),
        *claim.routes(desk),
        *install_page.routes(desk),
        *sheet_119.routes(desk),
        *equipment_page.routes(desk),
        *vitals_page.routes(desk),
        *home_page.routes(desk),
        *rates.routes(desk),
        *sign_in.routes(desk),
        Route("/icon/{count:int}.svg", _icon),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


async def _first(visit: Visit) -> Response:
    """Show the board; an installer has another first page."""
    if visit.person.role.may(Role.OPERATOR):
        return await _board(visit)
    return RedirectResponse(install_page.PATH, 303)


async def _board(visit: Visit) -> Response:
    ask = visit.desk.store.ask
    closed = await ask(incidents.incidents, incidents.Which.CLOSED, CLOSED_SHOWN)
    page = visit.page("board", visit.t("board.title"), "/")
    board = arrange(visit.still_open, closed, visit.viewer)
    reasons = {one.id: reason.brief(one, visit.viewer) for one in visit.still_open}
    leased = await ask(leases.standing, visit.viewer.now)
    shown = {one.hub for one in (*visit.still_open, *closed)}
    names = await ask(records.names, shown | {one.hub for one in leased})
    return show(
        visit.request,
        "board.html",
        page=page,
        board=board,
        names=names,
        reasons=reasons,
        hidden=visit.hidden,
        leased=[lease.view(one, visit.viewer) for one in leased],
        equipment=await equipment_page.board(visit),
    )


async def _hubs(visit: Visit) -> Response:
    if not visit.person.role.may(Role.OPERATOR):
        return RedirectResponse(install_page.PATH, 303)
    wish = visit.request.query_params.get("q", "")[:64]
    listening_utc = visit.desk.link.listening_utc
    known = await visit.desk.store.ask(hub_rows.known)
    last = await visit.desk.store.ask(incidents.last_calls)
    names = await visit.desk.store.ask(records.names)
    rows = [
        hubs.row(hub, last.get(hub.hub), visit.viewer, listening_utc, names.get(hub.hub, ""))
        for hub in known
    ]
    return show(
        visit.request,
        "hubs.html",
        page=visit.page("hubs", visit.t("hubs.title"), address("/hubs", q=wish)),
        q=wish,
        total=len(rows),
        ready=sum(row.seen is Seen.READY for row in rows),
        rows=sorted((row for row in rows if hubs.fits(row, wish)), key=hubs.worst_first),
    )


async def _audit(visit: Visit) -> Response:
    asked = visit.request.query_params
    names = ("incident", "hub", "operator", "since", "until")
    given = {name: asked.get(name, "").strip()[:64] for name in names}
    before = asked.get("before", "")
    wish = _filter(given, before)
    lines = await visit.desk.store.ask(audit.search, wish, AUDIT_LINES + 1)
    shown = lines[:AUDIT_LINES]
    older = str(shown[-1].seq) if len(lines) > AUDIT_LINES else ""
    return show(
        visit.request,
        "audit.html",
        page=visit.page("audit", visit.t("audit.title"), address("/audit", **given, before=before)),
        wish=given,
        rows=[
            AuditRow(line.incident, line.entry.hub, timeline.line(line.entry, visit.viewer))
            for line in shown
        ],
        older_url=address("/audit", **given, before=older) if older else "",
        newest_url=address("/audit", **given) if before else "",
    )


def _filter(given: dict[str, str], before: str) -> audit.Filter:
    until = times.day_start(given["until"])
    return audit.Filter(
        incident=given["incident"],
        hub=given["hub"],
        operator=given["operator"],
        since_utc=times.day_start(given["since"]),
        until_utc=None if until is None else until + times.DAY_S,
        before=whole(before, SEQ_DIGITS),
    )


async def _icon(request: Request) -> Response:
    """Draw the tab's icon: a house, and how many calls wait."""
    count = request.path_params["count"]
    number = f"{ICON_MAX}+" if count > ICON_MAX else str(count)
    response = show(request, "icon.svg", number=number if count else "")
    response.headers["Content-Type"] = "image/svg+xml"
    response.headers["Cache-Control"] = "max-age=86400"
    return response
