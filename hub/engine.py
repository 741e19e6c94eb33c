"""The engine: take facts, decide, commit, and only then perform.

Facts come through one door, `emit`, from any thread. A due deadline is served before the queue,
else a flood of edges would hold up a press (measured: 217 ms against 67 ms). Facts that have
queued up are decided together and committed once.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Protocol

import msgspec
from msgspec.structs import replace

from hub.core import decide, late
from hub.core.model.activity import FRESH
from hub.core.model.effects import Effect, Order, Pet
from hub.core.model.events import (
    ContactChanged,
    Event,
    Started,
    StorageFailed,
    StorageRecovered,
    Ticked,
)
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.outbox.delivery import Clocks, Post
from hub.outbox.thread import Found, Journal

BATCH = 64
EARLY = 16  # a glitch has a few edges; a flood has more, and must not come before a press
EPOLL_S = 0.0015  # asyncio rounds every wait up to whole milliseconds, and epoll adds its slack
FLUSH_S = 60.0  # what nobody is owed is snapshotted this often at most: SD cards wear out
RETRY_S = 5.0  # a disk that failed is tried again this often: memory alone is no promise
ENCODE = msgspec.msgpack.Encoder().encode


class Outlets(Protocol):
    """Where the resident's effects, the watchdog's food and the black box are."""

    def tell(self, order: Order) -> None:
        """Hand an order to every driver that wants it."""

    def pet(self) -> None:
        """Feed the watchdog."""

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Keep what was decided, for the replay of a field incident."""


class Engine:
    """Holds the one state; everything else is told or asks."""

    def __init__(
        self, state: HomeState, rules: Rules, journal: Journal, clocks: Clocks, outlets: Outlets
    ) -> None:
        self.state, self.rules = state, rules
        self.post = Post(rules.hub, journal, clocks, self._put)
        self.decided = 0
        self._clocks, self._outlets = clocks, outlets
        self._facts: deque[Event] = deque()
        self._late: list[Effect] = []  # of a disk that was read late, to be done with the next turn
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._flush_at = clocks.at() + FLUSH_S

    def emit(self, event: Event) -> None:
        """Hand over a fact, from any thread; a loop that has ended has no use for it."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._put, event)

    def begin(self, state: HomeState, started: Started, found: Found | None) -> None:
        """Take up a recovered state, before any fact that has queued up meanwhile.

        From here on it is written; `found` is None while the disk could not be read.
        """
        self.state, trouble = state, self.post.begin(found)
        at = started.at  # a disk that works ends the fault that an older process left behind
        disk = StorageFailed(at, trouble) if trouble else StorageRecovered(at)
        self._facts.extendleft((disk, started))
        self._woken.set()

    def absorb(self, old: HomeState, found: Found) -> None:
        """Take up what the disk held all the time, and could be read only now."""
        self.state, self._late = late.joined(old, self.state, self.rules)
        self.post.start_over(found)
        self._flush_at = self._clocks.at()
        self._woken.set()

    async def run(self) -> None:
        """Decide for ever."""
        while True:
            await self._wait()
            await self.turn()
            await asyncio.sleep(0)  # a flood of facts does not hold up who else has work

    async def turn(self) -> None:
        """Serve what is due, then the facts that have come; commit; perform."""
        at, before = self._clocks.at(), self.state
        effects, self._late = self._late + self._serve_due(at), []
        for _ in range(min(len(self._facts), BATCH)):
            effects += self._decide(self._facts.popleft())
        rows = self.post.accept(effects)
        if decide.owes(before, self.state, effects) or self._should_flush(at):
            await self._commit(at)
        self.post.carry(rows, effects)
        self._perform(effects)

    async def flush(self) -> None:
        """Bring to the disk what nobody is owed, before the process ends."""
        await self._commit(self._clocks.at())

    def _put(self, event: Event) -> None:
        self._facts.append(event)
        self._woken.set()

    def _decide(self, event: Event) -> list[Effect]:
        self.state, effects = decide.decide(self.state, event, self.rules)
        self.decided += 1
        self._outlets.record(event, effects)
        return effects

    def _serve_due(self, at: float) -> list[Effect]:
        """Serve the deadlines first, but for edges that may show that one was never due.

        A glitch that ended while a commit ran is no press: of contacts that are due, the edges
        that wait in the queue count as of their own time. No flood comes before: `EARLY` at most.
        """
        wake = decide.next_wake(self.state, self.rules)
        if wake is None or wake > at:
            return []
        due = decide.due_contacts(self.state, at, self.rules)
        facts, effects, early = list(self._facts), list[Effect](), 0
        self._facts.clear()
        for fact in facts:
            if isinstance(fact, ContactChanged) and fact.device in due and early < EARLY:
                early += 1
                effects += self._decide(fact)
            else:
                self._facts.append(fact)
        return effects + self._decide(Ticked(at))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Order):
                self._outlets.tell(effect)
            elif isinstance(effect, Pet):
                self._outlets.pet()

    def _should_flush(self, at: float) -> bool:
        return at >= self._flush_at or self.post.crowded

    async def _commit(self, at: float) -> None:
        await self.post.commit(ENCODE(replace(self.state, habits=FRESH)))
        self._flush_at = at + (RETRY_S if self.post.disk else FLUSH_S)

    async def _wait(self) -> None:
        if not self._facts:
            wakes = (decide.next_wake(self.state, self.rules), self.post.next_wake())
            wake = min((w for w in wakes if w is not None), default=self._flush_at)
            wake = min(wake, self._flush_at)
            wait_s = wake - self._clocks.at()
            timer = self._loop.call_later(max(wait_s - EPOLL_S, 0.0), self._woken.set)
            await self._woken.wait()
            timer.cancel()
            if not self._facts:
                _sleep_off(wake - self._clocks.at())
        self._woken.clear()


def _sleep_off(left_s: float) -> None:
    """Sleep the last bit exactly: a press is confirmed 0.6 ms sooner (bench/press.py)."""
    if 0.0 < left_s <= EPOLL_S:
        time.sleep(left_s)
