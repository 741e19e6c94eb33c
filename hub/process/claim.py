"""One process per state folder: a second one would take calls that the first never sees.

The claim is a lock on the folder itself. The kernel lets it go when the process ends, however it
ends, and a disk that cannot be written to can be claimed all the same.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class ClaimedError(Exception):
    """Another process works with this state folder."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs; raise `ClaimedError` where somebody else has it.

    A folder that cannot be made or opened is nobody's: the hub goes on without, and says so.
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
