r"""Programs that the demo starts, waits for and stops, each by its own process.

started -> healthy -> ... -> stopped          (in the order of starting, and backwards)
              \-> died: all programs are stopped, and the end of its log is shown
               '-> ended: started again, if the program is one that may end
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NoReturn

from msgspec import Struct

Healthy = Callable[[], Awaitable[bool]]

STOP_S = 8.0
LOOK_S = 0.05
AGAIN_S = 1.0
TAIL_LINES = 15


class Program(Struct, frozen=True):
    """What to run, and how to see that it works."""

    name: str
    command: tuple[str, ...]
    healthy: Healthy
    patience_s: float = 30.0
    environment: dict[str, str] = {}
    again: bool = False  # it may end, or be killed by the hub, and is then started again


class DiedError(Exception):
    """A program has ended, or did not become healthy in time."""

    def __init__(self, name: str, code: int | None, log: Path) -> None:
        super().__init__(f"{name}: {'not healthy in time' if code is None else f'exit {code}'}")
        self.name, self.code, self.log = name, code, log

    def tail(self) -> str:
        """Return the last lines that the program has written."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])


class Child:
    """A running program. It ends when the demo ends, however the demo ends."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, log: Path) -> None:
        self.program, self.process, self.log = program, process, log

    async def until_healthy(self) -> None:
        """Return when the program works, or raise `DiedError`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.program.patience_s):
                while self.program.again or self.process.returncode is None:
                    if await self.program.healthy():
                        return
                    await asyncio.sleep(LOOK_S)
        self._raise()

    async def until_dead(self) -> NoReturn:
        """Raise `DiedError` when the program ends, unless it is to be started again."""
        while True:
            await self.process.wait()
            if not self.program.again:
                self._raise()
            await asyncio.sleep(AGAIN_S)
            self.process = await _spawned(self.program, self.log, "ab")

    async def stop(self) -> None:
        """Ask the program to end; after 8 s kill it."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    def _raise(self) -> NoReturn:
        raise DiedError(self.program.name, self.process.returncode, self.log)


async def start(program: Program, folder: Path) -> Child:
    """Start the program; its output goes to `folder/<name>.log`."""
    log = folder / f"{program.name}.log"
    return Child(program, await _spawned(program, log, "wb"), log)


async def _spawned(
    program: Program, log: Path, mode: Literal["ab", "wb"]
) -> asyncio.subprocess.Process:
    # A session of its own, so that Ctrl-C reaches only the demo, which stops all in order; and the
    # kernel ends it with the demo, so that a killed demo leaves nothing behind.
    command = ("setpriv", "--pdeathsig", "TERM", "--", *program.command)
    with log.open(mode) as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **program.environment},
            start_new_session=True,
        )


async def serve(
    groups: Sequence[Sequence[Program]], folder: Path, ready: Callable[[], None]
) -> None:
    """Start each group when the one before is healthy, then call `ready`, until SIGINT or SIGTERM.

    All are stopped at the end, the last first. Raises `DiedError` when one dies.
    """
    children: list[Child] = []
    work = asyncio.create_task(_work(groups, folder, children, ready))
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        pass  # by SIGINT or SIGTERM
    finally:
        for child in reversed(children):
            await child.stop()


async def _work(
    groups: Sequence[Sequence[Program]],
    folder: Path,
    children: list[Child],
    ready: Callable[[], None],
) -> None:
    try:
        async with asyncio.TaskGroup() as watch:
            for group in groups:
                async with asyncio.TaskGroup() as first_look:
                    for program in group:
                        children.append(child := await start(program, folder))
                        watch.create_task(child.until_dead())
                        first_look.create_task(child.until_healthy())
            ready()
    except ExceptionGroup as group:  # `except*` would give its own exceptions in a group again
        raise _first(group) from None


def _first(group: ExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
