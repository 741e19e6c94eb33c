"""Check-ins: due -> asked -> answered, unclear or missed."""

from hub.core.daily import AnsweredBy
from hub.core.effects import Effect
from hub.core.events import Answered
from hub.core.rules import Rules
from hub.core.state import HomeState

Step = tuple[HomeState, list[Effect]]


def elapse(state: HomeState, at: float, _rules: Rules) -> Step:
    """Ask what is due, remind, give up."""
    del at
    return state, []


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    del state
    return None


def answered(state: HomeState, event: Answered, _rules: Rules) -> Step:
    """Take an answer, or what was said unasked."""
    del event
    return state, []


def alive(state: HomeState, at: float, by: AnsweredBy, _rules: Rules) -> Step:
    """Take any sign of life (motion, door, button): called for each, so it must be quick."""
    del at, by
    return state, []
