"""The installation of a home, for the pages: begin, look, tell the resident's word, finish.

An installer sees only homes whose hub they have claimed, until a day after the end; everybody else
at the centre sees all. While somebody looks, the hub is told to show itself. Nothing of it may
change a call: an installer begins and ends test mode (`leases`), an operator answers the test.
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from center.domain import installation, times
from center.domain.incident import Deed, Entry, Incident
from center.domain.installation import (
    SEEN_AFTER_S,
    Answer,
    Installation,
    Report,
    Step,
    WhyNot,
)
from center.domain.lease import Lease
from center.domain.record import Consent, ConsentItem, Record
from center.service import homes
from center.service.auth import Person, Role
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.leases import told_end
from center.service.refusals import RefusalError
from center.store.rows import enrolments, installations, leases, records
from center.store.rows.audit import write_line
from center.store.rows.installations import Brief
from hub.contract.messages import Command

P = ParamSpec("P")


class NotInstalledError(RefusalError):
    """Something was not done to an installation; `steps` are those that are not proven, if that."""

    why: WhyNot

    def __init__(self, why: WhyNot, steps: tuple[Step, ...] = ()) -> None:
        super().__init__(why)
        self.steps = steps


class Told(Struct, frozen=True):
    """What the resident said, as a person tells it. `version` is that of the consent's text."""

    step: Step
    name: str
    answer: Answer
    version: str = ""


class Look(Struct, frozen=True):
    """An installation as it stands, and the home's test mode, if it is on."""

    one: Installation
    lease: Lease | None = None


async def begin(desk: Desk, hub: str, person: Person) -> Installation:
    """Begin an installation, or go on with the one that is open. Raises NotInstalledError."""
    await _check(desk, hub, person)
    claimed = await desk.store.ask(installations.claimed_utc, hub, person.name, desk.clock())
    if claimed is None and not await desk.store.ask(enrolments.is_home, hub):
        raise NotInstalledError(WhyNot.NO_HUB)
    one = await desk.store.change(_begun, hub, person, desk.clock())
    if isinstance(one, WhyNot):
        raise NotInstalledError(one)
    await follow(desk, hub)
    desk.feed.tell(Update(Topic.INSTALL, hub))
    return one


async def look(desk: Desk, hub: str, person: Person) -> Look:
    """Return an installation as it stands now; its hub goes on showing itself.

    Raises NotInstalledError.
    """
    await _check(desk, hub, person)
    found = await desk.store.change(_looked, hub, desk.clock())
    if found is None:
        raise NotInstalledError(WhyNot.NOT_BEGUN)
    await follow(desk, hub)
    return found


async def follow(desk: Desk, hub: str) -> None:
    """Have the hub show itself, unless it was told just now; call it while a page is open."""
    if desk.link.listening_utc is None:
        return
    command = await desk.store.change(installations.follow, hub, desk.clock())
    if command is not None:
        desk.link.order(hub, command)


async def check_sound(desk: Desk, hub: str, person: Person) -> None:
    """Have the hub ask the resident how they are: an answer shows all of the sound.

    Raises NotInstalledError.
    """
    await _check(desk, hub, person)
    if desk.link.listening_utc is None:
        raise NotInstalledError(WhyNot.NO_LINK)
    command = await desk.store.change(installations.check_sound, hub, desk.clock())
    if command is None:
        raise NotInstalledError(WhyNot.NOT_BEGUN)
    desk.link.order(hub, command)


async def tell(desk: Desk, hub: str, person: Person, told: Told) -> Installation:
    """Store what the resident said: a consent, or 119안심콜. Raises NotInstalledError."""
    await _check(desk, hub, person)
    return await _changed(desk, hub, _tell, told, person.name)


async def again(desk: Desk, hub: str, person: Person, step: Step, name: str) -> Installation:
    """Have an item shown anew. Raises NotInstalledError."""
    await _check(desk, hub, person)
    return await _changed(desk, hub, _again, step, name, person.name)


async def finish(desk: Desk, hub: str, person: Person) -> Report:
    """End an installation whose steps are all proven or left out. Raises NotInstalledError.

    Test mode ends with it: whoever goes away must not leave a home whose calls wait.
    """
    await _check(desk, hub, person)
    done = await desk.store.change(_finish, hub, person.name, desk.clock())
    if not isinstance(done, _Finished):
        raise NotInstalledError(*done)
    if done.test_mode:
        told_end(desk, hub, *done.test_mode)
    desk.feed.tell(Update(Topic.INSTALL, hub))
    return done.report


async def reports(desk: Desk, hub: str, person: Person) -> list[Report]:
    """List the reports of a home, the newest first. Raises NotInstalledError."""
    await _check(desk, hub, person)
    return await desk.store.ask(installations.reports, hub)


async def listed(desk: Desk, person: Person) -> list[Brief]:
    """List the installations that a person may see: open, or ended within a day."""
    return await desk.store.ask(_listed, person, desk.clock())


