"""Days and times of day as a hub names them, made safe for a database. Pure."""

from center.domain import times


def bounded(count: int) -> int:
    """Give a hub's count as a database's INTEGER holds it."""
    return max(0, min(count, 1_000_000))


def of_checkin(checkin: str, due_utc: float) -> tuple[str, str]:
    """Give day and time of a check-in, by its name (`2026-03-01-0900`) or else by when it was due.

    Both are empty where neither makes sense.
    """
    day, _, clock = checkin.replace(":", "").rpartition("-")
    if times.day_start(day) is not None and len(day) == 10 and _is_clock(clock):  # noqa: PLR2004
        return day, f"{clock[:2]}:{clock[2:]}"
    due = times.local(due_utc)
    return (f"{due:%Y-%m-%d}", f"{due:%H:%M}") if due else ("", "")


def _is_clock(text: str) -> bool:
    fits = len(text) == 4 and text.isascii() and text.isdigit()  # noqa: PLR2004 - hhmm
    return fits and text[:2] < "24" and text[2:] < "60"
