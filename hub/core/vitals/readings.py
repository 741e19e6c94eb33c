"""What a cuff, an oximeter or a thermometer has measured.

    cuff        told at once; a pressure beyond a limit is asked about
    oximeter    on a finger --`settle_s`--> told; then judged by the median of half a minute, so
                that neither a spike nor the first nonsense of a finger counts
    stored, or with a clock that is not to be believed: told, and the reason for nothing

Values that no living body has, NaN among them, do not count.
"""

from msgspec.structs import replace

from hub.contract.messages import Vital, VitalEvidence, VitalKind
from hub.contract.scaip import Kind
from hub.core.model.effects import Effect
from hub.core.model.events import VitalsMeasured
from hub.core.model.rr import median
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.model.vitals import Meter
from hub.core.vitals import again, limits, question, summary

OLD_S = 600.0  # by its own clock: then it was stored
FINGER_S = 60.0  # a longer pause is another finger
STREAM_S = 30.0
EVERY_S = 60.0  # the most often that a device's single values are told
READINGS = 60  # of half a minute
LEAST_PULSE_PRESSURE = 10.0  # mmHg between systolic and diastolic
PLAUSIBLE = {  # a value's name -> its kind, and what a living body may have
    "spo2_pct": (VitalKind.OXYGEN, 50.0, 100.0),  # ISO 80601-2-61: specified from 70
    "pulse_bpm": (VitalKind.PULSE, 25.0, 245.0),
    "systolic_mmhg": (VitalKind.SYSTOLIC, 50.0, 280.0),
    "diastolic_mmhg": (VitalKind.DIASTOLIC, 25.0, 200.0),
    "map_mmhg": (VitalKind.MEAN_PRESSURE, 30.0, 230.0),
    "temperature_c": (VitalKind.TEMPERATURE, 25.0, 45.0),
}


def plausible(event: VitalsMeasured) -> dict[VitalKind, float]:
    """Return the values that a living body may have."""
    found: dict[VitalKind, float] = {}
    for name, value in event.values.items():
        kind, least, most = PLAUSIBLE.get(name, (VitalKind.PULSE, 1.0, 0.0))
        if least <= value <= most:
            found[kind] = value
    systolic, diastolic = (found.get(kind) for kind in limits.PRESSURES)
    if systolic is None or diastolic is None:
        return found
    if systolic - diastolic < LEAST_PULSE_PRESSURE:
        del found[VitalKind.SYSTOLIC], found[VitalKind.DIASTOLIC]
    return found


def is_fresh(state: HomeState, event: VitalsMeasured) -> bool:
    """Whether it was measured now; a stored record is shown and raises nothing."""
    if not event.fresh:
        return False
    if event.taken_utc is None or not state.clock.synced:
        return True
    return abs(state.clock.utc(event.at) - event.taken_utc) <= OLD_S


def take(state: HomeState, event: VitalsMeasured, rules: Rules) -> Step:
    """Apply the reading of a listed device."""
    found, fresh = plausible(event), is_fresh(state, event)
    if VitalKind.OXYGEN in found and fresh:
        return _take_oxygen(state, event, found[VitalKind.OXYGEN], rules)
    if not found:
        return state, []
    by_cuff = any(kind in found for kind in limits.PRESSURES)
    if fresh and not by_cuff:  # it may stream, such as the pulse of a finger
        meter = state.vitals.meters.get(event.device, Meter())
        if 0.0 <= event.at - meter.told_at < EVERY_S:
            return state, []
        state = _with(state, event.device, replace(meter, told_at=event.at))
    utc = state.clock.utc(event.at)
    if event.taken_utc is not None and not fresh:
        utc = event.taken_utc
    entries = tuple(
        Vital(kind, utc, event.device, value, fresh=fresh, irregular=event.irregular)
        for kind, value in found.items()
    )
    state, told = summary.publish(state, event.at, event.at, entries, rules)
    if not fresh or not by_cuff:
        return state, told
    passed = _passed_pressures(state, event, found, rules)
    if not passed:
        state, over = question.see_within(state, Kind.BLOOD_PRESSURE, event.device)
        return state, [*told, *over]
    kind, at = Kind.BLOOD_PRESSURE, event.at
    new = (one for one in passed if again.is_due(state, kind, one, at, rules))
    state, asked = question.begin(state, kind, next(new, passed[0]), at, rules)
    return state, [*told, *asked]


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Tell and judge the first readings of a finger."""
    effects: list[Effect] = []
    for device, meter in state.vitals.meters.items():
        if meter.due_at is not None and meter.due_at <= at:
            state, more = _settle(state, device, meter, meter.due_at, rules)
            effects += more
    return state, effects


def next_wake(state: HomeState) -> float | None:
    """Return when the next finger is to be judged."""
    dues = (meter.due_at for meter in state.vitals.meters.values())
    return min((due for due in dues if due is not None), default=None)


def _passed_pressures(
    state: HomeState, event: VitalsMeasured, found: dict[VitalKind, float], rules: Rules
) -> list[VitalEvidence]:
    """Return the values beyond their limits, those that matter most first."""
    utc = state.clock.utc(event.at)
    return [
        VitalEvidence(limit.kind, value, limit.value, limit.above, event.device, utc)
        for limit in limits.pressures(state, rules)
        if (value := found.get(limit.kind)) is not None and limit.is_passed(value)
    ]


def _take_oxygen(state: HomeState, event: VitalsMeasured, pct: float, rules: Rules) -> Step:
    old = state.vitals.meters.get(event.device, Meter())
    if event.at < old.last_at:  # heard before, and told late
        return state, []
    if event.at - old.last_at > FINGER_S:
        old = replace(old, readings=(), due_at=event.at + rules.vitals.settle_s)
    since = event.at - STREAM_S
    kept = tuple(one for one in old.readings if one[0] > since)[1 - READINGS :]
    meter = replace(
        old, last_at=event.at, readings=(*kept, (event.at, pct)), tally=old.tally.plus(pct)
    )
    state = summary.begun(_with(state, event.device, meter), event.at)
    if meter.due_at is not None:
        return state, []
    return _judge(state, event.device, meter, event.at, rules)


def _settle(state: HomeState, device: str, meter: Meter, at: float, rules: Rules) -> Step:
    """Tell what the finger's first readings say, and judge them."""
    values = [pct for _, pct in meter.readings]
    entry = Vital(
        VitalKind.OXYGEN, state.clock.utc(at), device, median(values), min(values), max(values),
        len(values),
    )  # fmt: skip
    state = _with(state, device, replace(meter, due_at=None, tally=Meter().tally))
    state, told = summary.publish(state, at, at, (entry,), rules)
    state, asked = _judge(state, device, state.vitals.meters[device], at, rules)
    return state, [*told, *asked]


def _judge(state: HomeState, device: str, meter: Meter, at: float, rules: Rules) -> Step:
    pct, limit = median(pct for _, pct in meter.readings), limits.oxygen(state, rules)
    if not limit.is_passed(pct):
        return question.see_within(state, Kind.OXYGEN, device)
    began = meter.readings[0][0]
    evidence = VitalEvidence(
        limit.kind, pct, limit.value, limit.above, device, state.clock.utc(began),
        lasted_s=meter.last_at - began, n=len(meter.readings),
    )  # fmt: skip
    return question.begin(state, Kind.OXYGEN, evidence, at, rules)


def _with(state: HomeState, device: str, meter: Meter) -> HomeState:
    meters = {**state.vitals.meters, device: meter}
    return replace(state, vitals=replace(state.vitals, meters=meters))
