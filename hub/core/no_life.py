"""The rule of 24 and 48 hours (Waplat): no sign of life at all, at whatever time of day.

    WATCHING --24 h--> CALLED_OUT: the warning speaks, and unless answered is the alarm NO_LIFE
             --48 h--> DISPATCHED: called again, so that somebody goes and looks
    any sign of life --> WATCHING, with an all-clear

What nobody could watch is called only after hours of watching (`dark`).
Armed by the first sign of life that there ever was; a duration, so that no clock can disturb it.
When to look again is stored: a look goes through the devices, and there are many events.
"""

from msgspec.structs import replace

from hub.contract.messages import PresenceKind
from hub.contract.scaip import Kind
from hub.core.activity import dark
from hub.core.alarm import alarm, warning
from hub.core.checkin.reports import evidence
from hub.core.checkin.restart import last_life
from hub.core.model.checkin import Rung
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

Step = tuple[HomeState, list[Effect]]
NO_LIFE = frozenset({Kind.NO_LIFE})


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
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


def next_wake(state: HomeState) -> float | None:
    """Give when to look again; a warning is heard out first."""
    return None if state.warning is not None else state.care.look_at


def over(state: HomeState, life_at: float, rules: Rules) -> HomeState:
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
    due = dark.held(
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
    state = over(state, life_at, rules)
    effects: list[Effect] = []
    if state.warning is not None and state.warning.kind is Kind.NO_LIFE:
        state, effects = warning.ended(state)
    state, cleared = alarm.clear(state, NO_LIFE, at, rules)
    return state, effects + cleared
