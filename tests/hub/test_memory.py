"""The file of the learned state: whole, or learned anew; and never written over unread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from msgspec.structs import replace

from hub import memory
from hub.core.habits import FRESH, Habits
from hub.journal import Journal
from hub.memory import Memory

TAUGHT = replace(FRESH, days=30, day=20_000, peaks=(3.0, 4.0))


def tell(story: Callable[[Journal], Coroutine[Any, Any, None]], folder: Path) -> None:
    async def told() -> None:
        journal = Journal(folder / "outbox.db", patience_s=0.2)
        try:
            await story(journal)
        finally:
            journal.close()

    asyncio.run(told())


def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    async def story(journal: Journal) -> None:
        first = Memory(tmp_path / "habits.bin", journal)
        assert await first.load() is FRESH
        await first.save(TAUGHT)
        assert await Memory(tmp_path / "habits.bin", journal).load() == TAUGHT

    tell(story, tmp_path)
    assert [path.name for path in tmp_path.glob("habits*")] == ["habits.bin"]


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
def test_a_file_that_is_of_no_use_is_learned_anew_and_written_over(
    tmp_path: Path, raw: bytes
) -> None:
    path = tmp_path / "habits.bin"
    path.write_bytes(raw)

    async def story(journal: Journal) -> None:
        one = Memory(path, journal)
        assert await one.load() is FRESH
        assert one.lost == ("habits",)
        await one.save(TAUGHT)
        again = Memory(path, journal)
        assert (await again.load(), again.lost) == (TAUGHT, ())

    tell(story, tmp_path)
    (kept,) = tmp_path.glob("habits.bin.unread-*")
    assert kept.read_bytes() == raw[: memory.MOST_BYTES + 1]


def test_what_a_newer_program_has_learned_is_taken_up_as_far_as_it_is_known(
    tmp_path: Path,
) -> None:
    path = tmp_path / "habits.bin"
    newer = msgspec.to_builtins(TAUGHT) | {"version": 2, "moods": [1, 2], "longest": {"a": "b"}}
    path.write_bytes(msgspec.msgpack.encode(newer))

    async def story(journal: Journal) -> None:
        one = Memory(path, journal)
        assert await one.load() == TAUGHT
        assert one.lost == ("habits 2",)

    tell(story, tmp_path)
    assert len(list(tmp_path.glob("habits.bin.unread-*"))) == 1


def test_a_disk_that_hangs_at_start_costs_no_time_and_what_it_holds_is_not_written_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "habits.bin"
    path.write_bytes(msgspec.msgpack.encode(TAUGHT))
    granted = threading.Event()
    read = memory._read

    def hanging(where: Path) -> tuple[Habits, tuple[str, ...]]:
        granted.wait(10)
        return read(where)

    async def story(journal: Journal) -> None:
        one = Memory(path, journal)
        with patch.object(memory, "_read", hanging):
            assert await one.load() is FRESH
        granted.set()
        await one.save(replace(FRESH, days=1))

    tell(story, tmp_path)
    assert msgspec.msgpack.decode(path.read_bytes(), type=Habits) == TAUGHT


def test_a_saving_that_fails_leaves_the_old_file_and_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin"

    async def story(journal: Journal) -> None:
        one = Memory(path, journal)
        await one.load()
        with patch("hub.memory.os.fsync", side_effect=OSError(28, "full")):
            await one.save(TAUGHT)
        assert not path.exists()
        await one.save(TAUGHT)
        assert path.exists()

    tell(story, tmp_path)


def test_it_is_saved_now_and_then_and_only_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin"
    written: list[Habits] = []

    async def story(journal: Journal) -> None:
        one = Memory(path, journal)
        await one.load()
        with (
            patch.object(memory, "EVERY_S", 0.001),
            patch.object(memory, "_write", lambda _, habits: written.append(habits)),
        ):
            keeping = asyncio.create_task(one.keep(lambda: TAUGHT))
            with suppress(TimeoutError):  # so that a second saving would have come
                await asyncio.wait_for(keeping, 0.3)

    tell(story, tmp_path)
    assert written == [TAUGHT]
