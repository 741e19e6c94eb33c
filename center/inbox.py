"""From the wire to the store and back: decode, store, and only then answer.

Runs in paho's thread up to the store's queue, and in the store's thread after the commit.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DataError, ProgrammingError

from center import acks, own_faults, rows
from center.change import Patience
from center.dialect import StoreError
from center.evidence import PATIENCE
from center.exchange import Exchange
from center.feed import Feed, Notice, Topic
from center.incident import Incident
from center.intake import Parcel, Told, take_in
from center.metrics import Tally
from center.parcels import Arrived
from center.sluice import Load, Passed, Sluice
from center.store import Store
from hub.core import wire
from hub.core.payloads import AlarmEvent, FaultKind

REPAIR_BACK_S = 3600.0  # a hub that missed a closing for longer asks by its own state
UNSTORABLE = "unstorable"
FLOOD = "flood"
FLOOD_AGAIN_S = 60.0

log = logging.getLogger(__name__)


class Inbox(Struct, frozen=True):
    """What receiving needs. `link` is a call, since the link needs `receive` to be made."""

    store: Store
    feed: Feed
    tally: Tally
    clock: Callable[[], float]
    link: Callable[[], Exchange]
    sluice: Sluice
    patience: Patience = PATIENCE
    floods: dict[str, float] = {}  # by hub: when its fault was written down last, monotonic


class Once:
    """What came, settled once: the broker may give its number to the next message at once."""

    def __init__(self, arrived: Arrived) -> None:
        self._arrived: Arrived | None = arrived

    def settle(self) -> None:
        """Let the broker forget it."""
        arrived, self._arrived = self._arrived, None
        if arrived:
            arrived.settle()


def receive(inbox: Inbox, arrived: Arrived) -> None:
    """Queue what came for the store, or count why it is refused; never log what it says."""
    try:
        hub, message = wire.decode_from_hub(arrived.topic, arrived.payload)
    except wire.RefusedError as error:
        _log_few(error.reason, inbox.tally.refuse(error.reason))
        arrived.settle()
        return
    inbox.tally.count("messages", type(message).__name__)
    raw = arrived.payload.decode(errors="replace")
    parcel = Parcel(hub, message, raw, arrived.retained, inbox.clock(), inbox.patience)
    alarm = message.data.alarm if isinstance(message, AlarmEvent) else None
    once = Once(arrived)
    load = Load(hub, alarm, len(arrived.payload), partial(_store, inbox, parcel, once))
    passed = inbox.sluice.offer(load)
    if passed is not Passed.NOW:
        once.settle()
        _held(inbox, hub, passed)


def repair(inbox: Inbox) -> None:
    """Tell all hubs where their alarms stand: after a new session, in case acks were lost."""

    def open_ones(conn: Connection) -> list[Incident]:
        return rows.changed_since(conn, inbox.clock() - REPAIR_BACK_S)

    def answer(done: Future[list[Incident]]) -> None:
        if not done.exception():
            for incident in done.result():
                inbox.link().ack(incident.hub, acks.of_stage(incident, inbox.clock()))

    inbox.store.submit(open_ones, answer)


def turned(inbox: Inbox) -> None:
    """Follow the link up or down."""
    inbox.feed.tell(Notice(Topic.LINK))
    if inbox.link().health().since_utc is not None:
        repair(inbox)


def _store(inbox: Inbox, parcel: Parcel, arrived: Once) -> None:
    inbox.store.submit(partial(_stored, parcel), partial(_answer, inbox, parcel.hub, arrived))


def _held(inbox: Inbox, hub: str, passed: Passed) -> None:
    """Tell of a flood: a counter, and a fault that is shown with the hub."""
    inbox.tally.count("held_back", passed)
    if inbox.floods.get(hub, 0.0) + FLOOD_AGAIN_S <= (now := time.monotonic()):
        inbox.floods[hub] = now
        inbox.store.submit(partial(_note_flood, hub, inbox.clock()))
        inbox.feed.tell(Notice(Topic.HUB, hub))
    if passed is Passed.REFUSED:
        _log_few(FLOOD, inbox.tally.refuse(FLOOD))


def _note_flood(hub: str, utc: float, conn: Connection) -> None:
    own_faults.see(conn, hub, FaultKind.FLOOD, utc)


def _stored(parcel: Parcel, conn: Connection) -> Told:
    return take_in(conn, parcel)


def _answer(inbox: Inbox, hub: str, arrived: Once, done: Future[Told]) -> None:
    error = done.exception()
    if error:
        _not_stored(inbox, arrived, error)
        return
    told = done.result()
    for ack in told.acks:
        inbox.link().ack(hub, ack)
    arrived.settle()
    if told.duplicate:
        inbox.tally.count("duplicates")
    for notice in told.notices:
        inbox.feed.tell(notice)


def _not_stored(inbox: Inbox, arrived: Once, error: BaseException) -> None:
    """Have the broker send it again once the database may work; drop what it can never hold."""
    lasting = isinstance(error, DataError | ProgrammingError)
    if isinstance(error, DatabaseError | StoreError) and not lasting:
        inbox.link().redial("the store does not work")
        return
    _log_few(f"{UNSTORABLE} ({type(error).__name__})", inbox.tally.refuse(UNSTORABLE))
    arrived.settle()


def _log_few(reason: str, count: int) -> None:
    """Log the 1st, 10th, 100th ... of a reason: a flood must not fill the disk."""
    if str(count).strip("0") == "1":
        log.warning("a message was refused: %s (number %d)", reason, count)
