"""A control centre for browsers: the real console and store in a thread; tests act as the hubs.

with Office() as office:
    office.press("js-0001")            # a hub's event, as if it had come over MQTT
    office.url                         # http://127.0.0.1:<port>
"""

import asyncio
import itertools
import secrets
import socket
import threading
import time
from functools import cache
from typing import Any, Self

import httpx
import uvicorn
from msgspec import Struct

from center import app
from center.config import Authority, Center, Settings
from center.domain.incident import Outcome
from center.link.reconnect import Link, LinkState
from center.service import auth, incidents, rounds
from center.service.auth import COOKIE, Auth, Role
from center.service.desk import Desk
from center.service.feed import Feed
from center.service.incidents import Target
from center.service.intake import Received, store_message
from center.service.metrics import Tally
from center.store.rows import accounts
from center.store.rows import incidents as incident_rows
from center.store.store import Store
from hub.contract import addresses, wire
from hub.contract.messages import (
    AlarmData,
    AlarmEvent,
    Availability,
    Command,
    FaultKind,
    FaultReport,
    FromHub,
    HubState,
)
from hub.contract.scaip import Kind, What, of_alarm
from tests.broker import wait_until

PASSWORD = "nobody guesses this 1"  # noqa: S105 - of people who do not exist

PHONE = "033-000-0119"  # of a centre that does not exist
SESSION_S = 12 * 3600.0


class Circumstances(Struct, frozen=True):
    """How a hub's event came about: what, how long ago, by which clock."""

    kind: Kind = Kind.HELP_BUTTON
    ago_s: float = 0.8
    synced: bool = True
    device: str = "help"
    about: str = ""


class Ordering(Link):
    """A link that keeps the commands that it is told to send."""

    orders: list[tuple[str, Command]]

    def order(self, hub: str, command: Command) -> None:
        self.orders.append((hub, command))


