"""What becomes due in supervision: each limit with its time, and what then is done.

All of it is derived from the state; `supervision.elapse` looks only when the earliest has come.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState
from hub.core.model.supervision import Flicker, armed
from hub.core.supervision import faults, power
from hub.core.supervision.faults import stands

Step = tuple[HomeState, list[Effect]]
Act = Callable[[HomeState, str, float, Rules], Step]
Limit = tuple[float, Act, str]  # when, what is done then, and to which device

# slow to look up in Python 3.11
MOTION, SILENT, STUCK = Sense.MOTION, FaultKind.SILENT, FaultKind.STUCK
UNMOVED = "no motion, though others saw life"


def pending(state: HomeState, rules: Rules) -> Iterator[Limit]:
    """Give every limit that stands, in no order."""
    yield from _of_sensors(state, rules)
    watch, numbers = state.watch, rules.watch
    for device, flicker in watch.flickers.items():
        if flicker.chattering:
            yield flicker.since + numbers.chatter_window_s, _calm, device
    for device, battery in watch.batteries.items():
        if battery.told_at is not None:
            yield battery.told_at + numbers.remind_s, power.tell_battery, device
    for device, mains in watch.mains.items():
        told = stands(state, device, FaultKind.MAINS_LOST)
        if not mains.present and not told:
            yield mains.since + numbers.mains_lost_s, power.lose_mains, device
        elif mains.present and told:
            yield mains.since, power.restore_mains, device
    yield from _of_flaps(state, rules)
    if watch.hold_until is not None and (watch.untold or watch.waiting):
        yield watch.hold_until, power.release, ""


def heard_at(state: HomeState, device: str) -> float:
    """Give a device's last sign of life; whoever spoke before this boot has until its limit."""
    watch, sensed = state.watch, state.house.sensed.get(device)
    word = watch.words.get(device, watch.began_at)
    return max(word, _of_this_boot(state, sensed.seen_at if sensed else word))


def unmoved(state: HomeState, at: float, rules: Rules) -> Step:
    """Find the motion sensors that see nothing while the others do: a wire that came off is low."""
    effects: list[Effect] = []
    for device, sensor in rules.sensors.items():
        sensed = state.house.sensed.get(device)
        if sensor.sense is not MOTION or stands(state, device, SILENT):
            continue
        moved_at = _of_this_boot(state, sensed.active_at if sensed else 0.0)
        if state.house.active_at - moved_at > rules.watch.unmoved_s:
            state, more = faults.fail(state, FaultKind.SILENT, device, at, rules, UNMOVED)
            effects += more
    return state, effects


def flickered(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Count a pulse that nobody makes."""
    numbers, watch = rules.watch, state.watch
    old = watch.flickers.get(device)
    over = old is None or old.since + numbers.chatter_window_s <= at
    new = Flicker(1, at) if old is None or over else replace(old, pulses=old.pulses + 1)
    begins = not new.chattering and new.pulses >= numbers.chatter_pulses
    if begins:
        new = replace(new, chattering=True)
        watch = armed(watch, new.since + numbers.chatter_window_s)
    state = replace(state, watch=replace(watch, flickers={**watch.flickers, device: new}))
    return faults.fail(state, FaultKind.CHATTER, device, at, rules) if begins else (state, [])


def _of_sensors(state: HomeState, rules: Rules) -> Iterator[Limit]:
    for device, sensor in rules.sensors.items():
        if sensor.silent_s and not stands(state, device, SILENT):
            yield heard_at(state, device) + sensor.silent_s, _fall_silent, device
        sensed = state.house.sensed.get(device)
        busy = sensed is not None and sensed.active and sensor.sense is MOTION
        if sensed and busy and not stands(state, device, STUCK):
            yield _of_this_boot(state, sensed.since) + rules.watch.stuck_s, _stick, device


def _end(state: HomeState, fault: str, at: float, rules: Rules) -> Step:
    """End a fault that came and went, and has stayed away since.

    Mains that are off again are no end, though it is too early to tell of a new loss.
    """
    standing = state.faults[fault]
    mains = state.watch.mains.get(standing.device)
    if standing.kind is FaultKind.MAINS_LOST and mains is not None and not mains.present:
        return faults.not_over(state, fault), []
    state, effects = faults.end(state, fault, at, rules)
    if standing.kind is not FaultKind.MAINS_LOST:
        return state, effects
    state, report = power.stayed(state, standing.device, at, rules)
    return state, effects + report


def _detail(state: HomeState, fault: str, at: float, rules: Rules) -> Step:
    """Tell the detail of a fault that has changed when it was too soon."""
    standing, detail = state.faults[fault], state.watch.flaps[fault].detail or ""
    return faults.fail(state, standing.kind, standing.device, at, rules, detail)


def _of_flaps(state: HomeState, rules: Rules) -> Iterator[Limit]:
    for fault, flap in state.watch.flaps.items():
        if fault not in state.faults:  # both were read from the snapshot
            continue
        if flap.over_at is not None:
            yield flap.over_at, _end, fault
        elif flap.detail is not None:
            yield faults.told_again_at(state, fault, rules), _detail, fault


def _of_this_boot(state: HomeState, at: float) -> float:
    return max(at, state.watch.began_at)


def _fall_silent(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    return faults.fail(state, FaultKind.SILENT, device, at, rules)


def _stick(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    return faults.fail(state, FaultKind.STUCK, device, at, rules)


def _calm(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """End a flood after a window without one, unless nothing was heard since the start."""
    flicker = state.watch.flickers[device]
    on = flicker.pulses >= rules.watch.chatter_pulses
    if on or heard_at(state, device) <= state.watch.began_at:
        flickers = {**state.watch.flickers, device: Flicker(0, at, chattering=True)}
        return replace(state, watch=replace(state.watch, flickers=flickers)), []
    flickers = {d: f for d, f in state.watch.flickers.items() if d != device}
    state = replace(state, watch=replace(state.watch, flickers=flickers))
    return faults.mend(state, FaultKind.CHATTER, device, at, rules)
