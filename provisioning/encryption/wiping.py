"""Wiping: the key is destroyed, then what it kept, and what was never encrypted is overwritten.

    begun (a mark on the card) -> key gone -> folders gone -> the rest gone -> mark gone

Before the mark nothing has changed. After it a power cut does not matter: the next start goes on
before the hub does. What a card keeps aside of overwritten blocks is out of reach: record 0053.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from provisioning.encryption import fscrypt
from provisioning.encryption.folders import ASIDE, FOLDERS
from provisioning.encryption.fscrypt import UnsupportedError
from provisioning.encryption.keyfile import FOLDER, KeyFile, overwrite

MARK = FOLDER / "wiping"
ALSO = ("var/lib/anbu-firstboot", "var/log/journal", "var/swap")  # plain on every hub
KEYS = "etc/anbu/*.key"  # of a hub whose certificate was put there by hand
NETWORKS = ("etc/NetworkManager/system-connections", "etc/netplan")
WIFI = b"wifi"  # in a network's file; other networks stay, the county may need them
CAUSES = (UnsupportedError, OSError)


def begin(root: Path) -> None:
    """Decide it: from now on each start goes on with it. Raises OSError."""
    mark = root / MARK
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()
    for place in (mark, mark.parent, mark.parent.parent):
        _sync(place)


def is_begun(root: Path) -> bool:
    """Whether it was decided and has not ended."""
    return (root / MARK).exists()


def go_on(root: Path) -> None:
    """Do all of it, or what an interrupted one has left. Raises OSError; then the mark stays."""
    lock(root)
    KeyFile(root).destroy()
    for place in whereabouts(root):
        if place.exists():
            erase(place)
            _sync(place.parent)
    end(root)


def lock(root: Path) -> None:
    """Take the key from the kernel as well: what was read with it leaves the memory."""
    for folder in (root / name for name in FOLDERS):
        with suppress(*CAUSES):
            if (identifier := fscrypt.policy(folder)) is not None:
                fscrypt.remove_key(folder, identifier)


def end(root: Path) -> None:
    """Take the mark away: the next start makes a new key and empty folders. Raises OSError."""
    (root / MARK).unlink(missing_ok=True)
    _sync((root / MARK).parent)


def whereabouts(root: Path) -> Iterator[Path]:
    """Yield each file and folder that goes, encrypted ones first."""
    for name in FOLDERS:
        yield root / name
        yield root / f"{name}{ASIDE}"
    for also in ALSO:
        yield root / also
    yield from sorted(root.glob(KEYS))
    for folder in NETWORKS:
        for file in sorted((root / folder).glob("*")):
            if file.is_file() and WIFI in file.read_bytes():
                yield file


def erase(place: Path) -> None:
    """Overwrite a file, or each in a folder, and remove it; links are only removed.

    What is encrypted cannot be opened any more, and is only removed. Raises OSError.
    """
    import shutil  # noqa: PLC0415 - not at a usual start

    if place.is_dir() and not place.is_symlink():
        for file in place.rglob("*"):
            if file.is_file() and not file.is_symlink():
                _overwrite(file)
        shutil.rmtree(place)
    else:
        if not place.is_symlink():
            overwrite(place)
        place.unlink()


def _overwrite(file: Path) -> None:
    try:
        overwrite(file)
    except OSError as error:
        if error.errno != errno.ENOKEY:  # it is noise already
            raise


def _sync(place: Path) -> None:
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
