"""The API of announcements, for programs such as those of a county's disaster office."""

from collections.abc import Mapping

from msgspec import Struct
from starlette.requests import Request
from starlette.routing import Route

from center.api.json import body, number, route
from center.api.shapes import timestamp_or_none
from center.domain import times
from center.domain.announcement import KEY_MAX, UNTIL_S, Delivery, Draft, Fate, Whom, Why, plain
from center.service import announcements
from center.service.announcements import NotSentError
from center.service.auth import Person
from center.service.desk import Desk
from center.store.rows import announcements as announcement_rows
from center.store.rows import deliveries
from center.store.rows.announcements import Sent
from hub.contract.wire import timestamp

LISTED, LISTED_MAX = 50, 200


class DeliveryOut(Struct, frozen=True):
    """An announcement in one home; `over` is when it was spoken, or ended in another way."""

    hub: str
    fate: Fate
    tries: int
    reason: str  # why the hub refused it last
    sent: str | None
    taken: str | None
    over: str | None


class AnnouncementOut(Struct, frozen=True):
    """An announcement; `deliveries` come only when it is asked for by its id."""

    id: str
    text: str
    by: str
    sent: str
    until: str
    urgent: bool
    whom: Whom
    place: str
    homes: int
    counts: Mapping[Fate, int]
    deliveries: tuple[DeliveryOut, ...] | None = None


class Announcements(Struct, frozen=True):
    """Announcements, the newest first."""

    announcements: tuple[AnnouncementOut, ...]


class Announcing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a new announcement; a `key` that was used before gives what it made then.

    `hubs` null: all homes. `until` null: 24 h from now. `again`: say the same once more.
    """

    text: str
    key: str
    hubs: tuple[str, ...] | None = None
    urgent: bool = False
    until: str | None = None
    again: bool = False


def routes(desk: Desk) -> list[Route]:
    """Return the routes."""
    path = "/api/announcements"
    return [
        route(desk, "GET", path, lambda r, _: _list(desk, r)),
        route(desk, "POST", path, lambda r, p: _send(desk, r, p)),
        route(desk, "GET", f"{path}/{{id}}", lambda r, _: _one(desk, str(r.path_params["id"]))),
        route(desk, "POST", f"{path}/{{id}}/withdraw", lambda r, p: _withdraw(desk, r, p)),
    ]


async def _list(desk: Desk, request: Request) -> Announcements:
    limit = number(request, "limit", LISTED, 1, LISTED_MAX)
    found = await desk.store.ask(announcement_rows.newest, limit)
    return Announcements(tuple(announcement(one) for one in found))


async def _one(desk: Desk, ident: str) -> AnnouncementOut:
    found = await desk.store.ask(deliveries.look, ident)
    if found is None:
        raise NotSentError(Why.NOT_FOUND)
    return announcement(found.sent, found.deliveries)


async def _send(desk: Desk, request: Request, person: Person) -> AnnouncementOut:
    said = await body(request, Announcing)
    until_utc: float | None = desk.clock() + UNTIL_S
    if said.until is not None:
        until_utc = times.of_rfc3339(said.until, 0.0) or None
    draft = Draft(
        text=plain(said.text),
        whom=Whom.ALL if said.hubs is None else Whom.HOME,
        hubs=said.hubs or (),
        urgent=said.urgent,
        until_utc=until_utc,
        key=said.key if len(said.key) <= KEY_MAX else "",
        again=said.again,
    )
    sent = await announcements.send(desk, draft, person.name)
    return await _one(desk, sent.id)


async def _withdraw(desk: Desk, request: Request, person: Person) -> AnnouncementOut:
    ident = str(request.path_params["id"])
    await announcements.withdraw(desk, ident, person.name)
    return await _one(desk, ident)


def announcement(one: Sent, deliveries: tuple[Delivery, ...] | None = None) -> AnnouncementOut:
    """Return an announcement as the API shows it."""
    told = one.announcement
    return AnnouncementOut(
        id=told.id,
        text=told.text,
        by=told.by,
        sent=timestamp(told.utc),
        until=timestamp(told.until_utc),
        urgent=told.urgent,
        whom=told.whom,
        place=told.place,
        homes=told.homes,
        counts={fate: one.counts.get(fate, 0) for fate in Fate},
        deliveries=None if deliveries is None else tuple(map(_delivery, deliveries)),
    )


def _delivery(one: Delivery) -> DeliveryOut:
    return DeliveryOut(
        hub=one.hub,
        fate=one.fate,
        tries=one.tries,
        reason=one.reason,
        sent=timestamp_or_none(one.sent_utc),
        taken=timestamp_or_none(one.taken_utc),
        over=timestamp_or_none(one.over_utc),
    )
