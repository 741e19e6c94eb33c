"""A unix socket with JSON lines between processes of one user: mode 0600 from the start."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.contract import voice
from hub.contract.json_lines import JsonLineError

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


class SocketError(Exception):
    """The socket cannot be opened; the text says why."""


class EndlessLineError(ConnectionError):
    """A line is longer than the reader's limit: where the next one begins is unknown. Hang up."""


@asynccontextmanager
async def serving(
    path: Path, whose: str, serve: Serve, *, line_bytes: int, clients_most: int | None = None
) -> AsyncIterator[None]:
    """Serve clients, each by a task of its own, until the block ends; then cancel their tasks.

    Clients beyond `clients_most` at a time are hung up on. Raises SocketError where another program
    has the socket (`whose` says what it is for) or it cannot be bound.
    """
    clients: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if clients_most is not None and len(clients) >= clients_most:
            writer.close()
            return
        task = asyncio.create_task(serve(reader, writer))
        clients.add(task)
        task.add_done_callback(clients.discard)

    server = await asyncio.start_unix_server(begin, sock=_bound(path, whose), limit=line_bytes)
    try:
        yield
    finally:
        server.close()
        for task in list(clients):
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        _unbind(path)


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line, empty at the end. Raises ConnectionError."""
    try:
        return await reader.readline()
    except ValueError as error:
        raise EndlessLineError(str(error)) from error


async def read_word(reader: asyncio.StreamReader) -> voice.Word | JsonLineError | None:
    """Return the next word between hub and voice, or what is wrong with it; None at the end.

    Raises ConnectionError, also for what breaks off within a word.
    """
    line = await read_line(reader)
    if not line:
        return None
    try:
        data_bytes, payload_bytes = voice.length_after(line)
        data = await reader.readexactly(data_bytes)
        await reader.readexactly(payload_bytes)  # sound: nobody takes it yet
        return voice.decode(line, data)
    except JsonLineError as error:
        return error
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError(str(error)) from error


def ask(path: Path | str, line: bytes, patience_s: float) -> Iterator[bytes]:
    """Put one line to a server and yield its answers, line by line, until it hangs up.

    Blocks, up to `patience_s` for each step. Raises OSError, TimeoutError among them.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(patience_s)
        asking.connect(os.fspath(path))
        asking.sendall(line)
        with asking.makefile("rb") as answers:
            yield from answers


def is_served(path: Path) -> bool:
    """Whether a server listens at `path`; no answer is waited for."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)  # noqa: FBT003 - a full queue of clients must hold up nobody
        try:
            client.connect(os.fspath(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def _bound(path: Path, whose: str) -> socket.socket:
    """Bind, with the mode set before: nobody else can connect, not even for a moment."""
    if is_served(path):
        message = f"another {whose} is running at {path}"
        raise SocketError(message)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.fchmod(bound.fileno(), 0o600)  # Linux gives a socket's file the mode of the socket
        bound.bind(os.fspath(path))
    except OSError as error:
        bound.close()
        message = f"the socket {path} cannot be opened: {error}"
        raise SocketError(message) from error
    return bound


def _unbind(path: Path) -> None:
    path.unlink(missing_ok=True)
