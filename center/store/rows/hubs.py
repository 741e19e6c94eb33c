"""Hubs in the store: when each was heard, its state, faults, readings and replies.

How many messages were refused is kept here too.
"""

from collections.abc import Collection, Mapping

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, func, insert, null, select, update

from center.domain.hub import AHEAD_S, Fault, Hub
from center.domain.incident import Deed, Entry
from center.domain.record import ConsentItem
from center.store import tables
from center.store.rows import records
from center.store.rows.audit import write_line
from center.store.shaping import shape
from center.store.tables import need_parts
from hub.contract.messages import HELD_OR_CUT, Availability, FaultKind, FaultReport, HubState, Reply

OWN = "center:"  # prefix of a fault that the centre itself has found
INTERVAL_S = 30.0  # until the hub has sent its own
FOLD_S = 3600.0  # a flapping fault makes two rows of history an hour
FLAPS_S = 600.0  # a fault that is back within this counts as never gone: it must become a task

_hubs = tables.hubs
_ADD = insert(_hubs)
_KNOWN = select(_hubs.c.hub).where(_hubs.c.hub == bindparam("this"))
_PUT = update(_hubs).where(_hubs.c.hub == bindparam("this"))
_NEWER = (_hubs.c.heard_utc < bindparam("now")) | (_hubs.c.heard_utc > bindparam("future"))
_HEARD = _PUT.where(_NEWER).values(heard_utc=bindparam("now"))
_BACK = _PUT.where(_hubs.c.removed_utc.is_not(None)).values(
    removed_utc=null(), back_utc=bindparam("now")
)
_ADD_TELEMETRY = insert(tables.telemetry)


def heard(conn: Connection, hub: str, utc: float, first_utc: float) -> None:
    """Note that the hub spoke at `utc`; an earlier time than the one known changes nothing.

    `first_utc` is the present; for a new hub it is stored as its first time. A stored time after it
    is from before the clock was set back, and is replaced.
    """
    if conn.execute(_HEARD, {"this": hub, "now": utc, "future": first_utc + AHEAD_S}).rowcount:
        return
    if conn.execute(_KNOWN, {"this": hub}).first() is None:
        first = {
            "hub": hub,
            "state": Availability.INIT.value,
            "heard_utc": utc,
            "boot": "",
            "software": "",
            "interval_s": INTERVAL_S,
            "synced": False,
            "first_utc": first_utc,
        }
        conn.execute(_ADD, first)


def known(conn: Connection, only: str | None = None) -> list[Hub]:
    """List the hubs that are not removed, or `only` one, by name, with their present faults."""
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
    heard_of = [shape(row, Hub) for row in conn.execute(found)]
    return [replace(hub, faults=tuple(present.get(hub.hub, ()))) for hub in heard_of]


def last_heard(conn: Connection) -> float | None:
    """Return when any hub was heard last, UTC seconds, or None."""
    utc: float | None = conn.scalar(select(func.max(tables.hubs.c.heard_utc)))
    return utc


def set_back(conn: Connection, by_s: float, now_utc: float) -> int:
    """Move times of the future back by `by_s`, as the clock was; return how many hubs changed."""
    future = _hubs.c.heard_utc > now_utc + AHEAD_S
    moved = update(_hubs).where(future).values(heard_utc=_hubs.c.heard_utc - by_s)
    since = need_parts.c.since_utc  # of a hub that was lost: it is back once it is heard later
    ahead = (since > now_utc + AHEAD_S) & need_parts.c.over_utc.is_(None)
    conn.execute(update(need_parts).where(ahead).values(since_utc=since - by_s))
    return conn.execute(moved).rowcount


def comes_back(conn: Connection, hub: str, utc: float) -> bool:
    """List a removed hub again, with a line in the audit; False where it was not removed."""
    if not conn.execute(_BACK, {"this": hub, "now": utc}).rowcount:
        return False
    write_line(conn, Entry(utc, Deed.HUB_BACK, version=0, hub=hub))
    return True


def keep_state(conn: Connection, hub: str, state: HubState) -> None:
    """Store a hub's state; the broker's last will says only that the hub is lost.

    When a phone was seen is stored only with the consent that the record holds, whatever the hub
    was set to.
    """
    values: dict[str, object] = {"state": state.state.value, "pairing": None}
    if state.state is not Availability.LOST:
        values |= {
            "boot": state.boot,
            "software": state.software,
            "interval_s": state.interval_s,
            "synced": state.synced,
            "voice": msgspec.to_builtins(state.voice),
            "triggers": msgspec.to_builtins(state.triggers),
            "pairing": msgspec.to_builtins(state.pairing),
            "phones": _phones(conn, hub, state),
        }
    conn.execute(_PUT, {"this": hub, **values})


def _phones(conn: Connection, hub: str, state: HubState) -> object:
    """Return what may be stored of when phones were seen."""
    kept = records.find(conn, hub) if state.phones else None
    allowed = kept is not None and kept.record.allows(ConsentItem.PHONE)
    return msgspec.to_builtins(state.phones) if allowed else None


