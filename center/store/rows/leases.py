"""Leases of test mode in the store, and what they make of a press."""

import secrets

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select, update

from center.domain import by_hubs, times
from center.domain.by_hubs import Heard
from center.domain.incident import HELD, Deed, Entry, Incident, advance
from center.domain.lease import Lease, waits_until
from center.store import tables
from center.store.rows import incidents, presses
from center.store.rows.audit import write_line
from center.store.rows.commands import next_counter
from center.store.shaping import shape
from center.store.tables import leases
from hub.contract.messages import Command, CommandKind, Reply, Stage

ORDER_S = 60.0  # of the command, while somebody stands in the home

_lease, _incident = leases.c, tables.incidents.c


def begin(conn: Connection, hub: str, by: str, utc: float, lasts_s: float) -> Command | Lease:
    """Begin a lease, and return the command that tells the home; the lease that stands, if any."""
    held = standing(conn, utc, hub)
    if held:
        return held[0]
    ident = f"test-{secrets.token_hex(6)}"
    row = {"id": ident, "hub": hub, "by": by, "since_utc": utc, "until_utc": utc + lasts_s}
    conn.execute(insert(leases).values(**row))
    text = f"{ident} {lasts_s / 60:.0f}"
    write_line(conn, Entry(utc, Deed.TEST_MODE_BEGUN, version=0, by=by, text=text, hub=hub))
    return _command(conn, hub, utc, ident, lasts_s)


def end(conn: Connection, hub: str, by: str, utc: float) -> tuple[Command, list[Incident]]:
    """End a home's lease; return the command that tells the home, and the tests that are calls."""
    ident = f"test-{secrets.token_hex(6)}"
    calls = _end(conn, standing(conn, utc, hub), by, utc)
    return _command(conn, hub, utc, ident, 0.0), calls


def standing(conn: Connection, utc: float, hub: str | None = None) -> list[Lease]:
    """List the leases that stand now, of all homes or of one."""
    query = select(leases).where(
        _lease.ended_utc.is_(None), _lease.since_utc <= utc, _lease.until_utc > utc
    )
    if hub is not None:
        query = query.where(_lease.hub == hub)
    found = conn.execute(query.order_by(_lease.until_utc.desc()))
    return [shape(row, Lease) for row in found]


def judged(conn: Connection, incident: Incident, heard: Heard, *, begun: bool) -> Incident:
    """Return the incident, which waits as a test where the home's lease says so.

    Only an event that has `begun` an incident, was read whole, and finds no other open call of the
    home can be a test.
    """
    alone = begun and not incident.is_shared and not incident.unread
    held = standing(conn, heard.utc, heard.hub) if alone else []
    if not held or not presses.is_alone(conn, incident):
        return incident
    lease, utc = held[0], heard.utc
    happened_utc = times.of_rfc3339(heard.event.time, 0.0)  # one that says no time is old
    until = waits_until(lease, heard.event.data, happened_utc, utc)
    if until is None:
        return incident
    waits = replace(
        incident,
        stage=Stage.ACCEPTED,
        who=lease.by,
        accepted_utc=utc,
        acted_utc=utc,
        expires_utc=until,
        test_utc=until,
    )
    entry = Entry(utc, Deed.TEST_PRESSED, version=0, by=lease.by)
    return incidents.save(conn, advance(incident, waits, entry))


def reply(conn: Connection, hub: str, said: Reply, utc: float) -> bool:
    """Note that the home shows its lease, or end one that it cannot show."""
    held = [lease for lease in standing(conn, utc, hub) if lease.id == said.id]
    if not held or held[0].shown_utc is not None:
        return False
    if not said.done:
        _end(conn, held, "", utc)
        return True
    boot = conn.scalar(select(tables.hubs.c.boot).where(tables.hubs.c.hub == hub)) or ""
    this = update(leases).where(_lease.id == said.id)
    conn.execute(this.values(shown_utc=utc, boot=boot))
    return True


def restarted(conn: Connection, hub: str, boot: str, utc: float) -> list[Incident]:
    """End the lease of a home whose hub runs anew and shows it no more; return what is a call."""
    held = standing(conn, utc, hub)
    gone = [lease for lease in held if lease.shown_utc is not None and lease.boot != boot]
    return _end(conn, gone, "", utc)


def drop(conn: Connection, hub: str, utc: float) -> list[Incident]:
    """End the lease of a home whose hub is another one, or none, from now on."""
    return _end(conn, standing(conn, utc, hub), "", utc)


def _end(conn: Connection, held: list[Lease], by: str, utc: float) -> list[Incident]:
    """End leases; what waits as a test in their homes is a call from now on."""
    calls = list[Incident]()
    for lease in held:
        this = update(leases).where(_lease.id == lease.id)
        conn.execute(this.values(ended_utc=utc, ended_by=by))
        ended = Entry(utc, Deed.TEST_MODE_ENDED, version=0, by=by, text=lease.id, hub=lease.hub)
        write_line(conn, ended)
        for one in _waiting(conn, lease.hub):
            change = by_hubs.in_earnest(one, utc, Deed.TEST_IN_EARNEST)
            calls.append(incidents.save(conn, change))
    return calls


def _waiting(conn: Connection, hub: str) -> list[Incident]:
    query = select(tables.incidents).where(
        _incident.hub == hub,
        _incident.test_utc.is_not(None),
        _incident.stage.in_([stage.value for stage in HELD]),
    )
    return [shape(row, Incident) for row in conn.execute(query).all()]


def _command(conn: Connection, hub: str, utc: float, ident: str, lasts_s: float) -> Command:
    counter = next_counter(conn, hub, utc)
    return Command(ident, CommandKind.TEST_MODE, counter, utc + ORDER_S, lasts_s=lasts_s)
