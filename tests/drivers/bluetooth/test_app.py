"""The radio process, put together: the air reaches the hub, and nothing in it ends the process."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from drivers.bluetooth import devices
from drivers.bluetooth.air import BTHOME, Advert, Listener, Lost, LostError, Peripheral
from drivers.bluetooth.app import App
from drivers.bluetooth.frames.bthome import Cipher
from drivers.bluetooth.settings import RadioSettings
from hub.contract.radio import (
    Found,
    Hello,
    Part,
    Ping,
    Pong,
    Presence,
    Pressed,
    Sensed,
    Taken,
    Trouble,
    Word,
    decode,
    encode,
)

DOOR = """
[[device]]
kind = "sensor"
name = "front"
address = "C0:FF:EE:12:34:56"
sense = "exit_door"
"""
PHONE = """
[[device]]
kind = "phone"
name = "phone"
address = "C0:FF:EE:12:34:57"
consent = {consent}
"""
PENDANT = """
[[device]]
kind = "pendant"
name = "{name}"
address = "C0:FF:EE:12:34:58"
key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
"""
PENDANT_ADDRESS, PENDANT_KEY = "C0:FF:EE:12:34:58", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
WELL = Trouble(Part.KEY, present=False, device="front")
ADDRESS, PHONE_ADDRESS = "C0:FF:EE:12:34:56", "C0:FF:EE:12:34:57"


class FakeAir:
    """An air in which the test is heard."""

    def __init__(self) -> None:
        self.listener: Listener
        self.lists: asyncio.Queue[frozenset[str]] = asyncio.Queue()

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        self.listener = listener
        async for listed in addresses:
            self.lists.put_nowait(listed)

    async def listed(self) -> frozenset[str]:
        return await asyncio.wait_for(self.lists.get(), 10)

    def connect(self, address: str) -> AbstractAsyncContextManager[Peripheral]:
        raise LostError(Lost.NOT_FOUND, address)


class Hub:
    """The hub's end of the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: asyncio.Queue[None] = asyncio.Queue()

    async def came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.lines.put_nowait(None)

    async def word(self) -> Word:
        return decode(await asyncio.wait_for(self.reader.readline(), 10))

    async def greeted(self) -> Hello:
        await asyncio.wait_for(self.lines.get(), 10)
        hello = await self.word()
        assert isinstance(hello, Hello)
        return hello

    async def asked(self) -> Pong:
        """Ask a ping; return its answer, after which nothing else has come."""
        self.writer.write(encode(Ping(1)))
        pong = await self.word()
        assert isinstance(pong, Pong), pong
        return pong


class Radio:
    """A radio process in this loop, with its air, its hub and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.air, self.hub = folder, FakeAir(), Hub(folder / "radio.sock")
        self.list = folder / "devices.toml"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self.hub.came, self.hub.path)
        settings = RadioSettings(str(self.hub.path), str(self.folder))
        task = asyncio.create_task(App(settings, self.air).run())
        try:
            yield
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(task, 10) == 0
            self.hub.writer.close()
            server.close()

    def hears(self, data: str, address: str = ADDRESS) -> None:
        """A frame of BTHome is in the air."""
        service = {BTHOME: bytes.fromhex(data)}
        self.air.listener.heard(Advert(time.monotonic(), address, service_data=service))


def play(folder: Path, story: Callable[[Radio], Awaitable[None]], devices: str = DOOR) -> None:
    async def scene() -> None:
        radio = Radio(folder)
        radio.list.write_text(devices, encoding="utf-8")
        async with asyncio.timeout(30), radio.running():
            await story(radio)

    asyncio.run(scene())


def test_what_a_sensor_says_reaches_the_hub(tmp_path: Path) -> None:
    async def story(radio: Radio) -> None:
        assert await radio.air.listed() == {ADDRESS}
        hello = await radio.hub.greeted()
        assert (hello.devices, hello.passive) == (("front",), False)
        radio.hears("401a01")
        assert await radio.hub.word() == Found("front", Sensed.DOOR, on=True)
        assert await radio.hub.word() == WELL
        radio.hears("401a01", "C0:FF:EE:00:00:99")  # a neighbour's
        assert (await radio.hub.asked()).heard == 1

    play(tmp_path, story)


def test_an_advert_that_breaks_what_reads_it_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(radio: Radio) -> None:
        await radio.hub.greeted()
        with monkeypatch.context() as broken:
            broken.setattr("drivers.bluetooth.sensors.bthome.read", lambda *_: 1 / 0)
            radio.hears("401a00")
        radio.hears("401a01")
        assert await radio.hub.word() == Found("front", Sensed.DOOR, on=True)
        assert await radio.hub.word() == WELL
        assert (await radio.hub.asked()).refused == {"broken": 1}

    play(tmp_path, story)


def test_a_device_is_added_and_removed_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "LOOK_S", 0.02)

    async def story(radio: Radio) -> None:
        assert await radio.air.listed() == {ADDRESS}
        await radio.hub.greeted()
        radio.list.write_text(DOOR + PHONE.format(consent="true"), encoding="utf-8")
        assert await radio.air.listed() == {ADDRESS, PHONE_ADDRESS}
        radio.hears("401a01")
        assert await radio.hub.word() == Found("front", Sensed.DOOR, on=True)
        assert await radio.hub.word() == WELL
        radio.list.write_text("", encoding="utf-8")  # a file that is gone would change nothing
        assert await radio.air.listed() == frozenset()
        radio.hears("401a00")
        assert (await radio.hub.asked()).heard == 1

    play(tmp_path, story)


def test_a_press_while_its_pendant_is_renamed_is_told_by_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub has read the new list first, and by the old name it knows nobody."""
    monkeypatch.setattr(devices, "LOOK_S", 0.02)
    cipher = Cipher(PENDANT_ADDRESS, PENDANT_KEY)

    async def told(radio: Radio) -> Pressed:
        word = await radio.hub.word()
        assert isinstance(word, Pressed)
        return word

    async def story(radio: Radio) -> None:
        await radio.air.listed()
        await radio.hub.greeted()
        radio.hears(cipher.seal(0x45, b"\x3a\x01", 6).hex(), PENDANT_ADDRESS)
        taken = await told(radio)
        assert await radio.hub.word() == Trouble(Part.KEY, present=False, device="pendant")
        radio.hub.writer.write(encode(Taken(taken.id)))
        await radio.hub.asked()
        radio.hears(cipher.seal(0x45, b"\x3a\x01", 7).hex(), PENDANT_ADDRESS)
        first = await told(radio)
        radio.list.write_text(PENDANT.format(name="bell"), encoding="utf-8")
        again = await told(radio)
        assert (first.device, again.device) == ("pendant", "bell")
        assert (again.id, again.counter) == (first.id, 7)
        await radio.hub.asked()

    play(tmp_path, story, PENDANT.format(name="pendant"))


