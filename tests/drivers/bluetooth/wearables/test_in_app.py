"""Wearables in the radio process: what they say reaches the hub, also one that was away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from drivers.bluetooth.air import Listener
from drivers.bluetooth.app import App
from drivers.bluetooth.settings import RadioSettings
from drivers.bluetooth.wearables import records
from drivers.bluetooth.wearables.service import uuid
from hub.contract.radio import Presence, Pulse, Reading, Word, decode
from tests.drivers.bluetooth.wearables.fakes import FakeAir, FakeWearable, advert

CUFF, BAND = "C0:11:22:33:44:55", "C0:11:22:33:44:66"
PRESSURE, HEART_RATE = uuid(0x2A35), uuid(0x2A37)
LIST = f"""
[[device]]
kind = "wearable"
name = "cuff"
address = "{CUFF}"
what = "cuff"

[[device]]
kind = "wearable"
name = "band"
address = "{BAND}"
what = "band"
"""


class Air(FakeAir):
    """The fakes' air, in which this test is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.listener: Listener
        self.listens = asyncio.Event()

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        self.listener = listener
        async for listed in addresses:
            if listed == {CUFF, BAND}:
                self.listens.set()


class Home:
    """A radio process in this loop, its wearables, and a hub that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "radio.sock")
        (folder / "devices.toml").write_text(LIST, encoding="utf-8")
        (folder / "devices.toml").chmod(0o600)
        self.air, self.cuff = Air(), FakeWearable({PRESSURE: b""})
        self.band = FakeWearable({HEART_RATE: b""})
        self.air.devices = {CUFF: self.cuff, BAND: self.band}
        self.words: list[Word] = []
        self.news = asyncio.Event()
        self.task = asyncio.create_task(App(RadioSettings(self.path, str(folder)), self.air).run())

    async def hub(self) -> asyncio.Server:
        """A hub begins to listen."""
        return await asyncio.start_unix_server(self._take, self.path)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.words.append(decode(line))
            self.news.set()
        writer.close()

    async def until(self, holds: Callable[[Word], bool]) -> Word:
        async with asyncio.timeout(20):
            while not (found := [word for word in self.words if holds(word)]):
                self.news.clear()
                await self.news.wait()
        return found[0]

    async def come(self) -> None:
        await self.air.listens.wait()
        for address, device in self.air.devices.items():
            self.air.listener.heard(advert(address))
            await device.subscribed.wait()

    async def end(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait({self.task})
        assert self.task.result() == 0


def test_a_band_tells_the_hub_its_pulse_and_that_it_is_in_range(tmp_path: Path) -> None:
    async def story() -> None:
        home = Home(tmp_path)
        server = await home.hub()
        await home.come()
        home.band.send(HEART_RATE, "0048")
        assert await home.until(lambda word: isinstance(word, Pulse)) == Pulse("band", 72.0)
        told = await home.until(lambda word: isinstance(word, Presence) and word.near)
        assert isinstance(told, Presence)
        await home.end()
        server.close()

    asyncio.run(story())


def test_a_record_of_the_cuff_that_comes_while_the_hub_is_away_is_told_when_it_is_back(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        home = Home(tmp_path)
        await home.come()
        begun = time.monotonic()
        home.cuff.send(PRESSURE, "007b0050005d00")
        await asyncio.sleep(records.PAUSE_S + 0.5)  # it has been collected, and would be told now
        server = await home.hub()
        reading = await home.until(lambda word: isinstance(word, Reading))
        assert isinstance(reading, Reading)
        assert reading.values["systolic_mmhg"] == 123.0
        assert records.PAUSE_S < reading.ago_s <= time.monotonic() - begun + 0.1
        await home.end()
        server.close()

    asyncio.run(story())
