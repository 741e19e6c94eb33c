"""The API of incidents, hubs, audit and feed; with the routes of homes and announcements."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from center.api import announcements, claims, homes, json, leases, shapes
from center.api.json import Bad, BadRequestError, body, number, route
from center.api.shapes import Alarm, Alarms, Audit, HubOut, Hubs, OutcomeOut, Outcomes
from center.domain.by_people import Why
from center.domain.incident import Outcome
from center.service import incidents
from center.service.auth import Person, Role, session_of
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.incidents import Target
from center.service.refusals import RefusalError
from center.service.texts import texts
from center.store.rows import audit, hubs
from center.store.rows import incidents as incident_rows
from center.store.rows.incidents import Case, Which

PAGE = 100
PAGE_MAX = 500
ORDERS = (NEWEST, URGENT) = ("newest", "urgent")  # urgent: what is open, in the order of the board
SEQ_MAX = 2**53


class Looked(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of take, present and reopen: the version that was looked at, if any."""

    version: int | None = None


class Closing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of close."""

    outcome: Outcome | None = None
    note: str = ""
    version: int | None = None


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of note."""

    text: str = ""
    version: int | None = None


def routes(desk: Desk) -> list[Route]:
    """Return the API's routes."""

    async def feed(request: Request) -> Response:
        return await _feed(desk, request)

    return [
        route(desk, "GET", "/api/alarms", lambda request, _: _alarms(desk, request)),
        route(desk, "GET", "/api/alarms/{id}", lambda request, _: _alarm(desk, request)),
        _action(desk, "take", _take),
        _action(desk, "send", _send),
        _action(desk, "present", _present),
        _action(desk, "close", _close),
        _action(desk, "reopen", _reopen),
        _action(desk, "note", _note),
        route(desk, "GET", "/api/hubs", lambda _, __: _hubs(desk)),
        route(desk, "GET", "/api/outcomes", lambda request, _: _outcomes(request)),
        route(desk, "GET", "/api/audit", lambda r, _: _audit(desk, r), Role.SUPERVISOR),
        Route("/api/feed", feed, methods=["GET"]),
        *homes.routes(desk),
        *announcements.routes(desk),
        *claims.routes(desk),
        *leases.routes(desk),
    ]


async def _alarms(desk: Desk, request: Request) -> Alarms:
    asked = request.query_params.get("state", Which.OPEN)
    if asked not in set(Which):
        raise BadRequestError(Bad.QUERY, name="state", allowed=", ".join(Which))
    limit = number(request, "limit", PAGE, 1, PAGE_MAX)
    now = desk.clock()
    order = request.query_params.get("order", NEWEST)
    if order not in ORDERS or (order == URGENT and asked != Which.OPEN):
        raise BadRequestError(Bad.QUERY, name="order", allowed=", ".join(ORDERS))
    if order == URGENT:
        shown, _ = await desk.store.ask(incident_rows.board, limit)
        return Alarms(tuple(shapes.alarm(incident, now) for incident in shown), None)
    before = request.query_params.get("before")
    found = await desk.store.ask(incident_rows.incidents, Which(asked), limit, before)
    more = found[-1].id if len(found) == limit else None
    return Alarms(tuple(shapes.alarm(incident, now) for incident in found), more)


async def _alarm(desk: Desk, request: Request) -> Alarm:
    limit = number(request, "limit", PAGE, 1, PAGE_MAX)
    before = number(request, "before", SEQ_MAX, 1, SEQ_MAX)
    case = await desk.store.ask(incident_rows.case, request.path_params["id"], limit, before)
    if case is None:
        raise incidents.NotDoneError(Why.NOT_FOUND, None)
    return shapes.of_case(case, desk.clock())


Do = Callable[[Desk, Request, Person], Awaitable[Case]]


def _action(desk: Desk, name: str, do_it: Do) -> Route:
    async def answer(request: Request, person: Person) -> Alarm:
        return shapes.of_case(await do_it(desk, request, person), desk.clock())

    return route(desk, "POST", f"/api/alarms/{{id}}/{name}", answer)


def _target(request: Request, person: Person, version: int | None) -> Target:
    return Target(person.name, request.path_params["id"], version)


async def _take(desk: Desk, request: Request, person: Person) -> Case:
    looked = await body(request, Looked)
    return await incidents.take(desk, _target(request, person, looked.version))


async def _send(desk: Desk, request: Request, person: Person) -> Case:
    looked = await body(request, Looked)
    return await incidents.send(desk, _target(request, person, looked.version))


async def _present(desk: Desk, request: Request, person: Person) -> Case:
    looked = await body(request, Looked)
    return await incidents.present(desk, _target(request, person, looked.version))


async def _reopen(desk: Desk, request: Request, person: Person) -> Case:
    looked = await body(request, Looked)
    return await incidents.reopen(desk, _target(request, person, looked.version))


async def _close(desk: Desk, request: Request, person: Person) -> Case:
    said = await body(request, Closing)
    target = _target(request, person, said.version)
    return await incidents.close(desk, target, said.outcome, said.note)


async def _note(desk: Desk, request: Request, person: Person) -> Case:
    said = await body(request, Note)
    return await incidents.note(desk, _target(request, person, said.version), said.text)


async def _hubs(desk: Desk) -> Hubs:
    known = await desk.store.ask(hubs.known)
    now, listening_utc = desk.clock(), desk.link.listening_utc
    shown: tuple[HubOut, ...] = tuple(shapes.hub(hub, now, listening_utc) for hub in known)
    return Hubs(shown, listening=listening_utc is not None)


async def _outcomes(request: Request) -> Outcomes:
    words = texts(json.language(request))
    return Outcomes(
        tuple(
            OutcomeOut(one, words.word("outcome", one), one.is_false_alarm, one.needs_note)
            for one in Outcome
        )
    )


async def _audit(desk: Desk, request: Request) -> Audit:
    limit = number(request, "limit", PAGE, 1, PAGE_MAX)
    before = number(request, "before", SEQ_MAX, 1, SEQ_MAX)
    found = await desk.store.ask(audit.search, audit.Filter(before=before), limit)
    more = found[-1].seq if len(found) == limit else None
    return Audit(tuple(map(shapes.audit_line, found)), more)


async def _feed(desk: Desk, request: Request) -> Response:
    try:
        await desk.auth.require(request)
    except RefusalError as error:
        return json.refused(request, error, desk.clock())
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_stream(desk, request), 200, headers, "text/event-stream")


async def _stream(desk: Desk, request: Request) -> AsyncIterator[bytes]:
    """Yield the feed while the session lasts, which is checked every `beat_s`, busy or not."""
    yield _sse(Update(Topic.BEAT))
    beat_s, loop = desk.settings.center.beat_s, asyncio.get_running_loop()
    looked = loop.time()
    async for update in desk.feed.listen(beat_s, session_of(request)):
        if loop.time() - looked >= beat_s or update.topic is Topic.BEAT:
            if await desk.auth.person(request) is None:
                return
            looked = loop.time()
        yield _sse(update)


def _sse(update: Update) -> bytes:
    keep_alive = b": still here\n" if update.topic is Topic.BEAT else b""
    return b"%bevent: %b\ndata: %b\n\n" % (
        keep_alive,
        update.topic.encode(),
        msgspec.json.encode(update),
    )
