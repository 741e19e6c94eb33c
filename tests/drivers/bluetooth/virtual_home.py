"""A virtual house, the radio process in this loop, and the hub's end of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from drivers.bluetooth.app import App
from drivers.bluetooth.devices import FILE
from drivers.bluetooth.settings import RadioSettings
from drivers.bluetooth.virtual.air import NoWindows, VirtualAir
from drivers.radio import Driver
from hub.core.model.events import Event
from tests.drivers.fakes import FakePort
from tests.drivers.home import Home, living

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
LIST = f"""
[[device]]
kind = "pendant"
name = "pendant"
address = "C0:FF:EE:00:00:01"
key = "{KEY}"
place = "목걸이"

[[device]]
kind = "sensor"
name = "balcony"
address = "C0:FF:EE:00:00:02"
key = "{KEY}"
sense = "door"
place = "베란다 문"

[[device]]
kind = "sensor"
name = "smoke"
address = "C0:FF:EE:00:00:03"
sense = "smoke"
place = "부엌"

[[device]]
kind = "wearable"
name = "band"
address = "C0:FF:EE:00:00:04"
what = "band"

[[device]]
kind = "wearable"
name = "cuff"
address = "C0:FF:EE:00:00:05"
what = "cuff"

[[device]]
kind = "phone"
name = "phone"
address = "C0:FF:EE:00:00:06"
consent = true
"""
TEvent = TypeVar("TEvent", bound=Event)


class Air:
    """The house, and what the hub has heard."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder, self.port = home, folder, FakePort()

    async def do(self, **request: object) -> dict[str, Any]:
        """Move the house."""
        return await self.home.ask(request)

    def heard(self, kind: type[TEvent]) -> list[TEvent]:
        return [event for event in self.port.emitted if isinstance(event, kind)]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            await self.port.until(condition)

    @asynccontextmanager
    async def radio(self) -> AsyncIterator[None]:
        """One life of the radio process; it is heard by the house when the block begins."""
        settings = RadioSettings(str(self.folder / "radio.sock"), str(self.folder))
        air = VirtualAir(self.home.path, self.folder / FILE)
        task = asyncio.create_task(App(settings, air, NoWindows).run())
        try:
            async with asyncio.timeout(10):
                while not (await self.do(do="lamps"))["wireless"]["heard"]:
                    assert not task.done(), task.result()
            yield
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(task, 10) == 0
            async with asyncio.timeout(10):
                while (await self.do(do="lamps"))["wireless"]["heard"]:
                    pass


@asynccontextmanager
async def wireless(folder: Path) -> AsyncIterator[Air]:
    """A house with wireless devices, and the hub's end of the radio; no radio runs yet."""
    (folder / FILE).write_text(LIST, encoding="utf-8")
    async with living(folder, wireless=folder / FILE) as home:
        air = Air(home, folder)
        hub = asyncio.create_task(Driver(socket=str(folder / "radio.sock")).run(air.port))
        try:
            yield air
        finally:
            hub.cancel()
            await asyncio.wait({hub})


def play(folder: Path, story: Callable[[Air], Awaitable[None]]) -> None:
    """Tell a story in a house with wireless devices."""

    async def scene() -> None:
        async with wireless(folder) as air:
            await story(air)

    asyncio.run(scene())
