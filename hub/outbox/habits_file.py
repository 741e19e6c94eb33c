"""What a home has taught its hub, in a file of its own: learned slowly, and written seldom.

Written whole and put in place by a rename, so that a power cut leaves the old file or the new one.
What was learned since is lost with it, a quarter of an hour at most, and no call hangs on it.
"""

import logging
import os
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import border
from hub.core.model.activity import FRESH, VERSION, Habits
from hub.core.model.events import StorageTrouble
from hub.outbox.aside import keep
from hub.outbox.thread import Journal

LOG = logging.getLogger("anbu")
EVERY_S = 900.0
MOST_BYTES = 64 * 1024  # a file larger than any that is written is none of ours
HABITS = "habits"  # in what could not be read
ENCODE = msgspec.msgpack.Encoder().encode


class Learned(Struct, frozen=True):
    """What the file says, and what of it could not be read."""

    habits: Habits
    lost: tuple[str, ...] = ()


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


async def read(path: Path, journal: Journal) -> tuple[Learned | None, StorageTrouble | None]:
    """Give what was learned, or why the disk cannot tell.

    A home is learned anew where the file is of no use; its bytes are kept aside.
    """
    return await journal.aside(partial(_read, path))


def _read(path: Path) -> Learned:
    """Give what the file says, and what of it could not be read; that is kept aside."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Learned(FRESH)
    found, lost = _decoded(raw)
    if lost:
        LOG.warning("habits: not read whole: %s", ", ".join(lost))
        keep(path, raw)
    return Learned(found, lost)


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
