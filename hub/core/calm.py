"""A fast way through a calm stretch of a home's life, so that a year is replayed in seconds.

`decide.decide` looks at all deadlines before each event. Where nothing is under way they can be
known beforehand, and an event before the first of them needs no look. Whatever is not known here to
be harmless is not calm, and goes the full way. Both give the same result, except for the time that
a hub notes for its next start (`checkin.restart.note`): a replay never starts again.
"""

import math

from hub.contract.times import DAY_S
from hub.core.activity import hourly, noise, presence, quiet, routines
from hub.core.alarm import signals
from hub.core.checkin import overdue, schedule
from hub.core.decide import decide as decide_fully
from hub.core.decide import take_event
from hub.core.inputs import sensors
from hub.core.model.activity import NEVER
from hub.core.model.checkin import CareState, LifeWatch
from hub.core.model.effects import Effect, Signal
from hub.core.model.events import Event, MotionChanged, Ticked
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step, Up
from hub.core.supervision import supervision
from hub.core.vitals import vitals

# members of an enum are slow to look up in Python 3.11, which is why hot code names them once
RESTING, FAULT, WATCHING = Signal.RESTING, Signal.FAULT, LifeWatch.WATCHING

# of all that `decide.decide` serves, in its order, what may be due in a calm stretch
ELAPSE = (
    vitals.elapse,
    noise.elapse,
    presence.elapse,
    overdue.elapse,
    quiet.elapse,
    routines.elapse,
    hourly.elapse,
    supervision.elapse,
)
NEXT_WAKE = (
    vitals.next_wake,
    noise.next_wake,
    presence.next_wake,
    overdue.next_wake,
    quiet.next_wake,
    routines.next_wake,
    hourly.next_wake,
    supervision.next_wake,
)


def decide(state: HomeState, event: Event, rules: Rules) -> Step:
    """Return what `decide.decide` returns; only for an event in time and before `until`."""
    if isinstance(event, MotionChanged):  # most of a year
        after, effects = sensors.motion(state, event, rules)
        if not effects and after.faults is state.faults:
            return after, effects  # so the signal that is shown is still right
    else:
        after, effects = take_event(state, event, rules)
    after, words = signals.express(after, event.at, rules)
    return after, effects + words if words else effects


def serve(state: HomeState, at: float, rules: Rules) -> Step:
    """Return what `decide.decide` returns for a `Ticked` at the end of a calm stretch."""
    if at >= _full_at(state, at, rules):
        return decide_fully(state, Ticked(at), rules)
    effects: list[Effect] = []
    for elapse in ELAPSE:
        state, more = elapse(state, at, rules)
        if more:
            effects += more
    state, words = signals.express(state, at, rules)
    return state, effects + words if words else effects


def until(state: HomeState, at: float, rules: Rules) -> float:
    """Return until when, from `at` on, time alone changes nothing; -inf: perhaps now already."""
    if not (_is_calm(state) and _waits_for_nobody(state.care)):
        return -math.inf
    wake = _full_at(state, at, rules)
    for ahead in NEXT_WAKE:
        due = ahead(state, rules)
        if due is not None and due < wake:
            wake = due
    return wake


def still_holds(before: HomeState, event: Event, after: HomeState) -> bool:
    """Whether nothing is due sooner than before `event`, so that the old `until` still holds.

    A motion moves deadlines only later, unless it ends a quiet that was judged, or begins a stay, a
    return or a night's slot. Where a fault stands, one more sensor is heard of, and what is known
    may count as believed.
    """
    if not isinstance(event, MotionChanged) or before.faults or after.faults:
        return False
    if after.watch.due != before.watch.due:
        return False
    was, now = before.house, after.house
    if now.noisy is not was.noisy:
        return False
    return not event.active or (
        now.quiet is was.quiet
        and now.presence is was.presence
        and now.stay is was.stay
        and now.slots == was.slots
        and was.active_at != NEVER
    )


def _is_calm(state: HomeState) -> bool:
    """Whether nothing is under way but a quiet, a stay, an absence or a fault."""
    if state.alarms or state.owed or state.notices or not state.link.up:
        return False
    if state.warning or state.candidate or state.pairing or state.wireless.refused:
        return False
    for contact in state.contacts.values():
        if contact.restless or type(contact.life) is not Up:
            return False
    return state.shown is RESTING or state.shown is FAULT


def _waits_for_nobody(care: CareState) -> bool:
    return (
        care.rung is WATCHING
        and care.visit is None
        and care.missed is None
        and care.screening is None
        and care.adrift_from is None
    )


def _full_at(state: HomeState, at: float, rules: Rules) -> float:
    """Return when something is due that is served the full way; -inf: perhaps it is already."""
    look_at = state.care.look_at
    if look_at is None or state.house.hour_at is None:  # the first look, the first hour
        return -math.inf
    wake = min(look_at, state.told_at + rules.state_interval_s)
    if rules.care.times and state.clock.synced:
        check_in = schedule.next_wake(state)
        if check_in is None or check_in > at + DAY_S:  # `schedule.look` must find it
            return -math.inf
        return min(wake, check_in)
    return wake
