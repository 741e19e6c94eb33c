"""Routines that go on for too long, each against this home's own longest (`habits.longest`).

    bathroom    the last activity was there, and nothing elsewhere since
    door open   the exit door stands open, and nobody moves
    out at night    left the house at an hour of rest, and not back
    wandering   up and about through a night, far more than in any other

Each warns once, until its cause is over; then its duration is learned.
"""

from typing import NamedTuple

from msgspec.structs import replace

from hub.contract.messages import Evidence, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.times import DAY_S
from hub.core.activity import presence, quiet
from hub.core.activity.habits import rests, with_longest
from hub.core.alarm import warning
from hub.core.model.activity import NEVER, Stay
from hub.core.model.rules import Room, Rules, Sense
from hub.core.model.state import HomeState, Step

MARGIN = 2.0  # over the longest of a month or two
WANDER_MARGIN = 2.0
SLOT_S = 300.0
NIGHT = (0.0, 5.0)  # hours of a night in which being up is counted
# slow to look up in Python 3.11
AWAY, IN_BATHROOM, EXIT_DOOR = PresenceKind.AWAY, Room.BATHROOM, Sense.EXIT_DOOR
BATHROOM, DOOR, WANDERING = "bathroom", "door", "wandering"
BY_SILENCE = {Kind.LONG_BATHROOM, Kind.DOOR_OPEN}  # judged only where other sensors work


class _Due(NamedTuple):
    at: float
    kind: Kind
    device: str
    since: float
    longest: float


def take_activity(state: HomeState, device: str, at: float, rules: Rules) -> HomeState:
    """Apply activity: a bathroom stay goes on or ends, and the night's slots are counted."""
    sensor = rules.sensors.get(device)
    house = state.house
    in_bathroom = sensor is not None and sensor.room is IN_BATHROOM
    if in_bathroom != bool(house.stay.room):
        if house.stay.room:
            state = _learn(state, BATHROOM, house.stay.since, at - house.stay.since)
        stay = Stay(BATHROOM, at) if in_bathroom else Stay()
        state = replace(state, house=replace(state.house, stay=stay))
    if state.clock.synced and at - house.slot_at >= SLOT_S:
        state = _count_slot(state, at, rules)
    return state


def take_shut_door(state: HomeState, device: str, lasted_s: float, rules: Rules) -> HomeState:
    """Apply that a door was shut: how long it stood open is learned."""
    if not _is_exit(device, rules) or state.house.presence.kind is AWAY:
        return state
    state = _learn(state, DOOR, state.house.sensed[device].since, lasted_s)
    told = state.house.told - {Kind.DOOR_OPEN}
    return replace(state, house=replace(state.house, told=told)) if state.house.told else state


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Warn of what has gone on for too long; a warning that is on comes first."""
    if state.warning is not None or (wake := next_wake(state, rules)) is None or wake > at:
        return state, []
    due = min(_all_due(state, rules))
    lasted_s = due.at - due.since
    ground = Evidence(
        since_utc=state.clock.utc(due.since),
        lasted_s=lasted_s,
        usual_s=due.longest,
        limit_s=lasted_s,
        last=state.house.active_by,
        learned_days=state.habits.days,
    )
    state = replace(state, house=replace(state.house, told=state.house.told | {due.kind}))
    return warning.begin(state, warning.Ground(due.kind, due.device, ground), at, rules)


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the next routine has gone on for too long."""
    house, presence = state.house, state.house.presence
    calm = not (house.stay.room or presence.ajar or house.slots > rules.quiet.wander_slots)
    if (calm and presence.kind is not AWAY) or state.warning is not None:
        return None
    return min((due.at for due in _all_due(state, rules)), default=None)


def _all_due(state: HomeState, rules: Rules) -> list[_Due]:
    house = state.house
    known = state.habits.days >= rules.quiet.new_days
    found = [_bathroom(state, rules)] if house.stay.room and known else []
    presence = house.presence
    if presence.kind is AWAY:
        found += _out(state, rules)
    elif presence.ajar:
        found += _door(state, rules)
    if house.slots > rules.quiet.wander_slots:
        found += _wandering(state, rules)
    if found and state.faults and quiet.believed(state, rules) < rules.quiet.believed_share:
        found = [due for due in found if due.kind not in BY_SILENCE]
    return [due for due in found if due.kind not in house.told]


def _bathroom(state: HomeState, rules: Rules) -> _Due:
    house = state.house
    longest = state.habits.longest.get(BATHROOM, 0.0)
    limit_s = max(rules.quiet.bathroom_s, MARGIN * longest)
    return _Due(
        house.stay.since + limit_s, Kind.LONG_BATHROOM, house.active_by, house.stay.since, longest
    )


def _door(state: HomeState, rules: Rules) -> list[_Due]:
    longest = state.habits.longest.get(DOOR, 0.0)
    limit_s = max(rules.quiet.door_open_s, MARGIN * longest)
    still_at = state.house.active_at + rules.quiet.door_still_s
    return [
        _Due(max(sensed.since + limit_s, still_at), Kind.DOOR_OPEN, device, sensed.since, longest)
        for device, sensed in state.house.sensed.items()
        if sensed.active and _is_exit(device, rules)
    ]


def _out(state: HomeState, rules: Rules) -> list[_Due]:
    """Return an exit at night by the door, unless declared, or such nights are usual here."""
    presence = state.house.presence
    hour = state.clock.local(presence.since) % DAY_S / 3600.0
    known = state.clock.synced and state.habits.days >= rules.quiet.new_days
    by_door = presence.until is None and presence.door_at != NEVER
    if not by_door or not known or not NIGHT[0] <= hour < NIGHT[1]:
        return []
    if not rests(state.habits, state.clock.local(presence.since), rules.quiet):
        return []
    at = presence.since + rules.quiet.out_at_night_s
    return [_Due(at, Kind.OUT_AT_NIGHT, state.house.active_by, presence.since, 0.0)]


def _wandering(state: HomeState, rules: Rules) -> list[_Due]:
    house = state.house
    usual = state.habits.longest.get(WANDERING, 0.0)
    known = state.habits.days >= rules.quiet.new_days
    if not known or house.slots * SLOT_S <= WANDER_MARGIN * usual:
        return []
    since = house.slot_at - house.slots * SLOT_S
    return [_Due(house.slot_at, Kind.NIGHT_WANDERING, house.active_by, since, usual)]


def _count_slot(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Count a five-minute slot of the night; by day the night's sum is learned."""
    local, house = state.clock.local(at), state.house
    night = NIGHT[0] <= local % DAY_S / 3600.0 < NIGHT[1]
    if night and rests(state.habits, local, rules.quiet):
        return replace(state, house=replace(house, slot_at=at, slots=house.slots + 1))
    if night or not house.slots:
        return state
    midnight = house.slot_at - state.clock.local(house.slot_at) % DAY_S
    state = _learn(state, WANDERING, midnight, house.slots * SLOT_S)
    told = state.house.told - {Kind.NIGHT_WANDERING, Kind.OUT_AT_NIGHT}
    return replace(state, house=replace(state.house, slots=0, told=told))


def _learn(state: HomeState, routine: str, since: float, lasted_s: float) -> HomeState:
    told = state.house.told - {Kind.LONG_BATHROOM} if routine == BATHROOM else state.house.told
    habits = state.habits
    if presence.teaches(state.house, since):
        habits = with_longest(habits, routine, lasted_s)
    return replace(state, habits=habits, house=replace(state.house, told=told))


def _is_exit(device: str, rules: Rules) -> bool:
    sensor = rules.sensors.get(device)
    return sensor is not None and sensor.sense is EXIT_DOOR
