"""One process per state folder: a second hub would accept calls that the first never sees.

The claim is a lock on the folder itself. The kernel releases it when the process ends, however it
ends, and a folder that cannot be written to can be locked as well.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class ClaimedError(Exception):
    """Another process uses this state folder."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Lock the folder while the block runs; raise `ClaimedError` if another process has it.

    A folder that cannot be made or opened is not locked: the hub works without it, and reports a
    fault.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(held)
        raise ClaimedError(folder) from error
    try:
        yield
    finally:
        os.close(held)
