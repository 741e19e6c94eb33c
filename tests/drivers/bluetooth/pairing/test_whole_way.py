"""From the hub's order over the radio process to BlueZ, and back into the list that both read."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from drivers import radio as module
from drivers.bluetooth import devices
from drivers.bluetooth.air import Listener, Lost, LostError, Peripheral
from drivers.bluetooth.app import App
from drivers.bluetooth.settings import RadioSettings
from drivers.radio import Driver
from hub.contract.radio import PairingEnd, Part, Wanted
from hub.core.model.effects import OpenPairing, PairingAnswer
from hub.core.model.events import PairingAsked, PairingEnded, PairingOpened, RadioPartChanged
from hub.process.claim import claimed
from hub.shared.sidecar.host import Patience
from tests.drivers.bluetooth.private_bus import FakeBlueZ
from tests.drivers.fakes import FakePort

BAND, PHONE, IDENTITY = "A4:C1:38:00:00:12", "6A:00:00:00:00:21", "D0:11:22:33:44:55"
WEARABLE = f'[[device]]\nkind = "wearable"\nname = "band"\naddress = "{BAND}"\nwhat = "band"\n'
OF_PAIRING = (PairingOpened, PairingAsked, PairingEnded)


class Air:
    """An air in which the band's bond is stale, and which keeps who is listened to."""

    def __init__(self) -> None:
        self.lists: asyncio.Queue[frozenset[str]] = asyncio.Queue()

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        async for listed in addresses:
            self.lists.put_nowait(listed)
            listener.near(BAND, near=BAND in listed)

    def connect(self, address: str) -> AbstractAsyncContextManager[Peripheral]:
        raise LostError(Lost.BOND_STALE, address)


class Home:
    """A hub's driver and a radio process in this loop."""

    def __init__(self, folder: Path, bluez: FakeBlueZ) -> None:
        self.folder, self.bluez, self.air, self.port = folder, bluez, Air(), FakePort()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with claimed(self.folder):  # as each hub does, for as long as it runs
            async with self._both():
                yield

    @asynccontextmanager
    async def _both(self) -> AsyncIterator[None]:
        socket = str(self.folder / "run" / "radio.sock")
        hub = asyncio.create_task(Driver(socket=socket).run(self.port))
        settings = RadioSettings(socket, str(self.folder))
        radio = asyncio.create_task(App(settings, self.air).run())
        try:
            yield
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(radio, 10) == 0
            hub.cancel()
            await asyncio.wait({hub})

    def told(self) -> list[object]:
        return [event for event in self.port.emitted if isinstance(event, OF_PAIRING)]

    async def until(self, count: int) -> object:
        await self.port.until(lambda: len(self.told()) >= count)
        return self.told()[count - 1]


def in_a_home(folder: Path, bluez: FakeBlueZ, scene: Callable[[Home], Awaitable[None]]) -> None:
    async def story() -> None:
        home = Home(folder, bluez)
        async with home.running():
            await scene(home)

    asyncio.run(story())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", Patience())
    monkeypatch.setattr(devices, "LOOK_S", 0.02)


def test_a_phone_is_paired_and_listened_to_without_a_restart(
    tmp_path: Path, bluez: FakeBlueZ
) -> None:
    async def scene(home: Home) -> None:
        assert await home.air.lists.get() == frozenset()
        home.port.tell(OpenPairing(120.0))
        opened = await home.until(1)
        assert isinstance(opened, PairingOpened)
        await asyncio.to_thread(bluez.do, "ask", address=PHONE, number=7, identity=IDENTITY)
        asked = await home.until(2)
        assert isinstance(asked, PairingAsked)
        assert (asked.wanted, asked.digits) == (Wanted.COMPARE, "000007")
        home.port.tell(PairingAnswer(yes=True))
        ended = await home.until(3)
        assert isinstance(ended, PairingEnded)
        assert (ended.name, ended.done, ended.reason) == ("phone-1", True, PairingEnd.PAIRED)
        async with asyncio.timeout(10):
            while await home.air.lists.get() != {IDENTITY}:
                pass

    in_a_home(tmp_path, bluez, scene)


def test_a_stale_bond_is_told_and_the_next_window_mends_it(
    tmp_path: Path, bluez: FakeBlueZ
) -> None:
    (tmp_path / "devices.toml").write_text(WEARABLE, encoding="utf-8")
    bluez.do("around", address=BAND, how={"paired": True})

    async def scene(home: Home) -> None:
        def stale() -> bool:
            parts = [e for e in home.port.emitted if isinstance(e, RadioPartChanged)]
            return any((e.device, e.part, e.broken) == ("band", Part.BOND, True) for e in parts)

        await home.port.until(stale)
        home.port.tell(OpenPairing(120.0))
        ended = await home.until(2)
        assert isinstance(ended, PairingEnded)
        assert (ended.name, ended.done) == ("band", True)
        calls = (await asyncio.to_thread(bluez.do, "bonds"))["calls"]
        assert f"RemoveDevice={BAND.replace(':', '_')}" in calls
        async with asyncio.timeout(10):
            assert await home.air.lists.get() == {BAND}
            assert await home.air.lists.get() == {BAND}  # again: BlueZ may have it elsewhere now

    in_a_home(tmp_path, bluez, scene)
