"""What a hub knows of its backup: a file that `anbu provision` shows without a network's client."""

from pathlib import Path

import msgspec
from msgspec import Struct

FILE = "backup.json"


class Mark(Struct, frozen=True):
    """What is known of the backup of `hub`: the file `backup.json`. Times are UTC seconds."""

    hub: str = ""
    since_utc: float = 0.0  # when it was first tried
    asked: bool = False  # the centre has said what there is
    came: dict[str, str] = {}  # files that came from there, with their hashes
    came_utc: float | None = None
    offered: bool = True  # False: this authority keeps nothing
    stored_utc: float | None = None
    devices: str = ""  # a hash of the list that was stored
    had: list[str] = []  # the parts that were stored and not empty
    days: int = 0  # of the habits that were stored
    trouble: str = ""  # why the last try failed


def mark_of(state_dir: Path) -> Mark:
    """Read the mark; one that cannot be read counts as none."""
    try:
        return msgspec.json.decode((state_dir / FILE).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return Mark()
