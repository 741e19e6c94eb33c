"""The radio process whole: scanner, bleak's client, loop and link, at a fake BlueZ."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from drivers.bluetooth.app import App
from drivers.bluetooth.bluez.air import BlueZ
from drivers.bluetooth.settings import Adapters, RadioSettings
from drivers.bluetooth.wearables.service import uuid
from hub.contract.radio import Battery, Part, Presence, Pulse, Trouble, Word, decode
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

BAND = "C0:11:22:33:44:66"
HEART_RATE, LEVEL = uuid(0x2A37), uuid(0x2A19)
CHARACTERISTICS = {HEART_RATE: "", LEVEL: "50"}
INTERVAL_S = 0.5
PATIENCE_S = 30.0  # how soon it is, `bench.wearables` measures
LIST = f"""
[[device]]
kind = "wearable"
name = "band"
address = "{BAND}"
what = "band"
"""


class Home:
    """A radio process in this loop, on a fake BlueZ, and its hub's socket."""

    def __init__(self, folder: Path, bluez: FakeBlueZ) -> None:
        self.folder, self.bluez = folder, bluez
        self.path = str(folder / "radio.sock")
        self.words: list[tuple[float, Word]] = []
        self.news = asyncio.Event()

    async def play(self, story: Callable[["Home"], Awaitable[None]]) -> None:
        server = await asyncio.start_unix_server(self._take, self.path)
        app = App(RadioSettings(self.path, str(self.folder)), BlueZ(Adapters()))
        task = asyncio.create_task(app.run())
        try:
            await story(self)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait({task})
            server.close()
        assert task.result() == 0

    async def until(self, holds: Callable[[Word], bool], since: float, within_s: float) -> float:
        """Wait for a word; return how long after `since` it came."""
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + within_s):
            while not (found := [at for at, one in self.words if at >= since and holds(one)]):
                self.news.clear()
                await self.news.wait()
        return found[0] - since

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.words.append((time.monotonic(), decode(line)))
            self.news.set()
        writer.close()


@pytest.fixture
def bluez(bus: PrivateBus) -> Iterator[FakeBlueZ]:
    with FakeBlueZ(bus, "tests.drivers.bluetooth.fake_gatt") as fake:
        fake.do("peripheral", address=BAND, characteristics=CHARACTERISTICS)
        yield fake


@pytest.fixture
def home(tmp_path: Path, bluez: FakeBlueZ) -> Home:
    (tmp_path / "devices.toml").write_text(LIST, encoding="utf-8")
    (tmp_path / "devices.toml").chmod(0o600)
    return Home(tmp_path, bluez)


def is_pulse(word: Word) -> bool:
    return isinstance(word, Pulse)


def test_a_band_comes_goes_and_comes_back(home: Home) -> None:
    async def story(home: Home) -> None:
        for _ in range(3):
            begun = time.monotonic()
            home.bluez.do("range", address=BAND, interval_s=INTERVAL_S)
            await home.until(is_pulse, begun, PATIENCE_S)
            home.bluez.do("range", address=BAND, interval_s=0)
        words = [word for _, word in home.words]
        assert any(isinstance(word, Presence) and word.near for word in words)
        assert Battery("band", 80.0) in words

    asyncio.run(home.play(story))


def test_a_band_is_heard_again_after_bluetoothd_was_restarted(home: Home) -> None:
    async def story(home: Home) -> None:
        home.bluez.do("range", address=BAND, interval_s=INTERVAL_S)
        await home.until(is_pulse, time.monotonic(), PATIENCE_S)
        home.bluez.kill()
        await asyncio.to_thread(home.bluez.start)
        home.bluez.do("peripheral", address=BAND, characteristics=CHARACTERISTICS)
        begun = time.monotonic()
        home.bluez.do("range", address=BAND, interval_s=INTERVAL_S)
        await home.until(is_pulse, begun, PATIENCE_S)

    asyncio.run(home.play(story))


def test_a_stale_bond_is_told_and_ends_when_it_is_paired_anew(home: Home) -> None:
    async def story(home: Home) -> None:
        home.bluez.do("peripheral", address=BAND, characteristics=CHARACTERISTICS, paired=True)
        home.bluez.do("behave", address=BAND, how="key_missing")
        begun = time.monotonic()
        told = Trouble(Part.BOND, present=True, device="band", detail="bond_stale")
        await home.until(lambda word: word == told, begun, PATIENCE_S)
        scans = Trouble(Part.SCANNER, present=False)
        await home.until(lambda word: word == scans, begun, PATIENCE_S)
        home.bluez.do("behave", address=BAND, how="well")
        home.bluez.do("advert", address=BAND, data={})
        over = Trouble(Part.BOND, present=False, device="band")
        await home.until(lambda word: word == over, begun, PATIENCE_S)

    asyncio.run(home.play(story))
