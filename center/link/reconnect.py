"""The centre's connection to the hubs, over many sessions: which broker to dial, when, is it alive.

A session that ended, or only looks alive, is given up, and a new client dials the next broker.
While another centre has the hubs (`domain.rival`), this one waits and looks again.
"""

import logging
import random
import secrets
import threading
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from center.config import Mqtt
from center.domain.rival import Claim, look, was_renewed
from center.link.session import Arrived, Message, Session, trouble_of
from hub.contract import wire
from hub.contract.messages import Ack, CenterState, Command
from hub.shared.backoff import exponential_s

ANOTHER = "another centre has the hubs"
UNKNOWN = "unknown"
WATCH_S = 0.5
FIRST_S, LONGEST_S = 0.5, 64.0  # a centre that could be reached again must not wait for minutes
STEADY_S = 5.0  # a session that lasted this long does not count as a failure

log = logging.getLogger(__name__)


class LinkState(Struct, frozen=True):
    """Since when the link is up (UTC seconds; None: it is down), to which broker, what failed."""

    since_utc: float | None
    broker: str = ""
    trouble: str = ""
    rival: str = ""  # another centre has the hubs: the id of its database, or `unknown`
    taken_over: int = 0  # how often another client connected with our name since the start


class Link:
    """The centre's only connection to the hubs. Its own thread runs from `start` to `stop`.

    `receive` (a message) and `turned` (the link went up or down) are called from its threads and
    must return at once.
    """

    def __init__(
        self,
        settings: Mqtt,
        clock: Callable[[], float],
        receive: Callable[[Arrived], None],
        turned: Callable[[], None],
        database: str = "",
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._receive = receive
        self._turned = turned
        self._session: Session | None = None
        self._state = LinkState(None, trouble="not connected yet")
        self._claim = Claim(database, secrets.token_hex(8))
        self._taken_over = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anbu-link", daemon=True)

    def start(self) -> None:
        """Start to dial."""
        self._thread.start()

    def stop(self) -> None:
        """Publish that the centre is offline, disconnect, and end the thread."""
        self._stopping.set()
        session = self._session
        if session:
            session.over.set()
            session.answered.set()
        self._thread.join()

    def state(self) -> LinkState:
        """Return the state of the link, from any thread."""
        return self._state

    def has_died(self) -> bool:
        """Return whether its thread ended without `stop`: only a new process can help."""
        started = self._thread.ident is not None
        return started and not self._thread.is_alive() and not self._stopping.is_set()

    @property
    def listening_utc(self) -> float | None:
        """Since when the link is up (UTC seconds), or None while it is down."""
        return self._state.since_utc

    def ack(self, hub: str, ack: Ack) -> None:
        """Send an ack if the link is up; else `inbox.repair` sends it in the next session."""
        session = self._session
        if session and session.begun:
            session.publish(Message(wire.topic(hub, "ack"), wire.encode(ack)))

    def order(self, hub: str, command: Command) -> None:
        """Send a command if the link is up; the broker keeps it only as long as it is valid."""
        session = self._session
        if session and session.begun:
            left_s = max(1, int(command.expires_utc - self._clock()))
            payload = wire.encode(command)
            session.publish(Message(wire.topic(hub, "cmd"), payload, expires_s=left_s))

    def redial(self, why: str) -> None:
        """End the session, so that the broker sends again whatever was not settled."""
        session = self._session
        if session:
            session.end(why)

    def _run(self) -> None:
        failures = turn = 0
        while True:
            broker = self._settings.brokers[turn % len(self._settings.brokers)]
            began = self._clock()
            known = self._claim
            trouble = self._hold(broker)
            if self._stopping.is_set():
                return
            turn += trouble != ANOTHER  # while another centre has the hubs, look at the same broker
            failures = 0 if self._clock() - began > STEADY_S else failures + 1
            log.warning("the link to %s ended: %s", broker, trouble)
            self._tell(None, trouble=trouble)
            self._stopping.wait(self._aside_s(known) or self._pause_s(failures))

    def _pause_s(self, failures: int) -> float:
        """Return the seconds before the next dial: 0 after a steady session, else random."""
        jitter = random.random()  # noqa: S311 - spreads dials
        longest_s = min(self._settings.back_off_s, LONGEST_S)
        return exponential_s(failures, first_s=FIRST_S, longest_s=longest_s, jitter=jitter)

    def _aside_s(self, before: Claim) -> float:
        """Return for how many seconds to leave the hubs to another centre; 0 if there is none."""
        if self._claim.rival is None:
            return 0.0
        settings = self._settings
        wait_s = settings.aside_s if was_renewed(before, self._claim) else settings.look_s
        log.error(
            "another centre (database %s) is connected with this one's certificate. This one takes "
            "no calls; it looks again in %.0f s. Stop one of them.",
            self._claim.rival.database or UNKNOWN,
            wait_s,
        )
        return wait_s * (1.0 + random.random() / 4)  # noqa: S311 - spreads dials

    def _hold(self, broker: str) -> str:
        session = Session(self._settings, broker, self._word(online=False), self._receive)
        self._session = session  # before the dial, so that `stop` ends it, too
        try:
            return self._use(session, broker)
        finally:
            self._session = None
            session.end()

    def _use(self, session: Session, broker: str) -> str:
        try:
            session.dial()
        except (OSError, ValueError) as error:
            return trouble_of(error)
        session.answered.wait(self._settings.connect_s)
        if not session.up or session.over.is_set():
            return session.trouble or "no answer to the connection"
        self._claim = look(self._claim, session.birth)
        if self._claim.rival is not None:
            session.withdraw()
            return ANOTHER
        self._claim = replace(self._claim, was_up=True)
        session.begin()
        session.publish(self._word(online=True))
        self._tell(self._clock(), broker)
        self._turned()
        self._watch(session)
        self._note_end(session)
        self._turned()
        if self._stopping.is_set():
            session.leave(self._word(online=False))
        return session.trouble

    def _note_end(self, session: Session) -> None:
        if session.taken_over:
            self._taken_over += 1
            log.error("somebody else came with this centre's certificate; it dials to see who")
        self._tell(None, trouble=session.trouble)

    def _tell(self, since_utc: float | None, broker: str = "", trouble: str = "") -> None:
        rival = self._claim.rival
        who = (rival.database or UNKNOWN) if rival else ""
        self._state = LinkState(since_utc, broker, trouble, who, self._taken_over)

    def _watch(self, session: Session) -> None:
        while not session.over.wait(WATCH_S) and not self._stopping.is_set():
            trouble = session.sick()
            if trouble:
                session.end(trouble)

    def _word(self, *, online: bool) -> Message:
        claim = self._claim
        state = CenterState(online, self._clock(), claim.database, claim.boot)
        return Message(wire.CENTER_TOPIC, wire.encode(state), retain=True)
