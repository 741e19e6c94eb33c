"""The audit: who did what and when, one line each. An incident's lines are its timeline."""

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from center.domain.incident import Entry
from center.store import tables
from center.store.shaping import shape

_ADD = insert(tables.audit)


class Line(Struct, frozen=True):
    """A line of the audit: an entry, its number and its incident (empty for none)."""

    seq: int
    incident: str
    entry: Entry


class Filter(Struct, frozen=True):
    """Which lines to list; times are UTC seconds, `until_utc` is not included."""

    incident: str = ""
    hub: str = ""  # of lines about a home
    operator: str = ""
    since_utc: float | None = None
    until_utc: float | None = None
    before: int | None = None  # a line's number: only older ones


ALL = Filter()


def write_line(conn: Connection, entry: Entry, incident: str | None = None) -> None:
    """Append a line."""
    conn.execute(_ADD, {"incident": incident, **msgspec.to_builtins(entry)})


def search(conn: Connection, wanted: Filter = ALL, limit: int = 200) -> list[Line]:
    """List the lines that fit, newest first, at most `limit`."""
    column = tables.audit.c
    query = select(tables.audit).order_by(column.seq.desc()).limit(limit)
    if wanted.incident:
        query = query.where(column.incident == wanted.incident)
    if wanted.hub:
        query = query.where(column.hub == wanted.hub)
    if wanted.operator:
        query = query.where(column.by == wanted.operator)
    if wanted.since_utc is not None:
        query = query.where(column.utc >= wanted.since_utc)
    if wanted.until_utc is not None:
        query = query.where(column.utc < wanted.until_utc)
    if wanted.before is not None:
        query = query.where(column.seq < wanted.before)
    rows = conn.execute(query)
    return [Line(row.seq, row.incident or "", shape(row, Entry)) for row in rows]
