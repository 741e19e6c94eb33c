"""Residents' records in the store, and who looked at them."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from center.domain.incident import Deed, Entry
from center.domain.record import Kept, NotKept, Record, WhyNotKept, changed
from center.store import tables
from center.store.rows.audit import write_line
from center.store.shaping import shape
from center.store.tables import audit, records


def find(conn: Connection, hub: str) -> Kept | None:
    """Return a home's record, an empty one where only its hub was heard, or None for no home."""
    row = conn.execute(select(records).where(records.c.hub == hub)).first()
    if row is not None:
        return shape(row, Kept)
    known = conn.execute(select(tables.hubs.c.hub).where(tables.hubs.c.hub == hub)).first()
    return Kept(hub) if known else None


def names(conn: Connection, hubs: Collection[str] | None = None) -> dict[str, str]:
    """Return the resident's name of each home that has one; of some homes, or of all."""
    query = select(records.c.hub, records.c.record["name"].as_string())
    if hubs is not None:
        query = query.where(records.c.hub.in_(hubs))
    return {hub: name for hub, name in conn.execute(query) if name}


def names_and_phones(conn: Connection, hubs: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the resident's name and phone number of each home that has a record."""
    record = records.c.record
    query = select(records.c.hub, record["name"].as_string(), record["phone"].as_string())
    found = conn.execute(query.where(records.c.hub.in_(hubs)))
    return {hub: (name or "", phone or "") for hub, name, phone in found}


def put(
    conn: Connection, hub: str, record: Record, change: Entry, version: int | None = None
) -> Kept | NotKept:
    """Store a record, and in the audit who changed which fields (`change` has who and when).

    `version` is the one looked at (None: any). Nothing is written where nothing differs.
    """
    held = find(conn, hub) or Kept(hub)
    if version is not None and version != held.version:
        return NotKept(WhyNotKept.STALE, held)
    fields = changed(held.record, record)
    if not fields:
        return held
    kept = Kept(hub, record, held.version + 1, change.utc, change.by)
    values = msgspec.to_builtins(kept)
    if not conn.execute(update(records).where(records.c.hub == hub).values(values)).rowcount:
        conn.execute(insert(records).values(values))
    text = " ".join(fields)
    write_line(
        conn, Entry(change.utc, Deed.RECORD_CHANGED, version=0, by=change.by, text=text, hub=hub)
    )
    return kept


def kept(conn: Connection) -> list[tuple[str, str, float]]:
    """List (hub, the resident's name, its last change in UTC seconds) of all records, by hub."""
    column = records.c
    query = select(column.hub, column.record["name"].as_string(), column.changed_utc)
    return [(hub, name or "", utc) for hub, name, utc in conn.execute(query.order_by(column.hub))]


def remove(conn: Connection, utc: float, hub: str) -> bool:
    """Delete a home's record, with a line in the audit; False where there is none."""
    if not conn.execute(delete(records).where(records.c.hub == hub)).rowcount:
        return False
    conn.execute(delete(tables.subjects).where(tables.subjects.c.hub == hub))
    write_line(conn, Entry(utc, Deed.RECORD_REMOVED, version=0, hub=hub))
    return True


def was_seen(conn: Connection, hub: str, by: str, since_utc: float) -> bool:
    """Return whether the audit says that `by` has looked at the record since then."""
    column = audit.c
    query = select(column.seq).where(
        column.hub == hub,
        column.by == by,
        column.deed == Deed.RECORD_SEEN.value,
        column.utc >= since_utc,
    )
    return conn.execute(query.limit(1)).first() is not None


def seen(conn: Connection, hub: str, deed: Deed, by: str, utc: float) -> None:
    """Note in the audit that somebody looked at the data of a home."""
    write_line(conn, Entry(utc, deed, version=0, by=by, hub=hub))
