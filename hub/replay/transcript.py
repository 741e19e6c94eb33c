"""A transcript decided again: the same events must have the same effects."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeVar, cast

import msgspec
from msgspec import Struct

from hub.contract import border
from hub.core.decide import decide
from hub.core.model.effects import Effect, Order
from hub.process.blackbox import Entry, Opening

T = TypeVar("T", bound=Struct)
MAGIC = b"\x1f\x8b"  # of gzip: RFC 1952


class Difference(Struct, frozen=True):
    """The first entry with other effects than then; `line` counts from 1."""

    line: int
    event: str
    was: tuple[str, ...]
    now: tuple[str, ...]


class Replayed(Struct, frozen=True):
    """The result of a replayed transcript."""

    events: int
    story: tuple[str, ...]  # what the resident saw and heard, with monotonic times
    difference: Difference | None


class TranscriptError(ValueError):
    """A line that does not belong to a transcript; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def replay(path: Path) -> Replayed:
    """Run the transcript through `decide`; raise `TranscriptError`, or `OSError`."""
    with opened(path) as file:
        lines = _lines(file)
        opening = _decode(1, next(lines, b""), Opening)
        state, story, events = opening.state, list[str](), 0
        for number, entry in _entries(lines):
            events += 1
            state, effects = decide(state, entry.event, opening.rules)
            story += _told(entry.event.at, effects)
            if effects != entry.effects:
                was, now = (tuple(map(str, e)) for e in (entry.effects, effects))
                difference = Difference(number, str(entry.event), was, now)
                return Replayed(events, tuple(story), difference)
    return Replayed(events, tuple(story), None)


def is_packed(path: Path) -> bool:
    """Whether the black box has packed this file. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def opened(path: Path) -> IO[bytes]:
    """Open a transcript, packed or not. Raises OSError."""
    return cast("IO[bytes]", gzip.open(path)) if is_packed(path) else path.open("rb")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; a packed file that is damaged has none any more."""
    number = 1
    try:
        for line in file:
            yield line
            number += 1
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TranscriptError(number) from error


def _entries(lines: Iterator[bytes]) -> Iterator[tuple[int, Entry]]:
    for number, line in enumerate(lines, start=2):
        if not line.endswith(b"\n"):  # a power cut while it was written
            return
        yield number, _decode(number, line, Entry)


def _decode(number: int, line: bytes, shape: type[T]) -> T:
    """Decode a line of this or another release; an entry without a readable event is refused."""
    try:
        return msgspec.json.decode(line, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        first = error
    try:
        found, lost = border.read(msgspec.json.decode(line), shape, {"rules"})
    except (msgspec.DecodeError, UnicodeDecodeError, border.UnreadableError):
        raise TranscriptError(number) from first
    if "event" in lost:
        raise TranscriptError(number)
    return found


def _told(at: float, effects: list[Effect]) -> list[str]:
    return [f"{at:.3f} {effect}" for effect in effects if isinstance(effect, Order)]
