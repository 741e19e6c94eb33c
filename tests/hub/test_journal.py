"""The journal: no disk holds up a call for help, and nothing that it held is forgotten."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from hub.core.model.effects import Lane
from hub.core.model.events import StorageTrouble
from hub.outbox import repair, thread
from hub.outbox.store import Outbox
from hub.outbox.thread import Journal
from tests.hub.rig import SNAPSHOT, figure, publish, row, taken_up, tell, until
from tests.hub.test_outbox import empty, fill, remount, stuff, tmpfs

SOS, FAULT, TELEMETRY = Lane.SOS, Lane.FAULT, Lane.TELEMETRY
SLOW = StorageTrouble.SLOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@contextmanager
def opened(path: Path, patience_s: float = 1.0) -> Iterator[Journal]:
    journal = Journal(path, patience_s=patience_s)
    yield journal
    journal.close()


class Stuck:
    """Lets a method of the outbox hang until `free` is called."""

    def __init__(self, name: str = "commit") -> None:
        self._event = threading.Event()
        self._real = getattr(Outbox, name)
        self.patch = patch.object(Outbox, name, self._hang)

    def free(self) -> None:
        self._event.set()

    def _hang(self, *args: object) -> object:
        assert self._event.wait(60)
        return self._real(*args)

    def __get__(self, outbox: Outbox, _: object) -> object:
        return lambda *args: self._hang(outbox, *args)


@contextmanager
def stuck(name: str = "commit") -> Iterator[Stuck]:
    hang = Stuck(name)
    with patch.object(Outbox, name, hang):
        try:
            yield hang
        finally:
            hang.free()


def on_disk(path: Path, *lanes: Lane) -> list[str]:
    with closing(Outbox(path)) as outbox:
        return [r.id for r in outbox.page(lanes or (SOS,), 0, 100_000)]


def test_what_is_held_is_let_go_when_the_disk_has_it(path: Path) -> None:
    async def story() -> None:
        with opened(path) as journal:
            snapshot, commit = await taken_up(journal)
            assert snapshot is None
            journal.add([publish(1), publish(2, FAULT)], [])
            assert journal.unsaved == 2
            assert await commit(SNAPSHOT) is None
            assert journal.unsaved == 0
            assert list(journal.urgent) == ["b-1"]
            journal.add([], ["b-1"])
            assert await commit(SNAPSHOT) is None
            assert journal.urgent == {}

    tell(story())
    assert on_disk(path, SOS, FAULT) == ["b-2"]


def test_a_start_takes_up_what_the_file_holds(path: Path) -> None:
    calls = fill(path)

    async def story() -> None:
        with opened(path) as journal:
            snapshot, _ = await taken_up(journal)
            assert snapshot == SNAPSHOT
            assert list(journal.urgent.values()) == calls
            (new,) = journal.add([publish(9000)], [])
            assert new.n == 401

    tell(story())


def test_a_hanging_disk_holds_nobody_up_twice_and_gets_all_of_it_later(path: Path) -> None:
    async def story() -> None:
        with opened(path, patience_s=0.3) as journal:
            _, commit = await taken_up(journal)
            with stuck() as hang:
                journal.add([publish(1)], [])
                began = time.monotonic()
                assert await commit(SNAPSHOT) is SLOW
                first_s = time.monotonic() - began
                journal.add([publish(2)], [])
                began = time.monotonic()
                assert await commit(SNAPSHOT) is SLOW
                again_s = time.monotonic() - began
                assert await journal.probe() is False
                figure(f"hanging disk: first commit {first_s:.3f} s, next {again_s * 1e3:.1f} ms")
                assert 0.3 <= first_s < 0.3 + 1.0
                assert again_s < first_s / 2
                hang.free()
                await until(lambda: not journal._asked, "the disk is back")
            assert await journal.probe() is True
            journal.add([], ["b-1"])
            assert await commit(SNAPSHOT) is None
            assert journal.unsaved == 0

    tell(story())
    assert on_disk(path) == ["b-2"]


def test_what_a_late_commit_wrote_is_struck_out_when_it_was_settled_meanwhile(path: Path) -> None:
    """Else it would be sent again at every start."""

    async def story() -> None:
        with opened(path, patience_s=0.2) as journal:
            _, commit = await taken_up(journal)
            with stuck() as hang:
                journal.add([publish(1), publish(2, FAULT)], [])
                assert await commit(SNAPSHOT) is SLOW
                hang.free()
                await until(lambda: not journal._asked, "the disk is back")
            journal.add([], ["b-1", "b-2"])
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path, SOS, FAULT) == []


def test_commits_pages_and_probes_that_overlap_are_no_hang(path: Path) -> None:
    """The disk is never idle for longer than the patience, and never slow."""
    fill(path)

    async def story() -> None:
        with opened(path, patience_s=0.5) as journal:
            _, commit = await taken_up(journal)
            end = time.monotonic() + 1.5
            verdicts: list[object] = []

            async def write(first: int) -> None:
                n = first
                while time.monotonic() < end:
                    journal.add([publish(n, TELEMETRY)], [])
                    verdicts.append(await commit(SNAPSHOT))
                    n += 1

            async def look() -> None:
                while time.monotonic() < end:
                    verdicts.append((await journal.page(0, 64))[1] or SLOW)
                    verdicts.append(await journal.probe() or SLOW)

            await asyncio.gather(write(10_000), write(50_000), look(), look())
            assert len(verdicts) > 50
            assert SLOW not in verdicts

    tell(story())


def test_a_disk_that_is_opened_late_loses_neither_old_nor_new(path: Path) -> None:
    """Nothing may be written over a file that has not been read."""
    calls = fill(path)

    async def story() -> None:
        with opened(path, patience_s=0.3) as journal:
            with stuck("sound") as hang:
                assert await journal.read(within_s=0.3) is None
                assert journal.trouble is SLOW
                journal.add([publish(9001), publish(9002, FAULT)], [])
                assert [r.id for r in (await journal.page(0, 64))[0]] == ["b-9002"]
                hang.free()
                await until(lambda: not journal._asked, "the disk is back")
            snapshot, commit = await taken_up(journal)
            assert snapshot == SNAPSHOT
            assert journal.known is True
            assert list(journal.urgent) == [*(r.id for r in calls), "b-9001"]
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path) == [*(r.id for r in calls), "b-9001"]


def test_a_read_only_disk_gives_its_calls_and_takes_new_ones_when_it_is_mended(
    tmp_path: Path,
) -> None:
    async def story(path: Path) -> None:
        calls = [r.id for r in fill(path, 40)]
        remount(path.parent, "ro")
        with opened(path) as journal:
            snapshot, commit = await taken_up(journal)
            assert snapshot == SNAPSHOT
            assert journal.trouble is StorageTrouble.READ_ONLY
            assert list(journal.urgent) == calls
            assert (await journal.page(0, 64))[1] is False
            journal.add([publish(9000)], ["b-20"])
            assert await commit(SNAPSHOT) is StorageTrouble.READ_ONLY
            assert await journal.probe() is True, "a restart would not help"
            remount(path.parent, "rw")
            assert await commit(SNAPSHOT) is None
            assert len((await journal.page(0, 64))[0]) == 38
            await until(lambda: journal.unsaved == 0, "all is written")

    with tmpfs(tmp_path / "small", "size=1m") as folder:
        tell(story(folder / "outbox.db"))
        assert on_disk(folder / "outbox.db") == ["b-40", "b-9000"]


def test_a_full_disk_keeps_what_it_has_and_gets_the_rest_when_there_is_room(
    tmp_path: Path,
) -> None:
    async def story(path: Path) -> None:
        with opened(path) as journal:
            _, commit = await taken_up(journal)
            ballast = stuff(path.parent)
            journal.add((publish(n) for n in range(300)), [])
            assert await commit(SNAPSHOT) is StorageTrouble.FULL
            assert len(journal.urgent) == 300
            assert await journal.probe() is True, "a restart would not help"
            ballast.unlink()
            assert await commit(SNAPSHOT) is None

    with tmpfs(tmp_path / "small", "size=1m") as folder:
        tell(story(folder / "outbox.db"))
        assert len(on_disk(folder / "outbox.db")) == 300


def test_a_file_that_breaks_while_in_use_is_rescued_and_gets_every_call_again(path: Path) -> None:
    async def story() -> None:
        with opened(path) as journal:
            _, commit = await taken_up(journal)
            journal.add([publish(1), publish(2)], [])
            assert await commit(SNAPSHOT) is None
            broken = sqlite3.DatabaseError("database disk image is malformed")
            broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            with patch.object(Outbox, "commit", side_effect=broken):
                journal.add([publish(3)], [])
                assert await commit(SNAPSHOT) is StorageTrouble.CORRUPT
            empty(path)
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path) == ["b-1", "b-2", "b-3"]


def test_what_nobody_foresaw_in_the_thread_is_a_trouble_and_ends_nothing(path: Path) -> None:
    async def story() -> None:
        with opened(path) as journal:
            _, commit = await taken_up(journal)
            with patch.object(thread.Shelf, "write", side_effect=ZeroDivisionError):
                journal.add([publish(1)], [])
                assert await commit(SNAPSHOT) is StorageTrouble.ERROR
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path) == ["b-1"]


def test_a_disk_that_answers_with_an_error_is_not_hung(path: Path) -> None:
    """A restart would lose what is held in memory, and mend nothing."""

    async def story() -> None:
        with opened(path) as journal:
            await taken_up(journal)
            with patch.object(Outbox, "probe", side_effect=OSError(5, "I/O error")):
                assert await journal.probe() is True

    tell(story())


def test_while_the_disk_fails_telemetry_is_shed_and_calls_and_faults_never(path: Path) -> None:
    async def story() -> None:
        with opened(path) as journal:
            for n in range(3000):
                journal.add([publish(n, (SOS, FAULT, TELEMETRY)[n % 3])], [])
            assert journal.dropped == 1000
            assert journal.unsaved == 2000
            assert len(journal.urgent) == 1000

    tell(story())


def test_the_file_is_opened_where_no_folder_was(tmp_path: Path) -> None:
    async def story() -> None:
        with opened(tmp_path / "a" / "b" / "outbox.db") as journal:
            snapshot, _ = await taken_up(journal)
            assert snapshot is None
            assert (journal.known, journal.trouble) == (True, None)

    tell(story())
    assert repair.peek(tmp_path / "a" / "b" / "outbox.db") == (None, [])


def test_rows_keep_their_order_over_restarts(path: Path) -> None:
    async def story(first: int) -> None:
        with opened(path) as journal:
            _, commit = await taken_up(journal)
            journal.add((publish(n, FAULT) for n in range(first, first + 3)), [])
            await commit(SNAPSHOT)

    for first in (1, 4, 7):
        tell(story(first))
    with closing(Outbox(path)) as outbox:
        assert outbox.page((FAULT,), 0, 99) == [row(n, FAULT) for n in range(1, 10)]
