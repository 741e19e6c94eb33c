"""Stops a hub, as systemd does, at the n-th moment at which any of its tasks waits."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Generator
from typing import Any, cast

from hub import app
from hub.config import Config
from hub.core.model.driver import Driver


class Counted(Coroutine[Any, Any, Any]):
    """A task's coroutine; each time that it has come to an `await` which waits is told."""

    def __init__(self, inner: Coroutine[Any, Any, Any], told: Callable[[], None]) -> None:
        self._inner, self._told = inner, told

    def send(self, value: object) -> object:
        awaited = self._inner.send(value)
        self._told()
        return awaited

    def throw(self, *error: Any) -> object:  # noqa: ANN401 - as `Coroutine` has it
        awaited = self._inner.throw(*error)
        self._told()
        return awaited

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


class Stopper:
    """Sends SIGTERM at await number `n`; `late` when `enough` came true before it."""

    def __init__(self, n: int, enough: Callable[[], object]) -> None:
        self.n, self.late = n, False
        self._enough = enough
        self._seen = 0
        self._sent = False

    def run(self, config: Config, drivers: tuple[Driver, ...]) -> None:
        """Run a hub until it is stopped."""

        async def story() -> None:
            factory = cast("Any", self._task)  # its type differs between Python 3.11 and 3.13
            asyncio.get_running_loop().set_task_factory(factory)
            await asyncio.get_running_loop().create_task(app.serve(config, drivers))

        asyncio.run(story())

    def _task(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any],
        **more: Any,  # noqa: ANN401
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(Counted(work, self._waits), loop=loop, **more)

    def _waits(self) -> None:
        late = not self._sent and bool(self._enough())
        if not self._sent and (late or self._seen == self.n):
            self._sent, self.late = True, late
            signal.raise_signal(signal.SIGTERM)
        self._seen += 1
