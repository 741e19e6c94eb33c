"""Times of day: local seconds since 1970 against "HH:MM". A clock may say anything: no errors."""

from hub.contract import wire

DAY_S = 86_400.0
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # what it writes into: struct timex is 208 bytes on 64-bit Linux


def last_of(times: tuple[str, ...], local: float) -> float | None:
    """Give the latest of the daily times that is not after `local`."""
    midnight = local // DAY_S * DAY_S
    today = [midnight + _seconds(time) for time in times]
    found = [slot for slot in today if slot <= local]
    return max(found or [slot - DAY_S for slot in today], default=None)


def next_of(times: tuple[str, ...], local: float) -> float | None:
    """Give the first of the daily times after `local`."""
    last = [last_of((time,), local) for time in times]
    return min((slot + DAY_S for slot in last if slot is not None), default=None)


def left_of(begin: str, end: str, local: float) -> float:
    """Give the seconds that are left of the hours between `begin` and `end`, outside of them 0."""
    of_day = local % DAY_S
    length = (_seconds(end) - _seconds(begin)) % DAY_S
    into = (of_day - _seconds(begin)) % DAY_S
    return length - into if into < length else 0.0


def name_of(local: float) -> str:
    """Name a time, such as 2026-03-01-0900."""
    text = wire.timestamp(local)
    return f"{text[:10]}-{text[11:13]}{text[14:16]}"


def kernel_trusts(answer: int) -> bool:
    """Tell from the answer of adjtimex(2) whether the kernel holds its clock for synchronised.

    Where the question is refused (-1: a unit that filters the call), it is not known to be.
    """
    return 0 <= answer < TIME_ERROR


def _seconds(time: str) -> float:
    return int(time[:2]) * 3600.0 + int(time[3:]) * 60.0
