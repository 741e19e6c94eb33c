"""Faults of a hub that only the centre can see, stored beside those that the hub reports.

A hub's own list does not end them: each ends when it was not seen for `QUIET_S`.
"""

from sqlalchemy import Connection, delete, insert, select, update

from center.domain import clones
from center.domain.clones import Boot
from center.store import tables
from center.store.rows import hubs
from hub.contract.messages import Availability, FaultKind, FaultReport, HubState

QUIET_S = {  # after which it is over; twins take turns of up to 8 minutes (`hub.link.backoff`)
    FaultKind.TWIN: 3600.0,
    FaultKind.FLOOD: 600.0,
    FaultKind.CROWDED: 600.0,
}
QUIET_OTHER_S = 600.0  # of a kind that a newer program has stored before a rollback
HUB = "hub"  # the device: the hub itself
BOOTS_KEPT_S = 7 * 86_400.0

_seen, _boots = tables.own_faults, tables.hub_boots


def name(kind: str) -> str:
    """Return the name of a fault of this kind; no hub uses such a name."""
    return f"{hubs.OWN}{kind}"


def see(conn: Connection, hub: str, kind: FaultKind, utc: float, detail: str = "") -> bool:
    """Note that it was seen again; return whether the fault was raised by it."""
    this = (_seen.c.hub == hub) & (_seen.c.kind == kind.value)
    known: int = conn.scalar(select(_seen.c.times).where(this)) or 0
    values = {"times": known + 1, "last_utc": utc}
    if known:
        conn.execute(update(_seen).where(this).values(values))
        return False
    conn.execute(insert(_seen).values(hub=hub, kind=kind.value, **values))
    report = FaultReport(name(kind), kind, HUB, utc, synced=True, detail=detail)
    hubs.raise_fault(conn, hub, report, utc)
    return True


def ease(conn: Connection, utc: float) -> list[str]:
    """End the faults that were not seen for their time; return their hubs."""
    eased = []
    for hub, kind, last_utc in conn.execute(
        select(_seen.c.hub, _seen.c.kind, _seen.c.last_utc)
    ).all():
        if last_utc + QUIET_S.get(FaultKind.of(kind), QUIET_OTHER_S) <= utc:
            conn.execute(delete(_seen).where(_seen.c.hub == hub, _seen.c.kind == kind))
            hubs.clear_fault(conn, hub, name(kind), utc)
            if kind == FaultKind.TWIN.value:  # else the one that is left would be a twin again
                conn.execute(delete(_boots).where(_boots.c.hub == hub))
            eased.append(hub)
    return eased


def forget(conn: Connection, hub: str) -> None:
    """Delete what is known of a hub that was removed."""
    conn.execute(delete(_seen).where(_seen.c.hub == hub))
    conn.execute(delete(_boots).where(_boots.c.hub == hub))


def note_boot(conn: Connection, hub: str, state: HubState, utc: float) -> bool:
    """Detect two machines with one identity (`domain.clones`); return whether that is new."""
    if not state.boot or state.state in {Availability.LOST, Availability.DISCONNECTED}:
        return False
    known = boots(conn, hub)
    if not clones.is_news(known, state.boot, state.utc):
        return False
    values = {"said_utc": state.utc, "heard_utc": utc}
    this = (_boots.c.hub == hub) & (_boots.c.boot == state.boot)
    if not conn.execute(update(_boots).where(this).values(values)).rowcount:
        old = (_boots.c.hub == hub) & (_boots.c.heard_utc < utc - BOOTS_KEPT_S)
        conn.execute(delete(_boots).where(old))
        conn.execute(insert(_boots).values(hub=hub, boot=state.boot, **values))
    last = clones.other(known, state.boot, state.utc)
    return bool(last) and see(conn, hub, FaultKind.TWIN, utc, f"{last} / {state.boot}")


def boots(conn: Connection, hub: str) -> list[Boot]:
    """Return the boots of a hub that are known."""
    rows = conn.execute(select(_boots).where(_boots.c.hub == hub))
    return [Boot(row.boot, row.said_utc, row.heard_utc) for row in rows]
