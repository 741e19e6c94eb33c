"""The process's end: it dials the hub's unix socket for ever, and what matters is told again.

dial -> greeting, what is owed -> orders in, facts out
^-------- a pause (`Pace`) -------- the hub went away'
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from hub.contract.json_lines import JsonLineError, TFact, TOrder, Vocabulary
from hub.shared.backoff import exponential_s
from hub.shared.unix_socket import read_word

log = logging.getLogger(__name__)
SLOWER = 1.5
UNREAD_BYTES = 65_536
TOrder_contra = TypeVar("TOrder_contra", bound=Struct, contravariant=True)


class Pace(Struct, frozen=True):
    """The pause before the hub is dialled again: the first one, and the longest."""

    first_s: float = 1.0
    longest_s: float = 5.0


class Owed(Protocol[TFact, TOrder_contra]):
    """What must be told again when the hub may not have taken it in."""

    def told(self, fact: TFact, *, connected: bool) -> None:
        """Note a fact that is being told."""

    def followed(self, order: TOrder_contra) -> None:
        """Note an order: from it may follow what the hub has taken in."""

    def parted(self) -> None:
        """Note that the connection ended."""

    def again(self) -> Iterable[TFact]:
        """Return what is still owed, to be told on a new connection, and forget it here."""


class Untold(Generic[TFact]):
    """The newest facts that the hub may not have taken in, since it was away or froze.

    Those that were told within `unsure_s` before the connection ended count, too.
    """

    def __init__(
        self, *, most: int, keep_s: float, unsure_s: float, now: Callable[[], float] = monotonic
    ) -> None:
        self._most, self._keep_s, self._unsure_s, self._now = most, keep_s, unsure_s, now
        self._untold: deque[tuple[float, TFact]] = deque(maxlen=most)
        self._told: deque[tuple[float, TFact]] = deque(maxlen=most)

    def told(self, fact: TFact, *, connected: bool) -> None:
        """Keep a fact."""
        (self._told if connected else self._untold).append((self._now(), fact))

    def taken(self) -> None:
        """Forget what was told: the hub has taken it in."""
        self._told.clear()

    def parted(self) -> None:
        """Count as untold what was told so lately that a frozen hub may not have it."""
        now = self._now()
        self._untold.extend(one for one in self._told if now - one[0] < self._unsure_s)
        self._told.clear()

    def held(self) -> Iterator[tuple[float, TFact, float]]:
        """Yield each fact that would be told again, when it was told first, and until when."""
        yield from ((at, fact, at + self._keep_s) for at, fact in self._untold)
        yield from ((at, fact, at + self._unsure_s) for at, fact in self._told)

    def again(self) -> Iterator[tuple[float, TFact]]:
        """Yield each fact that is not too old, and when it was told first; forget them all."""
        old, self._untold = self._untold, deque(maxlen=self._most)
        return (one for one in old if self._now() - one[0] < self._keep_s)


class HubLink(Generic[TFact, TOrder]):
    """Carries facts to the hub and orders to `take_order`.

    `greeting` returns the facts that are told first on each new connection, `owed` decides what is
    told again.
    """

    def __init__(
        self,
        path: str,
        vocabulary: Vocabulary[TFact, TOrder],
        take_order: Callable[[TOrder], None],
        greeting: Callable[[], Iterable[TFact]],
        owed: Owed[TFact, TOrder],
        pace: Pace,
    ) -> None:
        self._path, self._vocabulary, self._pace = path, vocabulary, pace
        self._take_order, self._greeting, self._owed = take_order, greeting, owed
        self._writer: asyncio.StreamWriter | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._writer is not None

    def tell(self, fact: TFact) -> None:
        """Send a fact to the hub; without a connection only what is owed is kept."""
        self._owed.told(fact, connected=self.connected)
        if self._writer is None:
            return
        self._writer.write(self._vocabulary.encode(fact))
        if self._writer.transport.get_write_buffer_size() > UNREAD_BYTES:
            log.warning("the hub does not read")
            self._writer.transport.abort()

    async def run(self) -> None:
        """Keep the connection up, for ever."""
        failures, limit = 0, self._vocabulary.line_bytes
        first_s, longest_s = self._pace.first_s, self._pace.longest_s
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path, limit=limit)
            except OSError as error:
                log.debug("no hub: %s", error)
                failures += 1
            else:
                failures = 0
                await self._hold(reader, writer)
            pause_s = exponential_s(
                failures + 1, first_s=first_s, longest_s=longest_s, factor=SLOWER
            )
            await asyncio.sleep(pause_s)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        log.info("connected to the hub")
        try:
            for fact in self._greeting():
                self.tell(fact)
            for fact in list(self._owed.again()):
                self.tell(fact)
            await self._read(reader)
        except (OSError, ValueError) as error:
            log.warning("the connection to the hub broke: %s", error)
        finally:
            self._writer = None
            self._owed.parted()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Read orders until the hub goes. Raises ConnectionError."""
        while (word := await read_word(reader, self._vocabulary)) is not None:
            if isinstance(word, JsonLineError):
                log.warning("a line of the hub: %s", word.reason)
            elif self._vocabulary.is_order(word):
                self._owed.followed(word)
                self._take_order(word)
        log.warning("the hub went away")
