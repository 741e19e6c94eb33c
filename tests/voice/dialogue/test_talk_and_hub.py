"""The talk and the hub's check-in state machine together, without a socket."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from hub.contract.messages import Topic
from hub.contract.voice import Phrase
from hub.core.decide import next_wake
from hub.core.model.effects import Ask, Effect
from hub.core.model.events import Answered, Talking, Ticked
from tests.hub.core.care_scenes import (
    COUNSEL,
    DAY,
    MOOD,
    NINE,
    RULES,
    SORRY,
    Told,
    alarm,
    care,
    heard,
    need,
    result,
)
from tests.voice.dialogue.transcripts import happening, shipped
from voice.dialogue.acts import Act, Chime, End, Listen, Pause, Speak, Tell, speech_s
from voice.dialogue.talk import begin, step

FIRST, SECOND = Ask(Phrase.ASK_PHQ_INTEREST), Ask(Phrase.ASK_PHQ_MOOD)
HELP = Ask(Phrase.ASK_HELP)


class Home:
    """A hub, and a voice that answers what it asks; time passes as it would."""

    def __init__(self, topic: Topic = Topic.MOOD, *, screened_ago_s: float = DAY) -> None:
        rules = replace(RULES, care=replace(RULES.care, times=("09:00",), topics=(topic,)))
        self.care = care(rules=rules)
        last = self.care.state.clock.offset_s + NINE - screened_ago_s
        state = replace(self.care.state, care=replace(self.care.state.care, screened_utc=last))
        self.care.state = state
        self.at = NINE
        self.told = heard(self.care.do(Ticked(NINE)))

    def hears(self, *what: str, dies_after: int | None = None) -> list[Effect | Told]:
        """Hold the talk that was asked for last; return what the hub did with the answers."""
        ask = next(e for e in reversed(self.told) if isinstance(e, Ask))
        self.told = []
        talk, acts = begin(shipped(str(ask.phrase)), slow=ask.slow)
        self._do(acts, silent=what[:1] == ("silence",))
        for n, one in enumerate(what):
            if n == dies_after:
                return self.told
            talk, acts = step(talk, happening(one))
            self._do(acts, silent=what[n + 1 : n + 2] == ("silence",))
        return self.told

    def waits(self, s: float) -> list[Effect | Told]:
        self.told = []
        self._pass(s)
        return self.told

    def _do(self, acts: Iterable[Act], *, silent: bool) -> None:
        for act in acts:
            match act:
                case Speak(text=text, slow=slow):
                    self._pass(speech_s(text, slow=slow))
                case Pause(s=s):
                    self._pass(s)
                case Listen(s=s):
                    self._pass(0.0, Talking(0.0))
                    self._pass(s if silent else s * 0.9)
                case Tell(meaning=meaning, score=score, closes=closes, wordless=wordless):
                    told = Answered(0.0, meaning, score=score, closes=closes, wordless=wordless)
                    self._pass(0.1, told)
                case Chime() | End():
                    self._pass(0.5)

    def _pass(self, s: float, event: Talking | Answered | None = None) -> None:
        """Move the clock on; the hub decides each of its deadlines in turn."""
        until = self.at + max(s, 0.0)
        while (due := next_wake(self.care.state, self.care.rules)) is not None and due <= until:
            self.at = max(self.at + 0.001, due)
            self.told += heard(self.care.do(Ticked(self.at)))
        self.at = until
        if event is not None:
            self.told += heard(self.care.do(replace(event, at=self.at)))


def test_good_news_ends_the_visit_without_thanks_twice() -> None:
    home = Home()
    assert home.told == [MOOD]
    assert home.hears("yes") == [result("fine")]


def test_bad_news_is_at_the_centre_while_the_talk_goes_on() -> None:
    home = Home(Topic.HEALTH)
    unwell = [result("unwell", topic="health"), need("unwell")]
    assert home.hears("no", "unwell:head", dies_after=1) == unwell
    assert Home(Topic.HEALTH).hears("no", "unwell:head", "yes", "yes") == unwell


def test_a_voice_that_dies_amid_good_news_makes_nobody_fine() -> None:
    home = Home()
    home.hears("yes", dies_after=0)
    assert home.waits(70) == []
    assert home.waits(240) == [Ask(Phrase.ASK_MOOD, slow=True)]


def test_who_answers_late_is_not_asked_anew_by_the_hub() -> None:
    """Silence, the question again, "what did you say?", "slower": more than the hub's minute."""
    home = Home()
    began_at = home.at
    assert home.hears("silence", "repeat", "slower", "repeat", "yes") == [result("fine")]
    assert home.at - began_at > RULES.care.answer_s


