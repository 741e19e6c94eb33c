"""What could not be read whole is kept beside its file: the bytes, or the file itself."""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

MOST = 2  # of one file: the newest, so that an SD card never fills with them


def keep(path: Path, raw: bytes) -> Path:
    """Keep `raw` as `<name>.unread-<digest>`, once; raise `OSError` where that cannot be."""
    kept = path.with_name(f"{path.name}.unread-{hashlib.sha256(raw).hexdigest()[:12]}")
    if kept.exists():
        return kept
    fresh = kept.with_name(f"{path.name}.unread.new")
    with fresh.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(kept)
    all_kept = path.parent.glob(f"{path.name}.unread-*")
    for old in sorted(all_kept, key=lambda one: one.stat().st_mtime_ns)[:-MOST]:
        old.unlink(missing_ok=True)
    return kept


def put_aside(path: Path, parts: tuple[str, ...] = ("",)) -> None:
    """Rename `path`, with each of `parts` added to its name, and let the oldest such copies go.

    Raises `OSError` where that cannot be done. The name holds the time, which may be wrong after a
    start: so the oldest go first, and the newest is never one of them.
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
    """Give the name of a copy without its part (`outbox.db.damaged-17-wal`)."""
    number = copy.name.removeprefix(f"{path.name}.damaged-").partition("-")[0]
    return f"{path.name}.damaged-{number}"
