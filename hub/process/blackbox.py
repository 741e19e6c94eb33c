"""The black box: a transcript of all decisions, which `anbu replay` runs again.

JSON lines: first the rules and the state at the beginning, then each event with its effects. A file
of more than `file_mb` is packed (gzip: a tenth to a seventh of it is left), and a new one begins;
the newest has the highest number. The oldest are deleted, so that all take at most `files` times
`file_mb`: eleven days of a home with a band. A thread of its own writes them, so that no decision
waits for a disk. The words of a resident, which the centre may get, are left out: the decisions do
not depend on them.
"""

import logging
import re
import threading
import zlib
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
from hub.shared.files import to_disk

LOG = logging.getLogger("anbu")
BUFFER_BYTES = 64 * 1024
BEHIND = 2000  # when more decisions wait for the disk, the transcript gets a gap
CLOSE_S = 1.0
GZIP, PACK_KB = 16 + 13, 6  # 64 KB of memory while it packs, where the usual take 256
PACKED, PLAIN = ".gz", ".jsonl"
SAID = re.compile(
    rb'(?<="words":")(?:[^"\\]|\\.)+(?=")'
)  # in compact JSON this is the key itself: inside a text the quotes would be escaped


class Opening(Struct, frozen=True):
    """The first line of a transcript."""

    rules: Rules
    state: HomeState


class Entry(Struct, frozen=True):
    """Every other line."""

    event: Event
    effects: list[Effect]


class BlackBox:
    """An open transcript. A disk error ends the transcript, and nothing else."""

    def __init__(self, folder: Path, *, file_mb: float, files: int) -> None:
        self._folder, self._limit, self._files = folder, int(file_mb * 1e6), files
        self._work: SimpleQueue[tuple[Entry | None, Opening] | None] = SimpleQueue()
        self._gap = False
        self._file: IO[bytes] | None = None  # used by the thread only, as all below
        self._size = 0
        self._thread = threading.Thread(target=self._serve, name="anbu-blackbox", daemon=True)
        self._thread.start()

    def begin(self, rules: Rules, state: HomeState) -> None:
        """Start a new file and delete the oldest."""
        self._work.put((None, Opening(rules, state)))

    def record(self, event: Event, effects: list[Effect], state: HomeState, rules: Rules) -> None:
        """Add one decision; `state` is the one after it. After a gap a new file begins."""
        self._gap = self._gap or self.waiting > BEHIND
        if not self._gap:
            self._work.put((Entry(event, effects), Opening(rules, state)))
        elif self._work.empty():
            self._gap = False
            self.begin(rules, state)

    @property
    def waiting(self) -> int:
        """How many decisions wait for the disk."""
        return self._work.qsize()

    def close(self) -> None:
        """Write out what is buffered, unless the disk hangs."""
        self._work.put(None)
        self._thread.join(CLOSE_S)

    def _serve(self) -> None:
        try:
            while line := self._work.get():
                self._write_decision(*line)
            self._end()
        except OSError as error:
            LOG.warning("the black box has ended: %s", error.strerror)
            self._file = None
            while self._work.get():
                pass

    def _write_decision(self, entry: Entry | None, opening: Opening) -> None:
        """Write an entry, flushed at once with an SOS; open a new file if full or without entry."""
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
        """Return the path of the next file, once there is room for it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob(f"*{PLAIN}"):
            _pack(path)
        old = sorted(self._folder.glob(f"*{PLAIN}{PACKED}"))
        number = int(old[-1].name.partition(".")[0]) + 1 if old else 1
        sizes = [path.stat().st_size for path in old]
        room = self._limit * (self._files - 1)
        for n, path in enumerate(old):
            if sum(sizes[n:]) > room:
                path.unlink()
        return self._folder / f"{number:08d}{PLAIN}"

    def _end(self) -> None:
        file, self._file = self._file, None
        if file:
            file.close()

    def _write(self, line: Opening | Entry) -> None:
        if self._file:
            self._size += self._file.write(_without_words(line) + b"\n")


def _pack(path: Path) -> None:
    """Put a packed file in the place of a plain one. Raises OSError; then the plain one stands."""
    whole, fresh = path.with_name(path.name + PACKED), path.with_name(f".{path.name}{PACKED}")
    packer = zlib.compressobj(wbits=GZIP, memLevel=PACK_KB)
    with path.open("rb") as plain, fresh.open("wb") as packed:
        while data := plain.read(BUFFER_BYTES):
            packed.write(packer.compress(data))
        packed.write(packer.flush())
    to_disk(fresh)
    fresh.replace(whole)
    path.unlink()


def _without_words(line: Opening | Entry) -> bytes:
    """Return the line as JSON, without the resident's words; payloads are base64 in it."""
    if isinstance(line, Entry):
        line = Entry(line.event, [_bare(effect) for effect in line.effects])
    return SAID.sub(b"", msgspec.json.encode(line))


def _bare(effect: Effect) -> Effect:
    if isinstance(effect, Publish) and b'"words":"' in effect.payload:
        return replace(effect, payload=SAID.sub(b"", effect.payload))
    return effect
