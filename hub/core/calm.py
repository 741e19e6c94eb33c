"""The fast way through a calm stretch of a home's life: a year is replayed in seconds.

`home.decide` looks through all deadlines before each event. Where nothing is under way they can be
told beforehand, and an event before the first of them needs no look. Whatever is not known here to
be harmless is not calm, and goes the plain way. Both give the same, but for the note of the time
that a hub takes for its next start (`care_clock.note`): what is replayed never starts again.
"""

import math

from hub.contract.times import DAY_S
from hub.core import decide as full
from hub.core.activity import hourly, noise, presence, quiet, routines
from hub.core.alarm import signals
from hub.core.checkin import overdue, schedule
from hub.core.inputs import sensors
from hub.core.model.activity import NEVER
from hub.core.model.checkin import CareState, LifeWatch
from hub.core.model.effects import Effect, Signal
from hub.core.model.events import Event, MotionChanged, Ticked
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step, Up
from hub.core.supervision import supervision

# members of an enum are slow to look up in Python 3.11, which is why hot code names them once
RESTING, FAULT, WATCHING = Signal.RESTING, Signal.FAULT, LifeWatch.WATCHING

# of all that `home.decide` serves, in its order, what may be due in a calm stretch
_SERVE = (
    noise.elapse,
    presence.elapse,
    overdue.elapse,
    quiet.elapse,
    routines.elapse,
    hourly.elapse,
    supervision.elapse,
)
_AHEAD = (
    noise.next_wake,
    presence.next_wake,
    overdue.next_wake,
    quiet.next_wake,
    routines.next_wake,
    hourly.next_wake,
    supervision.next_wake,
)


def decide(state: HomeState, event: Event, rules: Rules) -> Step:
    """Give what `home.decide` gives; only for an event that is not late, and before `until`."""
    if isinstance(event, MotionChanged):  # most of a year
        after, effects = sensors.motion(state, event, rules)
        if not effects and after.faults is state.faults:
            return after, effects  # so what is shown is still true
    else:
        after, effects = full.take_event(state, event, rules)
    after, words = signals.express(after, event.at, rules)
    return after, effects + words if words else effects


def serve(state: HomeState, at: float, rules: Rules) -> Step:
    """Give what `home.decide` gives for a `Ticked` at the end of a calm stretch."""
    if at >= _plain_at(state, at, rules):
        return full.decide(state, Ticked(at), rules)
    effects: list[Effect] = []
    for elapse in _SERVE:
        state, more = elapse(state, at, rules)
        if more:
            effects += more
    state, words = signals.express(state, at, rules)
    return state, effects + words if words else effects


def until(state: HomeState, at: float, rules: Rules) -> float:
    """Give until when, from `at` on, time alone changes nothing; -inf: perhaps it does already."""
    if not (_is_calm(state) and _waits_for_nobody(state.care)):
        return -math.inf
    wake = _plain_at(state, at, rules)
    for ahead in _AHEAD:
        due = ahead(state, rules)
        if due is not None and due < wake:
            wake = due
    return wake


def is_kept(before: HomeState, event: Event, after: HomeState) -> bool:
    """Tell whether nothing is due sooner than before `event`, so that the old `until` still holds.

    What a motion moves, it moves later, unless it ends a quiet that was judged, or begins a stay, a
    return or a night's slot. Where a fault stands one more sensor is heard of, and what is known
    may be believed.
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
    """Tell whether nothing is under way but a quiet, a stay, an absence or a fault."""
    if state.alarms or state.owed or state.notices or not state.link.up:
        return False
    if state.warning is not None or state.candidate is not None:
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


def _plain_at(state: HomeState, at: float, rules: Rules) -> float:
    """Give when something is due that is served the plain way; -inf: perhaps it is already."""
    look_at = state.care.look_at
    if look_at is None or state.house.hour_at is None:  # the first look, the first hour
        return -math.inf
    wake = min(look_at, state.told_at + rules.state_interval_s)
    if rules.care.times and state.clock.synced:
        check_in = schedule.next_wake(state)
        if check_in is None or check_in > at + DAY_S:  # it must be looked for
            return -math.inf
        return min(wake, check_in)
    return wake
