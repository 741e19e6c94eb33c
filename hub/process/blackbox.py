"""The black box: what was decided and why, as a transcript that `anbu replay` runs again.

JSON lines: first the rules and the state it began with, then each event with its effects. Files
take turns, so that it never grows beyond `files` x `file_mb`; the newest has the highest number.
A thread of its own writes them: no decision waits for a disk. What a resident said, where it may be
told to the centre, is left out: the same is decided without it.
"""

import logging
import re
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.core.model.effects import Effect, Lane, Publish
from hub.core.model.events import Event
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

LOG = logging.getLogger("anbu")
BUFFER_BYTES = 64 * 1024
BEHIND = 2000  # decisions that wait for the disk; beyond, the transcript has a gap
CLOSE_S = 1.0
SAID = re.compile(
    rb'(?<="words":")(?:[^"\\]|\\.)+(?=")'
)  # in compact JSON: a key, and no text of one


class Opening(Struct, frozen=True):
    """The first line of a transcript."""

    rules: Rules
    state: HomeState


class Entry(Struct, frozen=True):
    """Every other line."""

    event: Event
    effects: list[Effect]


class BlackBox:
    """An open transcript. A disk that refuses ends it, and nothing else."""

    def __init__(self, folder: Path, *, file_mb: float, files: int) -> None:
        self._folder, self._limit, self._files = folder, int(file_mb * 1e6), files
        self._work: SimpleQueue[tuple[Entry | None, Opening] | None] = SimpleQueue()
        self._gap = False
        self._file: IO[bytes] | None = None  # the thread's, as all below
        self._size = 0
        self._thread = threading.Thread(target=self._serve, name="anbu-blackbox", daemon=True)
        self._thread.start()

    def begin(self, rules: Rules, state: HomeState) -> None:
        """Start a new file and let the oldest go."""
        self._work.put((None, Opening(rules, state)))

    def record(self, event: Event, effects: list[Effect], state: HomeState, rules: Rules) -> None:
        """Add one decision; `state` is that after it. After a gap a new file begins."""
        self._gap = self._gap or self._work.qsize() > BEHIND
        if not self._gap:
            self._work.put((Entry(event, effects), Opening(rules, state)))
        elif self._work.empty():
            self._gap = False
            self.begin(rules, state)

    def close(self) -> None:
        """Write out what is buffered, unless the disk hangs."""
        self._work.put(None)
        self._thread.join(CLOSE_S)

    def _serve(self) -> None:
        try:
            while line := self._work.get():
                self._take(*line)
            self._end()
        except OSError as error:
            LOG.warning("the black box has ended: %s", error.strerror)
            self._file = None
            while self._work.get():
                pass

    def _take(self, entry: Entry | None, opening: Opening) -> None:
        """Write an entry; an SOS is flushed at once. Without one, or when full, open a new file."""
        if entry and self._file:
            self._write(entry)
            if any(isinstance(e, Publish) and e.lane is Lane.SOS for e in entry.effects):
                self._file.flush()
        if entry is None or self._size > self._limit:
            self._end()
            self._file = self._next().open("wb", BUFFER_BYTES)
            self._size = 0
            self._write(opening)

    def _next(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        old = sorted(self._folder.glob("*.jsonl"))
        for path in old[: max(0, len(old) - self._files + 1)]:
            path.unlink()
        number = int(old[-1].stem) + 1 if old else 1
        return self._folder / f"{number:08d}.jsonl"

    def _end(self) -> None:
        file, self._file = self._file, None
        if file:
            file.close()

    def _write(self, line: Opening | Entry) -> None:
        if self._file:
            self._size += self._file.write(_without_words(line) + b"\n")


def _without_words(line: Opening | Entry) -> bytes:
    """Encode it; payloads are bytes, which JSON holds as base64."""
    if isinstance(line, Entry):
        line = Entry(line.event, [_bare(effect) for effect in line.effects])
    return SAID.sub(b"", msgspec.json.encode(line))


def _bare(effect: Effect) -> Effect:
    if isinstance(effect, Publish) and b'"words":"' in effect.payload:
        return replace(effect, payload=SAID.sub(b"", effect.payload))
    return effect
