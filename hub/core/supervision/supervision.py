"""Supervision: each device's sign of life, level and battery, and the mains.

    heard --silent_s--> SILENT --any event--> heard       motion --stuck_s--> STUCK --still--> heard
    pulses too short for a person --> CHATTER --a window without them--> heard
    <= 15 % --> LOW_BATTERY, told daily --25 %--> fair    mains gone --120 s--> MAINS_LOST --> back

A sensor against which one of these stands is not believed: its silence is a fault, never quiet.
"""

from collections.abc import Callable, Iterator
from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.times import DAY_S
from hub.core.model.activity import Sensed
from hub.core.model.effects import Effect
from hub.core.model.events import BatteryMeasured, DeviceSeen, MainsChanged, Started
from hub.core.model.rules import Button, Rules, Sense, Sensor
from hub.core.model.state import HomeState, Step
from hub.core.model.supervision import Flicker, due_by
from hub.core.supervision import faults, power, snapshot
from hub.core.supervision.faults import stands

Act = Callable[[HomeState, str, float, Rules], Step]
Deadline = tuple[float, Act, str]  # when, what is done then, and to which device
# members of an enum are slow to look up in Python 3.11
MOTION, SILENT, STUCK = Sense.MOTION, FaultKind.SILENT, FaultKind.STUCK
CHATTER = FaultKind.CHATTER
HOUSE_SENSES = (
    Sense.MOTION, Sense.DOOR, Sense.EXIT_DOOR, Sense.WINDOW, Sense.OCCUPANCY, Sense.VIBRATION,
)  # fmt: skip
UNBELIEVED = (FaultKind.SILENT, FaultKind.STUCK, FaultKind.CHATTER, FaultKind.DRIVER_FAILED)
OF_DEVICES = (
    *UNBELIEVED[:3], FaultKind.LOW_BATTERY, FaultKind.MAINS_LOST, FaultKind.TAMPER,
    FaultKind.REPLAYED, FaultKind.WRONG_KEY, FaultKind.STALE_BOND, FaultKind.MUTE_LINK,
)  # fmt: skip
UNMOVED = "no motion, though others saw life"


def take_device_event(
    state: HomeState, event: Started | DeviceSeen | BatteryMeasured | MainsChanged, rules: Rules
) -> Step:
    """Apply a device's report of itself; a device that the settings do not name has none."""
    if isinstance(event, Started):
        state, effects = _start(state, event, rules)
        state, more = snapshot.tell_start(state, event.at, rules)
        return state, effects + more
    device, at = event.device, event.at
    if device not in rules.sensors and device not in rules.buttons:
        return state, []
    words = {**state.watch.words, device: at}
    state = replace(state, watch=replace(state.watch, words=words))
    state, effects = _end_silence(state, device, at, rules)
    match event:
        case BatteryMeasured(battery_pct=pct):
            state, more = power.battery_measured(state, device, pct, at, rules)
        case MainsChanged(present=present):
            state, more = power.mains_changed(state, device, at, rules, present=present)
        case DeviceSeen():
            more = []
        case _:
            assert_never(event)
    return state, effects + more


