"""After a missed check-in: reminded, reminded again, the centre; over when there is life."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import AnsweredBy
from hub.contract.voice import Meaning, Phrase
from hub.core.checkin import checkin
from hub.core.decide import decide, recover
from hub.core.model.effects import Ask
from hub.core.model.events import Started
from hub.core.model.state import HomeState
from tests.hub.core.care_scenes import (
    ALIVE,
    COUNSEL,
    EIGHT,
    FINE,
    HOUR,
    MINUTE,
    MOOD,
    MOOD_SLOW,
    NINE,
    REMIND,
    RULES,
    SIX,
    SORRY,
    UNWELL,
    WAYS,
    Care,
    Wait,
    Way,
    alarm,
    care,
    closes,
    green,
    moves,
    need,
    red,
    result,
    said,
    steady,
)

ways = pytest.mark.parametrize("way", WAYS)
MISSED = NINE + 16 * MINUTE
SECOND = MISSED + 30 * MINUTE
CALLED = SECOND + HOUR


def missed(way: Way = steady) -> Care:
    story = care(way) >> Wait(NINE) << [MOOD] >> Wait(NINE + 60) << []
    story = story >> Wait(NINE + 5 * MINUTE) << [MOOD_SLOW] >> Wait(NINE + 6 * MINUTE) << []
    story = story >> Wait(NINE + 15 * MINUTE) << [MOOD_SLOW]
    return story >> Wait(MISSED) << [result("missed", "nobody", 3), REMIND]


def unclear(way: Way = steady) -> Care:
    story = care(way) >> Wait(NINE) << [MOOD]
    for n in range(2):
        story = story >> said(NINE + 8 + n, Meaning.UNCLEAR) << [SORRY, MOOD_SLOW]
    return story >> said(NINE + 10, Meaning.UNCLEAR) << [result("unclear", attempts=3), REMIND]


def called(way: Way = steady) -> Care:
    return missed(way) >> Wait(SECOND) << [REMIND] >> Wait(CALLED) << [alarm("raised")]


@ways
def test_a_missed_check_in_reaches_the_centre_on_the_same_day(way: Way) -> None:
    story = missed(way) >> Wait(SECOND - 2) << [] >> Wait(SECOND) << [REMIND]
    assert story >> Wait(CALLED - 2) << [] >> Wait(CALLED) << [alarm("raised")]
    assert CALLED - NINE < 2 * HOUR
    assert story >> Wait(CALLED + HOUR) << []


def test_the_alarm_says_since_when_and_where_nothing_was_seen() -> None:
    (raised,) = called().state.alarms
    ground = raised.evidence
    assert ground
    assert (raised.device, raised.place, ground.last) == ("hall", "거실", "hall")
    assert (ground.lasted_s, ground.limit_s) == (CALLED - 1, CALLED - NINE)
    assert ground.sensors == ("hall",)


@ways
@pytest.mark.parametrize("by", [AnsweredBy.MOTION, AnsweredBy.BUTTON])
def test_a_sign_of_life_before_the_call_ends_it(way: Way, by: AnsweredBy) -> None:
    sign = moves(MISSED + 60) if by is AnsweredBy.MOTION else green(MISSED + 60)
    story = missed(way) >> sign << [result("alive", by, 3), ALIVE]
    assert story >> Wait(SECOND) << [] >> Wait(CALLED) << []


@ways
def test_a_word_before_the_call_ends_it_with_what_it_says(way: Way) -> None:
    fine = [result("fine", "voice", 3), FINE]
    assert missed(way) >> said(MISSED + 9, Meaning.FINE) << fine >> Wait(CALLED) << []


def test_who_is_unwell_says_so_late_as_well() -> None:
    told = [result("unwell", "voice", 3), need("unwell"), UNWELL]
    assert missed() >> said(MISSED + 9, Meaning.NO) << told


def test_a_counsellor_is_an_answer_as_well() -> None:
    told = [need("counselling"), result("alive", "voice", 3), COUNSEL]
    assert missed() >> said(MISSED + 9, Meaning.COUNSEL) << told


@ways
def test_life_after_the_call_is_told_at_once_to_everybody_who_was_told(way: Way) -> None:
    story = called(way) >> moves(CALLED + 60)
    assert story << [result("alive", "motion", 3), alarm("cleared"), ALIVE]
    assert story.state.alarms[0].cleared, "only the centre closes it"
    assert story >> moves(CALLED + 90) << []


@ways
def test_words_that_nobody_understood_lead_to_a_person_in_spite_of_motion(way: Way) -> None:
    at = NINE + 10
    story = unclear(way) >> moves(at + 60) << [] >> Wait(at + 30 * MINUTE) << [REMIND]
    at += 90 * MINUTE
    story = story >> Wait(at) << [alarm("raised")] >> moves(at + 60) << []
    over = [result("fine", "voice", 3), alarm("cleared"), FINE]
    assert story >> said(at + 90, Meaning.FINE) << over


def test_the_green_button_is_clear_enough() -> None:
    assert unclear() >> green(NINE + 60) << [result("alive", "button", 3), ALIVE]


def test_slurred_words_to_a_reminder_are_no_all_clear() -> None:
    story = missed() >> said(MISSED + 9, Meaning.UNCLEAR) << [] >> moves(MISSED + 20) << []
    over = [result("alive", "button", 3), ALIVE]
    assert story >> Wait(SECOND) << [REMIND] >> green(SECOND + 5) << over


def test_an_open_alarm_silences_the_reminder_and_not_the_call() -> None:
    story = missed()
    other = care() >> red(NINE) << [alarm("raised", "help_button")]
    story.state = replace(story.state, alarms=other.state.alarms)
    assert story >> Wait(SECOND) << [] >> Wait(CALLED) << [alarm("repeated")]


def test_a_call_for_help_is_none_of_the_missed_check_in() -> None:
    """Somebody may have taken the alarm already; later motion must not read as an all-clear."""
    story = called() >> red(CALLED + 60)
    over = [alarm("raised", "help_button"), result("alive", "button", 3), alarm("cleared")]
    assert story << over
    assert story >> moves(CALLED + 90) << []
    assert story >> moves(CALLED + 900) << []


def test_the_next_check_in_is_asked_although_nobody_answered_the_last_one() -> None:
    story = called()
    assert story >> closes(CALLED + 60, story.state.alarms[0].id) << []
    assert story >> Wait(SIX) << [Ask(Phrase.ASK_HEALTH)]
    late, told = result("alive", "voice", 3), result("fine", topic="health")
    assert story >> said(SIX + 8, Meaning.FINE) << [told, late, FINE]


def test_after_a_cleared_alarm_the_next_miss_calls_again_and_is_cleared_again() -> None:
    story = called() >> moves(CALLED + 60)
    story = story << [result("alive", "motion", 3), alarm("cleared"), ALIVE]
    for at in (0, 60, 300, 360, 900, 960, 2760, 6360):
        (story >> Wait(SIX + at)).whatever()
    kinds = [(a.kind, a.cleared) for a in story.state.alarms]
    assert kinds == [("missed_checkin", False)], "told again under the same alarm"
    again = result("alive", "motion", 3, "health")
    assert story >> moves(SIX + 7000) << [again, alarm("cleared"), ALIVE]


def test_none_is_asked_while_the_last_one_is_on_its_way_to_the_centre() -> None:
    rules = replace(RULES, care=replace(RULES.care, times=("09:00", "10:00")))
    story = care(rules=rules) >> Wait(NINE) << [MOOD]
    for at, said_then in ((60, []), (300, [MOOD_SLOW]), (360, []), (900, [MOOD_SLOW])):
        story = story >> Wait(NINE + at) << said_then
    story = story >> Wait(MISSED) << [result("missed", "nobody", 3), REMIND]
    assert story >> Wait(SECOND) << [REMIND] >> Wait(NINE + HOUR) << []
    assert story >> Wait(CALLED) << [alarm("raised")] >> Wait(SIX) << []


def test_an_alarm_that_outlived_its_escalation_is_cleared_too() -> None:
    """The snapshot was damaged, the alarm is there."""
    story = called()
    story.state = replace(story.state, care=HomeState().care)
    assert story >> moves(CALLED + 60) << [alarm("cleared"), ALIVE]


def test_without_any_sign_of_life_ever_the_evidence_begins_with_the_question() -> None:
    event = Started(0.0, EIGHT, synced=True, boot="b1")
    story = Care(decide(recover(HomeState(), event, []), event, RULES)[0], steady)
    for at in (0, 60, 300, 360, 900, 960, 2760, 6360):
        (story >> Wait(NINE + at)).whatever()
    ground = story.state.alarms[0].evidence
    assert ground
    assert ground.lasted_s == CALLED - NINE


def test_every_step_of_the_escalation_has_its_deadline() -> None:
    state = missed().state
    assert checkin.next_wake(state, RULES) == SECOND
