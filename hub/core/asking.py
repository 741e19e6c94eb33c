"""One check-in from the first question to its result: three attempts, the later ones slower.

Motion alone ends it only when the time for an answer is over: who walks up to the hub may be about
to say that he is ill.
"""

from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult, Topic
from hub.contract.scaip import Care
from hub.contract.voice import Phrase
from hub.core.activity import presence
from hub.core.checkin import escalation
from hub.core.checkin.reports import hindered, tell_need, tell_result
from hub.core.model.checkin import Asked, CheckIn, Due, Paused, talked
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

Step = tuple[HomeState, list[Effect]]
Answer = tuple[CheckInResult, AnsweredBy]

SETTLE_S = 60.0  # after a start, until the voice is up: what it is told before that, nobody hears
QUESTION = {
    Topic.MOOD: Phrase.ASK_MOOD,
    Topic.HEALTH: Phrase.ASK_HEALTH,
    Topic.SLEEP: Phrase.ASK_SLEEP,
    Topic.MEALS: Phrase.ASK_MEALS,
    Topic.OUTING: Phrase.ASK_OUTING,
    Topic.EXERCISE: Phrase.ASK_EXERCISE,
    Topic.MEDICINE: Phrase.ASK_MEDICINE,
}
THANKS = {
    CheckInResult.FINE: Phrase.THANKS_FINE,
    CheckInResult.UNWELL: Phrase.THANKS_UNWELL,
    CheckInResult.ALIVE: Phrase.THANKS_ALIVE,
}


def elapse(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> Step:
    """Ask what is due; ask again; give up. Nobody is asked while an alarm has the word."""
    if _stale_at(visit, rules) <= at:
        return _put(state, None), []
    if hindered(state):
        return _put_off(state, visit, at, rules), []
    if next_wake(state, visit, rules) > at:
        return state, []
    if isinstance(visit.stage, Asked):
        return _unanswered(state, visit, visit.stage, at, rules)
    return _ask(state, visit, at, rules)


def next_wake(state: HomeState, visit: CheckIn, rules: Rules) -> float:
    """Give when the next question is due, or the answer to the last one overdue."""
    settled_at = state.care.began_at + SETTLE_S
    match visit.stage:
        case Due(from_at=from_at):
            stale_at = _stale_at(visit, rules)
            return stale_at if hindered(state) else min(max(from_at, settled_at), stale_at)
        case Asked(at=asked_at, talked_s=talked_s):
            return asked_at + talked_s + rules.care.answer_s
        case Paused(at=asked_at):
            return max(asked_at + rules.care.again_s * visit.attempts, settled_at)
        case _:
            assert_never(visit.stage)


def ask_again(
    state: HomeState, visit: CheckIn, at: float, rules: Rules, *, last: bool = False
) -> Step:
    """Take words that nobody understood: they are never "fine", and may be a stroke's.

    With `last` nothing is asked any more.
    """
    visit = replace(visit, unclear=True)
    if last or visit.attempts >= rules.care.attempts:
        return escalation.begin(_put(state, None), visit, at, rules)
    state, question = _ask(state, visit, at, rules)
    return state, [Say(Phrase.NOT_UNDERSTOOD), *question]


def end(state: HomeState, visit: CheckIn, answer: Answer, at: float, rules: Rules) -> Step:
    """End it with its result, and tell the centre."""
    return tell_result(_put(state, None), visit, answer, at, rules)


def moved(state: HomeState, visit: CheckIn) -> HomeState:
    """Take note that somebody moved after the question."""
    if not isinstance(visit.stage, Asked) or visit.stage.moved:
        return state
    return _put(state, replace(visit, stage=replace(visit.stage, moved=True)))


def talking(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> HomeState:
    """Wait on: the talk that the question began goes on."""
    asked = visit.stage
    if not isinstance(asked, Asked) or next_wake(state, visit, rules) <= at:
        return state
    on = replace(asked, talked_s=max(asked.talked_s, talked(asked.at, at)))
    return _put(state, replace(visit, stage=on))


def noted(state: HomeState, words: str) -> HomeState:
    """Keep what was said, if it may be told, for the outcome of the check-in that it is about."""
    visit, missed = state.care.visit, state.care.missed
    if not words or state.care.screening is not None:
        return state
    if visit is not None and not isinstance(visit.stage, Due):
        return _put(state, replace(visit, words=words))
    if missed is None:
        return state
    missed = replace(missed, checkin=replace(missed.checkin, words=words))
    return replace(state, care=replace(state.care, missed=missed))


def need(state: HomeState, care: Care, at: float, rules: Rules, what: str = "") -> Step:
    """Tell a need, but not again what was told minutes ago; another ill is another need."""
    name = f"{care}/{what}" if what else str(care)
    told_at = state.care.told_at.get(name)
    if told_at is not None and abs(at - told_at) < rules.care.need_again_s:
        return state, []
    lately = {n: t for n, t in state.care.told_at.items() if abs(at - t) < rules.care.need_again_s}
    told = {**lately, name: at}
    state = replace(state, care=replace(state.care, told_at=told))
    return tell_need(state, care, at, rules, what=what)


def thanks(state: HomeState, result: CheckInResult) -> list[Effect]:
    """Answer the resident, unless an alarm has the word."""
    return [] if hindered(state) else [Say(THANKS[result])]


def _ask(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> Step:
    """Speak the question, but not to one who has said that they are out."""
    if presence.declared(state.house.presence) and not visit.unclear:
        return end(state, visit, (CheckInResult.AWAY, AnsweredBy.NOBODY), at, rules)
    slow = visit.attempts > 0
    asked = replace(visit, stage=Asked(at), attempts=visit.attempts + 1)
    return _put(state, asked), [Ask(QUESTION.get(visit.topic, Phrase.ASK_MOOD), slow)]


def _unanswered(state: HomeState, visit: CheckIn, asked: Asked, at: float, rules: Rules) -> Step:
    if asked.moved and not visit.unclear:
        answer = CheckInResult.ALIVE, AnsweredBy.MOTION
        state, told = end(state, visit, answer, at, rules)
        return state, told + thanks(state, CheckInResult.ALIVE)
    if visit.attempts >= rules.care.attempts:
        return escalation.begin(_put(state, None), visit, at, rules)
    paused = replace(visit, stage=Paused(asked.at))
    if next_wake(state, paused, rules) <= at:
        return _ask(state, visit, at, rules)
    return _put(state, paused), []


def _put_off(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> HomeState:
    """Wait for the alarm to end; the question that it cut short does not count."""
    if isinstance(visit.stage, Due):
        return state
    cut = visit.attempts - isinstance(visit.stage, Asked)
    later = replace(visit, attempts=cut, stage=Due(at))
    return _put(state, None if _stale_at(later, rules) <= at else later)


def _stale_at(visit: CheckIn, rules: Rules) -> float:
    """Give from when on it is too late to ask, or to take up a talk that broke off."""
    match visit.stage:
        case Due():
            return visit.due_at + rules.care.late_s
        case Asked(at=asked_at, talked_s=talked_s):
            return asked_at + talked_s + rules.care.answer_s + rules.care.late_s
        case Paused(at=asked_at):
            return asked_at + rules.care.again_s * visit.attempts + rules.care.late_s
        case _:
            assert_never(visit.stage)


def _put(state: HomeState, visit: CheckIn | None) -> HomeState:
    return replace(state, care=replace(state.care, visit=visit))
