"""Writes the generations of the hub's identity (`hub.shared.identity`), safe against power cuts.

    key, request --certificate came--> certificate, authority, facts --> a name points here

Each file is on the disk before the next one is begun, the facts come last, and a name changes by
one rename. What a power cut interrupted is taken up again: the same key asks again, and a whole
generation that no name has is given one.
"""

import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.shared.files import to_disk, write_whole
from hub.shared.identity import (
    AUTHORITY,
    CERTIFICATE,
    CURRENT,
    FACTS,
    KEY,
    NEXT,
    Facts,
    Identity,
    generations,
    in_use,
    read,
)
from provisioning.enrol.keys import is_request

REQUEST, BOARD = "request.csr", "board"


class Pending(Struct, frozen=True):
    """A generation without a certificate: the private key in PEM, and the request in DER."""

    folder: Path
    key: bytes
    request: bytes


def pending(root: Path, board: str) -> Pending | None:
    """Return this board's request that is under way: the newest generation, if it is not whole.

    On a copied card it may be another board's: two hubs must not have one key. One whose files were
    damaged would be refused for ever.
    """
    newest = next(generations(root), None)
    if newest is None or read(root, str(newest)):
        return None
    folder = root / str(newest)
    try:
        if (folder / BOARD).read_text(encoding="ascii") != board:
            return None
        key, request = (folder / KEY).read_bytes(), (folder / REQUEST).read_bytes()
    except OSError:
        return None
    return Pending(folder, key, request) if is_request(request, key) else None


def begin(root: Path, board: str, key: bytes, request: bytes) -> Pending:
    """Keep a new key and its request as a new generation. Raises `OSError`."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / str(next(generations(root), 0) + 1)
    folder.mkdir(mode=0o700)
    write_whole(folder / KEY, key, 0o600)
    write_whole(folder / REQUEST, request, 0o600)
    write_whole(folder / BOARD, board.encode(), 0o600)
    to_disk(folder)
    to_disk(root)
    to_disk(root.parent)
    return Pending(folder, key, request)


def finish(asked: Pending, certificate: bytes, authority: bytes, facts: Facts) -> None:
    """Keep what a request brought: the generation is whole. Raises `OSError`."""
    write_whole(asked.folder / CERTIFICATE, certificate, 0o600)
    write_whole(asked.folder / AUTHORITY, authority, 0o600)
    to_disk(asked.folder)
    write_whole(asked.folder / FACTS, msgspec.json.encode(facts), 0o600)
    to_disk(asked.folder)


def reissue(root: Path, held: Identity, authority: bytes) -> str:
    """Keep an identity anew with other authorities, as a generation of its own; return its name.

    Raises `OSError`.
    """
    asked = begin(root, held.facts.board, Path(held.file(KEY)).read_bytes(), b"")
    finish(asked, Path(held.file(CERTIFICATE)).read_bytes(), authority, held.facts)
    name = adopt(root, held.facts.board)
    tidy(root)
    return name


def adopt(root: Path, board: str) -> str:
    """Give the newest whole generation a name, unless it has one; return the name or "".

    It is `next`, where the current one goes on meanwhile: the hub takes it up at its own next dial.
    It is `current` where there is none, or another hub's or another board's. Raises `OSError`.
    """
    newest = next(filter(None, (read(root, str(n)) for n in generations(root))), None)
    current = read(root)
    if newest is None or newest in {current, read(root, NEXT)}:
        return ""
    if current is not None and newest.number < current.number:
        return ""
    goes_on = current is not None and current.hub == newest.hub and current.fits(board)
    name = NEXT if goes_on else CURRENT
    _point(root, name, newest.folder.name)
    return name


def forget(root: Path, board: str) -> None:
    """Give up the request that is under way; the next one has another key."""
    asked = pending(root, board)
    if asked is not None:
        shutil.rmtree(asked.folder, ignore_errors=True)


def tidy(root: Path) -> None:
    """Remove what no name has and nobody will ask for: all but current, next and the one before.

    Of the same certificate with other authorities that is the one before it as well: a centre that
    was restored from a backup may know only the older certificate. A folder that cannot be removed
    stays; the next call tries again.
    """
    used = in_use(root)
    if used is None:
        return
    numbers = list(generations(root))
    named = {found.number for name in (CURRENT, NEXT) if (found := read(root, name))}
    older = [one for n in numbers if n < used.number and (one := read(root, str(n)))]
    kept = named | {one.number for one in older[:1]}
    kept |= {one.number for one in [*filter(lambda one: not _same(one, used), older)][:1]}
    for number in numbers:
        if number < used.number and number not in kept:
            shutil.rmtree(root / str(number), ignore_errors=True)


def _same(one: Identity, other: Identity) -> bool:
    """Whether two generations have one certificate; False where one cannot be read."""
    try:
        return (
            Path(one.file(CERTIFICATE)).read_bytes() == Path(other.file(CERTIFICATE)).read_bytes()
        )
    except OSError:
        return False


def _point(root: Path, name: str, number: str) -> None:
    fresh = root / f".{name}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(number)
    fresh.replace(root / name)
    to_disk(root)
