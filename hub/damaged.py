"""A damaged file is kept beside its place, for whoever looks into it; never more than two of it."""

import time
from contextlib import suppress
from pathlib import Path

KEPT = 2  # a file that is damaged again and again must not fill the card


def put_aside(path: Path, parts: tuple[str, ...] = ("",)) -> None:
    """Rename `path`, with each of `parts` added to its name, and let the oldest such copies go.

    Raises `OSError` where that cannot be done. The name holds the time, which may be wrong after a
    start: so the oldest go first, and the newest is never one of them.
    """
    old = sorted({_stem(path, one) for one in path.parent.glob(f"{path.name}.damaged-*")})
    for name in old[: max(0, len(old) - KEPT + 1)]:
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
