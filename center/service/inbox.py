"""Messages of hubs, from the link to the store and back: decode, store, then ack.

Runs in paho's thread up to the store's queue, and in the store's thread after the commit.
"""

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from center.domain import acks
from center.domain.by_hubs import PATIENCE
from center.domain.incident import Incident, Patience
from center.link.reconnect import Link
from center.link.session import Arrived
from center.service import own_faults
from center.service.feed import Feed, Topic, Update
from center.service.intake import Received, Told, store_message
from center.service.metrics import Tally
from center.service.rate_limit import Offered, Passed, RateLimit
from center.store.dialect import StoreError
from center.store.rows import incidents
from center.store.store import Store, write_probe
from hub.contract import reading, wire
from hub.contract.messages import AlarmEvent, FaultKind
from hub.contract.reading import ALL
from hub.contract.wire import FromHubRead

REPAIR_BACK_S = 3600.0  # a hub that missed an older closing learns it by its own state message
UNSTORABLE = "unstorable"
OF_MESSAGE = (DataError, IntegrityError, ProgrammingError)  # never of a full or broken disk
FLOOD = "flood"
FLOOD_AGAIN_S = 60.0
log = logging.getLogger(__name__)


class Inbox(Struct, frozen=True):
    """What receiving needs. `link` is a function, since the link is made with `receive`."""

    store: Store
    feed: Feed
    tally: Tally
    clock: Callable[[], float]
    link: Callable[[], Link]
    rate_limit: RateLimit
    patience: Patience = PATIENCE
    floods: dict[str, float] = {}  # by hub: when its flood was stored last, monotonic seconds


class Unsettled:
    """A message that is settled once: the broker may reuse its number for the next at once."""

    def __init__(self, arrived: Arrived) -> None:
        self._arrived: Arrived | None = arrived
        self.payload, self.retained = arrived.payload, arrived.retained
        self.failed = False  # it could not be stored, though the store works

    def settle(self) -> None:
        """PUBACK it, so that the broker forgets it."""
        arrived, self._arrived = self._arrived, None
        if arrived:
            arrived.settle()


def receive(inbox: Inbox, arrived: Arrived) -> None:
    """Queue a message for the store, or count why it is refused; its content is never logged."""
    try:
        heard = wire.read_from_hub(arrived.topic, arrived.payload)
    except wire.RefusedError as error:
        _log_few(error.reason, inbox.tally.refuse(error.reason))
        arrived.settle()
        return
    inbox.tally.count("messages", type(heard.message).__name__)
    if heard.lost:
        inbox.tally.count("partly_read", type(heard.message).__name__)
    message, unsettled = heard.message, Unsettled(arrived)
    alarm = message.data.alarm if isinstance(message, AlarmEvent) else None
    offered = Offered(
        heard.hub, alarm, len(arrived.payload), partial(_keep, inbox, unsettled, heard)
    )
    passed = inbox.rate_limit.offer(offered)
    if passed is not Passed.NOW:
        unsettled.settle()
        _held(inbox, heard.hub, passed)


def _keep(inbox: Inbox, arrived: Unsettled, heard: FromHubRead) -> None:
    raw = arrived.payload.decode(errors="backslashreplace").replace("\x00", r"\x00")
    received = Received(
        hub=heard.hub,
        message=heard.message,
        raw=raw,
        retained=arrived.retained,
        utc=inbox.clock(),
        patience=inbox.patience,
        lost=heard.lost,
    )
    inbox.store.submit(partial(_stored, received), partial(_answer, inbox, heard, arrived))


def _stored(received: Received, conn: Connection) -> Told:
    return store_message(conn, received)


def _answer(inbox: Inbox, heard: FromHubRead, arrived: Unsettled, done: Future[Told]) -> None:
    error = done.exception()
    if error:
        _not_stored(inbox, heard, arrived, error)
        return
    told = done.result()
    for ack in told.acks:
        inbox.link().ack(heard.hub, ack)
    arrived.settle()
    if told.duplicate:
        inbox.tally.count("duplicates")
    for update in told.updates:
        inbox.feed.tell(update)


