"""Deliveries of announcements in the store: what is due at which hub, and what the hubs answer.

A claim is one transaction: of two centres on one database only one gets each try and counter.
"""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, select, update

from center.domain import times
from center.domain.announcement import (
    DAYS_MAX,
    Announcement,
    Delivery,
    Fate,
    Why,
    ended,
    replied,
    sent,
    told,
)
from center.domain.incident import Deed
from center.store import tables
from center.store.rows import announcements, records
from center.store.rows.commands import BATCH, HASTEN_S, LASTS_S, next_counter
from center.store.shaping import shape
from center.store.tables import deliveries
from hub.contract.messages import AnnouncementEvent, Command, CommandKind, Reply

CLOCK_ERR_S = 60.0  # of a hub that says it is synchronised
_c = deliveries.c
_WAITING = _c.fate == Fate.WAITING.value
_ONE = (
    select(deliveries)
    .where(_c.announcement == bindparam("announcement"), _c.hub == bindparam("hub"))
    .with_for_update()
)
_DUE = (
    select(deliveries)
    .where(_WAITING, _c.due_utc <= bindparam("utc"))
    .order_by(_c.due_utc, _c.announcement, _c.hub)
    .with_for_update()
)
_ANY_DUE = select(_c.hub).where(_WAITING, _c.due_utc <= bindparam("utc")).limit(1)
_PUT = update(deliveries).where(_c.announcement == bindparam("this"), _c.hub == bindparam("there"))
_HASTEN = (
    update(deliveries)
    .where(_WAITING, _c.hub == bindparam("there"), _c.due_utc > bindparam("utc"))
    .where(_c.sent_utc < bindparam("before"))
    .values(due_utc=bindparam("utc"))
)


class Look(Struct, frozen=True):
    """An announcement with every home, in one snapshot."""

    sent: announcements.Sent
    deliveries: tuple[Delivery, ...]
    names: dict[str, str]


def any_due(conn: Connection, utc: float) -> bool:
    """Return whether a claim would find anything: a query, which does not use the writer."""
    return conn.execute(_ANY_DUE, {"utc": utc}).first() is not None


def claim(conn: Connection, utc: float, limit: int = BATCH) -> tuple[list[tuple[str, Command]],
                                                                     list[str]]:  # fmt: skip
    """Claim the deliveries that are due, each with a new counter, and end those out of date.

    Return (hub, command) in the order of sending, and the hubs of the deliveries that ended.
    """
    orders: list[tuple[str, Command]] = []
    over: list[str] = []
    known: dict[str, Announcement | None] = {}
    for row in conn.execute(_DUE.limit(limit), {"utc": utc}).all():
        one = _shape(row)
        if one.announcement not in known:
            condition = tables.announcements.c.id == one.announcement
            known[one.announcement] = announcements.find(conn, condition)
        announcement = known[one.announcement]
        if announcement is None or announcement.until_utc <= utc:
            save(conn, ended(one, Fate.EXPIRED, utc))
            over.append(one.hub)
            continue
        orders.append((one.hub, _command(announcement, next_counter(conn, one.hub, utc), utc)))
        save(conn, sent(one, utc, announcement.until_utc))
    return orders, over


def reply(conn: Connection, hub: str, said: Reply, utc: float) -> bool:
    """Store a hub's reply to a command; False where it changes nothing."""
    one = of(conn, said.id, hub)
    after = one and replied(one, said, utc)
    if after is None:
        return False
    save(conn, after)
    return True


def tell(conn: Connection, hub: str, event: AnnouncementEvent, utc: float) -> bool:
    """Store what a hub says became of an announcement; False where it is of none."""
    one = of(conn, event.data.command, hub)
    if one is None:
        return False
    said_utc = times.of_rfc3339(event.time, utc) if event.data.synced else utc
    trusted = utc - DAYS_MAX * times.DAY_S < said_utc < utc + CLOCK_ERR_S
    save(conn, told(one, event.data.outcome, said_utc if trusted else utc, utc))
    return True


def hasten(conn: Connection, hub: str, utc: float) -> None:
    """Make the deliveries to a hub that is online due now."""
    conn.execute(_HASTEN, {"there": hub, "utc": utc, "before": utc - HASTEN_S})


def withdraw(conn: Connection, ident: str, by: str, utc: float) -> Announcement | Why:
    """Withdraw an announcement from the homes whose hubs do not have it yet."""
    one = announcements.find(conn, tables.announcements.c.id == ident)
    if one is None:
        return Why.NOT_FOUND
    waiting = [found for found in of_announcement(conn, ident) if found.fate is Fate.WAITING]
    for found in waiting:
        save(conn, ended(found, Fate.WITHDRAWN, utc))
    if waiting:
        announcements.write_deed(conn, Deed.WITHDRAWN, one, by, utc)
    return one


def of(conn: Connection, announcement: str, hub: str) -> Delivery | None:
    """Return the delivery of an announcement to a home, or None."""
    row = conn.execute(_ONE, {"announcement": announcement, "hub": hub}).first()
    return None if row is None else _shape(row)


def of_announcement(conn: Connection, ident: str) -> list[Delivery]:
    """List all deliveries of an announcement."""
    query = select(deliveries).where(_c.announcement == ident).order_by(_c.hub)
    return [_shape(row) for row in conn.execute(query)]


def to_home(conn: Connection, hub: str, limit: int) -> list[tuple[Announcement, Delivery]]:
    """List the announcements to a home, newest first, each with its delivery there."""
    query = select(tables.announcements).join(
        deliveries, _c.announcement == tables.announcements.c.id
    )
    query = query.where(_c.hub == hub).order_by(
        tables.announcements.c.utc.desc(), tables.announcements.c.id
    )
    found = [announcements.shape(row) for row in conn.execute(query.limit(limit)).all()]
    held = select(deliveries).where(_c.hub == hub, _c.announcement.in_([one.id for one in found]))
    here = {one.announcement: one for one in map(_shape, conn.execute(held))}
    return [(one, here[one.id]) for one in found]


def look(conn: Connection, ident: str) -> Look | None:
    """Read an announcement, or None."""
    one = announcements.find(conn, tables.announcements.c.id == ident)
    if one is None:
        return None
    found = of_announcement(conn, ident)
    counts = {fate: sum(d.fate is fate for d in found) for fate in Fate}
    names = records.names(conn, [d.hub for d in found])
    return Look(announcements.Sent(one, counts), tuple(found), names)


def save(conn: Connection, one: Delivery) -> None:
    """Store a delivery as it is now."""
    conn.execute(_PUT, {"this": one.announcement, "there": one.hub, **msgspec.to_builtins(one)})


def _command(one: Announcement, counter: int, utc: float) -> Command:
    return Command(
        id=one.id,
        kind=CommandKind.ANNOUNCE,
        counter=counter,
        expires_utc=utc + LASTS_S,
        text=one.text,
        urgent=one.urgent,
        until_utc=one.until_utc,
    )


def _shape(row: Row[Any]) -> Delivery:
    return shape(row, Delivery)
