"""A picture of a month, one row a day: activity, presence, check-ins, warnings and alarms.

The only user of matplotlib, which is the extra `plot`. Without a Korean font the texts are English.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import log1p
from pathlib import Path

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hub.contract.messages import CheckInResult, PresenceKind
from hub.replay.summary import DAY_S, Change, Summary
from hub.replay.trace import Row, Sort
from hub.shared.language import Language
from hub.shared.messages import messages

DAYS = 31  # at the end of the trace
BIN_S, HOUR_S = 600.0, 3600.0
BINS = round(DAY_S / BIN_S)
SATURDAY = 5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAUGHT = "#333333"
FONTS = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo",
         "Noto Sans CJK JP", "Noto Serif CJK KR", "UnDotum", "Baekmuk Dotum")  # fmt: skip
INK = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#a9cbe8", "#2f6fa8", "#0b2c4d"])
BANDS = {
    PresenceKind.ASLEEP: "#8d7bbd",
    PresenceKind.AWAY: "#efb14b",
    PresenceKind.VISITOR: "#67b279",
}
MARKS = {  # what -> shape, colour, size, height within the day's row
    "checkin": ("o", "#2b8a3e", 5.5, -0.1),
    "missed": ("o", "#868e96", 5.5, -0.1),
    "warning": ("^", "#f76707", 8.0, -0.2),
    "alarm": ("X", "#c1121f", 10.0, -0.1),
}
BAND_TOP, BAND_HEIGHT = 0.24, 0.22  # of a day's row, below its activity
STIRRING = frozenset({Sort.MOTION, Sort.CONTACT, Sort.EXIT_DOOR, Sort.PRESS})
Says = dict[str, str]


class Picture:
    """Counts the rows during the replay, then draws. Times are local, in seconds since 1970."""

    def __init__(self) -> None:
        self._counts = Counter[int]()  # activity in each bin since 1970
        self._last = 0.0

    def see(self, row: Row) -> None:
        """Count a row that shows activity."""
        self._last = row.utc + row.zone_s
        if row.value and row.sort in STIRRING:
            self._counts[int(self._last // BIN_S)] += 1

    def draw(self, summary: Summary, language: Language, file: Path) -> None:
        """Draw the last month to a .png or .svg file; raise `OSError`."""
        font = next((f for f in FONTS if f in fontManager.get_font_names()), None)
        say = messages("hub", language if font else Language.ENGLISH, "replay")["plot"]
        with mpl.rc_context({"font.family": font or "DejaVu Sans", "svg.hashsalt": "anbu"}):
            self._figure(summary, say).savefig(file, dpi=120)

    def _figure(self, summary: Summary, say: Says) -> Figure:
        last = max([self._last, *(_local(c.time) for c in summary.changes[-1:])])
        end = int(last // DAY_S) + 1
        begin = max(end - DAYS, int(_local(summary.begin) // DAY_S))
        figure = Figure(figsize=(13, 2.0 + 0.3 * (end - begin)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        self._activity(axes, begin, end)
        shown = [c for c in summary.changes if begin <= _local(c.time) // DAY_S < end]
        _bands(axes, list(_presence(summary, last)), begin, end)
        _marks(axes, shown, summary)
        _learning(axes, summary, begin, end)
        _frame(axes, begin, end, say)
        _title(figure, shown, (begin, end), say)
        _legend(figure, Counter(map(_what, shown)), summary, say)
        return figure

    def _activity(self, axes: Axes, begin: int, end: int) -> None:
        inks = [
            [log1p(self._counts[day * BINS + bin_]) for bin_ in range(BINS)]
            for day in range(begin, end)
        ]
        extent = (0, 24, end - 0.5, begin - 0.5)
        axes.imshow(inks, cmap=INK, aspect="auto", extent=extent, interpolation="nearest", vmin=0)


def _presence(summary: Summary, last: float) -> Iterator[tuple[PresenceKind, float, float]]:
    told = [c for c in summary.changes if c.what == "presence"]
    times = [*(_local(c.time) for c in told), last]
    for change, until in zip(told, times[1:], strict=True):
        yield PresenceKind(change.kind), _local(change.time), until


def _bands(
    axes: Axes, spans: list[tuple[PresenceKind, float, float]], begin: int, end: int
) -> None:
    for day in range(begin, end):
        axes.axhspan(day + BAND_TOP, day + 0.5, color="#f1f1f1", linewidth=0)
    for kind, start, until in spans:
        for day, left, right in _daily(start, until):
            if kind in BANDS and begin <= day < end:
                place = (day + BAND_TOP + 0.02, BAND_HEIGHT)
                axes.broken_barh([(left, right - left)], place, color=BANDS[kind], linewidth=0)


def _daily(start: float, until: float) -> Iterator[tuple[int, float, float]]:
    """Cut a period at midnight; yield each day with its first and last hour."""
    for day in range(int(start // DAY_S), int(until // DAY_S) + 1):
        midnight = day * DAY_S
        yield day, max(start - midnight, 0) / HOUR_S, min(until - midnight, DAY_S) / HOUR_S


def _marks(axes: Axes, changes: list[Change], summary: Summary) -> None:
    for what, (marker, color, size, lift) in MARKS.items():
        at = [_local(c.time) for c in changes if _what(c) == what]
        spots = [(moment % DAY_S / HOUR_S, moment // DAY_S + lift) for moment in at]
        line = Line2D(*zip(*spots, strict=True)) if spots else Line2D([], [])
        line.set(linestyle="", marker=marker, color=color, markersize=size)
        line.set(markeredgecolor="white", markeredgewidth=0.8, zorder=5)
        axes.add_line(line)
    if summary.stop:
        moment = _local(summary.stop.stopped_at)
        day, hour = moment // DAY_S, moment % DAY_S / HOUR_S
        axes.plot([hour, hour], [day - 0.5, day + 0.5], color="black", linewidth=2.5)


def _learning(axes: Axes, summary: Summary, begin: int, end: int) -> None:
    taught = _local(summary.begin) / DAY_S + summary.learn_days
    if summary.learn_days and begin < taught < end:
        axes.axhline(int(taught) - 0.5, color=TAUGHT, linestyle="--", zorder=4)


def _frame(axes: Axes, begin: int, end: int, say: Says) -> None:
    axes.set_xlim(0, 24)
    axes.set_ylim(end - 0.5, begin - 0.5)
    axes.set_xticks(range(0, 25, 2), [f"{hour:02}" for hour in range(0, 25, 2)])
    axes.set_xticks(range(25), minor=True)
    axes.set_xlabel(say["hour"])
    axes.set_yticks(range(begin, end), [_date(day, say) for day in range(begin, end)])
    for day, label in zip(range(begin, end), axes.get_yticklabels(), strict=True):
        if _weekday(day) >= SATURDAY:
            label.set_color("#c1121f" if _weekday(day) > SATURDAY else "#1f5f99")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#cccccc", linewidth=0.6, alpha=0.7)
    for day in range(begin, end + 1):
        axes.axhline(day - 0.5, color="white", linewidth=2.0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _title(figure: Figure, changes: list[Change], days: tuple[int, int], say: Says) -> None:
    counts = Counter(c.what for c in changes)
    begin, end = (EPOCH + timedelta(days=day) for day in (days[0], days[1] - 1))
    title = say["title"].format(
        begin=begin.date(), end=end.date(), alarms=counts["alarm"], warnings=counts["warning"]
    )
    figure.suptitle(title, fontsize=15)


def _legend(figure: Figure, counts: Counter[str], summary: Summary, say: Says) -> None:
    keys: list[Artist] = [Patch(color=INK(0.75), label=say["activity"])]
    keys += [Patch(color=color, label=say[kind]) for kind, color in BANDS.items()]
    for what, (marker, color, size, _) in MARKS.items():
        key = Line2D([], [], linestyle="", marker=marker, color=color, markersize=size)
        key.set_label(f"{say[what]} {counts[what]}")
        keys.append(key)
    if summary.learn_days:
        keys.append(Line2D([], [], color=TAUGHT, linestyle="--", label=say["learning"]))
    if summary.stop:
        keys.append(Line2D([], [], color="black", linewidth=2.5, label=say["stop"]))
    figure.legend(handles=keys, loc="outside lower center", ncols=5, frameon=False, fontsize=11)


def _what(change: Change) -> str:
    missed = change.what == "checkin" and change.kind == CheckInResult.MISSED
    return "missed" if missed else change.what


def _local(time: str) -> float:
    return datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()


def _weekday(day: int) -> int:
    return (EPOCH + timedelta(days=day)).weekday()


def _date(day: int, say: Says) -> str:
    date = EPOCH + timedelta(days=day)
    return f"{date.month}/{date.day} {say['days'][date.weekday()]}"
