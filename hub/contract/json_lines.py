"""One JSON object a line, in UTF-8: how processes of one machine speak over a unix socket.

Each protocol has its own words (`hub.contract.voice`, `drivers.virtual.protocol`, `hub.installer`);
the bytes and what can be wrong with them are the same. `hub.shared.unix_socket` reads the lines.
"""

from enum import StrEnum
from typing import TypeVar

import msgspec

T = TypeVar("T")
DETAIL_MAX = 200  # characters of what the decoder has to say


class LineFlaw(StrEnum):
    """Why a line was not taken."""

    TOO_LONG = "too_long"
    NOT_UNDERSTOOD = "not_understood"


class JsonLineError(Exception):
    """A line that cannot be taken; `reason` says why. The next one may be understood."""

    def __init__(self, reason: LineFlaw, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def encode(told: object) -> bytes:
    """Return one line, its end included."""
    return msgspec.json.encode(told) + b"\n"


def decode(line: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Read one line. Raises JsonLineError, whatever the bytes are."""
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JsonLineError(LineFlaw.NOT_UNDERSTOOD, str(error)[:DETAIL_MAX]) from error
