"""How fast a trace runs through the decisions, and whether memory stays flat over a year.

A simulated home of a year (short: 60 days) is replayed; the floor is the bare parsing of the same
file by `csv` and `datetime`. Memory is the process's resident set after the first month, and at
the end; the story's own lines are counted in it.
"""

import csv
import sys
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.quiet import simulate
from bench.report import Report, arguments
from hub.replay.simulate import Replay
from hub.replay.summary import DAY_S, Story
from hub.replay.trace import Trace, opened
from hub.shared.system import rss_mb

EVENTS_S, GROWTH_MB = 50_000.0, 5.0
SETTLED_DAYS = 30.0  # habits of a month are known, caches are warm


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    parser.add_argument("--profile", default="homebody")
    args = parser.parse_args()
    report = Report("replay of a simulated home")
    with TemporaryDirectory() as folder:
        simulate(Path(folder), [args.profile], days=60 if args.short else 365)
        file = Path(folder) / f"{args.profile}.csv"
        floor_s = parse(file)
        rows, took_s, growth_mb, stalls = replay(file)
    report.add("rows", rows, "rows")
    speed, floor = rows / took_s, rows / floor_s
    report.add("events a second", speed, "msg/s", at_least=EVENTS_S, floor=floor)
    report.add("memory growth", growth_mb, "MB", at_most=GROWTH_MB, hard=False)
    report.add("deadlines that stood still", stalls, "", at_most=0)
    return report.finish(as_json=args.json)


def parse(file: Path) -> float:
    """Return how long bare parsing takes, in seconds."""
    began = time.process_time()
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for moment, _, _, value in rows:
            datetime.fromisoformat(moment).timestamp()
            float(value)
    return time.process_time() - began


def replay(file: Path) -> tuple[int, float, float, int]:
    """Return rows, seconds of the processor, growth of memory after a month (MB), and stalls."""
    began, settled_mb = time.process_time(), 0.0
    with opened(file) as lines:
        trace = Trace(lines, now_utc=time.time())
        rows = iter(trace)
        first = next(rows)
        story = Story(first.utc)
        home = Replay(first, note=story.note)
        home.feed(first)
        for row in rows:
            home.feed(row)
            if not settled_mb and row.utc > first.utc + SETTLED_DAYS * DAY_S:
                settled_mb = rss_mb()
    took_s = time.process_time() - began
    return trace.rows, took_s, rss_mb() - settled_mb, home.stalls


if __name__ == "__main__":
    sys.exit(main())
