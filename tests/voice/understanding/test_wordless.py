"""A sound that is no word is never an answer, for every intent and every question."""

from itertools import product

import pytest

from hub.contract.voice import Meaning
from tests.voice.dialogue.transcripts import happening, shipped
from voice.dialogue.acts import Tell
from voice.dialogue.talk import begin, step
from voice.understanding import wordless
from voice.understanding.home import Understanding
from voice.understanding.intents import Expecting, Intent, Understood
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.phrases import Phrases, load
from voice.understanding.understand import Reason, explain, understand

ANSWERS = {
    Intent.FINE: "괜찮아요", Intent.YES: "네", Intent.NO: "아니요", Intent.CANCEL: "취소해 줘",
    Intent.UNWELL: "아파요", Intent.COUNSEL: "상담", Intent.REPEAT: "뭐라고", Intent.AWAY: "외출",
    Intent.HOME: "왔어", Intent.OFTEN: "며칠", Intent.TIME: "몇 시",
}  # fmt: skip
ENDING = (Intent.FINE, Intent.YES, Intent.NO, Intent.CANCEL)
QUESTIONS = [kind for kind in Expecting if kind is not Expecting.NOTHING]
SOUNDS = (
    "으음", "음", "흠", "으흠", "어흠", "에헴", "크흠", "큼", "아이고", "아이구",
    "아이고 아이고", "으아이고", "으이구", "오메", "엄마야", "드르렁",
    "어이구", "에구", "어휴", "휴", "후", "하", "하아", "아", "아아아", "으",
    "으으으", "어", "어어", "에", "오", "우", "윽", "으윽", "악", "아악", "끙", "끄응",
    "하하하", "허허", "호호호", "히히", "흐흐", "푸하하", "크크", "킥킥", "껄껄", "콜록",
    "콜록콜록", "콜록 콜록", "쿨럭", "켁켁", "에취", "엣취", "흑흑", "엉엉", "훌쩍", "헉헉",
    "흥", "쯧쯧", "아야", "어머나", "으응", "퐁퐁", "뿅 뿅 뿅", "하 하 하 아이고", "", "...",
    "하퓨퓨",
)  # fmt: skip
# How a groan is written down when it is written as a word: hardly to be read, hardly speech, both.
# The limits themselves are out as well.
DOUBTFUL = [
    (-1.3, 0.3),
    (-1.5, 0.0),
    (-2.4, 0.1),
    (-0.4, 0.3),
    (-0.2, 0.5),
    (-1.8, 0.7),
    (-0.9, 0.9),
]
PLAIN = [(-1.29, 0.29), (-0.3, 0.1), (0.0, 0.0)]


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load()


def evidence(text: str, log_prob: float = -0.3, no_speech: float = 0.05) -> Evidence:
    return Evidence((Guess(text, log_prob),), no_speech)


@pytest.mark.parametrize("expecting", Expecting)
@pytest.mark.parametrize("text", SOUNDS)
def test_a_sound_is_no_answer_however_plainly_it_was_heard(
    phrases: Phrases, text: str, expecting: Expecting
) -> None:
    asked = expecting is not Expecting.NOTHING
    assert understand(evidence(text), phrases, expecting) == Understood(wordless=asked)


@pytest.mark.parametrize(("log_prob", "no_speech"), DOUBTFUL)
@pytest.mark.parametrize("intent", ANSWERS)
def test_what_may_be_no_word_is_no_answer_to_any_question(
    phrases: Phrases, intent: Intent, log_prob: float, no_speech: float
) -> None:
    heard = evidence(ANSWERS[intent], log_prob, no_speech)
    for expecting in Expecting:
        found = understand(heard, phrases, expecting)
        assert found.intent is Intent.UNCLEAR
        if intent in (Intent.YES, Intent.NO):  # a short word is no more than a sound then
            assert found.wordless is (expecting is not Expecting.NOTHING)


@pytest.mark.parametrize(
    "word", ["네", "예", "응", "네네", "응응", "아니", "아니요", "괜찮아요", "좋아요"]
)
@pytest.mark.parametrize(("log_prob", "no_speech"), PLAIN)
def test_a_word_plainly_heard_is_an_answer_still(
    phrases: Phrases, word: str, log_prob: float, no_speech: float
) -> None:
    found = understand(evidence(word, log_prob, no_speech), phrases, Expecting.CHECKIN)
    assert found.intent in ENDING


