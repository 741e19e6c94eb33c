"""The radio process's socket for an installer's programs: open a window, follow it, answer.

A client sends one request a line and reads the words of pairing (`hub.contract.radio`) as the hub
gets them. The window that a client has opened is shut when the client leaves. The socket is the
radio's own user's; whoever may use it may pair.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from drivers.bluetooth.devices import FILE
from drivers.bluetooth.pairing.agent import Said
from drivers.bluetooth.pairing.window import Pairing, Wish
from drivers.bluetooth.settings import RadioSettings
from hub.contract import json_lines
from hub.contract.json_lines import JsonLineError
from hub.contract.radio import LINE_BYTES, Fact, PairingEnd, PairingEnded, decode, encode
from hub.shared.unix_socket import SocketError, read_line, serving

log = logging.getLogger(__name__)
CLIENTS = 4
BUSY = PairingEnded(reason=PairingEnd.NOT_ALLOWED)  # the answer where a window is open already


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client may ask: a window for `wish`, an answer of a person, or its end."""

    do: Literal["open", "answer", "shut"]
    wish: Wish = Wish()
    said: Said = Said(yes=False)


_requests = msgspec.json.Decoder(Request)


def path_of(socket: str) -> Path:
    """Return where the socket is: in a folder beside the one of the hub's sockets.

    `/run/anbu` is the hub's: it goes with each hub, and to the radio's unit it is read-only.
    """
    folder = Path(socket).parent
    return folder.with_name(f"{folder.name}-radio") / "pairing.sock"


class Served:
    """The radio process's windows: the hub opens them, and an installer's programs do."""

    def __init__(
        self,
        settings: RadioSettings,
        tell: Callable[[Fact], None],
        refused: Counter[str],
        paired: Callable[[str], None],
        apart: Callable[[str], AbstractAsyncContextManager[None]],
    ) -> None:
        listed = Path(settings.state_dir) / FILE
        adapter = settings.adapters.connect or settings.adapters.listen
        self._pairing = Pairing(tell, listed, refused, adapter=adapter, paired=paired, apart=apart)
        self._path = path_of(settings.socket)
        self.noted, self.take_order = self._pairing.noted, self._pairing.take_order

    async def run(self) -> None:
        """Serve one window after the other, and the socket, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pairing.run())
            group.create_task(serve(self._path, self._pairing))


async def serve(path: Path, pairing: Pairing) -> None:
    """Serve until cancelled; a socket that cannot be made is only logged."""
    whose = "radio"
    client = partial(_serve_client, pairing)
    try:
        async with serving(path, whose, client, line_bytes=LINE_BYTES, clients_most=CLIENTS):
            await asyncio.Future()
    except (OSError, SocketError) as error:
        log.warning("no socket for pairing: %s", error)
        await asyncio.Future()  # pendants are heard all the same


async def _serve_client(
    pairing: Pairing, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    opened = False

    def follow(fact: Fact) -> None:
        if not writer.is_closing():
            writer.write(encode(fact))

    pairing.followers.add(follow)
    try:
        while line := await read_line(reader):
            opened |= _obey(pairing, json_lines.decode(line, _requests), writer)
    except (OSError, JsonLineError):
        pass  # the client has left, or sent something else than a request
    finally:
        pairing.followers.discard(follow)
        if opened:
            pairing.shut()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _obey(pairing: Pairing, request: Request, writer: asyncio.StreamWriter) -> bool:
    """Do what a client asks; return whether it has opened a window."""
    match request.do:
        case "open":
            if pairing.open(request.wish):
                return True
            writer.write(encode(BUSY))
        case "answer":
            pairing.answer(request.said)
        case "shut":
            pairing.shut()
    return False


class Session(Protocol):
    """How a program leads a window: in the radio process, or where none runs in itself."""

    def send(self, request: Request) -> None:
        """Ask for something."""

    def facts(self) -> AsyncIterator[Fact]:
        """Yield what is told, until the other side ends."""


class Remote:
    """A session with the radio process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, request: Request) -> None:
        """Ask for something."""
        self._writer.write(json_lines.encode(request))

    async def leave(self) -> None:
        """Leave; a window that was opened here is shut."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def facts(self) -> AsyncIterator[Fact]:
        """Yield what is told, until the radio process ends or shuts us out."""
        with suppress(OSError, JsonLineError):
            while line := await read_line(self._reader):
                word = decode(line)
                if isinstance(word, Fact):
                    yield word


class Local:
    """A session with a pairing of this process, where no radio process runs."""

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing
        self._told: asyncio.Queue[Fact] = asyncio.Queue()
        pairing.followers.add(self._told.put_nowait)

    def send(self, request: Request) -> None:
        """Ask for something."""
        match request.do:
            case "open":
                self._pairing.open(request.wish)
            case "answer":
                self._pairing.answer(request.said)
            case "shut":
                self._pairing.shut()

    async def facts(self) -> AsyncIterator[Fact]:
        """Yield what is told, for ever."""
        while True:
            yield await self._told.get()


async def connected(path: Path) -> Remote | None:
    """Return a session with the radio process, None where none serves the socket."""
    try:
        return Remote(*await asyncio.open_unix_connection(path, limit=LINE_BYTES))
    except OSError:
        return None
