"""The days of a home in the store: check-ins and hours of activity."""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, insert, select, update

from center.domain import times
from center.domain.day_grid import Hour
from center.store.shaping import bounded, shape
from center.store.tables import activity, checkins
from hub.contract import messages
from hub.contract.messages import AnsweredBy, CheckInEvent, CheckInResult


class CheckIn(Struct, frozen=True):
    """The result of a check-in; `day` and `slot` are Korea's, times UTC seconds."""

    hub: str
    checkin: str
    day: str
    slot: str
    topic: messages.Topic
    result: CheckInResult
    by: AnsweredBy
    attempts: int
    due_utc: float
    synced: bool
    said_utc: float
    wordless: int | None = None


def keep_checkin(conn: Connection, hub: str, event: CheckInEvent, utc: float) -> bool:
    """Store a check-in's result; False where a newer one is stored already."""
    data = event.data
    day, slot = times.of_checkin(data.checkin, data.due_utc)
    one = CheckIn(
        hub=hub,
        checkin=data.checkin,
        day=day,
        slot=slot,
        topic=data.topic,
        result=data.result,
        by=data.by,
        attempts=bounded(data.attempts),
        due_utc=data.due_utc,
        synced=data.synced,
        said_utc=times.of_rfc3339(event.time, utc),
        wordless=bounded(data.wordless),
    )
    this = (checkins.c.hub == hub) & (checkins.c.checkin == data.checkin)
    values = {**msgspec.to_builtins(one), "stored_utc": utc}
    held = conn.execute(select(checkins.c.said_utc, checkins.c.synced).where(this)).first()
    if held is None:
        conn.execute(insert(checkins).values(values))
        return True
    if data.synced and held.synced and one.said_utc < held.said_utc:
        return False
    conn.execute(update(checkins).where(this).values(values))
    return True


def keep_activity(conn: Connection, hub: str, said: messages.Activity, utc: float) -> None:
    """Store an hour of activity, in place of an earlier report of it."""
    this = (activity.c.hub == hub) & (activity.c.from_utc == said.from_utc)
    values = {
        **msgspec.to_builtins(said),
        "seen": {device: bounded(count) for device, count in said.seen.items()},
        "stored_utc": utc,
    }
    if not conn.execute(update(activity).where(this).values(values)).rowcount:
        conn.execute(insert(activity).values(hub=hub, **values))


def hours(conn: Connection, hub: str, from_utc: float, until_utc: float) -> list[Hour]:
    """List a home's hours that begin within [from, until), oldest first."""
    column = activity.c
    query = select(activity).where(
        column.hub == hub, column.from_utc >= from_utc, column.from_utc < until_utc
    )
    found = conn.execute(query.order_by(column.from_utc))
    return [shape(row, Hour) for row in found]


def places(conn: Connection, hub: str) -> dict[str, str]:
    """Return the room of each device, by the home's newest report."""
    newest = select(activity.c.places).where(activity.c.hub == hub)
    found: dict[str, str] | None = conn.scalar(
        newest.order_by(activity.c.stored_utc.desc(), activity.c.from_utc.desc()).limit(1)
    )
    return found or {}


def of_home(conn: Connection, hub: str, since_day: str) -> list[CheckIn]:
    """List a home's check-ins since a day, oldest first."""
    query = select(checkins).where(checkins.c.hub == hub, checkins.c.day >= since_day)
    return _shaped(conn, query.order_by(checkins.c.day, checkins.c.slot))


def of_day(conn: Connection, day: str) -> list[CheckIn]:
    """List all homes' check-ins of a day, by home and time."""
    query = select(checkins).where(checkins.c.day == day)
    return _shaped(conn, query.order_by(checkins.c.hub, checkins.c.slot))


def _shaped(conn: Connection, query: Select[Any]) -> list[CheckIn]:
    return [shape(row, CheckIn) for row in conn.execute(query)]
