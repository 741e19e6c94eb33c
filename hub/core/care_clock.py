"""How the moments of `HomeState.care` outlast a restart: a wait goes on, it never starts anew.

Monotonic time may begin again at 0, and a Pi without a battery for its clock does not know for how
long it was off. So the moments are moved as if it had not been; once the clock is synchronised the
anchor tells how long it was, and what lies before it moves further back. A gap of more than a week
is not believed: it may be a wrong clock, and a hub in a cupboard has seen nobody, dead or alive.
"""

import math
from collections.abc import Callable

from msgspec.structs import replace

from hub.core.care_state import Anchor, Asked, CareState, Due, Paused
from hub.core.events import Started
from hub.core.rules import Rules, Sense
from hub.core.state import HomeState

NOTE_S = 600.0  # a snapshot is at most this much older than what it says
BELIEVED_S = 7 * 86_400.0


def recover(care: CareState, started: Started) -> CareState:
    """Fit the moments to a new process: no wait is shorter than before, and none is forgotten."""
    by_s = min(0.0, started.at - care.noted_at)
    care = _moved(care, by_s, math.inf)
    return replace(
        care, next_local=None, began_at=started.at, noted_at=care.noted_at + by_s, adrift=True
    )


def note(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Take note of the time now and then, and of the last sign of life."""
    care = state.care
    synced = state.clock.synced
    if abs(at - care.noted_at) < NOTE_S and not (care.adrift and synced):
        return state
    if synced:
        care = _anchored(care, at, state.clock.offset_s)
    return replace(state, care=replace(care, noted_at=at, life_at=last_life(state, at, rules)))


def last_life(state: HomeState, at: float, rules: Rules) -> float | None:
    """Give the last sign of life, if there ever was one: activity, an answer, a beating heart.

    Of the house only what this process saw counts: the rest was noted before it began.
    """
    house, care = state.house, state.care
    found = [house.active_at]
    for device, sensed in house.sensed.items():
        sensor = rules.sensors.get(device)
        if sensor and sensor.sense is Sense.WEARABLE:
            found.append(sensed.active_at)
    seen = [moment for moment in found if care.began_at < moment <= at]
    return max(seen if care.life_at is None else [*seen, care.life_at], default=None)


def _anchored(care: CareState, at: float, offset_s: float) -> CareState:
    anchor = care.anchor
    if care.adrift and anchor is not None:
        off_s = anchor.at + offset_s - anchor.utc
        if 0.0 < off_s <= BELIEVED_S:
            care = _moved(care, -off_s, anchor.at)
    return replace(care, anchor=Anchor(at, at + offset_s), adrift=False)


def _moved(care: CareState, by_s: float, until: float) -> CareState:
    """Move the moments that are not after `until`."""

    def move(moment: float) -> float:
        return moment + by_s if moment <= until else moment

    def perhaps(moment: float | None) -> float | None:
        return None if moment is None else move(moment)

    visit, missed, screening, anchor = care.visit, care.missed, care.screening, care.anchor
    return replace(
        care,
        visit=visit and replace(visit, due_at=move(visit.due_at), stage=_at(visit.stage, move)),
        missed=missed and replace(missed, at=move(missed.at)),
        screening=screening and replace(screening, at=move(screening.at)),
        begun_at=perhaps(care.begun_at),
        told_at={need: move(told) for need, told in care.told_at.items()},
        life_at=perhaps(care.life_at),
        look_at=None,
        anchor=anchor and replace(anchor, at=move(anchor.at)),
    )


def _at(stage: Due | Asked | Paused, move: Callable[[float], float]) -> Due | Asked | Paused:
    if isinstance(stage, Due):
        return Due(move(stage.from_at))
    return replace(stage, at=move(stage.at))
