"""From what the store holds of homes to what the API answers. Pure."""

from collections.abc import Iterable

from center.domain import day_grid
from center.domain.day_grid import Hour
from center.domain.record import Kept
from center.homes.answers import (
    ActivityOut,
    CallOut,
    CheckInOut,
    HomeOut,
    HourOut,
    NeedOut,
    PartOut,
)
from center.store.rows.days import CheckIn
from center.store.rows.needs import Task
from center.store.rows.parts import Row
from hub.contract.wire import timestamp


def home(kept: Kept, places: dict[str, str]) -> HomeOut:
    """Show a record."""
    changed = timestamp(kept.changed_utc) if kept.version else None
    return HomeOut(kept.hub, kept.version, changed, kept.changed_by, kept.record, places)


def activity(hub: str, hours: Iterable[Hour]) -> ActivityOut:
    """Show a home's hours."""
    return ActivityOut(hub, tuple(map(_hour, hours)))


def checkin(one: CheckIn) -> CheckInOut:
    """Show a check-in's result."""
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
    """Show a task with its calls."""
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
        eased=_maybe(one.eased_utc),
        done=_maybe(one.done_utc),
        calls=tuple(CallOut(timestamp(n.utc), n.by, n.result, n.text) for n in task.notes),
        area=one.area,
        homes=homes,
        taken_by=one.taken_by,
        until=_maybe(one.until_utc),
    )


def part(row: Row) -> PartOut:
    """Show a part of a task."""
    since, over = timestamp(row.since_utc), _maybe(row.over_utc)
    return PartOut(row.hub, row.device, row.fault, row.detail, since, over, row.times)


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


def _maybe(utc: float | None) -> str | None:
    return None if utc is None else timestamp(utc)
