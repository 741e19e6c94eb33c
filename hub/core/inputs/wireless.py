"""What wireless devices say: pendants call, sensors find, and the radio says how it works.

    pressed -> fold (`model.wireless`) -> press    as a button's; a counter that began anew is told
                                       -> repeat   nothing
                                       -> replay   refused, counted, and a fault
    found   -> motion, door: `sensors` | smoke, gas, water: an alarm at once | tamper: a fault

A detector's alarm is raised without a warning: who asks first loses the minutes that count. Its end
is reported when all detectors of its kind have been at rest for `all_clear_s`.
"""

import math

from msgspec.structs import replace

from hub.contract.messages import COUNTER_RESTARTED, FaultKind
from hub.contract.radio import How, Part, Sensed
from hub.contract.scaip import DETECTED, Kind
from hub.contract.voice import Phrase
from hub.core.alarm import alarm
from hub.core.inputs import buttons, sensors
from hub.core.model.effects import Effect, Say, Took
from hub.core.model.events import (
    ContactChanged,
    DevicesChanged,
    DeviceSeen,
    MotionChanged,
    RadioPartChanged,
    RangeChanged,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role, Rules, Sense
from hub.core.model.state import Cancelled, HomeState, Said, Step
from hub.core.model.wireless import Hazard, Presses, Verdict, WirelessState, fold
from hub.core.supervision import faults, supervision

WirelessEvent = WirelessPressed | WirelessFound | RangeChanged | RadioPartChanged | DevicesChanged
EARLY = 8  # presses of devices that are not listed yet; each is some hundred bytes
HELD = frozenset({How.LONG, How.LONG_DOUBLE, How.LONG_TRIPLE, How.HOLD})
OPENS = frozenset({Sensed.DOOR, Sensed.WINDOW, Sensed.OPENING})  # makers mix them up
MOVES = {
    Sensed.MOTION: Sense.MOTION,
    Sensed.OCCUPANCY: Sense.OCCUPANCY,
    Sensed.VIBRATION: Sense.VIBRATION,
}
KIND = {
    Sensed.SMOKE: Kind.SMOKE,
    Sensed.GAS: Kind.GAS,
    Sensed.CARBON_MONOXIDE: Kind.CARBON_MONOXIDE,
    Sensed.MOISTURE: Kind.WATER,
}
SAID = {
    Kind.SMOKE: Phrase.LEAVE_SMOKE,
    Kind.GAS: Phrase.LEAVE_GAS,
    Kind.CARBON_MONOXIDE: Phrase.LEAVE_CARBON_MONOXIDE,
    Kind.WATER: Phrase.WATER_FOUND,
}
FAULT = {
    Part.DAEMON: FaultKind.NO_BLUETOOTH,
    Part.ADAPTER: FaultKind.NO_ADAPTER,
    Part.BLOCKED: FaultKind.ADAPTER_BLOCKED,
    Part.PASSIVE: FaultKind.ACTIVE_SCAN,
    Part.SCANNER: FaultKind.SCAN_FAILED,
    Part.BOND: FaultKind.STALE_BOND,
    Part.KEY: FaultKind.WRONG_KEY,
    Part.MUTE: FaultKind.MUTE_LINK,
}
PLAIN = "plain"  # detail of WRONG_KEY: a frame that is not encrypted at all
NOT_SET_UP = "not set up"  # detail of NO_RADIO: pendants are listed, and no radio is


def take_event(state: HomeState, event: WirelessEvent, rules: Rules) -> Step:
    """Apply what the radio process told; what a device that is not listed says is nothing."""
    match event:
        case WirelessPressed():
            return _press(state, event, rules)
        case WirelessFound():
            return _find(state, event, rules) if _is_listed(event.device, rules) else (state, [])
        case RangeChanged(device=device) if device in rules.phones:
            return _see_phone(state, event, rules), []
        case RangeChanged(near=near):  # that it is not heard says nothing before its `silent_s`
            return _seen(state, event.device, event.at, rules) if near else (state, [])
        case RadioPartChanged():
            return _change_part(state, event, rules)
        case _:
            return _list_anew(state, event, rules)


def begin(state: HomeState, at: float, rules: Rules) -> Step:
    """Forget devices that are not listed any more; tell it if nothing hears those that are."""
    memory, known = state.wireless, {*rules.buttons, *rules.sensors}
    pendants = {button.wireless for button in rules.buttons.values()}
    if rules.listed:
        memory = replace(
            memory,
            presses={p: one for p, one in memory.presses.items() if p in pendants},
            hazards={k: h for k, h in memory.hazards.items() if _device_of(k) in known},
            refused={f: last for f, last in memory.refused.items() if _device_of(f) in known},
        )
        state = _with(state, memory)
    deaf = not rules.radio and any(pendants)
    act = faults.fail if deaf else faults.mend
    detail = (NOT_SET_UP,) if deaf else ()
    return act(state, FaultKind.NO_RADIO, faults.HUB, at, rules, *detail)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Report hazards that are over; end the faults of frames that nobody sends any more."""
    effects: list[Effect] = []
    for kind, due in _clear_at(state, rules).items():
        if due <= at:
            state, more = alarm.clear(state, frozenset({kind}), at, rules)
            effects += more
    for fault, last in state.wireless.refused.items():
        if last + rules.refused_s <= at:
            refused = {f: t for f, t in state.wireless.refused.items() if f != fault}
            state = _with(state, replace(state.wireless, refused=refused))
            mended = FaultKind.of(fault.rpartition(":")[2])
            state, more = faults.mend(state, mended, _device_of(fault), at, rules)
            effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when a hazard, or a fault of refused frames, may be over."""
    times = [last + rules.refused_s for last in state.wireless.refused.values()]
    if state.alarms:
        times += [at for at in _clear_at(state, rules).values() if at != math.inf]
    return min(times, default=None)


def _press(state: HomeState, event: WirelessPressed, rules: Rules) -> Step:
    """Apply a frame with a press. The radio is told that it was taken, whatever it was."""
    button = rules.buttons.get(event.device)
    if button is None or not button.wireless:
        early = (*state.wireless.early, event)[-EARLY:]
        return _with(state, replace(state.wireless, early=early)), []
    memory = state.wireless
    presses, verdict = fold(memory.presses.get(button.wireless, Presses()), event)
    memory = replace(memory, presses={**memory.presses, button.wireless: presses})
    state = _with(state, memory)
    effects: list[Effect] = []
    if verdict in {Verdict.PRESS, Verdict.RESTARTED}:
        state, effects = _act(state, event, button, verdict, rules)
    elif verdict is not Verdict.REPEAT:
        state, effects = _refuse(state, event, verdict, rules)
    return state, [*effects, Took(event.id)]


def _act(
    state: HomeState, event: WirelessPressed, button: Button, verdict: Verdict, rules: Rules
) -> Step:
    """Do what a wired button of this role does. A press in doubt calls, but takes nothing back."""
    device, at = event.device, event.at
    state = _with(state, replace(state.wireless, taken=state.wireless.taken + 1))
    state, alive = _seen(state, device, at, rules)
    if button.role is Role.CANCEL_BUTTON:
        if verdict is Verdict.RESTARTED or _is_overtaken(state, at):
            return state, alive
        held = event.how in HELD
        state, effects = buttons.take_back(state, device, at, rules, held=held)
    else:
        anew = verdict is Verdict.RESTARTED
        said = Said(about=COUNTER_RESTARTED) if anew else None
        state, effects = buttons.call(state, device, at, rules, said)
    return state, alive + effects


def _is_overtaken(state: HomeState, at: float) -> bool:
    """Whether a call began after a press that is told late: who pressed could not mean that one."""
    calls = [a.raised_at for a in state.alarms if not isinstance(a.life, Cancelled)]
    asked = [state.candidate.heard_at] if state.candidate else []
    return max([*calls, *asked], default=at) > at


def _refuse(state: HomeState, event: WirelessPressed, verdict: Verdict, rules: Rules) -> Step:
    """Count a refused frame and report it. What BlueZ tells again is a repeat, and is not here."""
    memory = state.wireless
    counts = {**memory.counts, verdict.value: memory.counts.get(verdict, 0) + 1}
    kind = FaultKind.REPLAYED if verdict is Verdict.REPLAY else FaultKind.WRONG_KEY
    refused = {**memory.refused, f"{event.device}:{kind}": event.at}
    state = _with(state, replace(memory, counts=counts, refused=refused))
    detail = "" if verdict is Verdict.REPLAY else PLAIN
    return faults.fail(state, kind, event.device, event.at, rules, detail)


def _find(state: HomeState, event: WirelessFound, rules: Rules) -> Step:
    """Apply what a sensor found. Something that it is not listed for is only a sign of its life."""
    device, at, on = event.device, event.at, event.on
    sensor = rules.sensors.get(device)
    sense = sensor.sense if sensor else None
    if sense is not None and MOVES.get(event.what) is sense:
        return sensors.motion(state, MotionChanged(at, device, on), rules)
    if sense in sensors.CONTACTS and event.what in OPENS:
        return sensors.door(state, ContactChanged(at, device, closed=not on), rules)
    state, effects = _seen(state, device, at, rules)
    kind, more = KIND.get(event.what), list[Effect]()
    if kind:
        state, more = _detect(state, event, kind, rules)
    elif event.what is Sensed.TAMPER:
        act = faults.fail if on else faults.mend
        state, more = act(state, FaultKind.TAMPER, device, at, rules)
    return state, effects + more


def _detect(state: HomeState, event: WirelessFound, kind: Kind, rules: Rules) -> Step:
    """Raise an alarm when a detector goes off, or still does long after its alarm was closed."""
    key, at, memory = f"{event.device}:{kind}", event.at, state.wireless
    before = memory.hazards.get(key, Hazard(on=False, since=at, told_at=-math.inf))
    if not event.on:
        if before.on:
            hazard = replace(before, on=False, since=at)
            state = _with(state, replace(memory, hazards={**memory.hazards, key: hazard}))
        return state, []
    open_ = any(a.kind is kind and not isinstance(a.life, Cancelled) for a in state.alarms)
    if before.on and (open_ or at < before.told_at + rules.hazard_again_s):
        return state, []
    hazards = {**memory.hazards, key: Hazard(on=True, since=at, told_at=at)}
    state = _with(state, replace(memory, hazards=hazards))
    state, effects = alarm.call(state, kind, event.device, at, rules)
    return state, [*effects, Say(SAID[kind])] if effects else effects


def _clear_at(state: HomeState, rules: Rules) -> dict[Kind, float]:
    """Return when each open alarm of a detector is over; infinity while one still goes off."""
    found: dict[Kind, float] = {}
    for kind in {a.kind for a in state.alarms if a.kind in DETECTED and not a.cleared}:
        levels = [h for key, h in state.wireless.hazards.items() if key.endswith(f":{kind}")]
        rests = bool(levels) and not any(level.on for level in levels)
        since = max(level.since for level in levels) if rests else math.inf
        found[kind] = since + rules.all_clear_s
    return found


def _see_phone(state: HomeState, event: RangeChanged, rules: Rules) -> HomeState:
    """Note when a phone was seen, by consent: a hint for people, and nobody's sign of life.

    That it is not seen means nothing: a locked phone says little.
    """
    phones = {name: utc for name, utc in state.phones.items() if name in rules.phones_told}
    if event.near and event.device in rules.phones_told:
        phones[event.device] = state.clock.utc(event.at)
    return replace(state, phones=phones)


def _change_part(state: HomeState, event: RadioPartChanged, rules: Rules) -> Step:
    kind, device, at = FAULT[event.part], event.device, event.at
    if device not in {rules.radio, *rules.phones} and not _is_listed(device, rules):
        return state, []
    if not event.broken:
        return faults.mend(state, kind, device, at, rules)
    return faults.fail(state, kind, device, at, rules, event.detail)


def _list_anew(state: HomeState, event: DevicesChanged, rules: Rules) -> Step:
    """Take up a new list: forget who is gone, tell the centre who can call, take early presses."""
    at = event.at
    if event.trouble:
        kind = FaultKind.DEVICE_LIST
        return faults.fail(state, kind, faults.HUB, at, rules, event.trouble)
    state, effects = faults.mend(state, FaultKind.DEVICE_LIST, faults.HUB, at, rules)
    for act in (supervision.list_anew, begin):
        state, more = act(state, at, rules)
        effects += more
    early = state.wireless.early
    state = _with(state, replace(state.wireless, early=()))
    for press in early:
        if press.at + rules.early_s >= at:
            state, more = _press(state, press, rules)
            effects += more
    if state.link.up:
        state, more = faults.publish_state(state, at, rules)
        effects += more
    return state, effects


def _seen(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    return supervision.take_device_event(state, DeviceSeen(at, device), rules)


def _is_listed(device: str, rules: Rules) -> bool:
    return device in rules.sensors or device in rules.buttons


def _device_of(key: str) -> str:
    return key.rpartition(":")[0]


def _with(state: HomeState, memory: WirelessState) -> HomeState:
    return replace(state, wireless=memory)