def raise_fault(conn: Connection, hub: str, report: FaultReport, utc: float) -> None:
    """Store a fault; a repeated report changes nothing."""
    table = tables.faults
    this = (table.c.hub == hub) & (table.c.fault == report.fault)
    values = {
        "kind": report.kind.value,
        "device": report.device,
        "since_utc": report.since_utc,
        "synced": report.synced,
        "detail": report.detail,
        "cleared_utc": None,
    }
    known = conn.execute(select(table.c.cleared_utc).where(this)).first()
    if known is None or utc - (known[0] or utc) > FLAPS_S:
        values["stored_utc"] = utc
    if known is None:
        conn.execute(insert(table).values(hub=hub, fault=report.fault, **values))
    else:
        conn.execute(update(table).where(this).values(values))
    if known is None or known[0] is not None:
        _remember(conn, hub, report.fault, utc, over=False)


def clear_fault(conn: Connection, hub: str, fault: str, utc: float) -> None:
    """Store that a fault is over; one not known, or over already, changes nothing."""
    table = tables.faults
    lasting = (table.c.hub == hub) & (table.c.fault == fault) & table.c.cleared_utc.is_(None)
    if conn.execute(update(table).where(lasting).values(cleared_utc=utc)).rowcount:
        _remember(conn, hub, fault, utc, over=True)


def match_faults(conn: Connection, hub: str, lasting: Collection[str], utc: float) -> None:
    """Match the faults to the hub's own list, in case a report was missed."""
    table = tables.faults
    known = conn.execute(select(table.c.fault, table.c.cleared_utc).where(table.c.hub == hub)).all()
    for fault, cleared_utc in known:
        if fault.startswith(OWN):
            continue
        if cleared_utc is None and fault not in lasting:
            clear_fault(conn, hub, fault, utc)
        elif cleared_utc is not None and fault in lasting:
            this = (table.c.hub == hub) & (table.c.fault == fault)
            values = {"stored_utc": utc} if utc - cleared_utc > FLAPS_S else {}
            conn.execute(update(table).where(this).values(cleared_utc=None, **values))
            _remember(conn, hub, fault, utc, over=False)


def is_held_or_cut(conn: Connection, hub: str, device: str) -> bool:
    """Return whether a device is stuck now: a button that is held down, or its wire is cut."""
    column = tables.faults.c
    this = (column.hub == hub) & (column.device == device) & column.cleared_utc.is_(None)
    held = (column.kind == FaultKind.STUCK.value) & (column.detail == HELD_OR_CUT)
    return conn.execute(select(column.fault).where(this, held).limit(1)).first() is not None


def heard_and_removed(conn: Connection) -> list[tuple[str, float, float | None]]:
    """List (hub, when heard, when removed or None) of all hubs ever heard, UTC seconds, by name."""
    query = select(_hubs.c.hub, _hubs.c.heard_utc, _hubs.c.removed_utc).order_by(_hubs.c.hub)
    return [(row[0], row[1], row[2]) for row in conn.execute(query)]


def keep_telemetry(conn: Connection, hub: str, raw: str, utc: float) -> None:
    """Store a batch of readings as it came."""
    conn.execute(_ADD_TELEMETRY, {"hub": hub, "stored_utc": utc, "raw": raw})


def keep_reply(conn: Connection, hub: str, reply: Reply, utc: float) -> None:
    """Store the reply to a command; the first one counts."""
    table = tables.replies
    known = select(table.c.id).where(table.c.hub == hub, table.c.id == reply.id)
    if conn.execute(known).first() is None:
        conn.execute(
            insert(table).values(
                hub=hub, id=reply.id, done=reply.done, reason=reply.reason, stored_utc=utc
            )
        )


def refused_counts(conn: Connection) -> dict[str, int]:
    """Return how many messages were refused, by reason."""
    query = select(tables.refused.c.reason, tables.refused.c.count)
    return {str(reason): int(count) for reason, count in conn.execute(query)}


def keep_refused_counts(conn: Connection, counts: Mapping[str, int], utc: float) -> None:
    """Store how many messages were refused, by reason."""
    table = tables.refused
    for reason, count in counts.items():
        values = {"count": count, "last_utc": utc}
        this = table.c.reason == reason
        if not conn.execute(update(table).where(this).values(values)).rowcount:
            conn.execute(insert(table).values(reason=reason, **values))


def _remember(conn: Connection, hub: str, fault: str, utc: float, *, over: bool) -> None:
    """Store that a fault came or went; the same within an hour is only counted."""
    table = tables.fault_history
    this = (table.c.hub == hub) & (table.c.fault == fault) & table.c.over.is_(over)
    newest = select(table.c.seq).where(this, table.c.stored_utc > utc - FOLD_S)
    seq = conn.scalar(newest.order_by(table.c.seq.desc()).limit(1))
    if seq is None:
        conn.execute(insert(table).values(hub=hub, fault=fault, over=over, stored_utc=utc))
    else:
        again = {"times": table.c.times + 1, "last_utc": utc}
        conn.execute(update(table).where(table.c.seq == seq).values(again))
