"""Presses of the triggers in the store: when each was pressed last, and which are tests.

For the hub a test press is a call like any other, so that a real call in the same minutes stays a
real call. Only here, after an operator has announced a test, a press that begins a new call of a
home without another open call is held by that operator at once, and rings nobody. If the operator
does nothing, it is given back to everybody when the test's time is over.
"""

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, insert, select, update

from center.domain.by_hubs import Heard
from center.domain.equipment import PRESSED
from center.domain.incident import Deed, Entry, Incident, advance
from center.domain.need import Called, Need, NeedKind
from center.store import tables
from center.store.rows import incidents, needs, parts
from center.store.tables import need_parts, presses
from hub.contract.messages import Stage
from hub.contract.scaip import What

_CALLS = frozenset({What.RAISED, What.REPEATED})
_DUE = NeedKind.PRESS_DUE.value
CLOCKS_S = 5.0  # by which a synchronised hub's clock may be behind the centre's
_MINUTE_S = 60.0  # repeats of a swinging cord are not stored more often

_press, _part, _incident = presses.c, need_parts.c, tables.incidents.c
_THIS = (_press.hub == bindparam("this_hub")) & (_press.device == bindparam("this_device"))
_LAST = select(_press.pressed_utc).where(_THIS)
_PRESSED = update(presses).where(_THIS).values(pressed_utc=bindparam("now"))
_AWAITED = select(need_parts).where(
    _part.hub == bindparam("hub"), _part.kind == _DUE, _part.over_utc.is_(None)
)
_OPEN = select(tables.needs).where(
    tables.needs.c.hub == bindparam("hub"),
    tables.needs.c.kind == _DUE,
    tables.needs.c.done_utc.is_(None),
)
_OTHERS = (
    select(_incident.id)
    .where(
        _incident.hub == bindparam("hub"),
        _incident.id != bindparam("id"),
        _incident.stage != Stage.CLOSED.value,
    )
    .limit(1)
)


def tested(
    conn: Connection, incident: Incident, heard: Heard, *, begun: bool
) -> tuple[Incident, bool]:
    """Store a press; return its incident, held by the operator where it is a test.

    Also return whether a task waited for it. Only a press that has `begun` the incident is a test,
    and only one that was surely made after the test was announced.
    """
    data, utc = heard.event.data, heard.utc
    if data.kind not in PRESSED or data.what not in _CALLS:
        return incident, False
    last = conn.scalar(_LAST, {"this_hub": incident.hub, "this_device": data.device})
    if data.what is What.REPEATED and last is not None and utc - last < _MINUTE_S:
        return incident, False
    told = _told(conn, incident.hub, data.device, utc)
    awaited = _note(conn, incident.hub, data.device, utc)
    begins = begun and data.what is What.RAISED and not incident.is_shared
    if told is None or not begins or not is_alone(conn, incident) or _is_older(heard, told):
        return incident, awaited
    after = replace(
        incident,
        stage=Stage.ACCEPTED,
        who=told.taken_by,
        accepted_utc=utc,
        acted_utc=utc,
        expires_utc=min(told.until_utc or utc, utc + heard.patience.take_expires_s),
    )
    entry = Entry(utc, Deed.TEST_PRESSED, version=0, by=told.taken_by)
    return incidents.save(conn, advance(incident, after, entry)), True


def open_test(conn: Connection, hub: str, utc: float) -> Need:
    """Return the home's task of a test press; made now where none is open."""
    return needs.open_need(conn, needs.Asked(hub, NeedKind.PRESS_DUE, f"test {utc!r}"), utc)


def _told(conn: Connection, hub: str, device: str, utc: float) -> Need | None:
    """Return the task of an announced test that still waits for this device, or None."""
    need = _open(conn, hub)
    if need is None or need.result is not Called.TEST_TOLD or not need.taken_by:
        return None
    if (need.until_utc or 0.0) <= utc:
        return None
    devices = {row.device for row in _awaited(conn, hub)}
    return need if not devices or devices & {device, ""} else None


def _is_older(heard: Heard, told: Need) -> bool:
    """Return whether the press may be from before the test was announced: then it is a call."""
    sure = heard.event.data.synced and told.taken_utc is not None
    return not sure or heard.happened_utc < (told.taken_utc or 0.0) - CLOCKS_S


def _note(conn: Connection, hub: str, device: str, utc: float) -> bool:
    for name in {device, ""}:
        this = {"this_hub": hub, "this_device": name, "now": utc}
        if conn.execute(_PRESSED, this).rowcount == 0:
            row = {"hub": hub, "device": name, "known_utc": utc, "pressed_utc": utc}
            conn.execute(insert(presses), row)
    awaited = _awaited(conn, hub)
    done = [row for row in awaited if row.device in {device, ""}]
    parts.end_parts(conn, done, utc)
    need = None if awaited else _open(conn, hub)
    if need:  # a test that an operator began: it waits for any press
        version = need.version + 1
        over = replace(need, version=version, result=Called.BY_ITSELF, done_utc=utc)
        needs.put(conn, replace(over, called_utc=utc, called_by=""))
    return bool(done or need)


def _open(conn: Connection, hub: str) -> Need | None:
    row = conn.execute(_OPEN, {"hub": hub}).first()
    return None if row is None else needs.shape(row)


def _awaited(conn: Connection, hub: str) -> list[parts.Row]:
    return [parts.shape(row) for row in conn.execute(_AWAITED, {"hub": hub}).all()]


def is_alone(conn: Connection, incident: Incident) -> bool:
    """Return whether it is the home's only open incident; beside another no press is a test."""
    return conn.execute(_OTHERS, {"hub": incident.hub, "id": incident.id}).first() is None
