"""A disk that answers only after the hub has started: both histories of the home are joined."""

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract.messages import CheckInResult, Evidence, PresenceKind, Topic
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core import late
from hub.core.decide import decide, next_wake, recover
from hub.core.model.activity import (
    FRESH,
    NEVER,
    Habits,
    House,
    Lone,
    Presence,
    Quiet,
    Ratio,
    Sensed,
    Stay,
    zeros,
)
from hub.core.model.checkin import Anchor, CareState, CheckIn, Due, LifeWatch, Missed, Screening
from hub.core.model.effects import Ask, Effect, Publish
from hub.core.model.events import ContactChanged, Event, MotionChanged, Started, Ticked
from hub.core.model.rules import Room, Sense, Sensor
from hub.core.model.state import Caution, HomeState
from hub.core.model.supervision import Battery, Flap, Flicker, Mains, WatchState
from hub.core.supervision import snapshot
from tests.hub.core.care_scenes import DAY, EIGHT, HALL, HOUR, MINUTE, NINE, RULES, care, told

BATH, DOOR, CUPBOARD = "bath", "door", "cupboard"
SENSED = replace(
    RULES,
    care=replace(RULES.care, times=()),
    sensors={
        HALL: Sensor(Sense.MOTION),
        BATH: Sensor(Sense.MOTION, room=Room.BATHROOM),
        DOOR: Sensor(Sense.EXIT_DOOR),
        CUPBOARD: Sensor(Sense.DOOR),
    },
)
OLD_AT, AT = 5000.0, 100.0  # the last moment of the old boot; the first of the new one


def lived(state: HomeState, *events: Event) -> tuple[HomeState, list[Effect]]:
    effects: list[Effect] = []
    for event in events:
        state, more = decide(state, event, SENSED)
        effects += more
    return state, effects


def process(boot: str, at: float, *, lived_in: bool = False) -> HomeState:
    """Return a home whose hub has just begun, and knows of no past."""
    event = Started(at, EIGHT + at, synced=True, boot=boot)
    return lived(recover(HomeState(), event, (), lived_in=lived_in), event)[0]


def until(state: HomeState, end: float) -> tuple[HomeState, list[Effect]]:
    """Decide the deadlines that are due till `end`, and nothing else."""
    effects: list[Effect] = []
    while (wake := next_wake(state, SENSED)) is not None and wake <= end:
        state, more = lived(state, Ticked(wake))
        effects += more
    return state, effects


def joined(old: HomeState, *meanwhile: Event) -> tuple[HomeState, list[Effect]]:
    """Start at `AT` without the disk, decide `meanwhile`, and then read `old` from the disk."""
    event = Started(AT, EIGHT + AT, synced=True, boot="b2")
    new, _ = lived(process("b2", AT, lived_in=True), *meanwhile)
    return late.joined(recover(old, event, ()), new, SENSED)


def moved(at: float, device: str = HALL) -> MotionChanged:
    return MotionChanged(at, device, active=True)


def an_old_home(at: float = OLD_AT) -> HomeState:
    return lived(process("b1", at - 10.0), moved(at))[0]


def test_the_rule_of_a_day_is_armed_though_the_disk_answered_late_and_nobody_moved() -> None:
    state, _ = joined(an_old_home())
    assert state.care.life_at is not None
    state, effects = until(state, AT + 10 * DAY)
    assert Ask(Phrase.WARN_NO_LIFE) in effects
    assert Kind.NO_LIFE in {alarm.kind for alarm in state.alarms}


def test_it_goes_on_from_the_last_sign_of_life_and_not_from_the_start_of_the_process() -> None:
    state, _ = until(an_old_home(), OLD_AT + 20 * HOUR)
    state, _ = joined(state)
    _, effects = until(state, AT + 5 * HOUR)
    assert Ask(Phrase.WARN_NO_LIFE) in effects