def seen(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Note that `device` gave an edge. Called for each one, so it must be quick."""
    sensor = rules.sensors.get(device)
    if sensor is None:
        return state, []
    effects: list[Effect] = []
    sensed = state.house.sensed[device]
    if state.faults:
        state, effects = _end_silence(state, device, at, rules, moved=sensed.active)
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
    """Return the motion sensors and doors that can be believed."""
    return tuple(
        device
        for device, sensor in rules.sensors.items()
        if sensor.sense in HOUSE_SENSES and believed(state, device)
    )


def heard(state: HomeState, rules: Rules) -> tuple[str, ...]:
    """Return the motion sensors and doors that have been heard of, believed or not."""
    return tuple(
        device
        for device, sensor in rules.sensors.items()
        if sensor.sense in HOUSE_SENSES and last_word(state, device) is not None
    )


def last_word(state: HomeState, device: str) -> float | None:
    """Return when a device was last heard of; None: never."""
    sensed, word = state.house.sensed.get(device), state.watch.words.get(device)
    return word if sensed is None else max(sensed.seen_at, sensed.seen_at if word is None else word)


def floods(state: HomeState, device: str) -> bool:
    """Whether a device gives more pulses than a person makes: they are no sign of life."""
    return stands(state, device, CHATTER)


def is_stuck(state: HomeState, device: str) -> bool:
    """Whether a motion sensor has reported motion for longer than anybody moves."""
    return stands(state, device, FaultKind.STUCK)


def believed(state: HomeState, device: str) -> bool:
    """Whether a device has been heard of, and no fault stands against it."""
    heard = device in state.house.sensed or device in state.watch.words
    return heard and not (state.faults and any(stands(state, device, kind) for kind in UNBELIEVED))


def list_anew(state: HomeState, at: float, rules: Rules) -> Step:
    """Take up another list of devices: forget those that are gone, and supervise the others."""
    state, effects = _forget_removed(state, at, rules)
    return _with_due(state, rules), effects


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Apply every deadline that is due by `at`."""
    if state.watch.due is None or state.watch.due > at:
        return state, []
    effects: list[Effect] = []
    for due, act, device in tuple(_deadlines(state, rules)):
        if due <= at:
            state, more = act(state, device, at, rules)
            effects += more
    state, more = _find_unmoved(state, at, rules)
    return _with_due(state, rules), effects + more


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return when the next deadline may be due."""
    return state.watch.due


def recovered(state: HomeState, started: Started) -> HomeState:
    """Return the state as a new process holds it: no device is late yet, no fault is over."""
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


def _start(state: HomeState, event: Started, rules: Rules) -> Step:
    """Begin to supervise; after a power cut hold back what can wait, each home its own time."""
    watch = replace(state.watch, began_at=event.at, chance=event.chance, hold_until=event.at)
    sensed = {device: _not_after(s, event.at) for device, s in state.house.sensed.items()}
    state = replace(state, watch=watch, house=replace(state.house, sensed=sensed))
    state, effects = _forget_removed(state, event.at, rules)
    if event.at <= rules.watch.power_up_s:
        state = power.hold_reports(state, event.at, rules)
    return _with_due(state, rules), effects


def _not_after(sensed: Sensed, at: float) -> Sensed:
    """Return times of an older boot as past; else a dead sensor would count as alive for days."""
    return replace(
        sensed,
        seen_at=min(sensed.seen_at, at),
        since=min(sensed.since, at),
        active_at=min(sensed.active_at, at),
    )


def _forget_removed(state: HomeState, at: float, rules: Rules) -> Step:
    """Drop devices that the settings no longer name, and their faults."""
    known = {*rules.sensors, *rules.buttons, *rules.phones}
    watch = state.watch
    watch = replace(
        watch,
        words={d: at for d, at in watch.words.items() if d in known},
        batteries={d: b for d, b in watch.batteries.items() if d in known},
        mains={d: m for d, m in watch.mains.items() if d in known},
        flickers={d: f for d, f in watch.flickers.items() if d in known},
    )
    state, effects = replace(state, watch=watch), list[Effect]()
    gone = [k for k, f in state.faults.items() if f.kind in OF_DEVICES and f.device not in known]
    for fault in gone:
        state, more = faults.end(state, fault, at, rules)
        effects += more
    return state, effects


def _end_silence(
    state: HomeState, device: str, at: float, rules: Rules, *, moved: bool = False
) -> Step:
    """End a silence; that of a motion sensor that saw nobody is ended by motion only."""
    silence = state.faults.get(f"{device}:{FaultKind.SILENT}")
    if silence is None or (silence.detail == UNMOVED and not moved):
        return state, []
    state, effects = faults.mend(state, FaultKind.SILENT, device, at, rules)
    return _with_due(state, rules), effects


def _with_due(state: HomeState, rules: Rules) -> HomeState:
    due = min((deadline[0] for deadline in _deadlines(state, rules)), default=None)
    return replace(state, watch=replace(state.watch, due=due))


def _deadlines(state: HomeState, rules: Rules) -> Iterator[Deadline]:
    """Yield every deadline that stands, in no order: when, what is done then, to which device."""
    yield from _of_sensors(state, rules)
    watch, numbers = state.watch, rules.watch
    for device, flicker in watch.flickers.items():
        if flicker.chattering:
            yield flicker.since + numbers.chatter_window_s, _end_flood, device
    for device, battery in watch.batteries.items():
        if battery.told_at is not None:
            yield battery.told_at + numbers.remind_s, power.tell_battery, device
    for device, mains in watch.mains.items():
        told = stands(state, device, FaultKind.MAINS_LOST)
        if not mains.present and not told:
            yield mains.since + numbers.mains_lost_s, power.tell_mains_lost, device
        elif mains.present and told:
            yield mains.since, power.tell_mains_back, device
    yield from _of_flaps(state, rules)
    if watch.hold_until is not None and (watch.untold or watch.waiting):
        yield watch.hold_until, power.release_reports, ""


def _of_sensors(state: HomeState, rules: Rules) -> Iterator[Deadline]:
    listed: tuple[tuple[str, Button | Sensor], ...] = (
        *rules.sensors.items(),
        *rules.buttons.items(),
    )
    for device, one in listed:
        if one.silent_s and not stands(state, device, SILENT):
            yield _heard_at(state, device) + one.silent_s, _fall_silent, device
    for device, sensor in rules.sensors.items():
        sensed = state.house.sensed.get(device)
        busy = sensed is not None and sensed.active and sensor.sense is MOTION
        if sensed and busy and not stands(state, device, STUCK):
            yield _of_this_boot(state, sensed.since) + rules.watch.stuck_s, _stick, device


def _of_flaps(state: HomeState, rules: Rules) -> Iterator[Deadline]:
    for fault, flap in state.watch.flaps.items():
        if fault not in state.faults:  # both were read from the snapshot
            continue
        if flap.over_at is not None:
            yield flap.over_at, _end_flap, fault
        elif flap.detail is not None:
            yield faults.told_again_at(state, fault, rules), _tell_detail, fault


def _heard_at(state: HomeState, device: str) -> float:
    """Return a device's last sign of life; one heard before this boot has its whole `silent_s`."""
    watch, sensed = state.watch, state.house.sensed.get(device)
    word = watch.words.get(device, watch.began_at)
    return max(word, _of_this_boot(state, sensed.seen_at if sensed else word))


def _of_this_boot(state: HomeState, at: float) -> float:
    return max(at, state.watch.began_at)


def _fall_silent(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    return faults.fail(state, FaultKind.SILENT, device, at, rules)


def _find_unmoved(state: HomeState, at: float, rules: Rules) -> Step:
    """Raise a fault for each motion sensor that saw nothing while others did: its wire is off."""
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


def _stick(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    return faults.fail(state, FaultKind.STUCK, device, at, rules)


def _count_flicker(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Count a pulse that is too short for a person; too many are a fault."""
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


def _end_flood(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """End a flood after a window without one, unless nothing was heard since the start."""
    flicker = state.watch.flickers[device]
    on = flicker.pulses >= rules.watch.chatter_pulses
    if on or _heard_at(state, device) <= state.watch.began_at:
        flickers = {**state.watch.flickers, device: Flicker(0, at, chattering=True)}
        return replace(state, watch=replace(state.watch, flickers=flickers)), []
    flickers = {d: f for d, f in state.watch.flickers.items() if d != device}
    state = replace(state, watch=replace(state.watch, flickers=flickers))
    return faults.mend(state, FaultKind.CHATTER, device, at, rules)


def _end_flap(state: HomeState, fault: str, at: float, rules: Rules) -> Step:
    """End a fault that came and went, and has stayed away since.

    Where the mains are off again the fault goes on, though it is too early to tell a new loss.
    """
    standing = state.faults[fault]
    mains = state.watch.mains.get(standing.device)
    if standing.kind is FaultKind.MAINS_LOST and mains is not None and not mains.present:
        return faults.not_over(state, fault), []
    state, effects = faults.end(state, fault, at, rules)
    if standing.kind is not FaultKind.MAINS_LOST:
        return state, effects
    state, report = power.mains_stayed(state, standing.device, at, rules)
    return state, effects + report


def _tell_detail(state: HomeState, fault: str, at: float, rules: Rules) -> Step:
    """Report a changed detail of a fault that came too soon after the last report."""
    standing, detail = state.faults[fault], state.watch.flaps[fault].detail or ""
    return faults.fail(state, standing.kind, standing.device, at, rules, detail)
