"""Hours in which the hub was off: calls that follow from them wait until it has watched again.

When power returns to an area after a day, each home there has shown no life for a day. So what
became due while the hub was off for hours is called only after hours of watching, outside the quiet
hours, and each hub at another time, by its name. Any sign of life ends the wait. An SOS is not
delayed by this.

    off for hours --start--> dark_at --`watch_s`, spread, by day--> called, at the latest after 24 h

`CareState.dark_at` is when the hub began to watch again. While it is off once more the wait stands
still, so that it ends however often the power fails.
"""

from hub.contract.times import left_of
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState


def allowed_at(state: HomeState, due: float, rules: Rules) -> float:
    """Return when what is due at `due` may be called."""
    dark_at, numbers = state.care.dark_at, rules.care
    if dark_at is None:
        return due
    own_s = share_of(rules.hub) * numbers.spread_s
    moment = _after_quiet_hours(state, dark_at + numbers.watch_s, rules) + own_s
    if (morning := _after_quiet_hours(state, moment, rules)) > moment:
        moment = morning + own_s
    return max(due, min(moment, dark_at + numbers.callout_s))


def share_of(hub: str) -> float:
    """Return a hub's place among all hubs, 0 to 1: always the same, and another for each hub.

    It is an FNV-1a hash of its name, mixed.
    """
    mixed = 0x811C9DC5
    for byte in hub.encode(errors="replace"):
        mixed = (mixed ^ byte) * 0x01000193 % 2**32
    for shift in (16, 13):  # else names that differ in the last figure would be neighbours
        mixed = (mixed ^ mixed >> shift) * 0x85EBCA6B % 2**32
    return mixed / 2**32


def _after_quiet_hours(state: HomeState, at: float, rules: Rules) -> float:
    """Return the end of the quiet hours in which `at` lies; without a clock, `at`."""
    if not state.clock.synced:
        return at
    local = state.clock.local(at)
    return at + left_of(rules.care.quiet_from, rules.care.quiet_until, local)
