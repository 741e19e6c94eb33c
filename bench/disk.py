"""A disk that keeps only what was synced, rebuilt from strace's record of one thread."""

import random
import re
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path

import msgspec
from msgspec import Struct, field

SECTOR = 512
CALL = re.compile(
    rb"^(?P<name>pwrite64|write|f(?:data)?sync|ftruncate)"
    rb"\(\d+<(?P<path>[^>]*)>(?P<rest>.*)\) = \d+"
)
MOVE = re.compile(rb'^(?:unlink|rename)\("(?P<path>[^"]*)"(?:, "(?P<to>[^"]*)")?\) = 0')
DATA = re.compile(rb', "(?P<data>[^"]*)", \d+(?:, (?P<offset>\d+))?$')


class Kind(Enum):
    """What a call does."""

    WRITE = auto()
    SIZE = auto()
    SYNC = auto()
    MOVE = auto()


class Op(Struct, frozen=True):
    """One call on a file, or (an empty `path`) the sync of the folder that names the files."""

    kind: Kind
    path: str
    data: bytes = b""
    offset: int = 0  # of a write; the new size of a truncation
    to: str = ""  # the new name of a move; empty: the file is gone


class Marked(Struct, frozen=True):
    """A line of the workload, written before (`begun`) and after each commit."""

    begun: bool
    accepted: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)


class File:
    """What is synced, and the calls since."""

    def __init__(self) -> None:
        self.synced = bytearray()
        self.since: list[Op] = []

    def sync(self) -> None:
        """Keep all that was written for good."""
        for op in self.since:
            _do(self.synced, op)
        self.since.clear()

    def as_cut(self, chance: random.Random) -> bytes:
        """Return what a cut might leave: any part of the unsynced calls, the last ones torn."""
        content, share = bytearray(self.synced), chance.choice((0.0, 0.5, 0.9, 1.0))
        for op in self.since:
            if op.kind is Kind.SIZE:
                if chance.random() < share:
                    _do(content, op)
                continue
            for start in range(0, len(op.data), SECTOR):
                if chance.random() < share:
                    part = op.data[start : start + SECTOR]
                    _do(content, Op(Kind.WRITE, op.path, part, op.offset + start))
        return bytes(content)


class Disk:
    """The outbox's folder, and which calls for help are owed at this moment.

    A file's name (made, moved or gone) is kept only from the sync of the folder on; a cut leaves
    the first so many of the unsynced changes.
    """

    def __init__(self) -> None:
        self.owed: set[str] = set()
        self._forgotten: set[str] = set()
        self._names: dict[str, File] = {}
        self._kept: dict[str, File] = {}
        self._moves: list[tuple[str, str, File]] = []  # from, to, which

    def apply(self, op: Op) -> None:
        """Apply the next call of the record."""
        if op.path == "accepted":
            self._mark(msgspec.json.decode(op.data, type=Marked))
        elif op.kind is Kind.MOVE:
            self._move(op.path, op.to, self._names.pop(op.path, File()))
        elif not op.path:
            for move in self._moves:
                _rename(self._kept, *move)
            self._moves.clear()
        else:
            if op.path not in self._names:
                self._move("", op.path, File())
            file = self._names[op.path]
            if op.kind is Kind.SYNC:
                file.sync()
            else:
                file.since.append(op)

    def write_as_cut(self, folder: Path, chance: random.Random) -> None:
        """Write the files as a cut might leave them; the shared-memory file is never kept."""
        folder.mkdir()
        names = dict(self._kept)
        for move in self._moves[: chance.randint(0, len(self._moves))]:
            _rename(names, *move)
        for name, file in names.items():
            if not name.endswith("-shm"):
                (folder / name).write_bytes(file.as_cut(chance))

    def _mark(self, marked: Marked) -> None:
        self._forgotten.update(marked.forgotten)
        self.owed = (self.owed | set(marked.accepted)) - self._forgotten

    def _move(self, old: str, new: str, file: File) -> None:
        self._moves.append((old, new, file))
        _rename(self._names, old, new, file)


def operations(trace: Path, folder: Path) -> Iterator[Op]:
    """Read the calls on files of `folder` in the record of one thread."""
    for line in trace.read_bytes().splitlines():
        found = CALL.match(line) or MOVE.match(line)
        if not found:
            continue
        path = Path(_plain(found["path"]).decode())
        if path == folder:
            yield Op(Kind.SYNC, "")
        elif path.parent == folder:
            yield _op(path.name, found)


def _op(name: str, call: re.Match[bytes]) -> Op:
    if call.re is MOVE:
        return Op(Kind.MOVE, name, to=Path(_plain(call["to"] or b"").decode()).name)
    if call["name"] == b"ftruncate":
        return Op(Kind.SIZE, name, offset=int(call["rest"].lstrip(b", ")))
    if call["name"] in {b"fdatasync", b"fsync"}:
        return Op(Kind.SYNC, name)
    found = DATA.match(call["rest"])
    if not found:
        message = f"strace's line is not understood: {call[0][:200]!r}"
        raise ValueError(message)
    return Op(Kind.WRITE, name, _plain(found["data"]), int(found["offset"] or 0))


def _plain(text: bytes) -> bytes:
    r"""Turn strace's \x68\x69 into hi; what is not escaped is meant as it stands."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text)


def _rename(names: dict[str, File], old: str, new: str, file: File) -> None:
    names.pop(old, None)
    if new:
        names[new] = file


def _do(content: bytearray, op: Op) -> None:
    if op.kind is Kind.SIZE:
        del content[op.offset :]
    content.extend(bytes(max(0, op.offset - len(content))))
    content[op.offset : op.offset + len(op.data)] = op.data
