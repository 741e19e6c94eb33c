"""What is written to the store about alarms: functions of a connection, jobs of `Store`.

Statements are built once: to build one takes SQLAlchemy longer than to run it (measured).
"""

import hashlib
import re
import secrets

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from center.change import CLOCK_BACK_S, Change, Patience
from center.domain.incident import Entry, Incident
from center.queries import find
from center.store import tables
from center.store.shaping import shape
from hub.contract.messages import AlarmEvent, Happened, OtherEvent, Stage
from hub.contract.reading import UNREAD

_incidents, _events = tables.incidents, tables.events
_ADD_LINE = insert(tables.audit)
_ADD_EVENT = insert(_events)
_ADD_INCIDENT = insert(_incidents)
_PUT_INCIDENT = update(_incidents).where(_incidents.c.id == bindparam("this"))
_KNOWN_EVENT = select(_events.c.seq).where(
    _events.c.source == bindparam("source"), _events.c.id == bindparam("id")
)
_ALARM_BEFORE = select(_events.c.alarm).where(
    _events.c.source == bindparam("source"), _events.c.id == bindparam("id")
)
_ID_TAKEN = select(_incidents.c.id).where(
    (_incidents.c.id == bindparam("id"))
    | ((_incidents.c.hub == bindparam("hub")) & (_incidents.c.alarm == bindparam("shared")))
)
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
_BY_ID = select(_incidents).where(_incidents.c.id == bindparam("id")).with_for_update()
_ROW = _incidents.c
_DUE = (  # as `evidence.expire` judges
    select(_incidents)
    .where(
        _ROW.stage == bindparam("stage"),
        (_ROW.expires_utc <= bindparam("utc"))
        | (_ROW.expires_utc > bindparam("most_utc"))
        | (_ROW.again_utc <= bindparam("again_utc"))
        | (_ROW.again_utc > bindparam("ahead_utc"))
        | (_ROW.expires_utc.is_(None) & (_ROW.present_utc <= bindparam("there_utc"))),
    )
    .with_for_update()
)
_SINCE = select(_incidents).where(
    (_incidents.c.stage != Stage.CLOSED.value) | (_incidents.c.last_utc >= bindparam("utc"))
)
SHARED = "surplus of "  # and its id: the alarm of an incident that many alarms share (`crowd`)
PROBE = "probe_utc"
_FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what may stand in a URL as it is


def write_line(conn: Connection, entry: Entry, incident: str | None = None) -> None:
    """Append a line to the audit."""
    conn.execute(_ADD_LINE, {"incident": incident, **msgspec.to_builtins(entry)})


def save(conn: Connection, change: Change) -> Incident:
    """Store a change: the incident's row and its new lines; give the incident."""
    values = msgspec.to_builtins(change.incident)
    if change.incident.version == 1:
        conn.execute(_ADD_INCIDENT, values)
    else:
        conn.execute(_PUT_INCIDENT, {"this": change.incident.id, **values})
    for entry in change.entries:
        write_line(conn, entry, change.incident.id)
    return change.incident


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
    """Give the incident of a hub's alarm, or None; on a server, locked until the commit."""
    return find(conn, _OF_ALARM, hub=hub, alarm=alarm)


def unread_alarm(conn: Connection, hub: str, event: AlarmEvent) -> str | None:
    """Give the alarm for a call that names none: its own of before, else the hub's open one."""
    before: str | None = conn.scalar(_ALARM_BEFORE, {"source": event.source, "id": event.id})
    alarm: str | None = before or conn.scalar(_UNREAD_ALARM, {"hub": hub})
    return alarm


def incident(conn: Connection, ident: str) -> Incident | None:
    """Give an incident by its own id, or None; on a server, locked until the commit."""
    return find(conn, _BY_ID, id=ident)


def free_id(conn: Connection, hub: str, alarm: str) -> str:
    """Name a new incident: as its alarm, or by a digest where that is unfit or taken.

    A hub can know the digest, too, and name an alarm so: then it is random. Neither is the name
    free that a shared incident would get from it.
    """
    digest = "x-" + hashlib.sha256(f"{hub}\n{alarm}".encode()).hexdigest()[:32]
    for ident in (alarm, digest) if _FIT.fullmatch(alarm) else (digest,):
        key = {"id": ident, "hub": hub, "shared": SHARED + ident}
        if conn.execute(_ID_TAKEN, key).first() is None:
            return ident
    return "x-" + secrets.token_hex(16)


def write_probe(conn: Connection, utc: float, size: int = 0) -> None:
    """Write `size` characters and a little, to see whether the disk takes them."""
    table = tables.meta
    conn.execute(delete(table).where(table.c.key == PROBE))
    conn.execute(insert(table).values(key=PROBE, value=f"{utc}{'.' * size}"))


def due_holds(conn: Connection, utc: float, patience: Patience) -> list[Incident]:
    """List the incidents whose holder forgot them, or does not answer a call that came again."""
    found = list[Incident]()
    for stage in (Stage.ACCEPTED, Stage.PRESENT):
        lasts_s = patience.lasts_s(stage)
        times = {
            "utc": utc,
            "most_utc": utc + lasts_s + CLOCK_BACK_S,
            "ahead_utc": utc + CLOCK_BACK_S,
            "again_utc": utc - patience.answer_s,
            "there_utc": utc - lasts_s,
        }
        rows = conn.execute(_DUE, {"stage": stage.value, **times})
        found += [shape(row, Incident) for row in rows]
    return found


def changed_since(conn: Connection, utc: float) -> list[Incident]:
    """List all open incidents, and the closed ones that changed since `utc`."""
    found = conn.execute(_SINCE, {"utc": utc})
    return [shape(row, Incident) for row in found]
