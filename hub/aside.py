"""Bytes that could not be read whole are kept beside their file before it is written over."""

import hashlib
import os
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
