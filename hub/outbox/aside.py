"""Copies of files that could not be read whole, kept beside them: the bytes, or the file itself."""

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from hub.shared.files import write_whole

MOST = 2  # copies of one file, the newest: an SD card must not fill up with them


def keep(path: Path, raw: bytes) -> Path:
    """Write `raw` to `<name>.unread-<digest>` and return that path; the same bytes only once.

    Raises `OSError` when the copy cannot be written.
    """
    kept = path.with_name(f"{path.name}.unread-{hashlib.sha256(raw).hexdigest()[:12]}")
    if kept.exists():
        return kept
    write_whole(kept, raw)
    all_kept = path.parent.glob(f"{path.name}.unread-*")
    for old in sorted(all_kept, key=lambda one: one.stat().st_mtime_ns)[:-MOST]:
        old.unlink(missing_ok=True)
    return kept


def put_aside(path: Path, parts: tuple[str, ...] = ("",)) -> None:
    """Rename `path`, with each of `parts` added to its name, and delete the oldest such copies.

    Raises `OSError` when that fails. The new name holds the time, which may be wrong after a start;
    the oldest copies are deleted before the rename, so the newest copy is never deleted.
    """
    old = sorted({_stem(path, one) for one in path.parent.glob(f"{path.name}.damaged-*")})
    for name in old[: max(0, len(old) - MOST + 1)]:
        for part in parts:
            path.with_name(name + part).unlink(missing_ok=True)
    aside = f"{path.name}.damaged-{time.time_ns():020d}"
    for part in parts:
        with suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(path.with_name(aside + part))


def _stem(path: Path, copy: Path) -> str:
    """Return a copy's name without its part: `...-17` for `outbox.db.damaged-17-wal`."""
    number = copy.name.removeprefix(f"{path.name}.damaged-").partition("-")[0]
    return f"{path.name}.damaged-{number}"
