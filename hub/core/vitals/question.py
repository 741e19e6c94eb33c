"""A reading beyond its limit: the resident is asked first, by voice and light.

    asked --"help", "unwell", red button--> a call, and the reading with it
       |--a clear word, the green button--> over; a task for the centre, which may call them back
       |     oxygen below the critical value--> an alarm all the same
       |--readings of the same device within the limits again--> over
       '--nothing, until the time is up--> an alarm, with its evidence
                      the band is off, out of range, empty--> no alarm; a task

Motion does not end it: who wanders about dazed moves, too. That a person says "I am fine" is
believed of pulse and pressure, and then told as what it is; but too little oxygen makes people
believe just that (Tobin 2020, AJRCCM 202:356-360: "happy" hypoxaemia), so there it is not. After
an answer the same is not asked again for hours; what is markedly worse is (`vitals.again`).
"""

from msgspec.structs import replace

from hub.contract import scaip
from hub.contract.messages import CareData, VitalEvidence
from hub.contract.scaip import Care, Kind
from hub.contract.voice import Phrase
from hub.core.alarm import alarm, warning
from hub.core.checkin.reports import deliver_care
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.rr import median
from hub.core.model.rules import Rules
from hub.core.model.state import Caution, HomeState, Step
from hub.core.model.vitals import Waiting
from hub.core.vitals import again, limits
from hub.core.vitals.limits import Limit

BUTTON = "button"  # as an answer
TOLD_LATE = 2.0  # times the pause between the words: they were not said meanwhile
WAITS_S = 900.0  # a reading older than this is not asked about any more


def begin(state: HomeState, kind: Kind, evidence: VitalEvidence, at: float, rules: Rules) -> Step:
    """Ask the resident, unless this was asked not long ago; after what is being asked now."""
    if not (limits.is_watched(state, kind) and again.is_due(state, kind, evidence, at, rules)):
        return state, []
    if is_busy(state):
        if state.warning and state.warning.kind is kind:  # this is what is being asked
            return _with_worse(state, state.warning, evidence, rules), []
        if kind is Kind.HEART_RATE:  # the next minute asks
            return state, []
        waiting = {**state.vitals.waiting, kind.value: Waiting(kind, evidence, at)}
        return replace(state, vitals=replace(state.vitals, waiting=waiting)), []
    return warning.begin(state, warning.Ground(kind, evidence.device, evidence), at, rules)


def end(state: HomeState, at: float, rules: Rules, said: str = BUTTON) -> Step:
    """End any warning by a word or a button; what was asked for a reading is told."""
    caution = state.warning
    if caution is None or caution.vital is None:
        return warning.end(state)
    heard = replace(caution.vital, said=said)
    state = replace(state, warning=None)
    if again.is_critical(heard, rules):
        state, effects = _raise(state, caution, heard, at, rules)
        return state, [*effects, Say(Phrase.READING_TOLD)]
    again_at = at + rules.vitals.again_s
    state, effects = _tell_task(state, caution.kind, heard, at, again_at, rules)
    return state, [*effects, Say(Phrase.READING_NOTED)]


def tell_with_call(
    state: HomeState, caution: Caution | None, said: str, at: float, rules: Rules
) -> Step:
    """Tell the reading that was being asked about when the resident called for help."""
    if caution is None or caution.vital is None:
        return state, []
    return _raise(state, caution, replace(caution.vital, said=said), at, rules)


def is_busy(state: HomeState) -> bool:
    """Whether something else is being asked that is as urgent."""
    return state.warning is not None or state.candidate is not None


def elapse_waiting(state: HomeState, at: float, rules: Rules) -> Step:
    """Ask what had to wait for another question, if that did not take too long."""
    effects: list[Effect] = []
    while state.vitals.waiting and not is_busy(state):
        state, more = _ask_first(state, at, rules)
        effects += more
    return state, effects


