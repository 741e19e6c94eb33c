"""Supervision: each device's sign of life, level and battery, and the mains.

    heard --silent_s--> SILENT --any word--> heard        motion --stuck_s--> STUCK --still--> heard
    pulses nobody makes --> CHATTER --a calm window--> heard
    <= 15 % --> LOW_BATTERY, told daily --25 %--> fair    mains gone --120 s--> MAINS_LOST --> back

A sensor against which one of these stands is not believed: its silence is a fault, never quiet.
"""

from collections.abc import Callable, Iterator
from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.core.model.activity import Sensed
from hub.core.model.effects import Effect
from hub.core.model.events import BatteryMeasured, DeviceSeen, MainsChanged, Started
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState, Step
from hub.core.model.supervision import Flicker, due_by
from hub.core.supervision import faults, power, snapshot
from hub.core.supervision.faults import stands

Act = Callable[[HomeState, str, float, Rules], Step]
Limit = tuple[float, Act, str]  # when, what is done then, and to which device

# slow to look up in Python 3.11
MOTION, SILENT, STUCK = Sense.MOTION, FaultKind.SILENT, FaultKind.STUCK
UNMOVED = "no motion, though others saw life"


def _limits(state: HomeState, rules: Rules) -> Iterator[Limit]:
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


def _heard_at(state: HomeState, device: str) -> float:
    """Give a device's last sign of life; whoever spoke before this boot has until its limit."""
    watch, sensed = state.watch, state.house.sensed.get(device)
    word = watch.words.get(device, watch.began_at)
    return max(word, _of_this_boot(state, sensed.seen_at if sensed else word))


def _find_unmoved(state: HomeState, at: float, rules: Rules) -> Step:
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


