"""A spoken call for help: asked back once, and raised unless it is clearly taken back.

    heard --"do you need help?"--> Candidate --a clear "no", or the green button--> over
                                       '--"yes", anything unclear, silence--> alarm, within 15 s

The voice may mishear, so it asks; it may also have died, so the deadline is the hub's own. To a
warning, or while a question of the hub's own about it waits, a call for help needs no asking back.
Who answers a check-in with sounds alone, twice, is asked in the same way: groans may be all that is
left to say.
"""

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import WORDLESS
from hub.contract.scaip import BY_HAND, Kind
from hub.contract.voice import Meaning, Phrase
from hub.core import life
from hub.core.alarm import alarm
from hub.core.alarm.alarm import STORED
from hub.core.house_events import Answered
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.rules import Rules
from hub.core.model.state import Cancelled, HomeState
from hub.core.notice import Candidate, Said

Step = tuple[HomeState, list[Effect]]

VOICE = "voice"  # as a device, in alarms and in evidence
TAKES_BACK = {Meaning.NO, Meaning.CANCEL, Meaning.FINE}  # "괜찮아요" is the polite Korean no
ANEW_S = 15.0  # as `spoken_s`; a restart takes under 2 s
ALARMING = {Meaning.HELP, Meaning.UNWELL}  # to a warning: no sign that all is well


class Taken(Struct, frozen=True):
    """What a word came to: `state` and `effects`, and whether anybody else has to look at it."""

    state: HomeState
    effects: list[Effect]
    over: bool


def take(state: HomeState, event: Answered, rules: Rules) -> Taken:
    """Take a word that may call for help, or answers whether help is needed."""
    meaning = event.meaning
    if state.candidate is not None:
        return _answered(state, event, rules)
    if state.warning is not None and meaning in ALARMING:
        state = replace(state, warning=None)
        return Taken(*_raise(state, event.at, rules, _said(event)), over=True)
    doubtful = state.warning is not None and meaning is Meaning.NO
    if doubtful or meaning is Meaning.HELP:
        return Taken(*_ask(state, event, rules), over=True)
    return Taken(state, [], over=False)


def taken_back(state: HomeState) -> Step:
    """End a candidate, by a clear word or the green button."""
    return replace(state, candidate=None), [Say(Phrase.HELP_NOT_NEEDED)]


def groaned(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Ask whether help is needed, after answers in which there was no word."""
    return _ask(state, replace(event, what=WORDLESS), rules)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Raise what nobody took back; after a restart ask once more."""
    candidate = state.candidate
    if candidate is None:
        return state, []
    if candidate.until <= at:
        return _raise(state, at, rules, candidate.said)
    if candidate.asked:
        return state, []
    return replace(state, candidate=replace(candidate, asked=True)), [Ask(Phrase.ASK_HELP)]


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give when a candidate becomes an alarm."""
    if state.candidate is None:
        return None
    return state.candidate.until if state.candidate.asked else state.candidate.heard_at


def recovered(old: Candidate | None, at: float) -> Candidate | None:
    """Give what was heard before a restart its time anew: the answer to it was lost."""
    if old is None:
        return None
    until = at if old.cut_short else at + ANEW_S
    return replace(old, heard_at=at, until=until, asked=False, cut_short=True)


def _ask(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Ask back; but where a call by hand is open already, this is one more of it."""
    if any(a.kind in BY_HAND and not isinstance(a.life, Cancelled) for a in state.alarms):
        return _again(state, event, rules)
    until = event.at + rules.spoken_s
    candidate = Candidate(event.at, until, words=event.words, about=event.what)
    state = replace(state, candidate=candidate)
    return state, [Ask(Phrase.ASK_HELP)]


def _again(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Tell an open alarm's centre that help was called again, but not for each word of it.

    What it was not told of yet (first a fall, then a fire) is told at once.

    Once the centre has the alarm `sos` keeps the measure, and lets no cry go unheard.
    """
    asked_off = any(a.cancel_asked for a in state.alarms)  # whoever cries takes that back
    stored = any(isinstance(a.life, STORED) and a.kind in BY_HAND for a in state.alarms)
    news = any(a.kind in BY_HAND and alarm.is_news(a, event.what) for a in state.alarms)
    early = event.at < state.spoken_at + rules.spoken_again_s
    if early and not (asked_off or stored or news):
        return state, []
    return _raise(state, event.at, rules, _said(event))


def _answered(state: HomeState, event: Answered, rules: Rules) -> Taken:
    if event.asked not in {"", Phrase.ASK_HELP} and event.meaning in TAKES_BACK:
        return Taken(state, [], over=True)  # it was said to another question, before the cry
    if event.meaning in TAKES_BACK:
        state, words = taken_back(state)
        state, effects = life.shown(state, VOICE, event.at, event.by, rules)
        return Taken(state, [*words, *effects], over=True)
    cry = state.candidate.said if state.candidate else Said()
    about = event.what if event.meaning in ALARMING else ""
    said = cry.with_answer(event.words, about)
    raised = _raise(state, event.at, rules, said)
    return Taken(*raised, over=event.meaning is not Meaning.COUNSEL)


def _said(event: Answered) -> Said:
    return Said(event.words, event.what)


def _raise(state: HomeState, at: float, rules: Rules, said: Said) -> Step:
    state = replace(state, candidate=None, warning=None, spoken_at=at)
    return alarm.call(state, Kind.SPOKEN, VOICE, at, rules, said)
