"""Check-ins: due -> asked -> answered, unclear or missed (`model.checkin` draws the stages).

`schedule` says when one is due, `escalation` what follows a missed one and 24 and 48 hours without
a sign of life, `phq2` asks the PHQ-2. The hub asks nothing while an alarm is open; the escalation
goes on all the same.
"""

from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult, Topic
from hub.contract.scaip import Care
from hub.contract.voice import Meaning, Phrase
from hub.core.activity import presence
from hub.core.alarm import alarm
from hub.core.checkin import escalation, phq2, schedule
from hub.core.checkin.reports import ENDED_BY_LIFE, Answer, deliver_need, deliver_result, hindered
from hub.core.checkin.restart import note
from hub.core.model.checkin import Asked, CheckIn, Due, LifeWatch, Paused, talked
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.events import Answered
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

SETTLE_S = 60.0  # after a start, until the voice runs: before that nobody hears it
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
RESULT = {
    Meaning.FINE: CheckInResult.FINE,
    Meaning.YES: CheckInResult.FINE,  # each question is put so that "yes" is good news
    Meaning.UNWELL: CheckInResult.UNWELL,
    Meaning.NO: CheckInResult.UNWELL,
}
HARMLESS = {Topic.OUTING, Topic.EXERCISE}  # a day at home is no illness: "no" means only "alive"
MOST_WORDLESS = 2  # answers without a word; then a person is told, not asked a third time
WATCHING = LifeWatch.WATCHING  # slow to look up in Python 3.11


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
    """Return the next time at which `elapse` has something to do."""
    care = state.care
    times = [schedule.next_wake(state), escalation.next_wake_watch(state)]
    if care.missed is not None:
        times.append(escalation.next_wake(state, care.missed, rules))
    if care.visit is not None:
        times.append(_visit_wake(state, care.visit, rules))
    if care.screening is not None:
        times.append(phq2.next_wake(state, care.screening, rules))
    return min((time for time in times if time is not None), default=None)


