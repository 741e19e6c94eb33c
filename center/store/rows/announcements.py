"""Announcements in the store, each with a delivery for every home, and their audit."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from center.domain.announcement import (
    TWICE_S,
    Announcement,
    Delivery,
    Draft,
    Fate,
    Whom,
    Why,
    digest,
    flaw,
)
from center.domain.incident import Deed, Entry
from center.store import shaping, tables
from center.store.rows.audit import write_line
from center.store.tables import announcements, deliveries, records
from hub.contract.forms import composed

_SAME = select(announcements.c.id).order_by(announcements.c.utc.desc()).limit(1)


class Sent(Struct, frozen=True):
    """An announcement and where it stands, by homes."""

    announcement: Announcement
    counts: Mapping[Fate, int]


class NotSent(Struct, frozen=True):
    """Why an announcement was not sent; `hubs` are the homes that it was for."""

    why: Why
    hubs: tuple[str, ...] = ()


def homes(conn: Connection, draft: Draft) -> tuple[str, ...]:
    """Return the homes that a draft is for: those whose hub was heard and is not removed."""
    query = select(tables.hubs.c.hub).where(tables.hubs.c.removed_utc.is_(None))
    query = query.order_by(tables.hubs.c.hub)
    known: tuple[str, ...] = tuple(conn.scalars(query))
    match draft.whom:
        case Whom.ALL:
            return known
        case Whom.HOME:
            return tuple(hub for hub in known if hub in draft.hubs)
        case Whom.PLACE:
            fitting = _fitting(conn, draft.place)
            return tuple(hub for hub in known if hub in fitting)


def put(conn: Connection, draft: Draft, by: str, utc: float) -> Announcement | NotSent:
    """Store an announcement with a delivery for each home; a known key returns what it made."""
    known = find(conn, announcements.c.key == draft.key)
    if known is not None:
        return known
    hubs = homes(conn, draft)
    why = refusal(conn, draft, hubs, utc)
    if why is not None or draft.until_utc is None:
        return NotSent(why or Why.NO_TIME, hubs)
    made = Announcement(
        id=f"a-{secrets.token_hex(8)}",
        key=draft.key,
        utc=utc,
        by=by,
        text=draft.text,
        urgent=draft.urgent,
        until_utc=draft.until_utc,
        whom=draft.whom,
        place=draft.place if draft.whom is Whom.PLACE else "",
        homes=len(hubs),
        digest=digest(draft.text, hubs=hubs),
    )
    conn.execute(insert(announcements).values(msgspec.to_builtins(made)))
    new = [msgspec.to_builtins(Delivery(made.id, hub, Fate.WAITING, utc)) for hub in hubs]
    conn.execute(insert(deliveries), new)
    write_deed(conn, Deed.ANNOUNCED, made, by, utc)
    return made


def refusal(conn: Connection, draft: Draft, hubs: tuple[str, ...], utc: float) -> Why | None:
    """Return why a draft cannot be sent to these homes, or None."""
    why = flaw(draft, utc)
    if why is not None:
        return why
    if not hubs:
        return Why.NO_HOMES
    if not draft.key:
        return Why.NO_KEY
    if draft.seen and draft.seen != digest(hubs=hubs):
        return Why.CHANGED
    same = announcements.c.digest == digest(draft.text, hubs=hubs)
    lately = conn.execute(_SAME.where(same, announcements.c.utc > utc - TWICE_S)).first()
    return Why.TWICE if lately and not draft.again else None


def find(conn: Connection, condition: ColumnElement[bool]) -> Announcement | None:
    """Return the announcement that fits a condition on its table, or None."""
    row = conn.execute(select(announcements).where(condition)).first()
    return None if row is None else shape(row)


def newest(conn: Connection, limit: int) -> list[Sent]:
    """List announcements with their counts, the newest first."""
    query = select(announcements).order_by(announcements.c.utc.desc(), announcements.c.id)
    found = [shape(row) for row in conn.execute(query.limit(limit)).all()]
    column = deliveries.c
    counted = (
        select(column.announcement, column.fate, func.count())
        .where(column.announcement.in_([one.id for one in found]))
        .group_by(column.announcement, column.fate)
    )
    counts: dict[str, dict[Fate, int]] = {one.id: {} for one in found}
    for ident, fate, count in conn.execute(counted):
        counts[ident][Fate.of(fate)] = count
    return [Sent(one, counts[one.id]) for one in found]


def fates(conn: Connection) -> dict[Fate, int]:
    """Return the number of deliveries by fate; every fate is there."""
    query = select(deliveries.c.fate, func.count()).group_by(deliveries.c.fate)
    held = {Fate.of(fate): int(count) for fate, count in conn.execute(query)}
    return {fate: held.get(fate, 0) for fate in Fate}


def write_deed(conn: Connection, deed: Deed, one: Announcement, by: str, utc: float) -> None:
    """Note in the audit who sent or withdrew it, and to how many homes; not its text."""
    only = conn.scalars(
        select(deliveries.c.hub).where(deliveries.c.announcement == one.id).limit(2)
    )
    hubs = list(only)
    text = f"{one.id} {one.homes}"
    hub = hubs[0] if len(hubs) == 1 else ""
    write_line(conn, Entry(utc, deed, version=0, by=by, text=text, hub=hub))


def shape(row: Row[Any]) -> Announcement:
    """Return the announcement of a row."""
    return shaping.shape(row, Announcement)


def _fitting(conn: Connection, letters: str) -> set[str]:
    wish = composed(letters).casefold().strip()
    query = select(tables.hubs.c.hub, records.c.record)
    query = query.outerjoin(records, records.c.hub == tables.hubs.c.hub)
    found: set[str] = set()
    for hub, record in conn.execute(query):
        held = record or {}
        words = (hub, held.get("name", ""), held.get("address", ""))
        if wish and any(wish in composed(word).casefold() for word in words):
            found.add(hub)
    return found
