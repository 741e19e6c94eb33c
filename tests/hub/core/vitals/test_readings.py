"""Cuff, oximeter, thermometer: told at once, asked about where a limit is passed."""

import math

import pytest
from msgspec.structs import replace

from hub.contract.messages import VitalEvidence, VitalKind, VitalLimits
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.model.events import VitalsMeasured
from hub.core.model.rules import Rules
from hub.core.vitals import again
from tests.hub.core.vitals.scenes import BAND, CUFF, FINGER, HOUR, MINUTE, Worn

HIGH = {"systolic_mmhg": 192.0, "diastolic_mmhg": 101.0, "map_mmhg": 131.0, "pulse_bpm": 78.0}
FINE = {"systolic_mmhg": 131.0, "diastolic_mmhg": 81.0}


def test_a_cuffs_reading_is_told_at_once() -> None:
    home = Worn().measure(CUFF, HIGH, irregular=True)
    (told,) = home.vitals
    assert told.synced
    assert {one.kind: one.value for one in told.entries} == {
        VitalKind.SYSTOLIC: 192.0,
        VitalKind.DIASTOLIC: 101.0,
        VitalKind.MEAN_PRESSURE: 131.0,
        VitalKind.PULSE: 78.0,
    }
    assert all(one.irregular and one.fresh and one.device == CUFF for one in told.entries)


def test_a_pressure_beyond_its_limit_is_asked_about_then_raised_with_evidence() -> None:
    home = Worn().measure(CUFF, HIGH)
    assert (home.said, home.alarms) == ([Phrase.WARN_PRESSURE], [])
    home.wait(5 * MINUTE + 1)
    (told,) = home.alarms
    assert (told.kind, told.scaip.pri) == (Kind.BLOOD_PRESSURE, 3)
    assert told.vital
    assert (told.vital.kind, told.vital.value, told.vital.limit) == ("systolic", 192.0, 180.0)
    assert (told.vital.above, told.vital.device, told.vital.n) == (True, CUFF, 1)


@pytest.mark.parametrize(
    ("values", "kind", "above"),
    [
        ({"systolic_mmhg": 170.0, "diastolic_mmhg": 125.0}, "diastolic", True),
        ({"systolic_mmhg": 84.0, "diastolic_mmhg": 50.0}, "systolic", False),
    ],
)
def test_each_limit_of_a_pressure_counts(values: dict[str, float], kind: str, above: bool) -> None:  # noqa: FBT001
    home = Worn().measure(CUFF, values)
    assert home.state.warning
    assert home.state.warning.vital
    assert (home.state.warning.vital.kind, home.state.warning.vital.above) == (kind, above)


def test_the_lower_limit_of_the_diastolic_is_the_centres_to_set() -> None:
    low = {"systolic_mmhg": 110.0, "diastolic_mmhg": 38.0}
    assert Worn().measure(CUFF, low).calm()
    limited = Worn().limit(VitalLimits(low_diastolic_mmhg=45.0)).measure(CUFF, low)
    assert limited.said == [Phrase.WARN_PRESSURE]


def test_a_second_reading_within_the_limits_ends_the_question() -> None:
    home = Worn().measure(CUFF, HIGH).wait(2 * MINUTE).measure(CUFF, FINE).wait(HOUR)
    assert home.said == [Phrase.WARN_PRESSURE, Phrase.READING_OVER]
    assert (home.alarms, home.tasks) == ([], [])


def test_a_second_reading_beyond_them_goes_on_with_the_question() -> None:
    home = Worn().measure(CUFF, HIGH).wait(2 * MINUTE).measure(CUFF, HIGH).wait(HOUR)
    assert len(home.alarms) == 1
    assert home.said.count(Phrase.WARN_PRESSURE) == 1


def test_who_says_that_all_is_well_is_not_asked_at_each_reading() -> None:
    home = Worn().measure(CUFF, HIGH).say(Meaning.FINE)
    home.wait(HOUR).measure(CUFF, HIGH).wait(HOUR)
    assert (home.alarms, len(home.tasks)) == ([], 1)
    assert home.said == [Phrase.WARN_PRESSURE, Phrase.READING_NOTED]


WORSE = [
    ({"systolic_mmhg": 181.0}, {"systolic_mmhg": 200.0}, {"systolic_mmhg": 201.0}),
    ({"systolic_mmhg": 181.0}, {"systolic_mmhg": 185.0}, {"systolic_mmhg": 240.0}),
    ({"systolic_mmhg": 89.0}, {"systolic_mmhg": 80.0}, {"systolic_mmhg": 79.0}),
    ({"systolic_mmhg": 185.0, "diastolic_mmhg": 118.0},
     {"systolic_mmhg": 183.0, "diastolic_mmhg": 129.0},
     {"systolic_mmhg": 183.0, "diastolic_mmhg": 130.0}),
    ({"diastolic_mmhg": 125.0}, {"diastolic_mmhg": 134.0}, {"diastolic_mmhg": 135.0}),
]  # fmt: skip


