"""When a check-in falls due, by the wall clock, which counts only while it is synchronised.

A clock that jumps by more than a day, ahead or back, is followed, and nothing is asked late for it.
What fell due while the hub did not look is asked once, within `late_s`.
"""

from msgspec.structs import replace

from hub.contract.times import DAY_S, last_of, left_of, name_of, next_of
from hub.core.model.checkin import CareState, CheckIn, Due
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState


def look(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Begin the check-in that has fallen due; nothing is spoken here."""
    care, clock, numbers = state.care, state.clock, rules.care
    if not (clock.synced and numbers.times):
        return state
    local = clock.local(at)
    wake = next_wake(state)
    if care.next_local is not None and wake is not None:
        if at < wake <= at + DAY_S + 1.0:
            return state
        if wake <= at:  # by rounding `local` may be a little before
            local = max(local, care.next_local)
    jumped = care.next_local is not None and local > care.next_local + DAY_S
    slot, looked = last_of(numbers.times, local), None if jumped else care.looked_local
    ahead = next_of(numbers.times, local)
    state = replace(state, care=replace(care, looked_local=local, next_local=ahead))
    if slot is None or looked is None or not looked < slot <= local <= slot + numbers.late_s:
        return state
    return state if _busy(care, at, rules) else _begin(state, slot, local, at, rules)


def next_wake(state: HomeState) -> float | None:
    """Return when the next check-in falls due; None while the clock is not synchronised."""
    clock, ahead = state.clock, state.care.next_local
    return ahead - clock.zone_s - clock.offset_s if clock.synced and ahead is not None else None


def _busy(care: CareState, at: float, rules: Rules) -> bool:
    """Whether one is under way, or began so recently that the clock must be wrong."""
    climbing = care.missed is not None and not care.missed.called
    recent = care.begun_at is not None and abs(at - care.begun_at) < rules.care.apart_s
    return bool(care.visit or care.screening or climbing or recent)


def _begin(state: HomeState, slot: float, local: float, at: float, rules: Rules) -> HomeState:
    care, numbers = state.care, rules.care
    quiet_s = left_of(numbers.quiet_from, numbers.quiet_until, local)
    visit = CheckIn(
        name=name_of(slot),
        topic=numbers.topics[care.turn % len(numbers.topics)],
        due_at=at - (local - slot),
        due_utc=slot - state.clock.zone_s,
        stage=Due(at + quiet_s),
    )
    return replace(state, care=replace(care, visit=visit, begun_at=at, turn=care.turn + 1))
