"""Opening the outbox when it may be damaged: keep the old file aside, save what can be read."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from hub.core.effects import Lane
from hub.core.events import StorageTrouble
from hub.outbox import Outbox, Row, trouble_of


def open_or_rescue(path: Path) -> tuple[Outbox, StorageTrouble | None]:
    """Open the outbox; raise `sqlite3.Error` or `OSError` only where no file can be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        outbox = Outbox(path)
        if outbox.sound():
            return outbox, None
        outbox.close()
    except sqlite3.DatabaseError as error:
        if trouble_of(error) is not StorageTrouble.CORRUPT:
            raise
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    outbox = Outbox(path)
    snapshot, rows = _salvage(aside)
    outbox.commit(snapshot, rows, ())
    return outbox, StorageTrouble.CORRUPT


def _salvage(damaged: Path) -> tuple[bytes | None, list[Row]]:
    """Read what still can be read: the snapshot, and each message by itself."""
    try:
        with closing(sqlite3.connect(f"file:{damaged}?mode=ro", uri=True)) as db:
            rows = list(_rows(db))
            return _snapshot(db), rows
    except sqlite3.DatabaseError:
        return None, []


def _rows(db: sqlite3.Connection) -> Iterator[Row]:
    for (n,) in _readable(db.execute("SELECT n FROM message NOT INDEXED ORDER BY n")):
        for found in _readable(db.execute("SELECT * FROM message WHERE n = ?", (n,))):
            place, id_, lane, topic, payload, retain = found
            yield Row(place, id_, Lane(lane), topic, bytes(payload), bool(retain))


def _readable(cursor: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    """Iterate until the damage: what lies behind it cannot be reached this way."""
    try:
        yield from cursor
    except sqlite3.DatabaseError:
        return


def _snapshot(db: sqlite3.Connection) -> bytes | None:
    try:
        row = db.execute("SELECT state FROM snapshot").fetchone()
    except sqlite3.DatabaseError:
        return None
    return None if row is None else bytes(row[0])