@pytest.mark.parametrize("known", ["disk unreadable", "habits"])
def test_where_the_last_sign_of_life_is_unknown_a_day_is_counted_from_the_start(known: str) -> None:
    event = Started(AT, EIGHT + AT, synced=True, boot="b2")
    old = HomeState(habits=replace(FRESH, day=20_000)) if known == "habits" else HomeState()
    state = recover(old, event, (), lived_in=known != "habits")
    state, effects = until(lived(state, event)[0], AT + DAY - MINUTE)
    assert Ask(Phrase.WARN_NO_LIFE) not in effects
    _, effects = until(state, AT + DAY + MINUTE)
    assert Ask(Phrase.WARN_NO_LIFE) in effects


def test_a_home_in_which_nobody_has_lived_yet_is_not_told_of() -> None:
    state, _ = joined(process("b1", OLD_AT))
    assert state.care.life_at is None
    assert not until(state, AT + 10 * DAY)[0].alarms


def test_what_moved_meanwhile_counts() -> None:
    state, effects = joined(an_old_home(), moved(AT + 5.0))
    assert not effects
    assert state.house.active_at == AT + 5.0
    assert set(state.house.sensed) == {HALL}
    assert state.house.quiet == Quiet()


def away(state: HomeState, until_at: float | None = None) -> HomeState:
    presence = Presence(PresenceKind.AWAY, OLD_AT, until_at)
    return replace(state, house=replace(state.house, presence=presence))


def test_a_lone_pulse_in_an_empty_house_is_no_return_and_the_next_one_is() -> None:
    """Motion sensors misfire, all of them when the power comes back."""
    state, _ = joined(away(an_old_home()), moved(AT + 1.0), Ticked(AT + 70.0))
    assert state.house.presence.kind is PresenceKind.AWAY
    assert state.care.life_at is not None
    assert state.care.life_at <= AT
    state, _ = lived(state, moved(AT + 90.0, BATH))
    assert state.house.presence.kind is PresenceKind.HOME


def test_who_was_not_back_as_usual_and_came_in_meanwhile_is_told_to_be_back() -> None:
    old = away(an_old_home())
    old = replace(old, house=replace(old.house, overdue=True))
    state, _ = joined(old, edge(AT + 1.0, opened=False), edge(AT + 2.0, opened=True))
    assert state.house.presence.kind is PresenceKind.HOME
    state, effects = lived(state, Ticked(AT + 60.0))
    assert not state.house.overdue
    assert any(isinstance(e, Publish) and b"anbu.care.back" in e.payload for e in effects)


def test_a_hand_at_a_cupboard_is_the_return_of_who_was_away() -> None:
    hand = ContactChanged(AT + 1.0, CUPBOARD, closed=True)
    opened = ContactChanged(AT + 3.0, CUPBOARD, closed=False)
    state, _ = joined(away(an_old_home()), hand, opened)
    assert state.house.presence.kind is PresenceKind.HOME


def edge(at: float, *, opened: bool) -> Event:
    return ContactChanged(at, DOOR, closed=not opened)


def test_the_door_that_opened_meanwhile_is_the_return_of_who_was_away() -> None:
    state, _ = joined(
        away(an_old_home()), edge(AT + 1.0, opened=False), edge(AT + 5.0, opened=True)
    )
    assert state.house.presence.kind is PresenceKind.HOME
    assert state.house.presence.came_in is True


def test_the_door_that_opened_meanwhile_may_be_the_beginning_of_an_absence() -> None:
    old = an_old_home()
    state, _ = joined(old, edge(AT + 1.0, opened=False), edge(AT + 5.0, opened=True))
    presence = state.house.presence
    assert presence.kind is old.house.presence.kind
    assert presence.door_at == AT + 5.0


def test_who_went_to_sleep_meanwhile_or_was_seen_at_home_is_there() -> None:
    state, _ = joined(an_old_home(), moved(AT + 1.0))
    assert state.house.presence == Presence(PresenceKind.HOME, AT + 1.0)


def missed(at: float) -> Missed:
    return Missed(CheckIn("2026-03-01-0900", Topic.MOOD, at, EIGHT + at, Due(at)), at)


