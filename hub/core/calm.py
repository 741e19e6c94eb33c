"""The fast way through a calm stretch of a home's life: a year is replayed in seconds.

`home.decide` looks through all deadlines before each event. Where nothing is under way they can be
told beforehand, and an event before the first of them needs no look. Whatever is not known here to
be harmless is not calm, and goes the plain way. Both give the same, but for the note of the time
that a hub takes for its next start (`care_clock.note`): what is replayed never starts again.
"""

import math

from hub.core import facts, feedback, presence, quiet, routines, schedule, senses
from hub.core.care_state import CareState, Rung
from hub.core.daytime import DAY_S
from hub.core.diary import HOUR_S
from hub.core.effects import Effect, Signal
from hub.core.events import Event
from hub.core.house_events import MotionChanged
from hub.core.rules import Rules
from hub.core.state import HomeState, Up

Step = tuple[HomeState, list[Effect]]


def decide(state: HomeState, event: Event, rules: Rules) -> Step:
    """Give what `home.decide` gives; only for an event that is not late, and before `until`."""
    if isinstance(event, MotionChanged):  # most of a year
        after, effects = senses.motion(state, event, rules)
        if not effects and after.faults is state.faults:
            return after, effects  # so what is shown is still true
    else:
        after, effects = facts.take(state, event, rules)
    after, words = feedback.express(after, event.at, rules)
    return after, effects + words if words else effects


def until(state: HomeState, at: float, rules: Rules) -> float:
    """Give until when, from `at` on, time alone changes nothing; -inf: perhaps it does already."""
    care, hour_at = state.care, state.house.hour_at
    wake = care.look_at
    if wake is None or hour_at is None or not (_is_calm(state) and _waits_for_nobody(care)):
        return -math.inf
    wake = min(wake, hour_at + HOUR_S, state.told_at + rules.state_interval_s)
    due = state.watch.due
    if due is not None and due < wake:
        wake = due
    for ahead in (presence.next_wake, quiet.next_wake, routines.next_wake):
        due = ahead(state, rules)
        if due is not None and due < wake:
            wake = due
    return min(wake, _check_in(state, at)) if rules.care.times else wake


def is_kept(before: HomeState, event: Event, after: HomeState) -> bool:
    """Tell whether `until` is as before `event`: the end of a motion moves none but the watch.

    Where a fault stands it may: one more sensor is heard of, and what is known may be believed.
    """
    ends = isinstance(event, MotionChanged) and not event.active
    return ends and after.watch is before.watch and not (before.faults or after.faults)


def _is_calm(state: HomeState) -> bool:
    """Tell whether nothing is under way but a quiet, a stay, an absence or a fault."""
    if state.alarms or state.owed or state.notices or not state.link.up:
        return False
    if state.warning is not None or state.candidate is not None:
        return False
    for contact in state.contacts.values():
        if contact.chattering or type(contact.life) is not Up:
            return False
    return state.shown is Signal.RESTING or state.shown is Signal.FAULT


def _waits_for_nobody(care: CareState) -> bool:
    return (
        care.rung is Rung.WATCHING
        and care.visit is None
        and care.missed is None
        and care.screening is None
        and care.adrift_from is None
    )


def _check_in(state: HomeState, at: float) -> float:
    """Give when the next check-in is due, inf: never; -inf when it must be looked for first."""
    if not state.clock.synced:
        return math.inf
    wake = schedule.next_wake(state)
    return wake if wake is not None and wake <= at + DAY_S else -math.inf
