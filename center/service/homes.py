"""What a person does for a home, for API and pages alike: decide, store, update everybody."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request

from center.domain.equipment import Grace, Look
from center.domain.hub import Hub
from center.domain.incident import Deed, Entry
from center.domain.need import Called, Need, NotHandled, Try, WhyNot
from center.domain.record import (
    ConsentItem,
    Kept,
    NotKept,
    Record,
    WhyNotKept,
    is_another,
    was_taken_back,
)
from center.service import equipment
from center.service.desk import Desk
from center.service.equipment import Bounds
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.store.rows import limits, needs, presses, records
from center.store.rows.needs import Task


class NotHandledError(RefusalError):
    """A call about a task was not noted; `need` is the task as it stands, if there is one."""

    why: WhyNot

    def __init__(self, why: WhyNot, need: Need | None = None) -> None:
        super().__init__(why)
        self.need = need


class NotKeptError(RefusalError):
    """A record was not stored; `kept` is the record as it stands."""

    why: WhyNotKept

    def __init__(self, why: WhyNotKept, kept: Kept) -> None:
        super().__init__(why)
        self.kept = kept


async def call(desk: Desk, looked: Mapping[str, int | None], tried: Try) -> tuple[Task, ...]:
    """Store the result of a call about tasks at the versions looked at; raise `NotHandledError`."""
    done = await desk.store.change(needs.call, looked, tried)
    if isinstance(done, NotHandled):
        raise NotHandledError(done.why, done.need)
    for task in done:
        desk.feed.tell(Update(Topic.NEED, task.need.hub, task.need.version))
        desk.feed.tell(Update(Topic.HOME, task.need.hub))
    return done


def trying(desk: Desk, by: str, result: Called | None, note: str = "") -> Try:
    """Return a person's call about a task as of now, with this centre's settings."""
    center = desk.settings.center
    again_s, test_s = center.task_again_s, center.test_press_s
    return Try(by, desk.clock(), result, note, again_s=again_s, test_s=test_s)


async def tell_of_test(desk: Desk, hub: str, by: str) -> Task:
    """Announce that a home's next press is a test; raise `NotHandledError`."""
    need = await desk.store.change(presses.open_test, hub, desk.clock())
    (done,) = await call(desk, {need.id: None}, trying(desk, by, Called.TEST_TOLD))
    return done


async def follow_trouble(
    desk: Desk, hubs: Sequence[Hub], now: float, listening_utc: float | None
) -> None:
    """Make tasks of what fails for too long, and end those of what works again."""
    center = desk.settings.center
    grace = Grace(
        center.lost_task_s, center.trigger_task_s, center.device_task_s, center.press_task_s
    )
    bounds = Bounds(center.session_s, center.press_tasks_a_day)
    look = Look(now, listening_utc, grace)
    news = await desk.store.ask(equipment.watch, hubs, look, bounds)
    if news.is_any:
        await desk.store.change(equipment.follow, news, now)
        desk.feed.tell(Update(Topic.NEED))


def put(
    conn: Connection, hub: str, record: Record, change: Entry, version: int | None = None
) -> Kept | NotKept:
    """Store a record, as `records.put`.

    Of another resident, or where readings must not be kept any more, the hub forgets the body.
    """
    found = records.find(conn, hub)
    held = found.record if found else Record()
    done = records.put(conn, hub, record, change, version)
    if isinstance(done, NotKept):
        return done
    if is_another(held, record) or was_taken_back(held, record, ConsentItem.VITALS):
        limits.begin_anew(conn, hub, change.utc)
    return done


async def keep(desk: Desk, hub: str, record: Record, by: str, version: int | None) -> Kept:
    """Store a record, decided against the version looked at; raise `NotKeptError`."""
    change = Entry(desk.clock(), Deed.RECORD_CHANGED, version=0, by=by)
    done = await desk.store.change(put, hub, record, change, version)
    if isinstance(done, NotKept):
        raise NotKeptError(done.why, done.kept)
    desk.feed.tell(Update(Topic.HOME, hub))
    return done


async def note_seen(desk: Desk, hub: str, deed: Deed, by: str) -> None:
    """Write into the audit that somebody looks, before they see anything."""
    await desk.store.change(records.seen, hub, deed, by, desk.clock())


async def note_record_seen(desk: Desk, hub: str, by: str, *, again: bool) -> None:
    """Write into the audit that somebody looks at a record; `again` (a refresh) once a shift."""
    since_utc = desk.clock() - desk.settings.center.session_s
    if not again or not await desk.store.ask(records.was_seen, hub, by, since_utc):
        await note_seen(desk, hub, Deed.RECORD_SEEN, by)


def hub_of(request: Request) -> str:
    """Return the home in the request's path."""
    return str(request.path_params["hub"])


def path(hub: str, *parts: str) -> str:
    """Return the address of a home's page."""
    return "/".join(("/homes", quote(hub, safe=""), *parts))
