"""What is learned of a home: its size, its ageing, its limit; properties in every history."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.contract.messages import AnsweredBy
from hub.contract.scaip import Kind
from hub.contract.times import DAY_S
from hub.contract.voice import Meaning
from hub.core.activity.habits import (
    CAP,
    DEVICES,
    PEAKS,
    PRIOR_PEAK,
    Ended,
    begin_day,
    learn_quiet,
    limit,
    rests,
    surprise,
    usual_s,
    with_longest,
)
from hub.core.decide import decide, next_wake, recover
from hub.core.model.activity import CLASSES, FRESH, NEVER, Habits, Quietness
from hub.core.model.events import (
    Answered,
    ContactChanged,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    MotionChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import QuietRules
from hub.core.model.state import HomeState
from tests.hub.core.histories import examples
from tests.hub.core.house_scenes import BATH, FRONT, KITCHEN, LIVING, MONDAY, RULES, settled
from tests.hub.core.scenes import HELP

QUIET = QuietRules()
DAY_1 = 20_000 * DAY_S
NOON = DAY_1 + 12 * 3600.0


def taught(days: int, lasted_s: float = 3000.0, score: float = 3.0) -> Habits:
    """Learn the same quiet at noon on each day."""
    habits = FRESH
    for day in range(days):
        quiet = Quietness(NOON + day * DAY_S, KITCHEN)
        habits = learn_quiet(habits, quiet, Ended(lasted_s, LIVING, score), QUIET)
    return habits


def test_what_a_year_teaches_is_no_larger_than_what_fits() -> None:
    lived = settled(20)
    known = lived.state.habits.devices.values()
    devices = {f"sensor-{n}": ratio for n, ratio in enumerate(known)}
    habits = replace(lived.state.habits, devices=devices)
    for n in range(200):
        quiet = Quietness(NOON + n * DAY_S, f"device-with-a-name-as-long-as-is-allowed-{n:022d}")
        habits = learn_quiet(habits, quiet, Ended(9000.0, KITCHEN, 9.0), QUIET)
    assert len(habits.devices) == DEVICES
    assert len(habits.peaks) == PEAKS
    assert len(msgspec.msgpack.encode(habits)) <= 64 * 1024


def test_a_step_that_often_ends_a_quiet_is_surprising_when_it_does_not() -> None:
    quiet = Quietness(NOON, KITCHEN)
    before = surprise(FRESH, quiet, 3, QUIET)
    assert surprise(taught(20, 4 * 900.0), quiet, 4, QUIET) > before
    assert surprise(taught(20, 9000.0), quiet, 3, QUIET) < before


def test_night_and_day_differ_before_anything_is_learned() -> None:
    by_night = surprise(FRESH, Quietness(DAY_1 + 2 * 3600.0, KITCHEN), 3, QUIET)
    assert by_night < surprise(FRESH, Quietness(NOON, KITCHEN), 3, QUIET)
    assert rests(FRESH, DAY_1 + 3 * 3600.0, QUIET)
    assert not rests(FRESH, NOON, QUIET)


def test_the_limit_of_a_new_home_is_that_of_an_exact_model() -> None:
    expected = PRIOR_PEAK + math.log(0.5 / QUIET.alarms_a_day)
    assert limit(FRESH, QUIET) == pytest.approx(expected)


def test_the_limit_follows_the_days_peaks_but_not_a_single_one() -> None:
    calm = replace(FRESH, peaks=(2.0,) * 50)
    wild = replace(FRESH, peaks=tuple(2.0 + n % 10 for n in range(50)))
    assert limit(calm, QUIET) < limit(FRESH, QUIET) < limit(wild, QUIET)
    absence = taught(30, score=500.0)
    assert max(absence.peaks) <= CAP * limit(absence, QUIET) * 2


def test_fewer_alarms_are_bought_with_a_higher_limit() -> None:
    rare = replace(QUIET, alarms_a_day=0.001)
    assert limit(FRESH, rare) > limit(FRESH, QUIET) + 3.0


def test_what_was_learned_fades_with_the_days() -> None:
    habits = taught(10)
    later = begin_day(habits, NOON + 10 * DAY_S, QUIET)
    assert sum(later.spans) == pytest.approx(sum(habits.spans) * (1 - QUIET.forget_a_day))
    assert (later.days, later.peak) == (habits.days + 1, 0.0)
    assert begin_day(later, NOON + 10 * DAY_S + 60.0, QUIET) is later


def test_a_clock_that_leaps_a_year_and_back_does_not_stop_the_learning() -> None:
    habits = begin_day(taught(10), NOON + 400 * DAY_S, QUIET)
    back = begin_day(habits, NOON + 11 * DAY_S, QUIET)
    assert back.day == int((NOON + 11 * DAY_S) // DAY_S)
    assert begin_day(back, NOON + 12 * DAY_S, QUIET).days == back.days + 1


def test_a_day_without_a_quiet_leaves_no_peak() -> None:
    habits = begin_day(replace(FRESH, day=20_000), NOON + DAY_S, QUIET)
    assert habits.peaks == ()


def test_the_usual_lies_below_the_limit() -> None:
    habits, quiet = taught(20), Quietness(NOON, KITCHEN)
    usual = usual_s(habits, quiet, QUIET)
    score = sum(surprise(habits, quiet, n, QUIET) for n in range(1, int(usual // 900)))
    assert score < limit(habits, QUIET)


def test_only_whole_habits_are_taken_for_some() -> None:
    assert taught(5).whole
    assert not replace(FRESH, ends=()).whole
    assert not replace(FRESH, peaks=(math.nan,)).whole
    assert not replace(FRESH, spans=(-1.0, *FRESH.spans[1:])).whole
    assert len(FRESH.ends) % CLASSES == 0


def test_a_longest_is_kept_until_it_fades() -> None:
    habits = with_longest(with_longest(FRESH, "door", 60.0), "door", 30.0)
    assert habits.longest == {"door": 60.0}


MOVES = st.one_of(
    st.builds(MotionChanged, st.just(0.0), st.sampled_from([KITCHEN, LIVING, BATH]), st.booleans()),
    st.builds(ContactChanged, st.just(0.0), st.sampled_from([FRONT, HELP]), st.booleans()),
    st.builds(Answered, st.just(0.0), st.sampled_from(Meaning), st.sampled_from(AnsweredBy)),
    st.builds(DriverFailed, st.just(0.0), st.sampled_from([*RULES.sensors]), st.just("")),
    st.builds(DriverReady, st.just(0.0), st.sampled_from([*RULES.sensors])),
    st.builds(Ticked, st.just(0.0)),
)
JUMPS = st.sampled_from([0.0, 0.0, 0.0, 365 * DAY_S, -365 * DAY_S])
HISTORIES = st.lists(
    st.tuples(MOVES, st.floats(0.001, 20_000.0), st.booleans(), JUMPS), max_size=40
)


@examples(60)
@given(HISTORIES)
def test_no_history_of_a_house_makes_an_alarm_vanish_or_the_hub_fail(
    history: list[tuple[Event, float, bool, float]],
) -> None:
    at, leap, boot = 0.0, 0.0, 0
    state, _ = decide(HomeState(), Started(at, MONDAY, True, "b0"), RULES)  # noqa: FBT003
    for event, pause_s, restart, jump in history:
        at, leap = at + pause_s, leap + jump
        before = {alarm.id for alarm in state.alarms}
        if restart:
            boot, at = boot + 1, 0.0
            started = Started(at, MONDAY + leap, synced=True, boot=f"b{boot}")
            snapshot = msgspec.msgpack.encode(state)
            state = recover(msgspec.msgpack.decode(snapshot, type=HomeState), started, ())
            state, _ = decide(state, started, RULES)
        elif jump:
            state, _ = decide(state, Heartbeat(at, MONDAY + at + leap, synced=True), RULES)
        state, _ = decide(state, replace(event, at=at), RULES)
        assert before <= {alarm.id for alarm in state.alarms}
        wake = next_wake(state, RULES)
        assert wake is None or math.isfinite(wake)
        assert state.habits.whole
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=HomeState) == state


@examples(40)
@given(st.lists(st.tuples(MOVES, st.floats(0.001, 3000.0)), max_size=30), st.booleans())
def test_no_silence_of_failed_sensors_is_ever_read_as_quiet(
    history: list[tuple[Event, float]],
    synced: bool,  # noqa: FBT001 - drawn
) -> None:
    at = 0.0
    state, _ = decide(HomeState(), Started(at, MONDAY, synced, "b0"), RULES)
    for event, pause_s in history:
        at += pause_s
        state, _ = decide(state, replace(event, at=at), RULES)
    for device in RULES.sensors:
        state, _ = decide(state, DriverFailed(at, device, "gone"), RULES)
    state = replace(state, warning=None, candidate=None, alarms=(), owed=())
    # a house that has been dead for a day is no quiet: somebody has to go and look
    end, fair = at + 30 * 3600.0, {Kind.HELP_BUTTON, Kind.NO_LIFE}
    while (wake := next_wake(state, RULES)) is not None and wake <= end:
        state, _ = decide(state, Ticked(wake), RULES)
        assert {alarm.kind for alarm in state.alarms} <= fair
        assert state.warning is None or state.warning.kind in fair
    assert state.house.active_at <= end or state.house.active_at == NEVER
