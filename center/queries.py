"""What is read from the store: functions of a connection, for `Store.ask` and `Store.read`."""

from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Integer, Select, bindparam, func, select
from sqlalchemy import case as case_of

from center.domain.hub import Fault, Hub
from center.domain.incident import Deed, Entry, Incident
from center.store import tables
from center.store.shaping import shape
from hub.contract.messages import Stage
from hub.contract.scaip import URGENCY, Kind

_BY_ID = select(tables.incidents).where(tables.incidents.c.id == bindparam("id"))
_TIMELINE = (
    select(tables.audit)
    .where(tables.audit.c.incident == bindparam("id"), tables.audit.c.seq < bindparam("before"))
    .order_by(tables.audit.c.seq.desc())
    .limit(bindparam("most"))
)
_CLOSER = (
    select(tables.audit.c.by)
    .where(tables.audit.c.incident == bindparam("id"), tables.audit.c.deed == Deed.CLOSED.value)
    .order_by(tables.audit.c.seq.desc())
    .limit(1)
)
LINES = 50  # of a timeline at once: one of 10,000 presses would be a page of 2.8 MB
SEQ_MAX = 2**53

_HAS_SUNK = tables.incidents.c.cancelled_utc.is_not(None) | (  # as in `views.urgent_first`
    tables.incidents.c.cleared_utc.is_not(None)
    & tables.incidents.c.kind.in_((Kind.MISSED_CHECKIN.value, Kind.NO_LIFE.value))
)


class Which(StrEnum):
    """Which incidents to list; `open` is everything that a person has yet to close."""

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


class Line(Struct, frozen=True):
    """A line of the audit: an entry, its number and its incident (empty for none)."""

    seq: int
    incident: str
    entry: Entry


def case(
    conn: Connection, ident: str, limit: int = LINES, before: int | None = None
) -> Case | None:
    """Give an incident by its id, or None, with the newest lines of its timeline, at most `limit`.

    `before` pages on to older ones.
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


def find(conn: Connection, query: Select[Any], **values: str) -> Incident | None:
    """Give the one incident that the query names, with its parameters filled in, or None."""
    row = conn.execute(query, values).first()
    return None if row is None else shape(row, Incident)


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
    """List what is open, the most urgent and oldest first, and count all of it.

    What nobody has comes before what somebody looks after, and each home's first call before any
    home's second: however many one home makes, it pushes no other's off the list.
    """
    table = tables.incidents
    urgent = (
        (table.c.who != "").cast(Integer),
        (table.c.kind == Kind.TEST.value).cast(Integer),
        _HAS_SUNK.cast(Integer),
        case_of({kind.value: n for kind, n in URGENCY.items()}, value=table.c.kind, else_=0),
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


def stages(conn: Connection) -> dict[Stage, int]:
    """Count incidents by stage."""
    table = tables.incidents
    query = select(table.c.stage, func.count()).group_by(table.c.stage)
    return {Stage.of(stage): count for stage, count in conn.execute(query)}


def hubs(conn: Connection, only: str | None = None) -> list[Hub]:
    """List all hubs that were heard and not removed, or one, by name, with their present faults."""
    present: dict[str, list[Fault]] = {}
    current = select(tables.faults).where(tables.faults.c.cleared_utc.is_(None))
    found = select(tables.hubs).order_by(tables.hubs.c.hub)
    if only is None:
        found = found.where(tables.hubs.c.removed_utc.is_(None))
    else:
        current = current.where(tables.faults.c.hub == only)
        found = found.where(tables.hubs.c.hub == only)
    for row in conn.execute(current.order_by(tables.faults.c.since_utc)):
        present.setdefault(row.hub, []).append(shape(row, Fault))
    known = [shape(row, Hub) for row in conn.execute(found)]
    return [replace(hub, faults=tuple(present.get(hub.hub, ()))) for hub in known]


def last_heard(conn: Connection) -> float | None:
    """Give when any hub was heard last, UTC seconds, or None."""
    utc: float | None = conn.scalar(select(func.max(tables.hubs.c.heard_utc)))
    return utc


def audit(conn: Connection, limit: int = 200, before: int | None = None) -> list[Line]:
    """List the audit, newest first; `before` pages on by `seq`."""
    query = select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(tables.audit.c.seq < before)
    return [Line(row.seq, row.incident or "", shape(row, Entry)) for row in conn.execute(query)]


def refused(conn: Connection) -> dict[str, int]:
    """Count messages that were refused, by reason."""
    query = select(tables.refused.c.reason, tables.refused.c.count)
    return {str(reason): int(count) for reason, count in conn.execute(query)}
