"""The disk as a power cut leaves it: at each flush of a record, and torn between two of them.

At a flush all that was written before it is there. Of what follows, up to the next flush, a disk
may have written nothing, or any part of it in any order: both kinds of cut are made.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.pi.flushes.record import Flag, Operation
from tests.pi.stages import run

TORN = 512  # bytes that a disk writes whole
HEAD = 4096  # ext4 trusts a disk to write its superblock whole, which is here, 1 KiB long


@dataclass
class Boundary:
    """A flush, and what was written after it, up to the next one."""

    number: int
    after: list[Operation] = field(default_factory=list)


def copied(image: Path, copy: Path) -> Path:
    """Copy an image with holes where it has zeros: most of a disk was never written."""
    run("cp", "--sparse=always", image, copy)
    return copy


class Image:
    """A disk in a file, to which operations are applied."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("r+b", buffering=0)

    def apply(self, operation: Operation) -> None:
        """Write or discard; a discarded place reads as zeros."""
        if Flag.MARK in operation.flags:
            return
        content = operation.data
        if Flag.DISCARD in operation.flags:
            content = bytes(operation.size)
        if content:
            self._file.seek(operation.at)
            self._file.write(content)

    def tear(self, operations: list[Operation], dice: random.Random) -> None:
        """Apply some sectors of some operations: what a disk had time for."""
        for operation in operations:
            if Flag.DISCARD in operation.flags or dice.random() < 1 / 3:
                continue
            whole = dice.random() < 1 / 2 or operation.at < HEAD
            for at in range(0, len(operation.data), TORN):
                if whole or dice.random() < 1 / 2:
                    part = operation.data[at : at + TORN]
                    self.apply(Operation(operation.at + at, len(part), Flag(0), part))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def boundaries(
    base: Image, operations: Iterator[Operation], *, lies: int = 0
) -> Iterator[Boundary]:
    """Bring `base` to each flush in turn and yield that; the first is the disk of the beginning.

    A guest on virtio knows no write that is durable by itself (FUA): only a flush makes it so.
    A disk that `lies` still holds that many of its last flushes in a cache without power.
    """
    number, after = 0, list[Operation]()
    cached = deque[list[Operation]]()
    for operation in operations:
        after.append(operation)
        if not operation.flushes:
            continue
        yield Boundary(number, after)
        cached.append(after)  # with the flush itself, which may carry data
        for one in cached.popleft() if len(cached) > lies else ():
            base.apply(one)
        number, after = number + 1, []
    yield Boundary(number, after)
