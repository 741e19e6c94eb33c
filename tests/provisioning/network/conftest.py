"""What stories of the network share: a private bus, a fake NetworkManager on it, and a centre."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from hub.contract.provision import Fact, Network
from hub.contract.provision import Way as NetworkWay
from provisioning.network import checks, service, state
from provisioning.network.checks import Center, Way
from provisioning.network.service import Connections, Setup
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

HOME = "할머니댁".encode()
PASSWORD = "correct horse"  # noqa: S105 - of a Wi-Fi that is not there
Order = Callable[..., Awaitable[dict[str, Any]]]


class FakeNM(FakeBlueZ):
    """The fake of `fake_nm.py`. `do` gives an order; killing it is a power cut."""

    def __init__(self, bus: PrivateBus) -> None:
        super().__init__(bus, "tests.provisioning.network.fake_nm")

    def air(self, *networks: dict[str, Any]) -> None:
        shown = [one | {"ssid": one["ssid"].hex()} for one in networks]
        self.do("air", networks=shown)

    def state(self) -> dict[str, Any]:
        return self.do("state")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def nm(bus: PrivateBus) -> Iterator[FakeNM]:
    with FakeNM(bus) as nm:
        yield nm


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of the product, shortened as the fake's are."""
    for name, s in {
        "SETTLE_S": 0.3,
        "LEAVE_S": 0.3,
        "OFFLINE_S": 1.0,
        "RETRY_S": 0.3,
        "CHECK_BAD_S": 0.3,
    }.items():
        monkeypatch.setattr(state, name, s)
    for name, s in {
        "TICK_S": 0.05,
        "LOOK_S": 0.2,
        "SETTLED_S": 0.01,
        "SCAN_S": 0.3,
        "AGAIN_S": 0.1,
    }.items():
        monkeypatch.setattr(service, name, s)


async def until(
    holds: Callable[[], object],
    what: str,
    patience_s: float = 15.0,
    told: Callable[[], object] = str,
) -> None:
    """Wait until something holds; `told` says what is known where it does not."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, f"{what}: {told()}"
        await asyncio.sleep(0.02)


class Home:
    """A hub's network that runs, and what it has told the hub."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.facts = list[Fact]()
        self.way: Way = Way()

    @property
    def network(self) -> Network:
        told = (one for one in reversed(self.facts) if isinstance(one, Network))
        return next(told, Network(NetworkWay.NONE))

    @property
    def url(self) -> str:
        return f"http://{self.connections._form.own}/"

    async def until(self, holds: Callable[[], object], what: str, patience_s: float = 15.0) -> None:
        await until(holds, what, patience_s, lambda: self.facts[-3:])

    async def opened(self) -> None:
        """Wait until the form is served on the hotspot."""

        def open_now() -> bool:
            known = self.network.way is NetworkWay.HOTSPOT
            mode = self.connections._state.mode
            return bool(known and self.connections._served and isinstance(mode, state.Open))

        await self.until(open_now, "the hotspot opens")
        await self.until(lambda: self.connections._form.own, "the form is served")

    async def get(self, path: str = "", host: str = "") -> tuple[int, dict[str, str], str]:
        return await self.ask("GET", path, host=host)

    async def post(
        self, path: str, origin: str = "", **fields: str
    ) -> tuple[int, dict[str, str], str]:
        return await self.ask("POST", path, body=urlencode(fields), origin=origin)

    async def ask(
        self, method: str, path: str, *, host: str = "", body: str = "", origin: str = ""
    ) -> tuple[int, dict[str, str], str]:
        own = self.connections._form.own
        address, _, port = own.partition(":")
        reader, writer = await asyncio.open_connection(address, int(port))
        head = f"{method} /{path} HTTP/1.1\r\nHost: {host or own}\r\n"
        head += f"Origin: {origin}\r\n" if origin else ""
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        raw = (await reader.read()).decode()
        writer.close()
        top, _, text = raw.partition("\r\n\r\n")
        first, *lines = top.split("\r\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), text


Living = Callable[[], AbstractAsyncContextManager[Home]]


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch, quick: None) -> Living:  # noqa: ARG001 - it shortens
    """Return what runs the network of a home; the centre answers as `home.way` says."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Home]:
        home = Home(Connections(Setup(Center("center", 1, ""), 0, "a-machine")))

        async def check(_: Center) -> Way:
            return home.way

        monkeypatch.setattr(checks, "check", check)
        task = asyncio.create_task(home.connections.run(home.facts.append))
        try:
            yield home
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run
