"""The file of the learned habits: complete, or learned again; never overwritten unread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from msgspec.structs import replace

from hub.core.model.activity import FRESH, Habits
from hub.core.model.events import StorageTrouble
from hub.outbox import habits_file
from hub.outbox.habits_file import ENCODE, HabitsFile, Learned
from hub.outbox.thread import OutboxThread

TAUGHT = replace(FRESH, days=30, day=20_000, peaks=(3.0, 4.0))


def tell(story: Callable[[OutboxThread], Coroutine[Any, Any, None]], folder: Path) -> None:
    async def told() -> None:
        outbox = OutboxThread(folder / "outbox.db", patience_s=0.2)
        try:
            await story(outbox)
        finally:
            outbox.close()

    asyncio.run(told())


def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin"

    async def story(outbox: OutboxThread) -> None:
        assert await habits_file.read(path, outbox) == (Learned(FRESH), None)
        await HabitsFile(path, outbox, FRESH).save(TAUGHT)
        assert await habits_file.read(path, outbox) == (Learned(TAUGHT), None)

    tell(story, tmp_path)
    assert [one.name for one in tmp_path.glob("habits*")] == ["habits.bin"]


OTHER = replace(TAUGHT, days=12)


@pytest.mark.parametrize(
    ("own", "came", "taken"),
    [
        (None, ENCODE(TAUGHT), TAUGHT),
        (OTHER, ENCODE(TAUGHT), TAUGHT),
        (TAUGHT, ENCODE(OTHER), TAUGHT),
        (TAUGHT, b"rubbish", TAUGHT),
        (TAUGHT, b"", TAUGHT),
        (TAUGHT, ENCODE(FRESH), TAUGHT),
    ],
)
def test_what_came_from_the_hub_of_before_is_taken_once_where_it_is_more(
    tmp_path: Path, own: Habits | None, came: bytes, taken: Habits
) -> None:
    path = tmp_path / "habits.bin"
    if own is not None:
        path.write_bytes(ENCODE(own))
    (tmp_path / "habits.restored.bin").write_bytes(came)

    async def story(outbox: OutboxThread) -> None:
        for _ in range(2):
            assert await habits_file.read(path, outbox) == (Learned(taken), None)

    tell(story, tmp_path)
    assert not (tmp_path / "habits.restored.bin").exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"rubbish",
        msgspec.msgpack.encode(TAUGHT)[:-9],
        msgspec.msgpack.encode(replace(TAUGHT, ends=())),
        bytes(100_000),
    ],
)
def test_a_file_of_no_use_is_kept_aside_and_learned_anew(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "habits.bin"
    path.write_bytes(raw)

    async def story(outbox: OutboxThread) -> None:
        assert await habits_file.read(path, outbox) == (Learned(FRESH, ("habits",)), None)
        await HabitsFile(path, outbox, FRESH).save(TAUGHT)
        assert await habits_file.read(path, outbox) == (Learned(TAUGHT), None)

    tell(story, tmp_path)
    (kept,) = tmp_path.glob("habits.bin.unread-*")
    assert kept.read_bytes() == raw[: habits_file.MOST_BYTES + 1]


def test_what_a_newer_program_has_learned_is_taken_up_as_far_as_it_is_known(
    tmp_path: Path,
) -> None:
    path = tmp_path / "habits.bin"
    newer = msgspec.to_builtins(TAUGHT) | {"version": 2, "moods": [1, 2], "longest": {"a": "b"}}
    path.write_bytes(msgspec.msgpack.encode(newer))

    async def story(outbox: OutboxThread) -> None:
        assert await habits_file.read(path, outbox) == (Learned(TAUGHT, ("habits 2",)), None)

    tell(story, tmp_path)
    assert len(list(tmp_path.glob("habits.bin.unread-*"))) == 1


def test_of_a_file_that_is_damaged_again_and_again_two_copies_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin"

    async def story(outbox: OutboxThread) -> None:
        for n in range(5):
            path.write_bytes(b"rubbish %d" % n)
            assert await habits_file.read(path, outbox) == (Learned(FRESH, ("habits",)), None)

    tell(story, tmp_path)
    kept = sorted(one.read_bytes() for one in tmp_path.glob("habits.bin.unread-*"))
    assert kept == [b"rubbish 3", b"rubbish 4"]


def test_a_file_that_cannot_be_read_now_is_not_learned_anew(tmp_path: Path) -> None:
    (tmp_path / "habits.bin").mkdir()

    async def story(outbox: OutboxThread) -> None:
        habits, trouble = await habits_file.read(tmp_path / "habits.bin", outbox)
        assert (habits, trouble) == (None, StorageTrouble.ERROR)

    tell(story, tmp_path)
    assert (tmp_path / "habits.bin").is_dir()


def test_a_disk_that_hangs_at_start_costs_no_time(tmp_path: Path) -> None:
    granted = threading.Event()

    async def story(outbox: OutboxThread) -> None:
        with patch.object(habits_file, "_read", lambda _: granted.wait(10)):
            assert await habits_file.read(tmp_path, outbox) == (None, StorageTrouble.SLOW)
        granted.set()

    tell(story, tmp_path)


def test_a_saving_that_fails_leaves_the_old_file_and_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin"

    async def story(outbox: OutboxThread) -> None:
        one = HabitsFile(path, outbox, FRESH)
        with patch("hub.shared.files.os.fsync", side_effect=OSError(28, "full")):
            await one.save(TAUGHT)
        assert not path.exists()
        await one.save(TAUGHT)
        assert path.exists()

    tell(story, tmp_path)


def test_it_is_written_only_when_it_has_changed(tmp_path: Path) -> None:
    written: list[Habits] = []

    async def story(outbox: OutboxThread) -> None:
        one = HabitsFile(tmp_path / "habits.bin", outbox, FRESH)
        with patch.object(habits_file, "_write", lambda _, habits: written.append(habits)):
            for habits in (FRESH, TAUGHT, TAUGHT):
                await one.save(habits)

    tell(story, tmp_path)
    assert written == [TAUGHT]
