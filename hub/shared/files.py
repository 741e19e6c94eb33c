"""Writes files so that a crash or power cut leaves the old or the new one, never half of one."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file beside `path`, sync it to the disk, and rename it to `path`.

    `mode` is the file's mode before the umask. A power cut may still bring the old file back; where
    it must not, call `to_disk` with the folder. Raises `OSError`; the old file is then unchanged.
    """
    # the leading dot keeps the new file out of the globs that count copies of `path`
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk. Raises `OSError`."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
