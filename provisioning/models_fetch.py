"""One file, fetched: resumed where it broke off, and in place only when its hash is right.

What has come so far lies beside it as `.part`; a file under its own name is always whole. How much
is read is bounded by the size that is known beforehand, how long by the slowest speed borne.
"""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from provisioning.models.download import FetchError, Line, Why

PROGRESS_BYTES = 1 << 20  # a try that brought so much was no failure
SPARE_BYTES = 64 << 20  # the disk is not for models alone
Watch = Callable[[int], None]  # is told how many bytes there are


class Wanted(Struct, frozen=True):
    """A file that is wanted: from where, to where, and what it must be."""

    url: str
    to: Path
    size: int
    sha256: str

    @property
    def part(self) -> Path:
        """Where it lies until it is whole."""
        return self.to.with_name(f"{self.to.name}.part")

    @property
    def rest(self) -> int:
        """How many bytes are still to come."""
        return max(self.size - _size(self.part), 0)


def fetch(wanted: Wanted, line: Line, watch: Watch) -> None:
    """Bring a file, with retries. Raises FetchError, or OSError from the disk."""
    wanted.to.parent.mkdir(parents=True, exist_ok=True)
    pauses, failures = line.patience.pauses_s, 0
    while True:
        before = _size(wanted.part)
        try:
            _bring(wanted, line, watch)
            _accept(wanted, resumed=before > 0)
        except FetchError as error:
            if not error.again or failures >= len(pauses):
                raise
            time.sleep(pauses[failures])
            failures = 0 if _size(wanted.part) - before >= PROGRESS_BYTES else failures + 1
        else:
            return


def make_room(folder: Path, needed: int) -> None:
    """Raise FetchError unless there is room for `needed` bytes, and some to spare."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise full(folder, needed + SPARE_BYTES, free)


def full(folder: Path, needed: int, free: int) -> FetchError:
    """Give the error of a disk with too little room, all in bytes."""
    return FetchError(
        Why.FULL, folder=folder, mb=f"{needed / 1e6:.0f}", free_mb=f"{free / 1e6:.0f}"
    )


def on_disk(error: OSError, folder: Path) -> FetchError:
    """Give what the disk said, in our words."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full(folder, SPARE_BYTES, shutil.disk_usage(folder).free)
    return FetchError(Why.UNWRITABLE, folder=error.filename or folder, error=error.strerror)


def _bring(wanted: Wanted, line: Line, watch: Watch) -> None:
    begin = _size(wanted.part)
    if begin == wanted.size:
        return
    with line.open(wanted.url, begin) as (start, blocks), wanted.part.open("ab") as file:
        file.truncate(start)
        have = start
        for block in blocks:
            have += len(block)
            if have > wanted.size:
                file.truncate(0)
                raise FetchError(Why.TOO_LONG, url=wanted.url, size=wanted.size)
            file.write(block)
            watch(have)
        file.flush()
        os.fsync(file.fileno())


def _accept(wanted: Wanted, *, resumed: bool) -> None:
    """Put a file in its place, if it is what was wanted."""
    if _size(wanted.part) < wanted.size:
        raise FetchError(Why.CUT_OFF, again=True, url=wanted.url)
    with wanted.part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted.sha256:
        wanted.part.unlink()
        raise FetchError(Why.WRONG_HASH, again=resumed, url=wanted.url, found=found)
    wanted.part.replace(wanted.to)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
