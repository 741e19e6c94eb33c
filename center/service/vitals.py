"""Readings of the body: limits that people set, the orders to hubs, and what is not wanted."""

from center.domain.limits import Kept
from center.domain.record import WhyNotKept
from center.service import retention
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.store.rows import limits, records, vitals
from hub.contract.messages import VitalLimits


class NotSetError(RefusalError):
    """Limits were not stored: somebody else was first, or there is no such home."""

    why: WhyNotKept


async def set_limits(
    desk: Desk, hub: str, wanted: VitalLimits, by: str, version: int | None
) -> Kept:
    """Store a home's limits, decided against the version looked at, and begin to send them.

    Raise `NotSetError`.
    """
    if await desk.store.ask(records.find, hub) is None:
        raise NotSetError(WhyNotKept.NO_HOME)
    done = await desk.store.change(limits.put, hub, wanted, by, desk.clock(), version)
    if isinstance(done, WhyNotKept):
        raise NotSetError(done)
    await order_due(desk)
    desk.feed.tell(Update(Topic.VITALS, hub))
    return done


async def order_due(desk: Desk) -> None:
    """Send a batch of due limits to their hubs; none while the link is down."""
    now = desk.clock()
    if not await desk.store.ask(limits.any_due, now) or desk.link.listening_utc is None:
        return
    orders = await desk.store.change(limits.claim, now)
    for hub, command in orders:
        desk.link.order(hub, command)
        desk.feed.tell(Update(Topic.VITALS, hub))


async def forget_unwanted(desk: Desk) -> int:
    """Delete, batch by batch, the readings that are kept without consent; return how many."""
    gone = 0
    for hub in await desk.store.ask(vitals.unwanted):
        while dropped := await desk.store.change(vitals.drop_some, hub, retention.BATCH):
            gone += dropped
    return gone
