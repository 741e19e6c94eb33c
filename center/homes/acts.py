"""What a person does for a home, once for the API and the pages: decide, store, tell everybody."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request

from center.desk import Desk
from center.feed import Notice, Topic
from center.homes import need_rows, record_rows
from center.homes.need import NotHandled, Try
from center.homes.need_rows import Task
from center.homes.record import Kept, NotKept, Record
from center.incident import Deed, Entry


class NotHandledError(Exception):
    """The call was not noted; `refused` says why, and who was first."""

    def __init__(self, refused: NotHandled) -> None:
        super().__init__(refused.why.value)
        self.refused = refused


class NotKeptError(Exception):
    """The record was not stored; `refused` has it as it stands."""

    def __init__(self, refused: NotKept) -> None:
        super().__init__(refused.why.value)
        self.refused = refused


async def call(desk: Desk, looked: Mapping[str, int | None], tried: Try) -> tuple[Task, ...]:
    """Note what came of a call about tasks at the versions looked at; raise `NotHandledError`."""
    done = await desk.store.change(need_rows.call, looked, tried)
    if isinstance(done, NotHandled):
        raise NotHandledError(done)
    for task in done:
        desk.feed.tell(Notice(Topic.NEED, task.need.hub, task.need.version))
        desk.feed.tell(Notice(Topic.HOME, task.need.hub))
    return done


async def keep(desk: Desk, hub: str, record: Record, by: str, version: int | None) -> Kept:
    """Store a record, decided against the version looked at; raise `NotKeptError`."""
    change = Entry(desk.clock(), Deed.RECORD_CHANGED, version=0, by=by)
    done = await desk.store.change(record_rows.put, hub, record, change, version)
    if isinstance(done, NotKept):
        raise NotKeptError(done)
    desk.feed.tell(Notice(Topic.HOME, hub))
    return done


async def note_seen(desk: Desk, hub: str, deed: Deed, by: str) -> None:
    """Write down that somebody looked, before they see anything."""
    await desk.store.change(record_rows.seen, hub, deed, by, desk.clock())


async def note_record_seen(desk: Desk, hub: str, by: str, *, again: bool) -> None:
    """Write down that somebody looked at a record; a page's own refreshing counts once a shift."""
    since_utc = desk.clock() - desk.settings.center.session_s
    if not again or not await desk.store.ask(record_rows.was_seen, hub, by, since_utc):
        await note_seen(desk, hub, Deed.RECORD_SEEN, by)


def hub_of(request: Request) -> str:
    """Give the home that an address is about."""
    return str(request.path_params["hub"])


def path(hub: str, *parts: str) -> str:
    """Give the address of a home's page."""
    return "/".join(("/homes", quote(hub, safe=""), *parts))