def _ask_first(state: HomeState, at: float, rules: Rules) -> Step:
    first = min(state.vitals.waiting.values(), key=lambda one: one.at)
    waiting = {k: one for k, one in state.vitals.waiting.items() if one is not first}
    state = replace(state, vitals=replace(state.vitals, waiting=waiting))
    passed = _limit(state, first.evidence, rules).is_passed(first.evidence.value)
    if at - first.at > WAITS_S or not passed:
        return state, []
    return begin(state, first.kind, first.evidence, at, rules)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Decide when the time for an answer is up."""
    caution = state.warning
    if caution is None or caution.vital is None or caution.until > at:
        return state, []
    if caution.kind is Kind.HEART_RATE:
        return _decide_pulse(state, caution, caution.vital, at, rules)
    if not caution.cut_short and at - caution.said_at > TOLD_LATE * rules.warn_again_s:
        return _ask_anew(state, caution, caution.vital, at, rules)
    return _raise(replace(state, warning=None), caution, caution.vital, at, rules)


def _ask_anew(
    state: HomeState, caution: Caution, vital: VitalEvidence, at: float, rules: Rules
) -> Step:
    """Give the whole time for an answer: the reading was told late, and nobody was asked then."""
    if at - caution.said_at > WAITS_S:
        again_at = at + rules.vitals.again_raised_s
        return _tell_task(replace(state, warning=None), caution.kind, vital, at, again_at, rules)
    anew = replace(caution, until=at + rules.warn_s, said_at=at)
    return replace(state, warning=anew), [Ask(warning.PHRASE[caution.kind])]


def see_pulse(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Apply one more minute of a pulse: two within the limits end what was asked of it."""
    del at
    caution = state.warning
    if caution is None or caution.vital is None:
        return state, []
    if caution.kind is not Kind.HEART_RATE or caution.device != device:
        return state, []
    limit = _limit(state, caution.vital, rules)
    last = state.vitals.bands[device].recent[-2:]
    within = len(last) > 1 and not any(limit.is_passed(bpm) for bpm in last)
    return _over(state) if within else (state, [])


def see_within(state: HomeState, kind: Kind, device: str) -> Step:
    """Apply a reading within the limits; one of another device may be of another person."""
    caution, held = state.warning, state.vitals.waiting.get(kind.value)
    if held is not None and held.evidence.device == device:
        waiting = {k: one for k, one in state.vitals.waiting.items() if k != kind.value}
        return replace(state, vitals=replace(state.vitals, waiting=waiting)), []
    of_this = caution is not None and (caution.kind, caution.device) == (kind, device)
    return _over(state) if of_this else (state, [])


def follow_limits(state: HomeState, rules: Rules) -> Step:
    """Apply changed limits to what is being asked."""
    caution = state.warning
    if caution is None or caution.vital is None:
        return state, []
    passed = _limit(state, caution.vital, rules).is_passed(caution.vital.value)
    on = limits.is_watched(state, caution.kind)
    return (state, []) if passed and on else _over(state)


def _decide_pulse(
    state: HomeState, caution: Caution, vital: VitalEvidence, at: float, rules: Rules
) -> Step:
    band = state.vitals.bands.get(caution.device)
    state = replace(state, warning=None)
    if band is None or not band.recent or at - band.judged_at > rules.vitals.gap_s:
        again_at = at + rules.vitals.again_raised_s  # nobody has answered
        return _tell_task(state, caution.kind, vital, at, again_at, rules)
    limit = _limit(state, vital, rules)
    if not limit.is_passed(band.recent[-1]):
        return state, [Say(Phrase.READING_OVER)]
    lasted_s = vital.lasted_s + rules.warn_s
    now = replace(vital, value=median(band.recent), limit=limit.value, lasted_s=lasted_s)
    return _raise(state, caution, now, at, rules)


def _raise(
    state: HomeState, caution: Caution, vital: VitalEvidence, at: float, rules: Rules
) -> Step:
    state = again.noted(state, caution.kind, vital, at + rules.vitals.again_raised_s)
    return alarm.call(state, caution.kind, caution.device, at, rules, vital)


def _with_worse(
    state: HomeState, caution: Caution, evidence: VitalEvidence, rules: Rules
) -> HomeState:
    """Return the state in which a markedly worse value stands for what is being asked."""
    vital = caution.vital
    known = vital is not None and vital.above is evidence.above
    if vital and known and not again.is_worse(evidence, vital, rules):
        return state
    return replace(state, warning=replace(caution, device=evidence.device, vital=evidence))


def _tell_task(
    state: HomeState, kind: Kind, vital: VitalEvidence, at: float, again_at: float, rules: Rules
) -> Step:
    state = again.noted(state, kind, vital, again_at)
    block = scaip.of_care(Care.READING, "")
    data = CareData(Care.READING, 0, True, block, kind.value, vital)  # noqa: FBT003
    return deliver_care(state, data, at, rules)


def _over(state: HomeState) -> Step:
    said: list[Effect] = [Say(Phrase.READING_OVER)]
    return replace(state, warning=None), said


def _limit(state: HomeState, vital: VitalEvidence, rules: Rules) -> Limit:
    """Return the limit that holds now for what was read."""
    every = [
        limits.high_pulse(state, rules)[0],
        limits.low_pulse(state, rules)[0],
        limits.oxygen(state, rules),
        *limits.pressures(state, rules),
    ]
    told = Limit(vital.kind, vital.limit, vital.above)  # of a newer program's snapshot
    return next((one for one in every if (one.kind, one.above) == (told.kind, told.above)), told)
