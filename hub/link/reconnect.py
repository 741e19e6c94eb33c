"""The hub's link to its brokers: which to dial, when to dial, and whether the session is alive.

    dial -> session stands -> session ends -> back off -> dial the next broker in turn
    dial fails -> back off, after every broker has been tried

An exception in a callback or in paho ends the process, and systemd starts it again.
"""

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from hub.contract.wire import LinkTrouble
from hub.link.backoff import REFUSALS, Twin, delay_s
from hub.link.identity import Identities, settings_of
from hub.link.session import Listener, MqttSettings, Session
from hub.outbox.store import Row
from hub.shared.identity import Identity
from hub.shared.tls import UtcNow

LOG = logging.getLogger("anbu")
STEADY_S = 5.0  # a session that lasted this long does not count as a failure
WATCH_S = 1.0
SLOW_TURN = 3  # where dials time out one after another, each third dial may take longer,
SLOW = 4 / 3  # by this factor: else a slow network would never be connected to
T = TypeVar("T")


class Clocks(Protocol):
    """Whether the machine's time can be trusted, and what else is known of the time."""

    def synced(self) -> bool:
        """Whether the wall clock is right."""

    def center_utc(self) -> float | None:
        """Return the centre's time, seconds since 1970; None where it is not known."""


class Link:
    """The hub's only connection to the world outside the home.

    `identities`: whose certificate each dial sends; None: that of the settings. `clocks`: whether
    a dial checks a broker's dates by the machine's clock; None: each does.
    """

    def __init__(
        self,
        settings: MqttSettings,
        hub: str,
        listener: Listener,
        will: Callable[[], bytes],
        identities: Identities | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._identities, self._clocks = identities, clocks
        self._settings, self._hub, self._listener, self._will = settings, hub, listener, will
        self._session: Session | None = None
        self._hurry = asyncio.Event()
        self._urgent = False
        self._leaving = False
        self._twin = Twin()
        self._ups = 0  # sessions that stood
        self._proof: asyncio.Task[None] | None = None
        self._refusals: dict[str, tuple[LinkTrouble, float]] = {}  # by broker: why, and until when
        self._whys: dict[tuple[str, str], LinkTrouble] = {}  # by broker and certificate
        self.broker = ""  # the broker of the present session; "" without one
        self.trouble: LinkTrouble | None = None  # why there is no session

    async def run(self) -> None:
        """Dial, keep the session until it ends, back off; repeat until `leave`."""
        if not self._settings.brokers:  # the county's file is missing; a new one needs a restart
            self._tell_down(LinkTrouble.UNREACHABLE)
            await asyncio.Event().wait()
        failures = turn = timeouts = 0
        loop = asyncio.get_running_loop()
        while not self._leaving:
            broker = self._settings.brokers[turn % len(self._settings.brokers)]
            turn += 1
            if not self._skips(broker):
                began = loop.time()
                slow = timeouts % SLOW_TURN == SLOW_TURN - 1
                trouble = await self._dial(broker, self._settings.dial_s * (SLOW if slow else 1.0))
                self._remember(broker, trouble)
                timeouts = timeouts + 1 if trouble is LinkTrouble.TIMEOUT else 0
                steady = loop.time() - began >= STEADY_S and trouble is not LinkTrouble.TIMEOUT
                failures = 0 if steady else failures + 1
            if turn % len(self._settings.brokers) == 0:  # only when all have been tried
                await self._back_off(failures)

    def publish(self, row: Row) -> None:
        """Send one message. Without a session nothing is sent; at `link_up` all is sent again."""
        if self._session and not self._leaving and not self._session.publish(row):
            self._session.end(LinkTrouble.CLOSED)

    def mention(self, topic: str, payload: bytes) -> None:
        """Send what may be lost, if there is a session in which nothing else waits."""
        if self._session and not self._leaving:
            self._session.mention(topic, payload)

    def hang_up(self, trouble: LinkTrouble) -> None:
        """End the session; the next dial follows at once.

        Where a broker refuses our messages, end it only if there is another broker to try.
        """
        only = len(self._settings.brokers) == 1
        if self._session and not (trouble is LinkTrouble.REFUSED and only):
            self._session.end(trouble)

    def hurry(self, *, urgent: bool) -> None:
        """Note whether an SOS waits. When one begins to wait, a pending back-off ends at once."""
        if urgent and not self._urgent:
            self._hurry.set()
        self._urgent = urgent

    async def leave(self, farewell: Row) -> None:
        """Send `farewell`, so that the broker does not report a loss, and disconnect for good."""
        self._leaving = True
        if self._session:
            await self._session.leave(farewell)

    async def _dial(self, broker: str, within_s: float, *, again: bool = False) -> LinkTrouble:
        """Dial with the identity whose turn it is; with the other one where that one is refused.

        `again`: it is this turn's second dial, and the last. A broker refuses us only where it has
        refused each identity.
        """
        if self._identities is None:
            return await self._hold(broker, within_s, self._settings)
        chosen = await _chosen(self._identities, broker, within_s)
        if isinstance(chosen, LinkTrouble):
            self._tell_down(chosen)
            return chosen
        identity, up = chosen[0], self._ups
        trouble = await self._hold(broker, within_s, settings_of(identity, self._settings), chosen)
        if self._ups > up:
            return trouble
        if self._identities.failed(broker, identity, trouble) and not again:
            LOG.warning("%s does not take %s: %s", broker, identity.folder, trouble)
            return await self._dial(broker, within_s, again=True)
        hopes = trouble in REFUSALS and not self._identities.refused(broker)
        return LinkTrouble.CLOSED if hopes else trouble

    def _took(self, identities: Identities, broker: str, chosen: tuple[Identity, bool]) -> None:
        identity, fresh = chosen
        identities.took(broker, identity)
        if fresh:
            self._proof = asyncio.create_task(self._prove(identities, identity))

    async def _prove(self, identities: Identities, identity: Identity) -> None:
        """Keep the identity with which a session stands. The disk's troubles end no session."""
        try:
            if await _in_thread(lambda: identities.stood(identity)):
                LOG.info("the renewed certificate %s is in use", identity.folder)
        except OSError as error:
            LOG.warning("the renewed certificate %s is not kept: %s", identity.folder, error)

    async def _hold(
        self,
        broker: str,
        within_s: float,
        settings: MqttSettings,
        chosen: tuple[Identity, bool] | None = None,
    ) -> LinkTrouble:
        """Dial, and keep the session. `chosen`: an identity, and whether a session proves it."""
        session = Session(
            settings, self._hub, broker, self._listener, self._will(), self._other_clock()
        )
        try:
            async with asyncio.timeout(within_s):
                trouble = await session.dial()
        except TimeoutError:
            trouble = LinkTrouble.TIMEOUT
        if trouble is not None:
            session.end(trouble)
            trouble = self._why(broker, settings.cert, trouble)
            self._tell_down(trouble)
            return trouble
        self._session, self.broker, self.trouble = session, broker, None
        self._refusals.pop(broker, None)
        self._whys.pop((broker, settings.cert), None)
        self._ups += 1
        self._listener.link_up(broker)
        if chosen is not None and self._identities is not None:
            self._took(self._identities, broker, chosen)
        try:
            return self._why(broker, settings.cert, await self._watch(session))
        finally:
            self._session, self.broker = None, ""
            session.end(LinkTrouble.CLOSED)

    def _other_clock(self) -> UtcNow | None:
        """Return what tells the time instead of the machine's clock; None: that clock is right."""
        clocks = self._clocks
        return None if clocks is None or clocks.synced() else clocks.center_utc

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

    def _why(self, broker: str, cert: str, trouble: LinkTrouble) -> LinkTrouble:
        """Return why a dial failed or a session ended.

        A broker that has refused a certificate may close the next connection without giving a
        reason: then the known reason holds, for this certificate.
        """
        known = self._whys.pop((broker, cert), trouble)
        why = known if trouble is LinkTrouble.CLOSED else trouble
        if _is_no(why):
            self._whys[broker, cert] = why
        return why

    def _remember(self, broker: str, trouble: LinkTrouble) -> None:
        """Note for how long a broker that refuses us is skipped, while there are others."""
        self._refusals.pop(broker, None)
        if _is_no(trouble):
            until = asyncio.get_running_loop().time() + self._delay_s(0, trouble, urgent=False)
            self._refusals[broker] = trouble, until

    def _skips(self, broker: str) -> bool:
        """Whether to skip a broker that has refused us and try the others first."""
        _, until = self._refusals.get(broker, (None, 0.0))
        others = len(self._refusals) < len(self._settings.brokers)
        return others and not self._urgent and asyncio.get_running_loop().time() < until

    async def _back_off(self, failures: int) -> None:
        """Wait before the next round of dials, the long wait only where every broker refuses us."""
        troubles = [why for why, _ in self._refusals.values()]
        refused = len(troubles) == len(self._settings.brokers)
        trouble = troubles[-1] if refused else LinkTrouble.CLOSED
        self._hurry.clear()
        wait_s = self._delay_s(failures, trouble, urgent=self._urgent)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()

    def _delay_s(self, failures: int, trouble: LinkTrouble, *, urgent: bool) -> float:
        jitter = random.random()  # noqa: S311 - it spreads dials, it is no secret
        turns = self._twin.turns
        return delay_s(failures, trouble, urgent=urgent, jitter=jitter, turns=turns)


def _is_no(trouble: LinkTrouble) -> bool:
    """Whether a broker has told us not to come back soon."""
    return trouble in REFUSALS or trouble is LinkTrouble.TAKEN_OVER


async def _chosen(
    identities: Identities, broker: str, within_s: float
) -> tuple[Identity, bool] | LinkTrouble:
    """Return whose certificate is sent, and whether it is new; the disk may not hold us up."""
    try:
        async with asyncio.timeout(within_s):
            return await _in_thread(lambda: identities.choose(broker))
    except TimeoutError:
        return LinkTrouble.TIMEOUT


async def _in_thread(work: Callable[[], T]) -> T:
    """Do what waits for the disk in a thread of its own; raise what it raises."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        if not done.done():
            act()

    def run() -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            try:
                found = work()
            except OSError as error:
                why = error
                loop.call_soon_threadsafe(settle, lambda: done.set_exception(why))
            else:
                loop.call_soon_threadsafe(settle, lambda: done.set_result(found))

    threading.Thread(target=run, name="anbu-identity", daemon=True).start()
    return await done
