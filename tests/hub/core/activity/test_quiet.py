"""Unusual quiet: a warning, then an alarm with its evidence; and what is not quiet."""

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract.messages import PresenceKind
from hub.contract.scaip import Kind, What
from hub.contract.voice import Meaning, Phrase
from hub.core.activity import quiet
from hub.core.model.activity import STEP_S
from hub.core.model.events import Answered, DriverFailed
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
    day_long,
    settled,
)

NOON = 14 * 24 + 12.0  # of the fifteenth day


def morning(lived: Lived, day: int = 14, till: float = 12.0) -> Lived:
    """Live an ordinary day up to `till`."""
    for n, hour in enumerate(day_long(till=till)):
        lived.move((KITCHEN, LIVING)[n % 2], day * 24 + hour)
    lived.effects.clear()
    return lived


def test_before_the_first_activity_nothing_is_quiet() -> None:
    assert Lived().until(100.0).kinds == []


def test_a_quiet_far_longer_than_usual_is_warned_of_and_then_an_alarm_with_its_evidence() -> None:
    lived = morning(settled()).until(NOON + 6.0)
    assert lived.warnings == [Phrase.WARN_QUIET]
    (alarm,) = lived.alarms
    assert (alarm.kind, alarm.what, alarm.device) == (Kind.QUIET, What.RAISED, LIVING)
    assert alarm.place == "거실"
    evidence = alarm.evidence
    assert evidence is not None
    assert evidence.since_utc == pytest.approx(MONDAY + NOON * HOUR, abs=3.0)
    assert 0.5 * HOUR <= evidence.usual_s < evidence.limit_s <= 4 * HOUR
    assert evidence.lasted_s == evidence.limit_s
    assert (evidence.last, evidence.learned_days) == (LIVING, 14)
    assert set(evidence.sensors) == {KITCHEN, LIVING, FRONT}


def test_the_warning_comes_five_minutes_before_the_alarm() -> None:
    lived = morning(settled()).until(NOON + 6.0)
    warned_s = lived.alarms[0].evidence.limit_s if lived.alarms[0].evidence else 0.0
    assert lived.alarms[0].at == pytest.approx(NOON * HOUR + warned_s + RULES.warn_s, abs=3.0)


def warned() -> Lived:
    """A home that has just been warned."""
    lived = morning(settled())
    while lived.state.warning is None:
        lived.until((lived.at + 60.0) / HOUR)
    return lived


def test_motion_ends_the_warning_and_nothing_follows() -> None:
    lived = warned()
    lived.move(LIVING, lived.at / HOUR + 0.01).until(lived.at / HOUR + 1.0)
    assert lived.warnings == [Phrase.WARN_QUIET]
    assert lived.kinds == []


def test_a_clear_answer_ends_the_warning_but_none_that_nobody_understood() -> None:
    lived = warned()
    lived.take(Answered(lived.at + 1.0, Meaning.FINE)).until(lived.at / HOUR + 1.0)
    assert lived.kinds == []
    lived = warned()
    lived.take(Answered(lived.at + 1.0, Meaning.UNCLEAR)).until(lived.at / HOUR + 1.0)
    assert lived.kinds == [Kind.QUIET]


def test_once_warned_it_is_silent_until_something_moves() -> None:
    lived = morning(settled()).until(NOON + 20.0)
    assert lived.kinds == [Kind.QUIET]
    lived.move(KITCHEN, NOON + 21.0)
    lived.effects.clear()
    assert lived.until(NOON + 21.0 + 30.0).kinds != []


def test_a_home_that_is_new_waits_for_the_safe_limit() -> None:
    by_day = Lived().move(KITCHEN, 10.95).move(LIVING, 11.0).until(11.0 + 5.9)
    assert by_day.warnings == []
    assert by_day.until(11.0 + 6.3).warnings == [Phrase.WARN_QUIET]
    by_night = Lived().move(KITCHEN, 19.95).move(LIVING, 20.0).until(20.0 + 10.9)
    assert by_night.warnings == []


def test_a_home_that_is_known_is_warned_sooner() -> None:
    assert morning(settled()).until(NOON + 4.0).warnings == [Phrase.WARN_QUIET]


def test_who_is_not_up_long_after_the_usual_time_is_called() -> None:
    lived = settled().until(14 * 24 + 4.0)
    assert lived.kind is PresenceKind.ASLEEP
    lived.until(14 * 24 + 12.0)
    assert lived.kinds == [Kind.NOT_UP]
    assert lived.warnings == [Phrase.WARN_NOT_UP]


def test_a_night_as_ever_is_no_quiet() -> None:
    lived = morning(settled(), till=22.0)
    assert lived.until(15 * 24 + 6.9).warnings == []
    assert morning(lived, 15, till=22.0).warnings == []


def slow() -> Lived:
    """A home whose learned habits call every quiet usual."""
    lived = morning(settled())
    lived.state = replace(lived.state, habits=replace(lived.state.habits, peaks=(1e3,) * 60))
    return lived


def test_beyond_twelve_hours_at_home_it_is_called_whatever_is_usual() -> None:
    lived = slow().until(NOON + 11.9)
    assert lived.warnings == []
    lived.until(NOON + 12.2)
    assert lived.kinds == [Kind.NOT_UP], "it is midnight, when this home is still up"
    evidence = lived.alarms[0].evidence
    assert evidence is not None
    assert evidence.limit_s == RULES.quiet.most_s == 12 * HOUR


