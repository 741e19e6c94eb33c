"""Check-ins: asked, answered, unclear; with any restart and any error of the clock."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, Evidence, PresenceKind, Topic
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.alarm import warning
from hub.core.checkin import checkin
from hub.core.decide import decide, must_commit
from hub.core.model.effects import Ask, Say, Signal
from hub.core.model.events import Answered, Talking, Ticked
from hub.core.model.rules import CareRules
from tests.hub.core.care_scenes import (
    ALIVE,
    COUNSEL,
    DAY,
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
    Told,
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


def asked(way: Way = steady) -> Care:
    story = care(way) >> Wait(NINE) << [MOOD]
    assert story
    return story


@ways
def test_at_nine_it_asks_and_a_clear_answer_ends_it(way: Way) -> None:
    assert (
        care(way)
        >> Wait(NINE - 200)
        << []
        >> Wait(NINE)
        << [MOOD]
        >> said(NINE + 8, Meaning.FINE)
        << [result("fine"), FINE]
        >> Wait(NINE + 70)
        << []
    )


@pytest.mark.parametrize(
    ("meaning", "what"),
    [
        (Meaning.YES, [result("fine"), FINE]),
        (Meaning.AWAY, [result("alive"), Say(Phrase.AWAY_NOTED)]),
        (Meaning.HOME, [result("alive"), ALIVE]),
    ],
)
def test_every_clear_word_is_an_answer(meaning: Meaning, what: list[Say | Told]) -> None:
    assert asked() >> said(NINE + 8, meaning) << what


@ways
@pytest.mark.parametrize("meaning", [Meaning.UNWELL, Meaning.NO])
def test_who_is_unwell_is_told_to_the_centre_as_a_need(way: Way, meaning: Meaning) -> None:
    assert (
        asked(way)
        >> said(NINE + 8, meaning)
        << [result("unwell"), need("unwell"), UNWELL]
        >> Wait(NINE + 70)
        << []
    )


def test_a_day_at_home_is_no_illness() -> None:
    rules = replace(RULES, care=CareRules(topics=(Topic.OUTING,)))
    question = Ask(Phrase.ASK_OUTING)
    no = result("alive", topic="outing")
    story = care(rules=rules) >> Wait(NINE) << [question]
    assert story >> said(NINE + 8, Meaning.NO) << [no, ALIVE]


@ways
def test_the_green_button_is_an_answer_at_once(way: Way) -> None:
    assert (
        asked(way)
        >> green(NINE + 8)
        << [result("alive", "button"), ALIVE]
        >> said(NINE + 12, Meaning.FINE)
        << []
    )


@ways
def test_motion_is_an_answer_when_nothing_was_said_meanwhile(way: Way) -> None:
    assert (
        asked(way)
        >> moves(NINE + 8)
        << []
        >> moves(NINE + 12)
        << []
        >> Wait(NINE + 60)
        << [result("alive", "motion"), ALIVE]
    )


def test_who_walks_up_to_say_that_he_is_ill_is_heard() -> None:
    story = asked() >> moves(NINE + 8) << []
    unwell = [result("unwell"), need("unwell"), UNWELL]
    assert story >> said(NINE + 12, Meaning.UNWELL) << unwell


@ways
def test_three_attempts_the_later_ones_slower(way: Way) -> None:
    assert (
        asked(way)
        >> Wait(NINE + 60)
        << []
        >> Wait(NINE + 5 * MINUTE)
        << [MOOD_SLOW]
        >> Wait(NINE + 6 * MINUTE)
        << []
        >> Wait(NINE + 15 * MINUTE)
        << [MOOD_SLOW]
        >> Wait(NINE + 16 * MINUTE)
        << [result("missed", "nobody", 3), REMIND]
    )


@ways
def test_an_answer_between_two_attempts_counts(way: Way) -> None:
    story = asked(way) >> Wait(NINE + 60) << []
    assert story >> said(NINE + 100, Meaning.FINE) << [result("fine"), FINE]


def test_motion_between_two_attempts_is_no_answer_to_the_question() -> None:
    story = asked() >> Wait(NINE + 60) << [] >> moves(NINE + 100) << []
    assert story >> Wait(NINE + 5 * MINUTE) << [MOOD_SLOW]


@ways
def test_what_is_not_understood_is_asked_again_and_is_never_fine(way: Way) -> None:
    assert (
        asked(way)
        >> said(NINE + 8, Meaning.UNCLEAR)
        << [SORRY, MOOD_SLOW]
        >> said(NINE + 16, Meaning.UNCLEAR)
        << [SORRY, MOOD_SLOW]
        >> said(NINE + 24, Meaning.UNCLEAR)
        << [result("unclear", attempts=3), REMIND]
    )


def test_motion_does_not_make_up_for_words_that_nobody_understood() -> None:
    assert (
        asked()
        >> said(NINE + 8, Meaning.UNCLEAR)
        << [SORRY, MOOD_SLOW]
        >> moves(NINE + 12)
        << []
        >> Wait(NINE + 70)
        << []
        >> Wait(NINE + 68 + 9 * MINUTE)
        << [MOOD_SLOW]
    )


def test_a_word_that_is_understood_at_last_is_the_answer() -> None:
    story = asked() >> said(NINE + 8, Meaning.UNCLEAR) << [SORRY, MOOD_SLOW]
    assert story >> said(NINE + 16, Meaning.FINE) << [result("fine", attempts=2), FINE]


def test_that_nobody_answered_is_no_answer() -> None:
    silence = Answered(NINE + 20, Meaning.UNCLEAR, AnsweredBy.NOBODY)
    assert asked() >> silence << [] >> Wait(NINE + 60) << []


def test_topics_take_turns() -> None:
    story = care()
    for n, topic in enumerate((*Topic, Topic.MOOD)):
        at = (NINE, SIX)[n % 2] + n // 2 * DAY
        question = Ask(Phrase(f"ask_{topic}"))
        fine = [result("fine", topic=topic), FINE]
        assert story >> Wait(at) << [question] >> said(at + 8, Meaning.FINE) << fine


@ways
def test_who_has_said_that_they_are_out_is_not_asked(way: Way) -> None:
    story = care(way, presence=PresenceKind.AWAY, until=DAY)
    assert story >> Wait(NINE) << [result("away", "nobody", 0)] >> Wait(SIX - 2) << []


def test_whoever_went_out_after_the_first_question_is_not_missed() -> None:
    story = asked() >> Wait(NINE + 60) << []
    gone = care(presence=PresenceKind.AWAY, until=DAY).state.house.presence
    story.state = replace(story.state, house=replace(story.state.house, presence=gone))
    assert story >> Wait(NINE + 5 * MINUTE) << [result("away", "nobody", 1)]


def test_who_is_only_thought_to_be_out_is_asked_and_missed_like_anybody() -> None:
    """A care worker left by the exit door while the resident lies in bed."""
    story = care(presence=PresenceKind.AWAY) >> Wait(NINE) << [MOOD]
    story = story >> Wait(NINE + 60) << [] >> Wait(NINE + 5 * MINUTE) << [MOOD_SLOW]
    story = story >> Wait(NINE + 360) << [] >> Wait(NINE + 15 * MINUTE) << [MOOD_SLOW]
    missed_at = NINE + 16 * MINUTE
    story = story >> Wait(missed_at) << [result("missed", "nobody", 3), REMIND]
    story = story >> Wait(missed_at + 30 * MINUTE) << [REMIND]
    assert story >> Wait(missed_at + 90 * MINUTE) << [alarm("raised")]


def test_who_is_only_thought_to_be_out_may_answer() -> None:
    story = care(presence=PresenceKind.AWAY) >> Wait(NINE) << [MOOD]
    assert story >> said(NINE + 9, Meaning.UNWELL) << [result("unwell"), need("unwell"), UNWELL]


def test_one_who_spoke_is_not_away_whatever_the_door_says() -> None:
    story = care() >> Wait(NINE) << [MOOD]
    gone = care(presence=PresenceKind.AWAY).state.house.presence
    story.state = replace(story.state, house=replace(story.state.house, presence=gone))
    assert story >> said(NINE + 9, Meaning.UNCLEAR) << [SORRY, MOOD_SLOW]


def test_an_alarm_has_the_word_and_the_check_in_waits() -> None:
    story = care() >> red(NINE - 60) << [alarm("raised", "help_button")]
    (called,) = story.state.alarms
    assert story >> Wait(NINE) << [] >> Wait(NINE + HOUR) << []
    assert checkin.next_wake(replace(story.state, alarms=()), RULES) == NINE
    assert story >> closes(NINE + HOUR + 5, called.id) << [] >> Wait(NINE + HOUR + 6) << [MOOD]
    assert story >> said(NINE + HOUR + 12, Meaning.FINE) << [result("fine"), FINE]


def test_a_check_in_that_waited_for_two_hours_is_skipped() -> None:
    story = care() >> red(NINE - 60) << [alarm("raised", "help_button")]
    (called,) = story.state.alarms
    story = story >> Wait(NINE) << []
    assert checkin.next_wake(story.state, RULES) == NINE + 2 * HOUR
    assert story >> Wait(NINE + 2 * HOUR) << [] >> closes(NINE + 2 * HOUR + 1, called.id) << []
    assert story >> Wait(SIX - 1) << []


@pytest.mark.parametrize("way", WAYS[:4])
def test_a_check_in_that_waits_for_an_alarm_outlasts_a_restart(way: Way) -> None:
    story = care() >> red(NINE - 60) << [alarm("raised", "help_button")] >> Wait(NINE) << []
    (called,) = story.state.alarms
    story.way = way
    assert story >> Wait(NINE + HOUR) << [] >> Wait(NINE + HOUR + 300) << []
    story.way = steady
    assert story >> closes(NINE + HOUR + 305, called.id) << []
    assert story >> Wait(NINE + HOUR + 306) << [MOOD]


@pytest.mark.parametrize("after_s", [10.0, 100.0])
def test_an_alarm_amid_a_check_in_makes_it_wait(after_s: float) -> None:
    """An automatic one; what a finger raises is an answer."""
    story = asked() >> Wait(NINE + 60 if after_s > 60 else NINE + 5) << []
    other = care() >> red(NINE) << [alarm("raised", "help_button")]
    story.state = replace(story.state, alarms=other.state.alarms)
    assert story >> Wait(NINE + after_s) << [] >> said(NINE + after_s + 1, Meaning.FINE) << []
    (called,) = story.state.alarms
    again = MOOD_SLOW if after_s > 60 else MOOD
    assert story >> closes(NINE + 1000, called.id) << [] >> Wait(NINE + 1001) << [again]


def test_while_the_house_warns_of_an_alarm_nobody_is_asked_how_they_are() -> None:
    story = care() >> Wait(NINE - 10) << []
    ground = warning.Ground(Kind.QUIET, "hall", Evidence(0.0, 0.0, 0.0, 0.0))
    story.state, _ = warning.begin(story.state, ground, NINE - 10, RULES)
    over = Say(Phrase.WARNING_OVER)
    assert story >> Wait(NINE) << [] >> moves(NINE + 15) << [over, MOOD]


def test_a_question_that_is_overdue_after_a_power_cut_is_asked_at_once() -> None:
    story = asked()
    story.start(NINE + 10 * MINUTE, 9.0)
    assert story >> Wait(NINE + 10 * MINUTE + 5) << [], "the voice may not be up yet"
    assert story >> Wait(NINE + 11 * MINUTE) << [MOOD_SLOW]


def test_a_question_whose_answer_is_overdue_is_asked_again_at_once_if_it_is_time() -> None:
    assert asked() >> Wait(NINE + 10 * MINUTE) << [MOOD_SLOW]


def test_a_check_in_that_an_alarm_cuts_off_too_late_is_given_up() -> None:
    rules = replace(RULES, care=CareRules(late_s=60.0))
    story = care(rules=rules) >> Wait(NINE) << [MOOD]
    other = care() >> red(NINE) << [alarm("raised", "help_button")]
    story.state = replace(story.state, alarms=other.state.alarms)
    assert story >> Wait(NINE + 60) << []
    assert story.state.care.visit is None


def test_a_call_for_help_is_an_answer_too_and_goes_first() -> None:
    story = asked() >> red(NINE + 5)
    assert story << [alarm("raised", "help_button"), result("alive", "button")]


def test_the_green_button_is_no_answer_to_what_was_not_asked_yet() -> None:
    story = care() >> red(NINE - 60) << [alarm("raised", "help_button")] >> Wait(NINE) << []
    cancel = [alarm("cancel_asked", "help_button"), Say(Phrase.CANCEL_ASKED)]
    assert story >> green(NINE + 30) << cancel
    assert story.state.care.visit


@ways
def test_a_counsellor_can_be_asked_for_at_any_time(way: Way) -> None:
    assert (
        care(way)
        >> said(100, Meaning.COUNSEL)
        << [need("counselling"), COUNSEL]
        >> said(160, Meaning.COUNSEL)
        << [COUNSEL]
        >> said(800, Meaning.COUNSEL)
        << [need("counselling"), COUNSEL]
    )


def test_who_asks_for_a_counsellor_when_asked_is_alive_and_not_fine() -> None:
    story = asked() >> said(NINE + 8, Meaning.COUNSEL)
    assert story << [need("counselling"), result("alive"), COUNSEL]


def test_who_says_unasked_that_he_is_ill_is_heard_and_other_words_mean_nothing() -> None:
    story = care() >> said(100, Meaning.UNWELL) << [need("unwell"), UNWELL]
    assert story >> said(110, Meaning.UNWELL) << [UNWELL]
    for meaning in (Meaning.FINE, Meaning.YES, Meaning.NO, Meaning.UNCLEAR):
        assert story >> said(120, meaning) << []


def test_who_talks_is_given_more_time() -> None:
    story = asked() >> Talking(NINE + 50) << [] >> Wait(NINE + 100) << []
    assert story >> said(NINE + 105, Meaning.FINE) << [result("fine"), FINE]


def test_a_talk_that_never_ends_is_stuck() -> None:
    story = asked()
    for at in range(50, 600, 50):
        story = story >> Talking(NINE + at)
        story.whatever()
    assert story.state.care.visit
    assert story.state.care.visit.attempts == 2
    pausing = asked() >> Wait(NINE + 61) << [] >> Talking(NINE + 70) << []
    assert pausing >> Wait(NINE + 361) << [MOOD_SLOW]


def test_a_talk_about_nothing_that_waits_changes_nothing() -> None:
    story = care() >> Talking(NINE - 100) << []
    assert story.state.care.visit is None


def test_a_talk_with_last_words_of_its_own_is_not_thanked_twice() -> None:
    closing = replace(said(NINE + 10, Meaning.FINE), closes=True)
    assert asked() >> closing << [result("fine")]
    assert (
        asked()
        >> replace(closing, meaning=Meaning.COUNSEL)
        << [need("counselling"), result("alive")]
    )


def test_each_ill_is_told_once_with_its_name() -> None:
    story = care() >> replace(said(100, Meaning.UNWELL), what="head") << [need("unwell"), UNWELL]
    story = story >> replace(said(110, Meaning.UNWELL), what="head") << [UNWELL]
    assert story >> replace(said(120, Meaning.UNWELL), what="cold") << [need("unwell"), UNWELL]
    assert story.state.care.told_at == {"unwell/head": 100.0, "unwell/cold": 120.0}


def test_a_question_that_waits_is_shown() -> None:
    story, seen = care() >> Wait(NINE - 1) << [], []
    for event in (Wait(NINE), said(NINE + 8, Meaning.FINE)):
        seen.append(story.state.shown)
        story = story >> event
    assert [*seen, story.state.shown] == [Signal.OFFLINE, Signal.ASKING, Signal.OFFLINE]


def test_a_check_in_under_way_is_brought_to_the_disk() -> None:
    before = care().state
    after, effects = decide(before, Ticked(NINE), RULES)
    assert must_commit(before, after, effects)


def test_a_result_says_which_check_in_it_belongs_to() -> None:
    story = asked()
    visit = story.state.care.visit
    assert visit
    assert (visit.name, visit.due_utc) == ("2026-03-01-0900", 1_772_323_200.0)
    assert Told("anbu.checkin.fine", "mood voice 1") == result("fine")
