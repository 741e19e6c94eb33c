"""The API on announcements for programs, such as a county's disaster office."""

from msgspec import Struct
from starlette.requests import Request
from starlette.routing import Route

from center.announcing import answers
from center.announcing.answers import AnnouncementOut, Announcements
from center.api.json import body, number, route
from center.domain import times
from center.domain.announcement import KEY_MAX, UNTIL_S, Draft, Whom, Why, plain
from center.service import announcements
from center.service.announcements import NotSentError
from center.service.auth import Person
from center.service.desk import Desk
from center.store.rows import announcements as rows
from center.store.rows import deliveries
from center.store.rows.announcements import NotSent

LISTED, LISTED_MAX = 50, 200


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
    """Give the routes."""
    path = "/api/announcements"
    return [
        route(desk, "GET", path, lambda r, _: _list(desk, r)),
        route(desk, "POST", path, lambda r, p: _send(desk, r, p)),
        route(desk, "GET", f"{path}/{{id}}", lambda r, _: _one(desk, str(r.path_params["id"]))),
        route(desk, "POST", f"{path}/{{id}}/withdraw", lambda r, p: _withdraw(desk, r, p)),
    ]


async def _list(desk: Desk, request: Request) -> Announcements:
    limit = number(request, "limit", LISTED, 1, LISTED_MAX)
    found = await desk.store.ask(rows.newest, limit)
    return Announcements(tuple(answers.announcement(one) for one in found))


async def _one(desk: Desk, ident: str) -> AnnouncementOut:
    found = await desk.store.ask(deliveries.look, ident)
    if found is None:
        raise NotSentError(NotSent(Why.NOT_FOUND))
    return answers.announcement(found.sent, found.deliveries)


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
