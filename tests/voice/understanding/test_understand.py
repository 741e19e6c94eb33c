"""What was written down -> what was meant: everyday variants, negations, and being unsure."""

import pytest
from msgspec.structs import replace

from voice.understanding.intents import Expecting, Intent, Understood
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.phrases import Phrases, load
from voice.understanding.understand import contested, understand
from voice.understanding.weighing import shortlist

ALWAYS, ASKED = Expecting.NOTHING, Expecting.CHECKIN


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load()


def meant(phrases: Phrases, text: str, expecting: Expecting) -> Understood:
    return understand(Evidence((Guess(text),)), phrases, expecting)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("도와주세요", ""), ("나 좀 살려줘", ""), ("사람 살려", ""), ("아이고 도와줘 도와줘", ""),
        ("119 불러줘", "ambulance"), ("구급차 좀 불러주세요", "ambulance"),
        ("화장실에서 넘어졌어요", "fall"), ("넘어져서요", "fall"), ("못 일어나겠어요", "fall"),
        ("꼼짝을 못 하겠어", "fall"), ("가슴이 너무 아파요", "chest"),
        ("숨을 못 쉬겠어요", "breath"),
        ("숨이 안 쉬어져요", "breath"), ("피가 나요", "blood"), ("불이야", "fire"),
        ("더 아주세요", ""), ("1일구 불러줘", "ambulance"),
    ],
)  # fmt: skip
def test_a_call_for_help_is_understood_unasked(phrases: Phrases, text: str, what: str) -> None:
    found = meant(phrases, text, ALWAYS)
    assert (found.intent, found.what) == (Intent.HELP, what)
    assert found.sure >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "사람이 많이 왔어요", "밥을 해서 먹었어요", "오늘 날씨가 좋네요", "친구를 도와줬어요",
        "노래 한 곡 불러줘", "담을 넘어갔어요", "여섯 시에 일어났어요", "가슴이 따뜻해요",
        "두부를 썰어 주세요", "텔레비전 소리 좀 줄여줘", "시장에 다녀왔어요", "살이 많이 쪘어요",
        "국회는 오늘 본회의를 열고 예산안을 처리했습니다", "", "...", "ok",
    ],
)  # fmt: skip
@pytest.mark.parametrize("expecting", [ALWAYS, ASKED])
def test_everyday_talk_is_neither_a_call_nor_fine(
    phrases: Phrases, text: str, expecting: Expecting
) -> None:
    assert meant(phrases, text, expecting).intent not in (Intent.HELP, Intent.FINE)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("안 괜찮아요", Intent.UNWELL), ("괜찮지 않아요", Intent.UNWELL),
        ("별로 안 좋아요", Intent.UNWELL), ("잘 못 지내요", Intent.UNWELL),
        ("안 아파요", Intent.FINE), ("아프지 않아요", Intent.FINE),
        ("넘어지지 않았어요", Intent.FINE), ("안 먹었어요", Intent.NO),
        ("도움 필요 없어요", Intent.NO), ("아니 괜찮아", Intent.CANCEL),
    ],
)  # fmt: skip
def test_a_negation_is_heard(phrases: Phrases, text: str, intent: Intent) -> None:
    assert meant(phrases, text, ASKED).intent is intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("괜찮아요", Intent.FINE), ("잘 지내요", Intent.FINE), ("별일 없어요", Intent.FINE),
        ("아픈 데 없드래요", Intent.FINE), ("마카 괜찮아요", Intent.FINE),
        ("네", Intent.YES), ("네 네 네", Intent.YES), ("응 먹었지", Intent.YES),
        ("네 먹었어요", Intent.YES), ("아니요", Intent.NO), ("아직 안 먹었어요", Intent.NO),
        ("아직이요", Intent.NO),
    ],
)  # fmt: skip
def test_an_answer_counts_only_after_a_question(
    phrases: Phrases, text: str, intent: Intent
) -> None:
    assert meant(phrases, text, ASKED).intent is intent
    assert meant(phrases, text, ALWAYS).intent is Intent.UNCLEAR


