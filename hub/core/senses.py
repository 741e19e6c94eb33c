"""What sensors say: levels become activity, and every word is a sign that the device lives."""

from msgspec.structs import replace

from hub.core import life, routines, supervision
from hub.core.daily import AnsweredBy
from hub.core.effects import Effect
from hub.core.events import ContactChanged
from hub.core.house_events import HeartRateMeasured, MotionChanged
from hub.core.living import Sensed
from hub.core.rules import Rules
from hub.core.state import HomeState

Step = tuple[HomeState, list[Effect]]

MOTION = AnsweredBy.MOTION  # slow to look up in Python 3.11


def motion(state: HomeState, event: MotionChanged, rules: Rules) -> Step:
    """Take a motion sensor's edge; that it falls is no activity, nor is a flood of them."""
    state, effects = _note(state, event.device, event.at, rules, active=event.active)
    if not event.active or supervision.floods(state, event.device):
        return state, effects
    state, more = life.shown(state, event.device, event.at, MOTION, rules)
    return state, effects + more


def door(state: HomeState, event: ContactChanged, rules: Rules) -> Step:
    """Take a door's edge; `active` is open. A door that is opened or shut has somebody at it."""
    sensed = state.house.sensed.get(event.device)
    # the level at start, which nobody moved; one that differs was moved while nobody looked
    first = sensed is None or (not sensed.known and sensed.active == (not event.closed))
    if sensed is not None and sensed.active and event.closed:
        state = routines.shut(state, event.device, event.at - sensed.since, rules)
    state, effects = _note(state, event.device, event.at, rules, active=not event.closed)
    if first or supervision.floods(state, event.device):
        return state, effects
    state, more = life.shown(state, event.device, event.at, MOTION, rules)
    return state, effects + more


def heart(state: HomeState, event: HeartRateMeasured, rules: Rules) -> Step:
    """Take a wearable's reading: its wearer lives, which is not to say that he is well."""
    return _note(state, event.device, event.at, rules, active=True)


def _note(state: HomeState, device: str, at: float, rules: Rules, *, active: bool) -> Step:
    house = state.house
    old = house.sensed.get(device) or Sensed(since=at)
    since, before_s, count = old.since, old.before_s, old.count
    if old.active != active:
        since, before_s, count = at, at - since, count + active
    active_at = at if active else old.active_at
    sensed = house.sensed.copy()
    sensed[device] = Sensed(at, active, since, active_at, before_s, known=True, count=count)
    state = replace(state, house=replace(house, sensed=sensed))
    return supervision.seen(state, device, at, rules)
