"""The ladder after a missed check-in: reminder, second reminder, the centre's worker on that day.

    Missed --said--> reminded --remind_s--> reminded again --call_s--> alarm MISSED_CHECKIN
       '----------------'-------------------------'---any sign of life--> over, with an all-clear

After words that nobody understood it takes a clear word or a button: that there is life was known.
Answers without a word (`checkin.WORDLESS`) are one of the alarm's grounds.
"""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core.activity import dark
from hub.core.alarm import alarm
from hub.core.checkin.reports import GROUNDS, evidence, hindered, tell_result
from hub.core.checkin.restart import last_life
from hub.core.model.checkin import CheckIn, Missed
from hub.core.model.effects import Ask, Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

Step = tuple[HomeState, list[Effect]]
Answer = tuple[CheckInResult, AnsweredBy]
REMINDERS = 2


def begin(state: HomeState, checkin: CheckIn, at: float, rules: Rules) -> Step:
    """Tell that a check-in has no result, and remind; a reminder listens, like a question."""
    none = (CheckInResult.MISSED, AnsweredBy.NOBODY)
    unclear = (CheckInResult.UNCLEAR, AnsweredBy.VOICE)
    state = _put(state, Missed(checkin, at))
    state, told = tell_result(state, checkin, unclear if checkin.unclear else none, at, rules)
    return state, told + _reminder(state)


def over(state: HomeState, missed: Missed, answer: Answer, at: float, rules: Rules) -> Step:
    """End it by a sign of life: the late result, and the all-clear to whom was told."""
    state, told = tell_result(_put(state, None), missed.checkin, answer, at, rules)
    state, cleared = alarm.clear(state, GROUNDS, at, rules)
    return state, told + cleared


def called(state: HomeState) -> HomeState:
    """Climb no further: a person is called, or the resident takes it back. Life still ends it."""
    missed = state.care.missed
    return state if missed is None else _put(state, replace(missed, called=True))


def elapse(state: HomeState, missed: Missed, at: float, rules: Rules) -> Step:
    """Climb the rung that is due; an alarm that is open silences the reminder, and no more."""
    due = next_wake(state, missed, rules)
    if due is None or due > at:
        return state, []
    if missed.reminders < REMINDERS:
        state = _put(state, replace(missed, at=at, reminders=missed.reminders + 1))
        return state, _reminder(state)
    state = _put(state, replace(missed, at=at, called=True))
    life_at = last_life(state, at, rules)
    since = missed.checkin.due_at if life_at is None else life_at
    wordless = missed.checkin.wordless
    ground = evidence(state, since, at, at - missed.checkin.due_at, rules, wordless)
    return alarm.call(state, Kind.MISSED_CHECKIN, state.house.active_by, at, rules, ground)


def next_wake(state: HomeState, missed: Missed, rules: Rules) -> float | None:
    """Give when the next rung is due; there is none above the centre."""
    if missed.called:
        return None
    wait_s = rules.care.remind_s if missed.reminders < REMINDERS else rules.care.call_s
    return dark.held(state, missed.at + wait_s, rules)


def _reminder(state: HomeState) -> list[Effect]:
    return [] if hindered(state) else [Ask(Phrase.REMIND, slow=True)]


def _put(state: HomeState, missed: Missed | None) -> HomeState:
    return replace(state, care=replace(state.care, missed=missed))
