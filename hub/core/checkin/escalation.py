"""What follows a missed check-in, and what follows 24 and 48 hours without a sign of life.

    Missed --said--> reminded --remind_s--> reminded again --call_s--> alarm MISSED_CHECKIN
       '----------------'-------------------------'---any sign of life--> over, and told so

    WATCHING --callout_s--> CALLED_OUT (warning, then alarm NO_LIFE) --dispatch_s--> DISPATCHED
       '<---------------- any sign of life --------'------------------------------------'

After words that nobody understood only a clear word or a button ends the first: that there is life
was known. Answers without a word (`MOST_WORDLESS`) are part of the alarm's evidence.
"""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core.activity import dark
from hub.core.alarm import alarm, warning
from hub.core.checkin.reports import ENDED_BY_LIFE, Answer, deliver_result, evidence, hindered
from hub.core.checkin.restart import last_life
from hub.core.model.checkin import CheckIn, LifeWatch, Missed
from hub.core.model.effects import Ask, Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

NO_LIFE = frozenset({Kind.NO_LIFE})
MOST_REMINDERS = 2


def begin(state: HomeState, checkin: CheckIn, at: float, rules: Rules) -> Step:
    """Report that a check-in has no result, and remind; a reminder listens, like a question."""
    none = (CheckInResult.MISSED, AnsweredBy.NOBODY)
    unclear = (CheckInResult.UNCLEAR, AnsweredBy.VOICE)
    state = _with_missed(state, Missed(checkin, at))
    state, told = deliver_result(state, checkin, unclear if checkin.unclear else none, at, rules)
    return state, told + _reminder(state)


def elapse(state: HomeState, missed: Missed, at: float, rules: Rules) -> Step:
    """Make the step that is due; an open alarm silences only the reminder."""
    due = next_wake(state, missed, rules)
    if due is None or due > at:
        return state, []
    if missed.reminders < MOST_REMINDERS:
        state = _with_missed(state, replace(missed, at=at, reminders=missed.reminders + 1))
        return state, _reminder(state)
    state = _with_missed(state, replace(missed, at=at, called=True))
    life_at = last_life(state, at, rules)
    since = missed.checkin.due_at if life_at is None else life_at
    wordless = missed.checkin.wordless
    ground = evidence(state, since, at, at - missed.checkin.due_at, rules, wordless)
    return alarm.call(state, Kind.MISSED_CHECKIN, state.house.active_by, at, rules, ground)


def next_wake(state: HomeState, missed: Missed, rules: Rules) -> float | None:
    """Return when the next step is due; there is none after the call to the centre."""
    if missed.called:
        return None
    wait_s = rules.care.remind_s if missed.reminders < MOST_REMINDERS else rules.care.call_s
    return dark.allowed_at(state, missed.at + wait_s, rules)


def end(state: HomeState, missed: Missed, answer: Answer, at: float, rules: Rules) -> Step:
    """End it by a sign of life: tell the late result, and that the alarm's reason is gone."""
    state, told = deliver_result(_with_missed(state, None), missed.checkin, answer, at, rules)
    state, cleared = alarm.clear(state, ENDED_BY_LIFE, at, rules)
    return state, told + cleared


def without_further_steps(state: HomeState) -> HomeState:
    """Return the state that takes no further step: a person is called. Life still ends it."""
    missed = state.care.missed
    return state if missed is None else _with_missed(state, replace(missed, called=True))


def _reminder(state: HomeState) -> list[Effect]:
    return [] if hindered(state) else [Ask(Phrase.REMIND, slow=True)]


def _with_missed(state: HomeState, missed: Missed | None) -> HomeState:
    return replace(state, care=replace(state.care, missed=missed))


def elapse_watch(state: HomeState, at: float, rules: Rules) -> Step:
    """Look for a sign of life when it is time, and make the step that is due."""
    care = state.care
    watching = care.rung is LifeWatch.WATCHING
    if watching and care.look_at is not None and at < care.look_at:
        return state, []
    life_at = last_life(state, at, rules)
    if life_at is None:
        return state, []
    if not watching and care.life_at is not None and life_at > care.life_at:
        return _end_by_wearable(state, life_at, at, rules)
    look_at = _next_look(state, life_at, at, rules)
    if look_at != care.look_at:
        state = replace(state, care=replace(care, look_at=look_at))
    if look_at is None or look_at > at or state.warning is not None:
        return state, []
    return _call_or_warn(state, life_at, at, rules)


def next_wake_watch(state: HomeState) -> float | None:
    """Return when to look again; a warning that is on is waited for."""
    return None if state.warning is not None else state.care.look_at


def life_seen(state: HomeState, life_at: float, rules: Rules) -> HomeState:
    """Return the state that watches anew after a sign of life at `life_at`."""
    look_at = life_at + rules.care.callout_s
    care = replace(state.care, rung=LifeWatch.WATCHING, life_at=life_at, look_at=look_at)
    return replace(state, care=care)


def _next_look(state: HomeState, life_at: float, at: float, rules: Rules) -> float | None:
    """Return when the next step is due; a resident who said that they are away may still return.

    One who is only thought to be away may not: the door may have been a visitor's. Nor does a
    second absence count without a sign of life in between: a switch may wobble.
    """
    if state.care.rung is LifeWatch.DISPATCHED:
        return None
    called = state.care.rung is LifeWatch.CALLED_OUT
    due = dark.allowed_at(
        state, life_at + (rules.care.dispatch_s if called else rules.care.callout_s), rules
    )
    presence = state.house.presence
    if presence.kind is not PresenceKind.AWAY or presence.until is None or due > at:
        return due
    longest = life_at + rules.care.callout_s + rules.quiet.declared_away_s
    return max(due, min(presence.until, longest))


def _call_or_warn(state: HomeState, life_at: float, at: float, rules: Rules) -> Step:
    called = state.care.rung is LifeWatch.CALLED_OUT
    rung = LifeWatch.DISPATCHED if called else LifeWatch.CALLED_OUT
    limit_s = rules.care.dispatch_s if called else rules.care.callout_s
    state = replace(state, care=replace(state.care, rung=rung, life_at=life_at))
    look_at = _next_look(state, life_at, at, rules)
    state = replace(state, care=replace(state.care, look_at=look_at))
    device, ground = state.house.active_by, evidence(state, life_at, at, limit_s, rules)
    if called:
        return alarm.call(state, Kind.NO_LIFE, device, at, rules, ground)
    return warning.begin(state, warning.Ground(Kind.NO_LIFE, device, ground), at, rules)


def _end_by_wearable(state: HomeState, life_at: float, at: float, rules: Rules) -> Step:
    """End the watch by a wearable's reading, and nothing else: its wearer may lie on the floor."""
    state = life_seen(state, life_at, rules)
    effects: list[Effect] = []
    if state.warning is not None and state.warning.kind is Kind.NO_LIFE:
        state, effects = warning.end(state)
    state, cleared = alarm.clear(state, NO_LIFE, at, rules)
    return state, effects + cleared
