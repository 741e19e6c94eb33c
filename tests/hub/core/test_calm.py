"""The fast path decides as the plain path does in every history; a calm day uses the fast path."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import asdict, replace

from hub.contract.messages import Evidence, FaultKind, PresenceKind, Stage, Topic
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning
from hub.contract.wire import LinkTrouble
from hub.core import calm
from hub.core.checkin.restart import last_life
from hub.core.decide import decide, next_wake, recover
from hub.core.model.activity import NEVER, Presence, Quiet, Stay
from hub.core.model.checkin import CareState, CheckIn, Due, LifeWatch, Missed, Screening
from hub.core.model.effects import Effect, Signal
from hub.core.model.events import (
    Answered,
    CenterAcked,
    ContactChanged,
    Event,
    Heartbeat,
    HeartRateMeasured,
    LinkDown,
    LinkUp,
    MotionChanged,
    Started,
    Ticked,
    VitalsMeasured,
)
from hub.core.model.rules import CareRules, Rules, Sense, Sensor
from hub.core.model.state import (
    Alarm,
    Announcement,
    Candidate,
    Caution,
    Contact,
    Delivery,
    Down,
    Fault,
    HomeState,
    Link,
    Raised,
)
from tests.hub.core.histories import examples
from tests.hub.core.house_scenes import BATH, FRONT, HOUR, KITCHEN, LIVING, MONDAY, RULES
from tests.hub.core.scenes import GREEN, HELP

WATCH = "watch"
ASKED = replace(
    RULES,
    care=CareRules(),
    sensors={**RULES.sensors, WATCH: Sensor(Sense.WEARABLE)},
    state_interval_s=3600.0,
)
ROOMS, DOORS = (KITCHEN, LIVING, BATH), (HELP, GREEN, FRONT, FRONT)
Make = Callable[["Move", float], Event]


class Move(Struct, frozen=True):
    """What happens, how long after the last one; `served`: deadlines between are, each in time."""

    what: str
    after_s: float
    pick: int = 0
    flag: bool = False
    served: bool = True


MAKE: dict[str, Make] = {
    "motion": lambda m, at: MotionChanged(at, ROOMS[m.pick % 3], m.flag),
    "contact": lambda m, at: ContactChanged(at, DOORS[m.pick % 4], m.flag),
    "heart": lambda move, at: HeartRateMeasured(
        at, WATCH, (70.0, 0.0, 135.0)[move.pick % 3], (850.0,), (None, True, False)[move.pick % 3]
    ),
    "finger": lambda move, at: VitalsMeasured(at, WATCH, {"spo2_pct": 85.0 + move.pick % 15}),
    "answer": lambda m, at: Answered(at, list(Meaning)[m.pick % len(Meaning)]),
    "beat": lambda m, at: Heartbeat(
        at, MONDAY + 8 * HOUR + at + (0.0, 1e7, -1e7, 9e4)[m.pick % 4], m.flag or m.pick < 6
    ),
    "link": lambda m, at: LinkUp(at, "a") if m.flag else LinkDown(at, LinkTrouble.CLOSED),
    "tick": lambda _, at: Ticked(at),
}
OFTEN = ["motion"] * 12 + ["contact"] * 3 + [*MAKE, "ack", "ack"]


def moves() -> st.SearchStrategy[list[Move]]:
    """Histories in which time never goes back."""
    step = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 5.0, 60.0, 600.0]), st.floats(0.0, 2e4))
    pick, often = st.integers(0, len(Meaning) - 1), st.booleans() | st.just(value=True)
    move = st.builds(Move, st.sampled_from(OFTEN), step, pick, st.booleans(), often)
    return st.lists(move, max_size=60)


class Twins:
    """Two homes with one history; `fast` takes the fast way wherever there is one."""

    def __init__(self, rules: Rules, *, synced: bool = True) -> None:
        self.rules, self.at, self.calm, self.served = rules, 0.0, 0, 0
        self.until = -math.inf
        started = Started(0.0, MONDAY + 8 * HOUR, synced, "b1")
        self.fast = self.plain = recover(HomeState(), started, ())
        self.take(started)
        self.take(LinkUp(0.0, "a"))

    def take(self, event: Event) -> None:
        """Decide on both paths, and compare."""
        until = calm.until(self.fast, self.at, self.rules)
        assert self.until <= until <= (next_wake(self.fast, self.rules) or math.inf)
        self.at, before = event.at, self.fast
        self.plain, expected = decide(self.plain, event, self.rules)
        effects = self._fast(event, until)
        assert effects == expected
        if event.at >= self.until or not calm.still_holds(before, event, self.fast):
            self.until = calm.until(self.fast, self.at, self.rules)
        else:
            assert (effects, self.fast.warning) == ([], before.warning)
            assert self.fast.house.presence == before.house.presence
        assert unnoted(self.fast) == unnoted(self.plain)
        assert last_life(self.fast, self.at, self.rules) == last_life(
            self.plain, self.at, self.rules
        )

    def _fast(self, event: Event, until: float) -> list[Effect]:
        if isinstance(event, Ticked) and event.at == until:
            self.served += 1
            self.fast, effects = calm.serve(self.fast, event.at, self.rules)
        elif event.at < self.until:
            self.calm += 1
            self.fast, effects = calm.decide(self.fast, event, self.rules)
        else:
            self.fast, effects = decide(self.fast, event, self.rules)
        return effects

    def live(self, move: Move) -> None:
        at = self.at + move.after_s
        while move.served and (wake := next_wake(self.plain, self.rules) or math.inf) <= at:
            self.take(Ticked(max(wake, self.at)))
        if move.what in MAKE:
            self.take(MAKE[move.what](move, at))
            return
        for owed in self.plain.owed:
            self.take(CenterAcked(at, owed.id, owed.alarm, Stage.RECEIVED, 1))
        for alarm in self.plain.alarms:
            self.take(CenterAcked(at, "", alarm.id, Stage.CLOSED, 9))


def unnoted(state: HomeState) -> HomeState:
    """Leave out what a hub stores for its next start."""
    return replace(state, care=replace(state.care, noted_at=0.0, life_at=None, anchor=None))


@examples(150)
@given(moves(), st.booleans(), st.booleans())
def test_both_ways_give_the_same(history: list[Move], asked: bool, synced: bool) -> None:  # noqa: FBT001
    twins = Twins(ASKED if asked else RULES, synced=synced)
    for move in history:
        twins.live(move)


def a_day(rules: Rules = RULES) -> Twins:
    """Somebody moves about the rooms from eight to four o'clock."""
    twins = Twins(rules)
    for n in range(100):
        twins.live(Move("motion", 280.0, pick=n, flag=True))
        twins.live(Move("motion", 8.0, pick=n))
        twins.live(Move("ack", 1.0))
    return twins


