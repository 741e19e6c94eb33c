"""A file is written whole or not at all, with the permissions that are asked for."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.shared.files import to_disk, write_whole


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Make the kernel refuse to write more than `size` bytes to a file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_leaves_the_old_file_and_the_next_one_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin"
    write_whole(path, b"old")
    with files_at_most(4), pytest.raises(OSError, match="File too large"):
        write_whole(path, b"longer than four")
    assert path.read_bytes() == b"old"
    write_whole(path, b"longer than four")
    assert path.read_bytes() == b"longer than four"
    assert [one.name for one in tmp_path.iterdir()] == ["habits.bin"]


def test_half_a_file_is_no_copy_that_a_glob_counts(tmp_path: Path) -> None:
    path = tmp_path / "habits.bin.unread-0123"
    with files_at_most(4), pytest.raises(OSError, match="File too large"):
        write_whole(path, b"longer than four")
    assert not list(tmp_path.glob("habits.bin.unread-*"))


def test_a_key_is_never_readable_by_others_whatever_stood_there(tmp_path: Path) -> None:
    (tmp_path / ".hub.key.new").write_bytes(b"left by a crash")
    (tmp_path / ".hub.key.new").chmod(0o666)
    write_whole(tmp_path / "hub.key", b"secret", 0o600)
    assert (tmp_path / "hub.key").stat().st_mode & 0o777 == 0o600


def test_the_content_is_on_the_disk_before_the_name_and_then_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`to_disk` of the folder waits for the name as well: no power cut brings the old file back."""
    path, synced = tmp_path / "index.tsv", list[str]()

    def sync(descriptor: int) -> None:
        synced.append(f"{Path(f'/proc/self/fd/{descriptor}').readlink().name} {path.exists()}")

    monkeypatch.setattr(os, "fsync", sync)
    write_whole(path, b"new")
    to_disk(tmp_path)
    assert synced == [".index.tsv.new False", f"{tmp_path.name} True"]


def test_phrases_are_the_products_whatever_the_current_directory_holds(tmp_path: Path) -> None:
    (tmp_path / "voice").mkdir()  # a folder of that name, as a county's own plans may lie in
    program = "from voice.understanding.phrases import load; print(len(load().all) > 0)"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.stdout == "True\n", ended.stderr
