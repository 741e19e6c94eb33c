"""The black box: what was decided and why, as a transcript that `anbu replay` runs again.

JSON lines: first the rules and the state it began with, then each event with its effects. Files
take turns, so that it never grows beyond `files` x `file_mb`; the newest has the highest number.
"""

from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from hub.core.effects import Effect, Lane, Publish
from hub.core.events import Event
from hub.core.rules import Rules
from hub.core.state import HomeState

BUFFER_BYTES = 64 * 1024


class Opening(Struct, frozen=True):
    """The first line of a transcript."""

    rules: Rules
    state: HomeState


class Entry(Struct, frozen=True):
    """Every other line."""

    event: Event
    effects: list[Effect]


class BlackBox:
    """An open transcript. Raises `OSError` from `record` when the disk does."""

    def __init__(self, folder: Path, *, file_mb: float, files: int) -> None:
        self._folder, self._limit, self._files = folder, int(file_mb * 1e6), files
        self._file: IO[bytes] | None = None
        self._size = 0

    def begin(self, rules: Rules, state: HomeState) -> None:
        """Start a new file and let the oldest go."""
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        old = sorted(self._folder.glob("*.jsonl"))
        for path in old[: max(0, len(old) - self._files + 1)]:
            path.unlink()
        number = int(old[-1].stem) + 1 if old else 1
        self._file = (self._folder / f"{number:08d}.jsonl").open("wb", BUFFER_BYTES)
        self._size = 0
        self._write(Opening(rules, state))

    def record(self, event: Event, effects: list[Effect], state: HomeState, rules: Rules) -> None:
        """Add one decision; `state` is that after it. A call for help is flushed at once."""
        self._write(Entry(event, effects))
        if self._size > self._limit:
            self.begin(rules, state)
        elif self._file and any(isinstance(e, Publish) and e.lane is Lane.SOS for e in effects):
            self._file.flush()

    def close(self) -> None:
        """Write out what is buffered."""
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, line: Opening | Entry) -> None:
        if self._file:
            self._size += self._file.write(msgspec.json.encode(line) + b"\n")
