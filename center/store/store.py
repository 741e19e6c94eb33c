"""The store: one thread writes. All jobs that wait go into one transaction; then it answers each.

A job is a function of a connection. It may run twice (a batch that fails is repeated job by job),
so it only reads and writes the database; what follows the commit goes into `after`.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from center.store.dialect import WRITE, StoreError, keep_copy, open_engine
from center.store.migrations import bring_up, identity, schema_of
from center.store.tables import SCHEMA, meta

MAX_BATCH = 512
PROBE = "probe_utc"  # a key of the table `meta`

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class StoreState(Struct, frozen=True):
    """Whether the last commit worked, how many jobs wait, and what failed."""

    ok: bool
    waiting: int
    trouble: str = ""


class _Ticket(Struct, Generic[T]):
    job: Callable[[Connection], T]
    future: Future[T]


class Store:
    """The database of the centre. Any thread may use it; `close` ends its own thread.

    `id` is random and made with the database; a copy of the database has the same.
    """

    def __init__(self, url: str) -> None:
        """Open and, where needed, create the database, or raise `StoreError`."""
        self._engine = open_engine(url)
        self._writer = self._engine.execution_options(**{WRITE: True})
        try:
            self._copy_before_raising()
            with self._writer.begin() as connection:
                bring_up(connection)
                self.id = identity(connection)
        except SQLAlchemyError as error:
            self._engine.dispose()
            message = f"the database cannot be opened: {error.__cause__ or error}"
            raise StoreError(message) from error
        except StoreError:
            self._engine.dispose()
            raise
        self._queue: queue.SimpleQueue[_Ticket[Any] | None] = queue.SimpleQueue()
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="anbu-store", daemon=True)
        self._thread.start()

    def submit(
        self,
        job: Callable[[Connection], T],
        after: Callable[[Future[T]], None] | None = None,
    ) -> Future[T]:
        """Queue a job. Its result comes after the commit; `after` runs then, in order of commits.

        The future's exception is whatever made the job fail; then nothing of it is stored.
        """
        future: Future[T] = Future()
        if after:
            future.add_done_callback(after)
        self._queue.put(_Ticket(job, future))
        return future

    async def change(
        self, job: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a writing job and return its result after the commit."""
        return await asyncio.wrap_future(self.submit(lambda conn: job(conn, *args, **kwargs)))

    async def ask(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a reading query in a thread, beside the writer."""
        return await asyncio.to_thread(lambda: self.read(query, *args, **kwargs))

    def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a reading query in this thread, within one snapshot."""
        with self._engine.connect() as connection:
            return query(connection, *args, **kwargs)

    def state(self) -> StoreState:
        """Return whether the store works, from any thread, at once."""
        return StoreState(not self._trouble, self._queue.qsize(), self._trouble)

    def has_died(self) -> bool:
        """Return whether its thread has ended: only a new process can help."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Store what is queued, then end."""
        self._queue.put(None)
        self._thread.join()
        self._engine.dispose()

    def _copy_before_raising(self) -> None:
        """Copy the database as the earlier program left it, so that it can be put back."""
        with self._engine.connect() as connection:
            held = schema_of(connection)
        if held and held < SCHEMA:
            keep_copy(self._engine, held)

    def _run(self) -> None:
        running = True
        while running:
            batch = [self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            running = None not in batch
            self._commit([t for t in batch if t and t.future.set_running_or_notify_cancel()])

    def _commit(self, batch: list[_Ticket[Any]]) -> None:
        try:
            with self._writer.begin() as connection:
                results = [ticket.job(connection) for ticket in batch]
        except Exception as error:  # noqa: BLE001 - passed on to whoever submitted the job
            self._fail(batch, error)
        else:
            self._trouble = ""
            for ticket, result in zip(batch, results, strict=True):
                ticket.future.set_result(result)

    def _fail(self, batch: list[_Ticket[Any]], error: Exception) -> None:
        if len(batch) > 1:
            for ticket in batch:
                self._commit([ticket])
            return
        if isinstance(error, DBAPIError):
            self._trouble = type(error).__name__
        log.error("a job was not stored: %s", type(error).__name__)
        for ticket in batch:
            ticket.future.set_exception(error)


def write_probe(conn: Connection, utc: float, size: int = 0) -> None:
    """Write `size` characters and a few more, to see whether the disk takes them."""
    conn.execute(delete(meta).where(meta.c.key == PROBE))
    conn.execute(insert(meta).values(key=PROBE, value=f"{utc}{'.' * size}"))
