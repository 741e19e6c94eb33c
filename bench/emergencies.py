"""Random moments at which the resident of a trace falls while at home, by class.

With a truth beside the trace (`NAME.truth.csv`) home is `home`, `asleep` or `bathroom`. Without, it
is a moment after which something stirs within 3 h, and what stirs first is not the front door: so
the hours before going out, and a long sleep's first ones, are left out.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from random import Random

from msgspec import Struct

from hub.core.model.rules import Room
from hub.replay.trace import Row, Sort, room_of

HOME = frozenset({"home", "asleep", "bathroom"})
SOON_S = 3 * 3600.0
RETURNED_S = 600.0
OUT_S = 300.0  # a door that moves after a pause of this length lets somebody in
NIGHT_H = range(6)  # counts as sleep where there is no truth
TRIES = 40_000
STIRRING = frozenset({Sort.MOTION, Sort.CONTACT, Sort.EXIT_DOOR, Sort.PRESS})


class Class(StrEnum):
    """When an emergency happens."""

    SLEEP = "asleep"
    BATHROOM = "in the bathroom"
    RETURNED = "just home"
    ELSE = "awake elsewhere"


class Stretch(Struct, frozen=True):
    """A stretch of the truth; times in UTC seconds."""

    start: float
    end: float
    state: str


class Times:
    """What a trace says about its moments; `truth` is empty where there is none."""

    def __init__(self, rows: list[Row], truth: list[Stretch]) -> None:
        self.truth = truth
        self._stirs = [r for r in rows if r.sort in STIRRING and not _is_motions_end(r)]
        self._at = [r.utc for r in self._stirs]
        self._zone_s = rows[0].zone_s
        self._starts = [s.start for s in truth]
        self._returns = list(self._returned())
        self.home = list(self._true_home() if truth else self._likely_home())

    def draw(self, count: int, begin: float, dice: Random, of: Class | None = None) -> list[float]:
        """Draw moments from `begin` on, evenly over the time at home; fewer when `of` is rare."""
        home = [(max(s, begin), e) for s, e in self.home if e > begin]
        lengths = list(accumulate(e - s for s, e in home))
        drawn: list[float] = []
        if not home:
            return drawn
        for _ in range(count if of is None else TRIES):
            start, end = dice.choices(home, cum_weights=lengths)[0]
            moment = dice.uniform(start, end)
            if of is None or self.kind(moment) is of:
                drawn.append(moment)
                if len(drawn) == count:
                    break
        return sorted(drawn)

    def kind(self, at: float) -> Class:
        """Return the class of a moment."""
        back = bisect_right(self._returns, at)
        if back and at - self._returns[back - 1] <= RETURNED_S:
            return Class.RETURNED
        state = self._state(at)
        last = bisect_right(self._at, at) - 1
        place = room_of(self._stirs[last].device) if last >= 0 else Room.OTHER
        if state == "asleep" or (not state and (at + self._zone_s) // 3600 % 24 in NIGHT_H):
            return Class.SLEEP
        if state == "bathroom" or place is Room.BATHROOM:
            return Class.BATHROOM
        return Class.ELSE

    def _state(self, at: float) -> str:
        index = bisect_right(self._starts, at) - 1
        return self.truth[index].state if index >= 0 and at < self.truth[index].end else ""

    def _true_home(self) -> Iterator[tuple[float, float]]:
        return ((s.start, s.end) for s in self.truth if s.state in HOME)

    def _likely_home(self) -> Iterator[tuple[float, float]]:
        for before, after in zip(self._stirs, self._stirs[1:], strict=False):
            if after.sort is not Sort.EXIT_DOOR and after.utc > before.utc:
                yield max(before.utc, after.utc - SOON_S), after.utc

    def _returned(self) -> Iterator[float]:
        if self.truth:
            yield from (s.end for s in self.truth if s.state == "away")
            return
        for before, after in zip(self._stirs, self._stirs[1:], strict=False):
            if after.sort is before.sort is Sort.EXIT_DOOR and after.utc - before.utc > OUT_S:
                yield after.utc


def read_truth(trace: Path) -> list[Stretch]:
    """Read the truth beside a trace; nothing where there is none."""
    file = trace.with_suffix(".truth.csv")
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            Stretch(_utc(line["start"]), _utc(line["end"]), line["state"])
            for line in csv.DictReader(lines)
        ]


def _utc(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _is_motions_end(row: Row) -> bool:
    return row.sort is Sort.MOTION and not row.value
