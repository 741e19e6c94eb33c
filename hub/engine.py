"""The engine: receive events, decide, commit, and only then act.

All events come through `emit`, from any thread. A due deadline is served before the queued events,
because a flood of edges would delay a press otherwise (measured: 217 ms against 67 ms). Events that
have queued up are decided together and committed once.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Protocol

import msgspec
from msgspec.structs import replace

from hub.core import late
from hub.core.decide import decide, due_contacts, must_commit, next_wake
from hub.core.model.activity import FRESH
from hub.core.model.effects import Effect, Order, Pet, Took
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
from hub.outbox.delivery import Clocks, Delivery
from hub.outbox.thread import Found, OutboxThread

BATCH = 64
EARLY = 16  # edges decided before a due press: a glitch has a few, a flood has more
EPOLL_S = 0.0015  # asyncio rounds every wait up to whole milliseconds, and epoll adds its slack
FLUSH_S = 60.0  # state that no message depends on is saved at most this often: SD cards wear out
RETRY_S = 5.0  # how often a failed disk is tried again: memory alone does not survive a power cut
TAKEN = 256  # presses whose commit failed; the radio owes fewer
ENCODE = msgspec.msgpack.Encoder().encode


class Outlets(Protocol):
    """Where the engine's effects go, beside the messages: drivers, watchdog and black box."""

    def tell(self, order: Order) -> None:
        """Hand an order to every driver that wants it."""

    def pet(self) -> None:
        """Tell the watchdog that the hub works."""

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Record what was decided, for the replay of a field incident."""


class Engine:
    """Holds the state of the home, and is the only one that changes it."""

    def __init__(
        self, state: HomeState, rules: Rules, outbox: OutboxThread, clocks: Clocks, outlets: Outlets
    ) -> None:
        self.state, self.rules = state, rules
        self.delivery = Delivery(rules.hub, outbox, clocks, self._put)
        self.decided = 0
        self._clocks, self._outlets = clocks, outlets
        self._facts: deque[Event] = deque()
        self._taken: deque[Took] = deque(maxlen=TAKEN)  # said once a disk holds them
        self._late: list[Effect] = []  # from a disk that was read late; done in the next turn
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._flush_at = clocks.at() + FLUSH_S

    def emit(self, event: Event) -> None:
        """Queue an event, from any thread; ignored once the loop has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._put, event)

    def begin(self, state: HomeState, started: Started, found: Found | None) -> None:
        """Start with a recovered state, before any event that has queued up meanwhile.

        From here on the state is saved; `found` is None while the disk could not be read.
        """
        self.state, trouble = state, self.delivery.begin(found)
        at = started.at  # a disk that works ends the fault that an earlier process reported
        disk = StorageFailed(at, trouble) if trouble else StorageRecovered(at)
        self._facts.extendleft((disk, started))
        self._woken.set()

    def absorb(self, old: HomeState, found: Found) -> None:
        """Add what the disk held, where it could be read only now."""
        self.state, self._late = late.joined(old, self.state, self.rules)
        self.delivery.start_over(found)
        self._flush_at = self._clocks.at()
        self._woken.set()

    async def run(self) -> None:
        """Decide on events until cancelled."""
        while True:
            await self._wait()
            await self.turn()
            await asyncio.sleep(0)  # other tasks run even during a flood of events

    async def turn(self) -> None:
        """Serve what is due, then the queued events; commit; act."""
        at, before = self._clocks.at(), self.state
        effects, self._late = self._late + self._serve_due(at), []
        for _ in range(min(len(self._facts), BATCH)):
            effects += self._decide(self._facts.popleft())
        at_once = must_commit(before, self.state, effects) or at >= self._flush_at
        if await self.delivery.deliver(effects, self._snapshot, at_once=at_once):
            self._plan_flush(at)
        self._perform(effects)

    async def flush(self) -> None:
        """Save the state before the process ends."""
        await self.delivery.commit(self._snapshot())
        self._plan_flush(self._clocks.at())

    def _put(self, event: Event) -> None:
        self._facts.append(event)
        self._woken.set()

    def _decide(self, event: Event) -> list[Effect]:
        self.state, effects = decide(self.state, event, self.rules)
        self.decided += 1
        self._outlets.record(event, effects)
        return effects

    def _serve_due(self, at: float) -> list[Effect]:
        """Serve the deadlines that are due; before them, edges that show that one was not due.

        A glitch that ended during a commit is no press: so queued edges of contacts whose deadline
        is due are decided first, with their own times, but at most `EARLY` of them.
        """
        wake = next_wake(self.state, self.rules)
        if wake is None or wake > at:
            return []
        due = due_contacts(self.state, at, self.rules)
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
            if isinstance(effect, Took):
                self._taken.append(effect)
            elif isinstance(effect, Order):
                self._outlets.tell(effect)
            elif isinstance(effect, Pet):
                self._outlets.pet()
        while self._taken and self.delivery.saved:
            self._outlets.tell(self._taken.popleft())

    def _snapshot(self) -> bytes:
        """Return the state to save; the habits have their own file, beats of a heart none."""
        return ENCODE(replace(self.state, habits=FRESH, beats={}))

    def _plan_flush(self, at: float) -> None:
        self._flush_at = at + (RETRY_S if self.delivery.disk else FLUSH_S)

    async def _wait(self) -> None:
        if not self._facts:
            wakes = (next_wake(self.state, self.rules), self.delivery.next_wake())
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
    """Sleep the last milliseconds exactly: a press is confirmed 0.6 ms sooner (bench/press.py)."""
    if 0.0 < left_s <= EPOLL_S:
        time.sleep(left_s)