def test_a_missed_check_in_goes_on_and_is_over_when_somebody_moved_meanwhile() -> None:
    old = an_old_home()
    old = replace(old, care=replace(old.care, missed=missed(OLD_AT)))
    state, effects = joined(old)
    assert (state.care.missed is not None, effects) == (True, [])
    state, effects = joined(old, moved(AT + 1.0))
    assert state.care.missed is None
    assert [t.what for t in map(told, effects[:1])] == [f"anbu.checkin.{CheckInResult.ALIVE}"]  # type: ignore[arg-type]


def warned(kind: Kind) -> HomeState:
    old = an_old_home()
    ground = Evidence(EIGHT, 1.0, 1.0, 1.0, HALL)
    return replace(old, warning=Caution(kind, HALL, ground, OLD_AT + 60.0, OLD_AT))


def test_a_warning_goes_on_and_is_over_when_somebody_moved_meanwhile() -> None:
    assert joined(warned(Kind.QUIET))[0].warning is not None
    assert joined(warned(Kind.QUIET), moved(AT + 1.0))[0].warning is None
    assert joined(warned(Kind.LONG_BATHROOM), moved(AT + 1.0, BATH))[0].warning is not None


def test_a_warning_of_meanwhile_is_the_one_that_counts() -> None:
    event = Started(AT, EIGHT + AT, synced=True, boot="b2")
    new = lived(process("b2", AT), moved(AT + 1.0))[0]
    new = replace(new, warning=Caution(Kind.DOOR_OPEN, DOOR, Evidence(0.0, 0.0, 0.0, 0.0), 9e9, AT))
    state, _ = late.joined(recover(warned(Kind.QUIET), event, ()), new, SENSED)
    assert state.warning == new.warning


def test_an_old_rung_goes_on_unless_meanwhile_a_higher_one_was_climbed() -> None:
    old = an_old_home()
    old = replace(old, care=replace(old.care, rung=LifeWatch.CALLED_OUT))
    assert joined(old)[0].care.rung is LifeWatch.CALLED_OUT
    event = Started(AT, EIGHT + AT, synced=True, boot="b2")
    new = process("b2", AT)
    new = replace(new, care=replace(new.care, rung=LifeWatch.DISPATCHED))
    assert late.joined(recover(old, event, ()), new, SENSED)[0].care.rung is LifeWatch.DISPATCHED


def test_check_ins_of_before_and_of_meanwhile_are_counted_on() -> None:
    old = CareState(turn=3, looked_local=1e5, begun_at=10.0, screened_utc=1e9, told_at={"a": 1.0})
    new = CareState(turn=1, looked_local=2e5, begun_at=20.0, screened_utc=2e9, told_at={"b": 2.0})
    care_ = late.joined(HomeState(care=old), HomeState(care=new), SENSED)[0].care
    assert (care_.turn, care_.looked_local, care_.begun_at) == (4, 2e5, 20.0)
    assert (care_.screened_utc, care_.told_at) == (1e9, {"a": 1.0, "b": 2.0})


FULL = HomeState(
    boot="b2",
    order=7,
    counter=9,
    habits=replace(FRESH, days=30, day=20_000, devices={"pir": Ratio(zeros(7), zeros(7))}),
    house=House(
        sensed={"pir": Sensed(seen_at=50.0)},
        presence=Presence(PresenceKind.HOME, 40.0),
        visitor_until=60.0,
        active_at=50.0,
        active_by="pir",
        quiet=Quiet(steps=2, score=1.0),
        stay=Stay("bathroom", 50.0),
        told=frozenset({"door_open"}),
        lone=Lone("pir", 50.0),
        noisy={"pir": 50.0},
        overdue=True,
        slot_at=50.0,
        slots=3,
    ),
    care=CareState(
        visit=missed(10.0).checkin,
        missed=missed(10.0),
        screening=Screening(10.0),
        turn=4,
        begun_at=10.0,
        looked_local=1e5,
        told_at={"unwell": 10.0},
        screened_utc=1e9,
        life_at=50.0,
        rung=LifeWatch.CALLED_OUT,
        noted_at=50.0,
        anchor=Anchor(50.0, 1e9),
        adrift_from=50.0,
        dark_at=50.0,
    ),
    watch=WatchState(
        words={"pir": 50.0},
        batteries={"pir": Battery(50.0)},
        mains={"power": Mains(True, 50.0, 0.0)},  # noqa: FBT003
        flickers={"pir": Flicker(1, 50.0)},
        flaps={"pir:silent": Flap(1, 50.0)},
        untold=("pir:silent",),
    ),
)
OF_THE_PROCESS = {  # what a new process begins with whether or not there was an old one
    "house": {"hour_at"},
    "care": {"next_local", "look_at", "began_at"},
    "watch": {"began_at", "due", "chance", "hold_until", "waiting", "voice"},
}


