"""The outbox with a thread for its disk, so that no disk can delay a call for help.

What is to be written is held in memory until it is on the disk. When a commit fails, or takes
longer than `patience_s`, it stays in memory: the engine sends from there and raises a fault, and
the next commit writes all of it again.

    read() -> Found -> take_up(found) -> commit

Only `take_up` returns the function that commits: nothing can overwrite a file that was not read.
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
from hub.core.model.state import HomeState
from hub.core.supervision import snapshot as snapshots
from hub.outbox.aside import keep
from hub.outbox.renamed import renamed, topics
from hub.outbox.repair import open_or_repair, peek
from hub.outbox.store import DISK_ERRORS, Outbox, Row, trouble_of

LOG = logging.getLogger("anbu")
ALL = 1_000_000
SNAPSHOT = "snapshot.bin"  # the name under which an unreadable snapshot is kept aside
BROKEN = (StorageTrouble.CORRUPT, StorageTrouble.ERROR)  # after these the file is opened again
BULK = (Lane.FAULT, Lane.TELEMETRY)
HELD_ROWS = 1000
T = TypeVar("T")
Commit = Callable[[bytes], Awaitable[StorageTrouble | None]]


class Found(Struct, frozen=True):
    """What the file held: snapshot, SOS, highest place in use, and what is wrong with the disk."""

    snapshot: bytes | None
    urgent: list[Row]
    last: int = 0
    trouble: StorageTrouble | None = None

    @property
    def lost(self) -> tuple[str, ...]:
        """Names of lost parts: a damaged file without a snapshot has lost it."""
        gone = self.snapshot is None and self.trouble is StorageTrouble.CORRUPT
        return (snapshots.BYTES,) if gone else ()


class OutboxFile:
    """The file, opened when it is first needed. Blocking calls; they raise `DISK_ERRORS`."""

    def __init__(self, path: Path, telemetry_rows: int, hub: str) -> None:
        self._path, self._telemetry_rows, self._hub = path, telemetry_rows, hub
        self._outbox: Outbox | None = None
        self._damage: StorageTrouble | None = None

    def open(self) -> Found:
        """Return what the file holds.

        A file that cannot be opened for writing is read as well: it may hold a call for help.
        """
        try:
            store = self._store()
        except DISK_ERRORS as error:
            snapshot, rows = peek(self._path)
            ours = (renamed(row, self._hub) for row in rows)
            urgent = [row for row in ours if row is not None and row.lane is Lane.SOS]
            last = max((row.n for row in rows), default=0)
            return Found(snapshot, urgent, last, trouble_of(error))
        self._rename(store)
        raw = store.load()
        if snapshots.decode(raw).lost and raw:  # before anything is written over it
            with suppress(OSError):
                keep(self._path.with_name(SNAPSHOT), raw)
        found = (renamed(row, self._hub) for row in store.page((Lane.SOS,), 0, ALL))
        urgent = [row for row in found if row is not None]
        return Found(raw, urgent, store.last(), self._damage)

    def _rename(self, store: Outbox) -> None:
        """Address what is owed to the hub's present name; a full disk does that at another start.

        It is the caller's thread that waits, once after the name has changed.
        """
        if not self._hub:
            return
        with suppress(*DISK_ERRORS):
            old = store.elsewhere(topics(self._hub))
            new = [one for row in old if (one := renamed(row, self._hub)) is not None]
            gone = {row.id for row in old} - {row.id for row in new}
            if old:
                store.commit(None, new, gone)

    def write(self, snapshot: bytes, put: Iterable[Row], forget: Iterable[str]) -> int:
        """Commit; return how many telemetry rows were deleted to keep their number down."""
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
        """Return messages as `Outbox.page` does."""
        return self._store().page(lanes, after, limit)

    def probe(self) -> None:
        """Read from the device; hangs if the device hangs."""
        if self._outbox:
            self._outbox.probe()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        outbox, self._outbox = self._outbox, None
        if outbox:
            outbox.close()

    def _store(self) -> Outbox:
        if self._outbox is None:
            self._outbox, self._damage = open_or_repair(self._path)
        return self._outbox


class OutboxThread:
    """All messages that the hub owes: in memory, and on the disk as far as the disk works."""

    def __init__(
        self, path: Path, *, hub: str = "", patience_s: float = 1.0, telemetry_rows: int = 2000
    ) -> None:
        """`hub` is the name that it has now; "": none, so what is owed keeps the one of before."""
        self._patience_s = patience_s
        self._file = OutboxFile(path, telemetry_rows, hub)  # only the thread touches it
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._asked: dict[asyncio.Future[Any], float] = {}  # jobs not done yet, since when
        self._heard = asyncio.Event()  # a job was done since the last wait
        self._complaint = ""
        self._n = 0
        self._put: dict[str, Row] = {}
        self._forget: set[str] = set()
        self.urgent: dict[str, Row] = {}  # SOS rows until the centre's `received`
        self._found: Found | None = None  # set by the thread
        self.known = False  # whether `take_up` was called
        self.trouble: StorageTrouble | None = None
        self.dropped = 0  # telemetry rows deleted for room since the process began
        threading.Thread(target=self._serve, name="anbu-outbox", daemon=True).start()

    async def read(self, within_s: float = 3.0) -> Found | None:
        """Return what the file holds, repaired if it was damaged; None: not yet, call it again.

        Sets `trouble`. An answer that came after `within_s` is returned by the next call, so that a
        slow disk is read in the end.
        """
        trouble = None
        if self._found is None:
            _, trouble = await self._ask(self._look, within_s)
        self.trouble = trouble if self._found is None else self._found.trouble
        return self._found

    async def answer(self, within_s: float) -> None:
        """Wait until the thread has finished any job, at most `within_s`."""
        self._heard.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._heard.wait()

    def take_up(self, found: Found) -> Commit:
        """Place the SOS of the file before those made meanwhile; return the commit function."""
        mine = {i: replace(r, n=r.n + found.last) for i, r in (self.urgent | self._put).items()}
        self._n += found.last
        self._put = {i: mine[i] for i in self._put}
        old = {row.id: row for row in self.unsettled(found)}
        self.urgent = old | {i: mine[i] for i in self.urgent}
        self.known = True
        return self._commit

    def unsettled(self, found: Found) -> list[Row]:
        """Return the SOS of the file that were not settled before the file could be read."""
        return [row for row in found.urgent if row.id not in self._forget]

    def settled(self) -> frozenset[str]:
        """Return the ids that are settled and may still be in the file."""
        return frozenset(self._forget)

    def add(self, publishes: Iterable[Publish], forget: Iterable[str]) -> list[Row]:
        """Hold what the next commit is to write; return the new messages as rows."""
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
            self._forget.add(id_)  # also of a held row: a commit that was too slow may yet write it
        self._shed()
        return rows

    async def page(self, after: int, limit: int) -> tuple[list[Row], bool]:
        """Return bulk messages above place `after`, oldest first, and whether these are all.

        False: the disk could not be read, and these are only the rows held in memory.
        """
        done = None
        if self.known:
            done, _ = await self._ask(lambda: self._file.page(BULK, after, limit))
        held = [r for r in self._put.values() if r.lane in BULK and r.n > after]
        rows = {r.n: r for r in [*(done or []), *held] if r.id not in self._forget}
        return [rows[n] for n in sorted(rows)][:limit], done is not None

    async def probe(self) -> bool:
        """Whether the disk answers at all, as a full or a read-only one does.

        Only a disk that hangs needs a restart; with any other trouble the hub works from memory.
        """
        _, trouble = await self._ask(self._file.probe)
        return trouble is not StorageTrouble.SLOW

    async def aside(self, job: Callable[[], T]) -> tuple[T | None, StorageTrouble | None]:
        """Run other disk work in the thread; return its result, or None and what went wrong."""
        return await self._ask(job)

    @property
    def unsaved(self) -> int:
        """How many changes in memory are not on the disk yet."""
        return len(self._put) + len(self._forget)

    def close(self) -> None:
        """End the thread after its present jobs."""
        self._work.put(None)

    async def _ask(
        self, job: Callable[[], T], within_s: float | None = None
    ) -> tuple[T | None, StorageTrouble | None]:
        """Run `job` in the thread; while an earlier job hangs there, return SLOW at once.

        One future and one timer instead of `asyncio.wait`: a call leaves one turn of the loop
        sooner.
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
        """Delete the oldest telemetry in memory while the disk does not accept it."""
        if len(self._put) > HELD_ROWS:
            oldest = [i for i, row in self._put.items() if row.lane is Lane.TELEMETRY]
            for id_ in oldest[: len(self._put) - HELD_ROWS]:
                del self._put[id_]
                self.dropped += 1

    async def _commit(self, snapshot: bytes) -> StorageTrouble | None:
        """Write all that is held; return what went wrong, or None when it is on the disk."""
        again = self.urgent if self.trouble else {}  # the file may have been replaced by a repair
        put, forget = {**again, **self._put}, set(self._forget)
        done, self.trouble = await self._ask(
            lambda: self._file.write(snapshot, put.values(), forget)
        )
        if done is not None:
            self.dropped += done
            self._forget -= forget
            for id_, row in put.items():
                if self._put.get(id_) is row:
                    del self._put[id_]
        return self.trouble

    def _look(self) -> None:
        self._found = self._file.open()

    def _serve(self) -> None:
        while job := self._work.get():
            job()
        self._file.close()


def decode_snapshot(raw: bytes | None, *also: str) -> HomeState:
    """Return the state of a snapshot; a fault in it names the parts that could not be read.

    `also` names what could not be read of other files.
    """
    kept = snapshots.decode(raw)
    lost = (*kept.lost, *also)
    if lost:
        LOG.error("not all that was kept could be read: %s", ", ".join(lost))
    return snapshots.with_fault(kept.state, lost)


def _give(answer: "asyncio.Future[T]", result: T) -> None:
    if not answer.done():  # too late, or the caller was cancelled
        answer.set_result(result)


def _work(
    loop: asyncio.AbstractEventLoop,
    job: Callable[[], object],
    answered: Callable[[object, Exception | None], None],
) -> None:
    with suppress(RuntimeError):  # the loop has ended, and the caller with it
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 - handed to the caller
            loop.call_soon_threadsafe(answered, None, error)
        else:
            loop.call_soon_threadsafe(answered, result, None)