@pytest.mark.parametrize(
    ("text", "intent", "what"),
    [
        ("머리가 아파요", Intent.UNWELL, "head"), ("무릎이 쑤셔요", Intent.UNWELL, "joints"),
        ("배가 아파요", Intent.UNWELL, "stomach"), ("감기에 걸렸어요", Intent.UNWELL, "cold"),
        ("너무 외로워요", Intent.UNWELL, "lonely"), ("우울해요", Intent.UNWELL, "mood"),
        ("죽고 싶어요", Intent.UNWELL, "despair"), ("살기 싫어요", Intent.UNWELL, "despair"),
        ("잠을 못 잤어요", Intent.UNWELL, "sleep"), ("입맛이 없어요", Intent.UNWELL, "appetite"),
        ("병원에 가고 싶어요", Intent.UNWELL, "hospital"),
        ("상담 받고 싶어요", Intent.COUNSEL, "counsel"), ("다시 말해 주세요", Intent.REPEAT, ""),
        ("천천히 말해줘", Intent.SLOWER, ""), ("더 크게 말해줘", Intent.LOUDER, ""),
        ("지금 몇 시예요", Intent.TIME, ""), ("나갔다 올게", Intent.AWAY, ""),
        ("손님 오셨어요", Intent.VISITOR, ""), ("집에 손님이 와 있어", Intent.VISITOR, ""),
        ("손님 가셨어요", Intent.ALONE, ""), ("손님이 다 갔어", Intent.ALONE, ""),
        ("손님이 많이 왔어요", Intent.UNCLEAR, ""), ("손님 올 거예요", Intent.UNCLEAR, ""),
        ("할머니가 돌아가셨어요", Intent.UNCLEAR, ""),
        ("다녀왔어", Intent.HOME, ""), ("잘못 눌렀어요", Intent.CANCEL, ""),
    ],
)  # fmt: skip
def test_ills_and_small_services_are_told_apart(
    phrases: Phrases, text: str, intent: Intent, what: str
) -> None:
    found = meant(phrases, text, ALWAYS)
    assert (found.intent, found.what) == (intent, what)


@pytest.mark.parametrize(
    ("text", "score"),
    [("전혀 없었어요", 0), ("없어요", 0), ("이삼일이요", 1), ("며칠", 1), ("일주일 이상", 2),
     ("거의 매일", 3), ("날마다 그래요", 3)],
)  # fmt: skip
def test_how_often_is_a_score(phrases: Phrases, text: str, score: int) -> None:
    found = meant(phrases, text, Expecting.OFTEN)
    assert (found.intent, found.score) == (Intent.OFTEN, score)


def test_fine_is_never_taken_from_weak_evidence(phrases: Phrases) -> None:
    sure = Evidence((Guess("괜찮아요"),))
    assert understand(sure, phrases, ASKED).intent is Intent.FINE
    for weak in (
        Evidence((Guess("괜찮아요"),), strong=False),
        Evidence((Guess("괜찮아요"),), no_speech=0.9),
        Evidence((Guess("괜찮아요"),), weighed={"괜찮아요": -8.0, "안 괜찮아요": -7.5}),
    ):
        assert understand(weak, phrases, ASKED).intent is not Intent.FINE


def test_the_sound_decides_between_guesses(phrases: Phrases) -> None:
    guesses = (Guess("네 마가사요", -0.7), Guess("안 마가사요", -0.8))
    for heard, intent in (("네 먹었어요", Intent.YES), ("안 먹었어요", Intent.NO)):
        weighed = {"네 먹었어요": -14.0, "안 먹었어요": -14.0, "네 마가사요": -6.0} | {heard: -4.0}
        assert understand(Evidence(guesses, weighed=weighed), phrases, ASKED).intent is intent


def test_a_phrase_that_the_sound_refutes_is_not_believed(phrases: Phrases) -> None:
    evidence = Evidence((Guess("살려 줬으면"),), weighed={"살려 줬으면": -3.0, "살려줘": -25.0})
    assert understand(evidence, phrases, ALWAYS).intent is not Intent.HELP


def test_a_keen_ear_calls_sooner(phrases: Phrases) -> None:
    weighed = {"토아주와": -5.0, "도와줘": -16.0}
    evidence = Evidence((Guess("토아주와"),), weighed=weighed)
    calls = [understand(evidence, phrases, ALWAYS, keen=keen).intent for keen in (-2.0, 2.0)]
    assert calls == [Intent.UNCLEAR, Intent.HELP]


