"""Delivery of messages: what the engine decides is committed, then sent; what comes back is a fact.

It stands between the engine and the link, and uses the outbox's thread (what is owed) and the queue
(in what order). Everything here runs on the loop's thread.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from hub.contract import wire
from hub.contract.messages import Ack, CenterState, Command
from hub.contract.wire import LinkTrouble
from hub.core.model.effects import Effect, Forget, Lane, Publish, Resend
from hub.core.model.events import (
    BrokerAcked,
    BrokerRefused,
    CenterAcked,
    CenterBorn,
    CommandReceived,
    Event,
    LinkDown,
    LinkUp,
    StorageFailed,
    StorageRecovered,
    StorageTrouble,
)
from hub.outbox.queue import SendQueue
from hub.outbox.store import Row
from hub.outbox.thread import Commit, Found, OutboxThread

PAGE = 64
STEADY_S = 10.0
CROWD = 500  # this many unsaved changes are committed at once, without waiting for the flush


class Carrier(Protocol):
    """What the delivery needs of the link."""

    def publish(self, row: Row) -> None:
        """Send one message over the present session."""

    def mention(self, topic: str, payload: bytes) -> None:
        """Send what may be lost, if nothing else waits in the session."""

    def hang_up(self, trouble: LinkTrouble) -> None:
        """End the session."""

    def hurry(self, *, urgent: bool) -> None:
        """Set whether an SOS is waiting."""


class Clocks(Protocol):
    """The two clocks, passed in so that tests control time."""

    def at(self) -> float:
        """Return monotonic seconds."""

    def utc(self) -> float:
        """Return seconds since 1970."""


class Delivery:
    """What is sent and what was confirmed; also the `hub.link.session.Listener` of the link."""

    def __init__(
        self, hub: str, outbox: OutboxThread, clocks: Clocks, put: Callable[[Event], None]
    ) -> None:
        self.carrier: Carrier | None = None
        self.refused: Counter[str] = Counter()
        self.center: CenterState | None = None  # the last one received
        self._hub, self._outbox, self._clocks, self._put = hub, outbox, clocks, put
        self._queue = SendQueue()
        self._commit: Commit | None = None  # nothing is written before the file has been read
        self.disk: StorageTrouble | None = None  # the fault reported at present
        self.saved = True  # the last commit reached the disk
        self._bad_at = -STEADY_S
        self._fetching: asyncio.Task[None] | None = None
        self._resume_at = 0.0  # on the loop's clock

    def begin(self, found: Found | None) -> StorageTrouble | None:
        """Take over what the disk held, if it could be read; return what is wrong with the disk.

        The engine reports that as a fault at start; the fault of a damaged file, which has been
        repaired by then, ends with the next commit.
        """
        self._commit = None if found is None else self._outbox.take_up(found)
        trouble = self._outbox.trouble if found is None else found.trouble
        self.disk = None if trouble is StorageTrouble.CORRUPT else trouble
        return trouble

    def start_over(self, found: Found) -> None:
        """Take over a file that could be read only now, and end the session to send its SOS too."""
        self._commit, trouble = self._outbox.take_up(found), found.trouble
        if trouble is StorageTrouble.CORRUPT:
            self._put(StorageFailed(self._clocks.at(), trouble))
            self.disk = None
        if self.carrier:
            self.carrier.hang_up(LinkTrouble.CLOSED)

    async def deliver(
        self, effects: Sequence[Effect], snapshot: Callable[[], bytes], *, at_once: bool
    ) -> bool:
        """Hold the new messages, commit them where that is due, then let them leave.

        `at_once`: the decision owes somebody something. Returns whether there was a commit.
        """
        rows = self._hold(effects)
        due = at_once or (self._outbox.unsaved > CROWD and self.disk is None)
        if due:
            await self.commit(snapshot())
        self._send(rows, effects)
        return due

    async def commit(self, snapshot: bytes) -> None:
        """Write all that is held to the disk; a disk that fails becomes an event, not a delay.

        Its fault ends when the disk has worked for `STEADY_S`, so that the fault does not flap.
        """
        if self._commit is None:
            trouble: StorageTrouble | None = self._outbox.trouble or StorageTrouble.SLOW
        else:
            trouble = await self._commit(snapshot)
        self.saved, at = trouble is None, self._clocks.at()
        self._bad_at = at if trouble else self._bad_at
        if trouble is self.disk or (trouble is None and at < self._bad_at + STEADY_S):
            return
        self.disk = trouble
        self._put(StorageFailed(at, trouble) if trouble else StorageRecovered(at))

    def _hold(self, effects: Sequence[Effect]) -> list[Row]:
        """Hold what must be kept; return the new messages, which may leave after the commit.

        What the centre has leaves the queue at once: a session that begins while the disk still
        writes does not send it again.
        """
        settled = [e.id for e in effects if isinstance(e, Forget)]
        for id_ in settled:
            self._queue.forget(id_)
        rows = self._outbox.add(
            (e for e in effects if isinstance(e, Publish) and e.lane is not Lane.LIVE), settled
        )
        live = (e for e in effects if isinstance(e, Publish) and e.lane is Lane.LIVE)
        return [*rows, *(Row(0, e.id, e.lane, e.topic, e.payload, e.retain) for e in live)]

    def _send(self, rows: Iterable[Row], effects: Iterable[Effect]) -> None:
        """Queue the new messages, and again those that a `Resend` names."""
        for row in rows:
            self._queue.send(row)
        for effect in effects:
            if isinstance(effect, Resend) and (old := self._outbox.urgent.get(effect.id)):
                self._queue.send(old)
        self.forward()

    def forward(self, *, fetch: bool = True) -> None:
        """Hand the link what may be sent now; end the session when an ack is overdue."""
        if self.carrier is None:
            return
        at = self._clocks.at()
        if self._queue.overdue(at):
            self.carrier.hang_up(LinkTrouble.ACK_OVERDUE)
        self.carrier.hurry(urgent=bool(self._outbox.urgent))
        for row in self._queue.to_publish(at):
            self.carrier.publish(row)
        self._pause(self._queue.pause_s(at))
        if fetch and self._queue.hungry() and self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())

    def mention(self, topic: str, payload: bytes) -> None:
        """Send what is of use only now, and may be lost; nothing while a call waits to be sent."""
        if self.carrier is not None and self._queue.link and not self._queue.urgent:
            self.carrier.mention(topic, payload)

    def next_wake(self) -> float | None:
        """Return the time at which an ack will be overdue, None where none is awaited."""
        return self._queue.next_wake()

    def link_up(self, broker: str) -> None:
        """Begin to send, first the SOS that the centre has not confirmed."""
        self._queue.up()
        for row in self._outbox.urgent.values():
            self._queue.send(row)
        self._put(LinkUp(self._clocks.at(), broker))

    def link_down(self, trouble: LinkTrouble) -> None:
        """Stop sending; the queue and the disk keep what was not confirmed."""
        self._queue.down(late=trouble is LinkTrouble.ACK_OVERDUE)
        self._put(LinkDown(self._clocks.at(), trouble))

    def acked(self, id_: str, *, refused: bool) -> None:
        """Handle a PUBACK: it settles a bulk message; an SOS is settled only by the centre."""
        row = self._queue.acked(id_)
        if row is not None and refused:
            self._put(BrokerRefused(self._clocks.at(), id_))
            if row.lane is Lane.SOS and self.carrier:
                self.carrier.hang_up(LinkTrouble.REFUSED)
        elif row is not None and row.lane is Lane.SOS:
            self._put(BrokerAcked(self._clocks.at(), id_))
        elif row is not None and row.lane is not Lane.LIVE:
            self._outbox.add((), (id_,))
        self.forward()

    def arrived(self, topic: str, payload: bytes) -> None:
        """Turn a message from the centre into an event; one that breaks the contract is counted."""
        at = self._clocks.at()
        try:
            message = wire.decode_from_center(self._hub, topic, payload)
        except wire.RefusedError as error:
            self.refused[error.reason] += 1
            return
        match message:
            case Ack(event=id_, alarm=alarm, stage=stage, version=version, who=who, sent=sent):
                self._put(CenterAcked(at, id_, alarm, stage, version, who, sent))
            case Command():
                self._put(CommandReceived(at, self._clocks.utc(), message))
            case CenterState(online=online):
                self.center = message
                if online:
                    self._put(CenterBorn(at))

    def _pause(self, wait_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        if wait_s is not None and self._resume_at <= loop.time():
            self._resume_at = loop.time() + wait_s
            loop.call_at(self._resume_at, self.forward)

    async def _fetch(self) -> None:
        after = self._queue.fetch_after()
        rows, whole = await self._outbox.page(after, PAGE)
        self._queue.restock(after, rows, whole=whole)
        self._fetching = None
        self.forward(fetch=whole)  # a disk that cannot be read is not asked again at once
