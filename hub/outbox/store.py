"""The outbox's SQLite file: the state's snapshot and every message that is not delivered.

Both are written in ONE transaction, WAL with `synchronous=FULL`: once `commit` has returned, its
data survives a power cut (`bench/powercut.py` shows it, and shows that NORMAL loses some). Blocking
calls, for the outbox's own thread. Raises `sqlite3.Error`; `trouble_of` says what it means.
"""

import errno
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from hub.core.model.effects import Lane
from hub.core.model.events import StorageTrouble

SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (
    one INTEGER PRIMARY KEY CHECK (one = 1), state BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS message (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, lane INTEGER NOT NULL,
    topic TEXT NOT NULL, payload BLOB NOT NULL, retain INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS message_by_lane ON message (lane, n);
"""
FULL = 2
LANES = frozenset(map(int, Lane))
# All that a disk may raise. UnicodeDecodeError: SQLite's message quotes bytes of a damaged file.
DISK_ERRORS = (sqlite3.Error, OSError, UnicodeDecodeError)
NOT_DURABLE = "the file system does not let SQLite keep its promise (WAL with synchronous=FULL)"
# written twice after a hang, and again under another topic by a hub that has another name
PUT = """INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET topic = excluded.topic, payload = excluded.payload"""
LOCKED_S = 0.1  # a commit waits no longer for another program's lock: the call leaves from memory
WAL_PAGES = 256  # checkpoint at 1 MB, so that the WAL stays small on an SD card


class Row(Struct, frozen=True):
    """A waiting message; `n` is its place in the order in which messages were made."""

    n: int
    id: str
    lane: Lane
    topic: str
    payload: bytes
    retain: bool


class Outbox:
    """An open outbox file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=LOCKED_S
        )
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def load(self) -> bytes | None:
        """Return the last snapshot, None if there never was one."""
        with closing(self._db.execute("SELECT state FROM snapshot")) as cursor:
            row = cursor.fetchone()
        return None if row is None else bytes(row[0])

    def commit(self, snapshot: bytes | None, put: Iterable[Row], forget: Iterable[str]) -> None:
        """Write all or nothing; when this returns, the data is on the disk."""
        self._begin()
        try:
            if snapshot is not None:
                self._db.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?)", (snapshot,))
            self._db.executemany(
                PUT, ((r.n, r.id, int(r.lane), r.topic, r.payload, int(r.retain)) for r in put)
            )
            self._db.executemany("DELETE FROM message WHERE id = ?", ((id_,) for id_ in forget))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def page(self, lanes: Iterable[Lane], after: int, limit: int) -> list[Row]:
        """Return up to `limit` messages of `lanes` with a place above `after`, in order."""
        marks = ", ".join(str(int(lane)) for lane in lanes)
        query = f"SELECT * FROM message WHERE lane IN ({marks}) AND n > ? ORDER BY n LIMIT ?"  # noqa: S608 - integers of our own
        with closing(self._db.execute(query, (after, limit))) as rows:
            return [Row(n, i, Lane(lane), t, bytes(p), bool(r)) for n, i, lane, t, p, r in rows]

    def elsewhere(self, topics: str) -> list[Row]:
        """Return the messages whose topic does not begin with `topics`, in order."""
        query = "SELECT * FROM message WHERE substr(topic, 1, ?) != ? ORDER BY n"
        with closing(self._db.execute(query, (len(topics), topics))) as rows:
            return [Row(n, i, Lane(lane), t, bytes(p), bool(r)) for n, i, lane, t, p, r in rows]

    def trim(self, lane: Lane, keep: int) -> int:
        """Delete the oldest messages of `lane` beyond `keep`; return how many."""
        newest = "SELECT n FROM message WHERE lane = ? ORDER BY n DESC LIMIT 1 OFFSET ?"
        with closing(self._db.execute(newest, (int(lane), keep))) as cursor:
            row = cursor.fetchone()
        if row is None:
            return 0
        oldest = "DELETE FROM message WHERE lane = ? AND n <= ?"
        return self._db.execute(oldest, (int(lane), row[0])).rowcount

    def last(self) -> int:
        """Return the highest place in use, 0 in an empty file."""
        return int(self._one("SELECT coalesce(max(n), 0) FROM message"))

    def count(self, lane: Lane) -> int:
        """Return how many messages wait in `lane`."""
        return int(self._one(f"SELECT count(*) FROM message WHERE lane = {int(lane)}"))  # noqa: S608 - an integer of our own

    def sound(self) -> bool:
        """Whether SQLite finds its structures in order and each message has a known lane.

        `quick_check` would not do: it does not compare the index with the table, and a call that is
        missing in the index is never read and never sent.
        """
        if self._one("PRAGMA integrity_check(1)") != "ok":
            return False
        self.load()
        with closing(self._db.execute("SELECT lane, n, id, topic, payload FROM message")) as rows:
            return all(row[0] in LANES for row in rows)

    def probe(self) -> None:
        """Read a page from the device, not from the page cache; hangs if the device hangs."""
        fd = os.open(self._path, os.O_RDONLY)
        try:
            os.posix_fadvise(fd, 0, 4096, os.POSIX_FADV_DONTNEED)
            os.pread(fd, 4096, 0)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close the file; what was not committed is not written."""
        self._db.close()

    def _begin(self) -> None:
        """Lock the file for writing; if another program holds it, wait only the first time."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._db.execute("PRAGMA busy_timeout = 0")
            raise
        self._db.execute(f"PRAGMA busy_timeout = {LOCKED_S * 1000:.0f}")

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        self._db.execute("PRAGMA cache_size = -512")
        if self._one("PRAGMA journal_mode") != "wal" or self._one("PRAGMA synchronous") != FULL:
            raise sqlite3.OperationalError(NOT_DURABLE)
        self._db.executescript(SCHEMA)

    def _one(self, query: str) -> int | str:
        with closing(self._db.execute(query)) as cursor:
            value: int | str = cursor.fetchone()[0]
        return value


def trouble_of(error: BaseException) -> StorageTrouble:
    """Return which trouble an error of SQLite or of the system means."""
    if isinstance(error, UnicodeDecodeError) or "decode" in str(error):
        return StorageTrouble.CORRUPT
    if isinstance(error, sqlite3.Error):  # the upper bytes of a code hold a detail
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return _SQLITE.get(code, StorageTrouble.ERROR)
    number = error.errno if isinstance(error, OSError) else None
    return _SYSTEM.get(number or 0, StorageTrouble.ERROR)


_SQLITE = {
    sqlite3.SQLITE_FULL: StorageTrouble.FULL,
    sqlite3.SQLITE_BUSY: StorageTrouble.LOCKED,
    sqlite3.SQLITE_LOCKED: StorageTrouble.LOCKED,
    sqlite3.SQLITE_READONLY: StorageTrouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: StorageTrouble.CORRUPT,
    sqlite3.SQLITE_NOTADB: StorageTrouble.CORRUPT,
    sqlite3.SQLITE_ERROR: StorageTrouble.CORRUPT,  # our own SQL, wrong: the schema is not ours
}
_SYSTEM = {
    errno.ENOSPC: StorageTrouble.FULL,
    errno.EDQUOT: StorageTrouble.FULL,
    errno.EFBIG: StorageTrouble.FULL,
    errno.EROFS: StorageTrouble.READ_ONLY,
}
