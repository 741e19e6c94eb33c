"""The link to the hub, with a hub that is absent, dies, hangs or sends nonsense."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from hub.contract.voice import (
    Heard,
    Hello,
    Meaning,
    Order,
    Part,
    Ping,
    Pong,
    Say,
    Spoke,
    Stop,
    Talking,
    Trouble,
    Word,
    decode,
    encode,
)
from hub.shared.sidecar.link import Pace
from voice import link as module
from voice.link import Link, link_to

HELP, FINE = Heard(Meaning.HELP), Heard(Meaning.FINE, "ask_mood")
GREETING = (Hello(), Trouble(Part.MICROPHONE, present=False))
Story = Callable[["Hub", Link, list[Order]], Awaitable[None]]


class Hub:
    """The hub's end of the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writers: list[asyncio.StreamWriter] = []
        self.lines: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self.lines = asyncio.Queue()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self._came, self.path)
        try:
            yield
        finally:
            server.close()
            for writer in self.writers:
                writer.transport.abort()
            await asyncio.sleep(0)
            self.path.unlink(missing_ok=True)

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.writers.append(writer)
        self.lines.put_nowait((reader, writer))

    async def word(self) -> Word:
        return decode(await asyncio.wait_for(self.reader.readline(), 10))

    async def greeted(self) -> None:
        await asyncio.wait_for(self.lines.get(), 10)
        assert (await self.word(), await self.word()) == GREETING


def play(story: Story, folder: Path, now: Callable[[], float] = time.monotonic) -> list[Order]:
    async def scene() -> list[Order]:
        orders: list[Order] = []
        hub = Hub(folder / "voice.sock")
        link = link_to(str(hub.path), orders.append, lambda: GREETING, now)
        line = asyncio.create_task(link.run())
        try:
            await asyncio.wait_for(story(hub, link, orders), 30)
        finally:
            line.cancel()
            with suppress(asyncio.CancelledError):
                await line
        return orders

    return asyncio.run(scene())


async def got(orders: list[Order], count: int) -> None:
    async with asyncio.timeout(10):
        while len(orders) < count:  # noqa: ASYNC110 - what fills the list knows nothing of us
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACE", Pace(0.02, 0.05))


def test_it_says_hello_first_and_takes_orders(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            hub.writer.write(encode(Say("raised", "도움을 요청하고 있습니다.")) + encode(Ping(7)))
            await got(orders, 2)
            link.tell(Pong(7))
            assert await hub.word() == Pong(7)

    assert play(story, tmp_path) == [Say("raised", "도움을 요청하고 있습니다."), Ping(7)]


def test_a_hub_that_comes_late_or_starts_again_is_found(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        assert not link.connected
        for _ in range(2):
            async with hub.up():
                await hub.greeted()
        async with hub.up():
            await hub.greeted()
            hub.writer.write(encode(Stop()))
            await got(orders, 1)

    play(story, tmp_path)


def test_a_call_for_help_waits_for_a_hub_and_good_news_does_not(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, _orders: list[Order]) -> None:
        link.tell(HELP)
        link.tell(FINE)
        link.tell(Talking("ask_mood"))
        async with hub.up():
            await hub.greeted()
            assert await hub.word() == HELP
            link.tell(Talking("ask_sleep"))
            assert await hub.word() == Talking("ask_sleep")

    play(story, tmp_path)


def test_a_call_for_help_that_the_hub_may_not_have_read_is_told_again(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, _orders: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            link.tell(HELP)
            hub.writer.transport.abort()
            await hub.greeted()
            assert await hub.word() == HELP

    play(story, tmp_path)


def test_nonsense_is_passed_over_and_what_follows_is_taken(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        del link
        async with hub.up():
            await hub.greeted()
            hub.writer.write(b"nonsense\n" + encode(HELP) + b'{"type":"say"}\n' + encode(Stop()))
            await got(orders, 1)

    assert play(story, tmp_path) == [Stop()]


def test_data_and_payload_of_wyoming_are_read_past(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        del link
        async with hub.up():
            await hub.greeted()
            hub.writer.write(b'{"type":"ping","data_length":7,"payload_length":4}\n{"n":9}\n{}\n')
            hub.writer.write(encode(Stop()))
            await got(orders, 2)

    assert play(story, tmp_path) == [Ping(9), Stop()]


def test_a_line_without_an_end_is_hung_up_on(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        del link, orders
        async with hub.up():
            await hub.greeted()
            hub.writer.write(b"x" * 200_000)
            await hub.greeted()

    play(story, tmp_path)


def test_a_hub_that_does_not_read_is_hung_up_on(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        del orders
        async with hub.up():
            await hub.greeted()
            while link.connected:
                link.tell(Talking("k" * 1000))
                await asyncio.sleep(0)
            await hub.greeted()

    play(story, tmp_path)


@pytest.mark.parametrize("fact", [HELP, Heard(Meaning.AWAY), Spoke("announcement", "n1")])
def test_what_a_frozen_hub_did_not_take_is_told_again(fact: Heard | Spoke, tmp_path: Path) -> None:
    now = 0.0

    async def story(hub: Hub, link: Link, _orders: list[Order]) -> None:
        nonlocal now
        async with hub.up():
            await hub.greeted()
            link.tell(fact)
            now = 30.0
            hub.writer.transport.abort()
            await hub.greeted()
            assert await hub.word() == fact

    play(story, tmp_path, lambda: now)


def test_a_need_that_an_order_has_followed_is_not_told_again(tmp_path: Path) -> None:
    async def story(hub: Hub, link: Link, orders: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            link.tell(HELP)
            hub.writer.write(encode(Say("thanks_fine", "네.")))
            await got(orders, 1)
            hub.writer.transport.abort()
            await hub.greeted()
            link.tell(Pong(1))
            assert await hub.word() == Pong(1)

    play(story, tmp_path)
