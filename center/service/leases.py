"""Test mode of a home, for pages and installation: begin and end its lease, tell everybody."""

from sqlalchemy import Connection

from center.domain.incident import Incident
from center.domain.lease import LASTS_S, LEAST_S, LONGEST_S, Lease, WhyNot
from center.service import incidents
from center.service.auth import Person, Role
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.store.rows import hubs, installations, leases
from hub.contract.messages import Command


class NotLeasedError(RefusalError):
    """A lease was not begun; `lease` is the one that stands, if that is why."""

    why: WhyNot

    def __init__(self, why: WhyNot, lease: Lease | None = None) -> None:
        super().__init__(why)
        self.lease = lease


async def begin(desk: Desk, hub: str, person: Person, lasts_s: float = LASTS_S) -> None:
    """Begin test mode in a home; raise `NotLeasedError`."""
    await _check(desk, hub, person)
    if not LEAST_S <= lasts_s <= LONGEST_S:
        raise NotLeasedError(WhyNot.BAD_LENGTH)
    known = await desk.store.ask(hubs.known, hub)
    if not known or known[0].removed_utc is not None:
        raise NotLeasedError(WhyNot.NO_HUB)
    if desk.link.listening_utc is None:
        raise NotLeasedError(WhyNot.NO_LINK)
    done = await desk.store.change(leases.begin, hub, person.name, desk.clock(), lasts_s)
    if isinstance(done, Lease):
        raise NotLeasedError(WhyNot.HAS_ONE, done)
    desk.link.order(hub, done)
    desk.feed.tell(Update(Topic.HUB, hub))


async def end(desk: Desk, hub: str, person: Person) -> None:
    """End a home's test mode, whoever began it; what waits as a test is a call at once.

    Whoever began it may end it, whatever became of the home meanwhile.

    Raises `NotLeasedError`.
    """
    held = await desk.store.ask(leases.standing, desk.clock(), hub)
    if not held or held[0].by != person.name:
        await _check(desk, hub, person)
    told_end(desk, hub, *await desk.store.change(leases.end, hub, person.name, desk.clock()))


def told_end(desk: Desk, hub: str, command: Command, calls: list[Incident]) -> None:
    """Tell a home and the pages that its test mode was ended; `calls` waited as tests."""
    desk.link.order(hub, command)
    for incident in calls:
        incidents.tell(desk, incident)
    desk.feed.tell(Update(Topic.HUB, hub))


async def drop(desk: Desk, hub: str) -> None:
    """End a home's test mode since its hub is replaced or struck off: none follows to another."""
    for incident in await desk.store.change(leases.drop, hub, desk.clock()):
        incidents.tell(desk, incident)


async def _check(desk: Desk, hub: str, person: Person) -> None:
    """Refuse an installer whose home it is not, or that is not being installed."""
    if person.role.may(Role.OPERATOR):
        return
    allowed = await desk.store.ask(_installs, hub, person.name, desk.clock())
    if not allowed:
        raise NotLeasedError(WhyNot.NOT_YOURS)


def _installs(conn: Connection, hub: str, installer: str, utc: float) -> bool:
    one = installations.find(conn, hub)
    is_open = one is not None and one.finished_utc is None
    return is_open and installations.is_shown_to(conn, hub, installer, utc)
