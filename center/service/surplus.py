"""More open alarms of one home than a person could look at: the surplus shares one incident.

A home has a few alarms open at a time. A hub that sends hundreds is broken or stolen, and each
would be a card on the board. Those beyond `OPEN_MOST` are counted in one incident that says so. A
press in it rings as in any other; the end of one alarm says nothing of the others, so it is only a
line of the timeline.
"""

from msgspec.structs import replace
from sqlalchemy import Connection, func, insert, select

from center.domain import by_hubs
from center.domain.by_hubs import Heard
from center.domain.incident import Change, Incident
from center.store import tables
from center.store.rows import incidents
from center.store.rows.incidents import find
from hub.contract.messages import Stage

OPEN_MOST = 20  # twice the number of kinds of alarm that one home can have open

_table, _incidents = tables.surplus, tables.incidents


def is_full(conn: Connection, hub: str) -> bool:
    """Return whether `OPEN_MOST` alarms of the home are open with incidents of their own."""
    alone = (_incidents.c.hub == hub) & (_incidents.c.surplus == 0)
    still = select(_incidents.c.id).where(alone, _incidents.c.stage != Stage.CLOSED.value)
    counted = still.limit(OPEN_MOST).subquery()
    return (conn.scalar(select(func.count()).select_from(counted)) or 0) >= OPEN_MOST


def of_alarm(conn: Connection, hub: str, alarm: str) -> Incident | None:
    """Return the incident that an alarm shares with others, or None."""
    this = (_table.c.hub == hub) & (_table.c.alarm == alarm)
    ident = conn.scalar(select(_table.c.incident).where(this))
    return incidents.incident(conn, ident) if ident else None


def as_of(incident: Incident | None, alarm: str) -> Incident | None:
    """Return a shared incident as that of one alarm, for the ack to its hub; not to be stored."""
    return incident and replace(incident, alarm=alarm)


def add(
    conn: Connection, shared: Incident | None, heard: Heard, lost: tuple[str, ...] = ()
) -> Incident:
    """Store an event of an alarm that shares an incident, or does so from now on; return it."""
    known = shared or _still_open(conn, heard.hub)
    change = by_hubs.partly_read(by_hubs.fold(known, heard), lost)
    if shared is not None:
        return incidents.save(conn, change)
    count = known.surplus + 1 if known else 1
    alarm = known.alarm if known else f"{incidents.SHARED}{heard.incident}"
    incident = replace(
        change.incident, alarm=alarm, surplus=count, place="", evidence=None, vital=None
    )
    _keep(conn, heard, incident.id)
    return incidents.save(conn, Change(incident, change.entries))


def _still_open(conn: Connection, hub: str) -> Incident | None:
    shared = (_incidents.c.hub == hub) & (_incidents.c.surplus > 0)
    query = select(_incidents).where(shared, _incidents.c.stage != Stage.CLOSED.value)
    return find(conn, query.order_by(_incidents.c.received_utc.desc()).limit(1))


def _keep(conn: Connection, heard: Heard, incident: str) -> None:
    data = heard.event.data
    values = {
        "hub": heard.hub,
        "alarm": data.alarm,
        "incident": incident,
        "kind": data.kind.value,
        "device": data.device,
        "place": data.place,
        "happened_utc": heard.happened_utc,
        "stored_utc": heard.utc,
    }
    conn.execute(insert(_table).values(values))