@pytest.mark.parametrize(
    "text", ["아이고 네", "으음 괜찮아요", "어 아니요", "아이고 좋아요", "흠 네"]
)
def test_a_word_among_sounds_is_a_word(phrases: Phrases, text: str) -> None:
    assert understand(evidence(text), phrases, Expecting.CHECKIN).intent in ENDING


@pytest.mark.parametrize("text", ["아직 안 먹었어요", "머리가 아파요", "감기에 걸렸어요"])
def test_several_syllables_fairly_written_are_words_though_the_room_is_loud(
    phrases: Phrases, text: str
) -> None:
    """In noise of 10 dB the model doubts that anybody spoke; nobody groans a sentence."""
    for log_prob, told in ((-1.0, True), (-1.6, False)):
        found = understand(evidence(text, log_prob, 0.6), phrases, Expecting.CHECKIN)
        assert (found.intent in (Intent.NO, Intent.UNWELL)) is told
        assert not found.wordless  # many syllables, hardly to be read, may be a television's


@pytest.mark.parametrize("text", ["다 괜찮아요", "네 먹었어요", "별일 없어요 괜찮아요"])
def test_good_news_in_a_loud_room_is_none_however_long(phrases: Phrases, text: str) -> None:
    found = understand(evidence(text, -0.4, 0.4), phrases, Expecting.CHECKIN)
    assert (found.intent, found.wordless) == (Intent.UNCLEAR, False)  # words; not plain enough


def test_the_first_pass_alone_tells_no_word_from_a_groan(phrases: Phrases) -> None:
    for intent, expecting in product(ENDING, QUESTIONS):
        weak = Evidence((Guess(ANSWERS[intent]),), strong=False)
        verdict = explain(weak, phrases, expecting)
        assert verdict.understood == Understood()
    unwell = Evidence((Guess("머리가 아파요"),), strong=False)
    assert understand(unwell, phrases, Expecting.CHECKIN).intent is Intent.UNWELL  # tells a person


def test_a_call_for_help_needs_less_than_an_answer(phrases: Phrases) -> None:
    for expecting in Expecting:
        assert (
            understand(evidence("살려 주세요", -1.35, 0.2), phrases, expecting).intent
            is Intent.HELP
        )


def test_the_reason_is_told_with_what_it_would_have_been(phrases: Phrases) -> None:
    home = Understanding(phrases)
    told = [
        home.explain(evidence("네", *heard), Expecting.CHECKIN)
        for heard in ((-1.5, 0.1), (-0.5, 0.4))
    ]
    assert [(one.reason, one.refused) for one in told] == [
        (Reason.LOG_PROB, Intent.YES), (Reason.NO_SPEECH, Intent.YES),
    ]  # fmt: skip
    assert home.explain(evidence("으음"), Expecting.HELP).reason is Reason.SOUNDS


# What the recogniser wrote for 음, 으음, 어흠, 아아, 에휴, 허허, 에헴 of synthetic voices, and how
# likely the sound was under it and under short answers, which it fits as well as its own nonsense.
FITTING = {
    "어흠": (("또 희맨", "더 희맨"), {"네": -5.3, "응": -7.0, "또 희맨": -7.7, "아니": -8.4}),
    "음": (("응 뭐", "음워"), {"응": -1.2, "응 뭐": -2.7, "음워": -3.0, "아니": -10.1}),
    "아아": (("워낙", "울라트"), {"워낙": -5.9, "응": -7.1, "네": -8.3, "그래요": -9.4}),
    "으음": (("앨범", "앨름"), {"앨범": -4.2, "앨름": -4.7, "응": -4.9, "네": -5.9}),
    "허허": (("뇌로워", "뇌로호"), {"네": -4.3, "뇌로워": -5.0, "아니": -9.0}),
    "에헴": (("에헤머", "에헤모"), {"에헤머": -5.6, "네": -5.8, "아니": -9.0}),
    "크흠": (("그 험", "크흠"), {"그럼": -3.6, "그 험": -3.7, "네": -9.0}),  # as well a sound
}  # fmt: skip


