"""Opening an outbox that may be damaged: the old file is kept aside, what can be read is saved.

A new file is written beside the old one (`.new`) and put in place in one step, so that a power cut
leaves either the old or the new file. So an empty file is always a damaged one.
"""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from hub.contract import wire
from hub.contract.reading import UNREAD
from hub.core.model.effects import Lane
from hub.core.model.events import StorageTrouble
from hub.outbox.aside import put_aside
from hub.outbox.store import DISK_ERRORS, LANES, Outbox, Row, trouble_of
from hub.shared.files import to_disk

PARTS = ("", "-wal", "-shm")
MEMORY = Path("/dev/shm")  # noqa: S108 - for a private folder in it
# The small index first: it names every SOS even where a page of the table cannot be read.
PLACES = (
    "SELECT n FROM message INDEXED BY message_by_lane ORDER BY lane, n",
    "SELECT n FROM message NOT INDEXED ORDER BY n",
    "SELECT n FROM message NOT INDEXED ORDER BY n DESC",
)


def open_or_repair(path: Path) -> tuple[Outbox, StorageTrouble | None]:
    """Open the outbox, repaired if need be; return it, and CORRUPT if it was damaged.

    Raises `sqlite3.Error` or `OSError` only where no file can be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    if not path.exists():
        if not _good(fresh):
            _make(fresh, None, ())
        _put_in_place(fresh, path)
    with suppress(_DamagedError):
        return _sound(path), None
    _make(fresh, *_salvage(path))
    _put_in_place(fresh, path)
    return Outbox(path), StorageTrouble.CORRUPT


def peek(path: Path) -> tuple[bytes | None, list[Row]]:
    """Return snapshot and rows of a file that cannot be written; raise if it cannot be read."""
    return _salvage(path) if path.exists() else (None, [])


class _DamagedError(Exception):
    """There is a file, and its content is not what was written."""


def _sound(path: Path) -> Outbox:
    if path.stat().st_size == 0:
        raise _DamagedError
    try:
        with ExitStack() as undo:
            outbox = Outbox(path)
            undo.callback(outbox.close)
            if outbox.sound():
                undo.pop_all()
                return outbox
    except DISK_ERRORS as error:
        if trouble_of(error) is not StorageTrouble.CORRUPT:
            raise _explained(path, error) from error
    raise _DamagedError


def _explained(path: Path, error: Exception) -> Exception:
    """Return the cause: SQLite says only that it cannot open a file, or cannot make it longer."""
    disk = os.statvfs(path.parent)
    if trouble_of(error) is not StorageTrouble.ERROR:
        return error
    if disk.f_flag & os.ST_RDONLY:
        return OSError(errno.EROFS, os.strerror(errno.EROFS))
    return error if disk.f_bavail else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _good(path: Path) -> bool:
    """Whether a new file was finished before a power cut kept it from being put in place."""
    if not path.exists():
        return False
    with suppress(_DamagedError, *DISK_ERRORS):
        _sound(path).close()
        return True
    return False


def _make(fresh: Path, snapshot: bytes | None, rows: Iterable[Row]) -> None:
    for part in PARTS:
        fresh.with_name(fresh.name + part).unlink(missing_ok=True)
    with closing(Outbox(fresh)) as outbox:
        outbox.commit(snapshot, rows, ())


def _put_in_place(fresh: Path, path: Path) -> None:
    put_aside(path, PARTS)  # SQLite would apply a WAL that stayed to the new file
    fresh.rename(path)
    to_disk(path.parent)


def _salvage(damaged: Path) -> tuple[bytes | None, list[Row]]:
    """Read the snapshot and each message by itself, from a copy in memory."""
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="anbu-", dir=memory) as folder:
        copy = Path(folder) / damaged.name
        for part in PARTS[:2]:
            with suppress(FileNotFoundError):
                shutil.copyfile(damaged.with_name(damaged.name + part), f"{copy}{part}")
        with closing(sqlite3.connect(copy)) as db:
            db.execute("PRAGMA writable_schema = ON")  # else a truncated file is not read at all
            snapshots = _readable(db, "SELECT state FROM snapshot")
            snapshot = next((row[0] for row in snapshots if isinstance(row[0], bytes)), None)
            return snapshot, list(_rows(db))


def _rows(db: sqlite3.Connection) -> Iterator[Row]:
    places = {row[0] for query in PLACES for row in _readable(db, query)}
    seen: set[str] = set()
    for n in sorted(place for place in places if isinstance(place, int)):
        for found in _readable(db, "SELECT * FROM message WHERE n = ?", n):
            row = _row(*found)
            if row and row.id not in seen:
                seen.add(row.id)
                yield row


def _row(*found: Any) -> Row | None:  # noqa: ANN401 - damage may have left anything
    """Return the row if it is still a message: the centre would never confirm anything else."""
    with suppress(ValueError, TypeError, AttributeError):
        n, id_, lane, topic, payload, retain = found
        ident = str(getattr(wire.read_from_hub(topic, payload).message, "id", id_))
        if isinstance(payload, bytes) and not ident.startswith(UNREAD):  # an event's id is in it
            return Row(n, ident, _lane(lane, topic), topic, payload, bool(retain))
    return None


def _lane(lane: int, topic: str) -> Lane:
    """Return the lane; for a lane of a newer program, one in which nothing is dropped."""
    if lane in LANES:
        return Lane(lane)
    return Lane.SOS if topic.endswith("/event") else Lane.FAULT


def _readable(db: sqlite3.Connection, query: str, *values: int) -> Iterator[tuple[Any, ...]]:
    """Iterate over the rows up to the first damage: SQLite cannot read past it in this order."""
    with suppress(sqlite3.Error, UnicodeDecodeError):
        yield from db.execute(query, values)
