"""Unusual quiet: how long nothing has moved, against what is usual for this person at this hour.

Every quarter of an hour of quiet adds its surprise (`habits`). Beyond the home's own limit a spoken
warning begins, and then an alarm; beyond 12 h at home they come whatever is usual. After one
warning there is no other until something moves. An absence is not judged, nor a house whose sensors
cannot be believed. Without a clock, the night limit of a new home applies at any hour.
"""

from msgspec.structs import replace

from hub.contract.messages import Evidence, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.times import DAY_S
from hub.core.activity import habits, presence
from hub.core.alarm import warning
from hub.core.model.activity import NEVER, STEP_S, Habits, House, Quiet, Quietness
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.supervision import supervision

AWAY = PresenceKind.AWAY  # slow to look up in Python 3.11
FRESH = Quiet()
ABSENCE_S = 1800.0  # so long a quiet that the exit door ends was an absence
SENSORS = 24  # named in the evidence


def end(
    state: HomeState, device: str, at: float, *, by_exit: bool, dismissed: bool, rules: Rules
) -> HomeState:
    """Apply activity: the quiet is over, and is learned from.

    Nothing is learned where pulses of a sensor were `dismissed` as noise meanwhile: some of them
    may have been the resident's.
    """
    house = state.house
    lasted_s = at - began(house)
    if lasted_s < STEP_S:
        return state if house.quiet is FRESH else replace(state, house=replace(house, quiet=FRESH))
    absent = house.presence.kind is AWAY or (by_exit and lasted_s >= ABSENCE_S)
    if house.active_at != NEVER and not (absent or dismissed) and state.clock.synced:
        state = replace(state, habits=_learned_habits(state, device, at, rules))
    return replace(state, house=replace(house, quiet=FRESH))


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Judge each step of the present quiet that is over."""
    effects: list[Effect] = []
    while (due := next_wake(state, rules)) is not None and due <= at:
        state, more = _step(state, due, rules)
        effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the present step is over."""
    del rules
    house = state.house
    quiet, active_at = house.quiet, house.active_at
    if quiet.fired or active_at == NEVER or house.presence.kind is AWAY:
        return None
    since = max(active_at, quiet.since)  # as `began`, but faster: this is called often
    return since + (quiet.steps + 1) * STEP_S


def began(house: House) -> float:
    """Return when the present quiet began, in monotonic seconds."""
    return max(house.active_at, house.quiet.since)


def believed(state: HomeState, rules: Rules, but: str = "") -> float:
    """Return the share of the activity that working sensors, all `but` one, usually see here."""
    working = [device for device in supervision.working(state, rules) if device != but]
    shares = {d: n for d, n in state.habits.shares.items() if d in rules.sensors}
    total = sum(shares.values())
    if total > 0.0:
        return sum(shares.get(device, 0.0) for device in working) / total
    heard = len(supervision.heard(state, rules))
    return len(working) / heard if heard else 0.0


def _learned_habits(state: HomeState, device: str, at: float, rules: Rules) -> Habits:
    """Learn from the quiet; if a visitor was there, only that the day has changed."""
    began_at = began(state.house)
    if not presence.teaches(state.house, began_at):
        return habits.begin_day(state.habits, state.clock.local(at), rules.quiet)
    ended = habits.Ended(at - began_at, device, state.house.quiet.score)
    return habits.learn_quiet(state.habits, _present_quiet(state), ended, rules.quiet)


def _step(state: HomeState, at: float, rules: Rules) -> Step:
    house = state.house
    steps = house.quiet.steps + 1
    score = house.quiet.score + (_surprise(state, steps - 1, rules) if steps > 1 else 0.0)
    judged = replace(house.quiet, steps=steps, score=score)
    state = replace(state, house=replace(house, quiet=judged))
    if steps * STEP_S >= rules.quiet.asleep_s and _rests(state, at, rules):
        state = presence.asleep(state, at)
    if state.warning or not _too_long(state, at, rules):
        return state, []
    house = state.house
    kind = Kind.QUIET
    if house.presence.kind is PresenceKind.ASLEEP and not _rests(state, at, rules):
        kind = Kind.NOT_UP
    state = replace(state, house=replace(house, quiet=replace(house.quiet, fired=True)))
    return warning.begin(
        state, warning.Ground(kind, house.active_by, _evidence(state, at, rules)), at, rules
    )


def _surprise(state: HomeState, step: int, rules: Rules) -> float:
    """Return a step's surprise, by the share of activity that the working sensors usually see."""
    share = believed(state, rules)
    if share < rules.quiet.believed_share:
        return 0.0
    if state.house.lone.noise:  # its pulses do not count now, nor does its silence
        share = believed(state, rules, but=state.house.lone.device)
    return share * habits.surprise(state.habits, _present_quiet(state), step, rules.quiet)


def _too_long(state: HomeState, at: float, rules: Rules) -> bool:
    lasted_s, synced = at - began(state.house), state.clock.synced
    most_s = rules.quiet.safe_night_s  # the hour is not known: the night's limit applies
    if synced:
        most_s = max(rules.quiet.most_s, most_s)  # the ceiling is never below a safe limit
    if lasted_s >= most_s:
        return believed(state, rules) >= rules.quiet.believed_share
    if not synced or lasted_s < rules.quiet.least_s:
        return False
    if state.house.quiet.score <= habits.limit(state.habits, rules.quiet):
        return False
    if state.habits.days >= rules.quiet.new_days:
        return True
    hour = state.clock.local(at) % DAY_S / 3600.0
    night = hour >= rules.quiet.night_from_h or hour < rules.quiet.night_to_h
    safe_s = rules.quiet.safe_night_s if night else rules.quiet.safe_day_s
    return lasted_s >= safe_s


def _rests(state: HomeState, at: float, rules: Rules) -> bool:
    return state.clock.synced and habits.rests(state.habits, state.clock.local(at), rules.quiet)


def _present_quiet(state: HomeState) -> Quietness:
    return Quietness(state.clock.local(began(state.house)), state.house.active_by)


def _evidence(state: HomeState, at: float, rules: Rules) -> Evidence:
    house = state.house
    lasted_s = at - began(house)
    return Evidence(
        since_utc=state.clock.utc(began(house)),
        lasted_s=lasted_s,
        usual_s=habits.usual_s(state.habits, _present_quiet(state), rules.quiet),
        limit_s=lasted_s,
        last=house.active_by,
        sensors=supervision.working(state, rules)[:SENSORS],
        learned_days=state.habits.days,
    )
