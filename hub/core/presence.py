"""Where the resident is: home, asleep, away, with visitors, as far as the house can tell."""

from hub.core.rules import Rules
from hub.core.state import HomeState


def active(state: HomeState, device: str, at: float, rules: Rules) -> HomeState:
    """Take activity in the house."""
    del device, at, rules
    return state


def passed(state: HomeState, at: float, *, opened: bool) -> HomeState:
    """Take note that the exit door was opened or shut."""
    del at, opened
    return state
