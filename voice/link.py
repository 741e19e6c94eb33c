"""The connection to the hub: a unix socket, JSON lines, dialled again for ever.

dial -> Hello, the state of the parts, calls for help not told yet -> orders in, facts out
^------ 1 s, up to 5 s ------ the hub went away -----------------------------'
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TypeGuard

from msgspec import Struct

from hub.contract.json_lines import JsonLineError
from hub.contract.voice import (
    LINE_BYTES,
    Ask,
    Fact,
    Heard,
    Listen,
    Meaning,
    Order,
    Ping,
    Say,
    Spoke,
    Stop,
    encode,
)
from hub.shared.backoff import exponential_s
from hub.shared.unix_socket import read_word

log = logging.getLogger(__name__)
SOON_S, LATER_S, SLOWER = 1.0, 5.0, 1.5
KEEP_S = 600.0  # a call for help that could not be told is still told up to so much later
UNSURE_S = 45.0  # a hub that froze took in nothing of these; its watchdog ends it after 30 s
UNREAD_BYTES = 65_536
NEEDS = {Meaning.HELP, Meaning.UNWELL, Meaning.COUNSEL, Meaning.AWAY}


class _Kept(Struct, frozen=True):
    fact: Heard | Spoke
    at: float


class Link:
    """Carries facts to the hub and orders to `take_order`.

    `greeting` returns the facts that are told first on each new connection.
    """

    def __init__(
        self,
        path: str,
        take_order: Callable[[Order], None],
        greeting: Callable[[], Iterable[Fact]],
    ) -> None:
        self._path, self._take_order, self._greeting = path, take_order, greeting
        self._writer: asyncio.StreamWriter | None = None
        self._untold: deque[_Kept] = deque(maxlen=20)
        self._told: deque[_Kept] = deque(maxlen=20)

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._writer is not None

    def tell(self, fact: Fact) -> None:
        """Send a fact to the hub; without a connection only a need or a receipt is kept.

        It is sent again on the next connection, unless an order of the hub has followed it.
        """
        if _matters(fact):
            to = self._untold if self._writer is None else self._told
            to.append(_Kept(fact, monotonic()))
        if self._writer is None:
            return
        self._writer.write(encode(fact))
        if self._writer.transport.get_write_buffer_size() > UNREAD_BYTES:
            log.warning("the hub does not read")
            self._writer.transport.abort()

    async def run(self) -> None:
        """Keep the connection up, for ever."""
        failures = 0
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path, limit=LINE_BYTES)
            except OSError as error:
                log.debug("no hub: %s", error)
                failures += 1
            else:
                failures = 0
                await self._hold(reader, writer)
            wait_s = exponential_s(failures + 1, first_s=SOON_S, longest_s=LATER_S, factor=SLOWER)
            await asyncio.sleep(wait_s)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        log.info("connected to the hub")
        try:
            self._greet()
            await self._read(reader)
        except (OSError, ValueError) as error:
            log.warning("the connection to the hub broke: %s", error)
        finally:
            self._writer = None
            self._keep_unsure()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _greet(self) -> None:
        for fact in self._greeting():
            self.tell(fact)
        old, self._untold = self._untold, deque(maxlen=20)
        for kept in old:
            if monotonic() - kept.at < KEEP_S:
                self.tell(kept.fact)

    def _keep_unsure(self) -> None:
        now = monotonic()
        self._untold.extend(kept for kept in self._told if now - kept.at < UNSURE_S)
        self._told.clear()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Read orders until the hub goes. Raises ConnectionError."""
        while (word := await read_word(reader)) is not None:
            if isinstance(word, JsonLineError):
                log.warning("a line of the hub: %s", word.reason)
            elif isinstance(word, Say | Ask | Listen | Stop | Ping):
                if not isinstance(word, Ping):  # so it has taken in what we told
                    self._told.clear()
                self._take_order(word)
        log.warning("the hub went away")


def _matters(fact: Fact) -> TypeGuard[Heard | Spoke]:
    if isinstance(fact, Heard):
        return fact.meaning in NEEDS
    return isinstance(fact, Spoke) and bool(fact.receipt)
