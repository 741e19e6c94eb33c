"""The hub's end of a process of its own: what is neither its fault nor a crime does not end it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hub.contract.radio import VOCABULARY, Fact, Found, Hello, Order, Ping, Pong, Sensed
from hub.shared.sidecar.host import Host, Patience

QUICK = Patience(ping_s=0.05, hang_s=0.2)
OPEN = Found("front", Sensed.DOOR, on=True)
Story = Callable[["Process", list[Fact]], Awaitable[None]]


class Device:
    """Keeps what it hears."""

    def __init__(self, facts: list[Fact]) -> None:
        self.hear = facts.append

    def look(self) -> None: ...

    def ready(self) -> None: ...

    def lost(self, reason: str) -> None:
        raise AssertionError(reason)


class Process:
    """The other end, in the same loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.pings = 0

    def say(self, *facts: Fact) -> None:
        self.writer.write(b"".join(map(VOCABULARY.encode, facts)))

    async def serve(self, pings: int) -> bool:
        """Answer so many pings; whether the hub is still there."""
        for _ in range(pings):
            line = await self.reader.readline()
            if not line:
                return False
            word = VOCABULARY.decode(line)
            assert isinstance(word, Ping)
            self.say(Pong(word.n))
        return True


def play(story: Story, folder: Path, patience: Patience = QUICK) -> list[Fact]:
    async def nothing() -> AsyncIterator[Order]:
        await asyncio.Event().wait()
        yield Ping(0)

    async def scene() -> list[Fact]:
        facts: list[Fact] = []
        host = Host("radio", VOCABULARY, Device(facts), patience)
        path = folder / "radio.sock"
        serving = asyncio.create_task(host.serve(path, nothing()))
        async with asyncio.timeout(20):
            while not path.exists():  # noqa: ASYNC110 - the file system wakes nobody
                await asyncio.sleep(0.01)
            process = Process(*await asyncio.open_unix_connection(path))
            process.say(Hello())
            await story(process, facts)
            process.writer.close()
        serving.cancel()
        await asyncio.wait({serving})
        return facts

    return asyncio.run(scene())


def test_a_process_is_not_blamed_for_the_time_that_the_hub_itself_was_held_up(
    tmp_path: Path,
) -> None:
    async def story(process: Process, _: list[Fact]) -> None:
        assert await process.serve(2)
        await asyncio.sleep(QUICK.ping_s * 1.5)  # a ping is under way
        time.sleep(QUICK.hang_s * 3)  # noqa: ASYNC251 - the whole machine stands still
        await asyncio.sleep(QUICK.ping_s / 5)  # and the process has had no time to answer
        assert await process.serve(4)

    play(story, tmp_path)


def test_a_process_that_answers_no_ping_is_left(tmp_path: Path) -> None:
    async def story(process: Process, _: list[Fact]) -> None:
        assert await process.reader.readline()
        begun = time.monotonic()
        await process.reader.read()
        assert time.monotonic() - begun < QUICK.hang_s * 5

    play(story, tmp_path)


@pytest.mark.parametrize(
    "newer",
    [
        b'{"type": "dance", "data": {"step": 3}}\n',
        b'{"type": "found", "data": {"device": "front", "what": "glass", "on": true}}\n',
    ],
)
def test_a_newer_process_with_words_of_its_own_is_heard_on(tmp_path: Path, newer: bytes) -> None:
    async def story(process: Process, facts: list[Fact]) -> None:
        process.writer.write(newer * 50)
        process.say(OPEN)
        assert await process.serve(3)
        assert OPEN in facts

    play(story, tmp_path)


def test_another_program_is_shown_the_door(tmp_path: Path) -> None:
    async def story(process: Process, facts: list[Fact]) -> None:
        process.writer.write(b"GET / HTTP/1.1\n" * 50)
        process.say(OPEN)
        await process.reader.read()
        assert OPEN not in facts

    play(story, tmp_path)
