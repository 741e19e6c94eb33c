"""The outbox behind a thread of its own, so that no disk can hold up a call for help.

What is to be written is first held in memory and let go when the disk has it. A commit that
fails, or takes longer than `patience_s`, leaves it held: the engine sends from memory, raises a
fault, and the next commit writes all of it again.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from hub.core.effects import Lane, Publish
from hub.core.events import StorageTrouble
from hub.outbox import Outbox, Row, trouble_of
from hub.rescue import open_or_rescue

T = TypeVar("T")
BULK = (Lane.FAULT, Lane.TELEMETRY)
HELD_ROWS = 1000
ALL = 1_000_000


class Journal:
    """What the hub has promised, on disk where the disk works and in memory always."""

    def __init__(self, path: Path, *, patience_s: float = 1.0, telemetry_rows: int = 2000) -> None:
        self._path, self._patience_s, self._telemetry_rows = path, patience_s, telemetry_rows
        self._outbox: Outbox | None = None
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._asked: dict[asyncio.Future[Any], float] = {}  # not answered yet, since when
        self._n = 0
        self._put: dict[str, Row] = {}
        self._forget: set[str] = set()
        self._found: list[Row] = []  # by the thread, when it opened the file
        self.urgent: dict[str, Row] = {}  # SOS rows until the centre's `received`
        self.trouble: StorageTrouble | None = None
        self.dropped = 0  # telemetry lost to a full lane, since the process began
        threading.Thread(target=self._serve, name="anbu-journal", daemon=True).start()

    async def open(self, within_s: float = 3.0) -> bytes | None:
        """Open or rescue the file; give the snapshot. A disk that cannot leaves `trouble` set."""
        done, trouble = await self._ask(self._open, within_s)
        if done is None:
            self.trouble = trouble
            self._n = time.time_ns() // 1000  # beyond every place that the file may hold already
            return None
        snapshot, self._n, self.trouble = done
        self._adopt()
        return snapshot

    def add(self, publishes: Iterable[Publish], forget: Iterable[str]) -> list[Row]:
        """Hold what the next commit shall write; give the new messages as rows."""
        rows: list[Row] = []
        for e in publishes:
            self._n += 1
            row = Row(self._n, e.id, e.lane, e.topic, e.payload, e.retain)
            rows.append(row)
            self._put[row.id] = row
            self._forget.discard(row.id)
            if row.lane is Lane.SOS:
                self.urgent[row.id] = row
        for id_ in forget:
            self.urgent.pop(id_, None)
            if self._put.pop(id_, None) is None or self._asked:
                self._forget.add(id_)
        self._shed()
        return rows

    async def commit(self, snapshot: bytes) -> StorageTrouble | None:
        """Write all that is held; give what went wrong, or None when it is on the disk."""
        put, forget = dict(self._put), set(self._forget)
        done, trouble = await self._ask(lambda: self._write(snapshot, put.values(), forget))
        if done is not None:
            self._adopt()
            self.dropped += done
            self._forget -= forget
            for id_, row in put.items():
                if self._put.get(id_) is row:
                    del self._put[id_]
        return trouble

    async def page(self, after: int, limit: int) -> list[Row]:
        """Give bulk messages made after place `after`, oldest first, from disk and memory."""
        done, _ = await self._ask(lambda: self._store().page(BULK, after, limit))
        held = [r for r in self._put.values() if r.lane in BULK and r.n > after]
        rows = {r.n: r for r in [*(done or []), *held] if r.id not in self._forget}
        return [rows[n] for n in sorted(rows)][:limit]

    async def probe(self) -> bool:
        """Tell whether the disk answers at all: one that is full or read-only does.

        Only a disk that hangs is worth a restart; with any other the hub lives on from memory.
        """
        _, trouble = await self._ask(self._probe)
        return trouble is not StorageTrouble.SLOW

    @property
    def unsaved(self) -> int:
        """How many changes wait in memory for the disk."""
        return len(self._put) + len(self._forget)

    def close(self) -> None:
        """Let the thread end after what it is doing."""
        self._work.put(None)

    async def _ask(
        self, job: Callable[[], T], within_s: float | None = None
    ) -> tuple[T | None, StorageTrouble | None]:
        """Run `job` in the thread; while an earlier one hangs there, answer SLOW at once."""
        patience_s = within_s or self._patience_s
        loop = asyncio.get_running_loop()
        if self._asked and min(self._asked.values()) + patience_s < loop.time():
            return None, StorageTrouble.SLOW
        future: asyncio.Future[T] = loop.create_future()
        self._asked[future] = loop.time()
        self._work.put(lambda: _answer(loop, future, job))
        done, _ = await asyncio.wait({future}, timeout=patience_s)
        future.add_done_callback(self._asked.pop)
        if not done:
            return None, StorageTrouble.SLOW
        error = future.exception()
        if error is None:
            return future.result(), None
        if not isinstance(error, sqlite3.Error | OSError):
            raise error
        return None, trouble_of(error)

    def _shed(self) -> None:
        """Keep telemetry from filling the memory while the disk does not take it."""
        if len(self._put) > HELD_ROWS:
            oldest = [i for i, row in self._put.items() if row.lane is Lane.TELEMETRY]
            for id_ in oldest[: len(self._put) - HELD_ROWS]:
                del self._put[id_]
                self.dropped += 1

    def _serve(self) -> None:
        while job := self._work.get():
            job()
        if self._outbox:
            self._outbox.close()

    def _adopt(self) -> None:
        """Take up the SOS that the file held when it was opened, be it late."""
        found, self._found = self._found, []
        for row in found:
            if row.id not in self._forget:
                self.urgent.setdefault(row.id, row)

    def _open(self) -> tuple[bytes | None, int, StorageTrouble | None]:
        outbox, trouble = open_or_rescue(self._path)
        self._found = outbox.page((Lane.SOS,), after=0, limit=ALL)
        self._outbox = outbox
        return outbox.load(), outbox.last(), trouble

    def _store(self) -> Outbox:
        if self._outbox is None:
            self._open()
        assert self._outbox  # noqa: S101 - `_open` sets it or raises
        return self._outbox

    def _write(self, snapshot: bytes, put: Iterable[Row], forget: Iterable[str]) -> int:
        store = self._store()
        rows = list(put)
        store.commit(snapshot, rows, forget)
        if any(row.lane is Lane.TELEMETRY for row in rows):
            return store.trim(Lane.TELEMETRY, self._telemetry_rows)
        return 0

    def _probe(self) -> bool:
        self._store().probe()
        return True


def _answer(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], job: Callable[[], T]
) -> None:
    try:
        result = job()
    except Exception as error:  # noqa: BLE001 - handed to whoever asked
        loop.call_soon_threadsafe(future.set_exception, error)
    else:
        loop.call_soon_threadsafe(future.set_result, result)
