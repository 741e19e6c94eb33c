"""Pairing of Bluetooth devices in a home, led from the centre: orders to its hub, once and now."""

from enum import StrEnum

from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.store.rows import hubs, pairings
from center.store.rows.pairings import Order
from hub.contract.messages import CommandKind


class WhyNot(StrEnum):
    """Why an order was not sent."""

    NO_HUB = "no_hub"  # the home has none, or it was removed
    NO_LINK = "no_link"  # the centre is not connected: the order would come too late


class NotOrderedError(RefusalError):
    """An order was not sent."""

    why: WhyNot


async def open_window(desk: Desk, hub: str, by: str) -> None:
    """Have the hub accept a device for two minutes; raise `NotOrderedError`."""
    await _order(desk, hub, Order(CommandKind.OPEN_PAIRING), by)


async def answer(desk: Desk, hub: str, said: str, by: str, ask: int = 0) -> None:
    """Say `yes` or `no` to the device of the request `ask`, or give a key.

    Raises `NotOrderedError`.
    """
    await _order(desk, hub, Order(CommandKind.ANSWER_PAIRING, said, ask), by)


async def _order(desk: Desk, hub: str, order: Order, by: str) -> None:
    known = await desk.store.ask(hubs.known, hub)
    if not known or known[0].removed_utc is not None:
        raise NotOrderedError(WhyNot.NO_HUB)
    if desk.link.listening_utc is None:
        raise NotOrderedError(WhyNot.NO_LINK)
    command = await desk.store.change(pairings.put, hub, order, by, desk.clock())
    desk.link.order(hub, command)
    desk.feed.tell(Update(Topic.HUB, hub))
