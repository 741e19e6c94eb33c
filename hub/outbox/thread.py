"""The outbox behind a thread of its own, so that no disk can hold up a call for help.

What is to be written is first held in memory and let go when the disk has it. A commit that
fails, or takes longer than `patience_s`, leaves it held: the engine sends from memory, raises a
fault, and the next commit writes all of it again.

    Journal --read--> Found --take_up--> commit

Only whoever takes up what the file holds is given `commit`: so nothing is written over what nobody
knows yet.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from hub.core.model.effects import Lane, Publish
from hub.core.model.events import StorageTrouble
from hub.core.supervision import snapshot as snapshots
from hub.outbox.aside import keep
from hub.outbox.repair import open_or_rescue, peek
from hub.outbox.store import DISK_ERRORS, Outbox, Row, trouble_of

ALL = 1_000_000
SNAPSHOT = "snapshot.bin"  # is what a snapshot is called that is kept aside
BROKEN = (StorageTrouble.CORRUPT, StorageTrouble.ERROR)  # worth opening the file anew


class Found(Struct, frozen=True):
    """What the file held: the snapshot, the SOS, the highest place taken, what is wrong with it."""

    snapshot: bytes | None
    urgent: list[Row]
    last: int = 0
    trouble: StorageTrouble | None = None

    @property
    def lost(self) -> tuple[str, ...]:
        """What of it is known to be gone: a damaged file without a snapshot had one."""
        gone = self.snapshot is None and self.trouble is StorageTrouble.CORRUPT
        return (snapshots.BYTES,) if gone else ()


class Shelf:
    """Blocking, and for one thread. What fails raises one of `DISK_ERRORS`."""

    def __init__(self, path: Path, telemetry_rows: int) -> None:
        self._path, self._telemetry_rows = path, telemetry_rows
        self._outbox: Outbox | None = None
        self._damage: StorageTrouble | None = None

    def open(self) -> Found:
        """Give what the file holds.

        A file that cannot be opened for writing is read all the same: it may hold a call for help.
        """
        try:
            store = self._store()
        except DISK_ERRORS as error:
            snapshot, rows = peek(self._path)
            urgent = [row for row in rows if row.lane is Lane.SOS]
            last = max((row.n for row in rows), default=0)
            return Found(snapshot, urgent, last, trouble_of(error))
        raw = store.load()
        if snapshots.decode(raw).lost and raw:  # before anything is written over it
            with suppress(OSError):
                keep(self._path.with_name(SNAPSHOT), raw)
        return Found(raw, store.page((Lane.SOS,), 0, ALL), store.last(), self._damage)

    def write(self, snapshot: bytes, put: Iterable[Row], forget: Iterable[str]) -> int:
        """Commit; give how many telemetry rows were dropped for room."""
        store, rows = self._store(), list(put)
        try:
            store.commit(snapshot, rows, forget)
            if any(row.lane is Lane.TELEMETRY for row in rows):
                return store.trim(Lane.TELEMETRY, self._telemetry_rows)
        except DISK_ERRORS as error:
            if trouble_of(error) in BROKEN:
                self.close()
            raise
        return 0

    def page(self, lanes: Iterable[Lane], after: int, limit: int) -> list[Row]:
        """Give messages as `Outbox.page` does."""
        return self._store().page(lanes, after, limit)

    def probe(self) -> None:
        """Touch the device; hangs if it hangs."""
        if self._outbox:
            self._outbox.probe()

    def close(self) -> None:
        """Close the file, until it is used again."""
        outbox, self._outbox = self._outbox, None
        if outbox:
            outbox.close()

    def _store(self) -> Outbox:
        if self._outbox is None:
            self._outbox, self._damage = open_or_rescue(self._path)
        return self._outbox


LOG = logging.getLogger("anbu")
T = TypeVar("T")
Commit = Callable[[bytes], Awaitable[StorageTrouble | None]]
BULK = (Lane.FAULT, Lane.TELEMETRY)
HELD_ROWS = 1000


class Journal:
    """What the hub has promised, on disk where the disk works and in memory always."""

    def __init__(self, path: Path, *, patience_s: float = 1.0, telemetry_rows: int = 2000) -> None:
        self._patience_s = patience_s
        self._shelf = Shelf(path, telemetry_rows)  # only the thread touches it
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._asked: dict[asyncio.Future[Any], float] = {}  # not answered yet, since when
        self._heard = asyncio.Event()  # since the last wait for an answer
        self._complaint = ""
        self._n = 0
        self._put: dict[str, Row] = {}
        self._forget: set[str] = set()
        self.urgent: dict[str, Row] = {}  # SOS rows until the centre's `received`
        self._found: Found | None = None  # set by the thread
        self.known = False  # whether it was taken up what the file holds
        self.trouble: StorageTrouble | None = None
        self.dropped = 0  # telemetry lost to a full lane, since the process began
        threading.Thread(target=self._serve, name="anbu-journal", daemon=True).start()

    async def read(self, within_s: float = 3.0) -> Found | None:
        """Give what the file holds, rescuing it where it is damaged; None: it must be asked again.

        Nothing is taken up by it. A disk that has trouble leaves `trouble` set. What came too late
        for one who asked is given to the next: no disk is too slow for ever.
        """
        trouble = None
        if self._found is None:
            _, trouble = await self._ask(self._look, within_s)
        self.trouble = trouble if self._found is None else self._found.trouble
        return self._found

    async def answer(self, within_s: float) -> None:
        """Wait until the disk answers, be it to a question that was given up, or so long."""
        self._heard.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._heard.wait()

    def take_up(self, found: Found) -> Commit:
        """Hold the SOS of the file, before what was made till it could be read; give the writer."""
        mine = {i: replace(r, n=r.n + found.last) for i, r in (self.urgent | self._put).items()}
        self._n += found.last
        self._put = {i: mine[i] for i in self._put}
        old = {row.id: row for row in self.unsettled(found)}
        self.urgent = old | {i: mine[i] for i in self.urgent}
        self.known = True
        return self._commit

    def unsettled(self, found: Found) -> list[Row]:
        """Give the SOS of the file that were not settled before it could be read."""
        return [row for row in found.urgent if row.id not in self._forget]

    def settled(self) -> frozenset[str]:
        """Name what was settled and may still stand in the file."""
        return frozenset(self._forget)

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
            self._put.pop(id_, None)
            self._forget.add(id_)  # even what is held: a commit given up on may yet write it
        self._shed()
        return rows

    async def page(self, after: int, limit: int) -> tuple[list[Row], bool]:
        """Give bulk messages made after place `after`, oldest first, and whether these are all:
        while the disk cannot be read, only what is held in memory is known.
        """  # noqa: D205 - one sentence
        done = None
        if self.known:
            done, _ = await self._ask(lambda: self._shelf.page(BULK, after, limit))
        held = [r for r in self._put.values() if r.lane in BULK and r.n > after]
        rows = {r.n: r for r in [*(done or []), *held] if r.id not in self._forget}
        return [rows[n] for n in sorted(rows)][:limit], done is not None

    async def probe(self) -> bool:
        """Tell whether the disk answers at all: one that is full or read-only does.

        Only a disk that hangs is worth a restart; with any other the hub lives on from memory.
        """
        _, trouble = await self._ask(self._shelf.probe)
        return trouble is not StorageTrouble.SLOW

    async def aside(self, job: Callable[[], T]) -> tuple[T | None, StorageTrouble | None]:
        """Run other work of the disk in the thread; give its result, or what went wrong."""
        return await self._ask(job)

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
        """Run `job` in the thread; while an earlier one hangs there, answer SLOW at once.

        One future and one timer, not `asyncio.wait`: a turn of the loop less before a call leaves.
        """
        patience_s = within_s or self._patience_s
        loop = asyncio.get_running_loop()
        if self._asked and min(self._asked.values()) + patience_s < loop.time():
            return None, StorageTrouble.SLOW
        answer: asyncio.Future[tuple[T | None, StorageTrouble | None]] = loop.create_future()
        self._asked[answer] = loop.time()
        late = loop.call_later(patience_s, _give, answer, (None, StorageTrouble.SLOW))
        self._work.put(lambda: _work(loop, job, partial(self._answered, answer)))
        try:
            return await answer
        finally:
            late.cancel()

    def _answered(
        self, answer: "asyncio.Future[Any]", done: object, error: Exception | None
    ) -> None:
        del self._asked[answer]
        self._heard.set()
        if error and str(error) != self._complaint:
            self._complaint = str(error)
            expected = isinstance(error, DISK_ERRORS)
            LOG.warning("outbox: %s", error, exc_info=None if expected else error)
        _give(answer, (None, trouble_of(error)) if error else (done, None))

    def _shed(self) -> None:
        """Keep telemetry from filling the memory while the disk does not take it."""
        if len(self._put) > HELD_ROWS:
            oldest = [i for i, row in self._put.items() if row.lane is Lane.TELEMETRY]
            for id_ in oldest[: len(self._put) - HELD_ROWS]:
                del self._put[id_]
                self.dropped += 1

    async def _commit(self, snapshot: bytes) -> StorageTrouble | None:
        """Write all that is held; give what went wrong, or None when it is on the disk."""
        again = self.urgent if self.trouble else {}  # the file may be another one by now
        put, forget = {**again, **self._put}, set(self._forget)
        done, self.trouble = await self._ask(
            lambda: self._shelf.write(snapshot, put.values(), forget)
        )
        if done is not None:
            self.dropped += done
            self._forget -= forget
            for id_, row in put.items():
                if self._put.get(id_) is row:
                    del self._put[id_]
        return self.trouble

    def _look(self) -> None:
        self._found = self._shelf.open()

    def _serve(self) -> None:
        while job := self._work.get():
            job()
        self._shelf.close()


def _give(answer: "asyncio.Future[T]", result: T) -> None:
    if not answer.done():  # given up on, or whoever asked was cancelled
        answer.set_result(result)


def _work(
    loop: asyncio.AbstractEventLoop,
    job: Callable[[], object],
    answered: Callable[[object, Exception | None], None],
) -> None:
    with suppress(RuntimeError):  # the loop has ended, and whoever asked with it
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            loop.call_soon_threadsafe(answered, None, error)
        else:
            loop.call_soon_threadsafe(answered, result, None)
