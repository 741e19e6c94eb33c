"""The spoken warning before an automatic alarm; any sign of life ends it.

    (quiet, not up, ...) --begin--> Warning --sign of life--> over    ("help", "unwell": at once)
                                       '--nothing for `warn_s`--> alarm, with its evidence

Motion in the bathroom does not end the warning of a long stay there, and motion does not end that
of night wandering or of a reading: these need a word or a button, or leaving the bathroom, or going
back to bed. What ends the warning of a reading, and how, is `vitals.question`'s.

During a warning the words are repeated every 30 s (NEAT NOVO, Tunstall: 60 s to 10 min).
"""

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import Evidence, VitalEvidence
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core.alarm import alarm
from hub.core.model.effects import Ask, Say
from hub.core.model.rules import Room, Rules
from hub.core.model.state import Caution, HomeState, Step

LATE_S = 5.0  # what is older than a warning by less may have been queued beside it
PHRASE = {
    Kind.QUIET: Phrase.WARN_QUIET,
    Kind.NOT_UP: Phrase.WARN_NOT_UP,
    Kind.LONG_BATHROOM: Phrase.WARN_BATHROOM,
    Kind.NIGHT_WANDERING: Phrase.WARN_WANDERING,
    Kind.DOOR_OPEN: Phrase.WARN_DOOR,
    Kind.OUT_AT_NIGHT: Phrase.WARN_OUT,
    Kind.NO_LIFE: Phrase.WARN_NO_LIFE,
    Kind.HEART_RATE: Phrase.WARN_PULSE,
    Kind.OXYGEN: Phrase.WARN_OXYGEN,
    Kind.BLOOD_PRESSURE: Phrase.WARN_PRESSURE,
}


class Ground(Struct, frozen=True):
    """The reason for an automatic alarm: its kind, the device concerned, the evidence."""

    kind: Kind
    device: str
    evidence: Evidence | VitalEvidence


def begin(state: HomeState, ground: Ground, at: float, rules: Rules) -> Step:
    """Begin a warning; the caller has checked that no other warning is on."""
    until = at + rules.warn_s
    vital = ground.evidence if isinstance(ground.evidence, VitalEvidence) else None
    evidence = ground.evidence if isinstance(ground.evidence, Evidence) else None
    warning = Caution(ground.kind, ground.device, evidence, until, at, vital=vital)
    return replace(state, warning=warning), [Ask(PHRASE[ground.kind])]


def end(state: HomeState) -> Step:
    """End a warning by a word or a button."""
    if state.warning is None:
        return state, []
    return replace(state, warning=None), [Say(Phrase.WARNING_OVER)]


def end_by_motion(state: HomeState, device: str, rules: Rules) -> Step:
    """End a warning by motion, unless motion is its reason."""
    kind = state.warning.kind if state.warning else None
    if kind is Kind.NIGHT_WANDERING or (state.warning and state.warning.vital):
        return state, []
    if kind is Kind.LONG_BATHROOM and _in_bathroom(device, rules):
        return state, []
    return end(state)


def is_younger(state: HomeState, at: float) -> bool:
    """Whether the warning may be younger than what was heard at `at` and told late.

    A radio tells again what a hub that died may not have taken in. When a warning of before a
    restart began is not remembered; that it goes on asks the resident once more.
    """
    said_at = state.warning.said_at if state.warning else 0.0
    return at < max(said_at, state.care.began_at) - LATE_S


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Repeat the words, or raise the alarm; no alarm where the wanderer went back to bed."""
    warning = state.warning
    if warning is None:
        return state, []
    if warning.until <= at:
        still_at = warning.until - rules.warn_s / 2
        state = replace(state, warning=None)
        if warning.kind is Kind.NIGHT_WANDERING and state.house.active_at < still_at:
            return state, []
        return alarm.call(state, warning.kind, warning.device, at, rules, warning.evidence)
    if warning.said_at + rules.warn_again_s <= at:
        phrase = PHRASE.get(warning.kind, Phrase.WARN_QUIET)
        return replace(state, warning=replace(warning, said_at=at)), [Ask(phrase)]
    return state, []


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the words or the alarm are due."""
    if state.warning is None:
        return None
    return min(state.warning.until, state.warning.said_at + rules.warn_again_s)


def _in_bathroom(device: str, rules: Rules) -> bool:
    sensor = rules.sensors.get(device)
    return sensor is not None and sensor.room is Room.BATHROOM
