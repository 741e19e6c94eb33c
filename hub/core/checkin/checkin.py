"""Check-ins: due -> asked -> answered, unclear or missed (`care_state` draws the stages).

When is in `schedule`, the talk in `asking`, what follows a miss in `ladder`, the 24 and 48 hours
in `no_life`, the PHQ-2 in `screening`. Speech gives way to alarms; the ladders do not.
"""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult, Topic
from hub.contract.scaip import Care
from hub.contract.voice import Meaning, Phrase
from hub.core import asking, no_life
from hub.core.alarm import alarm
from hub.core.checkin import escalation, phq2, schedule
from hub.core.checkin.reports import GROUNDS
from hub.core.checkin.restart import note
from hub.core.house_events import Answered
from hub.core.model.checkin import Due, Rung
from hub.core.model.effects import Effect, Say
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

Step = tuple[HomeState, list[Effect]]

WATCHING = Rung.WATCHING  # slow to look up in Python 3.11

RESULT = {
    Meaning.FINE: CheckInResult.FINE,
    Meaning.YES: CheckInResult.FINE,  # each question is put so that "yes" is good news
    Meaning.UNWELL: CheckInResult.UNWELL,
    Meaning.NO: CheckInResult.UNWELL,
}
WORDLESS = 2  # answers without a word, after which a person is told: nobody is asked a third time
HARMLESS = {Topic.OUTING, Topic.EXERCISE}  # a day at home is no illness: "no" says only "alive"


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Ask what is due, remind, give up."""
    state = schedule.look(note(state, at, rules), at, rules)
    state, effects = no_life.elapse(state, at, rules)
    if state.care.missed is not None:
        state, more = escalation.elapse(state, state.care.missed, at, rules)
        effects += more
    if state.care.visit is not None:
        state, more = asking.elapse(state, state.care.visit, at, rules)
        effects += more
    if state.care.screening is not None:
        state, more = phq2.elapse(state, state.care.screening, at, rules)
        effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    care = state.care
    times = [schedule.next_wake(state), no_life.next_wake(state)]
    if care.missed is not None:
        times.append(escalation.next_wake(state, care.missed, rules))
    if care.visit is not None:
        times.append(asking.next_wake(state, care.visit, rules))
    if care.screening is not None:
        times.append(phq2.next_wake(state, care.screening, rules))
    return min((time for time in times if time is not None), default=None)


def answered(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take an answer, or what was said unasked: fine only if it says so.

    What nobody understood may have been the television's: it is no sign of life.
    """
    unclear, effects = event.meaning is Meaning.UNCLEAR, list[Effect]()
    state = asking.noted(state, event.words)
    if not unclear:
        state, effects = _lives(state, event.at, rules)
    if event.meaning is Meaning.COUNSEL:
        state, more = _counsel(state, event, rules)
    elif state.care.screening is not None:
        state, more = phq2.answered(state, state.care.screening, event, rules)
    elif unclear:
        state, more = _unclear(state, event, rules)
    else:
        state, more = _clear(state, event, rules)
    return state, effects + more


