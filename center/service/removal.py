"""Removing a home's record, or a hub for good: it is not listed, its history stays."""

from enum import StrEnum

from sqlalchemy import Connection, select, update

from center.domain.announcement import Fate
from center.domain.incident import Deed, Entry
from center.service import own_faults
from center.store import tables
from center.store.rows import enrolments, installations, limits, records, vitals
from center.store.rows.audit import write_line
from center.store.tables import deliveries, needs
from hub.contract.messages import Stage


class Removed(StrEnum):
    """The result of a removal; a key of the message files."""

    DONE = "done"
    UNKNOWN = "unknown"  # no hub of that name was ever heard, or it is removed already
    CALLS = "calls"  # a call of it is open: a person has to close it first


def remove_home(conn: Connection, utc: float, hub: str) -> bool:
    """Delete a home's record, and give its hub the default limits; False where there is none.

    Its readings go at once: whoever moves in may have a record, and consent, within minutes.
    """
    if not records.remove(conn, utc, hub):
        return False
    vitals.drop_all(conn, hub)
    enrolments.drop_backup(conn, hub)
    installations.drop(conn, hub)
    limits.clear(conn, hub, utc)
    return True


def remove_hub(conn: Connection, utc: float, hub: str) -> Removed:
    """Remove a hub, with a line in the audit. It is listed again when it speaks again.

    Its certificate stays valid: to tidy the list must silence no home. Who wants that strikes the
    hub off (`revocation`).
    """
    calls = select(tables.incidents.c.id).where(
        tables.incidents.c.hub == hub, tables.incidents.c.stage != Stage.CLOSED.value
    )
    if conn.execute(calls.limit(1)).first() is not None:
        return Removed.CALLS
    held = (tables.hubs.c.hub == hub) & tables.hubs.c.removed_utc.is_(None)
    gone = update(tables.hubs).where(held).values(removed_utc=utc, back_utc=None)
    if not conn.execute(gone).rowcount:
        return Removed.UNKNOWN
    lasting = (tables.faults.c.hub == hub) & tables.faults.c.cleared_utc.is_(None)
    conn.execute(update(tables.faults).where(lasting).values(cleared_utc=utc))
    own_faults.forget(conn, hub)
    still = (needs.c.hub == hub) & needs.c.done_utc.is_(None)
    conn.execute(update(needs).where(still).values(done_utc=utc, version=needs.c.version + 1))
    waiting = (deliveries.c.hub == hub) & (deliveries.c.fate == Fate.WAITING.value)
    ended = {"fate": Fate.WITHDRAWN.value, "over_utc": utc}
    conn.execute(update(deliveries).where(waiting).values(ended))
    limits.forget(conn, hub, utc)
    enrolments.drop_backup(conn, hub)
    write_line(conn, Entry(utc, Deed.HUB_REMOVED, version=0, hub=hub))
    return Removed.DONE