def take_answer(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Apply an answer, or what was said unasked: it is fine only if it says so.

    What nobody understood may have been the television's: it is no sign of life.
    """
    unclear, effects = event.meaning is Meaning.UNCLEAR, list[Effect]()
    state = _keep_words(state, event.words)
    if not unclear:
        state, effects = _note_life(state, event.at, rules)
    if event.meaning is Meaning.COUNSEL:
        state, more = _take_counsel(state, event, rules)
    elif state.care.screening is not None:
        state, more = phq2.take_answer(state, state.care.screening, event, rules)
    elif unclear:
        state, more = _take_unclear_answer(state, event, rules)
    else:
        state, more = _take_clear_answer(state, event, rules)
    return state, effects + more


def take_talking(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Extend the deadline while a talk goes on, up to `TALK_S` after the question."""
    care = state.care
    if care.screening is not None:
        return replace(state, care=replace(care, screening=phq2.talking(care.screening, at)))
    if care.visit is None:
        return state
    return _visit_talking(state, care.visit, at, rules)


def take_life_sign(state: HomeState, at: float, by: AnsweredBy, rules: Rules) -> Step:
    """Apply any sign of life (motion, door, button). Called for each one, so it must be quick."""
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


def wordless_so_far(state: HomeState, event: Answered) -> int:
    """Return how many answers without a word this check-in has had, this one included."""
    care = state.care
    before = care.screening or care.visit or (care.missed.checkin if care.missed else None)
    return event.wordless + (before.wordless if before is not None and event.wordless else 0)


def _elapse_visit(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> Step:
    """Ask what is due; ask again; give up. Nothing is asked while an alarm is open."""
    if _stale_at(visit, rules) <= at:
        return _with_visit(state, None), []
    if hindered(state):
        return _put_off(state, visit, at, rules), []
    if _visit_wake(state, visit, rules) > at:
        return state, []
    if isinstance(visit.stage, Asked):
        return _unanswered(state, visit, visit.stage, at, rules)
    return _ask(state, visit, at, rules)


def _visit_wake(state: HomeState, visit: CheckIn, rules: Rules) -> float:
    """Return when the next question is due, or the answer to the last one overdue."""
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


def _stale_at(visit: CheckIn, rules: Rules) -> float:
    """Return from when on it is too late to ask, or to go on with a talk that broke off."""
    match visit.stage:
        case Due():
            return visit.due_at + rules.care.late_s
        case Asked(at=asked_at, talked_s=talked_s):
            return asked_at + talked_s + rules.care.answer_s + rules.care.late_s
        case Paused(at=asked_at):
            return asked_at + rules.care.again_s * visit.attempts + rules.care.late_s
        case _:
            assert_never(visit.stage)


def _ask(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> Step:
    """Speak the question, unless the resident has said that they are out."""
    if presence.declared(state.house.presence) and not visit.unclear:
        return _end_with_result(state, visit, (CheckInResult.AWAY, AnsweredBy.NOBODY), at, rules)
    slow = visit.attempts > 0
    asked = replace(visit, stage=Asked(at), attempts=visit.attempts + 1)
    return _with_visit(state, asked), [Ask(QUESTION.get(visit.topic, Phrase.ASK_MOOD), slow)]


def _unanswered(state: HomeState, visit: CheckIn, asked: Asked, at: float, rules: Rules) -> Step:
    if asked.moved and not visit.unclear:
        answer = CheckInResult.ALIVE, AnsweredBy.MOTION
        state, told = _end_with_result(state, visit, answer, at, rules)
        return state, told + _thanks(state, CheckInResult.ALIVE)
    if visit.attempts >= rules.care.attempts:
        return escalation.begin(_with_visit(state, None), visit, at, rules)
    paused = replace(visit, stage=Paused(asked.at))
    if _visit_wake(state, paused, rules) <= at:
        return _ask(state, visit, at, rules)
    return _with_visit(state, paused), []


def _put_off(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> HomeState:
    """Wait for the alarm to end; a question that it interrupted does not count."""
    if isinstance(visit.stage, Due):
        return state
    cut = visit.attempts - isinstance(visit.stage, Asked)
    later = replace(visit, attempts=cut, stage=Due(at))
    return _with_visit(state, None if _stale_at(later, rules) <= at else later)


def _take_clear_answer(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Apply a clear word: to the question that waits, to a reminder, or unasked."""
    at, visit = event.at, state.care.visit
    asked = visit is not None and not isinstance(visit.stage, Due)
    result = _result_of(event.meaning, state)
    state, told = _end_waiting(state, (result, event.by), at, rules)
    if not told and event.meaning is not Meaning.UNWELL:
        return state, []
    if result is CheckInResult.UNWELL:
        state, more = _deliver_need_once(state, Care.UNWELL, at, rules, event.what)
        told = told + more
    # `presence` answers who goes out, and a talk may have its own last words
    if event.meaning is not Meaning.AWAY and not event.closes:
        told = told + _thanks(state, result)
    talking_on = event.closes and result is CheckInResult.UNWELL  # about the complaint
    if not asked or event.by is not AnsweredBy.VOICE or talking_on:
        return state, told
    state, question = phq2.begin(state, at, rules)
    return state, told + question


def _take_unclear_answer(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Apply words that nobody understood: from now on only a clear word ends the check-in.

    Sounds without a word end the questions sooner: a person is to judge them.
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


def _not_understood(
    state: HomeState, visit: CheckIn, at: float, rules: Rules, *, last: bool = False
) -> Step:
    """Apply words that nobody understood: they never count as fine, and may be a stroke's.

    With `last` nothing more is asked.
    """
    visit = replace(visit, unclear=True)
    if last or visit.attempts >= rules.care.attempts:
        return escalation.begin(_with_visit(state, None), visit, at, rules)
    state, question = _ask(state, visit, at, rules)
    return state, [Say(Phrase.NOT_UNDERSTOOD), *question]


def _take_counsel(state: HomeState, event: Answered, rules: Rules) -> Step:
    state, effects = _end_waiting(state, (CheckInResult.ALIVE, event.by), event.at, rules)
    if state.care.screening is not None:
        state, more = phq2.end(state, state.care.screening, event.at, rules)
        effects += more
    state, told = _deliver_need_once(state, Care.COUNSELLING, event.at, rules)
    words = [] if event.closes else [Say(Phrase.COUNSEL_COMING)]
    return state, [*told, *effects, *words]


def _end_waiting(
    state: HomeState, answer: Answer, at: float, rules: Rules,
    *, visit: bool = True, missed: bool = True,
) -> Step:  # fmt: skip
    """End what waits for an answer; an escalation of another check-in learns only of life."""
    effects: list[Effect] = []
    talk, late = state.care.visit, state.care.missed
    ended = visit and talk is not None and not isinstance(talk.stage, Due)
    if ended and talk is not None:
        state, effects = _end_with_result(state, talk, answer, at, rules)
    if missed and late is not None:
        answer = (CheckInResult.ALIVE, answer[1]) if ended else answer
        state, more = escalation.end(state, late, answer, at, rules)
        effects = effects + more
    elif missed:
        state, more = alarm.clear(state, ENDED_BY_LIFE, at, rules)
        effects = effects + more
    return state, effects


def _end_with_result(
    state: HomeState, visit: CheckIn, answer: Answer, at: float, rules: Rules
) -> Step:
    """End the check-in with its result, and tell the centre."""
    return deliver_result(_with_visit(state, None), visit, answer, at, rules)


def _result_of(meaning: Meaning, state: HomeState) -> CheckInResult:
    visit = state.care.visit
    if meaning is Meaning.NO and visit is not None and visit.topic in HARMLESS:
        return CheckInResult.ALIVE
    return RESULT.get(meaning, CheckInResult.ALIVE)


def _note_life(state: HomeState, at: float, rules: Rules) -> Step:
    care = state.care
    life_at = at if care.life_at is None else max(at, care.life_at)
    if care.rung is not LifeWatch.WATCHING:
        state = escalation.life_seen(state, life_at, rules)
    else:
        state = replace(state, care=replace(care, life_at=life_at))
    return alarm.clear(state, escalation.NO_LIFE, at, rules)


def _visit_moved(state: HomeState, visit: CheckIn) -> HomeState:
    """Note that somebody moved after the question."""
    if not isinstance(visit.stage, Asked) or visit.stage.moved:
        return state
    return _with_visit(state, replace(visit, stage=replace(visit.stage, moved=True)))


def _visit_talking(state: HomeState, visit: CheckIn, at: float, rules: Rules) -> HomeState:
    """Wait longer: the talk that the question began goes on."""
    asked = visit.stage
    if not isinstance(asked, Asked) or _visit_wake(state, visit, rules) <= at:
        return state
    on = replace(asked, talked_s=max(asked.talked_s, talked(asked.at, at)))
    return _with_visit(state, replace(visit, stage=on))


def _keep_words(state: HomeState, words: str) -> HomeState:
    """Keep what was said, where it may be told, for the result of its check-in."""
    visit, missed = state.care.visit, state.care.missed
    if not words or state.care.screening is not None:
        return state
    if visit is not None and not isinstance(visit.stage, Due):
        return _with_visit(state, replace(visit, words=words))
    if missed is None:
        return state
    missed = replace(missed, checkin=replace(missed.checkin, words=words))
    return replace(state, care=replace(state.care, missed=missed))


def _deliver_need_once(
    state: HomeState, care: Care, at: float, rules: Rules, what: str = ""
) -> Step:
    """Report a need, unless it was reported minutes ago; another complaint is another need."""
    name = f"{care}/{what}" if what else str(care)
    told_at = state.care.told_at.get(name)
    if told_at is not None and abs(at - told_at) < rules.care.need_again_s:
        return state, []
    lately = {n: t for n, t in state.care.told_at.items() if abs(at - t) < rules.care.need_again_s}
    told = {**lately, name: at}
    state = replace(state, care=replace(state.care, told_at=told))
    return deliver_need(state, care, at, rules, what=what)


def _thanks(state: HomeState, result: CheckInResult) -> list[Effect]:
    """Return the words that answer the resident; none while an alarm is open."""
    return [] if hindered(state) else [Say(THANKS[result])]


def _with_visit(state: HomeState, visit: CheckIn | None) -> HomeState:
    return replace(state, care=replace(state.care, visit=visit))