@pytest.mark.parametrize(("answered", "alike", "worse"), WORSE)
def test_a_pressure_a_step_beyond_the_one_answered_is_asked_about_at_once(
    answered: dict[str, float], alike: dict[str, float], worse: dict[str, float]
) -> None:
    home = Worn().measure(CUFF, answered).say(Meaning.FINE).wait(20 * MINUTE)
    home.measure(CUFF, alike).wait(HOUR)
    assert (home.alarms, len(home.tasks)) == ([], 1), "as bad as the one that was answered"
    home.measure(CUFF, worse)
    assert home.said[-1] is Phrase.WARN_PRESSURE
    home.wait(HOUR)
    (told,) = home.alarms
    assert told.vital
    assert told.vital.value in worse.values()
    assert told.vital.said == ""


def test_a_high_pressure_that_was_answered_silences_no_low_one() -> None:
    home = Worn().measure(CUFF, HIGH).say(Meaning.FINE).wait(HOUR)
    home.measure(CUFF, {"systolic_mmhg": 85.0, "diastolic_mmhg": 50.0}).wait(HOUR)
    (told,) = home.alarms
    assert told.vital
    assert (told.vital.value, told.vital.above) == (85.0, False)
    home.measure(CUFF, HIGH).wait(HOUR)
    assert len(home.alarms) == 1, "and its own answer still holds"


def test_a_worse_reading_while_it_is_being_asked_is_the_one_that_is_told() -> None:
    home = Worn().measure(CUFF, HIGH).measure(CUFF, {"systolic_mmhg": 240.0})
    home.measure(CUFF, {"systolic_mmhg": 241.0}).say(Meaning.FINE)
    (task,) = home.tasks
    assert task.vital
    assert task.vital.value == 240.0
    low = Worn().measure(CUFF, HIGH).measure(CUFF, {"systolic_mmhg": 80.0}).say(Meaning.FINE)
    assert low.tasks[0].vital
    assert low.tasks[0].vital.value == 80.0, "the last one, where they contradict each other"


def test_a_pressure_that_gets_worse_after_its_alarm_is_told_as_well() -> None:
    home = Worn().measure(CUFF, HIGH).wait(6 * MINUTE)
    assert len(home.alarms) == 1
    home.measure(CUFF, HIGH).wait(6 * MINUTE)
    assert len(home.alarms) == 1, "nor again within the hour"
    home.measure(CUFF, {"systolic_mmhg": 240.0}).wait(6 * MINUTE)
    assert home.alarms[-1].vital
    assert home.alarms[-1].vital.value == 240.0


def test_oxygen_a_step_below_the_one_answered_is_asked_about_at_once() -> None:
    home = Worn().finger(89.0).say(Meaning.FINE).wait(10 * MINUTE)
    home.finger(88.0).wait(10 * MINUTE)
    assert home.said.count(Phrase.WARN_OXYGEN) == 1
    home.finger(87.0)
    assert home.said.count(Phrase.WARN_OXYGEN) == 2
    home.say(Meaning.FINE).wait(10 * MINUTE).finger(85.0).say(Meaning.FINE)
    home.wait(10 * MINUTE).finger(84.5).wait(6 * MINUTE)
    assert len(home.alarms) == 1, "critical now, though by less than a step"


def test_a_value_of_a_kind_that_only_a_newer_program_tells_has_a_step_too() -> None:
    old = VitalEvidence(VitalKind.TEMPERATURE, 38.0, 37.5, True, CUFF, 0.0)  # noqa: FBT003
    assert again.is_worse(replace(old, value=48.0), old, Rules())
    assert not again.is_worse(replace(old, value=47.0), old, Rules())


def test_a_cuff_that_failed_gave_no_reading() -> None:
    nan = {"systolic_mmhg": math.nan, "diastolic_mmhg": math.nan, "map_mmhg": math.nan}
    home = Worn().measure(CUFF, nan).measure(CUFF, {}).measure(CUFF, {"systolic_mmhg": 2047.0})
    home.measure(CUFF, {"nonsense": 7.0})
    assert (home.calm(), home.vitals) == (True, [])
    assert CUFF not in home.state.house.sensed, "nor a sign of life"
    assert CUFF in home.state.watch.words


