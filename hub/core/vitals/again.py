"""For how long a limit is not asked about again, and which reading is asked about all the same.

    asked and answered, raised, told --`until`--> asked again
                   |--a value a step beyond the one told--> asked at once
                   '--oxygen that is critical now, and was not--> asked at once

What is high does not silence what is low. Of pressure, the systolic and the diastolic value stand
for each other: one that was within its limit must pass it by a step.

A step is one of severity:

    high pressure                        a grade of hypertension (ESC/ESH 2018, EHJ 39:3021)
    low pressure, oxygen, a fast pulse   a band of NEWS2 (Royal College of Physicians 2017)
    a slow pulse                         half such a band: the slowest that a band tells is 25

Temperature has no limits: a thermometer's reading is told, and nobody is asked.
"""

from msgspec.structs import replace

from hub.contract.messages import VitalEvidence, VitalKind
from hub.contract.scaip import Kind
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.core.model.vitals import Told
from hub.core.vitals.limits import OXYGEN, Limit

UNKNOWN = 10.0  # of a kind that only a newer program tells
STEPS: dict[tuple[VitalKind, bool], float] = {  # kind, whether it is above its limit -> its unit
    (VitalKind.SYSTOLIC, True): 20.0,
    (VitalKind.SYSTOLIC, False): 10.0,
    (VitalKind.DIASTOLIC, True): 10.0,
    (VitalKind.DIASTOLIC, False): 10.0,
    (VitalKind.PULSE, True): 20.0,
    (VitalKind.PULSE, False): 5.0,
    (VitalKind.OXYGEN, False): 2.0,
}


def is_due(
    state: HomeState, kind: Kind, evidence: VitalEvidence, at: float, rules: Rules
) -> bool:  # fmt: skip
    """Whether this reading may be asked about now."""
    told = state.vitals.told.get(_key(kind, evidence))
    return told is None or at >= told.until or is_worse(evidence, told.vital, rules)


def noted(state: HomeState, kind: Kind, vital: VitalEvidence, until: float) -> HomeState:
    """Note what was told of a reading, and until when the same is not asked about."""
    told = {**state.vitals.told, _key(kind, vital): Told(until, vital)}
    return replace(state, vitals=replace(state.vitals, told=told))


def is_worse(new: VitalEvidence, old: VitalEvidence, rules: Rules) -> bool:
    """Whether a reading is a step beyond another, on the same side of what is usual."""
    if is_critical(new, rules) and not is_critical(old, rules):
        return True
    known = old.value if old.kind is new.kind else new.limit
    beyond = new.value - known if new.above else known - new.value
    return beyond >= STEPS.get((new.kind, new.above), UNKNOWN)


def is_critical(vital: VitalEvidence, rules: Rules) -> bool:
    """Whether oxygen is so low that nobody can judge their own state."""
    critical = Limit(OXYGEN, rules.vitals.critical_oxygen_pct, above=False)
    return vital.kind is critical.kind and critical.is_passed(vital.value)


def _key(kind: Kind, vital: VitalEvidence) -> str:
    return f"{kind}:{'above' if vital.above else 'below'}"
