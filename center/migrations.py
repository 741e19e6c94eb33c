"""From an older database to this program's: new tables are made, new columns are added.

A database of a newer program is refused, untouched.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import Column, Connection, func, insert, inspect, select, text, update
from sqlalchemy.schema import CreateColumn

from center import announcing_tables, home_tables, tables
from center.dialect import StoreError, lock_audit

IDENTITY = "database"

_ADDED: dict[int, tuple[Column[object], ...]] = {  # the schema that has them first -> columns
    2: (
        tables.incidents.c.cleared_utc,
        tables.incidents.c.evidence,
        tables.audit.c.hub,
        tables.hubs.c.first_utc,
    ),
    3: (),  # only new tables: announcements, deliveries, counters
    4: (tables.hubs.c.voice,),  # and a new table: words
    5: (tables.incidents.c.about,),
    6: (
        tables.hubs.c.triggers,
        tables.faults.c.stored_utc,
        tables.fault_history.c.times,
        tables.fault_history.c.last_utc,
        home_tables.needs.c.area,
        home_tables.needs.c.taken_by,
        home_tables.needs.c.taken_utc,
        home_tables.needs.c.until_utc,
        tables.incidents.c.acted_utc,
        tables.incidents.c.again_utc,
        tables.incidents.c.sent_utc,
        tables.incidents.c.surplus,  # and new tables: own_faults, hub_boots, surplus
    ),
}


def bring_up(conn: Connection) -> None:
    """Make or raise the database to `tables.SCHEMA`, in the caller's transaction.

    Raise `StoreError` for a schema that this program does not know.
    """
    meta = tables.meta
    held = _held(conn)
    if held is not None and not 1 <= held <= tables.SCHEMA:
        message = f"the database has schema {held}; this program knows {tables.SCHEMA}"
        raise StoreError(message)
    old = set(inspect(conn).get_table_names())  # a table that is new has all its columns already
    for table in (home_tables.records, announcing_tables.deliveries):
        table.metadata.create_all(conn)  # one metadata for all tables
    lock_audit(conn)
    if held is None:
        conn.execute(insert(meta).values(key="schema", value=str(tables.SCHEMA)))
        return
    for schema in range(held + 1, tables.SCHEMA + 1):
        _add(conn, [column for column in _ADDED[schema] if column.table.name in old])
    if held < tables.SCHEMA:
        _index(conn)
    if held == 1:
        _judge_from_the_first_event(conn)
    conn.execute(update(meta).where(meta.c.key == "schema").values(value=str(tables.SCHEMA)))


def identity(conn: Connection) -> str:
    """Give the id of this database, made when it is asked for first."""
    meta = tables.meta
    known: str | None = conn.scalar(select(meta.c.value).where(meta.c.key == IDENTITY))
    if known is not None:
        return known
    made = secrets.token_hex(8)
    conn.execute(insert(meta).values(key=IDENTITY, value=made))
    return made


def _held(conn: Connection) -> int | None:
    if not inspect(conn).has_table(tables.meta.name):
        return None
    query = select(tables.meta.c.value).where(tables.meta.c.key == "schema")
    value: str | None = conn.scalar(query)
    if value is None:
        return None
    return int(value) if value.isdecimal() else 0


def _add(conn: Connection, columns: Sequence[Column[object]]) -> None:
    for column in columns:
        words = CreateColumn(column).compile(conn)
        conn.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {words}"))


def _index(conn: Connection) -> None:
    """Make the indexes that old tables do not have yet."""
    for table in tables.metadata.tables.values():
        for index in table.indexes:
            index.create(conn, checkfirst=True)


def _judge_from_the_first_event(conn: Connection) -> None:
    hub, event = tables.hubs, tables.events
    first = select(func.min(event.c.stored_utc)).where(event.c.hub == hub.c.hub).scalar_subquery()
    conn.execute(update(hub).values(first_utc=func.coalesce(first, hub.c.heard_utc)))
