"""What the resident says, asked or not: to the warning, to the check-in, about going out."""

from hub.core import checkin, life, presence, warn
from hub.core.daily import AnsweredBy
from hub.core.effects import Effect
from hub.core.house_events import Answered, Meaning
from hub.core.rules import Rules
from hub.core.state import HomeState

Step = tuple[HomeState, list[Effect]]


VOICE = "voice"  # as a device, in the evidence


def take(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Any answer, even one that nobody understood, is a sign of life; fine it is only if clear."""
    at = event.at
    if event.by is AnsweredBy.NOBODY:
        return state, []
    words: list[Effect] = []
    if event.meaning is Meaning.HOME:
        state, words = presence.declare(state, at, away=False, rules=rules)
    state, _ = life.noticed(state, VOICE, at, event.by, rules)
    state, over = warn.ended(state)
    state, effects = checkin.answered(state, event, rules)
    if event.meaning is Meaning.AWAY:
        state, words = presence.declare(state, at, away=True, rules=rules)
    return state, [*over, *effects, *words]
