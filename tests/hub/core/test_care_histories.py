"""What holds of check-ins in every history.

Nobody is called fine who was silent or not understood; a miss ends at the centre unless there was
life; nothing raises, nothing spins.
"""

import math
from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import (
    AlarmEvent,
    AnsweredBy,
    CheckInEvent,
    CheckInResult,
    Command,
    CommandKind,
    PresenceKind,
    Stage,
    VitalLimits,
)
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning
from hub.contract.wire import decode_from_hub
from hub.core.checkin.restart import last_life
from hub.core.decide import decide, next_wake, recover
from hub.core.model.activity import Presence
from hub.core.model.checkin import CareState
from hub.core.model.effects import Effect, Publish
from hub.core.model.events import (
    Answered,
    CenterAcked,
    CommandReceived,
    ContactChanged,
    Event,
    Heartbeat,
    HeartRateMeasured,
    MotionChanged,
    Started,
    Ticked,
    VitalsMeasured,
)
from hub.core.model.rules import CareRules
from hub.core.model.state import HomeState
from tests.hub.core.care_scenes import DAY, EIGHT, HALL, HOUR, RULES, WATCH, YEAR
from tests.hub.core.histories import examples
from tests.hub.core.scenes import GREEN, HELP

NUMBERS = replace(RULES, care=CareRules(times=("09:00", "12:00", "18:00"), screen_days=1))
FINE = {Meaning.FINE, Meaning.YES}
MISSES = {CheckInResult.MISSED, CheckInResult.UNCLEAR}


class Move(Struct, frozen=True):
    """What happens, how long after the last one."""

    what: str
    after_s: float
    pick: int = 0
    flag: bool = False


def _answer(move: Move, at: float) -> Event:
    meaning = list(Meaning)[move.pick % len(Meaning)]
    return Answered(at, meaning, AnsweredBy.VOICE, move.pick % 5 - 1)


def _pulse(move: Move, at: float) -> Event:
    bpm, worn = (70.0, 0.0, 255.0, 135.0, 34.0)[move.pick % 5], (None, True, False)[move.pick % 3]
    return HeartRateMeasured(at, WATCH, bpm, (850.0, 861.0) if move.flag else (), worn)


def _reading(move: Move, at: float) -> Event:
    values = [{"spo2_pct": 80.0}, {"spo2_pct": 97.0}, {"systolic_mmhg": 195.0}, {"map_mmhg": 1e9}]
    return VitalsMeasured(at, WATCH, values[move.pick % 4], fresh=move.flag)


def _limits(move: Move, at: float) -> Event:
    own = VitalLimits(high_rest_bpm=100.0 + move.pick, stress=move.flag, watch_oxygen=move.flag)
    command = Command("c", CommandKind.VITAL_LIMITS, 1 + move.pick, EIGHT + at + 60.0, limits=own)
    return CommandReceived(at, EIGHT + at, command)


MAKE: dict[str, Callable[[Move, float], Event]] = {
    "answer": _answer,
    "silence": lambda _, at: Answered(at, Meaning.UNCLEAR, AnsweredBy.NOBODY),
    "motion": lambda move, at: MotionChanged(at, HALL, move.flag),
    "heart": lambda _, at: HeartRateMeasured(at, WATCH, 70.0),
    "pulse": _pulse,
    "reading": _reading,
    "limits": _limits,
    "green": lambda move, at: ContactChanged(at, GREEN, move.flag),
    "red": lambda move, at: ContactChanged(at, HELP, move.flag),
    "beat": lambda move, at: Heartbeat(
        at, EIGHT + at + (0.0, YEAR, -YEAR, 300.0, -DAY)[move.pick % 5], move.flag or move.pick > 3
    ),
    "wait": lambda _, at: Ticked(at),
}