def talking(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Give more time to who is in the midst of a talk, within bounds."""
    care = state.care
    if care.screening is not None:
        return replace(state, care=replace(care, screening=phq2.talking(care.screening, at)))
    if care.visit is None:
        return state
    return asking.talking(state, care.visit, at, rules)


def alive(state: HomeState, at: float, by: AnsweredBy, rules: Rules) -> Step:
    """Take any sign of life (motion, door, button): called for each, so it must be quick."""
    care = state.care
    waits = care.visit is not None or care.missed is not None or care.rung is not WATCHING
    if not (waits or state.alarms):
        return state, []
    state, effects = _lives(state, at, rules)
    if by is AnsweredBy.MOTION and care.visit is not None:
        state = asking.moved(state, care.visit)
    pressed = by is not AnsweredBy.MOTION
    known = care.missed is not None and care.missed.checkin.unclear and not pressed
    state, told = _end(state, (CheckInResult.ALIVE, by), at, rules, visit=pressed, missed=not known)
    words = asking.thanks(state, CheckInResult.ALIVE) if told else []
    return state, [*effects, *told, *words]


def _clear(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take a clear word: to the question that waits, to a reminder, or unasked."""
    at, visit = event.at, state.care.visit
    asked = visit is not None and not isinstance(visit.stage, Due)
    result = _result(event.meaning, state)
    state, told = _end(state, (result, event.by), at, rules)
    if not told and event.meaning is not Meaning.UNWELL:
        return state, []
    if result is CheckInResult.UNWELL:
        state, more = asking.need(state, Care.UNWELL, at, rules, event.what)
        told = told + more
    # who goes out is replied to by `presence`, and a talk may have its own last words
    if event.meaning is not Meaning.AWAY and not event.closes:
        told = told + asking.thanks(state, result)
    talking_on = event.closes and result is CheckInResult.UNWELL  # about what ails them
    if not asked or event.by is not AnsweredBy.VOICE or talking_on:
        return state, told
    state, question = phq2.begin(state, at, rules)
    return state, told + question


def wordless(state: HomeState, event: Answered) -> int:
    """Count the answers without a word: this one's, and those before it in the same check-in."""
    care = state.care
    before = care.screening or care.visit or (care.missed.checkin if care.missed else None)
    return event.wordless + (before.wordless if before is not None and event.wordless else 0)


def _unclear(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take words that nobody understood: from now on it takes clear ones.

    Sounds without a word end the asking sooner: what comes of them is for a person to judge.
    """
    at, visit, missed = event.at, state.care.visit, state.care.missed
    if missed is not None:
        groans = missed.checkin.wordless + event.wordless
        missed = replace(missed, checkin=replace(missed.checkin, unclear=True, wordless=groans))
        state = replace(state, care=replace(state.care, missed=missed))
    if visit is None or isinstance(visit.stage, Due):
        return state, []
    visit = replace(visit, wordless=visit.wordless + event.wordless)
    return asking.ask_again(state, visit, at, rules, last=visit.wordless >= WORDLESS)


def _counsel(state: HomeState, event: Answered, rules: Rules) -> Step:
    state, effects = _end(state, (CheckInResult.ALIVE, event.by), event.at, rules)
    if state.care.screening is not None:
        state, more = phq2.leave(state, state.care.screening, event.at, rules)
        effects += more
    state, told = asking.need(state, Care.COUNSELLING, event.at, rules)
    words = [] if event.closes else [Say(Phrase.COUNSEL_COMING)]
    return state, [*told, *effects, *words]


def _end(
    state: HomeState, answer: asking.Answer, at: float, rules: Rules,
    *, visit: bool = True, missed: bool = True,
) -> Step:  # fmt: skip
    """End what waits for an answer; a ladder that is not of this check-in learns of life only."""
    effects: list[Effect] = []
    talk, late = state.care.visit, state.care.missed
    ended = visit and talk is not None and not isinstance(talk.stage, Due)
    if ended and talk is not None:
        state, effects = asking.end(state, talk, answer, at, rules)
    if missed and late is not None:
        answer = (CheckInResult.ALIVE, answer[1]) if ended else answer
        state, more = escalation.over(state, late, answer, at, rules)
        effects = effects + more
    elif missed:
        state, more = alarm.clear(state, GROUNDS, at, rules)
        effects = effects + more
    return state, effects


def _lives(state: HomeState, at: float, rules: Rules) -> Step:
    care = state.care
    life_at = at if care.life_at is None else max(at, care.life_at)
    if care.rung is not Rung.WATCHING:
        state = no_life.over(state, life_at, rules)
    else:
        state = replace(state, care=replace(care, life_at=life_at))
    return alarm.clear(state, no_life.NO_LIFE, at, rules)


def _result(meaning: Meaning, state: HomeState) -> CheckInResult:
    visit = state.care.visit
    if meaning is Meaning.NO and visit is not None and visit.topic in HARMLESS:
        return CheckInResult.ALIVE
    return RESULT.get(meaning, CheckInResult.ALIVE)
