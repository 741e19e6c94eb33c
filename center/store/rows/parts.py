"""The parts of tasks in the store: which homes and devices a task is about.

A task of an area is one row, however many homes fail at once. Each home is a part, which ends by
itself; when all parts are over, the task is over. What fails again within an hour is the same task,
so that a loose plug makes one row and not thousands.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from center.domain.equipment import Part, area_of, grouped
from center.domain.need import Called, Need, NeedKind, Try, handle, opened_again
from center.store import shaping, tables
from center.store.rows import needs
from center.store.rows.needs import Task
from center.store.tables import need_parts, records

BACK_S = 3600.0  # what comes back within an hour is the same task
URGENT = (NeedKind.HUB_LOST, NeedKind.TRIGGER_FAULT)
_part = need_parts.c
_LASTS = _part.over_utc.is_(None)
_KEY = ("need", "hub", "device", "fault")
_THIS = and_(*(getattr(_part, name) == bindparam(f"this_{name}") for name in _KEY))
_END = update(need_parts).where(_THIS, _LASTS).values(over_utc=bindparam("at"))
_AGAIN = (
    update(need_parts)
    .where(_THIS)
    .values(over_utc=None, times=_part.times + 1, since_utc=bindparam("since"))
)
_OF_AREA = tables.needs.c.kind.in_([kind.value for kind in NeedKind if kind.is_of_area])


class Row(Struct, frozen=True):
    """A part as stored; `times` is how often it came back."""

    need: str
    hub: str
    device: str
    fault: str
    kind: NeedKind
    detail: str
    since_utc: float
    over_utc: float | None
    times: int

    @property
    def part(self) -> Part:
        """What fails."""
        return Part(self.kind, self.hub, self.device, self.fault, self.detail, self.since_utc)


class AreaTask(Struct, frozen=True):
    """A task of an area: how many homes fail now and did at all, and one of them."""

    need: Need
    homes: int
    all_homes: int
    hub: str


class Whole(Struct, frozen=True):
    """A task with its notes, the homes in which it still fails, and a page of its parts."""

    task: Task
    homes: int
    parts: tuple[Row, ...]


class Standing(Struct, frozen=True):
    """The open tasks of equipment: their number, their homes, and when one last grew."""

    tasks: int = 0
    homes: int = 0
    grew_utc: float = 0.0


def lasting(conn: Connection) -> list[Row]:
    """List the parts that still fail, of open tasks and of those that were seen to."""
    return [shape(row) for row in conn.execute(select(need_parts).where(_LASTS))]


def open_parts(conn: Connection, parts: Iterable[Part], utc: float) -> set[str]:
    """Add parts to the tasks of their areas or homes, made where needed; return the tasks' ids."""
    some = list(parts)
    areas = _areas(conn, {part.hub for part in some})
    touched: set[str] = set()
    for kind in NeedKind:
        found = grouped((part for part in some if part.kind is kind), areas)
        for (hub, area), members in found.items():
            need = _task(conn, kind, hub, area, utc)
            _add(conn, need.id, members)
            touched.add(need.id)
    return touched


def end_parts(conn: Connection, rows: Iterable[Row], utc: float) -> set[str]:
    """End parts, and each open task with its last part; return the tasks' ids."""
    ended = [{"at": utc, **_key(row.need, row.part)} for row in rows]
    if not ended:
        return set()
    conn.execute(_END, ended)
    touched = {str(one["this_need"]) for one in ended}
    for ident in touched:
        need = needs.find(conn, ident)
        if need and need.is_open and not _fails(conn, ident):
            decided = handle(need, Try("", utc, Called.BY_ITSELF))
            if isinstance(decided, Need):
                needs.put(conn, decided)
    return touched


def due_again(conn: Connection, utc: float) -> list[Need]:
    """List the tasks that were seen to, but still fail after their time."""
    parts = select(_part.need).where(_LASTS)
    over = (tables.needs.c.until_utc <= utc) & tables.needs.c.done_utc.is_not(None)
    query = select(tables.needs).where(over, tables.needs.c.id.in_(parts))
    return [needs.shape(row) for row in conn.execute(query)]


def taken_before(conn: Connection, utc: float) -> list[Need]:
    """List the open tasks of areas that somebody took before."""
    query = select(tables.needs).where(
        tables.needs.c.done_utc.is_(None), tables.needs.c.taken_utc <= utc, _OF_AREA
    )
    return [needs.shape(row) for row in conn.execute(query)]


def areas_open(conn: Connection, limit: int) -> list[AreaTask]:
    """List the open tasks of areas, what is urgent first, then the oldest."""
    return _areas_of(conn, limit, done_since=None)


def areas_done(conn: Connection, utc: float, limit: int) -> list[AreaTask]:
    """List the tasks of areas that are over since, the newest first."""
    return _areas_of(conn, limit, done_since=utc)


def area_task(conn: Connection, ident: str) -> AreaTask | None:
    """Return one task with its counts, or None."""
    need = needs.find(conn, ident)
    return None if need is None else _counted(conn, [need])[0]


def of_home(conn: Connection, hub: str) -> list[AreaTask]:
    """List the open tasks of areas in which something of a home still fails."""
    parts = select(_part.need).where(_part.hub == hub, _LASTS)
    query = select(tables.needs).where(
        _OF_AREA, tables.needs.c.done_utc.is_(None), tables.needs.c.id.in_(parts)
    )
    rows = conn.execute(query.order_by(tables.needs.c.since_utc))
    return _counted(conn, [needs.shape(row) for row in rows])


def whole(conn: Connection, ident: str, limit: int, skip: int = 0) -> Whole | None:
    """Return a task with a page of its parts, or None."""
    found = area_task(conn, ident)
    if found is None:
        return None
    parts = tuple(parts_of(conn, ident, limit, skip))
    homes = found.homes if found.need.kind.is_of_area else 1
    return Whole(needs.task(conn, found.need), homes, parts)


