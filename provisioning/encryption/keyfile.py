"""The key of the state folders, in two files on the card, made to be destroyed.

Each file holds 64 KiB of randomness and a check value. The key is a hash of all of it: with any
page of the file gone, the key is gone, even if the card still keeps old copies of the others. The
files are two because a card may lose a page by itself, and with it the hub would lose its identity.
"""

import os
import time
from contextlib import suppress
from hashlib import blake2b
from math import inf
from pathlib import Path

from provisioning.encryption.fscrypt import KEY_BYTES

FOLDER = Path("var/lib/anbu-key")
NAMES = ("key", "key.copy")
RANDOM_BYTES, CHECK_BYTES = 65_536, 32
PIECE_BYTES = 16 * 1024 * 1024  # of a large file that is overwritten: 1 to 2 s of a slow card


class LaterError(Exception):
    """The time is over: what is left is overwritten at a later try."""


class KeyFile:
    """The two files below a root, `/` but in tests."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER

    def read(self) -> bytes | None:
        """Return the key; None where there is none: neither file is whole.

        A file that is not is written anew from the other, unless the card takes no writes. Raises
        OSError where a file cannot be read and the other is not whole: the next start may read it.
        """
        contents: dict[str, bytes | None] = {}
        failure: OSError | None = None
        for name in NAMES:
            try:
                contents[name] = _whole(self.folder / name)
            except OSError as error:
                contents[name], failure = None, error
        random = next(filter(None, contents.values()), None)
        if random is None and failure is not None:
            raise failure
        if random is None:
            return None
        with suppress(OSError):
            for name in (name for name, content in contents.items() if content is None):
                _write(self.folder / name, random)
                _sync(self.folder)
        return _hash(random, KEY_BYTES, b"key")

    def make(self) -> bytes:
        """Make another key and return it once it is on the card. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(self.folder.parent)
        random = os.urandom(RANDOM_BYTES)
        for name in NAMES:
            _write(self.folder / name, random)
        _sync(self.folder)
        return _hash(random, KEY_BYTES, b"key")

    def destroy(self) -> None:
        """Overwrite both files where they lie, then remove them.

        Raises OSError where one could not be overwritten or removed; the others are all the same.
        """
        failure: OSError | None = None
        files = [self.folder / name for name in (*NAMES, *map(_rough, NAMES))]
        for step in (overwrite, Path.unlink):
            for file in files:
                try:
                    step(file)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    failure = failure or error
        if self.folder.exists():
            _sync(self.folder)
        if failure is not None:
            raise failure

    def is_whole(self) -> bool:
        """Whether there is a key, as far as its files can be read."""
        for name in NAMES:
            with suppress(OSError):
                if _whole(self.folder / name) is not None:
                    return True
        return False


def overwrite(file: Path, until: float = inf) -> None:
    """Write zeros over a file's own blocks, and wait until they are on the disk.

    A large file becomes shorter by each piece, from its end: interrupted, the next try goes on.
    `until`: a monotonic time after which no piece is begun. Raises OSError, LaterError.
    """
    with file.open("r+b", buffering=0) as opened:
        size = os.fstat(opened.fileno()).st_size
        while size > 0:
            if time.monotonic() > until:
                raise LaterError
            start = max(0, size - PIECE_BYTES)
            opened.seek(start)
            while (left := size - opened.tell()) > 0:
                opened.write(bytes(min(left, RANDOM_BYTES)))
            os.fsync(opened.fileno())
            if start > 0:
                opened.truncate(start)
            size = start


def _whole(file: Path) -> bytes | None:
    """Return a file's randomness, if there is one and its check value is right. Raises OSError."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    random, check = content[:RANDOM_BYTES], content[RANDOM_BYTES:]
    return random if check == _hash(random, CHECK_BYTES, b"check") else None


def _write(file: Path, random: bytes) -> None:
    """Write a file whole: it has its own name once its content is on the disk."""
    rough = file.with_name(_rough(file.name))
    with suppress(FileNotFoundError):  # a cut may have left a whole key in it
        overwrite(rough)
    opened = os.open(rough, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as writing:
        writing.write(random + _hash(random, CHECK_BYTES, b"check"))
        writing.flush()
        os.fsync(opened)
    rough.replace(file)


def _rough(name: str) -> str:
    return f".{name}.new"


def _hash(random: bytes, size: int, what: bytes) -> bytes:
    return blake2b(random, digest_size=size, person=b"anbu " + what).digest()


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
