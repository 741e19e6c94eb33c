"""The limits that hold for this resident: those that the centre set, else the hub's own."""

from msgspec import Struct

from hub.contract.messages import VitalKind, VitalLimits
from hub.contract.scaip import Kind
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

NONE_SET = VitalLimits()
OXYGEN = VitalKind.OXYGEN
PRESSURES = (VitalKind.SYSTOLIC, VitalKind.DIASTOLIC)


class Limit(Struct, frozen=True):
    """A limit in the unit of its kind; `above`: it must not be exceeded, else not undercut."""

    kind: VitalKind
    value: float
    above: bool

    def is_passed(self, value: float) -> bool:
        """Whether `value` lies beyond it."""
        return value > self.value if self.above else value < self.value


def of_resident(state: HomeState) -> VitalLimits:
    """Return what the centre has set."""
    return NONE_SET if state.limits is None else state.limits


def high_pulse(state: HomeState, rules: Rules) -> tuple[Limit, float]:
    """Return the limit at rest, and for how long it must be passed, in seconds."""
    own, usual = of_resident(state), rules.vitals
    bpm = _either(own.high_rest_bpm, usual.high_rest_bpm)
    return Limit(VitalKind.PULSE, bpm, above=True), _either(own.high_s, usual.high_s)


def low_pulse(state: HomeState, rules: Rules) -> tuple[Limit, float]:
    """Return the lower limit, and for how long it must be passed, in seconds."""
    own, usual = of_resident(state), rules.vitals
    bpm = _either(own.low_bpm, usual.low_bpm)
    return Limit(VitalKind.PULSE, bpm, above=False), _either(own.low_s, usual.low_s)


def oxygen(state: HomeState, rules: Rules) -> Limit:
    """Return the lower limit of oxygen."""
    pct = _either(of_resident(state).low_oxygen_pct, rules.vitals.low_oxygen_pct)
    return Limit(VitalKind.OXYGEN, pct, above=False)


def pressures(state: HomeState, rules: Rules) -> list[Limit]:
    """Return the limits of blood pressure, those that matter most first."""
    own, usual = of_resident(state), rules.vitals
    systolic, diastolic = PRESSURES
    return [
        Limit(systolic, _either(own.high_systolic_mmhg, usual.high_systolic_mmhg), above=True),
        Limit(diastolic, _either(own.high_diastolic_mmhg, usual.high_diastolic_mmhg), above=True),
        Limit(systolic, _either(own.low_systolic_mmhg, usual.low_systolic_mmhg), above=False),
        Limit(diastolic, _either(own.low_diastolic_mmhg, usual.low_diastolic_mmhg), above=False),
    ]


def is_watched(state: HomeState, kind: Kind) -> bool:
    """Whether readings of this kind of alarm may be asked about at all."""
    own = of_resident(state)
    by_kind = {Kind.HEART_RATE: own.watch_pulse, Kind.OXYGEN: own.watch_oxygen}
    return by_kind.get(kind, own.watch_pressure)


def reads_beats(state: HomeState) -> bool:
    """Whether the times between beats may be judged: not against the record, nor the will."""
    own = of_resident(state)
    return own.stress and not own.pacemaker and not own.irregular


def _either(own: float | None, usual: float) -> float:
    return usual if own is None else own
