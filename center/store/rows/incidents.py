"""Events and incidents in the store: kept as they came, saved, listed for the board and the API.

Statements are built once: to build one takes SQLAlchemy longer than to run it (measured).
"""

import hashlib
import re
import secrets
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy
from msgspec import Struct
from sqlalchemy import Connection, Integer, Select, bindparam, func, insert, select, update

from center.domain.incident import CLOCK_BACK_S, TEST_S, Change, Deed, Entry, Incident, Patience
from center.store import tables
from center.store.rows.audit import write_line
from center.store.shaping import shape
from hub.contract.messages import AlarmEvent, Happened, OtherEvent, Stage
from hub.contract.reading import UNREAD
from hub.contract.scaip import HAZARDS, URGENCY, Kind

LINES = 50  # of a timeline at once: one of 10,000 presses would be a page of 2.8 MB
SEQ_MAX = 2**53
SHARED = (
    "surplus of "  # and its id: the alarm of an incident that many alarms share (`service.surplus`)
)
_FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what may stand in a URL as it is
_incidents, _events, _audit = tables.incidents, tables.events, tables.audit
_ROW = _incidents.c
_BY_ID = select(_incidents).where(_incidents.c.id == bindparam("id"))
_BY_ID_LOCKED = select(_incidents).where(_incidents.c.id == bindparam("id")).with_for_update()
_OF_ALARM = (
    select(_incidents)
    .where(_incidents.c.hub == bindparam("hub"), _incidents.c.alarm == bindparam("alarm"))
    .with_for_update()
)
_UNREAD_ALARM = (
    select(_incidents.c.alarm)
    .where(_incidents.c.hub == bindparam("hub"), _incidents.c.stage != Stage.CLOSED.value)
    .where(_incidents.c.alarm.startswith(UNREAD, autoescape=True))
    .order_by(_incidents.c.received_utc)
    .limit(1)
)
_ID_TAKEN = select(_incidents.c.id).where(
    (_incidents.c.id == bindparam("id"))
    | ((_incidents.c.hub == bindparam("hub")) & (_incidents.c.alarm == bindparam("shared")))
)
_KNOWN_EVENT = select(_events.c.seq).where(
    _events.c.source == bindparam("source"), _events.c.id == bindparam("id")
)
_ALARM_BEFORE = select(_events.c.alarm).where(
    _events.c.source == bindparam("source"), _events.c.id == bindparam("id")
)
_ADD_EVENT = insert(_events)
_ADD_INCIDENT = insert(_incidents)
_PUT_INCIDENT = update(_incidents).where(_incidents.c.id == bindparam("this"))
_TIMELINE = (
    select(_audit)
    .where(_audit.c.incident == bindparam("id"), _audit.c.seq < bindparam("before"))
    .order_by(_audit.c.seq.desc())
    .limit(bindparam("most"))
)
_CLOSER = (
    select(_audit.c.by)
    .where(_audit.c.incident == bindparam("id"), _audit.c.deed == Deed.CLOSED.value)
    .order_by(_audit.c.seq.desc())
    .limit(1)
)
_HAS_SUNK = _incidents.c.cancelled_utc.is_not(None) | (  # as in `console.view.urgent_first`
    _incidents.c.cleared_utc.is_not(None)
    & _incidents.c.kind.in_((Kind.MISSED_CHECKIN.value, Kind.NO_LIFE.value))
)
_DUE = (  # as `by_hubs.expire` judges
    select(_incidents)
    .where(
        _ROW.stage == bindparam("stage"),
        (_ROW.expires_utc <= bindparam("utc"))
        | (_ROW.expires_utc > bindparam("most_utc"))
        | (_ROW.again_utc <= bindparam("again_utc"))
        | (_ROW.again_utc > bindparam("ahead_utc"))
        | (_ROW.test_utc <= bindparam("utc"))
        | (_ROW.test_utc > bindparam("tested_utc"))
        | (_ROW.expires_utc.is_(None) & (_ROW.present_utc <= bindparam("there_utc"))),
    )
    .with_for_update()
)
_SINCE = select(_incidents).where(
    (_incidents.c.stage != Stage.CLOSED.value) | (_incidents.c.last_utc >= bindparam("utc"))
)


