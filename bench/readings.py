"""How long the page of a home's readings takes with a year of them: `readings`.

A band for a year (a quarter of an hour each, some 300,000 rows) and a cuff every morning, in each
of `--homes` homes. Timed is a whole request to the console, from the session's cookie to the last
byte, in one process. The floor is the same request to the form of the limits, which reads no
readings, and one bare SQL sum over the rows of the span.
"""

import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import Connection

from bench.report import Report, arguments
from center.domain.vitals import SPANS, Span, window
from center.store.rows import vitals
from hub.contract.messages import Vitals
from tests.center.bodies import quarter, usual_quarters, write
from tests.center.counter import Counter, at_counter
from tests.center.making import HUB, NAMES, NOW, hear, state
from tests.center.service.test_auth import sign_in

PAGE_S = 1.0  # a person waits so long without losing the thread (Nielsen 1993)
KEEP_S = 0.01  # of the writer's time for one message: calls wait behind it
QUARTERS_A_DAY = 96
FULL = (365, 3)  # days, homes
SHORT = (60, 1)


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    parser.add_argument("--homes", type=int, help="homes with readings (3; short: 1)")
    parser.add_argument("--days", type=int, help="days of readings (365; short: 60)")
    parser.add_argument("--rounds", type=int, default=10, help="requests of each page")
    args = parser.parse_args()
    days, homes = SHORT if args.short else FULL
    report = Report("the page of a home's readings")
    with TemporaryDirectory() as folder:
        job = Job(Path(folder), args.days or days, args.homes or homes, args.rounds, report)
        at_counter(job.folder, job.story)
    return report.finish(as_json=args.json)


class Job:
    """One run; `story` fills the database and measures."""

    def __init__(self, folder: Path, days: int, homes: int, rounds: int, report: Report) -> None:
        self.folder, self.days, self.homes, self.rounds = folder, days, homes, rounds
        self.report = report

    async def story(self, counter: Counter) -> None:
        """Fill the database, and measure each span, the floor and the keeping of a message."""
        for number in range(self.homes):
            hub = HUB if not number else f"js-1{number:03}"
            hear(counter.store, state(), hub, NOW)
            write(counter.store, hub=hub)
            counter.store.submit(partial(self._fill, hub)).result()
        size_mb = (self.folder / "center.db").stat().st_size / 1e6 / self.homes
        self.report.add(f"{self.days} days of a home", size_mb, "MB on disk", hard=False)
        browser = await sign_in(counter, NAMES[0])
        floor = await self._timed(browser, f"/homes/{HUB}/limits")
        for name, span in SPANS.items():
            took = await self._timed(browser, f"/homes/{HUB}/vitals?days={name}")
            bars = {"p99": PAGE_S * 1e3}
            self.report.spread(f"page of {name} days", took, bars, floor)
            self.report.notes.append(f"{name} days: a bare sum {1e3 * self._sum_s(span):.0f} ms")
        self.report.spread("keeping a message", self._kept_s(counter), {"p99": KEEP_S * 1e3})

    def _fill(self, hub: str, conn: Connection) -> None:
        for one in usual_quarters(NOW, self.days * QUARTERS_A_DAY):
            vitals.keep(conn, hub, one, NOW)

    async def _timed(self, browser: httpx.AsyncClient, path: str) -> list[float]:
        times = []
        for _ in range(self.rounds + 1):  # the first one fills caches
            began = time.perf_counter()
            answer = await browser.get(path)
            times.append(time.perf_counter() - began)
            answer.raise_for_status()
        return times[1:]

    def _sum_s(self, span: Span) -> float:
        shown = window(span, NOW)
        query = "SELECT count(*), sum(value) FROM vitals WHERE hub = ? AND utc >= ?"
        with closing(sqlite3.connect(self.folder / "center.db")) as database:
            return _least(lambda: database.execute(query, (HUB, shown.start_utc)).fetchone())

    def _kept_s(self, counter: Counter) -> list[float]:
        times = []
        for number in range(200):
            said = quarter(NOW + 900 * (number + 1))
            job = counter.store.submit(partial(_kept, said))
            times.append(job.result())
        return times


def _kept(said: Vitals, conn: Connection) -> float:
    return _least(lambda: vitals.keep(conn, HUB, said, NOW), 1)


def _least(do: Callable[[], object], times: int = 3) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    sys.exit(main())
