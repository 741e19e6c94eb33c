"""The post: what the engine has decided is committed, then carried; what comes back is a fact.

Between the journal (what is promised), the courier (in what order) and the link (how). All of it
on the loop's thread.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
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
from hub.outbox.queue import Courier
from hub.outbox.store import Row
from hub.outbox.thread import Commit, Found, Journal

PAGE = 64
STEADY_S = 10.0
CROWD = 500  # so many settled messages are struck from the disk without waiting for the flush


class Carrier(Protocol):
    """What the post needs of the link."""

    def publish(self, row: Row) -> None:
        """Send one message over the session there is."""

    def hang_up(self, trouble: LinkTrouble) -> None:
        """Give the session up."""

    def hurry(self, *, urgent: bool) -> None:
        """Say whether an SOS waits."""


class Clocks(Protocol):
    """The two clocks, handed in so that tests own time."""

    def at(self) -> float:
        """Give monotonic seconds."""

    def utc(self) -> float:
        """Give seconds since 1970."""


class Post:
    """Also `hub.link.session.Listener`: the link tells it what happens."""

    def __init__(
        self, hub: str, journal: Journal, clocks: Clocks, put: Callable[[Event], None]
    ) -> None:
        self.carrier: Carrier | None = None
        self.refused: Counter[str] = Counter()
        self.center: CenterState | None = None  # as it was heard of last
        self._hub, self._journal, self._clocks, self._put = hub, journal, clocks, put
        self._courier = Courier()
        self._commit: Commit | None = None  # nothing is written before the file was taken up
        self.disk: StorageTrouble | None = None  # the fault that stands
        self._bad_at = -STEADY_S
        self._fetching: asyncio.Task[None] | None = None
        self._resume_at = 0.0  # on the loop's clock

    def begin(self, found: Found | None) -> StorageTrouble | None:
        """Take up what the disk held, if it could be read; give what is wrong with it.

        That is raised as a fault at start; a damaged file's stands till the next commit.
        """
        self._commit = None if found is None else self._journal.take_up(found)
        trouble = self._journal.trouble if found is None else found.trouble
        self.disk = None if trouble is StorageTrouble.CORRUPT else trouble
        return trouble

    def start_over(self, found: Found) -> None:
        """Send all anew: the disk could be read at last, and it held more."""
        self._commit, trouble = self._journal.take_up(found), found.trouble
        if trouble is StorageTrouble.CORRUPT:
            self._put(StorageFailed(self._clocks.at(), trouble))
            self.disk = None
        if self.carrier:
            self.carrier.hang_up(LinkTrouble.CLOSED)

    def accept(self, effects: Iterable[Effect]) -> list[Row]:
        """Hold what is to be kept; give the new messages, which may leave after the commit."""
        orders = list(effects)
        rows = self._journal.add(
            (e for e in orders if isinstance(e, Publish) and e.lane is not Lane.LIVE),
            (e.id for e in orders if isinstance(e, Forget)),
        )
        live = (e for e in orders if isinstance(e, Publish) and e.lane is Lane.LIVE)
        return [*rows, *(Row(0, e.id, e.lane, e.topic, e.payload, e.retain) for e in live)]

    async def commit(self, snapshot: bytes) -> None:
        """Bring all that is held to the disk; a disk that fails becomes a fact, not a delay.

        It is said to be well again when it has been so for `STEADY_S`: no fault shall flap.
        """
        if self._commit is None:
            trouble: StorageTrouble | None = self._journal.trouble or StorageTrouble.SLOW
        else:
            trouble = await self._commit(snapshot)
        at = self._clocks.at()
        self._bad_at = at if trouble else self._bad_at
        if trouble is self.disk or (trouble is None and at < self._bad_at + STEADY_S):
            return
        self.disk = trouble
        self._put(StorageFailed(at, trouble) if trouble else StorageRecovered(at))

    def carry(self, rows: Iterable[Row], effects: Iterable[Effect]) -> None:
        """Let new messages leave, and old ones again."""
        for row in rows:
            self._courier.send(row)
        for effect in effects:
            if isinstance(effect, Resend) and (old := self._journal.urgent.get(effect.id)):
                self._courier.send(old)
            elif isinstance(effect, Forget):
                self._courier.forget(effect.id)
        self.forward()

    def forward(self, *, fetch: bool = True) -> None:
        """Give the link what it can take now; give it up when an ack is overdue."""
        if self.carrier is None:
            return
        at = self._clocks.at()
        if self._courier.overdue(at):
            self.carrier.hang_up(LinkTrouble.ACK_OVERDUE)
        self.carrier.hurry(urgent=bool(self._journal.urgent))
        for row in self._courier.take(at):
            self.carrier.publish(row)
        self._pause(self._courier.pause_s(at))
        if fetch and self._courier.hungry() and self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())

    def next_wake(self) -> float | None:
        """Give the time at which an ack will be overdue."""
        return self._courier.next_wake()

    @property
    def crowded(self) -> bool:
        """Whether enough is settled to be worth a commit."""
        return self._journal.unsaved > CROWD and self.disk is None

    def link_up(self, broker: str) -> None:
        """Begin to send, first what the centre has not confirmed."""
        self._courier.up()
        for row in self._journal.urgent.values():
            self._courier.send(row)
        self._put(LinkUp(self._clocks.at(), broker))

    def link_down(self, trouble: LinkTrouble) -> None:
        """Stop sending; nothing is lost by it."""
        self._courier.down(late=trouble is LinkTrouble.ACK_OVERDUE)
        self._put(LinkDown(self._clocks.at(), trouble))

    def acked(self, id_: str, *, refused: bool) -> None:
        """Note a PUBACK: it settles a bulk message; for an SOS it settles nothing."""
        row = self._courier.acked(id_)
        if row is not None and refused:
            self._put(BrokerRefused(self._clocks.at(), id_))
            if row.lane is Lane.SOS and self.carrier:
                self.carrier.hang_up(LinkTrouble.REFUSED)
        elif row is not None and row.lane is Lane.SOS:
            self._put(BrokerAcked(self._clocks.at(), id_))
        elif row is not None and row.lane is not Lane.LIVE:
            self._journal.add((), (id_,))
        self.forward()

    def arrived(self, topic: str, payload: bytes) -> None:
        """Take a message from outside; what the contract does not allow is counted, not kept."""
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
        after = self._courier.fetch_after()
        rows, whole = await self._journal.page(after, PAGE)
        self._courier.restock(after, rows, whole=whole)
        self._fetching = None
        self.forward(fetch=whole)  # a disk that cannot be read is not asked again at once
