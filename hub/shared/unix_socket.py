"""Unix sockets for JSON lines between processes of one user; mode 0600 from the start."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.contract.json_lines import JsonLineError, TFact, TOrder, Vocabulary, length_after

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


class SocketError(Exception):
    """The socket cannot be opened; the error's text says why."""


class EndlessLineError(ConnectionError):
    """A line exceeds the reader's limit. Nobody knows where the next begins, so hang up."""


@asynccontextmanager
async def serving(
    path: Path, whose: str, serve: Serve, *, line_bytes: int, clients_most: int | None = None
) -> AsyncIterator[None]:
    """Serve each client in a task of its own until the block ends; then cancel the tasks.

    Clients beyond `clients_most` at a time are disconnected. Raises SocketError where another
    program serves the socket (`whose` names it in the error) or the socket cannot be bound.
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
    """Return the next line, b"" at the end. Raises ConnectionError."""
    try:
        return await reader.readline()
    except ValueError as error:
        raise EndlessLineError(str(error)) from error


async def read_word(
    reader: asyncio.StreamReader, vocabulary: Vocabulary[TFact, TOrder]
) -> TFact | TOrder | JsonLineError | None:
    """Return the next word between hub and process, or what is wrong with it; None at the end.

    Raises ConnectionError, also where the stream ends within a message.
    """
    line = await read_line(reader)
    if not line:
        return None
    try:
        data_bytes, payload_bytes = length_after(line)
        data = await reader.readexactly(data_bytes)
        await reader.readexactly(payload_bytes)  # sound: reserved, not used yet
        return vocabulary.decode(line, data)
    except JsonLineError as error:
        return error
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError(str(error)) from error


def ask(path: Path | str, line: bytes, patience_s: float) -> Iterator[bytes]:
    """Send one line to a server and yield its answers, line by line, until it disconnects.

    Blocks, up to `patience_s` for each step. Raises OSError, including TimeoutError.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(patience_s)
        asking.connect(os.fspath(path))
        asking.sendall(line)
        with asking.makefile("rb") as answers:
            yield from answers


def is_served(path: Path) -> bool:
    """Whether a server listens at `path`. Does not block."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)  # noqa: FBT003 - a full queue of clients would block
        try:
            client.connect(os.fspath(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def _bound(path: Path, whose: str) -> socket.socket:
    """Return a bound socket. The mode is set before binding, so no other user can ever connect."""
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