def test_beyond_twelve_hours_nothing_is_called_by_sensors_that_have_failed() -> None:
    lived = slow()
    for device in (KITCHEN, LIVING, FRONT):
        lived.take(DriverFailed(lived.at, device, "gone"))
    assert lived.until(NOON + 13.0).warnings == []


def test_an_absence_is_no_quiet() -> None:
    lived = morning(settled()).door(NOON + 0.05).until(NOON + 12.0)
    assert lived.kind is PresenceKind.AWAY
    assert lived.warnings == []


def test_a_long_quiet_that_the_exit_door_ends_was_an_absence_and_teaches_nothing() -> None:
    lived = morning(settled())
    before = lived.state.habits
    lived.door(NOON + 1.0)
    assert lived.state.habits.ends == before.ends
    lived = morning(settled()).move(KITCHEN, NOON + 1.0)
    assert lived.state.habits.ends != before.ends


def test_a_house_whose_sensors_have_failed_is_never_quiet() -> None:
    lived = morning(settled())
    for device in (KITCHEN, LIVING, FRONT):
        lived.take(DriverFailed(lived.at, device, "gone"))
    assert lived.until(NOON + 23.0).kinds == []


def test_with_part_of_the_sensors_it_waits_longer() -> None:
    whole, part = (replace(morning(settled()).state) for _ in range(2))
    assert whole == part
    sooner, later = morning(settled()), morning(settled())
    later.take(DriverFailed(later.at, LIVING, "gone"))
    hours = []
    for lived in (sooner, later):
        lived.until(NOON + 23.0)
        assert lived.kinds == [Kind.QUIET]
        hours.append(lived.alarms[0].at / HOUR)
    assert hours[1] > hours[0] + 0.5


def test_without_a_clock_the_limit_of_the_night_holds_and_nothing_is_learned() -> None:
    """A home whose time server is out of reach must not be blind for a day."""
    lived = Lived(synced=False).move(LIVING, 9.9).move(KITCHEN, 10.0)
    assert lived.until(20.9).warnings == []
    assert lived.until(21.2).warnings == [Phrase.WARN_QUIET]
    assert lived.kind is not PresenceKind.ASLEEP
    assert lived.state.habits.days == 0
    blind = Lived(synced=False).move(LIVING, 9.9).move(KITCHEN, 10.0)
    for device in (KITCHEN, LIVING):
        blind.take(DriverFailed(blind.at, device, "gone"))
    assert blind.until(30.0).warnings == []


def test_a_quiet_goes_on_after_a_restart_but_the_time_off_counts_not() -> None:
    straight = morning(settled()).until(NOON + 6.0)
    warned_after_s = straight.alarms[0].at - NOON * HOUR
    cut = morning(settled()).until(NOON + 1.0)
    cut.state = msgspec.msgpack.decode(msgspec.msgpack.encode(cut.state), type=type(cut.state))
    off_h = 2.0
    cut.start(NOON + 1.0 + off_h).until(NOON + 9.0)
    (alarm,) = cut.alarms
    after_s = alarm.at + (1.0 + off_h) * HOUR - off_h * HOUR
    assert after_s == pytest.approx(warned_after_s, abs=STEP_S + 60.0)


def test_a_warning_that_a_restart_cut_short_is_spoken_again() -> None:
    lived = warned()
    hour = lived.at / HOUR
    lived.effects.clear()
    lived.start(hour + 0.1).until(hour + 0.1 + 0.05)
    assert lived.warnings == [Phrase.WARN_QUIET]
    assert lived.kinds == [Kind.QUIET]


def test_a_bathroom_and_a_day_in_bed_are_learned_apart_from_the_kitchen() -> None:
    lived = Lived().door(0.1)
    for day in range(20):
        lived.live(day, [7.0, 7.2, 8.0, 10.5, 13.0, 15.5, 18.0, 20.5, 21.9], LIVING)
        lived.live(day, [22.0], BATH)
    habits = lived.state.habits
    assert habits.devices[BATH].awaited[2] > habits.devices[BATH].seen[2]
    assert habits.day == int((MONDAY + 9 * HOUR) // DAY) + 19


def test_a_hub_that_restarts_again_and_again_still_calls() -> None:
    lived = warned()
    hour = lived.at / HOUR
    for n in range(3):
        lived.start(hour + n / 100).until(hour + n / 100 + 0.001)
    assert lived.kinds == [Kind.QUIET]


def test_an_absence_that_runs_out_is_quiet_only_from_then_on() -> None:
    lived = morning(settled()).take(Answered(NOON * HOUR + 60.0, Meaning.AWAY))
    lapse = NOON + 60.0 / HOUR + RULES.quiet.declared_away_s / HOUR
    assert lived.until(lapse + 1.0).warnings == []
    lived.until(lapse + 14.0)
    assert lived.kinds, "and then it is judged as any other"
    evidence = lived.alarms[0].evidence
    assert evidence is not None
    assert evidence.since_utc == pytest.approx(MONDAY + lapse * HOUR, abs=1.0)


def test_presses_and_words_do_not_make_the_sensors_less_to_be_believed() -> None:
    lived = settled()
    for day in range(14, 34):
        for n, hour in enumerate(day_long()):
            lived.move((KITCHEN, LIVING)[n % 2], day * 24 + hour)
            lived.until(day * 24 + hour + 0.3)
            lived.take(Answered(lived.at, Meaning.FINE))
    assert quiet.believed(lived.state, RULES) == pytest.approx(1.0)
