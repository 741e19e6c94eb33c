"""Sensor traces of simulated lives, and the truth behind them.

They were made to judge a detector of inactivity, without knowledge of its rules. The same profile,
seed, number of days and start give the same bytes on any machine.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from drivers.lives.body import Edge
from drivers.lives.day import live
from drivers.lives.diary import DAY, State, Stay
from drivers.lives.home import Person, meet
from drivers.lives.sensors import Sensors
from drivers.lives.year import Year

FIRST_DAY = date(2026, 1, 5)  # a Monday
OFFSET = "+09:00"
DAY_MS = int(DAY * 1000)


class Row(NamedTuple):
    """One line of a trace: a sensor's edge. `value` is 1, 0, or beats a minute."""

    time: str  # ISO 8601 with milliseconds and offset
    device: str
    kind: str
    value: int


class Interval(NamedTuple):
    """One line of the truth: where the resident was."""

    start: str
    end: str
    state: State


def simulate(profile: str, seed: int, days: int, start: date = FIRST_DAY) -> Iterator[Row]:
    """Yield the trace, strictly in the order of time, with at most a day of it in memory.

    Raises KeyError for an unknown profile.
    """
    for rows, _ in chapters(meet(profile, seed), days, start):
        yield from rows


def truth(profile: str, seed: int, days: int, start: date = FIRST_DAY) -> Iterator[Interval]:
    """Yield the truth: intervals that follow one another and cover the whole trace."""
    truth_of = _Truth(_Clock(start), days * DAY_MS)
    for stays, _ in live(Year(meet(profile, seed), start), days):
        yield from truth_of.told(stays)
    yield from truth_of.closed()


def chapters(
    person: Person, days: int, start: date = FIRST_DAY
) -> Iterator[tuple[list[Row], list[Interval]]]:
    """Yield trace and truth together, about a day at a time."""
    clock = _Clock(start)
    end = days * DAY
    sensors = Sensors(person, start)
    waiting: list[Edge] = []
    truth_of = _Truth(clock, days * DAY_MS)
    for stays, openings in live(Year(person, start), days):
        waiting = sorted(waiting + sensors.report(stays, openings))
        settled = stays[-1].end
        ready = [edge for edge in waiting if edge.at < settled]
        waiting = waiting[len(ready) :]
        rows = [clock.row(edge) for edge in ready if 0 <= edge.at < end]
        yield rows, list(truth_of.told(stays))
    yield [clock.row(edge) for edge in waiting if 0 <= edge.at < end], list(truth_of.closed())


class _Clock:
    """Writes times; no two rows have the same time."""

    def __init__(self, start: date) -> None:
        self._start = start
        self._day = -1
        self._date = ""
        self._last_ms = -1

    def row(self, edge: Edge) -> Row:
        self._last_ms = max(round(edge.at * 1000), self._last_ms + 1)
        return Row(self.text(self._last_ms), edge.device, edge.kind, edge.value)

    def text(self, ms: int) -> str:
        day, ms = divmod(ms, DAY_MS)
        if day != self._day:
            self._day, self._date = day, (self._start + timedelta(days=day)).isoformat()
        s, ms = divmod(ms, 1000)
        return f"{self._date}T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}.{ms:03}{OFFSET}"


class _Truth:
    """Joins stays of one state; the last interval stays open until the next is known."""

    def __init__(self, clock: _Clock, end_ms: int) -> None:
        self._clock = clock
        self._end_ms = end_ms
        self._since_ms = 0
        self._state: State | None = None

    def told(self, stays: list[Stay]) -> Iterator[Interval]:
        for stay in stays:
            at_ms = round(stay.start * 1000)
            if round(stay.end * 1000) > 0 and at_ms < self._end_ms and stay.state != self._state:
                yield from self._ended(at_ms)
                self._state, self._since_ms = stay.state, max(at_ms, 0)

    def closed(self) -> Iterator[Interval]:
        yield from self._ended(self._end_ms)

    def _ended(self, at_ms: int) -> Iterator[Interval]:
        if self._state is not None and at_ms > self._since_ms:
            text = self._clock.text
            yield Interval(text(self._since_ms), text(at_ms), self._state)
