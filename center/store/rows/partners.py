"""Medical partners in the store: their keys, and the names under which they know residents.

A resident's name there is random and says nothing. It goes with the record, so that whoever lives
in the home next has a name of their own.
"""

import secrets

from sqlalchemy import Connection, delete, insert, select

from center.domain.incident import Deed, Entry
from center.domain.record import ConsentItem, Record
from center.store.rows import records
from center.store.rows.audit import write_line
from center.store.tables import partners, subjects

SUBJECT_BYTES = 10  # 80 random bits: nobody guesses a resident


def put(conn: Connection, utc: float, name: str, hashed: str) -> None:
    """Add a partner's key; an older one of that name is no longer valid."""
    conn.execute(delete(partners).where(partners.c.name == name))
    conn.execute(insert(partners).values(hash=hashed, name=name, created_utc=utc))
    write_line(conn, Entry(utc, Deed.PARTNER_ADDED, version=0, text=name))


def remove(conn: Connection, utc: float, name: str) -> bool:
    """Remove a partner's key; False where there is none."""
    if not conn.execute(delete(partners).where(partners.c.name == name)).rowcount:
        return False
    write_line(conn, Entry(utc, Deed.PARTNER_REMOVED, version=0, text=name))
    return True


def names(conn: Connection) -> list[tuple[str, float]]:
    """List (name, since when in UTC seconds) of all partners, by name."""
    query = select(partners.c.name, partners.c.created_utc).order_by(partners.c.name)
    return [(name, utc) for name, utc in conn.execute(query)]


def by_key(conn: Connection, hashed: str) -> str | None:
    """Return the name of the partner with a key, or None."""
    name: str | None = conn.scalar(select(partners.c.name).where(partners.c.hash == hashed))
    return name


def shares(record: Record) -> bool:
    """Return whether a resident consented that readings are kept, and given to the partner."""
    return record.allows(ConsentItem.VITALS) and record.allows(ConsentItem.SHARE_MEDICAL)


def subject_of(conn: Connection, hub: str) -> str:
    """Return the partner's name for a home's resident; empty where there is none."""
    found: str | None = conn.scalar(select(subjects.c.subject).where(subjects.c.hub == hub))
    return found or ""


def name_subject(conn: Connection, hub: str, utc: float) -> str:
    """Return that name, made now where there is none yet; empty without consent."""
    kept = records.find(conn, hub)
    if kept is None or not shares(kept.record):
        return ""
    known = subject_of(conn, hub)
    if known:
        return known
    made = f"anbu-{secrets.token_hex(SUBJECT_BYTES)}"
    conn.execute(insert(subjects).values(hub=hub, subject=made, made_utc=utc))
    return made


def hub_of(conn: Connection, subject: str) -> tuple[str, bool] | None:
    """Return (home, whether its resident consents) of a partner's name for them, or None."""
    hub: str | None = conn.scalar(select(subjects.c.hub).where(subjects.c.subject == subject))
    if hub is None:
        return None
    kept = records.find(conn, hub)
    return hub, kept is not None and shares(kept.record)


def shared(conn: Connection, hub: str, partner: str, count: int, utc: float) -> None:
    """Note in the audit that readings were given to a partner."""
    deed = Deed.VITALS_SHARED
    by = f"partner:{partner}"
    write_line(conn, Entry(utc, deed, version=0, by=by, text=str(count), hub=hub))
