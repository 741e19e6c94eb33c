"""What is learned of one home: how soon, as a rule, something moves again.

A quiet is cut into steps of a quarter of an hour. For each step that was lived through, counted is
whether it ended the quiet: by half-hour of the day and by how long the quiet had lasted (`ends` of
`spans`), and as a correction by the device that was last active, and by weekday and time of day
(`seen` of `awaited`). `hazard` reads it, `learning` writes it.

Immutable; a year's habits are as large as a month's (`bench/quiet.py`).
"""

from msgspec import Struct, field

VERSION = 1
STEP_S = 900.0
DAY_S = 86_400.0
BINS = 48
CLASSES = 7
UP_TO = (2, 4, 8, 12, 20, 32)  # the steps at which the next class of age begins
MOST = 1e9  # counts and scores are far below
WEEK_CELLS = 42  # seven days of six times

Row = tuple[float, ...]


class Ratio(Struct, frozen=True):
    """How many ends were seen where so many were awaited."""

    seen: Row
    awaited: Row


def zeros(n: int) -> Row:
    """Give a row of `n` zeros."""
    return (0.0,) * n


class Habits(Struct, frozen=True):
    """The learned state of a home."""

    version: int = VERSION
    days: int = 0  # that have been learned
    day: int = 0  # the local day that is being learned, since 1970
    ends: Row = zeros(BINS * CLASSES)
    spans: Row = zeros(BINS * CLASSES)
    devices: dict[str, Ratio] = field(default_factory=dict)
    week: Ratio = Ratio(zeros(WEEK_CELLS), zeros(WEEK_CELLS))
    shares: dict[str, float] = field(default_factory=dict)  # quiets that each device has ended
    peaks: Row = ()
    peak: float = 0.0  # of the day that is being learned
    longest: dict[str, float] = field(default_factory=dict)  # of routines, in seconds

    @property
    def whole(self) -> bool:
        """Whether every table has its cells, and every number is one."""
        ratios = ((ratio, CLASSES) for ratio in self.devices.values())
        rows = [(self.ends, BINS * CLASSES), (self.spans, BINS * CLASSES)]
        for ratio, size in (*ratios, (self.week, WEEK_CELLS)):
            rows += [(ratio.seen, size), (ratio.awaited, size)]
        rows.append((self.peaks, len(self.peaks)))
        return all(len(row) == size and all(map(_plausible, row)) for row, size in rows)


def _plausible(value: float) -> bool:
    return 0.0 <= value < MOST


FRESH = Habits()


class Quietness(Struct, frozen=True):
    """A quiet that is over, or is still being judged: when it began by local time, after what."""

    local: float  # seconds since 1970, as if the zone were UTC
    device: str


def age_class(step: int) -> int:
    """Give the class of a quiet's `step` (1 is the second quarter of an hour)."""
    return sum(step >= bound for bound in UP_TO)


def cell(local: float, age: int) -> int:
    """Give the place of a half-hour of the day and a class of age in `ends` and `spans`."""
    return int(local % DAY_S // 1800) * CLASSES + age


def week_cell(local: float) -> int:
    """Give the place of a weekday and a time of day in `week`."""
    return int(local // DAY_S) % 7 * 6 + int(local % DAY_S // 14_400)
