"""The 119 call sheet: one page to read out on the telephone. An operator calls; this page does not.

Every look at it is written into the audit before it is shown, and every print.
"""

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from center.console.frame import show
from center.console.homes import record
from center.console.incident.reason import Reason, reason
from center.console.lengths import clock, length
from center.console.view import Viewer, title, urgent_first
from center.console.visit import Visit, acted, visited
from center.domain import times
from center.domain.incident import Deed, Incident
from center.domain.record import ConsentItem, Kept
from center.service import homes
from center.service.desk import Desk
from center.store.rows import days, records
from hub.contract.scaip import Kind


class Happened(Struct, frozen=True):
    """An open call of the home: what, since when, for how long, and why."""

    id: str
    title: str
    since: str
    lasted: str
    reason: Reason | None
    cleared: bool
    hazard: str = ""  # what to tell 119 first: a fire, gas
    place: str = ""  # where it was detected


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the sheet."""
    return [
        visited("/homes/{hub}/119", desk, _read),
        acted("/homes/{hub}/119/printed", desk, _printed),
    ]


def look(conn: Connection, hub: str) -> tuple[Kept | None, dict[str, str]]:
    """Read the record and the rooms."""
    return records.find(conn, hub), days.places(conn, hub)


async def _read(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    kept, places = await visit.desk.store.ask(look, hub)
    if kept is None:
        return visit.error(404, visit.t("home.not_found"))
    calls = _open_calls(visit, hub)
    allowed = kept.record.allows(ConsentItem.SHARE_119)
    emergency = bool(calls) or visit.request.query_params.get("emergency") == "1"
    shown = allowed or emergency
    if shown and not visit.bare:  # a refresh fetches the frame only, never the sheet
        deed = Deed.SHEET_SEEN if allowed else Deed.SHEET_SEEN_IN_EMERGENCY
        await homes.note_seen(visit.desk, hub, deed, visit.person.name)
    now = visit.viewer.now
    return show(
        visit.request,
        "homes/sheet.html",
        page=visit.page("sheet", visit.t("sheet.title"), homes.path(hub, "119")),
        record=record.view(kept, visit.viewer),
        consent=record.consent(
            ConsentItem.SHARE_119, kept.record.consent(ConsentItem.SHARE_119), visit.t
        ),
        allowed=allowed,
        shown=shown,
        calls=[_happened(one, places, visit.viewer) for one in calls],
        printed_at=times.in_full(now),
    )


async def _printed(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    if await visit.desk.store.ask(records.find, hub) is None:
        return visit.error(404, visit.t("home.not_found"))
    await homes.note_seen(visit.desk, hub, Deed.SHEET_PRINTED, visit.person.name)
    return Response(status_code=204)


def _open_calls(visit: Visit, hub: str) -> list[Incident]:
    """Return the home's open calls without tests, the most urgent first."""
    some = [one for one in visit.still_open if one.hub == hub and one.kind is not Kind.TEST]
    return sorted(some, key=urgent_first)


def _happened(one: Incident, places: dict[str, str], viewer: Viewer) -> Happened:
    since = one.raised_utc if one.synced else one.received_utc
    return Happened(
        id=one.id,
        title=title(one, viewer.t),
        since=clock(since, viewer.now),
        lasted=length(viewer.now - since, viewer.t),
        reason=reason(one, places, viewer),
        cleared=one.cleared_utc is not None,
        hazard=viewer.t(f"sheet.{one.kind}") if one.is_hazard else "",
        place=one.place,
    )