def test_silence_is_asked_again_by_the_hub_after_five_minutes() -> None:
    home = Home()
    assert home.hears("silence", "silence") == []
    assert home.waits(330) == [Ask(Phrase.ASK_MOOD, slow=True)]


def test_words_that_nobody_understood_twice_are_the_hubs_to_apologise_for() -> None:
    home = Home()
    assert home.hears("unclear", "unclear") == [SORRY, Ask(Phrase.ASK_MOOD, slow=True)]


@pytest.mark.parametrize("words", [(), ("silence",), ("unclear",), ("yes",), ("unwell:head",)])
def test_help_amid_a_talk_is_raised_within_15_s_unless_taken_back(words: tuple[str, ...]) -> None:
    home = Home()
    assert home.hears("silence", "help:fall") == [HELP]
    asked_at = home.at
    told = home.hears(*words)
    told = told + home.waits(asked_at + 15 - home.at)
    assert alarm("raised", "spoken") in told


@pytest.mark.parametrize("words", ["no", "fine", "cancel"])
def test_help_that_is_not_needed_is_not_called(words: str) -> None:
    home = Home()
    home.hears("help")
    home.hears(words)
    assert not [told for told in home.waits(60) if told == alarm("raised", "spoken")]


def test_a_pain_that_cannot_be_borne_is_told_and_asked_about() -> None:
    home = Home(Topic.HEALTH)
    told = home.hears("unwell:head", "no")
    assert told == [result("unwell", topic="health"), need("unwell"), HELP]
    assert alarm("raised", "spoken") in home.hears("yes")


def test_who_wants_to_be_counselled_is_told_so_once() -> None:
    home = Home()
    told = home.hears("unwell:lonely", "yes")
    assert told[:2] == [result("unwell"), need("unwell")]
    assert told[2:] == [need("counselling"), COUNSEL]


def test_the_two_questions_follow_good_news_and_are_scored() -> None:
    home = Home(screened_ago_s=15 * DAY)
    assert home.hears("fine") == [result("fine"), FIRST]
    assert home.hears("often:2") == [SECOND]
    assert home.hears("yes", "often:1")[0] == need("low_mood", 3)


def test_the_two_questions_do_not_begin_while_a_talk_of_bad_news_goes_on() -> None:
    home = Home(Topic.HEALTH, screened_ago_s=15 * DAY)
    told = home.hears("no", "unwell:head", "yes", "yes")
    assert told == [result("unwell", topic="health"), need("unwell")]


def test_two_groans_in_one_talk_are_asked_whether_help_is_needed() -> None:
    home = Home()
    assert home.hears("wordless", "wordless") == [result("unclear"), HELP]
    assert home.hears("wordless") == [alarm("raised", "spoken")]


def test_a_groan_and_then_words_that_nobody_understood_are_asked_again() -> None:
    home = Home()
    assert home.hears("wordless", "unclear") == [SORRY, Ask(Phrase.ASK_MOOD, slow=True)]
    assert home.hears("wordless", "yes") == [result("fine", attempts=2)]


def test_groans_after_bad_news_add_nothing_to_it() -> None:
    home = Home(Topic.MEALS)
    told = home.hears("no", "wordless", "wordless")
    assert told == [result("unwell", topic="meals"), need("unwell")]