def test_a_calm_day_goes_the_fast_way() -> None:
    assert a_day().calm > 190


def test_a_day_with_check_ins_is_calm_but_for_them() -> None:
    assert 100 < a_day(ASKED).calm < a_day().calm


def test_a_day_without_a_clock_has_no_hours_and_is_not_calm() -> None:
    twins = Twins(RULES, synced=False)
    twins.live(Move("motion", 9.0, flag=True))
    assert calm.until(twins.fast, twins.at, RULES) == -math.inf


def test_a_clock_that_was_lost_asks_nobody_and_one_that_jumps_is_looked_at() -> None:
    twins = a_day(ASKED)
    twins.live(Move("motion", 1.0, flag=True))
    assert twins.at < calm.until(twins.fast, twins.at, ASKED) < math.inf
    twins.live(Move("beat", 1.0, pick=6))
    assert calm.until(twins.fast, twins.at, ASKED) > twins.at
    twins.live(Move("beat", 1.0, pick=2))
    assert calm.until(twins.fast, twins.at, ASKED) == -math.inf


EVIDENCE = Evidence(0.0, 1.0, 1.0, 1.0, KITCHEN)
ASKING = CheckIn("a", Topic.MOOD, 0.0, 0.0, Due(1e9))
UNDER_WAY: dict[str, dict[str, Any]] = {
    "a call": {"alarms": (Alarm("a", Kind.QUIET, "", "", "b1", 1, 0.0, 0.0, False, Raised()),)},  # noqa: FBT003
    "a delivery": {"owed": (Delivery("a", "", 0.0),)},
    "an announcement": {"notices": (Announcement("a", "", False, 0.0, 0.0),)},  # noqa: FBT003
    "no link": {"link": Link(up=False)},
    "a warning": {"warning": Caution(Kind.QUIET, KITCHEN, EVIDENCE, 1e9, 0.0)},
    "a spoken call": {"candidate": Candidate(0.0, 1e9)},
    "a press": {"contacts": {HELP: Contact(Down(0.0))}},
    "a flood": {"contacts": {HELP: Contact(chattering=True)}},
    "another light": {"shown": Signal.CLOSED},
    "a question": {"care": CareState(look_at=1e9, visit=ASKING)},
    "a missed question": {"care": CareState(look_at=1e9, missed=Missed(ASKING, 0.0))},
    "a screening": {"care": CareState(look_at=1e9, screening=Screening(0.0))},
    "a day without life": {"care": CareState(look_at=1e9, rung=LifeWatch.CALLED_OUT)},
    "a gap in time": {"care": CareState(look_at=1e9, adrift_from=0.0)},
    "the first look": {"care": CareState(look_at=None)},
}


