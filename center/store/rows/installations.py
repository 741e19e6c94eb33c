"""Installations in the store: what is proven of each step, the calls that prove something, reports.

Rows of the present installation of a home are replaced when a new one begins; reports stay.
"""

import secrets

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, or_, select, update

from center.domain import installation
from center.domain.incident import HELD, Deed, Entry, Outcome
from center.domain.installation import Call, Calls, Installation, Item, Known, Report
from center.store import tables
from center.store.rows import enrolments, records
from center.store.rows.audit import write_line
from center.store.rows.commands import next_counter
from center.store.shaping import shape
from center.store.tables import installations
from hub.contract.messages import AnsweredBy, Command, CommandKind, Stage
from hub.contract.scaip import Kind
from hub.contract.wire import Reason

BEGUN, REPORT = "begun", "report"  # steps of rows that are no item
OPEN, FINISHED = "open", "finished"  # states of the row `begun`
FOLLOW, SOUND = "follow-", "sound-"  # prefixes of the commands
FOLLOW_S = 120.0  # a hub shows itself for so long at each command
ORDER_S = 60.0  # a command is of use for so long
AGAIN_S = 60.0  # while somebody looks, the hub is told so often
STALE_S, SOON_S = 12.0, 10.0  # a hub that shows nothing for so long is told sooner
CLOCKS_S = 5.0  # a synchronised hub's clock may be behind the centre's by this
PRESSED = (Kind.HELP_BUTTON.value, Kind.PULL_CORD.value, Kind.PENDANT.value)
TESTED = Deed.TEST_PRESSED.value
IN_EARNEST = (Deed.TEST_UNANSWERED.value, Deed.TEST_IN_EARNEST.value)

_row, _incident = installations.c, tables.incidents.c


class Header(Struct, frozen=True, omit_defaults=True):
    """What the row `begun` holds beside who began it, and when."""

    finished_utc: float | None = None
    finished_by: str = ""
    reported_utc: float | None = None
    followed_utc: float = 0.0  # when the hub was last told to show itself


class Brief(Struct, frozen=True):
    """An installation in a list; `state` is `open` or `finished`."""

    hub: str
    begun_utc: float
    by: str
    state: str
    finished_utc: float | None = None


def find(conn: Connection, hub: str) -> Installation | None:
    """Return the present installation of a home, or its last one; None: there was none."""
    found = _header(conn, hub)
    if found is None:
        return None
    begun, header = found
    query = select(installations, _row.item.label("name")).where(
        _row.hub == hub, _row.step.not_in((BEGUN, REPORT))
    )
    items = [shape(row, Item) for row in conn.execute(query)]
    return Installation(
        hub,
        begun.begun_utc,
        begun.by,
        tuple(sorted(items, key=installation.order)),
        header.finished_utc,
        header.finished_by,
        header.reported_utc,
    )


def begin(conn: Connection, hub: str, by: str, utc: float) -> Installation:
    """Begin an installation, or go on with the one that is open, whoever began it.

    One that was left off long ago is begun anew.
    """
    held = find(conn, hub)
    if held is not None and not installation.may_begin(held, utc):
        return held
    conn.execute(delete(installations).where(_row.hub == hub, _row.step != REPORT))
    one = installation.begun(hub, by, utc)
    _put(conn, hub, BEGUN, "", state=OPEN, proven_utc=utc, by=by, evidence={})
    for item in one.items:
        _put_item(conn, hub, item)
    write_line(conn, Entry(utc, Deed.INSTALLATION_BEGUN, version=0, by=by, hub=hub))
    return one


def save(conn: Connection, before: Installation, after: Installation) -> bool:
    """Store what changed of an installation; return whether anything that a page shows did."""
    old = {item.key: item for item in before.items}
    new = {item.key: item for item in after.items}
    for step, name in old.keys() - new.keys():
        this = (_row.hub == after.hub) & (_row.step == step) & (_row.item == name)
        conn.execute(delete(installations).where(this))
    changed = [item for key, item in new.items() if old.get(key) != item]
    for item in changed:
        _put_item(conn, after.hub, item)
    if before.begun_utc != after.begun_utc:
        this = (_row.hub == after.hub) & (_row.step == BEGUN)
        values = {"proven_utc": after.begun_utc, "by": after.begun_by}
        conn.execute(update(installations).where(this).values(values))
    if (before.reported_utc, before.finished_utc) != (after.reported_utc, after.finished_utc):
        told = {"reported_utc": after.reported_utc, "finished_utc": after.finished_utc,
                "finished_by": after.finished_by}  # fmt: skip
        _note(conn, after.hub, **told)
    return bool(changed) or len(old) != len(new) or before.finished_utc != after.finished_utc


