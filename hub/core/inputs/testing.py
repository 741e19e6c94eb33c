"""Test mode as the home shows it, for as long as the centre's lease lasts.

It changes nothing of a call: the hub raises, sends and shows each one as always. Whether a press is
a test is the centre's judgement, by its own lease and clock. It is not kept over a restart.
"""

from msgspec.structs import replace

from hub.contract.messages import Command
from hub.contract.voice import Phrase
from hub.core.inputs.pairing import is_quiet
from hub.core.model.effects import Say
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step


def obey(state: HomeState, command: Command, at: float) -> Step | None:
    """Begin, lengthen or end it; None: not now, for an alarm or a question is under way."""
    if not command.lasts_s:
        return elapse(state, state.test_until or at)
    if not is_quiet(state):
        return None
    begins = state.test_until is None
    state = replace(state, test_until=at + command.lasts_s)
    return state, [Say(Phrase.TEST_MODE)] if begins else []


def elapse(state: HomeState, at: float, _rules: Rules | None = None) -> Step:
    """End it when its time is over: aloud, unless something else is being said."""
    if state.test_until is None or at < state.test_until:
        return state, []
    over = replace(state, test_until=None)
    return over, [Say(Phrase.TEST_MODE_OVER)] if is_quiet(state) else []


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return when it is over."""
    return state.test_until
