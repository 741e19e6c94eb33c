"""Tasks in the store: opened by homes, dealt with by people. Functions of a connection."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from center.home_tables import need_notes, needs
from center.homes.need import Called, Need, NeedKind, NotHandled, Try, WhyNot, handle, said_again
from center.incident import Deed, Entry
from center.rows import write_line
from center.shaping import shape

SILENT = (  # a sign of life takes the edge off
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
_HOMES = select(func.count(needs.c.hub.distinct())).where(_OPEN)


class Asked(Struct, frozen=True):
    """What a home asks for, by which of its events."""

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
    """A need with its notes, oldest first."""

    need: Need
    notes: tuple[Note, ...] = ()


def open_need(conn: Connection, asked: Asked, utc: float) -> Need:
    """Open a task, or fold it into the open one of the same kind and home."""
    row = conn.execute(_OPEN_OF, {"hub": asked.hub, "kind": asked.kind.value}).first()
    if row is not None:
        need = said_again(_shape(row), utc, asked.score)
        _put(conn, need)
        return need
    digest = hashlib.sha256(f"{asked.hub}\n{asked.event}".encode()).hexdigest()
    need = Need(f"n-{digest[:20]}", asked.hub, asked.kind, 1, utc, utc, asked.score)
    conn.execute(insert(needs).values(msgspec.to_builtins(need)))
    return need


def ease(conn: Connection, hub: str, utc: float) -> bool:
    """Note on a home's check-ins without an answer that there is life; a person still ends them."""
    silent = (needs.c.hub == hub) & needs.c.kind.in_([kind.value for kind in SILENT])
    this = update(needs).where(_OPEN, silent).values(eased_utc=utc)
    return conn.execute(this).rowcount > 0


def call(
    conn: Connection, looked: Mapping[str, int | None], tried: Try
) -> tuple[Task, ...] | NotHandled:
    """Note what came of a person's call about some tasks, each with its line in the audit.

    `looked` gives the version of each that was looked at (None: any). All are noted, or none.
    """
    if not looked:
        return NotHandled(WhyNot.NOTHING_CHOSEN)
    needs: list[Need] = []
    for ident, version in looked.items():
        row = conn.execute(_BY_ID, {"id": ident}).first()
        if row is None:
            return NotHandled(WhyNot.NOT_FOUND)
        decided = handle(_shape(row), replace(tried, version=version))
        if isinstance(decided, NotHandled):
            return decided
        needs.append(decided)
    for need in needs:
        _settle(conn, need, tried)
    return tuple(task(conn, need) for need in needs)


def end_with_incident(conn: Connection, hub: str, by: str, utc: float) -> bool:
    """End a home's missed check-in together with the alarm that came of it."""
    row = conn.execute(_OPEN_OF, {"hub": hub, "kind": NeedKind.MISSED_CHECKIN.value}).first()
    if row is None:
        return False
    tried = Try(by, utc, Called.BY_INCIDENT)
    decided = handle(_shape(row), tried)
    if isinstance(decided, Need):
        _settle(conn, decided, tried)
    return isinstance(decided, Need)


def task(conn: Connection, need: Need) -> Task:
    """Give a need with its notes."""
    query = select(need_notes).where(need_notes.c.need == need.id).order_by(need_notes.c.seq)
    notes = [shape(row, Note) for row in conn.execute(query)]
    return Task(need, tuple(notes))


def homes_open(conn: Connection) -> int:
    """Count the homes that somebody should call."""
    return conn.scalar(_HOMES) or 0


def still_open(conn: Connection, hub: str | None = None) -> list[Task]:
    """List the tasks that wait for a person, the oldest first; of one home or of all."""
    query = select(needs).where(_OPEN).order_by(needs.c.since_utc, needs.c.id)
    if hub is not None:
        query = query.where(needs.c.hub == hub)
    return [task(conn, _shape(row)) for row in conn.execute(query).all()]


def done_since(conn: Connection, utc: float, hub: str | None = None) -> list[Task]:
    """List the tasks that were dealt with since, the newest first."""
    query = select(needs).where(needs.c.done_utc >= utc).order_by(needs.c.done_utc.desc())
    if hub is not None:
        query = query.where(needs.c.hub == hub)
    return [task(conn, _shape(row)) for row in conn.execute(query.limit(500)).all()]


def prune(conn: Connection, before_utc: float) -> int:
    """Forget tasks that were ended before, with their notes; give how many tasks."""
    old = needs.c.done_utc < before_utc
    conn.execute(delete(need_notes).where(need_notes.c.need.in_(select(needs.c.id).where(old))))
    return conn.execute(delete(needs).where(old)).rowcount


def _settle(conn: Connection, need: Need, tried: Try) -> None:
    result = need.result or Called.NOT_REACHED
    _put(conn, need)
    conn.execute(
        insert(need_notes).values(
            need=need.id, utc=tried.utc, by=tried.by, result=result.value, text=tried.note.strip()
        )
    )
    text = f"{need.kind} {result}"
    write_line(conn, Entry(tried.utc, Deed.CALLED, version=0, by=tried.by, text=text, hub=need.hub))


def _put(conn: Connection, need: Need) -> None:
    conn.execute(update(needs).where(needs.c.id == need.id).values(msgspec.to_builtins(need)))


def _shape(row: Row[Any]) -> Need:
    return shape(row, Need)
