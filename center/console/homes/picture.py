"""The layout of the picture of a home's days: hours from left to right, rooms downwards. Pure.

date      0  1  2  3 ...                        hours
          [asleep        ]     [away   ]        bands
room      ·  ·  1  ▒  12 ...                    a number and its shade; hatched: not known
          ▲ the alarm                           [nothing seen since ... ]
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from center.console.lengths import length
from center.console.view import Viewer
from center.domain import times
from center.domain.day_grid import HOUR_S, HOURS, Day, spans

LEFT, CELL, ROW, BAND, HEAD, GAP = 96, 36, 26, 17, 22, 16
WIDTH = LEFT + HOURS * CELL
LEVELS = (1, 5, 15, 40)  # activations an hour from which a cell is shaded one step darker
LATE_S = 900.0  # an hour that has just ended may not have arrived yet
LABEL = 78
SHOWN_MAX = 999


class Cell(Struct, frozen=True):
    """An hour of a room. `level` is 0 to 4, or `unknown`; an hour to come has no cell."""

    x: int
    y: int
    level: str
    text: str
    title: str


class Band(Struct, frozen=True):
    """Some hours: `kind` is asleep, away, visitor or nothing (no movement before an alarm)."""

    x: float
    y: int
    width: float
    kind: str
    text: str
    title: str


class Mark(Struct, frozen=True):
    """A moment, such as an alarm's, with its label's place."""

    x: float
    y: int
    height: int
    label_x: float
    text: str


class Row(Struct, frozen=True):
    """A room, and its counts in words for those who read a table."""

    y: int
    room: str
    texts: tuple[str, ...]


class Block(Struct, frozen=True):
    """A day."""

    y: int
    date: str
    rows: tuple[Row, ...]
    cells: tuple[Cell, ...]
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]


class Picture(Struct, frozen=True):
    """All days, one below the other, the newest last."""

    height: int
    blocks: tuple[Block, ...]
    width: int = WIDTH
    left: int = LEFT
    cell: int = CELL
    row: int = ROW
    band: int = BAND


class Moment(Struct, frozen=True):
    """What to mark: an alarm's time and name, and since when nothing had been seen before it."""

    utc: float
    text: str
    since_utc: float | None = None


def draw(days: Sequence[Day], marked: Sequence[Moment], viewer: Viewer) -> Picture:
    """Return the layout of the days; all have the same rooms."""
    blocks: list[Block] = []
    y = 0
    for day in days:
        block = _block(day, y, marked, viewer)
        blocks.append(block)
        y += HEAD + BAND + ROW * len(day.counts) + BAND + GAP
    return Picture(max(0, y - GAP), tuple(blocks))


def _block(day: Day, y: int, marked: Sequence[Moment], viewer: Viewer) -> Block:
    rows = HEAD + BAND + y
    places = {room: rows + ROW * number for number, room in enumerate(day.counts)}
    below = rows + ROW * len(places)
    return Block(
        y=y,
        date=_date(day.start_utc, viewer),
        rows=tuple(_row(day, room, top, viewer) for room, top in places.items()),
        cells=tuple(one for room, top in places.items() for one in _cells(day, room, top, viewer)),
        bands=(*_bands(day, y + HEAD, viewer), *_nothing(day, below, marked, viewer)),
        marks=tuple(_marks(day, y, below + BAND - y, marked)),
    )


def _row(day: Day, room: str, y: int, viewer: Viewer) -> Row:
    return Row(y, room, tuple(_word(day, room, hour, viewer) for hour in range(HOURS)))


def _cells(day: Day, room: str, y: int, viewer: Viewer) -> Iterator[Cell]:
    for hour, count in enumerate(day.counts[room]):
        if count is None and _is_to_come(day, hour, viewer.now):
            continue
        said = _word(day, room, hour, viewer)
        title = viewer.t("picture.cell", room=room, hour=hour, count=said)
        yield Cell(LEFT + CELL * hour, y, level(count), _number(count), title)


def level(count: int | None) -> str:
    """Return the shade of a count, 0 to 4, or `unknown`."""
    if count is None:
        return "unknown"
    return str(sum(count >= edge for edge in LEVELS))


def _number(count: int | None) -> str:
    if not count:
        return "" if count is None else "·"
    return str(count) if count <= SHOWN_MAX else f"{SHOWN_MAX}+"


def _word(day: Day, room: str, hour: int, viewer: Viewer) -> str:
    count = day.counts[room][hour]
    if count is None:
        return "" if _is_to_come(day, hour, viewer.now) else viewer.t("picture.unknown")
    return str(count)


def _is_to_come(day: Day, hour: int, now: float) -> bool:
    return day.start_utc + (hour + 1) * HOUR_S + LATE_S > now


def _bands(day: Day, y: int, viewer: Viewer) -> Iterator[Band]:
    lasted = {"asleep": day.asleep, "away": day.away, "visitor": day.visitor}
    for kind, seconds in lasted.items():
        for first, hours in spans(seconds):
            text = viewer.t(f"picture.{kind}")
            title = viewer.t("picture.band", what=text, first=first, last=first + hours)
            yield Band(LEFT + CELL * first, y, CELL * hours, kind, text, title)


def _nothing(day: Day, y: int, marked: Iterable[Moment], viewer: Viewer) -> Iterator[Band]:
    for one in marked:
        if one.since_utc is None:
            continue
        begin, end = _x(day, one.since_utc), _x(day, one.utc)
        if end > begin:
            title = viewer.t("picture.nothing", lasted=length(one.utc - one.since_utc, viewer.t))
            text = title if end - begin > CELL * 4 else viewer.t("picture.nothing_short")
            yield Band(begin, y, end - begin, "nothing", text, title)


def _marks(day: Day, y: int, height: int, marked: Iterable[Moment]) -> Iterator[Mark]:
    free = 0.0
    for one in sorted(marked, key=lambda moment: moment.utc):
        if day.start_utc <= one.utc < day.start_utc + times.DAY_S:
            x = _x(day, one.utc)
            label_x = min(max(x - LABEL / 2, LEFT), WIDTH - LABEL)
            yield Mark(x, y, height, label_x, one.text if label_x >= free else "")
            free = label_x + LABEL


def _x(day: Day, utc: float) -> float:
    hours = min(max(0.0, (utc - day.start_utc) / HOUR_S), float(HOURS))
    return round(LEFT + CELL * hours, 1)


def _date(start_utc: float, viewer: Viewer) -> str:
    date = times.local(start_utc + 1)
    if date is None:
        return ""
    weekday = viewer.t(f"weekday.{date.weekday()}")
    return viewer.t("picture.date", month=date.month, day=date.day, weekday=weekday)
