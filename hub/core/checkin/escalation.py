"""The ladder after a missed check-in: reminder, second reminder, the centre's worker on that day.

    Missed --said--> reminded --remind_s--> reminded again --call_s--> alarm MISSED_CHECKIN
       '----------------'-------------------------'---any sign of life--> over, with an all-clear

After words that nobody understood it takes a clear word or a button: that there is life was known.
Answers without a word (`checkin.WORDLESS`) are one of the alarm's grounds.
"""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, CheckInResult, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core.activity import dark
from hub.core.alarm import alarm, warning
from hub.core.checkin.reports import GROUNDS, evidence, hindered, tell_result
from hub.core.checkin.restart import last_life
from hub.core.model.checkin import CheckIn, Missed, Rung
from hub.core.model.effects import Ask, Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

NO_LIFE = frozenset({Kind.NO_LIFE})


def elapse_watch(state: HomeState, at: float, rules: Rules) -> Step:
    """Look for life when it is time, and climb the rung that is due."""
    care = state.care
    watching = care.rung is Rung.WATCHING
    if watching and care.look_at is not None and at < care.look_at:
        return state, []
    life_at = last_life(state, at, rules)
    if life_at is None:
        return state, []
    if not watching and care.life_at is not None and life_at > care.life_at:
        return _by_heart(state, life_at, at, rules)
    look_at = _next_look(state, life_at, at, rules)
    if look_at != care.look_at:
        state = replace(state, care=replace(care, look_at=look_at))
    if look_at is None or look_at > at or state.warning is not None:
        return state, []
    return _climb(state, life_at, at, rules)


def next_wake_watch(state: HomeState) -> float | None:
    """Give when to look again; a warning is heard out first."""
    return None if state.warning is not None else state.care.look_at


def life_seen(state: HomeState, life_at: float, rules: Rules) -> HomeState:
    """Begin to watch again: there was a sign of life."""
    look_at = life_at + rules.care.callout_s
    care = replace(state.care, rung=Rung.WATCHING, life_at=life_at, look_at=look_at)
    return replace(state, care=care)


def _next_look(state: HomeState, life_at: float, at: float, rules: Rules) -> float | None:
    """Give when the next rung is due: who has said that he is away is given until he is back.

    Who is only thought to be away is not: the door may have been a visitor's. Nor is a second
    absence given without a sign of life in between: a switch may wobble.
    """
    if state.care.rung is Rung.DISPATCHED:
        return None
    called = state.care.rung is Rung.CALLED_OUT
    due = dark.allowed_at(
        state, life_at + (rules.care.dispatch_s if called else rules.care.callout_s), rules
    )
    presence = state.house.presence
    if presence.kind is not PresenceKind.AWAY or presence.until is None or due > at:
        return due
    longest = life_at + rules.care.callout_s + rules.quiet.declared_away_s
    return max(due, min(presence.until, longest))


def _climb(state: HomeState, life_at: float, at: float, rules: Rules) -> Step:
    called = state.care.rung is Rung.CALLED_OUT
    rung = Rung.DISPATCHED if called else Rung.CALLED_OUT
    limit_s = rules.care.dispatch_s if called else rules.care.callout_s
    state = replace(state, care=replace(state.care, rung=rung, life_at=life_at))
    look_at = _next_look(state, life_at, at, rules)
    state = replace(state, care=replace(state.care, look_at=look_at))
    device, ground = state.house.active_by, evidence(state, life_at, at, limit_s, rules)
    if called:
        return alarm.call(state, Kind.NO_LIFE, device, at, rules, ground)
    return warning.begin(state, warning.Ground(Kind.NO_LIFE, device, ground), at, rules)


def _by_heart(state: HomeState, life_at: float, at: float, rules: Rules) -> Step:
    """End it by a wearable's word, which ends nothing else: its wearer may lie on the floor."""
    state = life_seen(state, life_at, rules)
    effects: list[Effect] = []
    if state.warning is not None and state.warning.kind is Kind.NO_LIFE:
        state, effects = warning.end(state)
    state, cleared = alarm.clear(state, NO_LIFE, at, rules)
    return state, effects + cleared


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
    return dark.allowed_at(state, missed.at + wait_s, rules)


def _reminder(state: HomeState) -> list[Effect]:
    return [] if hindered(state) else [Ask(Phrase.REMIND, slow=True)]


def _put(state: HomeState, missed: Missed | None) -> HomeState:
    return replace(state, care=replace(state.care, missed=missed))
