"""Tasks in the store: opened by events of homes, handled by people."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from center.domain.incident import Deed, Entry
from center.domain.need import Called, Need, NeedKind, NotHandled, Try, WhyNot, handle, said_again
from center.store import shaping
from center.store.rows.audit import write_line
from center.store.shaping import bounded
from center.store.tables import need_notes, needs

SILENT = (  # a sign of life makes them less urgent
    NeedKind.MISSED_CHECKIN,
    NeedKind.UNCLEAR,
    NeedKind.WORDLESS,
    NeedKind.NOT_BACK,
)
_OPEN = needs.c.done_utc.is_(None)
_BY_ID = select(needs).where(needs.c.id == bindparam("id")).with_for_update()
_OPEN_OF = (
    select(needs)
    .where(_OPEN, needs.c.hub == bindparam("hub"), needs.c.kind == bindparam("kind"))
    .with_for_update()
)
_OF_HOME = needs.c.hub != ""  # a task of an area is of no single home
_HOMES = select(func.count(needs.c.hub.distinct())).where(_OPEN, _OF_HOME)
_KINDS = select(needs.c.kind, func.count()).where(_OPEN).group_by(needs.c.kind)


class Asked(Struct, frozen=True):
    """A task that a home's event asks for."""

    hub: str
    kind: NeedKind
    event: str
    score: int = 0


class Note(Struct, frozen=True):
    """What an operator wrote of a call."""

    utc: float
    by: str
    result: Called
    text: str


class Task(Struct, frozen=True):
    """A task with its notes, oldest first; `devices`: what is to be pressed in a test."""

    need: Need
    notes: tuple[Note, ...] = ()
    devices: tuple[str, ...] = ()


def open_need(conn: Connection, asked: Asked, utc: float) -> Need:
    """Open a task, or add to the open one of the same kind and home; return it."""
    score = bounded(asked.score)
    row = conn.execute(_OPEN_OF, {"hub": asked.hub, "kind": asked.kind.value}).first()
    if row is not None:
        need = said_again(shape(row), utc, score)
        put(conn, need)
        return need
    ident = name(asked.hub, asked.event)
    need = Need(ident, asked.hub, asked.kind, 1, utc, utc, score)
    add(conn, need)
    return need


def name(*parts: str) -> str:
    """Return the id of a task, made from what caused it."""
    return "n-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def add(conn: Connection, need: Need) -> None:
    """Store a new task."""
    conn.execute(insert(needs).values(msgspec.to_builtins(need)))


def find(conn: Connection, ident: str) -> Need | None:
    """Return a task by its id, or None; on a server, locked until the commit."""
    row = conn.execute(_BY_ID, {"id": ident}).first()
    return None if row is None else shape(row)


def ease(conn: Connection, hub: str, utc: float) -> bool:
    """Note a sign of life on a home's `SILENT` tasks; a person still has to end them."""
    silent = (needs.c.hub == hub) & needs.c.kind.in_([kind.value for kind in SILENT])
    this = update(needs).where(_OPEN, silent).values(eased_utc=utc)
    return conn.execute(this).rowcount > 0


def call(
    conn: Connection, looked: Mapping[str, int | None], tried: Try
) -> tuple[Task, ...] | NotHandled:
    """Store the result of a person's call about some tasks, each with a line in the audit.

    `looked` has the version of each that was looked at (None: any). All are stored, or none.
    """
    if not looked:
        return NotHandled(WhyNot.NOTHING_CHOSEN)
    needs: list[Need] = []
    for ident, version in looked.items():
        need = find(conn, ident)
        if need is None:
            return NotHandled(WhyNot.NOT_FOUND)
        decided = handle(need, replace(tried, version=version))
        if isinstance(decided, NotHandled):
            return decided
        needs.append(decided)
    for need in needs:
        _settle(conn, need, tried)
    return tuple(task(conn, need) for need in needs)


def end_with_incident(conn: Connection, hub: str, by: str, utc: float) -> bool:
    """End a home's task of a missed check-in, since the alarm of it was closed; False if none."""
    row = conn.execute(_OPEN_OF, {"hub": hub, "kind": NeedKind.MISSED_CHECKIN.value}).first()
    if row is None:
        return False
    tried = Try(by, utc, Called.BY_INCIDENT)
    decided = handle(shape(row), tried)
    if isinstance(decided, Need):
        _settle(conn, decided, tried)
    return isinstance(decided, Need)


def task(conn: Connection, need: Need) -> Task:
    """Return a task with its notes."""
    query = select(need_notes).where(need_notes.c.need == need.id).order_by(need_notes.c.seq)
    notes = [shaping.shape(row, Note) for row in conn.execute(query)]
    return Task(need, tuple(notes))


def homes_open(conn: Connection) -> int:
    """Return the number of homes that somebody should call."""
    return conn.scalar(_HOMES) or 0


def kinds_open(conn: Connection) -> dict[NeedKind, int]:
    """Return the number of open tasks by kind; every kind is there."""
    held = {kind: int(count) for kind, count in conn.execute(_KINDS)}
    return {kind: held.get(kind.value, 0) for kind in NeedKind}


def still_open(conn: Connection, hub: str | None = None) -> list[Task]:
    """List the homes' tasks that wait for a person, the oldest first; of one home or of all."""
    query = select(needs).where(_OPEN, _OF_HOME).order_by(needs.c.since_utc, needs.c.id)
    if hub is not None:
        query = query.where(needs.c.hub == hub)
    return [task(conn, shape(row)) for row in conn.execute(query).all()]


def done_since(conn: Connection, utc: float, hub: str | None = None) -> list[Task]:
    """List the homes' tasks that ended since then, newest first."""
    query = select(needs).where(needs.c.done_utc >= utc, _OF_HOME)
    query = query.order_by(needs.c.done_utc.desc())
    if hub is not None:
        query = query.where(needs.c.hub == hub)
    return [task(conn, shape(row)) for row in conn.execute(query.limit(500)).all()]


def put(conn: Connection, need: Need) -> None:
    """Store a task as it is now."""
    conn.execute(update(needs).where(needs.c.id == need.id).values(msgspec.to_builtins(need)))


def shape(row: Row[Any]) -> Need:
    """Return the task of a row."""
    return shaping.shape(row, Need)


def _settle(conn: Connection, need: Need, tried: Try) -> None:
    result = need.result or Called.NOT_REACHED
    put(conn, need)
    conn.execute(
        insert(need_notes).values(
            need=need.id, utc=tried.utc, by=tried.by, result=result.value, text=tried.note.strip()
        )
    )
    text = f"{need.kind} {result}"
    entry = Entry(
        tried.utc, Deed.CALLED, version=0, by=tried.by, text=text, hub=need.hub, place=need.area
    )
    write_line(conn, entry)