@pytest.mark.parametrize("what", UNDER_WAY)
def test_what_is_under_way_is_not_calm(what: str) -> None:
    twins = a_day()
    assert calm.until(twins.fast, twins.at, RULES) > twins.at
    state = HomeState(**{**asdict(twins.fast), **UNDER_WAY[what]})
    assert calm.until(state, twins.at, RULES) == -math.inf


def test_the_end_of_a_motion_keeps_what_was_known_unless_supervision_learns_of_it() -> None:
    state, ends = a_day().fast, MotionChanged(1e6, KITCHEN, active=False)
    assert calm.still_holds(state, ends, state)
    assert not calm.still_holds(state, Ticked(1e6), state)
    assert not calm.still_holds(state, ends, replace(state, watch=replace(state.watch, due=0.0)))
    fault = Fault(FaultKind.STUCK, KITCHEN, 0.0, synced=True)
    assert not calm.still_holds(state, ends, replace(state, faults={"a": fault}))


MOVED: dict[str, dict[str, Any]] = {
    "a quiet is over": {"quiet": Quiet()},
    "a return": {"presence": Presence(PresenceKind.HOME, 1.0)},
    "a stay": {"stay": Stay("bathroom", 1.0)},
    "a slot of the night": {"slots": 3},
    "noise": {"noisy": {KITCHEN: 1e6}},
}


def test_a_motion_moves_what_is_due_to_later() -> None:
    twins = a_day()
    twins.live(Move("motion", 60.0, pick=1, flag=True))
    before, until = twins.fast, twins.until
    begins = MotionChanged(twins.at + 30.0, LIVING, active=True)
    after, _ = calm.decide(before, begins, RULES)
    assert calm.still_holds(before, begins, after)
    assert calm.until(after, begins.at, RULES) > until
    unseen = replace(before, house=replace(before.house, active_at=NEVER))
    assert not calm.still_holds(unseen, begins, unseen)


@pytest.mark.parametrize("what", MOVED)
def test_a_motion_that_begins_something_is_looked_at(what: str) -> None:
    state, begins = a_day().fast, MotionChanged(1e6, KITCHEN, active=True)
    after = replace(state, house=replace(state.house, **MOVED[what]))
    assert calm.still_holds(state, begins, state)
    assert not calm.still_holds(state, begins, after)


def test_a_night_is_served_step_by_step() -> None:
    twins = a_day()
    served = twins.served
    twins.live(Move("tick", 3 * HOUR))
    assert twins.served > served + 12
    assert twins.fast.house.quiet.steps >= 11


def test_what_supervision_finds_at_its_time_is_told_and_shown() -> None:
    twins = a_day()
    twins.live(Move("motion", 1.0, flag=True))
    twins.live(Move("tick", HOUR))  # it stays on
    assert twins.fast.faults
    assert twins.fast.shown is Signal.FAULT


def test_what_supervision_and_rooms_await_is_no_later_than_told() -> None:
    twins = a_day()
    state, at = twins.fast, twins.at
    due = replace(state, watch=replace(state.watch, due=at + 1.0))
    assert calm.until(due, at, RULES) == at + 1.0
    stay = replace(state.house, stay=Stay("bathroom", at - 1e4))
    known = replace(state, house=stay, habits=replace(state.habits, days=30))
    assert calm.until(known, at, RULES) == next_wake(known, RULES)
    assert calm.until(known, at, RULES) < at


def test_buttons_that_nobody_presses_are_calm() -> None:
    twins = a_day()
    state = replace(twins.fast, contacts={HELP: Contact(), "green": Contact()})
    assert calm.until(state, twins.at, RULES) > twins.at


def test_a_motion_that_ends_a_fault_is_told_and_shown_as_the_plain_way_does() -> None:
    twins = a_day()
    silent = Fault(FaultKind.SILENT, KITCHEN, 0.0, synced=True)
    state = replace(twins.fast, faults={f"{KITCHEN}:{FaultKind.SILENT}": silent})
    event = MotionChanged(twins.at + 1.0, KITCHEN, active=True)
    after, effects = calm.decide(state, event, RULES)
    assert effects
    assert after.faults == {}
    plain, expected = decide(state, event, RULES)
    assert (unnoted(after), effects) == (unnoted(plain), expected)
