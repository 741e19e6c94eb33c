"""Wiping: the key is destroyed, and all that the home has left is moved away and then erased.

    begin()      a mark on the card ("wiping"): from now on each start goes on with it
    make_way()   key gone -> each place moved to a name of its own -> the mark is "erasing"
                 (the folders are made anew, and the hub starts)
    erase_left() what was moved is overwritten and removed -> no mark

Before the mark nothing has changed. After it neither a power cut nor a card that fails matters: the
next start goes on. Once the mark is "erasing", only what was moved goes, and files that could not
be: what the next home writes is never taken for the old one's. What a card keeps aside of
overwritten blocks is out of reach: record 0053.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path

from provisioning.encryption import fscrypt
from provisioning.encryption.folders import ASIDE, FOLDERS
from provisioning.encryption.fscrypt import UnsupportedError
from provisioning.encryption.keyfile import FOLDER, KeyFile, LaterError, overwrite

WIPING, ERASING = "wiping", "erasing"  # a mark's name, and an id of this wiping
SWAP = "var/swap"
FIRSTBOOT, JOURNAL = "var/lib/anbu-firstboot", "var/log/journal/*"  # plain on every hub
KEYS = "etc/anbu/*.key"  # of a hub whose certificate was put there by hand
NETWORKS = ("etc/NetworkManager/system-connections", "etc/netplan")
WIFI = b"wifi"  # in a network's file; other networks stay, the county may need them
PARENTS = ("etc/anbu", *NETWORKS, "var/lib", "var/cache", JOURNAL, "var")  # the largest files last
CAUSES = (UnsupportedError, OSError)
SWAPOFF_S = 60.0  # what lies in it goes back to the memory


def begin(root: Path) -> None:
    """Decide it: from now on each start goes on with it. Raises OSError."""
    mark = next(_marks(root, WIPING), root / FOLDER / f"{WIPING}-{os.urandom(4).hex()}")
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()
    for place in (mark, mark.parent, mark.parent.parent):
        _sync(place)


def is_begun(root: Path) -> bool:
    """Whether it was decided, and the home is still in its place."""
    return any(_marks(root, WIPING))


def is_left(root: Path) -> bool:
    """Whether the home is out of the way, and something of it still has to be erased."""
    return any(_marks(root, ERASING))


def make_way(root: Path) -> list[str]:
    """Destroy the key and move the home away; return what failed: the rest is done all the same.

    Raises OSError where the key stays, or where it cannot be noted that all this was done; the
    next try then goes on, and moves nothing that has been moved already.
    """
    troubles: list[str] = []
    for mark in list(_marks(root, WIPING)):
        failure = _destroy(KeyFile(root), troubles)
        places = list(whereabouts(root))
        stayed = [file for place in places for file in _move(place, mark.name, troubles)]
        if failure is not None:
            raise failure
        _note(root, mark, stayed, troubles)
        _finish_moving(mark)
    return troubles


def go_on(root: Path) -> list[str]:
    """Do all of it, or what an interrupted one has left; as `make_way` and `erase_left`."""
    return [*make_way(root), *erase_left(root)]


def erase_left(root: Path, until: float = inf) -> list[str]:
    """Erase what was moved, and what could not be; return what failed: it is tried at each start.

    `until`: a monotonic time after which nothing more is begun. Raises LaterError.
    """
    troubles: list[str] = []
    places = sorted((*_stayed(root), *_moved(root)), key=lambda place: _is_swap(root, place))
    for place in places:
        if place == root / SWAP:
            _swap_off(place, until)
        erase(place, troubles, until)
        with suppress(OSError):
            _sync(place.parent)
    if not troubles:
        _end(root, troubles)
    return troubles


def erase(place: Path, troubles: list[str], until: float = inf) -> None:
    """Overwrite a file, or each in a folder, and remove it; links are only removed.

    What is encrypted cannot be opened any more, and is only removed. What fails is added to
    `troubles`: a file that cannot be overwritten is removed, and the others go. Raises LaterError.
    """
    try:
        if place.is_dir() and not place.is_symlink():
            for child in list(place.iterdir()):
                erase(child, troubles, until)
            if not any(place.iterdir()):
                place.rmdir()
        else:
            if place.is_file() and not place.is_symlink():
                _overwrite(place, troubles, until)
            place.unlink(missing_ok=True)
    except OSError as error:
        _tell(place, error, troubles)


def whereabouts(root: Path) -> Iterator[Path]:
    """Yield each file and folder of a home, encrypted ones first."""
    for name in FOLDERS:
        yield root / name
        yield root / f"{name}{ASIDE}"
    yield root / FIRSTBOOT
    yield from _found(root, KEYS)
    for folder in NETWORKS:
        yield from (file for file in _found(root, f"{folder}/[!.]*") if _is_wifi(file))
    yield from _found(root, f"{JOURNAL}/[!.]*")
    yield root / SWAP


def _destroy(keys: KeyFile, troubles: list[str]) -> OSError | None:
    """Destroy the key; return the failure where it can still be used."""
    try:
        keys.destroy()
    except OSError as error:
        if keys.is_whole():
            return error
        _tell(keys.folder, error, troubles)
    return None


def _move(place: Path, name: str, troubles: list[str]) -> list[Path]:
    """Move a place away; return the files that stay: it cannot be moved, and they not be erased."""
    aside = place.with_name(f".{place.name}.{name}")  # NetworkManager and journald read no such
    try:
        if not aside.exists():  # or the next hub made another, before an interrupted try goes on
            _lock(place)
            place.rename(aside)
    except FileNotFoundError:
        return []
    except OSError as error:
        if _is_in_use(error, place):
            return [place]
        return _empty(place, aside, troubles)
    return []


def _is_in_use(error: OSError, place: Path) -> bool:
    """Whether it is a file that the kernel swaps to: that takes a while to end, so not now."""
    return error.errno == errno.EPERM and f"{place.resolve()} " in _text(Path("/proc/swaps"))


def _empty(place: Path, aside: Path, troubles: list[str]) -> list[Path]:
    """Erase a place where it is: a mount point, a card that fails. Return the files that stay."""
    erase(place, troubles)
    if not os.path.isdir(place):  # noqa: PTH112 - it raises nothing
        return [place] if os.path.lexists(place) else []
    with suppress(OSError):  # it had its turn: what is in it later is not of this home
        aside.touch()
    return [Path(folder) / name for folder, _, names in os.walk(place) for name in names]


def _lock(place: Path) -> None:
    """Take the key from the kernel as well: what was read with it leaves the memory."""
    with suppress(*CAUSES):
        if (identifier := fscrypt.policy(place)) is not None:
            fscrypt.remove_key(place, identifier)


def _note(root: Path, mark: Path, stayed: list[Path], troubles: list[str]) -> None:
    """Wait until the disk has what was moved, and keep in the mark what was not."""
    import json  # noqa: PLC0415 - not at a usual start

    try:
        for pattern in PARENTS:
            for parent in _found(root, pattern):
                _sync(parent)
        if stayed:
            stamps = {str(file.relative_to(root)): _stamp(file) for file in stayed}
            mark.write_text(json.dumps(stamps), "utf-8")
            _sync(mark)
    except OSError as error:
        _tell(mark, error, troubles)


def _finish_moving(mark: Path) -> None:
    """Say that the home is out of its places: from now on they are the next one's."""
    mark.rename(mark.with_name(mark.name.replace(WIPING, ERASING)))
    _sync(mark.parent)


