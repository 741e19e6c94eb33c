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

from hub.core.habits import FRESH, VERSION, Habits
from hub.journal import Journal

LOG = logging.getLogger("anbu")
EVERY_S = 900.0
MOST_BYTES = 64 * 1024  # a file larger than any that is written is none of ours
ENCODE = msgspec.msgpack.Encoder().encode


class Memory:
    """The file of the learned state; the journal's thread reads and writes it."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self._path, self._journal = path, journal
        self._saved: Habits | None = None  # None: what the file holds is not known

    async def load(self) -> Habits:
        """Give what was learned; a home is learned anew where the file is of no use."""
        found, trouble = await self._journal.aside(partial(_read, self._path))
        self._saved = found if trouble is None else None
        return found or FRESH

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


def _read(path: Path) -> Habits:
    if not path.exists():
        return FRESH
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    try:
        found = msgspec.msgpack.decode(raw, type=Habits)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        LOG.warning("habits: the home is learned anew: %s", error)
        return FRESH
    if found.version == VERSION and found.whole:
        return found
    LOG.warning("habits: the home is learned anew: of another version, or damaged")
    return FRESH


def _write(path: Path, habits: Habits) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(ENCODE(habits))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