@pytest.mark.parametrize("sound", FITTING)
def test_a_groan_that_fits_a_short_answer_is_none_where_nothing_like_it_was_written(
    phrases: Phrases, sound: str
) -> None:
    written, weighed = FITTING[sound]
    guesses = tuple(Guess(text, -0.9 - 0.2 * place) for place, text in enumerate(written))
    for expecting in (Expecting.CHECKIN, Expecting.HELP):
        heard = Evidence(guesses, 0.07, weighed=weighed)
        verdict = explain(heard, phrases, expecting)
        assert (verdict.reason, verdict.refused) == (Reason.UNLIKE, Intent.YES)
        assert verdict.understood == Understood(wordless=True)


def test_what_the_first_pass_wrote_makes_a_sound_no_more_like_an_answer(phrases: Phrases) -> None:
    """에휴, of which Vosk made 안 요: it hears phrases in any sound."""
    guesses = (Guess("아혜호", -0.97), Guess("아이 히오", -0.99))
    weighed = {"아혜호": -4.6, "아이 히오": -5.3, "아뇨": -8.7, "응": -14.0, "네": -14.0}
    heard = Evidence(guesses, 0.06, weighed=weighed, spotted=(Guess("안 요"),))
    verdict = explain(heard, phrases, Expecting.CHECKIN)
    assert (verdict.reason, verdict.refused) == (Reason.UNLIKE, Intent.NO)


def test_likeness_needs_a_step_more_where_weighing_decided_nothing(phrases: Phrases) -> None:
    """에구머니 was written as 애고만이, whose end is like 아니."""
    weighed = {"애고만이": -3.5, "아니": -10.4, "네": -14.0, "응": -14.0}
    heard = Evidence((Guess("애고만이", -0.6),), 0.02, weighed=weighed)
    assert explain(heard, phrases, Expecting.CHECKIN).refused is Intent.NO
    assert understand(heard, phrases, Expecting.CHECKIN) == Understood(wordless=True)


def test_a_short_answer_like_what_was_written_is_weighed_still(phrases: Phrases) -> None:
    """아니요, written as 어색니요: as far from it as any of the given recordings."""
    guesses = (Guess("어색니요", -1.12), Guess("어색이요", -1.19))
    weighed = {"아니요": -5.3, "네": -7.6, "어색니요": -6.9, "어색이요": -7.4, "응": -8.0}
    heard = Evidence(guesses, 0.08, weighed=weighed)
    assert understand(heard, phrases, Expecting.CHECKIN).intent is Intent.NO


def test_a_cry_may_be_unlike_what_was_written(phrases: Phrases) -> None:
    """What brings a person needs less than an answer: the hub asks back."""
    weighed = {"또 와주": -3.0, "도와줘": -3.5, "네": -14.0, "응": -14.0}
    heard = Evidence((Guess("또 와주", -0.9),), 0.07, weighed=weighed)
    assert understand(heard, phrases, Expecting.CHECKIN).intent is Intent.HELP


def test_no_phrase_that_is_an_answer_is_a_sound(phrases: Phrases) -> None:
    """What a county adds to the phrases must not be made of sounds, or it is never believed."""
    assert not [one.text for one in phrases.all if wordless.is_sound(one.text)]


def test_a_sound_is_asked_again_and_two_are_told_to_the_hub_as_that() -> None:
    for key in ("ask_mood", "ask_meals", "ask_sleep", "ask_health", "remind"):
        talk, _ = begin(shipped(key), slow=False)
        talk, acts = step(talk, happening("wordless"))
        assert not [act for act in acts if isinstance(act, Tell)]
        talk, acts = step(talk, happening("wordless"))
        assert (
            Tell(Meaning.UNCLEAR, wordless=2) in acts
            or Tell(Meaning.UNCLEAR, closes=True, wordless=2) in acts
        )
        assert talk.over


def test_a_sound_to_whether_help_is_needed_is_told_at_once() -> None:
    talk, _ = begin(shipped("ask_help"), slow=False)
    _, acts = step(talk, happening("wordless"))
    assert Tell(Meaning.UNCLEAR, wordless=1) in acts


def test_babble_is_unclear_and_no_groan(phrases: Phrases) -> None:
    """Nobody is called because a television talks over the question in an empty house."""
    for text in ("우리 이제 그만 만나요 아깝습니다", "저 사람이 그 돈을 다 가져갔대"):
        for log_prob, no_speech in ((-1.8, 0.64), (-2.2, 0.2)):
            heard = evidence(text, log_prob, no_speech)
            assert understand(heard, phrases, Expecting.CHECKIN) == Understood()
