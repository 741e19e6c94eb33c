"""A file that cannot be read completely is copied aside before it is overwritten."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from hub.core.model.state import HomeState
from hub.outbox.store import Outbox
from hub.outbox.thread import OutboxThread
from tests.hub.core.supervision.test_snapshot import LIVED, RAW
from tests.hub.rig import taken_up

TORN = RAW[:-40]


def started(folder: Path, raw: bytes) -> bytes | None:
    """Write the snapshot `raw`, open the outbox again, and write another snapshot."""
    outbox = Outbox(folder / "outbox.db")
    outbox.commit(raw, (), ())
    outbox.close()

    async def story() -> bytes | None:
        outbox = OutboxThread(folder / "outbox.db")
        found, commit = await taken_up(outbox)
        assert await commit(msgspec.msgpack.encode(HomeState())) is None
        outbox.close()
        return found

    return asyncio.run(story())


def kept(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.glob("snapshot.bin.unread-*")}


def test_a_snapshot_that_was_not_read_whole_is_kept_once_and_the_newest_two(tmp_path: Path) -> None:
    newer = msgspec.msgpack.encode(msgspec.to_builtins(LIVED) | {"format": 2})
    for raw in (TORN, TORN, TORN[:-1], newer):
        assert started(tmp_path, raw) == raw
        assert raw in kept(tmp_path)
    assert kept(tmp_path) == {TORN[:-1], newer}


def test_a_whole_snapshot_is_not_kept(tmp_path: Path) -> None:
    assert started(tmp_path, RAW) == RAW
    assert kept(tmp_path) == set()


def test_a_disk_that_cannot_keep_it_holds_up_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub.shared.files.os.fsync", full)
    assert started(tmp_path, TORN) == TORN
    assert kept(tmp_path) == set()