class Which(StrEnum):
    """Which incidents to list; `open` are all that no person has closed yet."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class Case(Struct, frozen=True):
    """An incident with a page of its timeline, oldest line first.

    `older` is the `before` of the page before it, None where there is none.
    """

    incident: Incident
    timeline: tuple[Entry, ...]
    older: int | None = None
    closed_by: str = ""


def keep_event(
    conn: Connection, hub: str, event: Happened | OtherEvent, raw: str, utc: float
) -> bool:
    """Store an event as it came; False when it was stored before."""
    key = {"source": event.source, "id": event.id}
    if conn.execute(_KNOWN_EVENT, key).first() is not None:
        return False
    alarm = event.data.alarm if isinstance(event, AlarmEvent) else None
    values = {"type": event.type, "hub": hub, "alarm": alarm, "stored_utc": utc, "raw": raw}
    conn.execute(_ADD_EVENT, {**key, **values})
    return True


def incident_of(conn: Connection, hub: str, alarm: str) -> Incident | None:
    """Return the incident of a hub's alarm, or None; on a server, locked until the commit."""
    return find(conn, _OF_ALARM, hub=hub, alarm=alarm)


def incident(conn: Connection, ident: str) -> Incident | None:
    """Return an incident by its own id, or None; on a server, locked until the commit."""
    return find(conn, _BY_ID_LOCKED, id=ident)


def find(conn: Connection, query: Select[Any], **values: str) -> Incident | None:
    """Return the incident that a query with these parameters finds, or None."""
    row = conn.execute(query, values).first()
    return None if row is None else shape(row, Incident)


def unread_alarm(conn: Connection, hub: str, event: AlarmEvent) -> str | None:
    """Return the alarm of a call that names none: as stored before, else the hub's open one."""
    before: str | None = conn.scalar(_ALARM_BEFORE, {"source": event.source, "id": event.id})
    alarm: str | None = before or conn.scalar(_UNREAD_ALARM, {"hub": hub})
    return alarm


def free_id(conn: Connection, hub: str, alarm: str) -> str:
    """Return the id of a new incident: its alarm, or a digest where that is unfit or taken.

    A hub may name an alarm like the digest: then the id is random. An id is taken, too, where a
    shared incident has its alarm from it.
    """
    digest = "x-" + hashlib.sha256(f"{hub}\n{alarm}".encode()).hexdigest()[:32]
    for ident in (alarm, digest) if _FIT.fullmatch(alarm) else (digest,):
        key = {"id": ident, "hub": hub, "shared": SHARED + ident}
        if conn.execute(_ID_TAKEN, key).first() is None:
            return ident
    return "x-" + secrets.token_hex(16)


def save(conn: Connection, change: Change) -> Incident:
    """Store a change: the incident's row and its new lines. Return the incident."""
    values = msgspec.to_builtins(change.incident)
    if change.incident.version == 1:
        conn.execute(_ADD_INCIDENT, values)
    else:
        conn.execute(_PUT_INCIDENT, {"this": change.incident.id, **values})
    for entry in change.entries:
        write_line(conn, entry, change.incident.id)
    return change.incident


def case(
    conn: Connection, ident: str, limit: int = LINES, before: int | None = None
) -> Case | None:
    """Return an incident by its id with the newest lines of its timeline, or None.

    `limit` is the most lines; `before` pages on to older ones.
    """
    incident = find(conn, _BY_ID, id=ident)
    if incident is None:
        return None
    asked = {"id": ident, "before": before or SEQ_MAX, "most": limit + 1}
    lines = conn.execute(_TIMELINE, asked).all()
    shown = lines[:limit]
    closed_by = "" if incident.is_open else conn.scalar(_CLOSER, {"id": ident})
    return Case(
        incident,
        tuple(shape(row, Entry) for row in reversed(shown)),
        shown[-1].seq if len(lines) > limit else None,
        closed_by or "",
    )