def parts_of(conn: Connection, ident: str, limit: int, skip: int = 0) -> list[Row]:
    """List a task's parts, those that still fail first; a page of them."""
    query = select(need_parts).where(_part.need == ident)
    query = query.order_by(_part.over_utc.is_not(None), _part.hub, _part.device, _part.fault)
    return [shape(row) for row in conn.execute(query.limit(limit).offset(skip))]


def devices(conn: Connection) -> dict[str, tuple[str, ...]]:
    """Return the devices to press by task, each with its place where that is known."""
    due = _part.kind == NeedKind.PRESS_DUE.value
    query = select(_part.need, _part.device, _part.detail).where(_LASTS, due)
    found: dict[str, tuple[str, ...]] = {}
    for need, device, place in conn.execute(query.order_by(_part.device)):
        if device:
            name = f"{place} {device}".strip()
            found[need] = (*found.get(need, ()), name)
    return found


def count_parts(conn: Connection, ident: str) -> int:
    """Count a task's parts."""
    return conn.scalar(select(func.count()).where(_part.need == ident)) or 0


def standing(conn: Connection) -> Standing:
    """Return how much equipment waits for a person."""
    is_open = tables.needs.c.done_utc.is_(None)
    tasks = conn.scalar(select(func.count()).where(is_open, _OF_AREA)) or 0
    if not tasks:
        return Standing()
    urgent = tables.needs.c.kind.in_([kind.value for kind in URGENT])
    grew = conn.scalar(select(func.max(tables.needs.c.last_utc)).where(is_open, urgent)) or 0.0
    of_open = select(tables.needs.c.id).where(is_open, _OF_AREA)
    homes = select(func.count(_part.hub.distinct())).where(_LASTS, _part.need.in_(of_open))
    return Standing(tasks, conn.scalar(homes) or 0, grew)


def shape(row: "sqlalchemy.Row[*tuple[Any, ...]]") -> Row:
    """Return the part of a row."""
    return shaping.shape(row, Row)


def _task(conn: Connection, kind: NeedKind, hub: str, area: str, utc: float) -> Need:
    this = (
        (tables.needs.c.kind == kind.value)
        & (tables.needs.c.hub == hub)
        & (tables.needs.c.area == area)
    )
    lately = (tables.needs.c.result == Called.BY_ITSELF.value) & (
        tables.needs.c.done_utc >= utc - BACK_S
    )
    query = select(tables.needs).where(this, tables.needs.c.done_utc.is_(None) | lately)
    row = conn.execute(query.order_by(tables.needs.c.since_utc.desc()).with_for_update()).first()
    if row is None:
        ident = needs.name(kind.value, hub, area, repr(utc))
        need = Need(ident, hub, kind, 1, utc, utc, area=area)
        needs.add(conn, need)
        return need
    need = needs.shape(row)
    need = replace(need, last_utc=utc) if need.is_open else opened_again(need, utc)
    needs.put(conn, need)
    return need


def _add(conn: Connection, ident: str, parts: Sequence[Part]) -> None:
    query = select(_part.hub, _part.device, _part.fault).where(_part.need == ident)
    held = {(row.hub, row.device, row.fault) for row in conn.execute(query)}
    new = [part for part in parts if part.key[1:] not in held]
    again = [part for part in parts if part.key[1:] in held]
    if new:
        rows = [{"need": ident, **msgspec.to_builtins(part), "times": 0} for part in new]
        conn.execute(insert(need_parts), rows)
    if again:
        conn.execute(_AGAIN, [{"since": p.since_utc, **_key(ident, p)} for p in again])


def _areas(conn: Connection, hubs: Collection[str]) -> dict[str, str]:
    address = records.c.record["address"].as_string()
    query = select(records.c.hub, address).where(records.c.hub.in_(hubs))
    return {hub: area_of(text or "") for hub, text in conn.execute(query)}


def _areas_of(conn: Connection, limit: int, done_since: float | None) -> list[AreaTask]:
    query = select(tables.needs).where(_OF_AREA)
    if done_since is None:
        lower = tables.needs.c.kind == NeedKind.DEVICE_FAULT.value
        query = query.where(tables.needs.c.done_utc.is_(None)).order_by(
            lower, tables.needs.c.since_utc
        )
    else:
        query = query.where(tables.needs.c.done_utc >= done_since).order_by(
            tables.needs.c.done_utc.desc()
        )
    return _counted(conn, [needs.shape(row) for row in conn.execute(query.limit(limit))])


def _counted(conn: Connection, some: Sequence[Need]) -> list[AreaTask]:
    now = func.count(_part.hub.distinct()).filter(_LASTS)
    first = func.min(_part.hub).filter(_LASTS)
    every, anyone = func.count(_part.hub.distinct()), func.min(_part.hub)
    query = select(_part.need, now, every, first, anyone).group_by(_part.need)
    query = query.where(_part.need.in_([need.id for need in some]))
    counts = {row[0]: row[1:] for row in conn.execute(query)}
    return [
        AreaTask(need, fails, every, hub or any_hub or "")
        for need in some
        for fails, every, hub, any_hub in [counts.get(need.id, (0, 0, "", ""))]
    ]


def _fails(conn: Connection, ident: str) -> bool:
    query = select(_part.hub).where(_part.need == ident, _LASTS).limit(1)
    return conn.execute(query).first() is not None


def _key(need: str, part: Part) -> dict[str, object]:
    return {
        "this_need": need,
        "this_hub": part.hub,
        "this_device": part.device,
        "this_fault": part.fault,
    }