class Office:
    """The centre, with a clock that a test can move on and a server that it can stop."""

    def __init__(
        self, database: str, take_expires_s: float = 600.0, authority: Authority | None = None
    ) -> None:
        center = Center(take_expires_s=take_expires_s, beat_s=1.0, phone=PHONE)
        self.settings = Settings(center, authority=authority)
        self.ahead_s = 0.0
        self.store = Store(database)
        self.orders: list[tuple[str, Command]] = []
        self._numbers = itertools.count(1)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        self.store.close()

    def now(self) -> float:
        return time.time() + self.ahead_s

    def open(self) -> None:
        """Start the server, on the same port as before."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        assert ready.wait(10)

    def shut(self) -> None:
        """Stop the server at once; the store stays."""
        self.server.force_exit = self.server.should_exit = True
        self._thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        feed = Feed()
        link = Ordering(self.settings.mqtt, self.now, lambda _: None, lambda: None)
        link.orders = self.orders
        link._state = LinkState(self.now(), "test")
        guard = Auth(self.store, self.now, session_s=SESSION_S, tls=False)
        own = self.settings.authority
        registry = app.registered(own) if own else None
        self.desk = Desk(
            self.settings, self.now, self.store, feed, link, guard, Tally({}), registry
        )
        config = uvicorn.Config(
            app.application(self.desk), port=self.port, log_level="error", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        serving = asyncio.create_task(self.server.serve())
        for_hubs = asyncio.create_task(self._serve_hubs()) if own else None
        while not self.server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
            await asyncio.sleep(0.01)
        ready.set()
        walking = asyncio.create_task(rounds.run(self.desk))
        await serving
        walking.cancel()
        if for_hubs:
            for_hubs.cancel()

    async def _serve_hubs(self) -> None:
        own = self.settings.authority
        assert own
        host, port = addresses.listen(own.listen)
        with socket.create_server((host, port)) as listener:
            await app.attend_hubs(self.desk, listener)

    def hire(self, name: str, role: Role = Role.OPERATOR) -> None:
        """Make an account with `PASSWORD`."""
        put, hashed = accounts.put_operator, _hashed()
        self.store.submit(lambda conn: put(conn, self.now(), name, role.value, hashed)).result()

    def visit(
        self,
        name: str = "",
        *,
        headers: dict[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        follow_redirects: bool = False,
    ) -> httpx.Client:
        """Return a client of the pages, signed in as `name`; it waits for a busy machine."""
        return httpx.Client(
            base_url=self.url,
            headers=headers,
            cookies={COOKIE: self.admit(name)} if name else cookies,
            follow_redirects=follow_redirects,
            timeout=60.0,
        )

    def admit(self, name: str) -> str:
        """Sign somebody in without the slow password check; return the session's secret."""
        secret, until = secrets.token_urlsafe(), self.now() + SESSION_S
        opened, hashed = accounts.open_session, auth.digest(secret)
        self.store.submit(lambda c: opened(c, self.now(), hashed, name, until, "test")).result()
        return secret

    def hear(self, hub: str, message: FromHub) -> None:
        """Take in a hub's message, as if it had come over MQTT."""
        received = Received(
            hub, message, wire.encode(message).decode(), retained=False, utc=self.now()
        )
        told = self.store.submit(lambda conn: store_message(conn, received)).result()
        for update in told.updates:
            self.desk.feed.tell(update)

    def press(self, hub: str = "js-0001", *, place: str = "거실", **more: Any) -> str:  # noqa: ANN401
        """Raise an alarm; return its id."""
        alarm = more.pop("alarm", f"{hub}-{next(self._numbers):06}")
        self.hear(hub, self.event(hub, alarm, place, **more))
        return str(alarm)

    def event(
        self,
        hub: str,
        alarm: str,
        place: str = "거실",
        what: What = What.RAISED,
        **more: Any,  # noqa: ANN401 - any fields of `Circumstances`
    ) -> AlarmEvent:
        """Make a hub's event."""
        so = Circumstances(**more)
        number = next(self._numbers)
        ident = alarm if what is What.RAISED else f"{alarm}-{number}"
        scaip = of_alarm(so.kind, what, place, ident)
        said = (alarm, so.kind, what, so.device, place, "boot", number, 100.0 + number)
        return AlarmEvent(
            id=ident,
            source=wire.source(hub),
            type=f"anbu.alarm.{what}",
            time=wire.timestamp(self.now() - so.ago_s),
            data=AlarmData(*said, so.synced, scaip, about=so.about),
        )

    def greet(self, hub: str, state: Availability = Availability.READY, **more: Any) -> None:  # noqa: ANN401
        """Take in a state message of a hub."""
        said = {"utc": self.now(), "synced": True, "boot": "b", "software": "0.1.0", **more}
        self.hear(hub, HubState(state=state, interval_s=30.0, **said))

    def fault(self, hub: str, kind: FaultKind, device: str) -> None:
        """Take in a fault report of a hub."""
        self.hear(hub, FaultReport(f"{kind}-{device}", kind, device, self.now(), synced=True))

    def cancel(self, hub: str, alarm: str) -> None:
        """Take in a cancel by the resident."""
        self.hear(hub, self.event(hub, alarm, what=What.CANCELLED))

    def go_deaf(self) -> None:
        """Make the centre's own link to the hubs look broken."""
        self.desk.link._state = LinkState(None, "test")

    def act(self, coroutine: Any, wait_s: float = 10) -> Any:  # noqa: ANN401
        """Run one of `center.service.incidents` in the server's loop, as another client would."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(wait_s)

    def settle(self, alarm: str, deed: str) -> None:
        """Wait until the rounds have done `deed` to an alarm."""

        def done() -> bool:
            case = self.store.read(incident_rows.case, alarm)
            return case is not None and case.incident.last_deed == deed

        wait_until(done, f"{alarm} is {deed}")

    def take(self, alarm: str, who: str) -> None:
        self.act(incidents.take(self.desk, Target(who, alarm)))

    def close(self, alarm: str, who: str, outcome: Outcome, text: str = "") -> None:
        self.act(incidents.close(self.desk, Target(who, alarm), outcome, text))


@cache
def _hashed() -> str:
    return auth.hash_password(PASSWORD)
