"""The state folders at each start, before the hub: unlocked, or made new as encrypted ones.

    missing, or empty       encrypted from now on
    encrypted with our key  unlocked
    encrypted, key is gone  set aside; a new one takes its place, and the hub starts unregistered
    with plain files in it  as it was: an older hub, or a file system that cannot do it

Nothing here keeps the hub from starting: a call for help comes before secrecy.
"""

import os
from enum import Enum
from pathlib import Path

from provisioning.encryption import fscrypt
from provisioning.encryption.fscrypt import UnsupportedError
from provisioning.encryption.keyfile import KeyFile

HUB, VOICE = Path("var/lib/anbu"), Path("var/lib/anbu-voice")
SPOKEN = Path("var/cache/anbu-voice")  # sentences that were said, names of people among them
BONDS = Path("var/lib/bluetooth")
FOLDERS = (HUB, VOICE, SPOKEN, BONDS)
RUNNING = Path("run/systemd/units/invocation:bluetooth.service")  # a link, while it runs
BLUEZ = Path("usr/libexec/bluetooth/bluetoothd")
ASIDE = ".locked"


class Kept(Enum):
    """How a folder is kept now."""

    ENCRYPTED = "encrypted"
    REPLACED = "replaced"  # the one before could not be unlocked
    PLAIN = "plain"
    UNSUPPORTED = "unsupported"
    ABSENT = "absent"


def prepare(root: Path = Path("/")) -> dict[Path, Kept]:
    """Unlock or encrypt each folder; return how each is kept.

    Raises OSError where the card fails; the folders with which it does not are ready all the same.
    """
    keys = KeyFile(root)
    key = keys.read()
    found: dict[Path, Kept] = {}
    failure: OSError | None = None
    for name in FOLDERS:
        folder = root / name
        try:
            found[name], key = _prepare(folder, keys, key, root)
        except UnsupportedError:
            found[name] = Kept.UNSUPPORTED
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return found


def _prepare(
    folder: Path, keys: KeyFile, key: bytes | None, root: Path
) -> tuple[Kept, bytes | None]:
    """Return how a folder is kept, and the key, which may have been made for it."""
    if folder == root / BONDS and not (folder.exists() or (root / BLUEZ).exists()):
        return Kept.ABSENT, key
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = _policy(folder)
    if named is None:
        if folder == root / BONDS and not (root / RUNNING).is_symlink():
            _empty_of_adapters(folder)
        if any(folder.iterdir()):
            return Kept.PLAIN, key
        return Kept.ENCRYPTED, _encrypt(folder, keys, key)
    if key is not None and fscrypt.add_key(folder, key) == named:
        return Kept.ENCRYPTED, key
    _set_aside(folder)
    return Kept.REPLACED, _encrypt(folder, keys, key)


def _policy(folder: Path) -> bytes | None:
    """Return the identifier of a folder's key; the file system is asked to have such folders."""
    try:
        return fscrypt.policy(folder)
    except UnsupportedError:
        fscrypt.switch_on(folder)
        return fscrypt.policy(folder)


def _encrypt(folder: Path, keys: KeyFile, key: bytes | None) -> bytes:
    """Encrypt an empty folder; return the key. Raises UnsupportedError; then it is a plain one."""
    key = key or keys.make()
    fscrypt.encrypt(folder, fscrypt.add_key(folder, key))
    probe = folder / ".probe"
    try:  # a kernel without its cipher takes the policy, and refuses each file
        probe.touch()
        probe.unlink()
    except OSError as error:
        was = folder.stat()
        folder.rmdir()
        _make(folder, was)
        raise UnsupportedError(str(error)) from error
    return key


def _set_aside(folder: Path) -> None:
    """Make room: the owner and mode go on, the files stay in case their key is found."""
    import shutil  # noqa: PLC0415 - it is seldom needed, and would load for 10 ms

    aside = folder.with_name(folder.name + ASIDE)
    if aside.exists():
        shutil.rmtree(aside)
    was = folder.stat()
    folder.rename(aside)
    _make(folder, was)


def _make(folder: Path, was: os.stat_result) -> None:
    """Make a folder again, with the owner and mode of the one before."""
    folder.mkdir(mode=was.st_mode & 0o777)
    os.chown(folder, was.st_uid, was.st_gid)


def _empty_of_adapters(folder: Path) -> None:
    """Remove what BlueZ knows of its own adapters where it knows no device: it writes that anew."""
    import shutil  # noqa: PLC0415 - as above

    if not any(folder.glob("*/*/info")):
        for adapter in folder.iterdir():
            shutil.rmtree(adapter) if adapter.is_dir() else adapter.unlink()
