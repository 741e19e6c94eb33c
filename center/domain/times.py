"""Times as the console shows and reads them: Korea's wall clock, ages as mm:ss. Pure."""

from datetime import UTC, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")  # Korea has no summer time
DAY_S = 86_400


def local(utc: float) -> datetime | None:
    """Return Korea's time of UTC seconds, or None outside of the calendar."""
    try:
        return datetime.fromtimestamp(utc, UTC).astimezone(KST)
    except (
        OverflowError,
        OSError,
        ValueError,
    ):  # a hub's clock that was never set may have any value
        return None


def of_day(utc: float) -> str:
    """Write the time of day to the second, such as `14:03:22`."""
    moment = local(utc)
    return f"{moment:%H:%M:%S}" if moment else "--:--:--"


def in_full(utc: float) -> str:
    """Write date and time, such as `2026-03-02 14:03:22`."""
    moment = local(utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "----"


def short(utc: float, now: float) -> str:
    """Write the time of day, with the date before it where that is not today."""
    moment, today = local(utc), local(now)
    if moment and today and moment.date() == today.date():
        return of_day(utc)
    return f"{moment:%m-%d %H:%M:%S}" if moment else in_full(utc)


def span(seconds: float) -> str:
    """Write a length of time as `mm:ss`, or `h:mm:ss`; never less than zero."""
    whole = max(0, int(seconds))
    minutes = f"{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes  # noqa: PLR2004 - an hour


def ago(seconds: float) -> tuple[str, int]:
    """Return the unit (`s`, `m`, `h`, `d`) and the number of units of an age in seconds."""
    whole = max(0, int(seconds))
    for unit, size in (("d", DAY_S), ("h", 3600), ("m", 60)):
        if whole >= size:
            return unit, whole // size
    return "s", whole


def day_start(text: str) -> float | None:
    """Return the UTC seconds at which a day such as `2026-03-02` begins in Korea, or None."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=KST).timestamp()
    except (OverflowError, ValueError):
        return None


def day_of(utc: float) -> str:
    """Write the day in Korea, such as `2026-03-02`; empty outside of the calendar."""
    moment = local(utc)
    return f"{moment:%Y-%m-%d}" if moment else ""


def is_before_today(utc: float, now: float) -> bool:
    """Return whether a time lies before today in Korea."""
    return day_of(utc) < day_of(now)


def of_checkin(checkin: str, due_utc: float) -> tuple[str, str]:
    """Return day and time of a check-in, from its name (`2026-03-01-0900`) or when it was due.

    Both are empty where neither makes sense.
    """
    day, _, clock = checkin.replace(":", "").rpartition("-")
    if day_start(day) is not None and len(day) == 10 and _is_clock(clock):  # noqa: PLR2004
        return day, f"{clock[:2]}:{clock[2:]}"
    due = local(due_utc)
    return (f"{due:%Y-%m-%d}", f"{due:%H:%M}") if due else ("", "")


def _is_clock(text: str) -> bool:
    fits = len(text) == 4 and text.isascii() and text.isdigit()  # noqa: PLR2004 - hhmm
    return fits and text[:2] < "24" and text[2:] < "60"


def of_rfc3339(time: str, otherwise: float) -> float:
    """Return an RFC 3339 time as UTC seconds; `otherwise` where it is not one."""
    try:
        read = datetime.fromisoformat(time)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return otherwise


def for_field(utc: float) -> str:
    """Write a time for a form's date and time field, such as `2026-03-02T14:00`."""
    moment = local(utc)
    return f"{moment:%Y-%m-%dT%H:%M}" if moment else ""


def of_field(text: str) -> float | None:
    """Return the value of a form's date and time field as UTC seconds, or None."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=KST).timestamp()
    except (OverflowError, ValueError):
        return None
