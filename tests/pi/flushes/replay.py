"""Replay a record: a power cut at each of its flushes, and one torn cut after each.

    python -m tests.pi.flushes FOLDER [--most N] [--seed N] [--lies N]

FOLDER is what a run has kept (`$ANBU_PI_LAB`): `state.img`, the disk of the beginning,
`state.record`, and `received`, the calls that a centre has stored. `--most N` judges N of the
flushes, evenly spread. `--lies N` is a disk that has not done its last N: it has to lose something.
"""

import random
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.pi.figures import say
from tests.pi.flushes.images import Boundary, Image, boundaries, copied
from tests.pi.flushes.judge import Promised, claim_of, folder_of, wrongs
from tests.pi.flushes.record import operations

DISK, RECORD = "state.img", "state.record"
RECEIVED = "received"  # ids of calls, one a line


@dataclass
class Replayed:
    """What a replay has found; `wrong` has a sentence for each promise that a cut broke."""

    flushes: int = 0
    cuts: int = 0
    calls: int = 0  # that had to be there, in all cuts together
    registered: int = 0  # cuts with an identity that had to be there
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.flushes} flushes, {self.cuts} power cuts judged, in them {self.calls} durable "
            f"calls and {self.registered} identities promised; {len(self.wrong)} broken"
        )


def replay(folder: Path, *, most: int = 0, seed: int = 0, lies: int = 0) -> Replayed:
    """Judge each flush of a record, or `most` of them; `seed` is for the torn cuts.

    `lies`: how many of its last flushes the disk has only said to have done.
    """
    dice, found = random.Random(seed), Replayed()  # noqa: S311 - no secret
    received = folder / RECEIVED
    promised = Promised(received.read_text().split() if received.exists() else ())
    record = folder / RECORD
    total = sum(one.flushes for one in operations(record)) + 1
    wanted = set(range(total)) if not most else {n * total // most for n in range(most)}
    with ExitStack() as undo:
        made = tempfile.TemporaryDirectory(prefix="anbu-flushes-", dir="/dev/shm")
        work = Path(undo.enter_context(made))
        base = undo.enter_context(closing(Image(copied(folder / DISK, work / "base.img"))))
        for boundary in boundaries(base, operations(record), lies=lies):
            found.flushes = boundary.number
            for claim in filter(None, map(claim_of, boundary.after)):
                promised.take(claim)
            if boundary.number in wanted:
                _judge(work, boundary, promised, found, dice)
    return found


def _judge(
    work: Path, at: Boundary, promised: Promised, found: Replayed, dice: random.Random
) -> None:
    """Judge the cut at a flush, and one after it by which a part of what followed was written."""
    for torn in (False, True) if at.after else (False,):
        image = copied(work / "base.img", work / "cut.img")
        if torn:
            cut = Image(image)
            cut.tear(at.after, dice)
            cut.close()
        name = f"flush {at.number}{', torn' if torn else ''}: "
        # the hub's thread for the disk may close its file a little later
        with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as files:
            found.wrong += [name + one for one in _wrongs(image, Path(files), promised)]
        found.cuts += 1
        found.calls += len(promised.calls)
        found.registered += "identity" in promised.done


def _wrongs(image: Path, files: Path, promised: Promised) -> Iterator[str]:
    yield from folder_of(image, files)
    yield from wrongs(files, promised)


def main() -> None:
    """Replay what a run has kept."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lies", type=int, default=0)
    args = parser.parse_args()
    found = replay(args.folder, most=args.most, seed=args.seed, lies=args.lies)
    say("\n".join([*found.wrong, str(found)]))
    parser.exit(1 if found.wrong else 0)
