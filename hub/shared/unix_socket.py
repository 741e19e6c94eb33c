"""A unix socket of the hub's own, for other programs of the same user: mode 0600 from the start."""

import asyncio
import os
import socket as sockets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

Visit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


class DoorError(Exception):
    """The socket cannot be opened; the text says why."""


@asynccontextmanager
async def opened(path: Path, whose: str, visit: Visit, line_bytes: int) -> AsyncIterator[None]:
    """Let visitors in while it lasts, each with a task of its own; then show them out.

    Raises DoorError where another program has the socket (`whose` says what it is for).
    """
    visits: set[asyncio.Task[None]] = set()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(visit(reader, writer))
        visits.add(task)
        task.add_done_callback(visits.discard)

    server = await asyncio.start_unix_server(welcome, sock=_bound(path, whose), limit=line_bytes)
    try:
        yield
    finally:
        server.close()
        for task in list(visits):
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        _unbind(path)


def _bound(path: Path, whose: str) -> sockets.socket:
    """Bind before anyone may connect, so that the mode is right from the first visitor on."""
    if _is_served(path):
        message = f"another {whose} is running at {path}"
        raise DoorError(message)
    door = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        door.bind(os.fspath(path))
        path.chmod(0o600)
    except OSError as error:
        door.close()
        message = f"the socket {path} cannot be opened: {error}"
        raise DoorError(message) from error
    return door


def _unbind(path: Path) -> None:
    path.unlink(missing_ok=True)


def _is_served(path: Path) -> bool:
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as visitor:
        visitor.setblocking(False)  # noqa: FBT003 - a full queue of visitors must hold up nobody
        try:
            visitor.connect(os.fspath(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True
