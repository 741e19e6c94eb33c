"""Check-ins: due -> asked -> answered, unclear or missed (`care_state` draws the stages).

When is in `schedule`, the talk in `asking`, what follows a miss in `ladder`, the 24 and 48 hours
in `no_life`, the PHQ-2 in `screening`. Speech gives way to alarms; the ladders do not.
"""

from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult, Topic
from hub.contract.scaip import Care
from hub.contract.voice import Meaning, Phrase
from hub.core.activity import presence
from hub.core.alarm import alarm
from hub.core.checkin import escalation, phq2, schedule
from hub.core.checkin.reports import GROUNDS, hindered, tell_need, tell_result
from hub.core.checkin.restart import note
from hub.core.model.checkin import Asked, CheckIn, Due, Paused, Rung, talked
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.events import Answered
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

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


def _elapse_visit(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> Step:
    """Ask what is due; ask again; give up. Nobody is asked while an alarm has the word."""
    if _stale_at(visit, rules) <= at:
        return _put(state, None), []
    if hindered(state):
        return _put_off(state, visit, at, rules), []
    if _visit_wake(state, visit, rules) > at:
        return state, []
    if isinstance(visit.stage, Asked):
        return _unanswered(state, visit, visit.stage, at, rules)
    return _ask(state, visit, at, rules)


def _visit_wake(state: HomeState, visit: CheckIn, rules: Rules) -> float:
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


def _not_understood(
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


def _end_visit(state: HomeState, visit: CheckIn, answer: Answer, at: float, rules: Rules) -> Step:
    """End it with its result, and tell the centre."""
    return tell_result(_put(state, None), visit, answer, at, rules)


def _visit_moved(state: HomeState, visit: CheckIn) -> HomeState:
    """Take note that somebody moved after the question."""
    if not isinstance(visit.stage, Asked) or visit.stage.moved:
        return state
    return _put(state, replace(visit, stage=replace(visit.stage, moved=True)))


def _visit_talking(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> HomeState:
    """Wait on: the talk that the question began goes on."""
    asked = visit.stage
    if not isinstance(asked, Asked) or _visit_wake(state, visit, rules) <= at:
        return state
    on = replace(asked, talked_s=max(asked.talked_s, talked(asked.at, at)))
    return _put(state, replace(visit, stage=on))


def _keep_words(state: HomeState, words: str) -> HomeState:
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


def _tell_need_once(state: HomeState, care: Care, at: float, rules: Rules, what: str = "") -> Step:
    """Tell a need, but not again what was told minutes ago; another ill is another need."""
    name = f"{care}/{what}" if what else str(care)
    told_at = state.care.told_at.get(name)
    if told_at is not None and abs(at - told_at) < rules.care.need_again_s:
        return state, []
    lately = {n: t for n, t in state.care.told_at.items() if abs(at - t) < rules.care.need_again_s}
    told = {**lately, name: at}
    state = replace(state, care=replace(state.care, told_at=told))
    return tell_need(state, care, at, rules, what=what)


def _thanks(state: HomeState, result: CheckInResult) -> list[Effect]:
    """Answer the resident, unless an alarm has the word."""
    return [] if hindered(state) else [Say(THANKS[result])]


def _ask(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> Step:
    """Speak the question, but not to one who has said that they are out."""
    if presence.declared(state.house.presence) and not visit.unclear:
        return _end_visit(state, visit, (CheckInResult.AWAY, AnsweredBy.NOBODY), at, rules)
    slow = visit.attempts > 0
    asked = replace(visit, stage=Asked(at), attempts=visit.attempts + 1)
    return _put(state, asked), [Ask(QUESTION.get(visit.topic, Phrase.ASK_MOOD), slow)]


def _unanswered(state: HomeState, visit: CheckIn, asked: Asked, at: float, rules: Rules) -> Step:
    if asked.moved and not visit.unclear:
        answer = CheckInResult.ALIVE, AnsweredBy.MOTION
        state, told = _end_visit(state, visit, answer, at, rules)
        return state, told + _thanks(state, CheckInResult.ALIVE)
    if visit.attempts >= rules.care.attempts:
        return escalation.begin(_put(state, None), visit, at, rules)
    paused = replace(visit, stage=Paused(asked.at))
    if _visit_wake(state, paused, rules) <= at:
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


WATCHING = Rung.WATCHING  # slow to look up in Python 3.11

RESULT = {
    Meaning.FINE: CheckInResult.FINE,
    Meaning.YES: CheckInResult.FINE,  # each question is put so that "yes" is good news
    Meaning.UNWELL: CheckInResult.UNWELL,
    Meaning.NO: CheckInResult.UNWELL,
}
MOST_WORDLESS = 2  # answers without a word; then a person is told, not asked a third time
HARMLESS = {Topic.OUTING, Topic.EXERCISE}  # a day at home is no illness: "no" says only "alive"


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Ask what is due, remind, give up."""
    state = schedule.look(note(state, at, rules), at, rules)
    state, effects = escalation.elapse_watch(state, at, rules)
    if state.care.missed is not None:
        state, more = escalation.elapse(state, state.care.missed, at, rules)
        effects += more
    if state.care.visit is not None:
        state, more = _elapse_visit(state, state.care.visit, at, rules)
        effects += more
    if state.care.screening is not None:
        state, more = phq2.elapse(state, state.care.screening, at, rules)
        effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    care = state.care
    times = [schedule.next_wake(state), escalation.next_wake_watch(state)]
    if care.missed is not None:
        times.append(escalation.next_wake(state, care.missed, rules))
    if care.visit is not None:
        times.append(_visit_wake(state, care.visit, rules))
    if care.screening is not None:
        times.append(phq2.next_wake(state, care.screening, rules))
    return min((time for time in times if time is not None), default=None)


def answered(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take an answer, or what was said unasked: fine only if it says so.

    What nobody understood may have been the television's: it is no sign of life.
    """
    unclear, effects = event.meaning is Meaning.UNCLEAR, list[Effect]()
    state = _keep_words(state, event.words)
    if not unclear:
        state, effects = _note_life(state, event.at, rules)
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
    return _visit_talking(state, care.visit, at, rules)


def alive(state: HomeState, at: float, by: AnsweredBy, rules: Rules) -> Step:
    """Take any sign of life (motion, door, button): called for each, so it must be quick."""
    care = state.care
    waits = care.visit is not None or care.missed is not None or care.rung is not WATCHING
    if not (waits or state.alarms):
        return state, []
    state, effects = _note_life(state, at, rules)
    if by is AnsweredBy.MOTION and care.visit is not None:
        state = _visit_moved(state, care.visit)
    pressed = by is not AnsweredBy.MOTION
    known = care.missed is not None and care.missed.checkin.unclear and not pressed
    state, told = _end_waiting(
        state, (CheckInResult.ALIVE, by), at, rules, visit=pressed, missed=not known
    )
    words = _thanks(state, CheckInResult.ALIVE) if told else []
    return state, [*effects, *told, *words]


def _clear(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take a clear word: to the question that waits, to a reminder, or unasked."""
    at, visit = event.at, state.care.visit
    asked = visit is not None and not isinstance(visit.stage, Due)
    result = _result(event.meaning, state)
    state, told = _end_waiting(state, (result, event.by), at, rules)
    if not told and event.meaning is not Meaning.UNWELL:
        return state, []
    if result is CheckInResult.UNWELL:
        state, more = _tell_need_once(state, Care.UNWELL, at, rules, event.what)
        told = told + more
    # who goes out is replied to by `presence`, and a talk may have its own last words
    if event.meaning is not Meaning.AWAY and not event.closes:
        told = told + _thanks(state, result)
    talking_on = event.closes and result is CheckInResult.UNWELL  # about what ails them
    if not asked or event.by is not AnsweredBy.VOICE or talking_on:
        return state, told
    state, question = phq2.begin(state, at, rules)
    return state, told + question


def wordless_so_far(state: HomeState, event: Answered) -> int:
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
    return _not_understood(state, visit, at, rules, last=visit.wordless >= MOST_WORDLESS)


def _counsel(state: HomeState, event: Answered, rules: Rules) -> Step:
    state, effects = _end_waiting(state, (CheckInResult.ALIVE, event.by), event.at, rules)
    if state.care.screening is not None:
        state, more = phq2.leave(state, state.care.screening, event.at, rules)
        effects += more
    state, told = _tell_need_once(state, Care.COUNSELLING, event.at, rules)
    words = [] if event.closes else [Say(Phrase.COUNSEL_COMING)]
    return state, [*told, *effects, *words]


def _end_waiting(
    state: HomeState, answer: Answer, at: float, rules: Rules,
    *, visit: bool = True, missed: bool = True,
) -> Step:  # fmt: skip
    """End what waits for an answer; a ladder that is not of this check-in learns of life only."""
    effects: list[Effect] = []
    talk, late = state.care.visit, state.care.missed
    ended = visit and talk is not None and not isinstance(talk.stage, Due)
    if ended and talk is not None:
        state, effects = _end_visit(state, talk, answer, at, rules)
    if missed and late is not None:
        answer = (CheckInResult.ALIVE, answer[1]) if ended else answer
        state, more = escalation.over(state, late, answer, at, rules)
        effects = effects + more
    elif missed:
        state, more = alarm.clear(state, GROUNDS, at, rules)
        effects = effects + more
    return state, effects


def _note_life(state: HomeState, at: float, rules: Rules) -> Step:
    care = state.care
    life_at = at if care.life_at is None else max(at, care.life_at)
    if care.rung is not Rung.WATCHING:
        state = escalation.life_seen(state, life_at, rules)
    else:
        state = replace(state, care=replace(care, life_at=life_at))
    return alarm.clear(state, escalation.NO_LIFE, at, rules)


def _result(meaning: Meaning, state: HomeState) -> CheckInResult:
    visit = state.care.visit
    if meaning is Meaning.NO and visit is not None and visit.topic in HARMLESS:
        return CheckInResult.ALIVE
    return RESULT.get(meaning, CheckInResult.ALIVE)