def test_pressures_that_no_body_has_do_not_count() -> None:
    odd = {"systolic_mmhg": 190.0, "diastolic_mmhg": 189.0, "pulse_bpm": 70.0}
    home = Worn().measure(CUFF, odd)
    assert home.calm()
    assert [one.kind for one in home.vitals[0].entries] == ["pulse"]


def test_a_stored_reading_is_told_and_raises_nothing() -> None:
    home = Worn().measure(CUFF, HIGH, fresh=False)
    utc = home.state.clock.utc(home.at)
    home.measure(CUFF, HIGH, taken_utc=utc - 2 * HOUR)
    home.measure(CUFF, HIGH, fresh=False, taken_utc=utc - 3 * HOUR)
    assert home.calm()
    entries = home.entries(VitalKind.SYSTOLIC)
    assert [one.fresh for one in entries] == [False, False, False]
    assert [round(utc - one.utc) for one in entries][1:] == [7200, 10_800]
    assert CUFF not in home.state.house.sensed


def test_a_reading_that_was_just_taken_by_the_cuffs_own_clock_is_fresh() -> None:
    home = Worn()
    home.measure(CUFF, HIGH, taken_utc=home.state.clock.utc(home.at) - 40.0)
    assert home.said == [Phrase.WARN_PRESSURE]
    assert CUFF in home.state.house.sensed


def test_without_a_clock_the_cuffs_time_says_nothing() -> None:
    home = Worn()
    home.start(5.0, synced=False)
    home.measure(CUFF, HIGH, taken_utc=1.0)
    assert home.said == [Phrase.WARN_PRESSURE]


def test_where_pressure_is_not_watched_it_is_told_only() -> None:
    home = Worn().limit(VitalLimits(watch_pressure=False)).measure(CUFF, HIGH)
    assert home.calm()
    assert home.entries(VitalKind.SYSTOLIC)


def test_a_reading_of_a_foreign_device_is_nobodys() -> None:
    home = Worn().measure("neighbour", HIGH).measure("neighbour", {"spo2_pct": 70.0})
    assert (home.calm(), home.vitals) == (True, [])


def test_a_thermometer_is_told() -> None:
    home = Worn().measure(FINGER, {"temperature_c": 36.6})
    assert [one.value for one in home.entries(VitalKind.TEMPERATURE)] == [36.6]


def test_values_that_stream_are_told_once_a_minute() -> None:
    home = Worn()
    for _ in range(150):
        home.measure(FINGER, {"pulse_bpm": 66.0})
    assert len(home.entries(VitalKind.PULSE)) == 3


def test_too_little_oxygen_is_asked_about_after_the_finger_has_settled() -> None:
    home = Worn().finger(86.0, 15.0)
    assert (home.said, home.vitals) == ([], [])
    home.finger(86.0, 10.0)
    assert home.said == [Phrase.WARN_OXYGEN]
    (entry,) = home.entries(VitalKind.OXYGEN)
    assert (entry.value, entry.least, entry.most, entry.n) == (86.0, 86.0, 86.0, 20)
    home.wait(6 * MINUTE)
    (told,) = home.alarms
    assert (told.kind, told.scaip.pri) == (Kind.OXYGEN, 0)
    assert told.vital
    assert (told.vital.value, told.vital.limit, told.vital.above) == (86.0, 90.0, False)
    assert told.vital.n >= 20


def test_a_single_spot_reading_is_asked_about() -> None:
    home = Worn().measure(FINGER, {"spo2_pct": 82.0}).wait(MINUTE)
    assert home.said == [Phrase.WARN_OXYGEN]
    home.measure(FINGER, {"spo2_pct": 96.0}).wait(MINUTE)
    assert home.said[-1] is Phrase.READING_OVER
    home.wait(HOUR)
    assert (home.alarms, home.tasks) == ([], [])


def test_the_first_nonsense_of_a_finger_and_a_spike_raise_nothing() -> None:
    home = Worn().finger(70.0, 7.0).finger(96.0, 60.0).finger(80.0, 5.0).finger(96.0, 30.0)
    assert home.calm()


def test_a_finger_that_is_taken_out_raises_nothing() -> None:
    home = Worn().finger(96.0, 40.0).finger(74.0, 4.0)
    home.measure(FINGER, {"spo2_pct": 0.0}).measure(FINGER, {"spo2_pct": 127.0}).measure(
        FINGER, {}
    ).wait(HOUR)
    assert home.calm()


