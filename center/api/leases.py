"""The API of test mode: begin and end a home's lease, and see how it stands."""

from msgspec import Struct
from starlette.requests import Request
from starlette.routing import Route

from center.api.json import body, route
from center.api.shapes import timestamp_or_none
from center.domain.lease import LASTS_S, Lease
from center.service import homes, leases
from center.service.auth import Person
from center.service.desk import Desk
from center.store.rows import leases as rows

PATH = "/api/homes/{hub}/test-mode"


class Leasing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body that begins test mode; `lasts_s`: 60 to 3600."""

    lasts_s: float = LASTS_S


class LeaseOut(Struct, frozen=True):
    """A home's test mode. Without one `on` is false and the rest empty.

    `shown`: since when the home shows it; before that, each press is a call at once.
    """

    hub: str
    on: bool
    by: str = ""
    since: str | None = None
    until: str | None = None
    shown: str | None = None


def routes(desk: Desk) -> list[Route]:
    """Return the routes; the rights are those of the page."""
    return [
        route(desk, "GET", PATH, lambda r, _: _read(desk, homes.hub_of(r))),
        route(desk, "POST", PATH, lambda r, p: _begin(desk, r, p)),
        route(desk, "POST", f"{PATH}/end", lambda r, p: _end(desk, r, p)),
    ]


async def _begin(desk: Desk, request: Request, person: Person) -> LeaseOut:
    said, hub = await body(request, Leasing), homes.hub_of(request)
    await leases.begin(desk, hub, person, said.lasts_s)
    return await _read(desk, hub)


async def _end(desk: Desk, request: Request, person: Person) -> LeaseOut:
    hub = homes.hub_of(request)
    await leases.end(desk, hub, person)
    return await _read(desk, hub)


async def _read(desk: Desk, hub: str) -> LeaseOut:
    standing = await desk.store.ask(rows.standing, desk.clock(), hub)
    return out(hub, standing[0] if standing else None)


def out(hub: str, lease: Lease | None) -> LeaseOut:
    """Return a lease as the API shows it."""
    if lease is None:
        return LeaseOut(hub, on=False)
    since, until, shown = (
        timestamp_or_none(utc) for utc in (lease.since_utc, lease.until_utc, lease.shown_utc)
    )
    return LeaseOut(hub, on=True, by=lease.by, since=since, until=until, shown=shown)