def test_what_is_plain_or_idle_needs_no_weighing(phrases: Phrases) -> None:
    for text in ("사람이 많이 왔어요", "안녕히 계세요"):
        assert not shortlist(Evidence((Guess(text),)), phrases, ALWAYS)
    texts = shortlist(Evidence((Guess("더 아주세요"),)), phrases, ALWAYS)
    assert {"더 아주세요", "도와주세요"} <= {*texts}
    assert len(texts) < 16


def test_nothing_heard_is_unclear(phrases: Phrases) -> None:
    for expecting in Expecting:
        assert understand(Evidence(), phrases, expecting) == Understood()


@pytest.mark.parametrize(
    ("text", "intent"),
    [("아니요", Intent.NO), ("아니 필요 없어요", Intent.NO), ("취소해 줘", Intent.CANCEL)],
)
def test_what_ends_a_call_for_help_rests_on_strong_evidence_of_speech(
    phrases: Phrases, text: str, intent: Intent
) -> None:
    sure = Evidence((Guess(text),))
    ending = {Intent.NO, Intent.CANCEL} if intent is Intent.NO else {intent}
    assert understand(sure, phrases, Expecting.HELP).intent in ending
    for weak in (
        Evidence((Guess(text),), strong=False),
        Evidence((Guess(text),), no_speech=0.9),
    ):
        assert understand(weak, phrases, Expecting.HELP).intent is Intent.UNCLEAR
    unsure = Evidence((Guess(text),), strong=False)
    assert understand(unsure, phrases, ASKED).intent is Intent.UNCLEAR


def test_a_call_that_is_alone_in_doubtful_speech_is_none(phrases: Phrases) -> None:
    """Two sentences of a television's, in 8 s of babble."""
    texts = (
        "우리 이제 그만 만나요 아깝습니다 틀려집니다",
        "우리 이제 그만 만나요 아깝습니다 틀렸습니다",
    )
    guesses = tuple(Guess(text, -0.52) for text in texts)
    weighed = {texts[0]: -9.95, texts[1]: -9.59, "반갑습니다": -7.68, "깔렸습니다": -15.73}
    calls = [
        understand(Evidence(guesses, no_speech, weighed=weighed), phrases, ALWAYS).intent
        for no_speech in (0.79, 0.1)
    ]
    assert calls == [Intent.UNCLEAR, Intent.HELP]


def test_fine_is_all_of_what_was_said(phrases: Phrases) -> None:
    """As "속이 안 좋아요" over a kettle: the words before were not made out."""
    weighed = {"저 데인주와요": -10.6, "좋아요": -7.4, "저게 좋아요": -14.6, "안 좋아요": -15.8}
    guesses = (Guess("저 데인주와요", -1.15), Guess("저게는 좋아요", -1.38))
    assert understand(Evidence(guesses, weighed=weighed), phrases, ASKED).intent is Intent.UNCLEAR
    alone = Evidence((Guess("조하요", -1.15),), weighed={"조하요": -9.0, "좋아요": -7.4})
    assert understand(alone, phrases, ASKED).intent is Intent.FINE
    doubtful = replace(alone, guesses=(Guess("조하요", -1.45),))
    assert understand(doubtful, phrases, ASKED).intent is Intent.UNCLEAR


def test_who_hardly_spoke_does_not_say_that_all_is_well(phrases: Phrases) -> None:
    for no_speech, intent in ((0.2, Intent.FINE), (0.36, Intent.UNCLEAR)):
        heard = Evidence((Guess("잘 지내고 있어요"),), no_speech)
        assert understand(heard, phrases, ASKED).intent is intent


def test_babble_that_might_be_a_call_is_none(phrases: Phrases) -> None:
    weighed = {
        "도로로 찾습니다": -9.9,
        "도와주겠습니다": -7.2,
        "떨어졌습니다": -9.8,
        "좋습니다": -8.4,
    }
    calls = []
    for log_prob, no_speech in ((-1.83, 0.64), (-0.5, 0.64), (-1.83, 0.05), (-0.5, 0.05)):
        guesses = (Guess("도로로 찾습니다", log_prob), Guess("도와주겠습니다", log_prob - 0.06))
        evidence = Evidence(guesses, no_speech, weighed=weighed)
        calls.append(understand(evidence, phrases, ALWAYS).intent is Intent.HELP)
    assert calls == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("반리와 트세요 살려주세요", ""), ("넘어져서 손목을 다쳤어요 너무 아파요", "fall"),
        ("아이고 나 죽네 119 불러줘", "ambulance"), ("피가 안 멈춰요 어지러워요", "blood"),
    ],
)  # fmt: skip
def test_two_calls_in_one_are_a_call(phrases: Phrases, text: str, what: str) -> None:
    found = meant(phrases, text, ALWAYS)
    assert (found.intent, found.what) == (Intent.HELP, what)


