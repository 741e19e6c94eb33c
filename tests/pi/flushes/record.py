"""The record of a disk by QEMU's `blklogwrites`: its writes, discards and flushes, in order.

The format is that of Linux's dm-log-writes: a head of one sector, then for each operation a sector
that describes it and the sectors that it wrote. QEMU writes down what has completed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

MAGIC, VERSION = 0x6A736677736872, 1
HEAD = struct.Struct("<QQQI")  # magic, version, number of operations at the last flush, sector size
OPERATION = struct.Struct("<QQQQ")  # first sector, number of sectors, flags, length of a mark


class Flag(IntFlag):
    """What kind of operation it was; none: a plain write."""

    FLUSH = 1
    FUA = 2
    DISCARD = 4
    MARK = 8


class RecordError(Exception):
    """This is no record, or not one that can be read."""


@dataclass(frozen=True)
class Operation:
    """One operation: `at` is its place on the disk in bytes; `data` is empty for a discard."""

    at: int
    size: int
    flags: Flag
    data: bytes = b""

    @property
    def flushes(self) -> bool:
        """Whether what was written before it is on the disk once it has completed."""
        return Flag.FLUSH in self.flags


def operations(path: Path) -> Iterator[Operation]:
    """Yield the operations of a record, which a cut may have left without its last ones.

    Raises RecordError.
    """
    with path.open("rb") as file:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            message = f"{path} is empty: was the disk ever flushed?"
            raise RecordError(message)
        magic, version, _, sector = HEAD.unpack(head)
        if (magic, version) != (MAGIC, VERSION) or sector.bit_count() != 1:
            message = f"{path} is no record of dm-log-writes, version {VERSION}"
            raise RecordError(message)
        file.seek(sector)
        while len(block := file.read(sector)) == sector:
            first, count, flags, _ = OPERATION.unpack_from(block)
            if flags == count == first == 0 or flags > sum(Flag):  # beyond what was written
                return
            kind = Flag(flags)
            size = count * sector
            data = b"" if Flag.DISCARD in kind else file.read(size)
            if len(data) < size and Flag.DISCARD not in kind:
                return
            yield Operation(first * sector, size, kind, data)
