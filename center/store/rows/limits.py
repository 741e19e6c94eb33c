"""The limits of homes in the store: who set them, and whether the hub has them.

A claim is one transaction: of two centres on one database only one gets each try and counter.
"""

from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, insert, select, update

from center.domain.incident import Deed, Entry
from center.domain.limits import (
    NONE,
    Fate,
    Kept,
    changed,
    of_another,
    replied,
    reported,
    sent,
    set_anew,
    when_back,
)
from center.domain.record import WhyNotKept
from center.store.rows.audit import write_line
from center.store.rows.commands import BATCH, HASTEN_S, LASTS_S, next_counter
from center.store.shaping import shape
from center.store.tables import vital_limits
from hub.contract.messages import Command, CommandKind, HubState, Reply, VitalLimits

_c = vital_limits.c
_SENDS = _c.fate.in_([Fate.WAITING.value, Fate.REFUSED.value])
_ONE = select(vital_limits).where(_c.hub == bindparam("hub")).with_for_update()
_DUE = (
    select(vital_limits)
    .where(_SENDS, _c.due_utc <= bindparam("utc"))
    .order_by(_c.due_utc, _c.hub)
    .with_for_update()
)
_ANY_DUE = select(_c.hub).where(_SENDS, _c.due_utc <= bindparam("utc")).limit(1)
_HASTEN = (
    update(vital_limits)
    .where(_c.fate == Fate.WAITING.value, _c.hub == bindparam("there"))
    .where(_c.due_utc > bindparam("utc"), _c.sent_utc < bindparam("before"))
    .values(due_utc=bindparam("utc"))
)


def find(conn: Connection, hub: str) -> Kept:
    """Return a home's limits; version 0 where none were ever set."""
    row = conn.execute(_ONE, {"hub": hub}).first()
    return Kept(hub) if row is None else shape(row, Kept)


def put(
    conn: Connection, hub: str, limits: VitalLimits, by: str, utc: float, version: int | None = None
) -> Kept | WhyNotKept:
    """Store a home's limits, with a line in the audit that says which were set to what.

    `version` is the one looked at (None: any). Nothing is written where nothing differs.
    """
    held = find(conn, hub)
    if version is not None and version != held.version:
        return WhyNotKept.STALE
    limits = replace(limits, since_utc=held.limits.since_utc)
    changes = changed(held.limits, limits)
    if not changes:
        return held
    kept = set_anew(held, limits, by, utc)
    save(conn, kept)
    text = " ".join(changes)
    write_line(conn, Entry(utc, Deed.LIMITS_CHANGED, version=0, by=by, text=text, hub=hub))
    return kept


def clear(conn: Connection, hub: str, utc: float) -> None:
    """Set the defaults again: who lives there next has limits and a usual pulse of their own."""
    put(conn, hub, NONE, "", utc)
    begin_anew(conn, hub, utc)


def begin_anew(conn: Connection, hub: str, utc: float) -> None:
    """Have the hub forget what it has learned of a body."""
    held = find(conn, hub)
    save(conn, of_another(held, held.limits, utc))


def any_due(conn: Connection, utc: float) -> bool:
    """Return whether a claim would find anything: a query, which does not use the writer."""
    return conn.execute(_ANY_DUE, {"utc": utc}).first() is not None


def claim(conn: Connection, utc: float, limit: int = BATCH) -> list[tuple[str, Command]]:
    """Claim the limits that are due, each with a new counter, as (hub, command)."""
    orders = []
    for row in conn.execute(_DUE.limit(limit), {"utc": utc}).all():
        held = shape(row, Kept)
        counter = next_counter(conn, held.hub, utc)
        orders.append((held.hub, _command(held, counter, utc)))
        save(conn, sent(held, utc))
    return orders


def reply(conn: Connection, hub: str, said: Reply, utc: float) -> bool:
    """Store a hub's reply to a command; False where it is of no limits."""
    return _after(conn, replied(find(conn, hub), said, utc))


def report(conn: Connection, hub: str, state: HubState, utc: float) -> bool:
    """Note which limits a hub says it has; those that wait for it are due now."""
    if _after(conn, reported(find(conn, hub), state.limits, utc)):
        return True
    conn.execute(_HASTEN, {"there": hub, "utc": utc, "before": utc - HASTEN_S})
    return False


def forget(conn: Connection, hub: str, utc: float) -> None:
    """Delete the limits of a home whose hub is removed; if it is back, it is to forget as well."""
    save(conn, when_back(find(conn, hub), utc))


def save(conn: Connection, kept: Kept) -> None:
    """Store the limits as they are now."""
    values: dict[str, Any] = msgspec.to_builtins(kept)
    if not conn.execute(update(vital_limits).where(_c.hub == kept.hub).values(values)).rowcount:
        conn.execute(insert(vital_limits).values(values))


def _after(conn: Connection, kept: Kept | None) -> bool:
    if kept is not None:
        save(conn, kept)
    return kept is not None


def _command(held: Kept, counter: int, utc: float) -> Command:
    return Command(
        id=held.command,
        kind=CommandKind.VITAL_LIMITS,
        counter=counter,
        expires_utc=utc + LASTS_S,
        limits=held.limits,
    )