@pytest.mark.parametrize("text", ["밥을 먹었어요 머리가 아파요", "다 괜찮아요 머리가 아파요"])
def test_two_things_said_in_one_breath_are_no_call_without_one(phrases: Phrases, text: str) -> None:
    for expecting in Expecting:
        assert meant(phrases, text, expecting).intent not in (Intent.HELP, Intent.FINE)


@pytest.mark.parametrize(
    "text",
    [
        "팔에 힘이 없어요", "말이 안 나와요", "입이 돌아갔어요", "도둑이야", "약을 잘못 먹었어요",
        "아이고 나 죽네", "코피가 멈추지 않아요", "뜨거운 물에 데었어요", "허리를 삐끗했어요",
        "연기가 자욱해요", "누가 문을 부수려고 해요", "나 좀 살려주우야",
    ],
)  # fmt: skip
def test_every_kind_of_distress_calls(phrases: Phrases, text: str) -> None:
    assert meant(phrases, text, ALWAYS).intent is Intent.HELP


@pytest.mark.parametrize(
    "text",
    [
        "또 와 주세요", "아들이 많이 도와줘요", "외로워 죽겠어요", "뉴스에서 불이 났대요",
        "괜찮은 사람이에요", "그 약은 안 좋대요", "살림살이가 늘었어요", "부엌에서 밥했어요",
    ],
)  # fmt: skip
def test_what_sounds_like_a_call_or_fine_is_neither(phrases: Phrases, text: str) -> None:
    for expecting in Expecting:
        assert meant(phrases, text, expecting).intent not in (Intent.HELP, Intent.FINE)


def test_fine_must_beat_what_is_said_against_it(phrases: Phrases) -> None:
    guesses = (Guess("조하요", -1.15), Guess("저 좋아요", -1.38))
    first = {"조하요": -9.5, "좋아요": -7.0, "안 좋아요": -14.0}
    heard = Evidence(guesses, weighed=first)
    assert understand(heard, phrases, ASKED).intent is Intent.FINE
    more = contested(heard, phrases, ASKED)
    assert "속이 안 좋아요" in more
    for weight, intent in ((-7.5, Intent.UNCLEAR), (-16.0, Intent.FINE)):
        against = dict.fromkeys(more, -20.0) | {"속이 안 좋아요": weight}
        asked = Evidence(guesses, weighed=first | against)
        assert understand(asked, phrases, ASKED).intent is intent


def test_what_ends_nothing_is_not_contested(phrases: Phrases) -> None:
    for text, expecting in (("도와주세요", ALWAYS), ("아니요", ASKED), ("", ASKED)):
        assert not contested(Evidence((Guess(text),)), phrases, expecting)
    assert contested(Evidence((Guess("아니요"),)), phrases, Expecting.HELP)


@pytest.mark.parametrize(("text", "intent"), [("아니유", Intent.NO), ("치소하 줘", Intent.CANCEL)])
def test_likeness_alone_ends_no_call_that_weighing_left_open(
    phrases: Phrases, text: str, intent: Intent
) -> None:
    alike = Evidence((Guess(text),))
    assert understand(alike, phrases, Expecting.HELP).intent is intent
    near = shortlist(alike, phrases, Expecting.HELP)
    meant = {phrase.text: phrase.entry.intent for phrase in phrases.all}
    same = [one for one in near if one != text and meant[one] is intent]
    weighed = dict.fromkeys(near, -40.0) | dict.fromkeys(same, -20.0) | {text: -8.0}
    unsure = Evidence(alike.guesses, weighed=weighed)
    assert understand(unsure, phrases, Expecting.HELP).intent is Intent.UNCLEAR


