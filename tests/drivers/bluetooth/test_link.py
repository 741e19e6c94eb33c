"""The radio's link: a press is told until the hub has it, whatever hub and air do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from drivers.bluetooth import link as module
from drivers.bluetooth.link import (
    MOST,
    MOST_OF_ONE,
    OTHERS_PER_S,
    REPEAT_S,
    REPLAYS_PER_S,
    URGENT_PER_S,
    Owed,
    RadioLink,
)
from hub.contract.radio import (
    Fact,
    Found,
    Hello,
    How,
    Order,
    Ping,
    Pong,
    Presence,
    Pressed,
    Sensed,
    Taken,
    Word,
    decode,
    encode,
)
from hub.shared.sidecar.link import Pace

OPEN = Found("front", Sensed.DOOR, on=True)
Story = Callable[["Hub", RadioLink, list[Order]], Awaitable[None]]


def press(
    n: int, device: str = "pendant", *, ago_s: float = 0.0, doubtful: bool = False
) -> Pressed:
    mark = f"{n:08x}"
    return Pressed(
        f"b1-{n}", device, How.PRESS, counter=n, mark=mark, ago_s=ago_s, doubtful=doubtful
    )


class Hub:
    """The hub's end of the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: asyncio.Queue[None] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

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
        self.lines.put_nowait(None)

    async def word(self) -> Word:
        return decode(await asyncio.wait_for(self.reader.readline(), 10))

    async def greeted(self) -> None:
        await asyncio.wait_for(self.lines.get(), 10)
        assert await self.word() == Hello()

    def order(self, order: Order) -> None:
        self.writer.write(encode(order))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def play(story: Story, folder: Path, now: Callable[[], float] | None = None) -> Counter[str]:
    async def scene() -> Counter[str]:
        orders: list[Order] = []
        hub, refused = Hub(folder / "radio.sock"), Counter[str]()
        clock = now or asyncio.get_running_loop().time
        link = RadioLink(str(hub.path), orders.append, lambda: [Hello()], refused, clock)
        line = asyncio.create_task(link.run())
        try:
            await asyncio.wait_for(story(hub, link, orders), 30)
        finally:
            line.cancel()
            with suppress(asyncio.CancelledError):
                await line
        return refused

    return asyncio.run(scene())


async def got(orders: list[Order], count: int) -> None:
    async with asyncio.timeout(10):
        while len(orders) < count:  # noqa: ASYNC110 - what fills the list knows nothing of us
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACE", Pace(0.02, 0.05))


