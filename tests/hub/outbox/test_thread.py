"""The outbox's thread: no disk delays a call for help, and nothing that it held is lost."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from hub.contract import examples, wire
from hub.contract.messages import CheckInResult
from hub.core.model.effects import Lane, Publish
from hub.core.model.events import StorageTrouble
from hub.outbox import repair, thread
from hub.outbox.renamed import renamed
from hub.outbox.store import Outbox, Row
from hub.outbox.thread import OutboxThread
from tests.hub.outbox.test_store import empty, fill, remount, stuff, tmpfs
from tests.hub.rig import EVENT, HUB, SNAPSHOT, figure, publish, row, taken_up, tell, until

SOS, FAULT, TELEMETRY = Lane.SOS, Lane.FAULT, Lane.TELEMETRY
SLOW = StorageTrouble.SLOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@contextmanager
def opened(path: Path, patience_s: float = 1.0) -> Iterator[OutboxThread]:
    outbox = OutboxThread(path, patience_s=patience_s)
    yield outbox
    outbox.close()


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
        with opened(path) as outbox:
            snapshot, commit = await taken_up(outbox)
            assert snapshot is None
            outbox.add([publish(1), publish(2, FAULT)], [])
            assert outbox.unsaved == 2
            assert await commit(SNAPSHOT) is None
            assert outbox.unsaved == 0
            assert list(outbox.urgent) == ["b-1"]
            outbox.add([], ["b-1"])
            assert await commit(SNAPSHOT) is None
            assert outbox.urgent == {}

    tell(story())
    assert on_disk(path, SOS, FAULT) == ["b-2"]


def test_a_start_takes_up_what_the_file_holds(path: Path) -> None:
    calls = fill(path)

    async def story() -> None:
        with opened(path) as outbox:
            snapshot, _ = await taken_up(outbox)
            assert snapshot == SNAPSHOT
            assert list(outbox.urgent.values()) == calls
            (new,) = outbox.add([publish(9000)], [])
            assert new.n == 401

    tell(story())


def test_a_hanging_disk_holds_nobody_up_twice_and_gets_all_of_it_later(path: Path) -> None:
    async def story() -> None:
        with opened(path, patience_s=0.3) as outbox:
            _, commit = await taken_up(outbox)
            with stuck() as hang:
                outbox.add([publish(1)], [])
                began = time.monotonic()
                assert await commit(SNAPSHOT) is SLOW
                first_s = time.monotonic() - began
                outbox.add([publish(2)], [])
                began = time.monotonic()
                assert await commit(SNAPSHOT) is SLOW
                again_s = time.monotonic() - began
                assert await outbox.probe() is False
                figure(f"hanging disk: first commit {first_s:.3f} s, next {again_s * 1e3:.1f} ms")
                assert 0.3 <= first_s < 0.3 + 1.0
                assert again_s < first_s / 2
                hang.free()
                await until(lambda: not outbox._asked, "the disk is back")
            assert await outbox.probe() is True
            outbox.add([], ["b-1"])
            assert await commit(SNAPSHOT) is None
            assert outbox.unsaved == 0

    tell(story())
    assert on_disk(path) == ["b-2"]


def test_what_a_late_commit_wrote_is_struck_out_when_it_was_settled_meanwhile(path: Path) -> None:
    """Else the message would be sent again at every start."""

    async def story() -> None:
        with opened(path, patience_s=0.2) as outbox:
            _, commit = await taken_up(outbox)
            with stuck() as hang:
                outbox.add([publish(1), publish(2, FAULT)], [])
                assert await commit(SNAPSHOT) is SLOW
                hang.free()
                await until(lambda: not outbox._asked, "the disk is back")
            outbox.add([], ["b-1", "b-2"])
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path, SOS, FAULT) == []


def test_commits_pages_and_probes_that_overlap_are_no_hang(path: Path) -> None:
    """The disk is never idle for longer than the patience, and never slow."""
    fill(path)

    async def story() -> None:
        with opened(path, patience_s=0.5) as outbox:
            _, commit = await taken_up(outbox)
            end = time.monotonic() + 1.5
            verdicts: list[object] = []

            async def write(first: int) -> None:
                n = first
                while time.monotonic() < end:
                    outbox.add([publish(n, TELEMETRY)], [])
                    verdicts.append(await commit(SNAPSHOT))
                    n += 1

            async def look() -> None:
                while time.monotonic() < end:
                    verdicts.append((await outbox.page(0, 64))[1] or SLOW)
                    verdicts.append(await outbox.probe() or SLOW)

            await asyncio.gather(write(10_000), write(50_000), look(), look())
            assert len(verdicts) > 50
            assert SLOW not in verdicts

    tell(story())


def test_a_disk_that_is_opened_late_loses_neither_old_nor_new(path: Path) -> None:
    """Nothing may be written over a file that has not been read."""
    calls = fill(path)

    async def story() -> None:
        with opened(path, patience_s=0.3) as outbox:
            with stuck("sound") as hang:
                assert await outbox.read(within_s=0.3) is None
                assert outbox.trouble is SLOW
                outbox.add([publish(9001), publish(9002, FAULT)], [])
                assert [r.id for r in (await outbox.page(0, 64))[0]] == ["b-9002"]
                hang.free()
                await until(lambda: not outbox._asked, "the disk is back")
            snapshot, commit = await taken_up(outbox)
            assert snapshot == SNAPSHOT
            assert outbox.known is True
            assert list(outbox.urgent) == [*(r.id for r in calls), "b-9001"]
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path) == [*(r.id for r in calls), "b-9001"]


def test_a_read_only_disk_gives_its_calls_and_takes_new_ones_when_it_is_mended(
    tmp_path: Path,
) -> None:
    async def story(path: Path) -> None:
        calls = [r.id for r in fill(path, 40)]
        remount(path.parent, "ro")
        with opened(path) as outbox:
            snapshot, commit = await taken_up(outbox)
            assert snapshot == SNAPSHOT
            assert outbox.trouble is StorageTrouble.READ_ONLY
            assert list(outbox.urgent) == calls
            assert (await outbox.page(0, 64))[1] is False
            outbox.add([publish(9000)], ["b-20"])
            assert await commit(SNAPSHOT) is StorageTrouble.READ_ONLY
            assert await outbox.probe() is True, "a restart would not help"
            remount(path.parent, "rw")
            assert await commit(SNAPSHOT) is None
            assert len((await outbox.page(0, 64))[0]) == 38
            await until(lambda: outbox.unsaved == 0, "all is written")

    with tmpfs(tmp_path / "small", "size=1m") as folder:
        tell(story(folder / "outbox.db"))
        assert on_disk(folder / "outbox.db") == ["b-40", "b-9000"]


def test_a_full_disk_keeps_what_it_has_and_gets_the_rest_when_there_is_room(
    tmp_path: Path,
) -> None:
    async def story(path: Path) -> None:
        with opened(path) as outbox:
            _, commit = await taken_up(outbox)
            ballast = stuff(path.parent)
            outbox.add((publish(n) for n in range(300)), [])
            assert await commit(SNAPSHOT) is StorageTrouble.FULL
            assert len(outbox.urgent) == 300
            assert await outbox.probe() is True, "a restart would not help"
            ballast.unlink()
            assert await commit(SNAPSHOT) is None

    with tmpfs(tmp_path / "small", "size=1m") as folder:
        tell(story(folder / "outbox.db"))
        assert len(on_disk(folder / "outbox.db")) == 300


def test_a_file_that_breaks_while_in_use_is_rescued_and_gets_every_call_again(path: Path) -> None:
    async def story() -> None:
        with opened(path) as outbox:
            _, commit = await taken_up(outbox)
            outbox.add([publish(1), publish(2)], [])
            assert await commit(SNAPSHOT) is None
            broken = sqlite3.DatabaseError("database disk image is malformed")
            broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            with patch.object(Outbox, "commit", side_effect=broken):
                outbox.add([publish(3)], [])
                assert await commit(SNAPSHOT) is StorageTrouble.CORRUPT
            empty(path)
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path) == ["b-1", "b-2", "b-3"]


def test_what_nobody_foresaw_in_the_thread_is_a_trouble_and_ends_nothing(path: Path) -> None:
    async def story() -> None:
        with opened(path) as outbox:
            _, commit = await taken_up(outbox)
            with patch.object(thread.OutboxFile, "write", side_effect=ZeroDivisionError):
                outbox.add([publish(1)], [])
                assert await commit(SNAPSHOT) is StorageTrouble.ERROR
            assert await commit(SNAPSHOT) is None

    tell(story())
    assert on_disk(path) == ["b-1"]


def test_a_disk_that_answers_with_an_error_is_not_hung(path: Path) -> None:
    """A restart would lose what is held in memory, and mend nothing."""

    async def story() -> None:
        with opened(path) as outbox:
            await taken_up(outbox)
            with patch.object(Outbox, "probe", side_effect=OSError(5, "I/O error")):
                assert await outbox.probe() is True

    tell(story())


def test_while_the_disk_fails_telemetry_is_shed_and_calls_and_faults_never(path: Path) -> None:
    async def story() -> None:
        with opened(path) as outbox:
            for n in range(3000):
                outbox.add([publish(n, (SOS, FAULT, TELEMETRY)[n % 3])], [])
            assert outbox.dropped == 1000
            assert outbox.unsaved == 2000
            assert len(outbox.urgent) == 1000

    tell(story())


def test_the_file_is_opened_where_no_folder_was(tmp_path: Path) -> None:
    async def story() -> None:
        with opened(tmp_path / "a" / "b" / "outbox.db") as outbox:
            snapshot, _ = await taken_up(outbox)
            assert snapshot is None
            assert (outbox.known, outbox.trouble) == (True, None)

    tell(story())
    assert repair.peek(tmp_path / "a" / "b" / "outbox.db") == (None, [])


def test_rows_keep_their_order_over_restarts(path: Path) -> None:
    async def story(first: int) -> None:
        with opened(path) as outbox:
            _, commit = await taken_up(outbox)
            outbox.add((publish(n, FAULT) for n in range(first, first + 3)), [])
            await commit(SNAPSHOT)

    for first in (1, 4, 7):
        tell(story(first))
    with closing(Outbox(path)) as outbox:
        assert outbox.page((FAULT,), 0, 99) == [row(n, FAULT) for n in range(1, 10)]


def test_what_is_owed_under_another_name_goes_out_under_the_present_one(path: Path) -> None:
    async def story() -> None:
        with opened(path) as outbox:
            _, commit = await taken_up(outbox)
            outbox.add([publish(1), publish(2, FAULT), publish(3, TELEMETRY), checkin(4)], ())
            assert await commit(SNAPSHOT) is None
        with named(path, "js-0999") as outbox:
            found = await outbox.read()
            assert found is not None
            (call,) = found.urgent
            read = wire.read_from_hub(call.topic, call.payload)
            assert (read.hub, read.lost) == ("js-0999", ())
            outbox.take_up(found)
            assert await outbox.page(0, 10) == ([], True), "what is no call is forgotten"
        with named(path, "") as outbox:
            found = await outbox.read()
            assert found is not None
            assert found.urgent == [call], "without a name it keeps the one of before"

    tell(story())


def test_a_call_that_cannot_be_read_is_not_forgotten_with_the_name() -> None:
    torn = Row(1, "b-1", SOS, EVENT, b"\xff" * 20, retain=False)
    other = renamed(torn, "js-0999")
    assert other is not None
    assert other.topic == "anbu/1/js-0999/event"


def test_a_full_disk_keeps_no_call_under_the_old_name(path: Path) -> None:
    async def story() -> None:
        with opened(path) as outbox:
            _, commit = await taken_up(outbox)
            outbox.add([publish(1)], ())
            assert await commit(SNAPSHOT) is None
        full = sqlite3.OperationalError("database or disk is full")
        with patch.object(Outbox, "commit", side_effect=full), named(path, "js-0999") as outbox:
            found = await outbox.read()
            assert found is not None
            assert [row.topic for row in found.urgent] == ["anbu/1/js-0999/event"]

    tell(story())


def checkin(n: int) -> Publish:
    """What a resident has answered; it is no call."""
    told = replace(examples.check_in_event(CheckInResult.FINE), source=wire.source(HUB))
    return Publish(f"c-{n}", SOS, EVENT, wire.encode(told))


@contextmanager
def named(path: Path, hub: str) -> Iterator[OutboxThread]:
    outbox = OutboxThread(path, hub=hub)
    yield outbox
    outbox.close()