@pytest.mark.parametrize("part", ["house", "care", "watch", "habits"])
def test_each_field_of_before_is_there_when_nothing_happened_meanwhile(part: str) -> None:
    """A new field must be listed here with what happens to it."""
    state, effects = late.joined(FULL, HomeState(boot="b2"), SENSED)
    assert not effects
    old, now, blank = (getattr(one, part) for one in (FULL, state, HomeState()))
    for name in old.__struct_fields__:
        if name not in OF_THE_PROCESS.get(part, set()) and part != "habits":
            assert getattr(old, name) != getattr(blank, name), f"the story lacks {part}.{name}"
            assert getattr(now, name) == getattr(old, name), name
    assert part != "habits" or now == old
    assert (state.order, state.counter) == (7, 9)


def test_what_was_learned_meanwhile_is_added() -> None:
    one = Habits(
        days=30, day=20_000, ends=(1.0,) * 336, spans=(2.0,) * 336, peak=1.0, peaks=(1.0,),
        devices={"a": Ratio((1.0,) * 7, (2.0,) * 7)}, shares={"a": 2.0}, longest={"out": 9.0},
        week=Ratio((1.0,) * 42, (1.0,) * 42),
    )  # fmt: skip
    other = Habits(
        days=1, day=20_001, ends=(3.0,) * 336, spans=(4.0,) * 336, peak=2.0, peaks=(3.0,),
        devices={"a": Ratio((1.0,) * 7, (1.0,) * 7), "b": Ratio((5.0,) * 7, (5.0,) * 7)},
        shares={"a": 1.0, "b": 1.0}, longest={"out": 8.0, "door": 3.0},
        week=Ratio((2.0,) * 42, (3.0,) * 42),
    )  # fmt: skip
    both = late.joined(HomeState(habits=one), HomeState(habits=other), SENSED)[0].habits
    assert (both.days, both.day, both.peak, both.peaks) == (31, 20_001, 2.0, (1.0, 3.0))
    assert (both.ends[0], both.spans[0], both.week.awaited[0]) == (4.0, 6.0, 4.0)
    assert (both.devices["a"].seen[0], both.devices["b"].seen[0]) == (2.0, 5.0)
    assert both.shares == {"a": 3.0, "b": 1.0}
    assert both.longest == {"out": 9.0, "door": 3.0}
    assert both.whole


def test_what_could_not_be_read_of_a_late_disk_is_told_with_the_time_of_the_start() -> None:
    old = snapshot.with_fault(an_old_home(), ("house",))
    state, effects = joined(old)
    assert state.faults[snapshot.FAULT].since_utc == EIGHT + AT
    assert any(isinstance(e, Publish) and "fault" in e.topic for e in effects)


def test_a_visitor_of_meanwhile_is_the_last_word() -> None:
    old, new = House(visitor_until=10.0), House(visitor_until=20.0)
    state, _ = late.joined(HomeState(house=old), HomeState(house=new), SENSED)
    assert state.house.visitor_until == 20.0


def test_a_story_of_care_goes_on_over_a_late_disk() -> None:
    story = care()
    story.start_blind(NINE - 1800.0, 7.0)
    assert msgspec.msgpack.encode(story.state)
    assert story.state.house.active_at > NEVER
