"""Hubs that are struck off, and revoked certificates, in the store."""

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from center.domain.enrolment import Reason
from center.domain.incident import Deed, Entry
from center.store.rows import enrolments
from center.store.rows.audit import write_line
from center.store.shaping import shape
from center.store.tables import certificates, struck_off

_cert = certificates.c


class StruckOff(Struct, frozen=True):
    """A hub that may say and hear nothing any more: since when (UTC seconds), by whom, why."""

    hub: str
    utc: float
    by: str
    reason: Reason


class Standing(Struct, frozen=True):
    """What the broker has to know: denied hubs, and (serial as hex, UTC seconds) of revocations."""

    denied: tuple[str, ...]
    revoked: tuple[tuple[str, float], ...]


def strike_off(conn: Connection, hub: str, utc: float, by: str, reason: Reason) -> bool:
    """Strike a hub off, with its certificates; False where it is already, or nobody knows it."""
    if find(conn, hub) is not None or not enrolments.is_home(conn, hub):
        return False
    conn.execute(insert(struck_off).values(hub=hub, utc=utc, by=by, reason=reason.value))
    enrolments.revoke(conn, hub, utc, by, reason)
    enrolments.drop_claims(conn, hub)
    line = Entry(utc, Deed.HUB_STRUCK_OFF, version=0, by=by, text=reason.value, hub=hub)
    write_line(conn, line)
    return True


def find(conn: Connection, hub: str) -> StruckOff | None:
    """Return how a hub was struck off, or None."""
    row = conn.execute(select(struck_off).where(struck_off.c.hub == hub)).first()
    return None if row is None else shape(row, StruckOff)


def standing(conn: Connection, utc: float) -> Standing:
    """Return what stands now; a certificate that has ended by itself need not be listed."""
    names = conn.scalars(select(struck_off.c.hub).order_by(struck_off.c.hub))
    query = select(_cert.serial, _cert.revoked_utc).where(
        _cert.revoked_utc.is_not(None), _cert.ends_utc > utc
    )
    rows = conn.execute(query.order_by(_cert.serial))
    return Standing(tuple(names), tuple((row[0], row[1]) for row in rows))


def mark(conn: Connection) -> tuple[object, ...]:
    """Return what changes with each revocation: cheap enough to be asked each second."""
    hubs = conn.execute(select(func.count(), func.max(struck_off.c.utc))).one()
    made = select(func.count(), func.count(_cert.revoked_utc), func.max(_cert.revoked_utc))
    return (*hubs, *conn.execute(made.select_from(certificates)).one())