def test_of_a_phone_nothing_is_told_without_consent_and_never_that_it_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "LOOK_S", 0.02)

    async def story(radio: Radio) -> None:
        await radio.air.listed()
        await radio.hub.greeted()
        radio.air.listener.near(PHONE_ADDRESS, near=True)
        await radio.hub.asked()
        radio.air.listener.near(PHONE_ADDRESS, near=False)
        radio.list.write_text(PHONE.format(consent="true"), encoding="utf-8")
        await radio.air.listed()
        for near in (True, False, True):
            radio.air.listener.near(PHONE_ADDRESS, near=near)
        assert await radio.hub.word() == Presence("phone", near=True)
        await radio.hub.asked()

    play(tmp_path, story, PHONE.format(consent="false"))


def test_a_phone_that_is_here_when_consent_is_given_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "LOOK_S", 0.02)

    async def story(radio: Radio) -> None:
        await radio.air.listed()
        await radio.hub.greeted()
        radio.air.listener.near(PHONE_ADDRESS, near=True)
        await radio.hub.asked()
        radio.list.write_text(PHONE.format(consent="true"), encoding="utf-8")
        assert await radio.hub.word() == Presence("phone", near=True)

    play(tmp_path, story, PHONE.format(consent="false"))


def test_a_phone_that_stays_is_told_again_so_that_whoever_begins_to_look_learns_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_s = 0.5
    monkeypatch.setattr("drivers.bluetooth.app.SEEN_S", seen_s)

    async def story(radio: Radio) -> None:
        await radio.air.listed()
        await radio.hub.greeted()
        near, began = Presence("phone", near=True), time.monotonic()

        async def stays() -> None:
            while True:
                radio.air.listener.near(PHONE_ADDRESS, near=True)
                await asyncio.sleep(0.01)

        staying = asyncio.create_task(stays())
        assert [await radio.hub.word() for _ in range(3)] == [near] * 3
        assert time.monotonic() - began >= 2 * seen_s  # the hub is woken no more often
        staying.cancel()

    play(tmp_path, story, PHONE.format(consent="true"))


def test_what_is_out_of_order_is_told_once_and_to_each_new_hub(tmp_path: Path) -> None:
    async def story(radio: Radio) -> None:
        await radio.air.listed()
        await radio.hub.greeted()
        for present in (True, True, False):
            radio.air.listener.trouble(Part.PASSIVE, present=present)
        told = [await radio.hub.word(), await radio.hub.word()]
        assert told == [Trouble(Part.PASSIVE, present=True), Trouble(Part.PASSIVE, present=False)]
        radio.hub.writer.transport.abort()
        assert (await radio.hub.greeted()).passive
        assert await radio.hub.word() == Trouble(Part.PASSIVE, present=False)

    play(tmp_path, story)


def test_a_device_that_works_again_is_told_although_an_earlier_radio_told_that_it_does_not(
    tmp_path: Path,
) -> None:
    """Else a fault of yesterday's radio would stand for ever."""

    async def story(radio: Radio) -> None:
        await radio.hub.greeted()
        for state in ("00", "01", "00"):
            radio.hears(f"401a{state}")
        found = [await radio.hub.word() for _ in range(4)]
        assert [word for word in found if isinstance(word, Trouble)] == [WELL]
        radio.hub.writer.transport.abort()
        await radio.hub.greeted()  # a hub that was away when it was told
        assert await radio.hub.word() == WELL

    play(tmp_path, story)


def test_an_air_that_breaks_ends_the_process_so_that_it_begins_anew(tmp_path: Path) -> None:
    class Breaking(FakeAir):
        async def listen(self, addresses: AsyncIterator[frozenset[str]], _: Listener) -> None:
            raise OSError(str(addresses))

    async def story() -> None:
        await App(RadioSettings(str(tmp_path / "s"), str(tmp_path)), Breaking()).run()

    with pytest.raises(OSError, match="async_generator"):
        asyncio.run(story())
