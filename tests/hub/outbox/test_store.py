"""The outbox's file: real files, real damage, a really full disk."""

import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.model.effects import Lane
from hub.core.model.events import StorageTrouble
from hub.core.model.state import HomeState
from hub.outbox.repair import open_or_repair, peek
from hub.outbox.store import DISK_ERRORS, Outbox, Row, trouble_of
from hub.outbox.thread import decode_snapshot
from tests.hub.rig import SNAPSHOT, figure, row

SOS, FAULT, TELEMETRY = Lane.SOS, Lane.FAULT, Lane.TELEMETRY
EVERY = (SOS, FAULT, TELEMETRY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def fill(path: Path, count: int = 400) -> list[Row]:
    """Write SOS among much telemetry with the outbox's own functions, and close it."""
    rows = [row(n, SOS if n % 20 == 0 else TELEMETRY) for n in range(1, count + 1)]
    outbox, trouble = open_or_repair(path)
    assert trouble is None
    with closing(outbox):
        outbox.commit(SNAPSHOT, rows, ())
    return [r for r in rows if r.lane is SOS]


def aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.damaged-*"))


def test_the_promise_is_asked_of_sqlite_and_read_back(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        assert outbox._one("PRAGMA journal_mode") == "wal"
        assert outbox._one("PRAGMA synchronous") == 2
        assert outbox._one("PRAGMA wal_autocheckpoint") == 256


def test_a_file_system_that_cannot_keep_the_promise_is_refused() -> None:
    with pytest.raises(sqlite3.OperationalError, match="keep its promise"):
        Outbox(Path(":memory:"))


READ = """
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("select id from message"): print(row[0])
"""


def test_what_is_committed_is_there_for_another_process(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        outbox.commit(b"state", [row(1), row(2, FAULT), row(3, TELEMETRY)], ())
        words = [sys.executable, "-c", READ, str(path)]
        read = subprocess.run(words, capture_output=True, text=True, check=True)
    assert read.stdout.split() == ["b-1", "b-2", "b-3"]


def test_a_commit_that_fails_in_the_middle_leaves_nothing_of_itself(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        outbox.commit(b"old", [row(1)], ())
        with pytest.raises(sqlite3.IntegrityError):
            outbox.commit(b"new", [row(2), row(1, id_="another")], ["b-1"])
        assert outbox.load() == b"old"
        assert [r.id for r in outbox.page(EVERY, 0, 10)] == ["b-1"]
        outbox.commit(b"newer", [], ())
        assert outbox.load() == b"newer"


def test_a_message_never_takes_the_place_of_another(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        outbox.commit(None, [row(1, id_="sos")], ())
        with pytest.raises(sqlite3.IntegrityError):
            outbox.commit(None, [row(1, id_="other")], ())
        outbox.commit(None, [row(1, id_="sos")], ())
        assert [r.id for r in outbox.page((SOS,), 0, 10)] == ["sos"]


def test_pages_come_in_the_order_of_making_and_only_of_their_lanes(path: Path) -> None:
    rows = [row(n, EVERY[n % 3]) for n in range(1, 31)]
    with closing(Outbox(path)) as outbox:
        outbox.commit(None, reversed(rows), ())
        bulk = [r for r in rows if r.lane is not SOS]
        assert outbox.page((FAULT, TELEMETRY), 0, 7) == bulk[:7]
        assert outbox.page((FAULT, TELEMETRY), bulk[6].n, 100) == bulk[7:]
        assert outbox.last() == 30
        assert outbox.count(SOS) == 10


def test_the_oldest_telemetry_goes_first_and_is_counted(path: Path) -> None:
    with closing(Outbox(path)) as outbox:
        outbox.commit(None, [row(n, EVERY[n % 3]) for n in range(1, 31)], ())
        assert outbox.trim(TELEMETRY, keep=4) == 6
        assert outbox.trim(TELEMETRY, keep=4) == 0
        assert [r.n for r in outbox.page((TELEMETRY,), 0, 99)] == [20, 23, 26, 29]
        assert outbox.count(SOS) == outbox.count(FAULT) == 10


def test_a_good_file_is_opened_as_it_is(path: Path) -> None:
    fill(path)
    outbox, trouble = open_or_repair(path)
    with closing(outbox):
        assert trouble is None
        assert outbox.load() == SNAPSHOT
        assert outbox.count(SOS) == 20
    assert aside(path) == []


def scramble(path: Path) -> None:
    """Random bytes over three pages of the table's leaves."""
    data, dice = bytearray(path.read_bytes()), random.Random(7)  # noqa: S311 - a test's dice
    pages = len(data) // 4096
    for page in dice.sample(range(pages // 2, pages), 3):
        data[page * 4096 : (page + 1) * 4096] = dice.randbytes(4096)
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def replace(path: Path) -> None:
    path.write_text("this is no database\n" * 1000)


@pytest.mark.parametrize(
    ("damage", "least"), [(scramble, 12), (truncate, 8), (empty, 0), (replace, 0)]
)
def test_a_damaged_file_is_kept_aside_and_what_can_be_read_is_saved(
    path: Path, damage: Callable[[Path], None], least: int
) -> None:
    calls = fill(path)
    damage(path)
    damaged = path.read_bytes()
    began = time.monotonic()
    outbox, trouble = open_or_repair(path)
    took_s = time.monotonic() - began
    with closing(outbox):
        saved = outbox.page((SOS,), 0, 999)
        figure(f"{damage.__name__}: {len(saved)} of {len(calls)} SOS saved in {took_s:.3f} s")
        assert trouble is StorageTrouble.CORRUPT
        assert took_s < 5.0
        assert aside(path)[0].read_bytes() == damaged
        assert len(saved) >= least
        assert set(saved) <= set(calls)
        assert outbox.load() == (SNAPSHOT if least else None)
        outbox.commit(b"goes on", [row(9999)], ())
    again, trouble = open_or_repair(path)
    again.close()
    assert trouble is None


def test_of_a_file_that_breaks_at_each_start_two_copies_are_kept(path: Path) -> None:
    """Only the newest copies are kept, even with a clock at 1970: a card must not fill up."""
    for n in range(5):
        fill(path)
        path.write_bytes(b"broken %d" % n)
        with patch("hub.outbox.aside.time.time_ns", lambda n=n: 1 if n == 4 else 10**18 + n):
            outbox, trouble = open_or_repair(path)
        outbox.close()
        assert trouble is StorageTrouble.CORRUPT
        kept = {one.read_bytes() for one in aside(path)}
        assert b"broken %d" % n in kept
        assert len(kept) == min(n + 1, 2)
        path.unlink()


def test_an_sos_that_only_the_log_holds_is_saved_from_a_damaged_file(path: Path) -> None:
    """The newest commits are only in the WAL when the power fails."""
    fill(path)
    with closing(Outbox(path)) as outbox:
        outbox.commit(SNAPSHOT, [row(1000, id_="newest")], ())
        folder = path.parent / "cut"
        folder.mkdir()
        for part in ("", "-wal"):
            shutil.copy(f"{path}{part}", folder / f"{path.name}{part}")
    scramble(folder / path.name)
    outbox, trouble = open_or_repair(folder / path.name)
    with closing(outbox):
        assert trouble is StorageTrouble.CORRUPT
        assert "newest" in [r.id for r in outbox.page((SOS,), 0, 999)]


def test_a_call_that_the_index_has_lost_is_found_in_the_table(tmp_path: Path) -> None:
    """What is sent is read by the index: a call that is missing there would never leave."""
    path = tmp_path / "outbox.db"
    fill(path, 3)
    name = ("message_by_lane",)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        index = database.execute("SELECT * FROM sqlite_master WHERE name = ?", name).fetchone()
        database.execute("DELETE FROM sqlite_master WHERE name = ?", name)
    with closing(Outbox(path)) as outbox:
        if outbox._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", name).fetchone():
            outbox._db.execute("DROP INDEX message_by_lane")
        outbox.commit(None, [row(9999)], ())
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("DELETE FROM sqlite_master WHERE name = ?", name)
        database.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)
    outbox, trouble = open_or_repair(path)
    with closing(outbox):
        assert trouble is StorageTrouble.CORRUPT
        assert "b-9999" in [r.id for r in outbox.page((SOS,), 0, 999)]
        outbox.commit(b"x", [row(10_000)], ())


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), spots=st.integers(1, 40))
def test_no_damage_keeps_the_hub_from_starting(
    tmp_path_factory: pytest.TempPathFactory, seed: int, spots: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "outbox.db"
    calls = fill(path, 60)
    data, dice = bytearray(path.read_bytes()), random.Random(seed)  # noqa: S311 - a test's dice
    for _ in range(spots):
        data[dice.randrange(len(data))] = dice.randrange(256)
    path.write_bytes(data)
    outbox, trouble = open_or_repair(path)
    with closing(outbox):
        if trouble:
            assert len(outbox.page((SOS,), 0, 999)) <= len(calls)
        decode_snapshot(outbox.load())
        outbox.commit(b"x", [row(9999)], ())


@given(st.binary(max_size=300))
def test_no_snapshot_keeps_the_hub_from_starting(snapshot: bytes) -> None:
    logging.disable()
    assert isinstance(decode_snapshot(snapshot), HomeState)
    assert isinstance(decode_snapshot(SNAPSHOT[: len(snapshot)] + snapshot), HomeState)
    logging.disable(logging.NOTSET)


def test_a_new_hub_starts_afresh() -> None:
    assert decode_snapshot(None) == HomeState()


@pytest.mark.parametrize("step", ["make", "rename", "fsync"])
def test_a_power_cut_in_the_middle_of_a_rescue_loses_nothing(path: Path, step: str) -> None:
    calls = fill(path)
    scramble(path)
    whole = len(peek(path)[1])

    class PowerCutError(Exception):
        pass

    def dies(*_: object) -> None:
        raise PowerCutError

    rename, renamed = Path.rename, list[Path]()

    def dies_late(self: Path, target: Path) -> Path:
        if renamed:
            raise PowerCutError
        renamed.append(self)
        return rename(self, target)

    whose, name, death = {
        "make": (Outbox, "commit", dies),
        "rename": (Path, "rename", dies_late),
        "fsync": (os, "fsync", dies),
    }[step]
    with patch.object(whose, name, death), pytest.raises(PowerCutError):
        open_or_repair(path)
    outbox, _ = open_or_repair(path)
    with closing(outbox):
        saved = [r for r in outbox.page(EVERY, 0, 999) if r.id in {c.id for c in calls}]
        assert len(outbox.page(EVERY, 0, 999)) == whole
        assert len(saved) >= 12
        assert outbox.load() == SNAPSHOT


def test_rubbish_is_not_sent_to_the_center_for_ever(path: Path) -> None:
    """The centre would never confirm it."""
    fill(path, 40)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE message SET payload = x'00ff' WHERE id = 'b-20'")
        db.commit()
    assert [r.id for r in peek(path)[1] if r.lane is SOS] == ["b-40"]


def test_a_call_in_a_lane_that_only_a_newer_program_has_is_not_lost(path: Path) -> None:
    fill(path, 40)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE message SET lane = 9 WHERE id IN ('b-20', 'b-39')")
        db.commit()
    outbox, trouble = open_or_repair(path)
    with closing(outbox):
        assert trouble is StorageTrouble.CORRUPT
        found = {row.id: row.lane for row in outbox.page(EVERY, 0, 999)}
        assert found["b-20"] is SOS
        assert len(found) == 40


# A file system of one megabyte, and one that cannot be written.


@contextmanager
def tmpfs(folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("mounting needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with tmpfs(tmp_path / "small", "size=1m") as folder:
        yield folder


def stuff(folder: Path, leave: int = 0) -> Path:
    """Fill the disk but for `leave` bytes."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - leave))
    return ballast


def go_on(outbox: Outbox) -> None:
    """Commit until it fails."""
    with closing(outbox):
        for n in range(1000, 1400):
            outbox.commit(b"s", [row(n)], ())


def test_a_full_disk_is_named_and_what_was_committed_stays(small: Path) -> None:
    path = small / "outbox.db"
    calls = fill(path, 40)
    outbox = Outbox(path)
    ballast = stuff(small)
    with pytest.raises(sqlite3.Error) as error:
        go_on(outbox)
    figure(f"full: {error.value}")
    assert trouble_of(error.value) is StorageTrouble.FULL
    ballast.unlink()
    with closing(Outbox(path)) as outbox:
        kept = outbox.page((SOS,), 0, 999)
        assert kept[: len(calls)] == calls
        outbox.commit(b"s", [row(2000)], ())


def test_a_disk_that_is_full_at_start_still_gives_its_calls_for_help(small: Path) -> None:
    path = small / "outbox.db"
    calls = fill(path, 40)
    stuff(small)
    with pytest.raises(DISK_ERRORS) as error:
        go_on(open_or_repair(path)[0])
    figure(f"full at start: {error.value}")
    assert trouble_of(error.value) is StorageTrouble.FULL
    snapshot, rows = peek(path)
    assert snapshot is not None
    assert [r for r in rows if r.lane is SOS][: len(calls)] == calls


@pytest.mark.parametrize("clean", [True, False])
def test_a_read_only_disk_still_gives_its_calls_for_help(
    tmp_path: Path, small: Path, *, clean: bool
) -> None:
    """How SD cards fail: after an error the kernel mounts them read-only."""
    calls = fill(tmp_path / "outbox.db", 40)
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        if not clean:
            outbox.commit(SNAPSHOT, [row(500)], ())
        for part in ("", "-wal"):
            shutil.copy(f"{tmp_path}/outbox.db{part}", small)
    path = small / "outbox.db"
    remount(small, "ro")
    try:
        with pytest.raises(DISK_ERRORS) as error:
            go_on(open_or_repair(path)[0])
        figure(f"read-only: {error.value}")
        assert trouble_of(error.value) is StorageTrouble.READ_ONLY
        snapshot, rows = peek(path)
        assert snapshot == SNAPSHOT
        expected = [r.id for r in calls] + ([] if clean else ["b-500"])
        assert [r.id for r in rows if r.lane is SOS] == expected
    finally:
        remount(small, "rw")


def test_a_missing_file_on_a_read_only_disk_is_no_riddle(small: Path) -> None:
    remount(small, "ro")
    assert peek(small / "outbox.db") == (None, [])
    remount(small, "rw")
