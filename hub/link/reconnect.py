"""The hub's link to a broker, over session after session: whom to dial, when, and is it alive.

An exception within a session, in a callback or in paho itself, ends the process, and systemd starts
it again.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress

from hub.contract.wire import LinkTrouble
from hub.link.backoff import REFUSALS, Twin, delay_s
from hub.link.session import Listener, MqttSettings, Session
from hub.outbox.store import Row

LOG = logging.getLogger("anbu")
STEADY_S = 5.0  # a session that lasted this long was no failure
WATCH_S = 1.0
SLOW_TURN = 3  # of dials that time out one after the other, each third is given longer:
SLOW = 4 / 3  # a network that is slow, not dead, must not be dialled in vain for ever


class Link:
    """The hub's only connection to the world outside the home."""

    def __init__(
        self, settings: MqttSettings, hub: str, listener: Listener, will: Callable[[], bytes]
    ) -> None:
        self._settings, self._hub, self._listener, self._will = settings, hub, listener, will
        self._session: Session | None = None
        self._hurry = asyncio.Event()
        self._urgent = False
        self._leaving = False
        self._twin = Twin()
        self._refusals: dict[str, tuple[LinkTrouble, float]] = {}  # by broker: why, and until when
        self.broker = ""  # of the session that stands
        self.trouble: LinkTrouble | None = None  # why there is none

    async def run(self) -> None:
        """Dial, hold, back off, for ever."""
        failures = turn = timeouts = 0
        loop = asyncio.get_running_loop()
        while not self._leaving:
            broker = self._settings.brokers[turn % len(self._settings.brokers)]
            turn += 1
            if not self._shuns(broker):
                began = loop.time()
                slow = timeouts % SLOW_TURN == SLOW_TURN - 1
                trouble = await self._hold(broker, self._settings.dial_s * (SLOW if slow else 1.0))
                self._remember(broker, trouble)
                timeouts = timeouts + 1 if trouble is LinkTrouble.TIMEOUT else 0
                steady = loop.time() - began >= STEADY_S and trouble is not LinkTrouble.TIMEOUT
                failures = 0 if steady else failures + 1
            if turn % len(self._settings.brokers) == 0:  # only when all have been tried
                await self._back_off(failures)

    def publish(self, row: Row) -> None:
        """Hand one message to the session; without one it is left to the next `link_up`."""
        if self._session and not self._leaving and not self._session.publish(row):
            self._session.end(LinkTrouble.CLOSED)

    def hang_up(self, trouble: LinkTrouble) -> None:
        """Give the session up; the next dial follows at once.

        A broker that refuses our messages is left only where there is another to try.
        """
        only = len(self._settings.brokers) == 1
        if self._session and not (trouble is LinkTrouble.REFUSED and only):
            self._session.end(trouble)

    def hurry(self, *, urgent: bool) -> None:
        """Say whether an SOS waits: a pending back-off is then cut short."""
        if urgent and not self._urgent:
            self._hurry.set()
        self._urgent = urgent

    async def leave(self, farewell: Row) -> None:
        """Say goodbye, so that the broker does not report a loss, and disconnect for good."""
        self._leaving = True
        if self._session:
            await self._session.leave(farewell)

    async def _hold(self, broker: str, within_s: float) -> LinkTrouble:
        session = Session(self._settings, self._hub, broker, self._listener, self._will())
        try:
            async with asyncio.timeout(within_s):
                trouble = await session.dial()
        except TimeoutError:
            trouble = LinkTrouble.TIMEOUT
        if trouble is not None:
            session.end(trouble)
            trouble = self._why(broker, trouble)
            self._tell_down(trouble)
            return trouble
        self._session, self.broker, self.trouble = session, broker, None
        self._refusals.pop(broker, None)
        self._listener.link_up(broker)
        try:
            return await self._watch(session)
        finally:
            self._session, self.broker = None, ""
            session.end(LinkTrouble.CLOSED)

    async def _watch(self, session: Session) -> LinkTrouble:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not session.ended.done():
            session.tend()
            await asyncio.wait({session.ended}, timeout=WATCH_S)
        trouble = session.ended.result()
        trouble = self._twin.judge(trouble, loop.time() - began, silent=session.silent)
        self._tell_down(trouble)
        return trouble

    def _tell_down(self, trouble: LinkTrouble) -> None:
        if trouble is LinkTrouble.TAKEN_OVER and self.trouble is not trouble:
            LOG.error("another machine uses this hub's name and certificate: %s", self._hub)
        self.trouble = trouble
        self._listener.link_down(trouble)

    def _why(self, broker: str, trouble: LinkTrouble) -> LinkTrouble:
        """Say why a dial failed: a broker that has refused us may hang up without a word next."""
        known, _ = self._refusals.get(broker, (trouble, 0.0))
        return known if trouble is LinkTrouble.CLOSED else trouble

    def _remember(self, broker: str, trouble: LinkTrouble) -> None:
        """Keep for how long a broker that refuses us is left alone while there are others."""
        self._refusals.pop(broker, None)
        if trouble in REFUSALS or trouble is LinkTrouble.TAKEN_OVER:
            until = asyncio.get_running_loop().time() + self._delay_s(0, trouble, urgent=False)
            self._refusals[broker] = trouble, until

    def _shuns(self, broker: str) -> bool:
        """Whether others are to be tried before a broker that refuses us."""
        _, until = self._refusals.get(broker, (None, 0.0))
        others = len(self._refusals) < len(self._settings.brokers)
        return others and not self._urgent and asyncio.get_running_loop().time() < until

    async def _back_off(self, failures: int) -> None:
        """Wait; while a broker is left that does not refuse us, no longer than for a dead one."""
        troubles = [why for why, _ in self._refusals.values()]
        refused = len(troubles) == len(self._settings.brokers)
        trouble = troubles[-1] if refused else LinkTrouble.CLOSED
        self._hurry.clear()
        wait_s = self._delay_s(failures, trouble, urgent=self._urgent)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()

    def _delay_s(self, failures: int, trouble: LinkTrouble, *, urgent: bool) -> float:
        jitter = random.random()  # noqa: S311 - spreads dials, hides nothing
        turns = self._twin.turns
        return delay_s(failures, trouble, urgent=urgent, jitter=jitter, turns=turns)
