"""What sensors report: a change is activity; every report is a sign that the device lives.

    motion    its beginning is activity, its end is not. "Still" from a sensor that can see more of
              the same movement (a radio sensor's retrigger) is activity, until it lasts longer
              than anybody moves without a rest (the fault STUCK)
    contact   a change of its level is activity; the level at a start, or the same again, is not
    heart     every reading: a heart rate is a new reading even if it has not changed

A level that a driver reports because it starts, or on a timer, says nothing about a person.
"""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy
from hub.core.activity import noise, presence, quiet, routines
from hub.core.alarm import warning
from hub.core.checkin import checkin
from hub.core.model.activity import Sensed
from hub.core.model.effects import Effect
from hub.core.model.events import (
    ContactChanged,
    DeviceSeen,
    HeartRateMeasured,
    MotionChanged,
    VitalsMeasured,
)
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState, Step
from hub.core.supervision import supervision
from hub.core.vitals import question, vitals

# members of an enum are slow to look up in Python 3.11
BY_MOTION, EXIT_DOOR, OCCUPANCY = AnsweredBy.MOTION, Sense.EXIT_DOOR, Sense.OCCUPANCY
INNER = (Sense.DOOR, Sense.WINDOW)
CONTACTS = (*INNER, EXIT_DOOR)


def motion(state: HomeState, event: MotionChanged, rules: Rules) -> Step:
    """Apply a motion sensor's edge; a falling one is no activity, nor is a flood of edges."""
    sensed = state.house.sensed.get(event.device)
    state, effects = _note_level(state, event.device, event.at, rules, active=event.active)
    if not event.active or supervision.floods(state, event.device):
        return state, effects
    if sensed is not None and sensed.active and not _retriggers(state, sensed, event.device, rules):
        return state, effects
    state, more = take_activity(state, event.device, event.at, BY_MOTION, rules)
    return state, effects + more


def door(state: HomeState, event: ContactChanged, rules: Rules) -> Step:
    """Apply a door's edge; `active` is open. Somebody is at a door that is opened or shut."""
    sensed = state.house.sensed.get(event.device)
    # the level at a start, or the same again; another level at a start was a move nobody saw
    same = sensed is None or sensed.active == (not event.closed)
    if sensed is not None and sensed.active and event.closed:
        state = routines.take_shut_door(state, event.device, event.at - sensed.since, rules)
    state, effects = _note_level(state, event.device, event.at, rules, active=not event.closed)
    if same or supervision.floods(state, event.device):
        return state, effects
    state, more = take_activity(state, event.device, event.at, BY_MOTION, rules)
    return state, effects + more


def heart(state: HomeState, event: HeartRateMeasured, rules: Rules) -> Step:
    """Apply a band's reading: its wearer lives, but may not be well; unworn it is only heard of."""
    state, effects = _note_life(state, event, rules)
    state, more = vitals.take_pulse(state, event, rules)
    return state, [*effects, *more]


def reading(state: HomeState, event: VitalsMeasured, rules: Rules) -> Step:
    """Apply a reading of a cuff, an oximeter or a thermometer: somebody has used it."""
    state, effects = _note_life(state, event, rules)
    state, more = vitals.take_reading(state, event, rules)
    return state, [*effects, *more]


def take_activity(state: HomeState, device: str, at: float, by: AnsweredBy, rules: Rules) -> Step:
    """Apply activity that only a person in the house makes."""
    state, counts = end_quiet(state, device, at, by, rules)
    if not counts:
        return state, []
    over: list[Effect] = []
    if state.warning is not None and not warning.is_younger(state, at):
        state, over = (
            warning.end_by_motion(state, device, rules)
            if by is BY_MOTION
            else question.end(state, at, rules)
        )
    state, more = checkin.take_life_sign(state, at, by, rules)
    return state, over + more


def end_quiet(
    state: HomeState, device: str, at: float, by: AnsweredBy, rules: Rules
) -> tuple[HomeState, bool]:
    """End the quiet; return whether it is over: noise, or a lone pulse, does not end it."""
    sensor = rules.sensors.get(device)
    sense = sensor.sense if sensor else None
    by_exit, before = sense is EXIT_DOOR, state.house.lone
    lone = noise.FRESH
    if by is BY_MOTION and not by_exit and sense not in INNER:
        lone = noise.run_with(state, device, at, rules)
        if lone.noise:
            return noise.dismissed(state, lone), False
    if lone.device != before.device:
        state = noise.learn_run(state, rules)
    state = quiet.end(state, device, at, by_exit=by_exit, dismissed=before.noise, rules=rules)
    if by_exit:
        door = state.house.sensed[device]
        # not a door that never reports its closing, nor one whose contact is inverted
        ajar = door.active and door.since == at and door.before_s > presence.SHUT_S
        state = presence.exit_door_moved(state, at, rules, ajar=ajar)
    elif sense in INNER:
        state = presence.inner_contact(state, at, rules)
    elif by is BY_MOTION:
        state, counts = presence.take_activity(state, device, at, rules)
        if not counts:
            return replace(state, house=replace(state.house, lone=lone)), False
    else:
        state = presence.at_home(state, at)
    state = routines.take_activity(state, device, at, rules)
    house = replace(state.house, active_at=at, active_by=device, lone=lone)
    return replace(state, house=house), True


def _retriggers(state: HomeState, before: Sensed, device: str, rules: Rules) -> bool:
    """Whether motion reported again is news: not at a start, nor from a stuck sensor.

    A sensor of occupancy says for hours that somebody is there, though nobody moves.
    """
    sensor = rules.sensors.get(device)
    by_motion = sensor is None or sensor.sense is not OCCUPANCY
    return by_motion and before.known and not supervision.is_stuck(state, device)


def _note_life(state: HomeState, event: HeartRateMeasured | VitalsMeasured, rules: Rules) -> Step:
    if vitals.is_life(state, event):
        return _note_level(state, event.device, event.at, rules, active=True)
    heard = DeviceSeen(event.at, event.device)
    return supervision.take_device_event(state, heard, rules)


def _note_level(state: HomeState, device: str, at: float, rules: Rules, *, active: bool) -> Step:
    house = state.house
    old = house.sensed.get(device) or Sensed(since=at)
    since, before_s, count = old.since, old.before_s, old.count
    if old.active != active:
        since, before_s, count = at, at - since, count + active
    active_at = at if active else old.active_at
    sensed = house.sensed.copy()
    sensed[device] = Sensed(at, active, since, active_at, before_s, known=True, count=count)
    state = replace(state, house=replace(house, sensed=sensed))
    return supervision.seen(state, device, at, rules)