def refreshed(conn: Connection, one: Installation, utc: float) -> Installation:
    """Return an installation with what the centre holds, and what calls have proven meanwhile."""
    hub = enrolments.fitted(conn, one.hub)
    one = installation.with_hub(one, *hub) if hub else one
    one = installation.known(one, known(conn, one.hub), utc)
    return installation.called(one, calls(conn, one.hub, one.begun_utc))


def keep_report(conn: Connection, report: Report) -> None:
    """Store the report of a finished installation."""
    evidence = msgspec.to_builtins(report)
    utc, by = report.finished_utc, report.finished_by
    _put(conn, report.hub, REPORT, f"{utc:.3f}", state=FINISHED, proven_utc=utc, by=by,
         evidence=evidence)  # fmt: skip
    write_line(conn, Entry(utc, Deed.INSTALLATION_FINISHED, version=0, by=by, hub=report.hub))


def reports(conn: Connection, hub: str) -> list[Report]:
    """List the reports of a home, the newest first."""
    query = select(_row.evidence).where(_row.hub == hub, _row.step == REPORT)
    found = conn.execute(query.order_by(_row.proven_utc.desc())).scalars()
    return [msgspec.convert(one, Report) for one in found]


def listed(conn: Connection, since_utc: float) -> list[Brief]:
    """List the installations that are open, and those that ended since a time, newest first."""
    query = select(installations).where(_row.step == BEGUN).order_by(_row.proven_utc.desc())
    found = []
    for row in conn.execute(query):
        ended = _read(row.evidence).finished_utc
        if ended is None or ended >= since_utc:
            found.append(Brief(row.hub, row.proven_utc or 0.0, row.by, row.state, ended))
    return found


def claimed_utc(conn: Connection, hub: str, by: str, utc: float) -> float | None:
    """Return when `by` claimed a home's hub, if nobody has claimed it since."""
    last = enrolments.claimed(conn, hub, utc)
    return last[1] if last is not None and last[0] == by else None


def is_shown_to(conn: Connection, hub: str, installer: str, utc: float) -> bool:
    """Whether an installer may see a home: see `domain.installation.may_see`."""
    found = _header(conn, hub)
    last = None if found is None else (found[0].begun_utc, found[1].finished_utc)
    return installation.may_see(claimed_utc(conn, hub, installer, utc), last, utc)


def follow(conn: Connection, hub: str, utc: float) -> Command | None:
    """Return the command by which a hub shows itself; None: it was told just now, or it is over."""
    found = _header(conn, hub)
    if found is None or found[1].finished_utc is not None:
        return None
    header = found[1]
    silent = header.reported_utc is None or utc - header.reported_utc > STALE_S
    if 0 <= utc - header.followed_utc < (SOON_S if silent else AGAIN_S):
        return None
    _note(conn, hub, followed_utc=utc)
    return _command(conn, hub, utc, CommandKind.INSTALL_FOLLOW, lasts_s=FOLLOW_S)


def check_sound(conn: Connection, hub: str, utc: float) -> Command | None:
    """Return the command by which a hub asks its resident something; None: nobody installs it."""
    found = _header(conn, hub)
    if found is None or found[1].finished_utc is not None:
        return None
    return _command(conn, hub, utc, CommandKind.SOUND_CHECK)


def known(conn: Connection, hub: str) -> Known:
    """Return what the centre itself holds of a home."""
    kept, certificate = records.find(conn, hub), enrolments.newest(conn, hub)
    valid = certificate is not None and certificate.revoked_utc is None
    return Known(
        kept.record if kept else None,
        certificate.ends_utc if certificate is not None and valid else None,
        old_hub=_is_old(conn, hub),
    )


def calls(conn: Connection, hub: str, since_utc: float) -> Calls:
    """Return the calls since a time that prove something."""
    made = or_(_incident.synced.is_(False), _incident.raised_utc >= since_utc - CLOCKS_S)
    new = and_(_incident.hub == hub, _incident.received_utc >= since_utc, made)
    tested = _tested(conn, new)
    if tested is not None and tested.by != tested.leased_by:
        residents = and_(new, _incident.id != tested.incident)  # that one was the installer's
    else:  # one that waits to be answered as a test may become it
        held = _incident.stage.in_([stage.value for stage in HELD])
        residents = and_(new, ~and_(_incident.test_utc.is_not(None), held))
    taken_back = or_(_incident.cancelled_utc.is_not(None), _incident.cancel_asked_utc.is_not(None))
    spoken = _first(conn, and_(residents, _incident.kind == Kind.SPOKEN.value))
    return Calls(
        tested,
        _first(conn, and_(residents, _incident.kind.in_(PRESSED))),
        _first(conn, and_(new, taken_back)),
        spoken or _answered(conn, hub, since_utc),
    )


