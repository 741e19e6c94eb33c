"""The outbox as the journal's thread uses it: opened when it can be, and anew when it broke."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from hub.core.model.effects import Lane
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
