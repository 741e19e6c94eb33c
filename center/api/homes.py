"""The API of homes: records, activity, check-ins, tasks, false-alarm rates."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from center.api import json
from center.api.json import Bad, BadRequestError, body, number, route
from center.api.shapes import timestamp_or_none
from center.domain import day_grid, times
from center.domain.day_grid import Hour
from center.domain.need import Called, NeedKind, WhyNot
from center.domain.rates import Rates
from center.domain.record import Kept, Record
from center.service import homes
from center.service.auth import Person
from center.service.desk import Desk
from center.service.homes import NotHandledError
from center.service.refusals import RefusalError
from center.store.rows import days, hubs, needs, parts, rates, records
from center.store.rows.days import CheckIn
from center.store.rows.needs import Task
from center.store.rows.parts import Row
from hub.contract.messages import AnsweredBy, CheckInResult, PresenceKind, Topic
from hub.contract.wire import timestamp

DAYS_MAX = 400
DONE_MAX_DAYS = 30
AREAS_MAX = 500
PARTS = 100
PARTS_MAX = 1000
PARTS_SKIP_MAX = 1_000_000


class HomeOut(Struct, frozen=True):
    """A home's record; `version` 0 where none was written. To read it is written down."""

    hub: str
    version: int
    changed: str | None
    changed_by: str
    record: Record
    rooms: dict[str, str]  # device -> room


class HourOut(Struct, frozen=True):
    """An hour: activations by device and by room; hours that are missing are not known."""

    begin: str
    clock_synced: bool
    devices: dict[str, int]
    rooms: dict[str, int]
    presence: PresenceKind
    asleep_s: float
    away_s: float


class ActivityOut(Struct, frozen=True):
    """A home's hours, oldest first."""

    hub: str
    hours: tuple[HourOut, ...]


class CheckInOut(Struct, frozen=True):
    """A check-in's result."""

    hub: str
    checkin: str
    day: str
    slot: str
    topic: Topic
    result: CheckInResult
    by: AnsweredBy
    attempts: int
    due: str
    clock_synced: bool
    wordless: int = 0  # answers that were sounds without a word


class CheckIns(Struct, frozen=True):
    """All homes' check-ins of a day."""

    day: str
    checkins: tuple[CheckInOut, ...]


class CallOut(Struct, frozen=True):
    """A call that was made."""

    at: str
    by: str
    result: Called
    note: str


class NeedOut(Struct, frozen=True):
    """A task: `version` counts what people did; `done` is null while it is open."""

    id: str
    hub: str
    kind: NeedKind
    version: int
    since: str
    last: str
    score: int
    tries: int
    eased: str | None
    done: str | None
    calls: tuple[CallOut, ...]
    area: str = ""  # of equipment that fails; `hub` is empty there
    homes: int = 1  # in which it still fails
    taken_by: str = ""
    until: str | None = None  # a test press holds until then


class PartOut(Struct, frozen=True):
    """A home of a task on equipment; `over` is null while it fails."""

    hub: str
    device: str
    fault: str  # empty: its hub is out of reach, or a button is to be pressed
    detail: str
    since: str
    over: str | None
    times: int  # it came back so often


class NeedWhole(Struct, frozen=True):
    """A task with a page of its parts, those that still fail first; `next` is the next `skip`."""

    need: NeedOut
    parts: tuple[PartOut, ...]
    next: int | None


class Needs(Struct, frozen=True):
    """Tasks: the open ones oldest first, those dealt with newest first."""

    needs: tuple[NeedOut, ...]


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
    """Return the routes."""

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
        raise BadRequestError(Bad.NO_HOME)
    await homes.note_record_seen(desk, hub, person.name, again=False)
    return home(kept, await desk.store.ask(days.places, hub))


async def _activity(desk: Desk, request: Request) -> ActivityOut:
    hub = homes.hub_of(request)
    if await desk.store.ask(records.find, hub) is None:
        raise BadRequestError(Bad.NO_HOME)
    count = number(request, "days", 2, 1, DAYS_MAX)
    now = desk.clock()
    since = now - count * times.DAY_S
    hours = await desk.store.ask(days.hours, hub, since, now + times.DAY_S)
    return activity(hub, hours)