async def may_see(desk: Desk, hub: str, person: Person) -> bool:
    """Whether a person may see the installation of a home."""
    if person.role.may(Role.OPERATOR):
        return True
    return await desk.store.ask(installations.is_shown_to, hub, person.name, desk.clock())


async def _check(desk: Desk, hub: str, person: Person) -> None:
    if not await may_see(desk, hub, person):
        raise NotInstalledError(WhyNot.NOT_YOURS)


async def _changed(
    desk: Desk,
    hub: str,
    change: Callable[Concatenate[Connection, str, float, P], Installation | WhyNot],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Installation:
    done = await desk.store.change(change, hub, desk.clock(), *args, **kwargs)
    if isinstance(done, WhyNot):
        raise NotInstalledError(done)
    desk.feed.tell(Update(Topic.INSTALL, hub))
    return done


# in the store


class _Finished(Struct, frozen=True):
    """A report, and what has to be told of a test mode that was on."""

    report: Report
    test_mode: tuple[Command, list[Incident]] | None


def _begun(conn: Connection, hub: str, person: Person, utc: float) -> Installation | WhyNot:
    held = installations.find(conn, hub)
    if held is not None and held.finished_utc is not None and not person.role.may(Role.OPERATOR):
        claimed_utc = installations.claimed_utc(conn, hub, person.name, utc)
        if claimed_utc is None or claimed_utc < held.finished_utc:
            return WhyNot.FINISHED  # theirs is done; a new one needs a new claim, or an operator
    one = installations.begin(conn, hub, person.name, utc)
    return _refreshed(conn, one, utc)


def _looked(conn: Connection, hub: str, utc: float) -> Look | None:
    one = installations.find(conn, hub)
    if one is None:
        return None
    lease = leases.standing(conn, utc, hub)
    return Look(_refreshed(conn, one, utc), lease[0] if lease else None)


def _refreshed(conn: Connection, one: Installation, utc: float) -> Installation:
    after = installations.refreshed(conn, one, utc)
    installations.save(conn, one, after)
    return after


def _tell(conn: Connection, hub: str, utc: float, told: Told, by: str) -> Installation | WhyNot:
    """Store the resident's word with the installation, and in the home's record."""
    one = installations.find(conn, hub)
    if one is None:
        return WhyNot.NOT_BEGUN
    after = installation.told(one, told.step, told.name, told.answer, by, utc)
    if isinstance(after, WhyNot):
        return after
    kept = records.find(conn, hub)
    record = _with_word(kept.record if kept else Record(), told, utc)
    homes.put(conn, hub, record, Entry(utc, Deed.RECORD_CHANGED, version=0, by=by))
    text = " ".join(filter(None, (told.step, told.name, told.answer)))
    write_line(conn, Entry(utc, Deed.INSTALLATION_TOLD, version=0, by=by, text=text, hub=hub))
    installations.save(conn, one, after)
    return after


def _with_word(record: Record, told: Told, utc: float) -> Record:
    if told.step is Step.ANSIM119:
        return replace(record, registered_119=told.answer is Answer.REGISTERED)
    item = ConsentItem.of(told.name)
    given = told.answer is Answer.GIVEN
    consent = Consent(item, given, times.day_of(utc), told.version)
    others = tuple(one for one in record.consents if one.item is not item)
    return replace(record, consents=(*others, consent))


def _again(
    conn: Connection, hub: str, utc: float, step: Step, name: str, by: str
) -> Installation | WhyNot:
    one = installations.find(conn, hub)
    if one is None:
        return WhyNot.NOT_BEGUN
    after = installation.again(one, step, name, utc)
    if isinstance(after, WhyNot):
        return after
    text = " ".join(filter(None, (step, name)))
    write_line(conn, Entry(utc, Deed.INSTALLATION_AGAIN, version=0, by=by, text=text, hub=hub))
    installations.save(conn, one, after)
    return after


def _finish(
    conn: Connection, hub: str, by: str, utc: float
) -> _Finished | tuple[WhyNot, tuple[Step, ...]]:
    one = installations.find(conn, hub)
    if one is None:
        return WhyNot.NOT_BEGUN, ()
    now = _refreshed(conn, one, utc)
    done = installation.finished(now, by, utc)
    if isinstance(done, WhyNot):
        return done, now.open_steps
    after, report = done
    installations.save(conn, now, after)
    installations.keep_report(conn, report)
    is_tested = bool(leases.standing(conn, utc, hub))
    return _Finished(report, leases.end(conn, hub, by, utc) if is_tested else None)


def _listed(conn: Connection, person: Person, utc: float) -> list[Brief]:
    found = installations.listed(conn, utc - SEEN_AFTER_S)
    if person.role.may(Role.OPERATOR):
        return found
    return [one for one in found if installations.is_shown_to(conn, one.hub, person.name, utc)]
