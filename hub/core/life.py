"""A sign of life: whatever waits for one hears of it here, be it motion, a door or a button."""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy
from hub.core.activity import noise, presence, quiet, routines
from hub.core.alarm import warning
from hub.core.checkin import checkin
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState

Step = tuple[HomeState, list[Effect]]

MOTION, DOOR, EXIT_DOOR = (
    AnsweredBy.MOTION,
    Sense.DOOR,
    Sense.EXIT_DOOR,
)  # slow to look up in Python 3.11


def shown(state: HomeState, device: str, at: float, by: AnsweredBy, rules: Rules) -> Step:
    """Take note of activity that only a person in the house makes."""
    state, counts = noticed(state, device, at, by, rules)
    if not counts:
        return state, []
    over: list[Effect] = []
    if state.warning is not None:
        state, over = warning.moved(state, device, rules) if by is MOTION else warning.ended(state)
    state, more = checkin.alive(state, at, by, rules)
    return state, over + more


def noticed(
    state: HomeState, device: str, at: float, by: AnsweredBy, rules: Rules
) -> tuple[HomeState, bool]:
    """Let the quiet be over, and give whether it is: noise, or a lone pulse, ends none."""
    sensor = rules.sensors.get(device)
    sense = sensor.sense if sensor else None
    by_exit, before = sense is EXIT_DOOR, state.house.lone
    lone = noise.FRESH
    if by is MOTION and not by_exit and sense is not DOOR:
        lone = noise.run(state, device, at, rules)
        if lone.noise:
            return noise.dismissed(state, lone), False
    if lone.device != before.device:
        state = noise.learned(state, rules)
    state = quiet.over(state, device, at, by_exit=by_exit, dismissed=before.noise, rules=rules)
    if by_exit:
        door = state.house.sensed[device]
        # not one that never tells of its closing, nor one whose contact is the wrong way round
        ajar = door.active and door.since == at and door.before_s > presence.SHUT_S
        state = presence.passed(state, at, rules, ajar=ajar)
    elif sense is DOOR:
        state = presence.hand(state, at, rules)
    elif by is MOTION:
        state, counts = presence.active(state, device, at, rules)
        if not counts:
            return replace(state, house=replace(state.house, lone=lone)), False
    else:
        state = presence.home(state, at)
    state = routines.active(state, device, at, rules)
    house = replace(state.house, active_at=at, active_by=device, lone=lone)
    return replace(state, house=house), True
