"""Answers without a word: asked again once, then a person is told; no groan ends anything."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, CheckInEvent, Evidence
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.model.checkin import Screening
from hub.core.model.effects import Ask, Effect, Publish
from hub.core.model.events import Answered, Ticked
from hub.core.model.rules import Rules
from hub.core.model.state import Caution, Said
from tests.hub.core.care_scenes import (
    ALIVE,
    FINE,
    HOUR,
    MINUTE,
    MOOD,
    MOOD_SLOW,
    NINE,
    REMIND,
    RULES,
    SORRY,
    Care,
    Wait,
    alarm,
    care,
    green,
    result,
    said,
)

HELP, PHQ = Ask(Phrase.ASK_HELP), Ask(Phrase.ASK_PHQ_INTEREST, slow=True)
QUIET_HOME = replace(RULES, spoken_sos=False)  # who wants no spoken calls


def sounds(at: float, times: int = 1, asked: str = "ask_mood") -> Answered:
    return Answered(at, Meaning.UNCLEAR, asked=asked, wordless=times)


def asked(rules: Rules = RULES) -> Care:
    story = care(rules=rules) >> Wait(NINE) << [MOOD]
    assert story
    return story


def told(effects: list[Effect]) -> list[CheckInEvent | AlarmEvent]:
    """Return the events among the effects, decoded."""
    events = [
        wire.decode_from_hub(one.topic, one.payload)[1]
        for one in effects
        if isinstance(one, Publish) and one.topic.endswith("/event")
    ]
    return [one for one in events if isinstance(one, CheckInEvent | AlarmEvent)]


def test_a_second_answer_without_a_word_asks_whether_help_is_needed_and_tells_the_centre() -> None:
    story = asked() >> sounds(NINE + 8) << [SORRY, MOOD_SLOW]
    assert story >> sounds(NINE + 20) << [result("unclear", attempts=2), HELP]


def test_two_in_one_talk_are_two() -> None:
    assert asked() >> sounds(NINE + 30, 2) << [result("unclear"), HELP]


def test_who_only_groans_on_the_floor_has_called_within_fifteen_seconds() -> None:
    story = asked() >> sounds(NINE + 30, 2) << [result("unclear"), HELP]
    assert story >> Wait(NINE + 44) << [] >> Wait(NINE + 45) << [alarm("raised", "spoken")]
    [raised] = story.state.alarms
    assert (raised.kind, raised.about) == (Kind.SPOKEN, "wordless")
    assert story >> Wait(NINE + 6 * HOUR) << []  # nobody is called twice for one check-in


def test_a_groan_to_whether_help_is_needed_raises_it_at_once() -> None:
    story = asked() >> sounds(NINE + 30, 2) << [result("unclear"), HELP]
    assert story >> sounds(NINE + 36, 1, "ask_help") << [alarm("raised", "spoken")]
    assert story.state.alarms[0].about == "wordless"


def test_who_called_in_words_and_groans_when_asked_back_has_called_for_what_was_said() -> None:
    story = care() >> replace(said(100.0, Meaning.HELP), what="fall") << [HELP]
    assert story >> sounds(106.0, 1, "ask_help") << [alarm("raised", "spoken")]
    assert story.state.alarms[0].about == "fall"


@pytest.mark.parametrize("meaning", [Meaning.NO, Meaning.FINE, Meaning.CANCEL])
def test_a_clear_word_takes_it_back_and_the_centre_learns_of_life(meaning: Meaning) -> None:
    story = asked() >> sounds(NINE + 30, 2) << [result("unclear"), HELP]
    answer = replace(said(NINE + 36, meaning), asked="ask_help")
    over = [result("alive", attempts=1), ALIVE]
    assert [one for one in (story >> answer).effects if one in over][:1] == over[:1]
    assert not story.whatever().state.alarms
    assert story >> Wait(NINE + 6 * HOUR) << []


def test_the_green_button_takes_it_back() -> None:
    story = asked() >> sounds(NINE + 30, 2) << [result("unclear"), HELP]
    assert not (story >> green(NINE + 36)).whatever().state.alarms
    assert story >> Wait(NINE + 6 * HOUR) << []


def test_a_word_after_a_sound_is_the_answer() -> None:
    story = asked() >> sounds(NINE + 8) << [SORRY, MOOD_SLOW]
    assert story >> said(NINE + 16, Meaning.FINE) << [result("fine", attempts=2), FINE]


def test_words_that_nobody_understood_are_no_sounds() -> None:
    story = asked() >> said(NINE + 8, Meaning.UNCLEAR) << [SORRY, MOOD_SLOW]
    assert story >> sounds(NINE + 20) << [SORRY, MOOD_SLOW]
    assert story >> said(NINE + 28, Meaning.UNCLEAR) << [result("unclear", attempts=3), REMIND]


def test_a_groan_to_a_reminder_counts_with_those_before() -> None:
    story = asked() >> sounds(NINE + 8) << [SORRY, MOOD_SLOW]
    for minute in range(1, 20):  # nobody answers
        story.do(Ticked(NINE + minute * MINUTE))
    assert story.state.care.missed
    assert story >> sounds(NINE + 21 * MINUTE, 1, "remind") << [HELP]
    assert story >> Wait(NINE + 22 * MINUTE) << [alarm("raised", "spoken")]


def test_the_result_says_how_often_there_was_no_word() -> None:
    story = asked()
    [event] = told(story.do(sounds(NINE + 30, 2)))
    assert isinstance(event, CheckInEvent)
    assert (str(event.data.result), event.data.wordless) == ("unclear", 2)


def test_where_spoken_calls_are_off_the_escalation_tells_a_person_and_says_why() -> None:
    story = asked(QUIET_HOME) >> sounds(NINE + 30, 2) << [result("unclear"), REMIND]
    story.do(Ticked(NINE + 31 * MINUTE))
    [event] = told(story.do(Ticked(NINE + 92 * MINUTE)))
    assert isinstance(event, AlarmEvent)
    assert (event.data.kind, event.data.evidence and event.data.evidence.wordless) == (
        Kind.MISSED_CHECKIN,
        2,
    )


def test_two_groans_to_a_warning_ask_whether_help_is_needed() -> None:
    warning = Caution(Kind.QUIET, "hall", Evidence(0.0, 1.0, 1.0, 1.0), 9000.0, 60.0)
    story = care()
    story.state = replace(story.state, warning=warning)
    story.do(sounds(100.0, 1, "warn_quiet"))
    assert story.state.candidate is None
    assert HELP in story.do(sounds(104.0, 2, "warn_quiet"))


def test_groans_to_a_scale_are_never_scored_and_end_it() -> None:
    story = care()
    state = story.state
    story.state = replace(state, care=replace(state.care, screening=Screening(80.0)))
    assert PHQ in story.do(sounds(90.0, 1, "ask_phq_interest"))
    effects = story.do(sounds(100.0, 1, "ask_phq_interest"))
    assert HELP in effects
    assert PHQ not in effects
    assert story.state.care.screening is None


def test_what_was_told_of_says_more_than_a_sound() -> None:
    assert Said("", "wordless").with_answer("", "chest").about == "chest"
    assert Said("", "chest").with_answer("", "wordless").about == "chest"
    assert Said("", "wordless").with_answer("", "").about == "wordless"
