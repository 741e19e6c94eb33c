"""A power cut at any moment of the outbox's life, rebuilt from what was really synced.

A real workload (engine, outbox, SQLite; presses, acks of the centre, telemetry) runs under
strace, which records every write and sync of its files with the bytes. From the record this bench
builds `--states` file systems as a cut could have left them: all that an fdatasync had covered; of
the rest a random part, torn at 512 bytes; the files' names as of the last sync of their folder,
and a random number of the changes since. Each is opened by the hub's own `hub.outbox.repair`.

Accepted means: `Outbox.commit` had returned (the workload then writes the ids into a file of its
own, in the same record) and the centre's `received` had not come. None of these may be missing.
With `synchronous = NORMAL` the same must lose some, or the bench shows nothing.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import msgspec

from bench.disk import Disk, Marked, Op, operations
from bench.report import Report, arguments
from hub.contract.messages import Stage
from hub.core.model.effects import Effect, Lane, Order
from hub.core.model.events import CenterAcked, ContactChanged, Event, Measured, Started
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import HomeState
from hub.engine import Engine
from hub.outbox import repair
from hub.outbox.store import Outbox, Row
from hub.outbox.thread import OutboxThread

RULES = Rules(hub="js-0001", buttons={"help": Button(Role.HELP_BUTTON)})
SHM = "/dev/shm"  # noqa: S108 - for private folders; what counts is in the record, not there
MEMORY = SHM if os.access(SHM, os.W_OK) else None
SHARE_KEPT = 4  # of the centre's acks every fourth never comes


class Mute:
    """Outlets and clocks of a workload without lamps; an hour passes in a second."""

    def __init__(self) -> None:
        self.now = 1000.0

    def tell(self, order: Order) -> None:
        """Show nothing."""

    def pet(self) -> None:
        """Feed nothing."""

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Keep nothing."""

    def at(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def utc(self) -> float:
        """Return seconds since 1970."""
        return self.now + 1.8e9


async def workload(folder: Path, presses: int) -> None:
    """Press, be acked, measure; all through the real engine."""
    mute, outbox = Mute(), OutboxThread(folder / "outbox.db", patience_s=60.0, telemetry_rows=50)
    found = await outbox.read()
    engine = Engine(HomeState(), RULES, outbox, mute, mute)
    engine.begin(HomeState(), Started(mute.now, mute.utc(), synced=True, boot="b00t"), found)
    await engine.turn()
    for n in range(presses):
        for closed, wait_s in ((True, 0.05), (False, 0.05)):
            engine.emit(ContactChanged(mute.now, "help", closed))
            await asyncio.sleep(0)
            mute.now += wait_s
            await engine.turn()
        if n % SHARE_KEPT:
            for owed in engine.state.owed[-1:]:
                ack = CenterAcked(mute.now, owed.id, owed.alarm, Stage.RECEIVED, n + 1)
                engine.emit(ack)
        if n % 3 == 0:
            engine.emit(Measured(mute.now, {f"reading_{i}": float(n) for i in range(20)}))
        await asyncio.sleep(0)
        mute.now += 61.0  # so that what is not urgent is flushed as well
        await engine.turn()
    outbox.close()


def act(folder: Path, presses: int, *, careless: bool) -> None:
    """Run as the process under strace: write each commit's ids into the file `accepted`."""
    fd = os.open(folder / "accepted", os.O_WRONLY | os.O_CREAT)

    class Marking(Outbox):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            if careless:
                self._db.execute("PRAGMA synchronous = NORMAL")

        def commit(self, snapshot: bytes | None, put: Iterable[Row], forget: Iterable[str]) -> None:
            rows, gone = list(put), list(forget)
            os.write(fd, msgspec.json.encode(Marked(begun=True, forgotten=gone)))
            super().commit(snapshot, rows, gone)
            put_ids = [row.id for row in rows if row.lane is Lane.SOS]
            os.write(fd, msgspec.json.encode(Marked(begun=False, accepted=put_ids)))

    with patch.object(repair, "Outbox", Marking):
        asyncio.run(workload(folder, presses))


def record(folder: Path, presses: int, *, careless: bool) -> list[Op]:
    """Run the workload under strace and read what it did to its files."""
    trace = folder / "trace"
    calls = "trace=openat,write,pwrite64,fdatasync,fsync,ftruncate,unlink,rename"
    strace = ("strace", "-ff", "-y", "-xx", "-s", "1000000", "-e", calls, "-o", str(trace))
    act_ = ("-m", "bench.powercut", "--act", str(folder), "--count", str(presses))
    options = ("--careless",) if careless else ()
    subprocess.run((*strace, sys.executable, *act_, *options), check=True)
    journals = max(folder.glob("trace.*"), key=lambda part: part.read_bytes().count(b"fdatasync("))
    return list(operations(journals, folder))


def cut(ops: list[Op], states: int, chance: random.Random, folder: Path) -> tuple[int, int, int]:
    """Rebuild `states` cuts and open them; return (accepted, lost, found damaged)."""
    moments = sorted(chance.sample(range(1, len(ops)), min(states, len(ops) - 1)))
    disk, done, accepted, lost, damaged = Disk(), 0, 0, 0, 0
    for number, moment in enumerate(moments):
        for op in ops[done:moment]:
            disk.apply(op)
        done = moment
        here = folder / f"state-{number}"
        disk.write_as_cut(here, chance)
        outbox, trouble = repair.open_or_repair(here / "outbox.db")[:2]
        left = {row.id for row in outbox.page((Lane.SOS,), after=0, limit=1_000_000)}
        outbox.close()
        accepted += len(disk.owed)
        lost += len(disk.owed - left)
        damaged += trouble is not None
    return accepted, lost, damaged


def main() -> int:
    """Run the bench, or be its workload."""
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, default=400, help="presses of the workload")
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--act", type=Path, help="be the workload, in this folder")
    parser.add_argument("--careless", action="store_true", help="with synchronous = NORMAL")
    args = parser.parse_args()
    if args.act:
        act(args.act, args.count, careless=args.careless)
        return 0
    if args.short:
        args.count, args.states = 80, 200
    chance = random.Random(args.seed)  # noqa: S311 - a choice of moments, no secret
    report = Report(f"power cuts, seed {args.seed}")
    for name, careless in (("FULL", False), ("NORMAL", True)):
        with tempfile.TemporaryDirectory(prefix="anbu-cut-", dir=MEMORY) as made:
            ops = record(Path(made), args.count, careless=careless)
            accepted, lost, damaged = cut(ops, args.states, chance, Path(made))
        report.add(f"{name}: writes and syncs recorded", len(ops), "calls")
        report.add(f"{name}: states reopened", min(args.states, len(ops) - 1), "states")
        report.add(f"{name}: accepted calls in them, in all", accepted, "calls", at_least=1)
        least, most = (1, None) if careless else (None, 0)
        report.add(f"{name}: accepted and lost", lost, "calls", at_least=least, at_most=most)
        report.add(f"{name}: found damaged", damaged, "states", at_most=0)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
