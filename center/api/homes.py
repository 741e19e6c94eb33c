"""The API on homes for programs: records, activity, check-ins, tasks, false-alarm rates."""

from enum import StrEnum

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from center import queries
from center.api import json
from center.api.json import Bad, BadRequestError, body, number, route
from center.domain import times
from center.domain.need import Called, NotHandled, WhyNot
from center.domain.rates import Rates
from center.homes import answering
from center.homes.answers import ActivityOut, CheckIns, HomeOut, NeedOut, Needs, NeedWhole
from center.service import homes
from center.service.auth import DeniedError, Person
from center.service.desk import Desk
from center.service.homes import NotHandledError
from center.store.rows import days as day_rows
from center.store.rows import needs, parts, rates, records
from center.store.rows.needs import Task

DAYS_MAX = 400
DONE_MAX_DAYS = 30
AREAS_MAX = 500
PARTS = 100
PARTS_MAX = 1000
PARTS_SKIP_MAX = 1_000_000


class WhichNeeds(StrEnum):
    """Which tasks to list; `done` goes back 30 days."""

    OPEN = "open"
    DONE = "done"


class Calling(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of handle: what came of the call, a note, and the version looked at, if any."""

    result: Called | None = None
    note: str = ""
    version: int | None = None


def routes(desk: Desk) -> list[Route]:
    """Give the routes."""

    async def table(request: Request) -> Response:
        return await _csv(desk, request)

    return [
        route(desk, "GET", "/api/homes/{hub}", lambda r, p: _home(desk, r, p)),
        route(desk, "GET", "/api/homes/{hub}/activity", lambda r, _: _activity(desk, r)),
        route(desk, "GET", "/api/checkins", lambda r, _: _checkins(desk, r)),
        route(desk, "GET", "/api/needs", lambda r, _: _needs(desk, r)),
        route(desk, "GET", "/api/needs/{id}", lambda r, _: _need(desk, r)),
        route(desk, "POST", "/api/homes/{hub}/test", lambda r, p: _test(desk, r, p)),
        route(desk, "POST", "/api/needs/{id}/handle", lambda r, p: _handle(desk, r, p)),
        route(desk, "GET", "/api/false-alarms", lambda r, _: _rates(desk, r)),
        Route("/api/false-alarms.csv", table, methods=["GET"]),
    ]


async def _home(desk: Desk, request: Request, person: Person) -> HomeOut:
    hub = homes.hub_of(request)
    kept = await desk.store.ask(records.find, hub)
    if kept is None:
        raise BadRequestError(Bad.NO_HOME, status=404)
    await homes.note_record_seen(desk, hub, person.name, again=False)
    return answering.home(kept, await desk.store.ask(day_rows.places, hub))


async def _activity(desk: Desk, request: Request) -> ActivityOut:
    hub = homes.hub_of(request)
    if await desk.store.ask(records.find, hub) is None:
        raise BadRequestError(Bad.NO_HOME, status=404)
    days = number(request, "days", 2, 1, DAYS_MAX)
    now = desk.clock()
    since = now - days * times.DAY_S
    hours = await desk.store.ask(day_rows.hours, hub, since, now + times.DAY_S)
    return answering.activity(hub, hours)


async def _checkins(desk: Desk, request: Request) -> CheckIns:
    day = request.query_params.get("day") or times.day_of(desk.clock())
    start = times.day_start(day)
    if start is None:
        raise BadRequestError(Bad.QUERY, name="day", allowed="YYYY-MM-DD")
    day = times.day_of(start)
    found = await desk.store.ask(day_rows.of_day, day)
    return CheckIns(day, tuple(map(answering.checkin, found)))


async def _needs(desk: Desk, request: Request) -> Needs:
    asked = request.query_params.get("state", WhichNeeds.OPEN)
    if asked not in set(WhichNeeds):
        raise BadRequestError(Bad.QUERY, name="state", allowed=", ".join(WhichNeeds))
    if asked == WhichNeeds.OPEN:
        found = await desk.store.ask(needs.still_open)
        areas = await desk.store.ask(parts.areas_open, AREAS_MAX)
    else:
        since = desk.clock() - DONE_MAX_DAYS * times.DAY_S
        found = await desk.store.ask(needs.done_since, since)
        areas = await desk.store.ask(parts.areas_done, since, AREAS_MAX)
    of_areas = (answering.need(Task(one.need), one.homes) for one in areas)
    return Needs((*map(answering.need, found), *of_areas))


async def _need(desk: Desk, request: Request) -> NeedWhole:
    ident = str(request.path_params["id"])
    limit = number(request, "limit", PARTS, 1, PARTS_MAX)
    skip = number(request, "skip", 0, 0, PARTS_SKIP_MAX)
    found = await desk.store.ask(parts.whole, ident, limit, skip)
    if found is None:
        raise NotHandledError(NotHandled(WhyNot.NOT_FOUND))
    more = skip + limit if len(found.parts) == limit else None
    shown = answering.need(found.task, found.homes)
    return NeedWhole(shown, tuple(map(answering.part, found.parts)), more)


async def _test(desk: Desk, request: Request, person: Person) -> NeedOut:
    hub = homes.hub_of(request)
    if not await desk.store.ask(queries.hubs, hub):
        raise BadRequestError(Bad.NO_HOME, status=404)
    return answering.need(await homes.tell_of_test(desk, hub, person.name))


async def _handle(desk: Desk, request: Request, person: Person) -> NeedOut:
    said = await body(request, Calling)
    if said.result in {Called.BY_INCIDENT, Called.BY_ITSELF}:
        raise NotHandledError(NotHandled(WhyNot.NO_RESULT))
    tried = homes.trying(desk, person.name, said.result, said.note)
    (done,) = await homes.call(desk, {str(request.path_params["id"]): said.version}, tried)
    return answering.need(done)


async def _rates(desk: Desk, request: Request) -> Rates:
    days = number(request, "days", 30, 1, DAYS_MAX)
    return await desk.store.ask(rates.read, desk.clock(), days)


async def _csv(desk: Desk, request: Request) -> Response:
    try:
        await desk.auth.require(request)
        found = await _rates(desk, request)
    except DeniedError as error:
        return json.denied(request, error)
    except BadRequestError as error:
        return json.bad(request, error)
    headers = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-disposition": f'attachment; filename="false-alarms-{found.days}.csv"',
    }
    return Response(rates.as_csv(found), 200, headers, "text/csv; charset=utf-8")
