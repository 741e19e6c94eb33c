"""A pulse too fast at rest, or too slow: asked about first, and never a false alarm."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import VitalKind, VitalLimits
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.model.events import HeartRateMeasured, MotionChanged
from hub.core.model.rules import Sense
from tests.hub.core.vitals.scenes import (
    BAND,
    DAY,
    HELP,
    HOUR,
    KITCHEN,
    LIVING,
    MINUTE,
    RULES,
    STRAP,
    Worn,
    beats,
)

FAST, SLOW, USUAL = 135.0, 34.0, 72.0


def asked() -> Worn:
    """A home whose resident was just asked about a fast pulse."""
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 11.2 * MINUTE)
    assert home.said == [Phrase.WARN_PULSE]
    return home


def test_a_fast_pulse_at_rest_is_asked_about_after_ten_minutes_and_raised_with_its_evidence() -> (
    None
):
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 9.5 * MINUTE)
    assert home.calm()
    home.beat(FAST, 2 * MINUTE)
    assert (home.said, home.alarms, home.tasks) == ([Phrase.WARN_PULSE], [], [])
    assert "warning" in home.shown
    home.beat(FAST, 6 * MINUTE)
    (told,) = home.alarms
    assert (told.kind, told.device, told.evidence) == (Kind.HEART_RATE, BAND, None)
    assert told.vital
    assert (told.vital.kind, told.vital.limit, told.vital.above) == (VitalKind.PULSE, 120.0, True)
    assert told.vital.value == pytest.approx(FAST, abs=1.0)
    assert 15 * MINUTE <= told.vital.lasted_s <= 17 * MINUTE
    assert told.vital.n > 100
    assert told.vital.usual is None, "two or three days are not known yet"


def test_a_slow_pulse_is_asked_about_and_raised() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(SLOW, 12 * MINUTE).beat(SLOW, 6 * MINUTE)
    (told,) = home.alarms
    assert told.vital
    assert (told.vital.limit, told.vital.above) == (40.0, False)
    assert (told.scaip.dty, told.scaip.stc) == ("0019", "0064"), "SCAIP: a low level"


def test_exercise_in_one_room_is_not_asked_about() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    for _ in range(30):
        home.move(LIVING).beat(FAST, MINUTE)
    assert home.calm()
    home.beat(FAST, 9 * MINUTE)  # and the heart is fast for a while after it
    home.beat(USUAL, HOUR)
    assert home.calm()


def test_stairs_and_housework_are_not_asked_about() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    for _ in range(10):
        home.move(LIVING).beat(FAST, 1.5 * MINUTE).move(KITCHEN).beat(FAST, 1.5 * MINUTE)
    assert home.calm()


def test_who_comes_in_by_the_door_is_not_at_rest() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    for _ in range(8):
        home.door().beat(FAST, 2 * MINUTE)
    assert home.calm()


def test_a_motion_sensor_that_stays_on_is_movement() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    home.take(MotionChanged(home.at + 1.0, LIVING, active=True)).beat(FAST, 25 * MINUTE)
    assert home.calm()


def test_a_motion_sensor_that_is_stuck_does_not_hide_an_episode_for_ever() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    home.take(MotionChanged(home.at + 1.0, LIVING, active=True)).beat(FAST, 50 * MINUTE)
    assert home.said[0] is Phrase.WARN_PULSE


def test_who_turns_over_now_and_then_is_at_rest() -> None:
    home = Worn().beat(USUAL, 6 * MINUTE)
    for _ in range(3):
        home.move(LIVING).beat(FAST, 5 * MINUTE)
    assert home.said == [Phrase.WARN_PULSE]


def test_a_home_without_motion_sensors_knows_no_rest_but_knows_a_slow_pulse() -> None:
    only = {d: s for d, s in RULES.sensors.items() if s.sense is Sense.WEARABLE}
    rules = replace(RULES, sensors=only)
    assert Worn(rules).beat(FAST, HOUR).calm()
    assert Worn(rules).beat(SLOW, 12 * MINUTE).said == [Phrase.WARN_PULSE]


def test_a_resident_who_is_out_is_not_at_rest() -> None:
    home = Worn().door().wait(10 * MINUTE)
    assert home.state.house.presence.kind == "away"
    home.beat(FAST, HOUR)
    assert not home.alarms
    assert Phrase.WARN_PULSE not in home.said


def test_a_band_that_is_taken_off_amid_an_episode_raises_nothing() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE)
    home.beat(0.0, MINUTE, worn=False).beat(FAST, 8 * MINUTE)
    assert home.calm()
    assert home.state.vitals.bands[BAND].high


def test_a_battery_that_dies_amid_an_episode_raises_nothing() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE).wait(HOUR)
    assert home.calm()
    home.beat(FAST, 8 * MINUTE)
    assert home.calm(), "it begins anew"


@pytest.mark.parametrize("bpm", [0.0, 255.0, 400.0, -1.0])
def test_0_and_255_are_no_readings(bpm: float) -> None:
    home = Worn().beat(bpm, HOUR)
    assert home.calm()
    assert home.state.vitals.bands == {}
    assert Worn().beat(USUAL, MINUTE).beat(bpm, HOUR).calm()


def test_contact_bits_that_lie_raise_nothing() -> None:
    not_worn = Worn().beat(FAST, HOUR, worn=False)
    assert not_worn.calm()
    on_the_table = Worn().beat(USUAL, 5 * MINUTE)
    for _ in range(360):
        at = on_the_table.at + 5.0
        on_the_table.take(HeartRateMeasured(at, BAND, FAST, worn=True))
    assert on_the_table.calm(), "no heart beats with one and the same number for minutes"
    contradicts = Worn().beat(USUAL, 5 * MINUTE)
    for n in range(360):
        at = contradicts.at + 5.0
        contradicts.take(HeartRateMeasured(at, BAND, FAST + n % 3, beats(70.0, 5.0, n), worn=True))
    assert contradicts.calm(), "its beats say 70"


def test_a_band_without_a_contact_bit_is_believed() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE, worn=None).beat(FAST, 11.2 * MINUTE, worn=None)
    assert home.said == [Phrase.WARN_PULSE]


def test_single_spikes_raise_nothing() -> None:
    home = Worn()
    for _ in range(40):
        home.beat(USUAL, 50.0).beat(200.0, 10.0)
    assert home.calm()


def test_a_slow_reading_among_fast_ones_does_not_hide_an_episode() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    for _ in range(12):
        home.beat(FAST, 50.0).beat(USUAL, 10.0)
    assert home.said == [Phrase.WARN_PULSE]


def test_a_band_of_somebody_else_is_nobodys() -> None:
    home = Worn().beat(FAST, HOUR, device="neighbour")
    assert home.calm()
    assert home.state.vitals.bands == {}


def test_a_reading_that_is_told_late_does_not_count() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE)
    before = home.state.vitals
    home.take(HeartRateMeasured(home.at - 60.0, BAND, FAST, worn=True))
    assert home.state.vitals.bands == before.bands


@pytest.mark.parametrize("meaning", [Meaning.FINE, Meaning.YES, Meaning.HOME])
def test_a_clear_word_ends_the_question_and_is_told_as_a_task(meaning: Meaning) -> None:
    home = asked().say(meaning)
    assert Phrase.READING_NOTED in home.said
    home.beat(FAST, HOUR)
    assert home.alarms == []
    (task,) = home.tasks
    assert (task.care, task.what, task.scaip.pri) == ("reading", "heart_rate", 3)
    assert task.vital
    assert (task.vital.said, task.vital.limit) == (meaning.value, 120.0)
    home.beat(FAST, 4 * HOUR)
    assert home.said.count(Phrase.WARN_PULSE) == 2, "after four hours it is asked again"


def test_a_pulse_a_step_beyond_the_one_answered_is_asked_about_once_it_lasts() -> None:
    home = asked().say(Meaning.FINE).beat(FAST + 15.0, 30 * MINUTE)
    assert home.said.count(Phrase.WARN_PULSE) == 1, "as fast as the one that was answered"
    home.beat(FAST + 25.0, 4 * MINUTE)
    assert home.said.count(Phrase.WARN_PULSE) == 1, "as long as any other: a median of ten minutes"
    home.beat(FAST + 25.0, 8 * MINUTE)
    assert home.said.count(Phrase.WARN_PULSE) == 2
    home.beat(FAST + 25.0, 6 * MINUTE)
    (told,) = home.alarms
    assert told.vital
    assert told.vital.value > FAST + 20.0


def test_a_fast_pulse_that_was_answered_silences_no_slow_one() -> None:
    home = asked().say(Meaning.FINE).beat(USUAL, 5 * MINUTE).beat(34.0, 18 * MINUTE)
    (told,) = home.alarms
    assert told.vital
    assert (told.vital.above, told.vital.limit) == (False, 40.0)


def test_the_green_button_ends_the_question() -> None:
    home = asked().press()
    assert home.said[1:] == [Phrase.READING_NOTED]
    assert home.tasks[0].vital
    assert home.tasks[0].vital.said == "button"


def test_motion_does_not_end_the_question() -> None:
    home = asked().move(LIVING).move(KITCHEN).beat(FAST, 6 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.HEART_RATE]


def test_words_that_nobody_understood_do_not_end_it() -> None:
    home = asked().say(Meaning.UNCLEAR).beat(FAST, 6 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.HEART_RATE]


@pytest.mark.parametrize("meaning", [Meaning.HELP, Meaning.UNWELL])
def test_who_is_not_well_is_taken_as_calling_and_the_reading_is_told_with_it(
    meaning: Meaning,
) -> None:
    home = asked().say(meaning)
    spoken, reading = home.alarms
    assert (spoken.kind, spoken.what, reading.what) == (Kind.SPOKEN, "raised", "repeated")
    assert (reading.kind, reading.alarm) == (Kind.HEART_RATE, spoken.alarm)
    assert reading.vital
    assert reading.vital.limit == 120.0
    home.beat(FAST, 30 * MINUTE)
    assert len(home.alarms) == 2, "not again within the hour"


def test_the_red_button_calls_and_the_reading_is_told_with_it() -> None:
    home = asked().press(HELP)
    assert [one.kind for one in home.alarms] == [Kind.HELP_BUTTON, Kind.HEART_RATE]


def test_a_no_is_asked_back_and_then_is_a_call() -> None:
    home = asked().say(Meaning.NO)
    assert home.said[-1] is Phrase.ASK_HELP
    home.beat(FAST, MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.SPOKEN, Kind.HEART_RATE]


def test_a_no_that_is_taken_back_ends_the_question() -> None:
    home = asked().say(Meaning.NO).say(Meaning.FINE)
    home.beat(FAST, HOUR)
    assert home.alarms == []
    assert len(home.tasks) == 1


def test_a_pulse_that_is_usual_again_ends_the_question() -> None:
    home = asked().beat(USUAL, 4 * MINUTE)
    assert home.said == [Phrase.WARN_PULSE, Phrase.READING_OVER]
    home.beat(USUAL, HOUR)
    assert (home.alarms, home.tasks) == ([], [])


def test_one_minute_within_the_limits_does_not_end_it_and_at_the_end_the_last_minute_decides() -> (
    None
):
    home = asked().beat(USUAL, MINUTE).beat(FAST, 6 * MINUTE)
    assert len(home.alarms) == 1
    home = asked().beat(FAST, 108.0).beat(USUAL, 60.0).beat(FAST, 70.0)
    assert (home.alarms, home.said[-1]) == ([], Phrase.READING_OVER)


@pytest.mark.parametrize("worn", [True, False])
def test_a_band_that_falls_silent_during_the_question_raises_nothing_but_a_task(
    worn: bool,  # noqa: FBT001
) -> None:
    home = asked()
    if not worn:
        home.beat(0.0, 10.0, worn=False)
    home.wait(HOUR)
    assert (home.alarms, [task.what for task in home.tasks]) == ([], ["heart_rate"])
    assert home.tasks[0].vital
    assert home.tasks[0].vital.said == ""


def test_a_restart_amid_an_episode_goes_on_with_it() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE)
    home.wait(3.0).start(home.at)
    home.beat(FAST, 3.2 * MINUTE)
    assert home.said == [Phrase.WARN_PULSE]
    power_cut = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE)
    power_cut.wait(40.0).start(9.0)
    power_cut.beat(FAST, 2.5 * MINUTE)
    assert power_cut.said == [Phrase.WARN_PULSE]


def test_after_a_long_power_cut_or_without_a_clock_an_episode_begins_anew() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE).wait(HOUR).start(9.0)
    for device in (KITCHEN, LIVING):
        home.move(device)
    home.wait(6 * MINUTE).beat(FAST, 8 * MINUTE)
    assert Phrase.WARN_PULSE not in home.said
    home.beat(FAST, 4 * MINUTE)
    assert Phrase.WARN_PULSE in home.said
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE).start(9.0, synced=False)
    assert home.state.vitals.bands[BAND].high is None


def test_a_restart_amid_the_question_asks_again_and_raises() -> None:
    home = asked()
    home.start(home.at).beat(FAST, 2 * MINUTE)
    assert [one.kind for one in home.alarms] == [Kind.HEART_RATE]
    quiet = asked()
    quiet.start(quiet.at).wait(2 * MINUTE)
    assert [one.kind for one in quiet.alarms] == [Kind.HEART_RATE], "it was fast a moment ago"


def test_after_a_restart_it_is_still_not_asked_again_for_hours() -> None:
    home = asked().press()
    home.start(9.0)
    for device in (KITCHEN, LIVING):
        home.move(device)
    home.wait(6 * MINUTE).beat(FAST, HOUR)
    assert home.said.count(Phrase.WARN_PULSE) == 1


def test_limits_that_change_amid_an_episode_hold_at_once() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 8 * MINUTE)
    home.limit(VitalLimits(high_rest_bpm=150.0)).beat(FAST, 10 * MINUTE)
    assert home.calm()
    home.limit(VitalLimits(high_rest_bpm=110.0, high_s=120.0)).beat(FAST, 3.2 * MINUTE)
    assert home.said == [Phrase.WARN_PULSE]
    assert all(reply.done for reply in home.replies)


def test_limits_that_change_amid_the_question_end_it() -> None:
    home = asked().limit(VitalLimits(high_rest_bpm=150.0))
    assert home.said[-1] is Phrase.READING_OVER
    home = asked().limit(VitalLimits(watch_pulse=False))
    assert home.said[-1] is Phrase.READING_OVER
    home.beat(FAST, HOUR)
    assert (home.alarms, home.tasks) == ([], [])
    home = asked().limit(VitalLimits(high_rest_bpm=130.0)).beat(FAST, 6 * MINUTE)
    assert home.alarms[0].vital
    assert home.alarms[0].vital.limit == 130.0


def test_without_limits_in_the_command_the_defaults_hold_again() -> None:
    home = Worn().limit(VitalLimits(high_rest_bpm=150.0)).limit(None)
    assert home.beat(FAST, 12 * MINUTE).said == [Phrase.WARN_PULSE]


def test_where_the_pulse_is_not_watched_it_is_told_and_never_asked_about() -> None:
    home = Worn().limit(VitalLimits(watch_pulse=False)).beat(FAST, HOUR)
    assert home.calm()
    assert home.entries(VitalKind.PULSE)


def test_a_fibrillating_heart_is_judged_by_its_limits_only() -> None:
    home = Worn().limit(VitalLimits(irregular=True, high_rest_bpm=140.0))
    home.beat(FAST, HOUR, rr=True)
    assert home.calm()
    home.beat(150.0, 11.2 * MINUTE, rr=True)
    assert home.said == [Phrase.WARN_PULSE]


def test_two_wearables_that_contradict_raise_nothing() -> None:
    home = Worn()
    for _ in range(30):
        home.beat(FAST, 30.0, BAND).beat(USUAL, 30.0, STRAP)
    assert home.calm()


def test_a_strap_whose_beats_confirm_it_is_believed_before_a_band() -> None:
    home = Worn()
    for _ in range(12):
        home.beat(USUAL, 5.0, BAND).beat(FAST, 55.0, STRAP, rr=True)
    assert home.said == [Phrase.WARN_PULSE]
    assert home.state.warning
    assert home.state.warning.device == STRAP


def test_two_wearables_that_agree_ask_once() -> None:
    home = Worn()
    for _ in range(24):
        home.beat(FAST, 30.0, BAND).beat(FAST, 30.0, STRAP)
    assert home.said.count(Phrase.WARN_PULSE) == 1


def test_a_question_waits_until_another_one_is_over() -> None:
    home = Worn().beat(USUAL, 5 * MINUTE).beat(FAST, 9.9 * MINUTE).say(Meaning.HELP)
    home.beat(FAST, 12.0)
    assert Phrase.WARN_PULSE not in home.said
    home.say(Meaning.NO).beat(FAST, MINUTE)
    assert home.said[-1] is Phrase.WARN_PULSE


def test_a_band_that_is_not_worn_is_no_sign_of_life() -> None:
    home = Worn().beat(USUAL, MINUTE).wait(HOUR)
    before = home.state.house.sensed[BAND].active_at
    home.beat(0.0, MINUTE, worn=False).beat(70.0, MINUTE, worn=False).beat(0.0, MINUTE, worn=None)
    assert home.state.house.sensed[BAND].active_at == before
    assert home.state.watch.words[BAND] > before, "but it is not silent"
    home.beat(70.0, MINUTE)
    assert home.state.house.sensed[BAND].active_at > before


def test_what_is_usual_at_rest_is_learned_over_days_and_told_with_the_alarm() -> None:
    home = Worn()
    for _ in range(4):
        home.beat(64.0, 2 * HOUR, every_s=20.0).wait(DAY - 2 * HOUR)
    home.effects.clear()
    home.move(LIVING).wait(6 * MINUTE).beat(FAST, 17 * MINUTE)
    told = home.alarms[-1]
    assert told.vital
    assert told.vital.usual == pytest.approx(64.0, abs=4.0)
