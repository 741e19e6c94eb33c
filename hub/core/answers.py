"""What the resident says, asked or not: to the warning, to the check-in, about going out."""

from hub.core import checkin, warn
from hub.core.daily import AnsweredBy
from hub.core.effects import Effect
from hub.core.events import Answered
from hub.core.rules import Rules
from hub.core.state import HomeState

Step = tuple[HomeState, list[Effect]]


def take(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Any answer, even one that nobody understood, is a sign of life; fine it is only if clear."""
    if event.by is AnsweredBy.NOBODY:
        return state, []
    state, over = warn.ended(state, event.at, rules)
    state, effects = checkin.answered(state, event, rules)
    return state, over + effects