def _count_flicker(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Count a pulse that nobody makes."""
    numbers, watch = rules.watch, state.watch
    old = watch.flickers.get(device)
    over = old is None or old.since + numbers.chatter_window_s <= at
    new = Flicker(1, at) if old is None or over else replace(old, pulses=old.pulses + 1)
    begins = not new.chattering and new.pulses >= numbers.chatter_pulses
    if begins:
        new = replace(new, chattering=True)
        watch = due_by(watch, new.since + numbers.chatter_window_s)
    state = replace(state, watch=replace(watch, flickers={**watch.flickers, device: new}))
    return faults.fail(state, FaultKind.CHATTER, device, at, rules) if begins else (state, [])


def _of_sensors(state: HomeState, rules: Rules) -> Iterator[Limit]:
    for device, sensor in rules.sensors.items():
        if sensor.silent_s and not stands(state, device, SILENT):
            yield _heard_at(state, device) + sensor.silent_s, _fall_silent, device
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
    if on or _heard_at(state, device) <= state.watch.began_at:
        flickers = {**state.watch.flickers, device: Flicker(0, at, chattering=True)}
        return replace(state, watch=replace(state.watch, flickers=flickers)), []
    flickers = {d: f for d, f in state.watch.flickers.items() if d != device}
    state = replace(state, watch=replace(state.watch, flickers=flickers))
    return faults.mend(state, FaultKind.CHATTER, device, at, rules)


DAY_S = 86_400.0
MOTION, CHATTER = Sense.MOTION, FaultKind.CHATTER  # slow to look up in Python 3.11
OF_THE_HOUSE = (Sense.MOTION, Sense.DOOR, Sense.EXIT_DOOR)
UNBELIEVED = (FaultKind.SILENT, FaultKind.STUCK, FaultKind.CHATTER, FaultKind.DRIVER_FAILED)
OURS = (*UNBELIEVED[:3], FaultKind.LOW_BATTERY, FaultKind.MAINS_LOST)


def recovered(state: HomeState, started: Started) -> HomeState:
    """Fit what is known to a new process: nobody is late yet, and no fault is over."""
    watch, at = state.watch, started.at
    batteries = {
        device: replace(b, told_at=at - min(max(started.utc - b.told_utc, 0.0), DAY_S))
        for device, b in watch.batteries.items()
        if b.told_at is not None
    }
    flaps = {
        fault: replace(flap, at=at, over_at=None if flap.over_at is None else at)
        for fault, flap in watch.flaps.items()
        if fault in state.faults
    }
    flooded = {device for device, flicker in watch.flickers.items() if flicker.chattering}
    watch = replace(
        watch,
        due=None,
        words=dict.fromkeys(watch.words, at),
        batteries=watch.batteries | batteries,
        mains={device: replace(mains, since=at) for device, mains in watch.mains.items()},
        flickers={device: Flicker(0, at, chattering=True) for device in flooded},
        flaps=flaps,
        hold_until=at,
        voice=None,
    )
    return replace(state, watch=watch)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Raise the faults that are due, repeat, and tell what was held back."""
    if state.watch.due is None or state.watch.due > at:
        return state, []
    effects: list[Effect] = []
    for due, act, device in tuple(_limits(state, rules)):
        if due <= at:
            state, more = act(state, device, at, rules)
            effects += more
    state, more = _find_unmoved(state, at, rules)
    return _rearm(state, rules), effects + more


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    return state.watch.due


def take_device_event(
    state: HomeState, event: Started | DeviceSeen | BatteryMeasured | MainsChanged, rules: Rules
) -> Step:
    """Take a device's word on itself; one that the config does not know has none."""
    if isinstance(event, Started):
        state, effects = _begin(state, event, rules)
        state, more = snapshot.tell_start(state, event.at, rules)
        return state, effects + more
    device, at = event.device, event.at
    if device not in rules.sensors and device not in rules.buttons:
        return state, []
    words = {**state.watch.words, device: at}
    state = replace(state, watch=replace(state.watch, words=words))
    state, effects = _spoke(state, device, at, rules)
    match event:
        case BatteryMeasured(battery_pct=pct):
            state, more = power.charged(state, device, pct, at, rules)
        case MainsChanged(present=present):
            state, more = power.switched(state, device, at, rules, present=present)
        case DeviceSeen():
            more = []
        case _:
            assert_never(event)
    return state, effects + more


def seen(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Take note that `device` spoke: called for each edge, so it must be quick."""
    sensor = rules.sensors.get(device)
    if sensor is None:
        return state, []
    effects: list[Effect] = []
    sensed = state.house.sensed[device]
    if state.faults:
        state, effects = _spoke(state, device, at, rules, moved=sensed.active)
        if not sensed.active:
            state, more = faults.mend(state, FaultKind.STUCK, device, at, rules)
            effects += more
    if sensed.active:
        stuck_at = at + rules.watch.stuck_s
        if sensor.sense is MOTION and (state.watch.due is None or stuck_at < state.watch.due):
            state = replace(state, watch=due_by(state.watch, stuck_at))
    elif at - sensed.active_at < rules.watch.short_s:
        state, more = _count_flicker(state, device, at, rules)
        effects += more
    return state, effects


def working(state: HomeState, rules: Rules) -> tuple[str, ...]:
    """Name the motion sensors and doors that can be believed."""
    return tuple(
        device
        for device, sensor in rules.sensors.items()
        if sensor.sense in OF_THE_HOUSE and believed(state, device)
    )


def last_word(state: HomeState, device: str) -> float | None:
    """Give when a device was last heard of, None: never."""
    sensed, word = state.house.sensed.get(device), state.watch.words.get(device)
    return word if sensed is None else max(sensed.seen_at, sensed.seen_at if word is None else word)


def floods(state: HomeState, device: str) -> bool:
    """Tell whether a device gives more pulses than anybody makes: they are no sign of life."""
    return stands(state, device, CHATTER)


def is_stuck(state: HomeState, device: str) -> bool:
    """Tell whether a motion sensor has said "still" for longer than anybody moves."""
    return stands(state, device, FaultKind.STUCK)


def believed(state: HomeState, device: str) -> bool:
    """Tell whether a device has been heard of, and no fault stands against it."""
    heard = device in state.house.sensed or device in state.watch.words
    return heard and not (state.faults and any(stands(state, device, kind) for kind in UNBELIEVED))


def _begin(state: HomeState, event: Started, rules: Rules) -> Step:
    """Supervise from now on; after a power cut hold back what can wait, each home for its time."""
    watch = replace(state.watch, began_at=event.at, chance=event.chance, hold_until=event.at)
    sensed = {device: _not_after(s, event.at) for device, s in state.house.sensed.items()}
    state = replace(state, watch=watch, house=replace(state.house, sensed=sensed))
    state, effects = _forget(state, event.at, rules)
    if event.at <= rules.watch.power_up_s:
        state = power.hold(state, event.at, rules)
    return _rearm(state, rules), effects


def _not_after(sensed: Sensed, at: float) -> Sensed:
    """Take times of an older boot for the past, else a dead sensor would live for days."""
    return replace(
        sensed,
        seen_at=min(sensed.seen_at, at),
        since=min(sensed.since, at),
        active_at=min(sensed.active_at, at),
    )


def _spoke(state: HomeState, device: str, at: float, rules: Rules, *, moved: bool = False) -> Step:
    """End a silence; that of a sensor that sees nobody is ended by motion only."""
    silence = state.faults.get(f"{device}:{FaultKind.SILENT}")
    if silence is None or (silence.detail == UNMOVED and not moved):
        return state, []
    state, effects = faults.mend(state, FaultKind.SILENT, device, at, rules)
    return _rearm(state, rules), effects


def _forget(state: HomeState, at: float, rules: Rules) -> Step:
    """Let go of devices that are not there any more, and of what was wrong with them."""
    known = {*rules.sensors, *rules.buttons}
    watch = state.watch
    watch = replace(
        watch,
        words={d: at for d, at in watch.words.items() if d in known},
        batteries={d: b for d, b in watch.batteries.items() if d in known},
        mains={d: m for d, m in watch.mains.items() if d in known},
        flickers={d: f for d, f in watch.flickers.items() if d in known},
    )
    state, effects = replace(state, watch=watch), list[Effect]()
    gone = [k for k, f in state.faults.items() if f.kind in OURS and f.device not in known]
    for fault in gone:
        state, more = faults.end(state, fault, at, rules)
        effects += more
    return state, effects


def _rearm(state: HomeState, rules: Rules) -> HomeState:
    due = min((limit[0] for limit in _limits(state, rules)), default=None)
    return replace(state, watch=replace(state.watch, due=due))