def test_a_short_answer_is_weighed_whatever_was_guessed(phrases: Phrases) -> None:
    for written, intent in (("맞으라요", Intent.YES), ("맛있어요", Intent.UNCLEAR)):
        guesses = (Guess(written, -0.78), Guess("맛 아유", -1.55))
        texts = shortlist(Evidence(guesses), phrases, ASKED)
        assert {"네", "응", "맞아요", "아니요"} <= {*texts}
        weighed = dict.fromkeys(texts, -12.0) | {written: -2.9, "맞아요": -5.6, "있어요": -7.5}
        found = understand(Evidence(guesses, weighed=weighed), phrases, ASKED)
        assert found.intent is intent  # 맛있어요 is too little like it: a groan is as much
    assert "응" not in shortlist(Evidence((Guess("지난 주에 아들이 왔어요"),)), phrases, ASKED)


def test_words_said_twice_count_once(phrases: Phrases) -> None:
    assert meant(phrases, "아니 아니 괜찮아요", Expecting.HELP).intent is Intent.CANCEL


def test_yes_with_a_good_word_is_not_fine(phrases: Phrases) -> None:
    for expecting in (ASKED, Expecting.HELP):
        assert meant(phrases, "네 좋아요", expecting).intent is Intent.YES


def test_a_call_stands_among_words_that_were_plainly_heard(phrases: Phrases) -> None:
    """No phrase explains all of it, so the sound is unlikely under any; but it was said."""
    said = Guess("장독대에서 넘어졌어요", -0.2)
    near = shortlist(Evidence((said,)), phrases, Expecting.NOTHING)
    weighed = dict.fromkeys(near, -30.0) | {said.text: -4.0}
    plain = Evidence((said,), weighed=weighed)
    assert understand(plain, phrases, Expecting.NOTHING).intent is Intent.HELP
    doubted = Evidence((said,), no_speech=0.4, weighed=weighed)
    assert understand(doubted, phrases, Expecting.NOTHING).intent is Intent.UNCLEAR
    poor = Evidence((Guess(said.text, -0.9),), weighed=weighed)
    assert understand(poor, phrases, Expecting.NOTHING).intent is Intent.UNCLEAR


def test_of_somebody_else_it_is_no_call_though_plainly_heard(phrases: Phrases) -> None:
    said = Guess("옆집 할머니가 어제 넘어졌대요", -0.2)
    near = shortlist(Evidence((said,)), phrases, Expecting.NOTHING)
    plain = Evidence((said,), weighed=dict.fromkeys(near, -30.0) | {said.text: -4.0})
    assert understand(plain, phrases, Expecting.NOTHING).intent is Intent.UNCLEAR


@pytest.mark.parametrize(("log_prob", "no_speech"), [(-0.7, 0.6), (-1.5, 0.1)])
def test_where_speech_is_doubted_a_call_needs_a_step_more(
    phrases: Phrases, log_prob: float, no_speech: float
) -> None:
    """A television's "배불러서요", which nobody had said, was 불났어요."""
    said = "배불러서요 배불러서요"
    near = shortlist(Evidence((Guess(said),)), phrases, Expecting.NOTHING)
    weighed = dict.fromkeys(near, -30.0) | {said: -12.2, "불났어요": -17.5, "괜히 불렀어요": -21.2}
    heard = Evidence((Guess(said, log_prob),), no_speech, weighed=weighed)
    assert understand(heard, phrases, Expecting.NOTHING).intent is Intent.UNCLEAR
    sure = Evidence((Guess(said, -0.7),), 0.1, weighed=weighed)
    assert understand(sure, phrases, Expecting.NOTHING).intent is Intent.HELP


def test_how_sure_it_is_is_told_by_what_decided(phrases: Phrases) -> None:
    """What likeness decides, though it was weighed, is not sure by that."""
    said = Guess("장독대에서 넘어졌어요", -0.2)
    near = shortlist(Evidence((said,)), phrases, Expecting.NOTHING)
    weighed = dict.fromkeys(near, -30.0) | {said.text: -4.0}
    assert 0.5 < understand(Evidence((said,), weighed=weighed), phrases, ALWAYS).sure < 0.7


def test_what_ends_a_call_alike_does_not_compete(phrases: Phrases) -> None:
    """아니 괜찮아 and 괜찮아 and 아니요 mean the same after "do you need help?", and only there."""
    said = "안이 권찬아"
    weighed = {said: -7.5, "아니 괜찮아": -9.6, "괜찮아": -9.2, "아니요": -9.4, "도와주세요": -16.0}
    heard = Evidence((Guess(said, -0.9),), weighed=weighed)
    assert understand(heard, phrases, Expecting.HELP).intent in {Intent.CANCEL, Intent.FINE}
    assert understand(heard, phrases, ASKED).intent is Intent.UNCLEAR
    against = replace(heard, weighed=weighed | {"안 괜찮아요": -8.0})
    assert understand(against, phrases, Expecting.HELP).intent is Intent.UNCLEAR


