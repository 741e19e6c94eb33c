"""Too long in the bathroom, a door left open, out at night, up at night; the hourly report."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Activity, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.model.effects import Lane, Publish
from hub.core.model.events import Answered, ContactChanged, DriverFailed
from hub.core.model.rules import Sense, Sensor
from tests.hub.core.house_scenes import (
    BATH,
    DAY,
    FRONT,
    HOUR,
    KITCHEN,
    LIVING,
    MONDAY,
    RULES,
    Lived,
    settled,
)

TENTH = 14 * 24.0  # the first hour of the day after a fortnight


def awake(hour: float = 10.0) -> Lived:
    """A home that is known, with somebody in it."""
    lived = settled()
    lived.live(14, [7.0 + n / 3 for n in range(int((hour - 7.0) * 3))], KITCHEN)
    lived.effects.clear()
    return lived.move(LIVING, TENTH + hour)


def test_who_moves_in_the_bathroom_for_far_longer_than_ever_is_asked_and_then_helped() -> None:
    """A person who lies there moves too: that does not mean that they left the bathroom."""
    lived = awake()
    for n in range(20):
        lived.move(BATH, TENTH + 10.1 + n / 10)
    assert lived.warnings == [Phrase.WARN_BATHROOM]
    assert lived.kinds == [Kind.LONG_BATHROOM]
    assert lived.alarms[0].evidence is not None
    assert lived.alarms[0].evidence.since_utc == pytest.approx(
        MONDAY + (TENTH + 10.1) * HOUR, abs=1.0
    )


def bathed_too_long() -> Lived:
    """A home that has just been warned of a long stay."""
    lived = awake().move(BATH, TENTH + 10.1)
    while lived.state.warning is None:
        lived.move(BATH, (lived.at + 60.0) / HOUR)
    return lived


def test_who_leaves_the_bathroom_or_answers_ends_that_warning() -> None:
    lived = bathed_too_long()
    assert lived.move(LIVING, (lived.at + 30.0) / HOUR).state.warning is None
    lived = bathed_too_long()
    assert lived.take(Answered(lived.at + 30.0, Meaning.FINE)).state.warning is None


def test_a_bath_as_long_as_ever_is_no_alarm() -> None:
    lived = awake()
    lived.move(BATH, TENTH + 10.1)
    lived.move(BATH, TENTH + 11.2).move(LIVING, TENTH + 11.3)
    assert lived.state.habits.longest["bathroom"] == pytest.approx(1.2 * HOUR)
    lived.live(14, [11.4, 11.7, 12.0])
    lived.move(BATH, TENTH + 12.1).move(BATH, TENTH + 13.2)
    assert lived.until(TENTH + 12.1 + 1.7).kinds == []


def test_a_home_that_is_new_has_no_usual_bath() -> None:
    lived = Lived().move(LIVING, 9.9).move(LIVING, 10.0).move(BATH, 10.1).move(BATH, 10.5)
    assert Phrase.WARN_BATHROOM not in lived.until(14.0).warnings


def opened(lived: Lived, hour: float) -> Lived:
    """Open the front door and leave it open."""
    lived.until(hour)
    return lived.take(ContactChanged(lived.at, FRONT, closed=False))


def test_a_door_that_stays_open_while_nobody_moves_is_told() -> None:
    lived = opened(awake(), TENTH + 10.1)
    for n in range(6):
        lived.move(LIVING, TENTH + 10.15 + n / 6)
    assert lived.warnings == []
    lived.until(TENTH + 12.0)
    assert lived.kinds == [Kind.DOOR_OPEN]
    assert (lived.alarms[0].device, lived.alarms[0].scaip.stc) == (FRONT, "0077")


@pytest.mark.parametrize(("dead", "told"), [((), True), ((KITCHEN, LIVING), False)])
def test_an_open_door_is_told_of_only_where_other_sensors_work(
    dead: tuple[str, ...],
    told: bool,  # noqa: FBT001 - a case
) -> None:
    lived = opened(awake(), TENTH + 10.1)
    for device in dead:
        lived.take(DriverFailed(lived.at, device, "gone"))
    assert (Kind.DOOR_OPEN in lived.until(TENTH + 12.0).kinds) is told


def test_an_airing_as_long_as_ever_is_learned_and_a_shut_door_may_be_told_of_again() -> None:
    lived = opened(awake(), TENTH + 10.1).move(LIVING, TENTH + 10.2).until(TENTH + 12.0)
    lived.take(ContactChanged(lived.at, FRONT, closed=True))
    assert lived.state.habits.longest["door"] == pytest.approx(1.9 * HOUR, abs=1.0)
    assert lived.state.house.told == frozenset()
    lived.move(LIVING, TENTH + 12.1).move(LIVING, TENTH + 12.2)
    lived.effects.clear()
    opened(lived, TENTH + 12.3).move(LIVING, TENTH + 12.35).until(TENTH + 12.3 + 1.9 * 1.4)
    assert Kind.DOOR_OPEN not in lived.kinds


def test_who_leaves_at_night_and_is_not_back_is_missed() -> None:
    lived = settled().until(TENTH + 2.0)
    lived.move(LIVING, TENTH + 2.0).door(TENTH + 2.01).until(TENTH + 2.3)
    assert lived.kind is PresenceKind.AWAY
    assert lived.kinds == []
    lived.until(TENTH + 3.0)
    assert lived.kinds == [Kind.OUT_AT_NIGHT]
    assert lived.until(TENTH + 9.0).kinds == [Kind.OUT_AT_NIGHT], "once"


def test_a_restart_at_night_makes_no_departure_of_an_absence_since_noon() -> None:
    lived = awake().door(TENTH + 10.01).until(TENTH + 11.0)
    assert lived.kind is PresenceKind.AWAY
    lived.start(TENTH + 24.0 + 2.0).until(TENTH + 24.0 + 4.0)
    assert lived.kind is PresenceKind.AWAY
    assert lived.kinds == []
    assert lived.door(TENTH + 24.0 + 5.0).kind is PresenceKind.HOME


def test_who_leaves_at_night_with_notice_or_in_a_new_home_is_not_missed() -> None:
    assert Lived().move(LIVING, 1.9).move(LIVING, 2.0).door(2.01).until(9.0).kinds == []
    assert awake().door(TENTH + 10.01).until(TENTH + 13.0).kinds == []


def up_all_night() -> Lived:
    """A home in which somebody is up and about as never before, and has just been warned."""
    lived, hour = settled(), TENTH + 1.0
    while lived.state.warning is None:
        lived.move((KITCHEN, LIVING)[int(lived.at) % 2], hour)
        hour += 1 / 12
    return lived


def test_who_goes_on_wandering_after_the_warning_is_told_of() -> None:
    """The warning is about moving at night, so motion does not end it."""
    lived = up_all_night()
    for n in range(1, 7):
        lived.move(LIVING, (lived.at + 60.0 * n / n) / HOUR)
    assert lived.kinds == [Kind.NIGHT_WANDERING]
    assert lived.alarms[0].scaip.pri == 3


def test_who_goes_back_to_bed_or_answers_wanders_no_more() -> None:
    lived = up_all_night()
    lived.until(lived.at / HOUR + 0.5)
    assert (lived.warnings, lived.kinds) == ([Phrase.WARN_WANDERING], [])
    lived.live(14, [7.0, 7.5])
    assert lived.state.house.slots == 0
    lived = up_all_night()
    lived.take(Answered(lived.at + 30.0, Meaning.FINE))
    for n in range(1, 7):
        lived.move(LIVING, (lived.at + 60.0 * n / n) / HOUR)
    assert lived.kinds == []


def test_a_night_like_other_bad_nights_is_none_of_ours() -> None:
    lived = settled()
    for night in (14, 15):
        for n in range(40):
            lived.move((KITCHEN, LIVING)[n % 2], night * 24 + 1.0 + n / 12)
        lived.live(night, [7.0, 8.0, 9.0, 12.0, 15.0, 18.0, 21.0, 22.0])
    assert lived.warnings.count(Phrase.WARN_WANDERING) == 1


def pages(lived: Lived) -> list[Activity]:
    """The hourly reports of the hub."""
    told = [e for e in lived.effects if isinstance(e, Publish) and e.topic.endswith("/activity")]
    assert all(e.lane is Lane.TELEMETRY for e in told)
    found = [wire.decode_from_hub(e.topic, e.payload)[1] for e in told]
    return [page for page in found if isinstance(page, Activity)]


def test_each_hour_is_told_with_what_every_device_has_seen() -> None:
    lived = Lived().move(KITCHEN, 10.1).move(KITCHEN, 10.2).move(LIVING, 10.3).until(12.5)
    first, second = pages(lived)
    assert first.from_utc == MONDAY + 10 * HOUR
    assert first.seen == {KITCHEN: 2, LIVING: 1}
    assert first.places == {KITCHEN: "부엌", LIVING: "거실"}
    assert (second.seen, second.from_utc) == ({}, MONDAY + 11 * HOUR)


def test_an_hour_tells_of_sleep_and_absence() -> None:
    asleep = settled(8).until(8 * 24 + 3.0)
    assert pages(asleep)[-1].presence is PresenceKind.ASLEEP
    assert pages(asleep)[-1].asleep_s == HOUR
    away = awake().door(TENTH + 10.01).until(TENTH + 12.0)
    assert pages(away)[-1].away_s == HOUR


def test_without_a_clock_there_are_no_hours() -> None:
    lived = Lived(synced=False).move(KITCHEN, 10.1).until(20.0)
    assert pages(lived) == []


def test_a_month_of_one_life_is_remembered_for_as_long_as_it_counts() -> None:
    habits = awake().state.habits
    assert habits.days == 14
    assert habits.day == int((MONDAY + 9 * HOUR) // DAY) + 14
    assert RULES.quiet.forget_a_day < 1.0


def test_who_is_up_at_night_as_a_rule_may_leave_at_night() -> None:
    lived = Lived().move(LIVING, 0.1).move(LIVING, 0.2)
    for day in range(14):
        for n in range(1, 36):
            lived.move((KITCHEN, LIVING)[n % 2], day * 24 + n / 3)
    lived.effects.clear()
    lived.move(LIVING, TENTH - 4.0).move(LIVING, TENTH + 0.5)
    lived.move(LIVING, TENTH + 2.0).door(TENTH + 2.01).until(TENTH + 6.0)
    assert lived.kind is PresenceKind.AWAY
    assert lived.kinds == []


def test_who_works_at_night_and_sleeps_by_day_leaves_without_a_word() -> None:
    """Out from one to seven, every night; who sleeps at one would be missed by half past."""
    lived = Lived().move(LIVING, 0.1).move(LIVING, 0.2)
    for day in range(14):
        lived.door(day * 24 + 1.0).door(day * 24 + 7.0).live(day, [7.1, 7.4])
        for n in range(39):
            lived.move((KITCHEN, LIVING)[n % 2], day * 24 + 15.0 + n / 4)
    lived.door(TENTH + 1.0).until(TENTH + 1.8)
    assert lived.kind is PresenceKind.AWAY
    assert Kind.OUT_AT_NIGHT not in lived.kinds
    assert lived.door(TENTH + 7.0).kind is PresenceKind.HOME


def test_how_long_an_inner_door_stands_open_is_nobodys_concern() -> None:
    inner = replace(RULES, sensors={**RULES.sensors, "larder": Sensor(Sense.DOOR, "곳간")})
    lived = Lived(inner).move(KITCHEN, 9.0).door(9.1, shut_s=7200.0, device="larder")
    assert lived.state.habits.longest == {}
    assert Kind.DOOR_OPEN not in lived.kinds
