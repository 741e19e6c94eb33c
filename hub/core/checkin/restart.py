"""How the times of `HomeState.care` survive a restart: a wait goes on, it never starts anew.

Monotonic time may begin again at 0, and a Pi without a battery for its clock does not know how long
it was off. So the times are shifted as if it had not been off. Once the clock is synchronised the
anchor tells how long it was, and the times before it are shifted further back. A gap of more than a
week is not believed: the clock may be wrong, and a hub in a cupboard has seen nobody.
"""

import math
from collections.abc import Callable

from msgspec.structs import replace

from hub.core.model.activity import proved_at
from hub.core.model.checkin import Anchor, Asked, CareState, Due, LifeWatch, Paused
from hub.core.model.events import Started
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState

NOTE_S = 60.0  # as often as the engine saves a snapshot that is not urgent
BELIEVED_S = 7 * 86_400.0


def recovered(state: HomeState, started: Started, *, lived_in: bool = False) -> CareState:
    """Return the times as a new process holds them: no wait is shorter, and none is forgotten.

    Where the last sign of life is not known, but there were some (`lived_in`, or the habits show
    it), the wait for the next one begins now.
    """
    care, active_at = state.care, proved_at(state.house)
    if active_at > care.began_at:  # seen after the last note
        care = replace(care, life_at=active_at)
    last = _latest(care)
    unknown = care.life_at is None and (lived_in or state.habits.day > 0)
    by_s = min(0.0, started.at - last)
    dark_at = _still_dark(care)
    care = _shifted(care, by_s, math.inf)
    return replace(
        care,
        life_at=started.at if unknown else care.life_at,
        next_local=None,
        began_at=started.at,
        dark_at=None if dark_at is None else dark_at + started.at - last,
        noted_at=last + by_s,
        adrift_from=last + by_s if care.adrift_from is None else care.adrift_from,
    )


def note(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Note the time now and then, and the last sign of life.

    Not once somebody was called out: `escalation` must see the sign of life that ends that as new.
    """
    care = state.care
    synced = state.clock.synced
    if abs(at - care.noted_at) < NOTE_S and not (synced and care.adrift_from is not None):
        return state
    watching = care.rung is LifeWatch.WATCHING
    life_at = last_life(state, at, rules) if watching else care.life_at
    care = replace(care, noted_at=at, life_at=life_at)
    care = replace(care, dark_at=_still_dark(care))
    if synced:
        care = _anchored(care, at, state.clock.offset_s, rules)
    return replace(state, care=care)


def last_life(state: HomeState, at: float, rules: Rules) -> float | None:
    """Return the last sign of life, if there ever was one: activity, an answer, a heart rate.

    Of the house only what this process saw counts: the rest was noted before it began.
    """
    house, care = state.house, state.care
    found = [proved_at(house)]
    for device, sensed in house.sensed.items():
        sensor = rules.sensors.get(device)
        if sensor and sensor.sense is Sense.WEARABLE:
            found.append(sensed.active_at)
    seen = [moment for moment in found if care.began_at < moment <= at]
    return max(seen if care.life_at is None else [*seen, care.life_at], default=None)


def _anchored(care: CareState, at: float, offset_s: float, rules: Rules) -> CareState:
    anchor, adrift_from, dark_at = care.anchor, care.adrift_from, care.dark_at
    if adrift_from is not None and anchor is not None:
        off_s = anchor.at + offset_s - anchor.utc
        if 0.0 < off_s <= BELIEVED_S:
            care = _shifted(care, -off_s, adrift_from)
            adrift_from -= off_s
        if dark_at is None and care.began_at - adrift_from >= rules.care.dark_s:
            care = replace(care, dark_at=care.began_at)
    return replace(care, anchor=Anchor(at, at + offset_s), adrift_from=None)


def _still_dark(care: CareState) -> float | None:
    """Return `dark_at`, unless there was a sign of life since."""
    lived = care.dark_at is not None and care.life_at is not None and care.life_at > care.dark_at
    return None if lived else care.dark_at


def _latest(care: CareState) -> float:
    """Return the last time that is known of the process that ended."""
    visit, missed, screening = care.visit, care.missed, care.screening
    known = [care.noted_at, care.life_at, care.begun_at, *care.told_at.values()]
    if visit is not None and not isinstance(visit.stage, Due):
        known.append(visit.stage.at)
    known.append(None if missed is None else missed.at)
    known.append(None if screening is None else screening.at)
    return max(moment for moment in known if moment is not None)


def _shifted(care: CareState, by_s: float, until: float) -> CareState:
    """Shift the times that are not after `until`."""

    def move(moment: float) -> float:
        return moment + by_s if moment <= until else moment

    def perhaps(moment: float | None) -> float | None:
        return None if moment is None else move(moment)

    visit, missed, screening, anchor = care.visit, care.missed, care.screening, care.anchor
    return replace(
        care,
        visit=visit
        and replace(visit, due_at=move(visit.due_at), stage=_shifted_stage(visit.stage, move)),
        missed=missed and replace(missed, at=move(missed.at)),
        screening=screening and replace(screening, at=move(screening.at)),
        begun_at=perhaps(care.begun_at),
        told_at={need: move(told) for need, told in care.told_at.items()},
        life_at=perhaps(care.life_at),
        look_at=None,
        adrift_from=perhaps(care.adrift_from),
        anchor=anchor and replace(anchor, at=move(anchor.at)),
    )


def _shifted_stage(
    stage: Due | Asked | Paused, move: Callable[[float], float]
) -> Due | Asked | Paused:
    if isinstance(stage, Due):
        return Due(move(stage.from_at))
    return replace(stage, at=move(stage.at))
