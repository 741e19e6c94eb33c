"""Presses while hub, broker and centre are killed at random moments: nothing accepted is lost.

`--count` presses (1,000) of random length and distance, while SIGKILL hits the hub (200 times, up
to 80 ms after an edge, so often within the commit), the broker (50) and the centre (50). They come
back while the presses go on.

A press is accepted when its event is committed. That is known without the sender in two ways: the
witness writes the ids from the outbox's thread the moment `Outbox.commit` returns, and after each
kill of the hub a copy of its SQLite file is read. At the end every accepted id must stand in the
centre's own table, no id may stand there that was never written, and no press may have made two:
in each boot of the hub every event, in order, has a closing edge of its own, settled before it.
"""

import random
import shutil
import sqlite3
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress

from bench.report import Report, arguments
from bench.rig import Rig
from bench.witness import Committed
from hub.contract.messages import AlarmData
from hub.core.model.effects import Lane
from hub.core.model.events import ContactChanged, Started
from tests.broker import wait_until

DRAIN_S = 120.0
SETTLE_S = 0.019  # the 20 ms of a press, less the rounding of its times
CONTACTS = ("help", "cord")


class Storm:
    """Presses and kills; the same seed gives the same storm, but for the machine's own timing."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self.rig, self.random = rig, random.Random(seed)  # noqa: S311 - a storm, no secret
        self.accepted, self.found_on_disk = set[str](), set[str]()
        self.boot, self.edges, self.presses = "", defaultdict[str, list[float]](list), 0
        self.cut_short = 0
        self._dead = dict[Callable[[], None], float]()  # how to start it again, and when

    def press(self) -> None:
        """Press once; a hub that dies meanwhile takes its house with it."""
        self.presses += 1
        try:
            self.rig.finger.press(self.random.choice(CONTACTS), self.random.uniform(25, 80))
        except OSError:
            self.cut_short += 1
        time.sleep(self.random.uniform(0.06, 0.12))

    def press_and_kill_hub(self) -> None:
        """Kill the hub at a random moment after the edge, look at its disk, start it again."""
        after_s = self.random.uniform(0, 0.08)
        killer = threading.Timer(after_s, self.rig.hub.process.kill)
        killer.start()
        self.press()
        killer.join()
        self.rig.hub.process.wait()
        self.read_disk()
        self.rig.start_hub()

    def kill_broker(self) -> None:
        """Kill the broker; it comes back after up to 2 s."""
        self._kill(self.rig.broker.kill, self.rig.broker.start)

    def kill_center(self) -> None:
        """Kill the centre; it comes back after up to 2 s, and needs another to start."""
        self._kill(self.rig.center.kill, self.rig.center.spawn)

    def read_disk(self) -> None:
        """Note which SOS a copy of the hub's file holds."""
        copy = self.rig.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for part in self.rig.state_dir.glob("outbox.db*"):
            shutil.copy(part, copy)
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(copy / "outbox.db")) as db:
            rows = db.execute("SELECT id FROM message WHERE lane = ?", (int(Lane.SOS),))
            self.found_on_disk.update(id_ for (id_,) in rows)

    def hear_witness(self) -> None:
        """Note what the witness has seen committed."""
        for line in self.rig.witness.news():
            match line:
                case Committed(ids=ids):
                    self.accepted.update(ids)
                case Started(boot=boot):
                    self.boot = boot
                case ContactChanged(at=at, closed=True):
                    self.edges[self.boot].append(at)
                case _:
                    pass

    def revive(self, *, all_of_them: bool = False) -> None:
        """Start again what has been dead for long enough."""
        now = time.monotonic()
        for start in [s for s, at in self._dead.items() if all_of_them or at <= now]:
            del self._dead[start]
            start()

    def settle(self) -> None:
        """Wait until all is up and nothing is owed."""
        self.revive(all_of_them=True)
        wait_until(self.rig.center.well, "the centre is well", DRAIN_S)
        wait_until(self._nothing_owed, "the hub owes nothing", DRAIN_S)

    def _kill(self, kill: Callable[[], None], start: Callable[[], None]) -> None:
        if self._dead.pop(start, None):
            start()
        kill()
        self._dead[start] = time.monotonic() + self.random.uniform(0, 2)

    def _nothing_owed(self) -> bool:
        path = f"file:{self.rig.state_dir}/outbox.db?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=5)) as db:
            rows = db.execute("SELECT count(*) FROM message WHERE lane = ?", (int(Lane.SOS),))
            time.sleep(0.1)
            return not rows.fetchone()[0]


def doubled(edges: Mapping[str, list[float]], events: Iterable[AlarmData]) -> int:
    """Count the events that have no finger of their own.

    A simulated contact does not bounce, and of a boot's presses a kill can cut short only the last
    ones: so the events of a boot belong to its closing edges in their order.
    """
    free = {boot: sorted(at) for boot, at in edges.items()}
    found = 0
    for event in sorted(events, key=lambda event: (event.boot, event.order)):
        waiting = free.get(event.boot, [])
        if waiting and waiting[0] + SETTLE_S <= event.at:
            waiting.pop(0)
        else:
            found += 1
    return found


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    for name, usual in (("count", 1000), ("hub", 200), ("broker", 50), ("center", 50)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    if args.short:
        args.count, args.hub, args.broker, args.center = 40, 8, 2, 2
    report = Report(f"presses under random SIGKILL, seed {args.seed}")
    with Rig() as rig:
        rig.center.start()
        rig.start_hub()
        storm = Storm(rig, args.seed)
        deeds = [storm.press_and_kill_hub] * args.hub + [storm.press] * (args.count - args.hub)
        deeds += [storm.kill_broker] * args.broker + [storm.kill_center] * args.center
        storm.random.shuffle(deeds)
        for deed in deeds:
            deed()
            storm.hear_witness()
            storm.revive()
        storm.settle()
        storm.hear_witness()
        tell(storm, report)
    return report.finish(as_json=args.json)


def tell(storm: Storm, report: Report) -> None:
    """Compare what was accepted with what the centre has."""
    accepted = storm.accepted | storm.found_on_disk
    ids = [id_ for id_, _ in storm.rig.center.rows()]
    report.add("presses", storm.presses, "presses")
    report.add("accepted (committed)", len(accepted), "events")
    report.add("seen on disk after a kill", len(storm.found_on_disk), "events")
    report.add("cut short by the kill", storm.cut_short, "presses")
    report.add("at the centre", len(ids), "events", at_least=len(accepted), at_most=len(accepted))
    report.add("accepted and lost", len(accepted - set(ids)), "events", at_most=0)
    report.add("at the centre, never written", len(set(ids) - accepted), "events", at_most=0)
    twice = doubled(storm.edges, list(storm.rig.center.events()))
    report.add("doubled", twice + len(ids) - len(set(ids)), "events", at_most=0)
    duplicates = storm.rig.center.metric("anbu_duplicates_total")
    report.add("sent again, folded (since its last start)", duplicates, "events")


if __name__ == "__main__":
    sys.exit(main())
