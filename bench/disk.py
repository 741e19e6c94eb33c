"""A disk that keeps only what was synced, rebuilt from strace's record of one thread."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct, field

SECTOR = 512
CALL = re.compile(
    rb'^(?P<name>pwrite64|write|fdatasync|fsync|ftruncate)\(\d+<(?P<path>[^>]*)>(?P<rest>.*)\) = \d+'
)
UNLINK = re.compile(rb'^unlink\("(?P<path>[^"]*)"\) = 0')
DATA = re.compile(rb', "(?P<data>[^"]*)", \d+(?:, (?P<offset>\d+))?$')


class Op(Struct, frozen=True):
    """One call: `data` at `offset`, or a new size, or a sync (neither), or the file's end."""

    path: str
    data: bytes | None = None
    offset: int = 0
    size: int | None = None
    unlinked: bool = False


class Marked(Struct, frozen=True):
    """The workload's own word, written before (`begun`) and after each commit."""

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
        """Give what a cut might leave: any part of the unsynced calls, the last ones torn."""
        content, share = bytearray(self.synced), chance.choice((0.0, 0.5, 0.9, 1.0))
        for op in self.since:
            if op.data is None:
                if chance.random() < share:
                    _do(content, op)
                continue
            for start in range(0, len(op.data), SECTOR):
                if chance.random() < share:
                    part = op.data[start : start + SECTOR]
                    _do(content, Op(op.path, part, op.offset + start))
        return bytes(content)


class Disk:
    """The outbox's files, and which calls for help are owed at this moment."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.owed: set[str] = set()
        self._forgotten: set[str] = set()

    def apply(self, op: Op) -> None:
        """Take the next call of the record."""
        if op.path == "accepted":
            marked = msgspec.json.decode(op.data or b"", type=Marked)
            self._forgotten.update(marked.forgotten)
            self.owed = (self.owed | set(marked.accepted)) - self._forgotten
        elif op.unlinked:
            self.files.pop(op.path, None)
        elif op.data is None and op.size is None:
            self.files.setdefault(op.path, File()).sync()
        else:
            self.files.setdefault(op.path, File()).since.append(op)

    def write_as_cut(self, folder: Path, chance: random.Random) -> None:
        """Write the files as a cut might leave them; the shared-memory file is never kept."""
        folder.mkdir()
        for name, file in self.files.items():
            if not name.endswith("-shm"):
                (folder / name).write_bytes(file.as_cut(chance))


def operations(trace: Path, folder: Path) -> Iterator[Op]:
    """Read the calls on files of `folder` in the record of one thread."""
    for line in trace.read_bytes().splitlines():
        call, unlink = CALL.match(line), UNLINK.match(line)
        found = call or unlink
        if not found:
            continue
        path = Path(_plain(found["path"]).decode())
        if path.parent != folder:
            continue
        yield _op(path.name, call) if call else Op(path.name, unlinked=True)


def _op(name: str, call: re.Match[bytes]) -> Op:
    if call["name"] == b"ftruncate":
        return Op(name, size=int(call["rest"].lstrip(b", ")))
    if call["name"] in {b"fdatasync", b"fsync"}:
        return Op(name)
    found = DATA.match(call["rest"])
    assert found, f"strace's line is not understood: {call[0][:200]!r}"
    return Op(name, _plain(found["data"]), int(found["offset"] or 0))


def _plain(text: bytes) -> bytes:
    r"""Turn strace's \x68\x69 into hi; what is not escaped is meant as it stands."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text)


def _do(content: bytearray, op: Op) -> None:
    if op.size is not None:
        del content[op.size :]
        content.extend(bytes(op.size - len(content)))
    elif op.data is not None:
        content.extend(bytes(max(0, op.offset - len(content))))
        content[op.offset : op.offset + len(op.data)] = op.data
