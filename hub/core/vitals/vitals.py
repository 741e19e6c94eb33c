"""The door of the room: readings come in, deadlines are served. What needs no wearable is quick."""

from msgspec.structs import replace

from hub.contract.messages import VitalLimits
from hub.core.model.effects import Effect
from hub.core.model.events import HeartRateMeasured, VitalsMeasured
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.model.vitals import NOTHING, Usual
from hub.core.vitals import limits, pulse, question, readings, summary


def take_pulse(state: HomeState, event: HeartRateMeasured, rules: Rules) -> Step:
    """Apply readings of a band; one that the settings do not name is somebody else's."""
    if event.device not in rules.sensors:
        return state, []
    effects: list[Effect] = []
    for one in event.each():
        state, more = pulse.take(state, one, rules)
        effects += more
        state = summary.begun(state, one.at) if pulse.is_live(one) else state
    return state, effects


def take_reading(state: HomeState, event: VitalsMeasured, rules: Rules) -> Step:
    """Apply a reading of an oximeter, cuff or thermometer that the settings name."""
    if event.device not in rules.sensors:
        return state, []
    return readings.take(state, event, rules)


def is_life(state: HomeState, event: HeartRateMeasured | VitalsMeasured) -> bool:
    """Whether the reading is a sign that somebody lives: a band that is not worn gives none.

    Nor does one that repeats a number: a spare one may do so for days. A heart's changes soon.
    """
    if isinstance(event, HeartRateMeasured):
        band = state.vitals.bands.get(event.device)
        last_bpm = None if band is None else band.last_bpm
        return any(pulse.is_live(one) and one.bpm != last_bpm for one in event.each())
    return readings.is_fresh(state, event) and bool(readings.plausible(event))


def set_limits(state: HomeState, own: VitalLimits | None, rules: Rules) -> Step:
    """Apply the limits of the centre, also to what is being asked.

    With those of another resident, or once a consent is taken back, it forgets what was usual.
    """
    own = own or limits.NONE_SET
    if own.since_utc > limits.of_resident(state).since_utc:
        state = _forgotten(state)
    state = replace(state, limits=own)
    if not limits.reads_beats(state):
        state = replace(state, beats={})
    return question.follow_limits(state, rules)


def _forgotten(state: HomeState) -> HomeState:
    """Forget what was learned and answered; an episode that is under way goes on."""
    old = state.vitals
    bands = {d: replace(band, usual=Usual(), windows=()) for d, band in old.bands.items()}
    return replace(state, vitals=replace(old, bands=bands, told={}), beats={})


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Serve what is due: the end of a question, a finger, the summary."""
    if state.vitals is NOTHING and state.warning is None:
        return state, []
    effects: list[Effect] = []
    for part in (question.elapse, question.elapse_waiting, readings.elapse, summary.elapse):
        state, more = part(state, at, rules)
        effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return the next deadline; that of a question is among the warnings' own."""
    if state.vitals is NOTHING:
        return None
    wakes = [readings.next_wake(state), summary.next_wake(state, rules)]
    if state.vitals.waiting and not question.is_busy(state):
        wakes.append(min(one.at for one in state.vitals.waiting.values()))
    return min((wake for wake in wakes if wake is not None), default=None)
