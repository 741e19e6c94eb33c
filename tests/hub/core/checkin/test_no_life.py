"""The rule of 24 and 48 hours: with any restart and any error of the clock."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import Evidence, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.activity.presence import ABSENCE
from hub.core.alarm.warning import Ground, begin
from hub.core.decide import decide, next_wake, recover
from hub.core.model.activity import NEVER
from hub.core.model.checkin import LifeWatch
from hub.core.model.effects import Ask, Say
from hub.core.model.events import Started, Ticked
from hub.core.model.rules import CareRules
from hub.core.model.state import HomeState
from tests.hub.core.care_scenes import (
    DAY,
    EIGHT,
    HALL,
    HOUR,
    MINUTE,
    RULES,
    WATCH,
    WAYS,
    YEAR,
    Care,
    Wait,
    Way,
    alarm,
    beats,
    care,
    closes,
    green,
    jumping_at_reboots,
    moves,
    need,
    said,
    steady,
)
from tests.hub.core.scenes import calls, read

ways = pytest.mark.parametrize("way", WAYS)
NOBODY = replace(RULES, care=CareRules(times=()))
LIFE = 3.0  # the last that was seen
CALLED_OUT = 1.0 + DAY
WARN, OVER = Ask(Phrase.WARN_NO_LIFE), Say(Phrase.WARNING_OVER)
RAISED = CALLED_OUT + 5 * MINUTE
DISPATCH = 1.0 + 2 * DAY


def silent(way: Way = steady) -> Care:
    """A home without check-ins, in which nobody moved after 1.0."""
    return care(way, NOBODY)


def warned(way: Way = steady) -> Care:
    story = silent(way) >> Wait(HOUR) << [] >> Wait(CALLED_OUT - 2) << []
    return story >> Wait(CALLED_OUT) << [WARN]


def raised(way: Way = steady) -> Care:
    story = warned(way)
    story.way = steady  # a restart lets the warning speak again: another story
    story = story >> Wait(RAISED) << [alarm("raised", "no_life")]
    story.way = way
    return story


@ways
def test_a_day_without_life_is_called_out_then_told_and_after_two_somebody_goes(way: Way) -> None:
    story = raised(way) >> Wait(DISPATCH - 2) << []
    assert story >> Wait(DISPATCH) << [alarm("repeated", "no_life")]
    assert story >> Wait(DISPATCH + DAY) << [] >> Wait(DISPATCH + 5 * DAY) << []


def test_the_dispatch_says_for_how_long_there_was_no_life() -> None:
    story = raised()
    (first,) = story.state.alarms
    assert first.evidence
    assert (first.evidence.lasted_s, first.evidence.limit_s) == (DAY, DAY)
    assert (first.device, first.place) == (HALL, "거실")
    state, effects = decide(story.state, Ticked(DISPATCH), NOBODY)
    del state
    ground = read(calls(effects)[0]).data.evidence
    assert ground
    assert (ground.lasted_s, ground.limit_s, ground.since_utc) == (2 * DAY, 2 * DAY, EIGHT + 1)


@ways
def test_any_answer_to_the_call_out_ends_it(way: Way) -> None:
    story = warned(way) >> moves(CALLED_OUT + 10) << [OVER]
    assert story >> Wait(CALLED_OUT + DAY) << []
    assert warned(way) >> said(CALLED_OUT + 10, Meaning.AWAY) << [OVER, Say]
    assert warned(way) >> green(CALLED_OUT + 10) << [OVER]


@ways
@pytest.mark.parametrize("at", [RAISED + 60, DISPATCH + 60])
def test_life_after_the_alarm_is_an_all_clear_at_once(way: Way, at: float) -> None:
    story = raised(way)
    if at > DISPATCH:
        story = story >> Wait(DISPATCH) << [alarm("repeated", "no_life")]
    assert story >> moves(at) << [alarm("cleared", "no_life")]
    assert story.state.care.rung is LifeWatch.WATCHING
    assert story >> moves(at + 10) << []
    assert story >> Wait(at + DAY) << [] >> Wait(at + 10 + DAY + 0.2) << [WARN]


def test_words_that_nobody_understood_may_be_the_televisions() -> None:
    assert raised() >> said(RAISED + 60, Meaning.UNCLEAR) << []
    assert raised() >> said(RAISED + 60, Meaning.FINE) << [alarm("cleared", "no_life")]


def test_a_beating_heart_is_life_for_this_rule() -> None:
    story = silent() >> beats(DAY / 2) << [] >> Wait(CALLED_OUT) << []
    assert story >> Wait(DAY / 2 + DAY - 2) << [] >> Wait(DAY / 2 + DAY) << [WARN]


def test_a_heart_that_is_felt_again_ends_the_warning_and_the_alarm() -> None:
    story = warned() >> beats(CALLED_OUT + 10) << [] >> Wait(CALLED_OUT + 11) << [OVER]
    assert story >> Wait(CALLED_OUT + DAY) << []
    story = raised() >> beats(RAISED + 10) << []
    assert story >> Wait(RAISED + 11) << [alarm("cleared", "no_life")]
    assert story >> Wait(DISPATCH) << []


def test_a_heart_does_not_end_the_warning_of_something_else() -> None:
    story = raised()
    ground = Ground(Kind.QUIET, HALL, Evidence(0.0, 0.0, 0.0, 0.0))
    story.state, _ = begin(story.state, ground, RAISED + 5, NOBODY)
    story = story >> beats(RAISED + 10) << [] >> Wait(RAISED + 11) << [alarm("cleared", "no_life")]
    assert story.state.warning


def test_a_home_that_never_saw_life_is_not_watched() -> None:
    event = Started(0.0, EIGHT, synced=True, boot="b1")
    state = recover(HomeState(), event, [])
    for at in (0.0, DAY, 2 * DAY, 9 * DAY):
        state, _ = decide(state, Ticked(at), NOBODY)
        assert (state.warning, state.alarms, state.care.look_at) == (None, (), None)


def test_a_heart_that_was_felt_before_the_time_was_noted_ends_it_too() -> None:
    story = warned() >> beats(CALLED_OUT + 50) << [] >> Wait(CALLED_OUT + 70) << [OVER]
    assert story >> Wait(CALLED_OUT + DAY - 60) << []


def test_another_warning_is_heard_out_first() -> None:
    story = silent() >> Wait(CALLED_OUT - 60) << []
    ground = Ground(Kind.QUIET, HALL, Evidence(0.0, 0.0, 0.0, 0.0))
    story.state, _ = begin(story.state, ground, CALLED_OUT - 60, NOBODY)
    story = story >> Wait(CALLED_OUT) << []
    assert next_wake(story.state, NOBODY) == CALLED_OUT + 30
    assert story >> Wait(CALLED_OUT + 240) << [alarm("raised", "quiet"), WARN]


def test_an_alarm_that_the_centre_closed_is_followed_by_the_dispatch_all_the_same() -> None:
    story = raised()
    assert story >> closes(RAISED + 60, story.state.alarms[0].id) << []
    assert story >> Wait(DISPATCH) << [alarm("raised", "no_life")]


def test_who_said_that_he_is_away_is_given_until_then() -> None:
    story = care(rules=NOBODY, presence=PresenceKind.AWAY, until=DAY + HOUR)
    assert story >> Wait(CALLED_OUT) << [] >> Wait(DAY + HOUR) << [WARN]


def test_who_is_away_without_a_word_is_missed_after_a_day() -> None:
    story = care(rules=NOBODY, presence=PresenceKind.AWAY)
    story = story >> Wait(DAY / 2 + 60) << [need("not_back")] >> Wait(CALLED_OUT - 2) << []
    assert story >> Wait(CALLED_OUT) << [WARN]


def test_who_is_thought_to_be_away_is_missed_after_a_day_whatever_absences_there_were() -> None:
    """After nine days in hospital, 24 h became eleven days for as long as they were remembered."""
    story = care(rules=NOBODY, presence=PresenceKind.AWAY)
    habits = replace(story.state.habits, longest={ABSENCE: 9 * DAY})
    story.state = replace(story.state, habits=habits)
    story = story >> Wait(DAY / 2 + 60) << [need("not_back")]
    assert story >> Wait(CALLED_OUT) << [WARN]


@pytest.mark.parametrize("synced", [True, False])
def test_a_power_cut_does_not_begin_the_day_anew(synced: bool) -> None:  # noqa: FBT001
    """Twenty hours of silence, two hours without power."""
    story = silent() >> Wait(20 * HOUR) << []
    story.start(22 * HOUR, 9.0, synced=synced)
    if not synced:
        assert story >> Wait(22 * HOUR + 5) << []
        story.beat(22 * HOUR + 10)
    assert story >> Wait(CALLED_OUT - 2) << [] >> Wait(CALLED_OUT + 1) << [WARN]


def test_without_any_clock_what_was_seen_of_the_silence_still_counts() -> None:
    story = silent() >> Wait(20 * HOUR) << []
    story.start(22 * HOUR, 9.0, synced=False)
    assert story >> Wait(CALLED_OUT) << [] >> Wait(CALLED_OUT + 2 * HOUR + 2) << [WARN]


def test_a_process_that_was_down_for_long_without_any_clock_loses_nothing() -> None:
    """Monotonic time went on."""
    story = silent() >> Wait(20 * HOUR) << []
    story.start(22 * HOUR, 22 * HOUR, synced=False)
    assert story >> Wait(CALLED_OUT - 2) << [] >> Wait(CALLED_OUT) << [WARN]


def test_two_power_cuts_without_a_clock_are_one() -> None:
    story = silent() >> Wait(10 * HOUR) << []
    story.start(12 * HOUR, 9.0, synced=False)
    story = story >> moves(12 * HOUR + 60) << []
    story.start(15 * HOUR, 9.0, synced=False)
    story = story >> Wait(16 * HOUR) << []
    story.beat(16 * HOUR + 1)
    story.beat(16 * HOUR + 2)
    at = 12 * HOUR + 60 + DAY
    assert story >> Wait(at) << [], "what was seen between the two cuts is believed"
    assert story >> Wait(at + 3 * HOUR) << [WARN]


@pytest.mark.parametrize("year", [YEAR, -YEAR])
def test_a_clock_that_is_a_year_wrong_after_a_power_cut_is_not_believed(year: float) -> None:
    story = silent() >> Wait(20 * HOUR) << []
    story.year = year
    story.start(20 * HOUR + 60, 9.0)
    assert story >> Wait(20 * HOUR + 120) << [] >> Wait(CALLED_OUT - 61) << []
    assert story >> Wait(CALLED_OUT + 61) << [WARN]


def test_the_day_is_over_sometime_even_if_the_power_fails_again_and_again() -> None:
    story, at = silent(jumping_at_reboots), HOUR
    while not story.state.alarms:
        (story >> Wait(at)).whatever()
        at += HOUR / 4
        assert at < 1.2 * DAY
    assert at > DAY


def test_a_week_in_a_cupboard_is_no_silence() -> None:
    story = silent() >> Wait(HOUR) << []
    story.start(30 * DAY, 9.0)
    assert story >> Wait(30 * DAY + HOUR) << []


def test_what_the_new_process_was_told_of_the_old_house_is_no_life() -> None:
    story = silent() >> Wait(20 * HOUR) << []
    story.start(20 * HOUR + 60, 9.0)
    house = story.state.house
    assert house.active_at <= 9.0
    story.state = replace(story.state, house=replace(house, active_at=NEVER))
    assert story >> Wait(CALLED_OUT + 1) << [WARN]


def test_a_sensor_that_the_config_does_not_know_is_no_wearable() -> None:
    story = silent() >> beats(100) << []
    rules = replace(NOBODY, sensors={HALL: NOBODY.sensors[HALL]})
    story.rules = rules
    assert WATCH in story.state.house.sensed
    assert story >> Wait(CALLED_OUT) << [WARN]
