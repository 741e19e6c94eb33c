"""A motion sensor that pulses though nobody moves: a heater, a curtain, a plant in the wind.

    run: one sensor alone, since another, a hand (door, button) or a word was last noticed
         --even pulses, or alone for longer than is usual here--> noise --any of those--> over

Pulses of noise are no sign of life, neither for the quiet nor for a check-in nor for the rule of 24
h, which then counts from the run's beginning. How long one sensor alone sees somebody (in bed, or
in the only room that is used) is learned like a routine (`habits.longest`).

The sensor has the fault NOISY until it has made no noise for a day.
"""

from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.core.activity import habits, presence
from hub.core.model.activity import NEVER, Lone
from hub.core.model.checkin import LifeWatch
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState, Step
from hub.core.supervision import faults, supervision

LONE = "lone"  # among the longest of a home's routines
MARGIN = 1.25  # over the longest of a month or two
APART_S = 120.0  # pulses closer than this are one movement
PAUSE_S = 5400.0  # after a longer pause the run begins anew: somebody was unseen meanwhile
KEPT = 9  # pulses that are kept, so eight pauses
# of their mean: the most by which the pauses of a thermostat differ; people's differ by more
EVEN_SHARE = 0.2
EVEN_FROM_S = 720.0  # to save battery some sensors pulse evenly, up to 10 min, while somebody moves
WAKING_S = 18 * 3600.0  # nobody is up for longer, so a home's only sensor may be even for so long
FRESH = Lone()
INSIDE = (Sense.MOTION, Sense.DOOR, Sense.WINDOW, Sense.OCCUPANCY, Sense.VIBRATION)
NOISY = FaultKind.NOISY


def run_with(state: HomeState, device: str, at: float, rules: Rules) -> Lone:
    """Return the run that a motion sensor's pulse belongs to; `noise`: it is no sign of life."""
    lone = state.house.lone
    if lone.device != device:
        return Lone(device, at, at, (at,))
    since_s = at - lone.last_at
    if since_s < APART_S:
        return lone
    pulses = (*lone.pulses[1 - KEPT :], at)
    even_since = NEVER
    if _are_even(pulses):
        even_since = pulses[0] if lone.even_since == NEVER else lone.even_since
    since = lone.since if lone.noise or since_s <= PAUSE_S else at
    if even_since != NEVER:  # nobody was seen since then, whatever the pauses
        since = min(since, even_since)
    new = Lone(device, since, at, pulses, even_since, lone.noise)
    return new if lone.noise or not _is_noise(state, new, rules) else replace(new, noise=True)


def dismissed(state: HomeState, lone: Lone) -> HomeState:
    """Return the state in which a run of noise is no sign of life, from its beginning on."""
    if lone is state.house.lone:
        return state
    noisy = {**state.house.noisy, lone.device: lone.last_at}
    state = replace(state, house=replace(state.house, lone=lone, noisy=noisy))
    care = state.care
    if care.rung is not LifeWatch.WATCHING or care.life_at is None or care.life_at <= lone.since:
        return state
    return replace(state, care=replace(care, life_at=lone.since, look_at=None))


def learn_run(state: HomeState, rules: Rules) -> HomeState:
    """Learn from a run that is over: another sensor, a hand or a word has confirmed it."""
    lone = state.house.lone
    lasted_s = lone.last_at - lone.since
    if lasted_s <= state.habits.longest.get(LONE, 0.0):
        return state
    if not presence.teaches(state.house, lone.since):
        return state
    lasted_s = min(
        lasted_s, _limit_s(state, rules)
    )  # else one heater would count as normal for months
    return replace(state, habits=habits.with_longest(state.habits, LONE, lasted_s))


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Raise the fault of a sensor that has made noise, and end it after a day without noise."""
    due = next_wake(state, rules)
    if due is None or due > at:
        return state, []
    effects: list[Effect] = []
    for device, stood in [turn[1:] for turn in _changes(state, rules) if turn[0] <= at]:
        turn = _end_fault if stood else _raise_fault
        state, more = turn(state, device, at, rules)
        effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when a sensor's fault begins or ends."""
    if not state.house.noisy:  # the usual case
        return None
    return min(turn[0] for turn in _changes(state, rules))


def _raise_fault(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    return faults.fail(state, NOISY, device, at, rules)


def _end_fault(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    noisy = {d: last for d, last in state.house.noisy.items() if d != device}
    state = replace(state, house=replace(state.house, noisy=noisy))
    return faults.mend(state, NOISY, device, at, rules)


def _changes(state: HomeState, rules: Rules) -> Iterator[tuple[float, str, bool]]:
    for device, last_at in state.house.noisy.items():
        stands = f"{device}:{NOISY}" in state.faults
        yield last_at + (rules.watch.noisy_s if stands else 0.0), device, stands


def _is_noise(state: HomeState, lone: Lone, rules: Rules) -> bool:
    lasted_s = lone.last_at - lone.since
    even_s = lone.last_at - lone.even_since if lone.even_since != NEVER else 0.0
    if not _has_others(state, lone.device, rules):
        return even_s > WAKING_S
    return even_s > 0.0 or lasted_s > _limit_s(state, rules)


def _limit_s(state: HomeState, rules: Rules) -> float:
    """Return how long one sensor alone may see somebody here; in a new home it is not known."""
    if state.habits.days < rules.quiet.new_days:
        return rules.care.callout_s
    return max(rules.watch.lone_s, MARGIN * state.habits.longest.get(LONE, 0.0))


def _has_others(state: HomeState, device: str, rules: Rules) -> bool:
    """Whether other sensors could have seen somebody: inside, working, and active before."""
    for other, sensed in state.house.sensed.items():
        sensor = rules.sensors.get(other)
        inside = sensor is not None and sensor.sense in INSIDE and sensed.active_at != NEVER
        if other != device and inside and supervision.believed(state, other):
            return True
    return False


def _are_even(pulses: tuple[float, ...]) -> bool:
    if len(pulses) < KEPT:
        return False
    mean = (pulses[-1] - pulses[0]) / (KEPT - 1)
    if mean < EVEN_FROM_S or abs(pulses[-1] - pulses[-2] - mean) > EVEN_SHARE * mean:
        return False
    pauses = [b - a for a, b in pairwise(pulses)]
    return max(pauses) - min(pauses) <= EVEN_SHARE * mean