def _stayed(root: Path) -> Iterator[Path]:
    """Yield each file that could not be moved and is still the one that it was."""
    import json  # noqa: PLC0415 - as above

    for mark in _marks(root, ERASING):
        try:
            noted = json.loads(_text(mark) or "{}")
        except ValueError:
            continue
        for name, stamp in noted.items():
            if _stamp(root / name) == stamp:
                yield root / name


def _stamp(file: Path) -> str:
    """Return what changes with a file: another of its name, or new content, is not the home's."""
    try:
        found = file.lstat()
    except OSError as error:
        return str(error.errno)
    return f"{found.st_ino} {found.st_mtime_ns}"


def _moved(root: Path) -> Iterator[Path]:
    for pattern in PARENTS:
        yield from _found(root, f"{pattern}/.*.{WIPING}*")


def _is_swap(root: Path, place: Path) -> bool:
    """Whether it is the swap file: the largest comes last."""
    return place.parent == (root / SWAP).parent


def _swap_off(swap: Path, until: float) -> None:
    """Take a swap file out of use; where that fails it cannot be erased, which is told."""
    import subprocess  # noqa: PLC0415 - as above

    patience_s = min(SWAPOFF_S, until - time.monotonic())
    if patience_s <= 0:
        raise LaterError
    words = ["swapoff", str(swap)]
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(words, check=False, capture_output=True, timeout=patience_s)  # noqa: S603 - our own words


def _overwrite(file: Path, troubles: list[str], until: float) -> None:
    try:
        overwrite(file, until)
    except OSError as error:
        if error.errno != errno.ENOKEY:  # it is noise already
            _tell(file, error, troubles)


def _end(root: Path, troubles: list[str]) -> None:
    try:
        for mark in list(_marks(root, ERASING)):
            mark.unlink()
            _sync(mark.parent)
    except OSError as error:
        _tell(root / FOLDER, error, troubles)


def _marks(root: Path, kind: str) -> Iterator[Path]:
    return (root / FOLDER).glob(f"{kind}*")


def _found(root: Path, pattern: str) -> list[Path]:
    """Return what is there, as far as the card tells."""
    try:
        return sorted(root.glob(pattern))
    except OSError:
        return []


def _is_wifi(file: Path) -> bool:
    """Whether a network's file is one of a Wi-Fi; one that nobody can read may be."""
    try:
        return file.is_file() and WIFI in file.read_bytes()
    except OSError:
        return True


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _tell(place: Path, error: OSError, troubles: list[str]) -> None:
    told = f"{place}: {error.strerror or error}"
    if told not in troubles:
        troubles.append(told)


def _sync(place: Path) -> None:
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