def test_of_what_ends_a_call_alike_the_phrase_that_explains_most_is_taken(phrases: Phrases) -> None:
    """Else 괜찮아, which is not all that was said, would be no Fine and hide 아니 괜찮아."""
    said = "많이 권참아"
    weighed = {said: -6.0, "괜찮아": -6.9, "아니 괜찮아": -9.6, "도와주세요": -16.5}
    heard = Evidence((Guess(said, -0.97), Guess("많이 권찬아", -1.09)), weighed=weighed)
    assert understand(heard, phrases, Expecting.HELP).intent is Intent.CANCEL


@pytest.mark.parametrize(
    ("text", "help_nats", "around", "intent"),
    [
        ("도와주러 온대요", -5.0, 0.0, Intent.HELP),
        ("도와주러 온대요", -5.0, 0.29, Intent.HELP),
        ("도와주러 온대요", -5.0, 0.6, Intent.UNCLEAR),
        ("도와주세요", -0.5, 0.6, Intent.HELP),
    ],
)
def test_what_does_not_stand_out_from_a_television_must_be_a_plainer_call(
    phrases: Phrases, text: str, help_nats: float, around: float, intent: Intent
) -> None:
    guess = Guess(text, -0.8)
    weighed = {text: 0.0, "도와주세요": help_nats, "또 와주세요": -9.0}
    heard = Evidence((guess, Guess("도와주세요", -0.9)), weighed=weighed, around=around)
    assert understand(heard, phrases, ALWAYS).intent is intent
    assert understand(heard, phrases, Expecting.HELP).intent is Intent.HELP


def test_no_likeness_and_no_other_meaning_goes_by_lightly_in_a_crowd(phrases: Phrases) -> None:
    guess = Guess("내일은 신고 해주세요", -0.5)
    alike = Evidence((guess,), weighed={"신고 해주세요": -13.5, guess.text: 0.0})
    assert understand(alike, phrases, ALWAYS).intent is Intent.HELP
    assert understand(replace(alike, around=0.5), phrases, ALWAYS).intent is Intent.UNCLEAR
    home = Evidence((Guess("저 왔어요", -0.5),), weighed={"저 왔어요": -4.0, "": 0.0})
    assert understand(home, phrases, ALWAYS).intent is Intent.HOME
    assert understand(replace(home, around=0.5), phrases, ALWAYS).intent is Intent.UNCLEAR


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "도와주세요", "살려주세요", "살려줘", "도와줘", "사람 살려", "119 불러줘", "넘어졌어요",
        "못 일어나겠어요", "가슴이 아파요", "숨이 안 쉬어져요", "구급차 불러주세요", "불이야",
    ],
)  # fmt: skip
def test_a_plain_call_counts_in_a_crowd_too(phrases: Phrases, text: str, *, strong: bool) -> None:
    """Also where another sentence sounds nearly the same: 도와주세요, 또 와주세요."""
    heard = Evidence((Guess(text, -0.5 if strong else 0.0),), strong=strong, around=0.9)
    assert understand(heard, phrases, ALWAYS).intent is Intent.HELP
    if near := shortlist(heard, phrases, ALWAYS):  # else likeness alone decides
        weighed = dict.fromkeys(near, -1.0) | {text: 0.0}
        assert understand(replace(heard, weighed=weighed), phrases, ALWAYS).intent is Intent.HELP


def test_what_nobody_asked_and_was_poorly_heard_takes_no_call_back(phrases: Phrases) -> None:
    """살려 주세요 over a kettle was once taken for 됐어요."""
    weighed = {"됐어요": -9.2, "도와주세요": -18.0, "왔어요": -16.0}
    poor = Evidence((Guess("됐어요", -1.59),), no_speech=0.29, weighed=weighed)
    assert understand(poor, phrases, ALWAYS).intent is Intent.UNCLEAR
    plain = replace(poor, guesses=(Guess("됐어요", -0.9),))
    assert understand(plain, phrases, ALWAYS).intent is Intent.CANCEL
