"""Readings beside calls, other devices, restarts: none of them hides or takes back anything."""

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.scaip import Kind, What
from hub.contract.voice import Meaning, Phrase
from hub.core.activity import quiet
from hub.core.model.events import HeartRateMeasured, VitalsMeasured
from hub.core.model.rules import Sense, Sensor
from tests.hub.core.vitals.scenes import (
    BAND,
    CUFF,
    FINGER,
    HELP,
    HOUR,
    KITCHEN,
    LIVING,
    MINUTE,
    RULES,
    STRAP,
    Worn,
)

FAST, USUAL = 135.0, 72.0
HIGH = {"systolic_mmhg": 192.0, "diastolic_mmhg": 101.0}
FINE = {"systolic_mmhg": 131.0, "diastolic_mmhg": 81.0}
OTHERS = {"finger 2": Sensor(Sense.WEARABLE), "cuff 2": Sensor(Sense.WEARABLE)}


def whats(home: Worn) -> list[What]:
    return [one.what for one in home.alarms]


def with_others() -> Worn:
    """A home with a second cuff and a second oximeter, as a couple may have."""
    return Worn(replace(RULES, sensors={**RULES.sensors, **OTHERS}))


def test_a_green_press_answers_the_question_and_does_not_take_an_open_call_back() -> None:
    home = Worn().press(HELP).measure(CUFF, HIGH).press()
    assert home.state.warning is None
    assert home.said[-2:] == [Phrase.WARN_PRESSURE, Phrase.READING_NOTED]
    assert whats(home) == [What.RAISED]
    home.press()
    assert whats(home)[-1] in {What.CANCELLED, What.CANCEL_ASKED}


def test_another_persons_oximeter_or_cuff_ends_no_question() -> None:
    home = with_others().finger(87.0)
    for _ in range(30):
        home.measure("finger 2", {"spo2_pct": 97.0})
    assert home.state.warning
    home = with_others().measure(CUFF, HIGH).measure("cuff 2", FINE)
    assert home.state.warning
    home.wait(6 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.BLOOD_PRESSURE]


def test_another_persons_cuff_does_not_drop_what_waits() -> None:
    home = with_others().finger(87.0).measure(CUFF, HIGH).measure("cuff 2", FINE)
    home.say(Meaning.FINE).wait(2.0)
    assert home.said[-1] is Phrase.WARN_PRESSURE


def test_oxygen_that_falls_during_the_question_is_not_told_as_the_higher_value() -> None:
    home = Worn().finger(88.0).finger(78.0, 40.0).say(Meaning.FINE)
    assert [one.kind for one in home.alarms] == [Kind.OXYGEN]
    assert home.alarms[0].vital
    assert home.alarms[0].vital.value == 78.0


def test_a_spare_band_that_repeats_one_number_contradicts_nobody() -> None:
    home = Worn()
    for n in range(22 * 12):
        home.beat(FAST + n % 3, 5.0, BAND)
        home.take(HeartRateMeasured(home.at, STRAP, USUAL, (), None))
    assert Phrase.WARN_PULSE in home.said


def test_a_spare_band_that_repeats_one_number_is_no_sign_of_life() -> None:
    home = Worn()
    for _ in range(30):
        home.wait(MINUTE).take(HeartRateMeasured(home.at, STRAP, USUAL, (), None))
    first = home.state.house.sensed[STRAP].active_at
    assert home.at - first > 28 * MINUTE
    home.wait(HOUR).start(9.0).wait(HOUR).take(HeartRateMeasured(home.at, STRAP, USUAL, (), None))
    assert not home.state.house.sensed[STRAP].known
    home.take(HeartRateMeasured(home.at, STRAP, USUAL + 1, (), None))
    assert home.state.house.sensed[STRAP].active_at == home.at


def test_a_question_that_a_power_cut_ends_waits_for_the_band_and_is_raised() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 11.2 * MINUTE)
    home.start(20.0, synced=False).wait(30.0).beat(FAST, 4 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.HEART_RATE]


def test_after_a_question_that_nobody_could_judge_it_is_asked_again_within_the_hour() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 11.2 * MINUTE)
    home.beat(0.0, 10.0, worn=False).wait(6 * MINUTE)
    assert len(home.tasks) == 1
    home.beat(FAST, HOUR + 20 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.HEART_RATE]


def test_a_reading_that_waited_is_asked_about_after_a_restart() -> None:
    home = Worn().finger(87.0).measure(CUFF, HIGH)
    home.start(9.0).say(Meaning.FINE).wait(2.0)
    assert home.said[-1] is Phrase.WARN_PRESSURE
    late = Worn().finger(87.0).measure(CUFF, HIGH).wait(10.0)
    late.at += HOUR
    late.start(9.0).say(Meaning.FINE).wait(2.0)
    assert late.said[-1] is not Phrase.WARN_PRESSURE, "it was measured an hour ago"


def test_a_home_without_a_band_is_not_asked_again_at_once_after_a_restart() -> None:
    home = Worn().measure(CUFF, HIGH).say(Meaning.FINE)
    home.start(9.0).measure(CUFF, HIGH)
    assert home.state.warning is None


def test_wearables_do_not_make_a_new_home_blind_to_quiet() -> None:
    home = Worn().beat(USUAL, MINUTE).beat(USUAL, MINUTE, STRAP).measure(CUFF, FINE)
    home.measure(FINGER, {"spo2_pct": 97.0})
    assert quiet.believed(home.state, home.rules) == 1.0
    assert {KITCHEN, LIVING} < {*home.state.house.sensed}
    home.wait(14 * HOUR)
    assert [one.kind for one in home.alarms] == [Kind.QUIET]
    assert FaultKind.SILENT not in {one.kind for one in home.state.faults.values()}


def test_a_reading_that_is_told_late_is_asked_about_for_the_whole_time() -> None:
    home = Worn()
    home.take(VitalsMeasured(home.at - 9 * MINUTE, CUFF, HIGH)).wait(3.9 * MINUTE)
    assert (home.said, home.alarms) == ([Phrase.WARN_PRESSURE], [])
    home.wait(2 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.BLOOD_PRESSURE]


def test_a_reading_that_is_told_after_long_is_a_task() -> None:
    home = Worn().wait(HOUR)
    home.take(VitalsMeasured(home.at - 30 * MINUTE, CUFF, HIGH)).wait(HOUR)
    assert (home.alarms, [task.what for task in home.tasks]) == ([], ["blood_pressure"])
