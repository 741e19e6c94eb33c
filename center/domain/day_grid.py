"""A home's hours by room, from which the picture of its days is drawn. Pure.

An hour from which no data came is `None`, not 0: it is not an hour without movement. So is an hour
of a hub whose clock was not synchronised: it is not known which hour it was.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from center.domain import times
from hub.contract.messages import PresenceKind

HOUR_S = 3600.0
HOURS = 24
ROOMS_MAX = 12  # a home has fewer; a broken hub may name any number
HALF_S = HOUR_S / 2


class Hour(Struct, frozen=True):
    """An hour of a home, as `hub.contract.messages.Activity` has it."""

    from_utc: float
    synced: bool
    seen: dict[str, int]
    places: dict[str, str]
    presence: PresenceKind
    asleep_s: float
    away_s: float


class Day(Struct, frozen=True):
    """A day: counts by room and hour (None: nothing is known), and the hours asleep and away."""

    start_utc: float
    counts: dict[str, tuple[int | None, ...]]
    asleep: tuple[float, ...]  # seconds of each hour
    away: tuple[float, ...]
    visitor: tuple[float, ...]  # whole hours: those at whose end a visitor was there


def days(hours: Sequence[Hour], starts: Sequence[float]) -> list[Day]:
    """Return the days that begin at `starts` (UTC seconds); all have the same rooms."""
    rooms = rooms_of(hours)
    return [_day(start, hours, rooms) for start in starts]


def day_starts(now: float, count: int) -> list[float]:
    """Return when the last `count` days began in Korea, today last; UTC seconds."""
    today = times.local(now)
    begin = times.day_start(f"{today:%Y-%m-%d}") if today else None
    if begin is None:
        return []
    return [begin - times.DAY_S * back for back in range(count - 1, -1, -1)]


def rooms_of(hours: Iterable[Hour]) -> tuple[str, ...]:
    """Return the rooms of some hours by name; only the `ROOMS_MAX` busiest where there are more."""
    totals: dict[str, int] = {}
    for hour in hours:
        for room, count in by_room(hour).items():
            totals[room] = totals.get(room, 0) + count
    busiest = sorted(totals, key=lambda room: (-totals[room], room))[:ROOMS_MAX]
    return tuple(sorted(busiest))


def by_room(hour: Hour) -> dict[str, int]:
    """Return an hour's counts by room; a device without a room is its own room."""
    found: dict[str, int] = {}
    for device in hour.places.keys() | hour.seen.keys():
        room = hour.places.get(device) or device
        found[room] = found.get(room, 0) + hour.seen.get(device, 0)
    return found


def spans(seconds: Sequence[float]) -> list[tuple[int, int]]:
    """Return the runs (first hour, number of hours) of hours that lasted at least half an hour."""
    runs: list[tuple[int, int]] = []
    for hour, lasted in enumerate(seconds):
        if lasted < HALF_S:
            continue
        if runs and sum(runs[-1]) == hour:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((hour, 1))
    return runs


def _day(start: float, hours: Sequence[Hour], rooms: Sequence[str]) -> Day:
    counts: dict[str, list[int | None]] = {room: [None] * HOURS for room in rooms}
    asleep, away, visitor = [0.0] * HOURS, [0.0] * HOURS, [0.0] * HOURS
    for hour in hours:
        if hour.synced and start <= hour.from_utc < start + HOURS * HOUR_S:
            at = int((hour.from_utc - start) // HOUR_S)
            _add(counts, at, by_room(hour))
            asleep[at] = min(HOUR_S, asleep[at] + max(0.0, hour.asleep_s))
            away[at] = min(HOUR_S, away[at] + max(0.0, hour.away_s))
            if hour.presence is PresenceKind.VISITOR:
                visitor[at] = HOUR_S
    fixed = {room: tuple(row) for room, row in counts.items()}
    return Day(start, fixed, tuple(asleep), tuple(away), tuple(visitor))


def _add(counts: Mapping[str, list[int | None]], at: int, found: Mapping[str, int]) -> None:
    for room, row in counts.items():
        if room in found:
            row[at] = (row[at] or 0) + found[room]
