"""What only the console asks the store: the filtered audit, the last call of each hub."""

from msgspec import Struct
from sqlalchemy import Connection, func, select

from center.domain.incident import Entry, Incident
from center.queries import Line
from center.store import tables
from center.store.shaping import shape


class Wish(Struct, frozen=True):
    """What lines of the audit to show; times are UTC seconds, `until_utc` is not included."""

    incident: str = ""
    hub: str = ""  # of lines about a home
    operator: str = ""
    since_utc: float | None = None
    until_utc: float | None = None
    before: int | None = None  # a line's number: page on to older ones


def audit(conn: Connection, wish: Wish, limit: int) -> list[Line]:
    """List the audit's lines that fit the wish, newest first, at most `limit`."""
    column = tables.audit.c
    query = select(tables.audit).order_by(column.seq.desc()).limit(limit)
    if wish.incident:
        query = query.where(column.incident == wish.incident)
    if wish.hub:
        query = query.where(column.hub == wish.hub)
    if wish.operator:
        query = query.where(column.by == wish.operator)
    if wish.since_utc is not None:
        query = query.where(column.utc >= wish.since_utc)
    if wish.until_utc is not None:
        query = query.where(column.utc < wish.until_utc)
    if wish.before is not None:
        query = query.where(column.seq < wish.before)
    rows = conn.execute(query)
    return [Line(row.seq, row.incident or "", shape(row, Entry)) for row in rows]


def last_calls(conn: Connection) -> dict[str, Incident]:
    """Give each hub's newest incident, by hub."""
    table = tables.incidents
    newest = (
        select(table.c.hub, func.max(table.c.received_utc).label("at"))
        .group_by(table.c.hub)
        .subquery()
    )
    both = (table.c.hub == newest.c.hub) & (table.c.received_utc == newest.c.at)
    rows = conn.execute(select(table).join(newest, both))
    return {row.hub: shape(row, Incident) for row in rows}