class Observer:
    """A model that follows a history beside the hub."""

    def __init__(self) -> None:
        self.at, self.boots = 0.0, 0
        self.state, self.effects = HomeState(), list[Effect]()
        self.missed, self.called = False, False
        self.start(0.0, synced=True)
        self.take(MotionChanged(1.0, HALL, active=True))

    def start(self, at: float, *, synced: bool) -> None:
        silent_s = _silent_s(self.state, self.at)
        self.at, self.boots = at, self.boots + 1
        event = Started(at, EIGHT + at, synced, f"b{self.boots}")
        self.state = recover(self.state, event, [o.id for o in self.state.owed])
        again = recover(self.state, event, [])
        assert abs(_silent_s(again, at) - _silent_s(self.state, at)) < 1e-6
        assert _silent_s(self.state, at) >= silent_s - 1e-6
        self.take(event)

    def take(self, event: Event) -> None:
        self.state, effects = decide(self.state, event, NUMBERS)
        if not isinstance(event, Ticked):
            _outlasts_a_snapshot(self.state)
        for effect in effects:
            self._told(effect, event)

    def live(self, moves: list[Move]) -> None:
        for move in moves:
            self.serve_until(self.at + move.after_s)
            if move.what == "restart":
                self.start(7.0 if move.flag else self.at, synced=move.pick % 2 == 0)
            elif move.what == "away":
                kind = list(PresenceKind)[move.pick % len(PresenceKind)]
                where = Presence(kind, self.at, self.at + HOUR if move.flag else None)
                house = replace(self.state.house, presence=where)
                self.state = replace(self.state, house=house)
            elif move.what == "ack":
                for alarm in self.state.alarms:
                    self.take(CenterAcked(self.at, alarm.id, alarm.id, Stage.CLOSED, 9))
                for owed in self.state.owed:
                    self.take(CenterAcked(self.at, owed.id, owed.alarm, Stage.RECEIVED, 1))
            else:
                self.take(MAKE[move.what](move, self.at))

    def serve_until(self, at: float) -> None:
        """Move the clock on as the engine does: decide every deadline at its time."""
        for _ in range(3000):
            wake = next_wake(self.state, NUMBERS)
            if wake is None or wake > at:
                break
            self.at = max(self.at, wake)
            self.take(Ticked(self.at))
            assert (next_wake(self.state, NUMBERS) or math.inf) > wake
        self.at = max(at, self.at)

    def _told(self, effect: Effect, event: Event) -> None:
        if not isinstance(effect, Publish) or not effect.topic.endswith("/event"):
            return
        message = decode_from_hub(effect.topic, effect.payload)[1]
        if isinstance(message, CheckInEvent):
            if message.data.result is CheckInResult.FINE:
                assert isinstance(event, Answered)
                assert event.meaning in FINE
                assert event.by is not AnsweredBy.NOBODY
            elif message.data.result is CheckInResult.UNWELL:
                assert isinstance(event, Answered)
                assert event.meaning in {Meaning.NO, Meaning.UNWELL}
            self.missed = self.missed or message.data.result in MISSES
        elif isinstance(message, AlarmEvent):
            by_escalation = message.data.kind is Kind.MISSED_CHECKIN
            self.called = self.called or by_escalation
            assert self.missed or not by_escalation


def _outlasts_a_snapshot(state: HomeState) -> None:
    packed = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(packed, type=HomeState) == state
    encoded = msgspec.json.encode(state.care)  # for the black box
    assert msgspec.json.decode(encoded, type=CareState) == state.care


def _silent_s(state: HomeState, at: float) -> float:
    """How long there has been no sign of life, as far as was noted."""
    life_at = last_life(state, at, NUMBERS)
    return 0.0 if life_at is None else state.care.noted_at - life_at


waits = st.one_of(
    st.sampled_from([0.0, 1.0, 30.0, 61.0, 301.0, 601.0, 1801.0, 3601.0]),
    st.floats(0.0, 400.0),
    st.floats(0.0, 12_000.0),
)
kinds = [*MAKE, "restart", "away", "ack", "wait", "wait", "answer"]
moves = st.lists(
    st.builds(Move, st.sampled_from(kinds), waits, st.integers(0, 40), st.booleans()), max_size=20
)
nothing = st.lists(
    st.builds(
        Move,
        st.sampled_from(["wait", "silence", "beat", "restart"]),
        waits,
        st.just(0),
        st.sampled_from([True]),
    ),
    max_size=8,
)


def test_a_restart_after_silence_is_no_sign_of_life_by_rounding() -> None:
    """The last life, moved to the new process's first moment, came out one bit after it."""
    answers = [(1.1, 0), (14.255262233120817, 0), (92.8032167163215, 0), (327.7733037977536, 0)]
    moves = [Move("answer", after_s, pick) for after_s, pick in [*answers, (76.54941433373443, 30)]]
    Observer().live([*moves, Move("silence", 1801.0), Move("restart", 247.61924812094043)])


@examples(30)
@given(moves)
def test_nobody_is_called_fine_who_did_not_say_so(history: list[Move]) -> None:
    Observer().live(history)


@examples(30)
@given(moves, st.lists(st.floats(-1e5, 1e6), max_size=12))
def test_whatever_the_time_of_a_fact_nothing_raises(history: list[Move], at: list[float]) -> None:
    observer = Observer()
    for move, when in zip(history, at, strict=False):
        if move.what in MAKE:
            observer.take(MAKE[move.what](move, when))
            assert not math.isnan(next_wake(observer.state, NUMBERS) or 0.0)


@examples(20)
@given(moves, nothing)
def test_a_miss_ends_at_the_centre_unless_there_was_life(
    history: list[Move], silence: list[Move]
) -> None:
    observer = Observer()
    observer.live(history)
    observer.serve_until(observer.at + 10.0)  # a finger that is still down may yet be counted
    climbing = observer.state.care.missed
    observer.live(silence)
    if climbing is not None:
        assert observer.state.care.missed is not None, "nothing but life ends it"
        # after hours that nobody could watch it waits to be watched, for a day at most (`dark`)
        dark = observer.state.care.dark_at is not None
        observer.serve_until(observer.at + 3 * HOUR + (NUMBERS.care.callout_s if dark else 0.0))
        assert observer.called


@examples(5)
@given(nothing)
def test_after_a_day_without_life_somebody_is_told(silence: list[Move]) -> None:
    observer = Observer()
    observer.live(silence)
    for _ in range(80):
        observer.serve_until(observer.at + HOUR)
        observer.take(Heartbeat(observer.at, EIGHT + observer.at, synced=True))
    assert any(a.kind in {Kind.NO_LIFE, Kind.MISSED_CHECKIN} for a in observer.state.alarms)
    assert observer.state.care.rung != "watching"
