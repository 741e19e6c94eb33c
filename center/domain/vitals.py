"""What devices on the body measured, over a span of time, as pictures and tables need it. Pure.

A slot from which no reading came has no point. It is a gap: nothing is drawn through it.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from center.domain import times
from hub.contract.messages import VitalKind, VitalLevel, VitalWhy

ENTRY_S = 900.0  # the hub sums up what it measured every 15 minutes
OLD_S = 3600.0  # four of them are missing
TREND_DAYS, USUAL_DAYS = 7, 21  # the last week is compared with the three weeks before it
TREND_DAYS_MIN = 3  # days with readings, in each of both
SUMMED = frozenset({  # kinds of which the hub tells a mean, or a share, of an interval
    VitalKind.PULSE, VitalKind.RESTING_PULSE, VitalKind.RMSSD, VitalKind.SDNN, VitalKind.LF_HF,
    VitalKind.STRESS, VitalKind.WORN,
})  # fmt: skip


class Span(Struct, frozen=True):
    """How far back a page shows, and how long a slot of its pictures is (both end on whole ones).

    A slot is longer than the hub's own interval. That begins with a reading, so it moves by seconds
    each time: in slots of its length, one would stay empty every other day though nothing is
    missing.
    """

    days: int
    slot_s: int


SPANS = {
    "1": Span(1, 1200),
    "7": Span(7, 3600),
    "30": Span(30, 6 * 3600),
    "365": Span(365, times.DAY_S),
}
USUAL_SPAN = "7"


class Window(Struct, frozen=True):
    """A span up to now: slots of `slot_s` from `start_utc`, a midnight of Korea or a full hour."""

    start_utc: float
    slot_s: int
    slots: int

    @property
    def end_utc(self) -> float:
        """The end of the last slot."""
        return self.start_utc + self.slot_s * self.slots

    def at(self, slot: float) -> float:
        """Return when a slot begins."""
        return self.start_utc + self.slot_s * slot


class Point(Struct, frozen=True):
    """All readings of a kind in a slot: their mean, the lowest and highest, how many entries.

    Stress is a share of what is usual for the person: 1.0 is as usual.
    """

    kind: VitalKind
    slot: int
    value: float
    least: float
    most: float
    n: int


class Reading(Struct, frozen=True):
    """A reading as it is stored; `from_utc` is when the interval of a summary began.

    Without a `value`, `why` says why. `sure`: its time is known, so that it has a place in a trend.
    """

    kind: VitalKind
    device: str
    utc: float
    value: float | None
    from_utc: float | None = None
    least: float | None = None
    most: float | None = None
    n: int = 1
    clean_share: float | None = None
    usual: float | None = None
    level: VitalLevel | None = None
    why: VitalWhy | None = None
    sure: bool = True
    irregular: bool = False
    stored_utc: float = 0.0


class Trend(Struct, frozen=True):
    """A kind's mean in the last week, and in the three weeks before."""

    kind: VitalKind
    now: float
    usual: float


class DayMean(Struct, frozen=True):
    """A kind's mean on a day; `days_back` 0: the last 24 hours."""

    kind: VitalKind
    days_back: int
    value: float


def window(span: Span, now: float) -> Window:
    """Return the slots of a span: the last 24 hours to the full hour, or whole days of Korea."""
    if span.days == 1:
        end = (now // 3600 + 1) * 3600
        return Window(end - times.DAY_S, span.slot_s, times.DAY_S // span.slot_s)
    end = (times.day_start(times.day_of(now)) or now) + times.DAY_S
    length = span.days * times.DAY_S
    return Window(end - length, span.slot_s, length // span.slot_s)


def by_kind(points: Iterable[Point]) -> dict[VitalKind, tuple[Point, ...]]:
    """Return the points of each kind, oldest first; kinds of a newer hub are left out."""
    found: dict[VitalKind, list[Point]] = {}
    for point in sorted(points, key=lambda one: one.slot):
        if point.kind.is_known:
            found.setdefault(point.kind, []).append(point)
    return {kind: tuple(some) for kind, some in found.items()}


def runs(points: Sequence[Point]) -> list[tuple[Point, ...]]:
    """Split points, oldest first, where a slot is missing between them."""
    found: list[list[Point]] = []
    for point in points:
        if found and found[-1][-1].slot + 1 == point.slot:
            found[-1].append(point)
        else:
            found.append([point])
    return [tuple(run) for run in found]


def gaps(points: Sequence[Point], slots: int) -> list[tuple[int, int]]:
    """Return the runs (first slot, number of slots) of slots without a point."""
    found: list[tuple[int, int]] = []
    free = 0
    for point in points:
        if point.slot > free:
            found.append((free, point.slot - free))
        free = point.slot + 1
    if free < slots:
        found.append((free, slots - free))
    return found


def worn_share(point: Point, window: Window) -> float:
    """Return for what share of a slot a device is known to have been worn.

    A slot that is hardly longer than the hub's interval is as its entries are.
    """
    if window.slot_s < 2 * ENTRY_S:
        return min(1.0, max(0.0, point.value))
    return min(1.0, max(0.0, point.value) * point.n * ENTRY_S / window.slot_s)


def trend(means: Iterable[DayMean]) -> Trend | None:
    """Return how a kind's last week compares with the weeks before; None for too few days."""
    held = list(means)
    last = [one.value for one in held if one.days_back < TREND_DAYS]
    before = [one.value for one in held if one.days_back >= TREND_DAYS]
    if min(len(last), len(before)) < TREND_DAYS_MIN:
        return None
    return Trend(held[0].kind, sum(last) / len(last), sum(before) / len(before))
