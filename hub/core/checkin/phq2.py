"""The PHQ-2: two questions about the last two weeks, each answered from 0 to 3.

Positive at 3 or more: sensitivity 83 %, specificity 92 % for a major depression (Kroenke, Spitzer
and Williams, Medical Care 2003, 41:1284). It finds who should be talked to; it diagnoses nothing.
It is asked after a check-in that was answered by voice; an unclear answer is never scored.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from hub.contract.scaip import Care
from hub.contract.times import DAY_S
from hub.contract.voice import Meaning, Phrase
from hub.core.checkin.reports import deliver_need, hindered
from hub.core.model.checkin import CareState, Screening, talked
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.events import Answered
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

ITEMS = (Phrase.ASK_PHQ_INTEREST, Phrase.ASK_PHQ_MOOD)
MOST = 3  # of one item; also what both together must reach to be positive
TRIES = 2


def begin(state: HomeState, at: float, rules: Rules) -> Step:
    """Ask, if it is time again; a new resident first gets to know the voice."""
    care, utc = state.care, state.clock.utc(at)
    if not state.clock.synced:
        return state, []
    if care.screened_utc is None:
        return _with_care(state, replace(care, screened_utc=utc)), []
    if abs(utc - care.screened_utc) < rules.care.screen_days * DAY_S:
        return state, []
    return _with_care(state, replace(care, screening=Screening(at))), [Ask(ITEMS[0])]


def take_answer(state: HomeState, screening: Screening, event: Answered, rules: Rules) -> Step:
    """Score an answer and ask the next, or tell a positive result; what is unclear is asked again.

    A score of 0 may mean that none was heard, so it counts only with a word that means "not at
    all".
    """
    none = event.score == 0 and event.meaning in {Meaning.NO, Meaning.FINE}
    some = 0 < event.score <= MOST and event.meaning is not Meaning.UNCLEAR
    if not (none or some):
        screening = replace(screening, wordless=screening.wordless + event.wordless)
        return _ask_again(state, screening, event.at, rules, [Say(Phrase.NOT_UNDERSTOOD)])
    screening = replace(screening, score=screening.score + event.score)
    if screening.item + 1 < len(ITEMS):
        following = Screening(event.at, screening.item + 1, score=screening.score)
        return _with_care(state, replace(state.care, screening=following)), [
            Ask(ITEMS[following.item])
        ]
    utc = state.clock.utc(event.at)
    state = _with_care(state, replace(state.care, screened_utc=utc))
    return end(state, screening, event.at, rules, [Say(Phrase.THANKS_ALIVE)])


def elapse(state: HomeState, screening: Screening, at: float, rules: Rules) -> Step:
    """Ask again what was not answered, or leave it for the next check-in."""
    if hindered(state):
        return end(state, screening, at, rules)
    if _overdue_at(screening, rules) > at:
        return state, []
    return _ask_again(state, screening, at, rules, [])


def next_wake(state: HomeState, screening: Screening, rules: Rules) -> float | None:
    """Return when the answer is overdue; an alarm ends the questions with the next event."""
    return None if hindered(state) else _overdue_at(screening, rules)


def talking(screening: Screening, at: float) -> Screening:
    """Wait longer: the talk that the question began goes on."""
    talked_s = max(screening.talked_s, talked(screening.at, at))
    return replace(screening, talked_s=talked_s)


def end(
    state: HomeState, screening: Screening, at: float, rules: Rules, words: Sequence[Effect] = ()
) -> Step:
    """End the questions; the score of one item alone may be positive."""
    state = _with_care(state, replace(state.care, screening=None))
    if screening.score < MOST:
        return state, [*words]
    state = _with_care(state, replace(state.care, screened_utc=state.clock.utc(at)))
    state, told = deliver_need(state, Care.LOW_MOOD, at, rules, screening.score)
    return state, [*told, *words]


def _overdue_at(screening: Screening, rules: Rules) -> float:
    return screening.at + screening.talked_s + rules.care.answer_s


def _ask_again(
    state: HomeState, screening: Screening, at: float, rules: Rules, words: list[Effect]
) -> Step:
    if screening.tries >= TRIES or hindered(state):
        return end(state, screening, at, rules)
    again = replace(screening, at=at, tries=screening.tries + 1, talked_s=0.0)
    state = _with_care(state, replace(state.care, screening=again))
    return state, [*words, Ask(ITEMS[again.item], slow=True)]


def _with_care(state: HomeState, care: CareState) -> HomeState:
    return replace(state, care=care)
