"""Wearables without a radio: what is in the air, which of it lets itself be connected, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from drivers.bluetooth.air import Advert, Listener, Lost, LostError, Peripheral
from drivers.bluetooth.wearables.service import Around
from hub.contract.radio import Fact

Kind = TypeVar("Kind")
NOW_UTC = 1_795_000_000.0


class FakeWearable:
    """A device: its values, what may not be done, and the connection that it has."""

    def __init__(self, values: dict[str, bytes], *, locked: frozenset[str] = frozenset()) -> None:
        self.values, self.locked = dict(values), locked
        self.services = frozenset(values)
        self.written: list[tuple[str, bytes]] = []
        self.refuses: Lost | None = None
        self.connects: list[float] = []
        self.subscribes = 0
        self.subscribed = asyncio.Event()
        self._heard: dict[str, Callable[[bytes], None]] = {}
        self._end: asyncio.Future[Lost] | None = None

    async def read(self, characteristic: str) -> bytes:
        self._check(characteristic)
        return self.values[characteristic]

    async def write(self, characteristic: str, value: bytes) -> None:
        self._check(characteristic)
        self.written.append((characteristic, value))

    async def notify(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        self._check(characteristic)
        self._heard[characteristic] = heard
        self.subscribes += 1
        if self.services & MEASUREMENTS <= self._heard.keys():
            self.subscribed.set()

    async def ended(self) -> Lost:
        assert self._end
        return await asyncio.shield(self._end)

    def send(self, characteristic: str, frame: str) -> None:
        """Send a notification, as hex."""
        self._heard[characteristic](bytes.fromhex(frame))

    def drop(self, reason: Lost = Lost.ENDED) -> None:
        """End the connection, if there is one."""
        if self._end and not self._end.done():
            self._end.set_result(reason)

    def _check(self, characteristic: str) -> None:
        if self._end is None or self._end.done():
            raise LostError(Lost.ENDED)
        if characteristic in self.locked:
            raise LostError(Lost.NOT_PERMITTED)

    @asynccontextmanager
    async def connection(self, at: float) -> AsyncIterator[Peripheral]:
        self.connects.append(at)
        if self.refuses:
            raise LostError(self.refuses)
        self._end = asyncio.get_running_loop().create_future()
        try:
            yield self
        finally:
            self.drop()
            self._heard.clear()
            self.subscribed.clear()


MEASUREMENTS = frozenset(
    f"0000{short:04x}-0000-1000-8000-00805f9b34fb" for short in (0x2A37, 0x2A35, 0x2A1C, 0x2A5F)
)


class FakeAir:
    """The air: devices by address. Who is not in it cannot be found."""

    def __init__(self) -> None:
        self.devices: dict[str, FakeWearable] = {}
        self.tries: list[float] = []

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Peripheral]:
        at = asyncio.get_running_loop().time()
        self.tries.append(at)
        if address not in self.devices:
            raise LostError(Lost.NOT_FOUND)
        async with self.devices[address].connection(at) as peripheral:
            yield peripheral


class Told:
    """What the wearables told, with the time."""

    def __init__(self) -> None:
        self.times: list[tuple[float, Fact]] = []
        self.refused: list[str] = []
        self.offset_s: float | None = 0.0

    def around(self) -> Around:
        return Around(
            tell=self._tell,
            refuse=self.refused.append,
            at=asyncio.get_running_loop().time,
            utc=self._utc,
        )

    @property
    def facts(self) -> list[Fact]:
        return [fact for _, fact in self.times]

    def _tell(self, fact: Fact) -> None:
        self.times.append((asyncio.get_running_loop().time(), fact))

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def _utc(self) -> float | None:
        if self.offset_s is None:
            return None
        return NOW_UTC + self.offset_s + asyncio.get_running_loop().time()


def advert(address: str, rssi_dbm: int | None = -60) -> Advert:
    return Advert(asyncio.get_running_loop().time(), address, rssi_dbm=rssi_dbm)
