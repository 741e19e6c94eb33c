"""What a home has taught its hub, in a file of its own: learned slowly, and written seldom.

Written whole and put in place by a rename, so that a power cut leaves the old file or the new one.
What was learned since is lost with it, a quarter of an hour at most, and no call hangs on it.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.aside import keep
from hub.core import border
from hub.core.habits import FRESH, VERSION, Habits
from hub.journal import Journal

LOG = logging.getLogger("anbu")
EVERY_S = 900.0
MOST_BYTES = 64 * 1024  # a file larger than any that is written is none of ours
HABITS = "habits"  # in what could not be read
ENCODE = msgspec.msgpack.Encoder().encode


class Memory:
    """The file of the learned state; the journal's thread reads and writes it."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self._path, self._journal = path, journal
        self._saved: Habits | None = None  # None: what the file holds is not known
        self.lost: tuple[str, ...] = ()  # of the file, at the last `load`

    async def load(self) -> Habits:
        """Give what was learned; a home is learned anew where the file is of no use."""
        found, _ = await self._journal.aside(partial(_read, self._path))
        if found is None:
            self._saved = None
            return FRESH
        self._saved, self.lost = found
        return self._saved

    async def save(self, habits: Habits) -> None:
        """Write what has changed, unless what was known before could not be read in time."""
        if self._saved is None or habits is self._saved:
            return
        _, trouble = await self._journal.aside(partial(_write, self._path, habits))
        if trouble is None:
            self._saved = habits

    async def keep(self, habits: Callable[[], Habits]) -> None:
        """Save now and then, for ever; a disk that fails is told of by the outbox."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.save(habits())


def _read(path: Path) -> tuple[Habits, tuple[str, ...]]:
    """Give what the file says, and what of it could not be read; that is kept aside."""
    if not path.exists():
        return FRESH, ()
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    found, lost = _decoded(raw)
    if lost:
        LOG.warning("habits: not read whole: %s", ", ".join(lost))
        keep(path, raw)
    return found, lost


def _decoded(raw: bytes) -> tuple[Habits, tuple[str, ...]]:
    """Read what was learned; of a newer version what this one knows, if its tables are the same."""
    try:
        parsed: object = msgspec.msgpack.decode(raw)
        found, lost = border.read(parsed, Habits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, border.UnreadableError):
        return FRESH, (HABITS,)
    if not found.whole:  # the home is learned anew
        return FRESH, (HABITS,)
    if found.version != VERSION:
        return replace(found, version=VERSION), (f"{HABITS} {found.version}",)
    return found, tuple(f"{HABITS}.{place}" for place in lost)


def _write(path: Path, habits: Habits) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(ENCODE(habits))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
