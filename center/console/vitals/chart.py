"""The layout of a picture of readings: time from left to right, a value upwards. Pure.

  140 ┤        ╭──╮                     a band from the lowest to the highest of each slot,
  100 ┤ ╭──────╯  ╰───   ▨▨▨   ╭───     a line of the means; hatched: no reading came
   60 ┤ ╰──────────────   ▨▨▨   ╰───    dashed: the limit that was set
      └──┬────┬────┬────┬────┬──

Nothing is drawn through a slot without a reading.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from center.console.view import Viewer
from center.domain import times
from center.domain.vitals import Point, Window, gaps, runs

WIDTH, LEFT, RIGHT, TOP, PLOT, FOOT = 1040, 60, 14, 10, 132, 26
HEIGHT = TOP + PLOT + FOOT
INNER = WIDTH - LEFT - RIGHT
MARK_R, DENSE_R = 4.0, 1.5  # half the width of a mark; where slots are as narrow as that
DENSE = 200  # slots
NAMED_MIN = 46  # units between two labels of the time below


class Scale(Struct, frozen=True):
    """The values from bottom to top, and the distance of the lines between."""

    low: float
    high: float
    step: float


class Tick(Struct, frozen=True):
    """A line of the grid with its label."""

    at: float
    text: str


class Mark(Struct, frozen=True):
    """A reading as a shape: `up` and `down` are triangles, `dot`, `square`."""

    shape: str
    x: float
    y: float


class Limit(Struct, frozen=True):
    """A horizontal line with its words."""

    y: float
    text: str
    kind: str  # limit or usual


class Chart(Struct, frozen=True):
    """A picture; `says` is it in words. Without any reading it has only `empty`, the reason."""

    name: str
    title: str
    unit: str
    says: str
    empty: str = ""
    ys: tuple[Tick, ...] = ()
    xs: tuple[Tick, ...] = ()
    gaps: tuple[tuple[float, float], ...] = ()  # x, width
    bands: tuple[str, ...] = ()  # paths
    lines: tuple[str, ...] = ()
    bars: tuple[tuple[float, float, float, float], ...] = ()  # x, y, width, height
    stems: tuple[tuple[float, float, float], ...] = ()  # x, from y, to y
    marks: tuple[Mark, ...] = ()
    limits: tuple[Limit, ...] = ()
    notes: tuple[str, ...] = ()  # what a person should know of it
    legend: tuple[tuple[str, str], ...] = ()  # shape, what it means
    mark_r: float = 4.0  # half the width of a mark
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = TOP + PLOT


class Plot(Struct, frozen=True):
    """Where slots and values are in a picture."""

    window: Window
    scale: Scale

    def x(self, slot: float) -> float:
        """Return the left edge of a slot."""
        return round(LEFT + INNER * slot / self.window.slots, 1)

    def y(self, value: float) -> float:
        """Return the height of a value; one beyond the scale is at its edge."""
        scale = self.scale
        share = (value - scale.low) / (scale.high - scale.low)
        return round(TOP + PLOT * (1.0 - min(1.0, max(0.0, share))), 1)

    def middle(self, point: Point) -> float:
        """Return the middle of a point's slot."""
        return self.x(point.slot + 0.5)


def fitted(scale: Scale, values: Iterable[float], most: float) -> Scale:
    """Return the scale, wider where values lie beyond it, by whole steps; at most up to `most`."""
    some = list(values)
    low, high, step = scale.low, scale.high, scale.step
    while some and min(some) < low and low > 0.0:
        low = max(0.0, low - step)
    while some and max(some) > high and high < most:
        high += step
    while (high - low) / step > 6:  # noqa: PLR2004 - lines that can be told apart
        step *= 2
    return Scale(low, high, step)


def value_ticks(plot: Plot) -> Iterator[Tick]:
    """Yield the lines of the values."""
    value = plot.scale.low
    while value <= plot.scale.high + plot.scale.step / 1000:
        yield Tick(plot.y(value), f"{value:g}")
        value += plot.scale.step


def time_ticks(plot: Plot, viewer: Viewer) -> Iterator[Tick]:
    """Yield the lines of the hours, the days or the months, in Korea's time."""
    window, last = plot.window, -NAMED_MIN * 1.0
    for slot in range(window.slots + 1):
        text = _named(window, window.at(slot), viewer)
        x = plot.x(slot)
        if text is not None and x - last >= NAMED_MIN:
            last = x
            yield Tick(x, text)


def _named(window: Window, utc: float, viewer: Viewer) -> str | None:
    """Return the label of a time that has one: every third hour, midnight, the first of a month."""
    here = times.local(utc + 1)
    if here is None:
        return None
    if window.slot_s < 3600:  # noqa: PLR2004 - an hour
        return f"{here:%H:%M}" if here.minute == 0 and here.hour % 3 == 0 else None
    if window.slot_s >= times.DAY_S:
        return viewer.t("vitals.month", month=here.month) if here.day == 1 else None
    if here.hour != 0:
        return None
    return viewer.t("vitals.day", month=here.month, day=here.day)


def holes(plot: Plot, points: Sequence[Point], now: float) -> Iterator[tuple[float, float]]:
    """Yield the (x, width) of what has no reading, up to now: what is to come is no gap."""
    window = plot.window
    passed = max(0, min(window.slots, int((now - window.start_utc) // window.slot_s)))
    for first, count in gaps([one for one in points if one.slot < passed], passed):
        yield plot.x(first), round(plot.x(first + count) - plot.x(first), 1)


def band(plot: Plot, points: Sequence[Point]) -> Iterator[str]:
    """Yield the areas from lowest to highest, one for each run of slots with readings."""
    for run in runs(points):
        above = [f"{x} {plot.y(one.most)}" for one in run for x in _edges(plot, one)]
        below = [f"{x} {plot.y(one.least)}" for one in reversed(run)
                 for x in reversed(_edges(plot, one))]  # fmt: skip
        yield f"M{'L'.join((*above, *below))}Z"


def line(plot: Plot, points: Sequence[Point]) -> Iterator[str]:
    """Yield the lines through the means, one for each run; a lone slot has a dash as wide as it."""
    for run in runs(points):
        if len(run) == 1:
            (one,) = run
            left, right = _edges(plot, one)
            yield f"M{left} {plot.y(one.value)}L{right} {plot.y(one.value)}"
        else:
            yield "M" + "L".join(f"{plot.middle(one)} {plot.y(one.value)}" for one in run)


def shapes(plot: Plot, points: Sequence[Point], shape: str) -> Iterator[Mark]:
    """Yield a shape at each mean."""
    for one in points:
        yield Mark(shape, plot.middle(one), plot.y(one.value))


def bars(
    plot: Plot, points: Sequence[Point], height: Callable[[Point], float]
) -> Iterator[tuple[float, float, float, float]]:
    """Yield a bar (x, y, width, height) for each point, from the bottom."""
    for one in points:
        left, right = _edges(plot, one)
        y = plot.y(height(one))
        yield left, y, round(max(0.5, right - left - 0.5), 1), round(TOP + PLOT - y, 1)


def _edges(plot: Plot, point: Point) -> tuple[float, float]:
    return plot.x(point.slot), plot.x(point.slot + 1)
