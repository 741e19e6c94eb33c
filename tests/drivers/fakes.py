"""A fake `Port`, an event loop whose clock jumps, and a driver that runs during a test."""

import asyncio
import math
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from drivers.lamp import Pattern
from hub.contract.voice import Phrase
from hub.core.model.driver import Driver
from hub.core.model.effects import Order
from hub.core.model.events import ContactChanged, Event

Edges = list[tuple[float, bool]]


class FakePort:
    """Records what a driver emits, and passes on the orders of the test."""

    def __init__(self) -> None:
        self.emitted: list[Event] = []
        self.beats = 0
        self.readies = 0
        self._orders: asyncio.Queue[Order | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def emit(self, event: Event) -> None:
        self.emitted.append(event)
        self._loop.call_soon_threadsafe(self._news.set)

    def ready(self) -> None:
        self.readies += 1
        self._news.set()

    def beat(self) -> None:
        self.beats += 1
        self._news.set()

    def words(self, phrase: Phrase) -> str:
        return f"<{phrase}>"

    async def orders(self) -> AsyncIterator[Order]:
        while (order := await self._orders.get()) is not None:
            yield order

    def tell(self, order: Order | None) -> None:
        self._orders.put_nowait(order)

    def closed(self) -> list[bool]:
        return [event.closed for event in self.emitted if isinstance(event, ContactChanged)]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until the driver's next events make the condition true."""
        async with asyncio.timeout(10):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def running(driver: Driver, port: FakePort) -> AsyncIterator[asyncio.Task[None]]:
    """Run the driver until the block ends; if it fails, the test fails."""
    task = asyncio.create_task(driver.run(port))
    started = asyncio.create_task(port.until(lambda: port.readies > 0))
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    if task.done():
        await task
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


class _Jump(selectors.DefaultSelector):
    """Moves the clock on instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None:
            self.now += timeout
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop in which an hour of sleep takes no time."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def jump(story: Coroutine[Any, Any, None]) -> None:
    """Run a story on the jumping clock."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(story)


def wanted(pattern: Pattern, until_s: float) -> Edges:
    """Compute the edges of a pattern that begins at 0 on a dark lamp."""
    edges: Edges = []
    at, lit = 0.0, False
    steps = pattern.steps
    rounds = math.ceil(until_s / min(sum(steps), until_s)) if steps and pattern.again else 1
    for step in steps * rounds:
        lit = not lit
        if at < until_s:
            edges.append((at, lit))
        at += step
    if not pattern.again and steps:
        edges.append((at, False))
    return edges
