"""The centre's web side for tests: the real app and store, a clock and acks for tests."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from sqlalchemy import Connection

from center import app
from center.config import Center, Settings
from center.link.reconnect import Link, LinkState
from center.service import auth
from center.service.auth import Auth, Role
from center.service.desk import Desk
from center.service.feed import Feed
from center.service.metrics import Tally
from center.store.rows import accounts
from center.store.store import Store
from hub.contract.messages import Ack, Command
from tests.center.making import NAMES, NOW, stored

TOKEN = "anbu_nobody_knows_this"  # noqa: S105 - of a program that does not exist
PASSWORD = "바다가 보이는 언덕"  # noqa: S105 - of a person who does not exist
HASHED = auth.hash_password(PASSWORD)
BEARER = {"authorization": f"Bearer {TOKEN}"}


class Recorder(Link):
    """A link that is connected and keeps what it should send."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(Settings().mqtt, clock, lambda _: None, lambda: None)
        self._state = LinkState(NOW, "tls://broker.example:8883")
        self.sent: list[tuple[str, Ack]] = []
        self.orders: list[tuple[str, Command]] = []
        self.redials: list[str] = []

    def ack(self, hub: str, ack: Ack) -> None:
        self.sent.append((hub, ack))

    def order(self, hub: str, command: Command) -> None:
        self.orders.append((hub, command))

    def redial(self, why: str) -> None:
        self.redials.append(why)


class Counter:
    """A desk and an HTTP client of it; `now` is the clock."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.now = NOW
        self.store = store
        self.link = Recorder(self.clock)
        tls = settings.center.behind_tls
        guard = Auth(store, self.clock, session_s=settings.center.session_s, tls=tls)
        feed = Feed()
        self.desk = Desk(settings, self.clock, store, feed, self.link, guard, Tally({}))
        self.client = self.browser()

    def clock(self) -> float:
        return self.now

    def browser(self) -> httpx.AsyncClient:
        """Return a client with its own cookies."""
        transport = httpx.ASGITransport(app.application(self.desk), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://center.example")

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={**BEARER, **headers})

    async def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers={**BEARER, **headers})


def hire(store: Store) -> None:
    """Make an operator, a supervisor and a program."""

    def job(conn: Connection) -> None:
        for name, role in zip(NAMES, (Role.OPERATOR, Role.SUPERVISOR), strict=True):
            accounts.put_operator(conn, NOW, name, role.value, HASHED)
        accounts.put_token(conn, NOW, "bench", Role.OPERATOR.value, auth.digest(TOKEN))

    store.submit(job).result(10)


def at_counter(
    folder: Path, story: Callable[[Counter], Awaitable[None]], center: Center | None = None
) -> None:
    """Run a story on a new desk."""

    async def tell(store: Store) -> None:
        await story(Counter(store, Settings(center or Center())))

    with stored(folder) as store:
        hire(store)
        asyncio.run(tell(store))
