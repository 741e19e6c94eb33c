"""What a home has taught its hub, in a file of its own: learned slowly, and written seldom.

Written whole and put in place by a rename, so that a power cut leaves the old file or the new one.
What was learned since is lost with it, a quarter of an hour at most, and no call hangs on it.
"""

import logging
import os
from functools import partial
from pathlib import Path

import msgspec

from hub.core.events import StorageTrouble
from hub.core.habits import FRESH, VERSION, Habits
from hub.damaged import put_aside
from hub.journal import Journal

LOG = logging.getLogger("anbu")
EVERY_S = 900.0
MOST_BYTES = 64 * 1024  # a file larger than any that is written is none of ours
ENCODE = msgspec.msgpack.Encoder().encode


class Memory:
    """The file of the learned state, made once it was read; the journal's thread writes it."""

    def __init__(self, path: Path, journal: Journal, saved: Habits) -> None:
        self._path, self._journal, self._saved = path, journal, saved

    async def save(self, habits: Habits) -> None:
        """Write what has changed."""
        if habits is self._saved:
            return
        _, trouble = await self._journal.aside(partial(_write, self._path, habits))
        if trouble is None:
            self._saved = habits


async def read(path: Path, journal: Journal) -> tuple[Habits | None, StorageTrouble | None]:
    """Give what was learned, or why the disk cannot tell.

    A home is learned anew where the file is of no use; its bytes are kept aside.
    """
    return await journal.aside(partial(_read, path))


def _read(path: Path) -> Habits:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return FRESH
    try:
        found = msgspec.msgpack.decode(raw, type=Habits)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _anew(path, str(error))
    if found.version == VERSION and found.whole:
        return found
    return _anew(path, "of another version, or damaged")


def _anew(path: Path, why: str) -> Habits:
    LOG.warning("habits: the home is learned anew: %s", why)
    put_aside(path)
    return FRESH


def _write(path: Path, habits: Habits) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(ENCODE(habits))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
