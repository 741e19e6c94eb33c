"""The PHQ-2: two questions after a check-in, every two weeks; only what is clear is scored."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import Topic
from hub.contract.voice import Meaning, Phrase
from hub.core.checkin import checkin
from hub.core.model.effects import Ask
from hub.core.model.events import Talking
from hub.core.model.rules import CareRules
from tests.hub.core.care_scenes import (
    ALIVE,
    COUNSEL,
    DAY,
    FINE,
    MOOD,
    NINE,
    RULES,
    SORRY,
    UNWELL,
    WAYS,
    YEAR,
    Care,
    Wait,
    Way,
    alarm,
    care,
    green,
    moves,
    need,
    red,
    result,
    said,
    steady,
)

ways = pytest.mark.parametrize("way", WAYS)
INTEREST, MOOD_ITEM = Phrase.ASK_PHQ_INTEREST, Phrase.ASK_PHQ_MOOD
FIRST, SECOND = Ask(INTEREST), Ask(MOOD_ITEM)
FIRST_SLOW, SECOND_SLOW = Ask(INTEREST, slow=True), Ask(MOOD_ITEM, slow=True)
NUMBERS = CareRules(times=("09:00",), topics=(Topic.MOOD,), callout_s=14 * DAY)
DAILY = replace(RULES, care=NUMBERS)


def due(way: Way = steady) -> Care:
    """A check-in that is answered two weeks after the last screening."""
    story = care(way, DAILY)
    last = story.state.clock.offset_s + NINE - 14 * DAY
    story.state = replace(story.state, care=replace(story.state.care, screened_utc=last))
    story = story >> Wait(NINE) << [MOOD]
    return story >> said(NINE + 8, Meaning.FINE) << [result("fine"), FINE, FIRST]


@ways
@pytest.mark.parametrize(
    ("scores", "positive"), [((0, 0), 0), ((0, 2), 0), ((1, 2), 3), ((3, 0), 3), ((3, 3), 6)]
)
def test_three_points_or_more_are_told_and_less_is_nobodys_business(
    way: Way, scores: tuple[int, int], positive: int
) -> None:
    told = [need("low_mood", positive)] if positive else []
    meanings = [Meaning.NO if score == 0 else Meaning.YES for score in scores]
    story = due(way) >> said(NINE + 20, meanings[0], scores[0]) << [SECOND]
    assert story >> said(NINE + 30, meanings[1], scores[1]) << [*told, ALIVE]
    assert story >> Wait(NINE + 100) << []
    assert story.state.care.screening is None


def test_somebody_new_gets_to_know_the_voice_first() -> None:
    story = care() >> Wait(NINE) << [MOOD]
    assert story >> said(NINE + 8, Meaning.FINE) << [result("fine"), FINE]
    assert story.state.care.screened_utc == story.state.clock.offset_s + NINE + 8


@pytest.mark.parametrize("way", WAYS[:4])  # when the clock jumps, a year may have passed
def test_it_is_not_asked_again_before_its_time(way: Way) -> None:
    story = due(way) >> said(NINE + 20, Meaning.NO) << [SECOND]
    story = story >> said(NINE + 30, Meaning.NO) << [ALIVE]
    for day in range(1, 14):
        story = story >> Wait(NINE + day * DAY) << [MOOD]
        story = story >> said(NINE + day * DAY + 8, Meaning.FINE) << [result("fine"), FINE]
    story = story >> Wait(NINE + 14 * DAY) << [MOOD]
    assert story >> said(NINE + 14 * DAY + 31, Meaning.FINE) << [result("fine"), FINE, FIRST]


@pytest.mark.parametrize("year", [YEAR, -YEAR])
def test_a_clock_that_jumps_by_a_year_asks_once_more_and_not_for_ever(year: float) -> None:
    story = due() >> said(NINE + 20, Meaning.NO) << [SECOND]
    story = story >> said(NINE + 30, Meaning.NO) << [ALIVE]
    story.year = year
    story.beat(NINE + 40)
    story.beat(NINE + 41)
    story = story >> Wait(NINE + DAY) << [MOOD]
    story = story >> said(NINE + DAY + 8, Meaning.FINE) << [result("fine"), FINE, FIRST]
    story = story >> said(NINE + DAY + 20, Meaning.NO) << [SECOND]
    story = story >> said(NINE + DAY + 30, Meaning.NO) << [ALIVE] >> Wait(NINE + 2 * DAY) << [MOOD]
    assert story >> said(NINE + 2 * DAY + 8, Meaning.FINE) << [result("fine"), FINE]


def test_who_talks_about_the_question_is_given_more_time() -> None:
    story = due() >> Talking(NINE + 60) << [] >> Wait(NINE + 100) << []
    assert story >> Wait(NINE + 121) << [FIRST_SLOW]


@ways
def test_what_is_not_answered_is_asked_once_more_and_left_for_the_next_check_in(way: Way) -> None:
    story = due(way) >> Wait(NINE + 68) << [FIRST_SLOW] >> Wait(NINE + 128) << []
    assert story.state.care.screening is None
    story = story >> Wait(NINE + DAY) << [MOOD]
    fine = [result("fine"), FINE, FIRST]
    assert story >> said(NINE + DAY + 8, Meaning.FINE) << fine


@pytest.mark.parametrize(
    ("meaning", "score"),
    [
        (Meaning.UNCLEAR, 0),
        (Meaning.UNCLEAR, 2),
        (Meaning.YES, 0),
        (Meaning.UNWELL, 0),
        (Meaning.YES, 4),
        (Meaning.YES, -1),
        (Meaning.NO, 9),
    ],
)
def test_what_is_unclear_is_never_scored(meaning: Meaning, score: int) -> None:
    story = due() >> said(NINE + 20, meaning, score) << [SORRY, FIRST_SLOW]
    assert story >> said(NINE + 30, meaning, score) << []
    assert story.state.care.screening is None


def test_an_item_that_is_enough_alone_is_told_although_the_other_was_not_answered() -> None:
    story = due() >> said(NINE + 20, Meaning.YES, 3) << [SECOND] >> Wait(NINE + 80) << [SECOND_SLOW]
    assert story >> Wait(NINE + 140) << [need("low_mood", 3)]
    story = story >> Wait(NINE + DAY) << [MOOD]
    assert story >> said(NINE + DAY + 8, Meaning.FINE) << [result("fine"), FINE]


def test_it_is_no_answer_to_walk_about_or_to_press_the_green_button() -> None:
    story = due() >> moves(NINE + 12) << [] >> green(NINE + 14) << []
    assert story >> said(NINE + 20, Meaning.NO) << [SECOND]


def test_a_call_for_help_ends_it() -> None:
    story = due()
    wake = checkin.next_wake(story.state, RULES)
    assert wake == NINE + 68
    story = story >> red(NINE + 20) << [alarm("raised", "help_button")]
    assert checkin.next_wake(story.state, RULES) != NINE + 68
    assert story >> Wait(NINE + 21) << []
    assert story.state.care.screening is None


def test_a_counsellor_instead_of_an_answer() -> None:
    story = due() >> said(NINE + 20, Meaning.COUNSEL) << [need("counselling"), COUNSEL]
    assert story.state.care.screening is None


def test_who_is_unwell_is_asked_as_well_but_not_who_only_pressed_the_button() -> None:
    story = care(rules=DAILY)
    last = story.state.clock.offset_s - 14 * DAY
    story.state = replace(story.state, care=replace(story.state.care, screened_utc=last))
    story = story >> Wait(NINE) << [MOOD]
    pressed = story.state
    assert story >> said(NINE + 8, Meaning.UNWELL) << [
        result("unwell"), need("unwell"), UNWELL, FIRST,
    ]  # fmt: skip
    story = Care(pressed, steady, story.rules)
    assert story >> green(NINE + 8) << [result("alive", "button"), ALIVE]


def test_without_a_clock_nobody_is_screened() -> None:
    story = care(rules=DAILY)
    last = story.state.clock.offset_s - 14 * DAY
    story.state = replace(story.state, care=replace(story.state.care, screened_utc=last))
    story = story >> Wait(NINE) << [MOOD]
    story.beat(NINE + 2, synced=False)
    assert story >> said(NINE + 8, Meaning.FINE) << [result("fine"), FINE]