def test_a_press_between_two_hubs_is_told_to_each_until_one_has_it(tmp_path: Path) -> None:
    """The hub starts again between the press and its commit: one call, and none is lost."""
    clock = Clock()

    async def story(hub: Hub, link: RadioLink, orders: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            link.tell(press(1))
            assert await hub.word() == press(1)
        clock.now = 4.0
        async with hub.up():
            await hub.greeted()
            assert await hub.word() == press(1, ago_s=4.0)
            hub.order(Taken("b1-1"))
            await got(orders, 1)
        async with hub.up():
            await hub.greeted()
            link.tell(Pong(1))
            assert await hub.word() == Pong(1)

    play(story, tmp_path, clock)


def test_a_press_without_a_hub_waits_and_news_of_the_minute_do_not(tmp_path: Path) -> None:
    clock = Clock()

    async def story(hub: Hub, link: RadioLink, _: list[Order]) -> None:
        link.tell(press(1))
        link.tell(OPEN)
        link.tell(Presence("band", near=True))
        clock.now = 600.0
        async with hub.up():
            await hub.greeted()
            assert await hub.word() == press(1, ago_s=600.0)
            assert await hub.word() == Found("front", Sensed.DOOR, on=True, ago_s=600.0)
            link.tell(Pong(1))
            assert await hub.word() == Pong(1)

    play(story, tmp_path, clock)


def test_a_radio_that_begins_anew_owes_nothing(tmp_path: Path) -> None:
    async def story(hub: Hub, link: RadioLink, orders: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            hub.order(Ping(1))
            await got(orders, 1)
            link.tell(Pong(1))
            assert await hub.word() == Pong(1)

    play(story, tmp_path)


def test_a_burst_of_one_frame_is_told_once_and_the_next_press_is_another(tmp_path: Path) -> None:
    clock = Clock()

    async def story(hub: Hub, link: RadioLink, _: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            for n in range(10):
                link.tell(Pressed(f"b1-{n}", "pendant", How.PRESS, counter=7, rssi_dbm=-60 - n))
            link.tell(press(8))
            clock.now = REPEAT_S
            link.tell(press(8))
            told = [await hub.word() for _ in range(3)]
            assert [word.counter for word in told if isinstance(word, Pressed)] == [7, 8, 8]

    play(story, tmp_path, clock)


def test_a_flood_in_the_air_never_makes_the_hub_take_us_for_broken(tmp_path: Path) -> None:
    clock = Clock()

    async def story(hub: Hub, link: RadioLink, _: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            for n in range(500):
                link.tell(Presence(f"s{n}", near=True))
            link.tell(press(1))  # is not crowded out
            told = [await hub.word() for _ in range(OTHERS_PER_S + 1)]
            assert told[-1] == press(1)

    assert play(story, tmp_path, clock) == {"too_many": 500 - OTHERS_PER_S}


def test_a_recorder_that_plays_old_presses_drowns_no_new_one(tmp_path: Path) -> None:
    """Who is told of a second recording each 10 ms must hear the pendant all the same."""
    clock = Clock()

    async def story(hub: Hub, link: RadioLink, _: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            for n in range(100):
                link.tell(press(n, doubtful=True))
            link.tell(press(1000))
            told = [await hub.word() for _ in range(REPLAYS_PER_S + 1)]
            assert told[-1] == press(1000)

    assert play(story, tmp_path, clock) == {"too_many": 100 - REPLAYS_PER_S}


def test_no_device_drowns_the_press_of_another_or_the_smoke(tmp_path: Path) -> None:
    clock = Clock()
    smoke = Found("kitchen", Sensed.SMOKE, on=True)

    async def story(hub: Hub, link: RadioLink, _: list[Order]) -> None:
        async with hub.up():
            await hub.greeted()
            for n in range(100):
                link.tell(press(n, "broken"))
                link.tell(Found("forged", Sensed.MOTION, on=bool(n % 2)))
            link.tell(press(1000))
            link.tell(smoke)
            told = [await hub.word() for _ in range(URGENT_PER_S + OTHERS_PER_S + 2)]
            assert told[-2:] == [press(1000), smoke]

    assert play(story, tmp_path, clock) == {"too_many": 200 - URGENT_PER_S - OTHERS_PER_S}


def test_while_the_hub_is_away_no_recording_takes_the_place_of_a_press() -> None:
    owed = Owed(lambda: 0.0)
    owed.told(press(1000), connected=False)
    for n in range(100):
        owed.told(press(n, doubtful=True), connected=False)
    for n in range(MOST):
        owed.told(press(2000 + n, f"p{n}", doubtful=True), connected=False)
    assert press(1000) in list(owed.again())


@pytest.mark.parametrize("connected", [True, False])
def test_smoke_that_the_hub_may_not_have_is_told_again_however_much_else_is(
    connected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    clock, smoke = Clock(), Found("kitchen", Sensed.SMOKE, on=True)
    owed = Owed(clock)
    owed.told(smoke, connected=connected)
    for n in range(100):
        owed.told(Found("hall", Sensed.MOTION, on=bool(n % 2)), connected=connected)
    clock.now = 10.0
    owed.parted()
    assert Found("kitchen", Sensed.SMOKE, on=True, ago_s=10.0) in list(owed.again())
    assert not list(owed.again())


def test_of_too_many_presses_each_device_keeps_its_newest() -> None:
    owed = Owed(lambda: 0.0)
    owed.told(press(0, "quiet"), connected=False)
    for n in range(1, 100):
        owed.told(press(n), connected=False)
    kept = [fact.id for fact in owed.again() if isinstance(fact, Pressed)]
    assert kept == ["b1-0", *(f"b1-{n}" for n in range(100 - MOST_OF_ONE, 100))]
    for n in range(MOST * 2):
        owed.told(press(200 + n, f"p{n}"), connected=True)
    assert len(list(owed.again())) == MOST


def test_a_press_of_yesterday_is_no_call_of_today() -> None:
    clock = Clock()
    owed = Owed(clock)
    owed.told(press(1), connected=False)
    clock.now = 3601.0
    assert not list(owed.again())


def test_what_the_hub_took_long_ago_is_not_told_again() -> None:
    clock = Clock()
    owed = Owed(clock)
    owed.told(OPEN, connected=True)
    clock.now = 60.0
    smoke: Fact = Found("kitchen", Sensed.SMOKE, on=True)
    owed.told(smoke, connected=True)
    owed.parted()
    assert list(owed.again()) == [smoke]