def _held(inbox: Inbox, hub: str, passed: Passed) -> None:
    """Count a message of a flood, and store a fault that is shown with the hub."""
    inbox.tally.count("held_back", passed)
    if inbox.floods.get(hub, -math.inf) + FLOOD_AGAIN_S <= (now := time.monotonic()):
        inbox.floods[hub] = now
        inbox.store.submit(partial(_note_flood, hub, inbox.clock()))
        inbox.feed.tell(Update(Topic.HUB, hub))
    if passed is Passed.REFUSED:
        _log_few(FLOOD, inbox.tally.refuse(FLOOD))


def _note_flood(hub: str, utc: float, conn: Connection) -> None:
    own_faults.see(conn, hub, FaultKind.FLOOD, utc)


def _not_stored(inbox: Inbox, heard: FromHubRead, arrived: Unsettled, error: BaseException) -> None:
    """Find out by a probe whether the store or the message is at fault; the error does not say.

    A message of a hub may always fail. If that counted as the store's fault, it would be sent again
    for ever, and every call of every other hub with it.
    """
    probe = partial(write_probe, utc=inbox.clock(), size=len(arrived.payload))
    inbox.store.submit(probe, partial(_judge, inbox, heard, arrived, error))


def _judge(
    inbox: Inbox, heard: FromHubRead, arrived: Unsettled, error: BaseException, probe: Future[None]
) -> None:
    """Decide what becomes of a message that the store did not take.

    Where the store does not work at all, dial again: the broker then sends the message again. Else
    try once more, then drop it. A call is never dropped: it is stored without the parts that cannot
    be stored.
    """
    message = heard.message
    of_database = isinstance(error, SQLAlchemyError | StoreError)
    if probe.exception():
        inbox.link().redial("the store does not work")
    elif of_database and not arrived.failed:  # it may work again since
        arrived.failed = True
        _keep(inbox, arrived, heard)
    elif isinstance(message, AlarmEvent) and message != (bare := _bare(message, arrived)):
        _count_unstorable(inbox, error)
        arrived.failed = False
        _keep(inbox, arrived, FromHubRead(heard.hub, bare, (ALL,)))
    elif isinstance(message, AlarmEvent) and of_database and not isinstance(error, OF_MESSAGE):
        inbox.link().redial("the store holds no call")  # a bare call has nothing of the hub's
    else:
        _count_unstorable(inbox, error)
        arrived.settle()


def _bare(call: AlarmEvent, arrived: Unsettled) -> AlarmEvent:
    return reading.unread_call(call.source, arrived.payload)


def _count_unstorable(inbox: Inbox, error: BaseException) -> None:
    _log_few(f"{UNSTORABLE} ({type(error).__name__})", inbox.tally.refuse(UNSTORABLE))


def turned(inbox: Inbox) -> None:
    """Update the pages when the link went up or down; repair when it is up."""
    inbox.feed.tell(Update(Topic.LINK))
    if inbox.link().state().since_utc is not None:
        repair(inbox)


def repair(inbox: Inbox) -> None:
    """Send all hubs the stage of their alarms: after a new session, in case acks were lost."""

    def open_ones(conn: Connection) -> list[Incident]:
        return incidents.changed_since(conn, inbox.clock() - REPAIR_BACK_S)

    def answer(done: Future[list[Incident]]) -> None:
        if not done.exception():
            for incident in done.result():
                inbox.link().ack(incident.hub, acks.of_stage(incident, inbox.clock()))

    inbox.store.submit(open_ones, answer)


def _log_few(reason: str, count: int) -> None:
    """Log the 1st, 10th, 100th ... time of a reason: a flood must not fill the disk."""
    if str(count).strip("0") == "1":
        log.warning("a message was refused: %s (number %d)", reason, count)
