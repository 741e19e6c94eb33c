"""From an older database to this program's: new tables are created, new columns are added.

Migrations only add, so that the earlier program can use the database again after a rollback. In the
table `meta`, `schema` is the database's own number and `oldest` the oldest program that may use it.
A newer database is used as it is, or refused unchanged where `oldest` says so.
"""

import logging
import secrets
from collections.abc import Sequence

from sqlalchemy import Column, Connection, func, insert, inspect, select, text, update
from sqlalchemy.schema import CreateColumn

from center.store import tables
from center.store.dialect import StoreError, lock_audit

IDENTITY = "database"

SCHEMA, OLDEST = "schema", "oldest"  # keys of the table `meta`
log = logging.getLogger(__name__)

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
        tables.incidents.c.acted_utc,
        tables.incidents.c.again_utc,
        tables.incidents.c.sent_utc,
        tables.incidents.c.surplus,  # and new tables: own_faults, hub_boots, surplus
        tables.incidents.c.unread,
        tables.hubs.c.removed_utc,
        tables.hubs.c.back_utc,
        tables.hubs.c.triggers,
        tables.faults.c.stored_utc,
        tables.fault_history.c.times,
        tables.fault_history.c.last_utc,
        tables.checkins.c.wordless,
        tables.needs.c.area,
        tables.needs.c.taken_by,
        tables.needs.c.taken_utc,
        tables.needs.c.until_utc,
    ),
    7: (
        tables.incidents.c.vital,
        tables.hubs.c.phones,
        tables.hubs.c.pairing,
    ),  # and new tables: vitals, vital_limits, subjects, partners
    8: (tables.incidents.c.test_utc,),  # and new tables: of installers and identities
    9: (),  # only a new table: installations
}


def bring_up(conn: Connection) -> None:
    """Create the database, or migrate it to `tables.SCHEMA`, in the caller's transaction.

    Raise `StoreError` for an invalid schema, or one for which this program is too old.
    """
    held = schema_of(conn)
    if held is not None and held > tables.SCHEMA:
        _use_newer(conn, held)
        return
    if held is not None and held < 1:
        message = f"the database has schema {held}; this program knows {tables.SCHEMA}"
        raise StoreError(message)
    had = frozenset(inspect(conn).get_table_names())
    for table in (tables.records, tables.deliveries):
        table.metadata.create_all(conn)  # one metadata for all tables
    lock_audit(conn)
    _put(conn, OLDEST, tables.OLDEST)
    if held is None:
        _put(conn, SCHEMA, tables.SCHEMA)
        return
    for schema in range(held + 1, tables.SCHEMA + 1):
        _add(conn, [one for one in _ADDED[schema] if one.table.name in had])
    if held < tables.SCHEMA:
        _index(conn)
    if held == 1:
        _judge_from_the_first_event(conn)
    _put(conn, SCHEMA, tables.SCHEMA)


def identity(conn: Connection) -> str:
    """Return the id of this database; the first call makes it."""
    meta = tables.meta
    known: str | None = conn.scalar(select(meta.c.value).where(meta.c.key == IDENTITY))
    if known is not None:
        return known
    made = secrets.token_hex(8)
    conn.execute(insert(meta).values(key=IDENTITY, value=made))
    return made


def schema_of(conn: Connection) -> int | None:
    """Return the schema of a database, 0 for an invalid one, None for a new file."""
    if not inspect(conn).has_table(tables.meta.name):
        return None
    return _number(conn, SCHEMA)


def _number(conn: Connection, key: str) -> int | None:
    value: str | None = conn.scalar(select(tables.meta.c.value).where(tables.meta.c.key == key))
    if value is None:
        return None
    return int(value) if value.isascii() and value.isdecimal() else 0


def _put(conn: Connection, key: str, number: int) -> None:
    meta = tables.meta
    this = update(meta).where(meta.c.key == key).values(value=str(number))
    if not conn.execute(this).rowcount:
        conn.execute(insert(meta).values(key=key, value=str(number)))


def _use_newer(conn: Connection, held: int) -> None:
    """Leave a newer database as it is; raise `StoreError` where this program is too old for it."""
    oldest = _number(conn, OLDEST) or held
    if oldest > tables.SCHEMA:
        message = (
            f"the database has schema {held} and takes programs of schema {oldest} or newer;"
            f" this one knows {tables.SCHEMA}. Start the newer program again, or put the copy"
            " back that it made before its update"
        )
        raise StoreError(message)
    log.warning("the database has schema %d, of a newer program; it is used as it is", held)


def _add(conn: Connection, columns: Sequence[Column[object]]) -> None:
    """Add columns to the tables that existed before; a table made just now has them."""
    for column in columns:
        words = CreateColumn(column).compile(conn)
        conn.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {words}"))


def _index(conn: Connection) -> None:
    """Create the indexes that old tables do not have yet."""
    for table in tables.metadata.tables.values():
        for index in table.indexes:
            index.create(conn, checkfirst=True)


def _judge_from_the_first_event(conn: Connection) -> None:
    hub, event = tables.hubs, tables.events
    first = select(func.min(event.c.stored_utc)).where(event.c.hub == hub.c.hub).scalar_subquery()
    conn.execute(update(hub).values(first_utc=func.coalesce(first, hub.c.heard_utc)))
