"""Announcements: what people do with them, and the orders to hubs. Stored first, then sent."""

from center.domain.announcement import Announcement, Draft, Why
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.store.rows import announcements, deliveries
from center.store.rows.announcements import NotSent


class NotSentError(RefusalError):
    """An announcement was not sent, or not withdrawn."""

    why: Why


async def send(desk: Desk, draft: Draft, by: str) -> Announcement:
    """Store an announcement and begin to send it; raise `NotSentError`."""
    done = await desk.store.change(announcements.put, draft, by, desk.clock())
    if isinstance(done, NotSent):
        raise NotSentError(done.why)
    await order_due(desk)
    desk.feed.tell(Update(Topic.ANNOUNCEMENT, done.id))
    return done


async def withdraw(desk: Desk, ident: str, by: str) -> Announcement:
    """Withdraw it from the hubs that do not have it yet; raise `NotSentError`."""
    done = await desk.store.change(deliveries.withdraw, ident, by, desk.clock())
    if isinstance(done, Why):
        raise NotSentError(done)
    desk.feed.tell(Update(Topic.ANNOUNCEMENT, done.id))
    return done


async def order_due(desk: Desk) -> None:
    """Send a batch of due announcements to their hubs; none while the link is down."""
    now = desk.clock()
    if not await desk.store.ask(deliveries.any_due, now):
        return
    if desk.link.listening_utc is None:
        return
    orders, over = await desk.store.change(deliveries.claim, now)
    for hub, command in orders:
        desk.link.order(hub, command)
    if orders or over:
        desk.feed.tell(Update(Topic.ANNOUNCEMENT))
