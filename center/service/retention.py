"""How long the rows of each table are kept and why, and how older rows are deleted.

Every table has a rule here (a test checks it). What is open is never deleted: an incident that
nobody closed with its events and lines of the audit, a task that waits. Rows that are due are found
beside the writer and deleted in small batches, each decided anew in its own transaction: a call
waits for one batch at most.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from center.config import Center
from center.store import tables
from hub.contract.messages import Stage

BATCH = 200  # rows; some 5 ms of the writer's time
STEP_S = 3600.0  # the horizon moves by this a round: a clock that is years ahead deletes little
FORGOT = "forgot_utc"

_OF_DAYS = ("checkin", "care", "announcement", "report")  # of events: how somebody lives
_told_of_days = or_(*(tables.events.c.type.startswith(f"anbu.{kind}.") for kind in _OF_DAYS))
_incident, _audit, _events = tables.incidents.c, tables.audit.c, tables.events.c


@dataclass(frozen=True)
class Rule:
    """One rule: rows of `table` whose `since` is older than the setting `keep` are deleted.

    `keep` names a setting of `Center`, in seconds. Without `keep` rows are deleted as soon as
    `since` or `only` allow it; without any of them they stay. `most` names a setting: the most rows
    to keep.
    """

    table: Table
    why: str
    keep: str = ""
    since: ColumnElement[Any] | None = None
    only: ColumnElement[bool] | None = None
    most: str = ""

    @property
    def for_ever(self) -> bool:
        """Whether none of its rows are deleted by time."""
        return self.since is None and self.only is None and not self.most


def _without(parent: Table, *same: ColumnElement[bool]) -> ColumnElement[bool]:
    return ~exists(select(parent.c[parent.primary_key.columns.keys()[0]]).where(*same))


RULES = (
    Rule(tables.meta, "the schema and a few marks: one row each"),
    Rule(
        tables.events,
        "how somebody lives goes with the days",
        "days_keep_s",
        _events.stored_utc,
        _told_of_days,
    ),
    Rule(
        tables.events,
        "evidence goes with its incident, and never while that is open",
        "incidents_keep_s",
        _events.stored_utc,
        and_(
            ~_told_of_days,
            _without(
                tables.incidents,
                _incident.hub == _events.hub,
                _incident.alarm == _events.alarm,
            ),
            _without(
                tables.surplus,
                tables.surplus.c.hub == _events.hub,
                tables.surplus.c.alarm == _events.alarm,
            ),
        ),
    ),
    Rule(
        tables.incidents,
        "claims for damages end three years after they are known (Civil Act, article 766)",
        "incidents_keep_s",
        _incident.last_utc,
        _incident.stage == Stage.CLOSED.value,
    ),
    Rule(
        tables.audit,
        "who looked at whose data is kept for years by law; lines of a kept incident stay with it",
        "audit_keep_s",
        _audit.utc,
        or_(
            _audit.incident.is_(None),
            _without(tables.incidents, _incident.id == _audit.incident),
        ),
    ),
    Rule(
        tables.surplus,
        "goes with the incident that its alarm shares",
        only=_without(tables.incidents, _incident.id == tables.surplus.c.incident),
    ),
    Rule(tables.hubs, "a home; until a person removes it"),
    Rule(
        tables.own_faults, "what the centre sees of a hub now: the clock ends each within an hour"
    ),
    Rule(
        tables.hub_boots,
        "two machines with one name take turns within minutes",
        "replies_keep_s",
        tables.hub_boots.c.heard_utc,
    ),
    Rule(
        tables.faults,
        "what is over; what lasts stays",
        "days_keep_s",
        tables.faults.c.cleared_utc,
        tables.faults.c.cleared_utc.is_not(None),
    ),
    Rule(
        tables.fault_history,
        "folded by the hour, so a flapping fault has 48 rows a day at most",
        "days_keep_s",
        tables.fault_history.c.stored_utc,
    ),
    Rule(
        tables.telemetry,
        "readings are for looking into trouble of late",
        "telemetry_keep_s",
        tables.telemetry.c.stored_utc,
    ),
    Rule(tables.telemetry, "a hub that floods must not fill the disk", most="telemetry_keep_rows"),
    Rule(
        tables.replies,
        "whoever sent the command has looked by then",
        "replies_keep_s",
        tables.replies.c.stored_utc,
    ),
    Rule(tables.refused, "one row for each reason that there is"),
    Rule(tables.operators, "an account; until a person removes it"),
    Rule(
        tables.leases,
        "what was a test may be asked as long as the incident itself",
        "incidents_keep_s",
        tables.leases.c.until_utc,
    ),
    Rule(
        tables.installations,
        "what was shown and said when a home was set up; until its record is removed",
    ),
    Rule(tables.installers, "an account; until a person removes it"),
    Rule(
        tables.enrolments,
        "who asked for a certificate, and who claimed it; its hub asks again by its key",
        "days_keep_s",
        tables.enrolments.c.seen_utc,
    ),
    Rule(
        tables.certificates,
        "whose key it was has to be known until long after it has ended",
        "audit_keep_s",
        tables.certificates.c.ends_utc,
    ),
    Rule(tables.struck_off, "until another machine is claimed for its home"),
    Rule(tables.backups, "for the hub that replaces it; until the home or its hub is removed"),
    Rule(tables.sessions, "what has run out opens nothing", since=tables.sessions.c.expires_utc),
    Rule(tables.tokens, "a program's account; until a person removes it"),
    Rule(tables.records, "who lives there; until a person removes it"),
    Rule(tables.checkins, "how somebody lives", "days_keep_s", tables.checkins.c.stored_utc),
    Rule(tables.activity, "how somebody lives", "days_keep_s", tables.activity.c.stored_utc),
    Rule(tables.words, "what somebody said", "days_keep_s", tables.words.c.stored_utc),
    Rule(
        tables.vitals,
        "how somebody's body is; and at once where consent is taken back (`rounds.prune`)",
        "days_keep_s",
        tables.vitals.c.stored_utc,
    ),
    Rule(
        tables.vital_limits,
        "what a hub works by; the defaults when its hub or the record is removed",
    ),
    Rule(
        tables.subjects,
        "goes with its record, so that whoever lives there next has a name of their own",
        only=_without(tables.records, tables.records.c.hub == tables.subjects.c.hub),
    ),
    Rule(tables.partners, "a program of the medical partner; until a person removes it"),
    Rule(
        tables.needs,
        "what was dealt with; what waits stays",
        "days_keep_s",
        tables.needs.c.done_utc,
        tables.needs.c.done_utc.is_not(None),
    ),
    Rule(
        tables.need_notes,
        "goes with its task",
        only=_without(tables.needs, tables.needs.c.id == tables.need_notes.c.need),
    ),
    Rule(
        tables.need_parts,
        "goes with its task",
        only=_without(tables.needs, tables.needs.c.id == tables.need_parts.c.need),
    ),
    Rule(
        tables.presses,
        "a trigger that is not there any more is pressed by nobody",
        "days_keep_s",
        func.coalesce(tables.presses.c.pressed_utc, tables.presses.c.known_utc),
    ),
    Rule(
        tables.announcements,
        "what was said in homes",
        "days_keep_s",
        tables.announcements.c.utc,
    ),
    Rule(
        tables.deliveries,
        "goes with its announcement",
        only=_without(
            tables.announcements, tables.announcements.c.id == tables.deliveries.c.announcement
        ),
    ),
    Rule(tables.counters, "the last command's number of each hub: an older one would be refused"),
)


def due(
    conn: Connection, rule: Rule, center: Center, at: float, limit: int = BATCH
) -> Sequence[Row[Any]]:
    """Return the keys of rows that may be deleted as of `at`, UTC seconds; at most `limit`."""
    if rule.for_ever:
        return ()
    query = select(*rule.table.primary_key.columns).where(*_over(conn, rule, center, at))
    return conn.execute(query.limit(limit)).all()


def drop(conn: Connection, rule: Rule, center: Center, at: float, keys: Sequence[Row[Any]]) -> int:
    """Delete rows by their keys, if they still may be deleted; return how many."""
    columns = tuple(rule.table.primary_key.columns)
    these = tuple_(*columns).in_([tuple(key) for key in keys])
    this = delete(rule.table).where(these, *_over(conn, rule, center, at))
    return conn.execute(this).rowcount


def advance(conn: Connection, now: float) -> float:
    """Move the horizon towards `now` and return it; rows are deleted by it, not by the clock.

    A server's clock that is far ahead is not noticed at once, and deleted rows are gone.
    """
    table = tables.meta
    held = conn.scalar(select(table.c.value).where(table.c.key == FORGOT))
    before = float(held) if held is not None else _last_alive(conn, now)
    at = min(now, before + STEP_S)
    if held is None:
        conn.execute(insert(table).values(key=FORGOT, value=repr(at)))
    else:
        conn.execute(update(table).where(table.c.key == FORGOT).values(value=repr(at)))
    return at


def _over(conn: Connection, rule: Rule, center: Center, at: float) -> Iterator[ColumnElement[bool]]:
    if rule.since is not None:
        keep_s: float = getattr(center, rule.keep) if rule.keep else 0.0
        yield rule.since < at - keep_s
    if rule.only is not None:
        yield rule.only
    if rule.most:
        key = next(iter(rule.table.primary_key.columns))
        newest = conn.scalar(select(func.max(key))) or 0
        yield key <= newest - getattr(center, rule.most)


def _last_alive(conn: Connection, now: float) -> float:
    newest: float | None = conn.scalar(select(func.max(tables.audit.c.utc)))
    return now if newest is None else newest
