"""Times of day: local seconds since 1970, and "HH:MM". Any clock is accepted, without errors."""

from hub.contract import wire

DAY_S = 86_400.0


def last_of(times: tuple[str, ...], local: float) -> float | None:
    """Return the latest of the daily times that is not after `local`."""
    midnight = local // DAY_S * DAY_S
    today = [midnight + _seconds(time) for time in times]
    found = [slot for slot in today if slot <= local]
    return max(found or [slot - DAY_S for slot in today], default=None)


def next_of(times: tuple[str, ...], local: float) -> float | None:
    """Return the first of the daily times after `local`."""
    last = [last_of((time,), local) for time in times]
    return min((slot + DAY_S for slot in last if slot is not None), default=None)


def left_of(begin: str, end: str, local: float) -> float:
    """Return the seconds left of the hours between `begin` and `end`; outside of them 0."""
    of_day = local % DAY_S
    length = (_seconds(end) - _seconds(begin)) % DAY_S
    into = (of_day - _seconds(begin)) % DAY_S
    return length - into if into < length else 0.0


def name_of(local: float) -> str:
    """Return a time's name, such as 2026-03-01-0900."""
    text = wire.timestamp(local)
    return f"{text[:10]}-{text[11:13]}{text[14:16]}"


def _seconds(time: str) -> float:
    return int(time[:2]) * 3600.0 + int(time[3:]) * 60.0