def drop(conn: Connection, hub: str) -> None:
    """Delete all of a home: what the resident said is in it."""
    conn.execute(delete(installations).where(_row.hub == hub))


def _tested(conn: Connection, new: ColumnElement[bool]) -> Call | None:
    """Return the first test call that another person than its tester answered, else the last.

    A test is a press in a lease of test mode that was said to be one, and never became a call.
    """
    pressed, closed, earnest = (tables.audit.alias(name) for name in ("pressed", "closed", "real"))
    lease = tables.leases.c
    leased = exists().where(
        lease.hub == _incident.hub, lease.by == pressed.c.by,
        lease.shown_utc <= _incident.received_utc, lease.until_utc > _incident.received_utc,
    )  # fmt: skip
    real = exists().where(earnest.c.incident == _incident.id, earnest.c.deed.in_(IN_EARNEST))
    is_test = Outcome.TEST.value
    query = (
        select(_incident.id, _incident.closed_utc, _incident.device, _incident.place,
               closed.c.by, pressed.c.by.label("tester"))
        .join(pressed, and_(pressed.c.incident == _incident.id, pressed.c.deed == TESTED))
        .join(closed, and_(closed.c.incident == _incident.id, closed.c.outcome == is_test))
        .where(new, _incident.stage == Stage.CLOSED.value, _incident.outcome == is_test,
               leased, ~real)
        .order_by(_incident.received_utc)
    )  # fmt: skip
    found = [
        Call(row.id, row.closed_utc or 0.0, row.device, row.place, row.by, row.tester)
        for row in conn.execute(query)
    ]
    good = [call for call in found if call.by != call.leased_by]
    return good[0] if good else found[-1] if found else None


def _first(conn: Connection, wanted: ColumnElement[bool]) -> Call | None:
    query = select(_incident.id, _incident.received_utc, _incident.device, _incident.place)
    row = conn.execute(query.where(wanted).order_by(_incident.received_utc).limit(1)).first()
    return None if row is None else Call(row.id, row.received_utc, row.device, row.place)


def _answered(conn: Connection, hub: str, since_utc: float) -> Call | None:
    """Return the first check-in that was answered by voice."""
    column = tables.checkins.c
    query = select(column.stored_utc).where(
        column.hub == hub, column.stored_utc >= since_utc, column.by == AnsweredBy.VOICE.value
    )
    utc = conn.scalar(query.order_by(column.stored_utc).limit(1))
    return None if utc is None else Call("", utc)


def _command(
    conn: Connection, hub: str, utc: float, kind: CommandKind, *, lasts_s: float = 0.0
) -> Command:
    prefix = FOLLOW if kind is CommandKind.INSTALL_FOLLOW else SOUND
    ident = prefix + secrets.token_hex(6)
    return Command(ident, kind, next_counter(conn, hub, utc), utc + ORDER_S, lasts_s=lasts_s)


def _is_old(conn: Connection, hub: str) -> bool:
    """Whether the hub's last answer was that it does not know the command."""
    column = tables.replies.c
    query = select(column.done, column.reason).where(
        column.hub == hub, column.id.startswith(FOLLOW, autoescape=True)
    )
    row = conn.execute(query.order_by(column.stored_utc.desc()).limit(1)).first()
    return row is not None and not row.done and row.reason == Reason.UNKNOWN


def _header(conn: Connection, hub: str) -> tuple[Brief, Header] | None:
    this = (_row.hub == hub) & (_row.step == BEGUN)
    row = conn.execute(select(installations).where(this)).first()
    if row is None:
        return None
    header = _read(row.evidence)
    return Brief(hub, row.proven_utc or 0.0, row.by, row.state, header.finished_utc), header


def _read(evidence: object) -> Header:
    return msgspec.convert(evidence, Header)


def _note(conn: Connection, hub: str, **told: object) -> None:
    """Change fields of the header."""
    found = _header(conn, hub)
    if found is None:
        return
    header = replace(found[1], **told)
    state = OPEN if header.finished_utc is None else FINISHED
    this = (_row.hub == hub) & (_row.step == BEGUN)
    values = {"state": state, "evidence": msgspec.to_builtins(header)}
    conn.execute(update(installations).where(this).values(values))


def _put_item(conn: Connection, hub: str, item: Item) -> None:
    _put(conn, hub, item.step.value, item.name, state=item.state.value, proven_utc=item.proven_utc,
         by=item.by, evidence=msgspec.to_builtins(item.evidence))  # fmt: skip


def _put(conn: Connection, hub: str, step: str, item: str, **values: object) -> None:
    this = (_row.hub == hub) & (_row.step == step) & (_row.item == item)
    if not conn.execute(update(installations).where(this).values(values)).rowcount:
        conn.execute(insert(installations).values(hub=hub, step=step, item=item, **values))
