"""Supervision: each device's sign of life, level and battery, and the mains.

    heard --silent_s--> SILENT --any word--> heard        motion --stuck_s--> STUCK --still--> heard
    pulses nobody makes --> CHATTER --a calm window--> heard
    <= 15 % --> LOW_BATTERY, told daily --25 %--> fair    mains gone --120 s--> MAINS_LOST --> back

A sensor against which one of these stands is not believed: its silence is a fault, never quiet.
"""

from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.core.house_events import BatteryMeasured, DeviceSeen, MainsChanged
from hub.core.limits import UNMOVED, flickered, pending, unmoved
from hub.core.model.activity import Sensed
from hub.core.model.effects import Effect
from hub.core.model.events import Started
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState
from hub.core.model.supervision import Flicker, armed
from hub.core.supervision import faults, power, snapshot
from hub.core.supervision.faults import stands

Step = tuple[HomeState, list[Effect]]

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
    for due, act, device in tuple(pending(state, rules)):
        if due <= at:
            state, more = act(state, device, at, rules)
            effects += more
    state, more = unmoved(state, at, rules)
    return _rearm(state, rules), effects + more


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    return state.watch.due


def told(
    state: HomeState, event: Started | DeviceSeen | BatteryMeasured | MainsChanged, rules: Rules
) -> Step:
    """Take a device's word on itself; one that the config does not know has none."""
    if isinstance(event, Started):
        state, effects = _begin(state, event, rules)
        state, more = snapshot.begin(state, event.at, rules)
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
            state = replace(state, watch=armed(state.watch, stuck_at))
    elif at - sensed.active_at < rules.watch.short_s:
        state, more = flickered(state, device, at, rules)
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
    due = min((limit[0] for limit in pending(state, rules)), default=None)
    return replace(state, watch=replace(state.watch, due=due))
