"""The file of what the hub has learned about the home's habits: it changes slowly.

The file is written whole every 15 minutes and put in place by a rename, so that a power cut leaves
the old file or the new one. A cut loses at most 15 minutes of learning; no call depends on it.
"""

import logging
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import border
from hub.core.model.activity import FRESH, VERSION, Habits
from hub.core.model.events import StorageTrouble
from hub.outbox.aside import keep
from hub.outbox.thread import OutboxThread
from hub.shared.files import to_disk, write_whole

LOG = logging.getLogger("anbu")
EVERY_S = 900.0
MOST_BYTES = 64 * 1024  # a larger file was not written by a hub
RESTORED = ".restored"  # before the suffix: what a hub has learned that this one replaces
INSTEAD = ".instead"  # the same of another home, to which this hub has come; empty: nothing yet
HABITS = "habits"  # the name of this part among what could not be read
ENCODE = msgspec.msgpack.Encoder().encode


class Learned(Struct, frozen=True):
    """The habits in the file, and the names of the parts that could not be read."""

    habits: Habits
    lost: tuple[str, ...] = ()


class HabitsFile:
    """Saves habits; made only after the file was read. The outbox's thread does the writing."""

    def __init__(self, path: Path, outbox: OutboxThread, saved: Habits) -> None:
        self._path, self._outbox, self._saved = path, outbox, saved

    async def save(self, habits: Habits) -> None:
        """Write the habits, if they have changed since the last save."""
        if habits is self._saved:
            return
        _, trouble = await self._outbox.aside(partial(_write, self._path, habits))
        if trouble is None:
            self._saved = habits


async def read(path: Path, outbox: OutboxThread) -> tuple[Learned | None, StorageTrouble | None]:
    """Return what was learned, or None and what is wrong with the disk.

    Where the file cannot be decoded, learning starts again and the file's bytes are kept aside.
    """
    return await outbox.aside(partial(_read, path))


def _read(path: Path) -> Learned:
    """Read the file, and what came for it from the hub of before, which is taken once.

    Keep a copy of its bytes when not all of it could be read.
    """
    taken = _one(path)
    for kind in (INSTEAD, RESTORED):
        came = path.with_stem(f"{path.stem}{kind}")
        if not came.exists():
            continue
        other = _one(came) if came.stat().st_size else Learned(FRESH)
        is_more = not other.lost and other.habits.days > taken.habits.days
        if is_more or kind == INSTEAD:
            LOG.info("habits: %d days of the hub of before", other.habits.days)
            _write(path, other.habits)
            to_disk(path.parent)
            taken = other
        came.unlink()
        to_disk(path.parent)  # it may not come back when more has been learned
    return taken


def _one(path: Path) -> Learned:
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
    """Decode the habits; of a newer version what this one knows, if its tables fit."""
    try:
        parsed: object = msgspec.msgpack.decode(raw)
        found, lost = border.read(parsed, Habits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, border.UnreadableError):
        return FRESH, (HABITS,)
    if not found.whole:  # learning starts again
        return FRESH, (HABITS,)
    if found.version != VERSION:
        return replace(found, version=VERSION), (f"{HABITS} {found.version}",)
    return found, tuple(f"{HABITS}.{place}" for place in lost)


def _write(path: Path, habits: Habits) -> None:
    write_whole(path, ENCODE(habits))