def incidents(
    conn: Connection, which: Which, limit: int = 100, before: str | None = None
) -> list[Incident]:
    """List incidents, newest first, at most `limit`; `before` is the last id of the page before."""
    table = tables.incidents
    query = select(table).order_by(table.c.received_utc.desc(), table.c.id.desc()).limit(limit)
    match which:
        case Which.OPEN:
            query = query.where(table.c.stage != Stage.CLOSED.value)
        case Which.CLOSED:
            query = query.where(table.c.stage == Stage.CLOSED.value)
        case Which.ALL:
            pass
    if before is not None:
        since = select(table.c.received_utc).where(table.c.id == before).scalar_subquery()
        at_once = (table.c.received_utc == since) & (table.c.id < before)
        query = query.where((table.c.received_utc < since) | at_once)
    return [shape(row, Incident) for row in conn.execute(query)]


def board(conn: Connection, limit: int) -> tuple[list[Incident], int]:
    """List the open incidents, the most urgent and oldest first, and return their number.

    Those that nobody holds come before the others, and each home's first call before any home's
    second: a home with many calls pushes no other home off the list.
    """
    table = tables.incidents
    urgent = (
        (table.c.who != "").cast(Integer),
        (table.c.kind == Kind.TEST.value).cast(Integer),
        _HAS_SUNK.cast(Integer),
        table.c.kind.not_in([kind.value for kind in HAZARDS]).cast(Integer),
        sqlalchemy.case(
            {kind.value: n for kind, n in URGENCY.items()}, value=table.c.kind, else_=0
        ),
        table.c.waiting_utc,
        table.c.id,
    )
    turn = func.row_number().over(partition_by=table.c.hub, order_by=urgent).label("turn")
    still = table.c.stage != Stage.CLOSED.value
    ranked = select(table.c.id, turn).where(still).subquery()
    query = select(table).join(ranked, ranked.c.id == table.c.id)
    query = query.order_by(urgent[0], urgent[1], ranked.c.turn, *urgent[2:]).limit(limit)
    found = [shape(row, Incident) for row in conn.execute(query)]
    total = len(found)
    if total == limit:
        total = conn.scalar(select(func.count()).select_from(table).where(still)) or 0
    return found, total


def of_hub(conn: Connection, hub: str, limit: int = 20) -> list[Incident]:
    """List a hub's incidents, newest first."""
    table = tables.incidents
    query = select(table).where(table.c.hub == hub).order_by(table.c.received_utc.desc())
    return [shape(row, Incident) for row in conn.execute(query.limit(limit))]


def last_calls(conn: Connection) -> dict[str, Incident]:
    """Return each hub's newest incident, by hub."""
    table = tables.incidents
    newest = (
        select(table.c.hub, func.max(table.c.received_utc).label("at"))
        .group_by(table.c.hub)
        .subquery()
    )
    both = (table.c.hub == newest.c.hub) & (table.c.received_utc == newest.c.at)
    rows = conn.execute(select(table).join(newest, both))
    return {row.hub: shape(row, Incident) for row in rows}


def stages(conn: Connection) -> dict[Stage, int]:
    """Count incidents by stage."""
    table = tables.incidents
    query = select(table.c.stage, func.count()).group_by(table.c.stage)
    return {Stage.of(stage): count for stage, count in conn.execute(query)}


def due_holds(conn: Connection, utc: float, patience: Patience) -> list[Incident]:
    """List the held incidents whose time is over, or whose repeated call was not answered."""
    found = list[Incident]()
    for stage in (Stage.ACCEPTED, Stage.PRESENT):
        lasts_s = patience.lasts_s(stage)
        times = {
            "utc": utc,
            "most_utc": utc + lasts_s + CLOCK_BACK_S,
            "ahead_utc": utc + CLOCK_BACK_S,
            "again_utc": utc - patience.answer_s,
            "tested_utc": utc + TEST_S,
            "there_utc": utc - lasts_s,
        }
        rows = conn.execute(_DUE, {"stage": stage.value, **times})
        found += [shape(row, Incident) for row in rows]
    return found


def changed_since(conn: Connection, utc: float) -> list[Incident]:
    """List all open incidents, and the closed ones that changed since `utc`."""
    found = conn.execute(_SINCE, {"utc": utc})
    return [shape(row, Incident) for row in found]