def test_oxygen_that_falls_while_the_finger_is_in_is_asked_about() -> None:
    home = Worn().finger(95.0, 60.0).finger(86.0, 25.0)
    assert home.said == [Phrase.WARN_OXYGEN]
    home.finger(95.0, 30.0)
    assert home.said[-1] is Phrase.READING_OVER


def test_i_am_fine_is_believed_of_low_oxygen_and_not_of_very_low() -> None:
    low = Worn().finger(87.0).say(Meaning.FINE)
    assert low.said[-1] is Phrase.READING_NOTED
    assert (low.alarms, [task.what for task in low.tasks]) == ([], ["oxygen"])
    very_low = Worn().finger(79.0).say(Meaning.FINE)
    assert Phrase.READING_TOLD in very_low.said
    (told,) = very_low.alarms
    assert told.vital
    assert (told.vital.value, told.vital.said, very_low.tasks) == (79.0, "fine", [])


def test_after_an_answer_oxygen_is_asked_about_again_when_it_is_very_low() -> None:
    home = Worn().finger(87.0).say(Meaning.FINE)
    home.wait(10 * MINUTE).finger(88.0).wait(MINUTE)
    assert home.said.count(Phrase.WARN_OXYGEN) == 1
    home.wait(10 * MINUTE).finger(80.0).wait(MINUTE)
    assert home.said.count(Phrase.WARN_OXYGEN) == 2
    home.wait(6 * MINUTE)
    assert len(home.alarms) == 1
    home.finger(80.0).wait(6 * MINUTE)
    assert len(home.alarms) == 1, "not again within the hour"


def test_limits_that_change_hold_for_what_is_being_asked() -> None:
    home = Worn().finger(87.0).limit(VitalLimits(low_oxygen_pct=85.0))
    assert home.said[-1] is Phrase.READING_OVER
    assert home.wait(HOUR).alarms == []
    off = Worn().finger(87.0).limit(VitalLimits(watch_oxygen=False))
    assert off.said[-1] is Phrase.READING_OVER
    assert Worn().limit(VitalLimits(watch_oxygen=False)).finger(70.0).calm()


def test_a_finger_that_stays_in_is_summed_up() -> None:
    home = Worn().finger(95.0, 20 * 60.0)
    first, later = home.entries(VitalKind.OXYGEN)
    assert (first.n, later.n) == (20, 880)


def test_a_reading_told_late_does_not_count() -> None:
    home = Worn().finger(95.0, 30.0)
    home.take(VitalsMeasured(home.at - 20.0, FINGER, {"spo2_pct": 60.0}))
    assert home.state.vitals.meters[FINGER].readings[-1][1] == 95.0


def test_a_reading_waits_for_another_question() -> None:
    home = Worn().beat(72.0, MINUTE).measure(CUFF, HIGH).finger(80.0, 30.0)
    assert home.said == [Phrase.WARN_PRESSURE]
    home.say(Meaning.FINE).wait(2.0)
    assert home.said[-1] is Phrase.WARN_OXYGEN
    assert home.state.vitals.waiting == {}


def test_a_reading_does_not_wait_for_ever() -> None:
    home = Worn().measure(CUFF, HIGH).finger(80.0, 30.0)
    for _ in range(20):
        home.wait(MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.BLOOD_PRESSURE, Kind.OXYGEN]
    after_a_call = Worn().say(Meaning.HELP).measure(CUFF, HIGH).wait(30.0)
    assert after_a_call.state.warning
    assert after_a_call.state.warning.kind is Kind.BLOOD_PRESSURE
    held = Worn().say(Meaning.HELP).measure(CUFF, HIGH)
    assert held.state.candidate
    held.state = replace(held.state, candidate=replace(held.state.candidate, until=held.at + 1000))
    held.wait(1200.0)
    assert Phrase.WARN_PRESSURE not in held.said


def test_what_waits_is_dropped_when_it_is_within_its_limits_again() -> None:
    home = Worn().measure(CUFF, HIGH).finger(80.0, 30.0).finger(96.0, 40.0)
    assert home.state.vitals.waiting == {}
    home = Worn().measure(CUFF, HIGH).finger(87.0, 30.0)
    home.limit(VitalLimits(low_oxygen_pct=80.0)).say(Meaning.FINE).wait(MINUTE)
    assert Phrase.WARN_OXYGEN not in home.said


def test_a_restart_forgets_a_finger_and_not_a_question() -> None:
    home = Worn().finger(87.0, 10.0)
    home.start(home.at).wait(MINUTE)
    assert home.calm()
    home = Worn().finger(87.0, 30.0)
    home.start(9.0).wait(2 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.OXYGEN]
    assert BAND not in home.state.vitals.bands
