"""Test mode of a home: the form that begins and ends it, and the line that tells of it."""

from msgspec import Struct
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.lengths import clock
from center.console.view import Viewer
from center.console.visit import Visit, acted, field
from center.domain.hub import Hub
from center.domain.lease import Lease
from center.service import homes, leases
from center.service.desk import Desk
from center.service.leases import NotLeasedError

ACTS = {"begin": leases.begin, "end": leases.end}


class LeaseView(Struct, frozen=True):
    """A lease in words; `unsynced`: its hub's clock is not set, so that a press is a real call."""

    hub: str
    text: str
    unsynced: bool = False


def routes(desk: Desk) -> list[Route]:
    """Return the route of the form."""
    return [acted("/homes/{hub}/test-mode", desk, _act)]


def view(lease: Lease, viewer: Viewer, hub: Hub | None = None) -> LeaseView:
    """Return a lease in words: whose, until when, and whether the home shows it."""
    shown = lease.shown_utc is not None
    until = clock(lease.until_utc, viewer.now)
    key = "lease.shown" if shown else "lease.unshown"
    text = viewer.t(key, who=lease.by, time=until)
    return LeaseView(lease.hub, text, unsynced=hub is not None and hub.is_unsynced)


async def _act(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    act = ACTS.get(field(await visit.request.form(), "do"))
    if act is None:
        return visit.error(404, visit.t("error.text_404"))
    try:
        await act(visit.desk, hub, visit.person)
    except NotLeasedError as refused:
        return visit.error(refused.status, _problem(visit, refused))
    return RedirectResponse(homes.path(hub), 303)


def _problem(visit: Visit, refused: NotLeasedError) -> str:
    held = refused.lease
    if held is None:
        return visit.t(f"lease.{refused.why}")
    until = clock(held.until_utc, visit.viewer.now)
    return visit.t("lease.has_one", who=held.by, time=until)