async def _checkins(desk: Desk, request: Request) -> CheckIns:
    day = request.query_params.get("day") or times.day_of(desk.clock())
    start = times.day_start(day)
    if start is None:
        raise BadRequestError(Bad.QUERY, name="day", allowed="YYYY-MM-DD")
    day = times.day_of(start)
    found = await desk.store.ask(days.of_day, day)
    return CheckIns(day, tuple(map(checkin, found)))


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
    of_areas = (need(Task(one.need), one.homes) for one in areas)
    return Needs((*map(need, found), *of_areas))


async def _need(desk: Desk, request: Request) -> NeedWhole:
    ident = str(request.path_params["id"])
    limit = number(request, "limit", PARTS, 1, PARTS_MAX)
    skip = number(request, "skip", 0, 0, PARTS_SKIP_MAX)
    found = await desk.store.ask(parts.whole, ident, limit, skip)
    if found is None:
        raise NotHandledError(WhyNot.NOT_FOUND)
    more = skip + limit if len(found.parts) == limit else None
    shown = need(found.task, found.homes)
    return NeedWhole(shown, tuple(map(part, found.parts)), more)


async def _test(desk: Desk, request: Request, person: Person) -> NeedOut:
    hub = homes.hub_of(request)
    if not await desk.store.ask(hubs.known, hub):
        raise BadRequestError(Bad.NO_HOME)
    return need(await homes.tell_of_test(desk, hub, person.name))


async def _handle(desk: Desk, request: Request, person: Person) -> NeedOut:
    said = await body(request, Calling)
    if said.result in {Called.BY_INCIDENT, Called.BY_ITSELF}:
        raise NotHandledError(WhyNot.NO_RESULT)
    tried = homes.trying(desk, person.name, said.result, said.note)
    (done,) = await homes.call(desk, {str(request.path_params["id"]): said.version}, tried)
    return need(done)


async def _rates(desk: Desk, request: Request) -> Rates:
    count = number(request, "days", 30, 1, DAYS_MAX)
    return await desk.store.ask(rates.read, desk.clock(), count)


async def _csv(desk: Desk, request: Request) -> Response:
    try:
        await desk.auth.require(request)
        found = await _rates(desk, request)
    except RefusalError as error:
        return json.refused(request, error, desk.clock())
    headers = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-disposition": f'attachment; filename="false-alarms-{found.days}.csv"',
    }
    return Response(rates.as_csv(found), 200, headers, "text/csv; charset=utf-8")


def home(kept: Kept, places: dict[str, str]) -> HomeOut:
    """Return a record as the API shows it."""
    changed = timestamp(kept.changed_utc) if kept.version else None
    return HomeOut(kept.hub, kept.version, changed, kept.changed_by, kept.record, places)


def activity(hub: str, hours: Iterable[Hour]) -> ActivityOut:
    """Return a home's hours as the API shows them."""
    return ActivityOut(hub, tuple(map(_hour, hours)))


def _hour(hour: Hour) -> HourOut:
    return HourOut(
        begin=timestamp(hour.from_utc),
        clock_synced=hour.synced,
        devices=hour.seen,
        rooms=day_grid.by_room(hour),
        presence=hour.presence,
        asleep_s=hour.asleep_s,
        away_s=hour.away_s,
    )


def checkin(one: CheckIn) -> CheckInOut:
    """Return a check-in's result as the API shows it."""
    return CheckInOut(
        hub=one.hub,
        checkin=one.checkin,
        day=one.day,
        slot=one.slot,
        topic=one.topic,
        result=one.result,
        by=one.by,
        attempts=one.attempts,
        due=timestamp(one.due_utc),
        clock_synced=one.synced,
        wordless=one.wordless or 0,
    )


def need(task: Task, homes: int = 1) -> NeedOut:
    """Return a task with its calls as the API shows it."""
    one = task.need
    return NeedOut(
        id=one.id,
        hub=one.hub,
        kind=one.kind,
        version=one.version,
        since=timestamp(one.since_utc),
        last=timestamp(one.last_utc),
        score=one.score,
        tries=one.tries,
        eased=timestamp_or_none(one.eased_utc),
        done=timestamp_or_none(one.done_utc),
        calls=tuple(CallOut(timestamp(n.utc), n.by, n.result, n.text) for n in task.notes),
        area=one.area,
        homes=homes,
        taken_by=one.taken_by,
        until=timestamp_or_none(one.until_utc),
    )


def part(row: Row) -> PartOut:
    """Return a part of a task as the API shows it."""
    since, over = timestamp(row.since_utc), timestamp_or_none(row.over_utc)
    return PartOut(row.hub, row.device, row.fault, row.detail, since, over, row.times)
