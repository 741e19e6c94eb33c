"""One JSON object a line, in UTF-8: how processes of one machine speak over a unix socket.

Each protocol has its own words (`hub.contract.voice`, `hub.contract.radio`,
`drivers.virtual.protocol`, `hub.installer`); the bytes and what can be wrong with them are the
same. `hub.shared.unix_socket` reads the lines.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Generic, Protocol, TypeGuard, TypeVar

import msgspec
from msgspec import Meta, Struct

T = TypeVar("T")
TFact = TypeVar("TFact", bound=Struct)  # what a process tells the hub
TOrder = TypeVar("TOrder", bound=Struct)  # what the hub orders
DETAIL_MAX = 200  # characters of what the decoder has to say
Length = Annotated[int, Meta(ge=0, le=1_048_576)]


class LineFlaw(StrEnum):
    """Why a line was not taken."""

    TOO_LONG = "too_long"
    NOT_UNDERSTOOD = "not_understood"


class JsonLineError(Exception):
    """A line that cannot be taken; `reason` says why. The next one may be understood."""

    def __init__(self, reason: LineFlaw, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class WordError(JsonLineError):
    """A line in the right shape whose word this release does not know, or cannot read.

    A newer release may say such words: whoever says them is no other program.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(LineFlaw.NOT_UNDERSTOOD, detail)


def encode(told: object) -> bytes:
    """Return one line, its end included."""
    return msgspec.json.encode(told) + b"\n"


def decode(line: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Read one line. Raises JsonLineError, whatever the bytes are."""
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JsonLineError(LineFlaw.NOT_UNDERSTOOD, str(error)[:DETAIL_MAX]) from error


class Header(Struct, frozen=True):
    """How a line begins, in Wyoming's shape: the word's name, and what follows the line."""

    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    data_length: Length = 0
    payload_length: Length = 0


class Numbered(Protocol):
    """The answer to a ping."""

    @property
    def n(self) -> int:
        """The number of the ping."""


_headers = msgspec.json.Decoder(Header)


class Vocabulary(Generic[TFact, TOrder]):
    """The words between the hub and a process of its own: `facts` come in, `orders` go out.

    Three words are in each vocabulary: the process greets with `hello` and answers `ping` by
    `pong`. `line_bytes` is the longest line, with the data that follows it.
    """

    def __init__(
        self,
        facts: tuple[type[TFact], ...],
        orders: tuple[type[TOrder], ...],
        *,
        hello: type[Struct],
        pong: type[Numbered],
        ping: Callable[[int], TOrder],
        line_bytes: int,
    ) -> None:
        self.ping, self.line_bytes = ping, line_bytes
        self._hello, self._pong = hello, pong
        self._facts, self._orders = facts, orders
        self._words: dict[str, msgspec.json.Decoder[TFact | TOrder]] = {
            shape.__name__.lower(): msgspec.json.Decoder(shape) for shape in (*facts, *orders)
        }

    def is_fact(self, word: object) -> TypeGuard[TFact]:
        """Whether a process may say this to the hub."""
        return isinstance(word, self._facts)

    def is_order(self, word: object) -> TypeGuard[TOrder]:
        """Whether the hub may say this to the process."""
        return isinstance(word, self._orders)

    def greets(self, word: object) -> bool:
        """Whether a process begins with this word."""
        return isinstance(word, self._hello)

    def answered(self, word: object) -> int | None:
        """Return the number of the ping that this word answers, None for another word."""
        return word.n if isinstance(word, self._pong) else None

    def encode(self, word: TFact | TOrder) -> bytes:
        """Return one line, its end included."""
        return encode({"type": type(word).__name__.lower(), "data": word})

    def decode(self, line: bytes, data: bytes = b"") -> TFact | TOrder:
        """Read one line, and the `data` that followed it where its header announced some.

        Raises JsonLineError; what comes after the line may be taken all the same.
        """
        if len(line) + len(data) > self.line_bytes:
            raise JsonLineError(LineFlaw.TOO_LONG, f"more than {self.line_bytes} bytes")
        head = decode(line, _headers)
        word = self._words.get(head.type)
        if word is None:
            message = f"no word {head.type[:40]!r}"
            raise WordError(message)
        try:
            return decode(data or bytes(head.data), word)
        except JsonLineError as error:
            raise WordError(str(error)) from error


def length_after(line: bytes) -> tuple[int, int]:
    """Return how many bytes of data and of payload follow the line. Raises JsonLineError."""
    head = decode(line, _headers)
    return head.data_length, head.payload_length
