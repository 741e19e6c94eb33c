"""What stories of the radio share: a private bus, the fake on it, and who listens to the air."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
from bleak.backends.bluezdbus.manager import _global_instances

from drivers.bluetooth.air import Advert
from hub.contract.radio import Part
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus


class Ear:
    """A listener that keeps what it is told, with the time."""

    def __init__(self) -> None:
        self.adverts = list[Advert]()
        self.here = dict[str, bool]()
        self.nears = list[tuple[str, bool]]()
        self.troubles = list[tuple[Part, bool]]()
        self.details = dict[Part, str]()

    def heard(self, advert: Advert) -> None:
        self.adverts.append(advert)

    def near(self, address: str, *, near: bool) -> None:
        self.here[address] = near
        self.nears.append((address, near))

    def trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        self.troubles.append((part, present))
        self.details[part] = detail

    @property
    def out(self) -> set[Part]:
        """What is out of order now."""
        return {part for part, present in dict(self.troubles).items() if present}


class Addresses:
    """A list of devices that may change."""

    def __init__(self, *first: str) -> None:
        self._queue = asyncio.Queue[frozenset[str]]()
        self.put(*first)

    def put(self, *addresses: str) -> None:
        self._queue.put_nowait(frozenset(addresses))

    def __aiter__(self) -> AsyncIterator[frozenset[str]]:
        return self

    async def __anext__(self) -> frozenset[str]:
        return await self._queue.get()


async def until(holds: Callable[[], object], what: str, patience_s: float = 20.0) -> float:
    """Wait until `holds()` while the loop runs; return how long it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < patience_s, what
        await asyncio.sleep(0.01)
    return time.monotonic() - begun


async def beside(listening: Awaitable[None], story: Awaitable[None]) -> None:
    """Run a story while somebody listens."""
    task = asyncio.ensure_future(listening)
    try:
        await story
        assert not task.done(), "nobody listens any more"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus
        for manager in _global_instances.values():  # bleak keeps a connection for each loop
            if manager._bus:
                with suppress(RuntimeError):  # its loop is closed
                    manager._bus._finalize(None)
        _global_instances.clear()


@pytest.fixture
def bluez(bus: PrivateBus) -> Iterator[FakeBlueZ]:
    with FakeBlueZ(bus) as bluez:
        yield bluez
