"""What a person does with an incident, for API and pages alike: decide, store, tell everybody."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from msgspec import Struct
from sqlalchemy import Connection

from center.domain import acks, by_hubs, by_people
from center.domain.by_people import Act, Refusal, Why
from center.domain.incident import Change, Deed, Incident, Outcome, Patience, waited_s
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.store.rows import incidents, needs
from center.store.rows.incidents import Case
from hub.contract.scaip import Kind

_OF_CHECK_INS = frozenset({Kind.MISSED_CHECKIN, Kind.NO_LIFE})

Decide = Callable[[Incident, Act], Change | Refusal]


class NotDoneError(RefusalError):
    """An act on an incident was not done. `case` is the incident as it stands, if there is one."""

    why: Why

    def __init__(self, why: Why, case: Case | None) -> None:
        super().__init__(why)
        self.case = case


class Target(Struct, frozen=True):
    """Who acts on which incident, and the version looked at (None: any)."""

    by: str
    id: str
    version: int | None = None


async def take(desk: Desk, target: Target) -> Case:
    """Take the incident, or renew the take; raise `NotDoneError`."""
    return await _do(desk, target, by_people.take)


async def send(desk: Desk, target: Target) -> Case:
    """Note that somebody is on the way; raise `NotDoneError`."""
    return await _do(desk, target, by_people.send)


async def present(desk: Desk, target: Target) -> Case:
    """Note that someone is with the resident; raise `NotDoneError`."""
    return await _do(desk, target, by_people.present)


async def close(desk: Desk, target: Target, outcome: Outcome | None, text: str = "") -> Case:
    """End the incident with its outcome; raise `NotDoneError`."""
    return await _do(desk, target, lambda it, act: by_people.close(it, act, outcome, text))


async def answer_test(desk: Desk, target: Target) -> Case:
    """Close as a test what waits as one; raise `NotDoneError`."""
    return await _do(desk, target, by_people.answer_test)


async def reopen(desk: Desk, target: Target) -> Case:
    """Open a closed incident again; raise `NotDoneError`."""
    return await _do(desk, target, by_people.reopen)


async def note(desk: Desk, target: Target, text: str) -> Case:
    """Write into the timeline; raise `NotDoneError`."""
    return await _do(desk, target, lambda it, act: by_people.note(it, act, text))


def give_back(conn: Connection, utc: float, patience: Patience) -> list[Incident]:
    """Make incidents free that their holders forgot or do not answer: a job of the store."""
    due = incidents.due_holds(conn, utc, patience)
    changes = [by_hubs.expire(incident, utc, patience) for incident in due]
    return [incidents.save(conn, change) for change in changes if change]


def any_due(conn: Connection, utc: float, patience: Patience) -> bool:
    """Return whether there is anything to give back: a query, which does not use the writer."""
    return bool(incidents.due_holds(conn, utc, patience))


def tell(desk: Desk, incident: Incident) -> None:
    """Send a stored change to the hub and to the pages."""
    desk.link.ack(incident.hub, acks.of_stage(incident, desk.clock()))
    desk.feed.tell(Update(Topic.ALARM, incident.id, incident.version))
    if incident.kind in _OF_CHECK_INS:
        desk.feed.tell(Update(Topic.NEED, incident.hub))


async def _do(desk: Desk, target: Target, decide: Decide) -> Case:
    act = Act(target.by, desk.clock(), target.version, desk.settings.center.patience)
    job = partial(_decide, target.id, decide, act)
    future = desk.store.submit(job, partial(_done, desk))
    result: tuple[Why | None, Case | None] = await asyncio.wrap_future(future)
    refusal, case = result
    if refusal:
        raise NotDoneError(refusal, case)
    if case is None:
        raise NotDoneError(Why.NOT_FOUND, None)
    return case


def _decide(
    ident: str, decide: Decide, act: Act, conn: Connection
) -> tuple[Why | None, Case | None]:
    incident = incidents.incident(conn, ident)
    if incident is None:
        return Why.NOT_FOUND, None
    decided = decide(incident, act)
    match decided:
        case Change():
            incidents.save(conn, decided)
            _end_needs(conn, decided.incident)
            return None, incidents.case(conn, ident)
        case Refusal():
            return decided.why, incidents.case(conn, ident)


def _end_needs(conn: Connection, incident: Incident) -> None:
    """End the task of a missed check-in with its alarm: whoever closed the alarm handled both."""
    if incident.last_deed is Deed.CLOSED and incident.kind in _OF_CHECK_INS:
        needs.end_with_incident(conn, incident.hub, incident.last_by, incident.last_utc)


def _done(desk: Desk, done: Future[tuple[Why | None, Case | None]]) -> None:
    if done.cancelled() or done.exception():
        return
    refusal, case = done.result()
    if refusal or case is None:
        return
    tell(desk, case.incident)
    if case.incident.last_deed is Deed.TAKEN:
        desk.tally.waited(waited_s(case.incident, desk.clock()))
