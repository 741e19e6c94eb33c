"""Unusual quiet: how long nothing has moved, against what is usual for this person at this hour."""

from hub.core.effects import Effect
from hub.core.rules import Rules
from hub.core.state import HomeState

Step = tuple[HomeState, list[Effect]]


def active(state: HomeState, device: str, at: float, rules: Rules) -> HomeState:
    """Take activity: the quiet is over."""
    del device, at, rules
    return state


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Judge the present quiet; learn from what has passed."""
    del at, rules
    return state, []


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    del state, rules
    return None
