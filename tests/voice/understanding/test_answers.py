"""Answers as people give them, after the question they answer: good news is not taken for bad."""

import tomllib
from importlib.resources import files

import pytest

from voice.understanding import phrases
from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.understand import understand

PHRASES = phrases.load()
GOOD = {Intent.FINE, Intent.YES, Intent.HOME, Intent.COUNSEL, Intent.AWAY}
BAD = {Intent.NO, Intent.UNWELL}
# question: what is good news there, what is bad news
ANSWERS = {
    Expecting.CHECKIN: (
        (
            "그럼요 괜찮지요|아픈 데 없어요|덕분에 괜찮아요|기분 좋아요|나쁘지 않아요"
            "|컨디션 최고예요|오늘은 괜찮아요|잘 잤더니 개운해|무탈하게 잘 있소"
            "|밥도 잘 먹고 좋아요|나야 뭐 튼튼하지|하마 먹었드래요|약은 아침에 먹었네"
            "|밥 한 그릇 다 비웠어"
        ),
        (
            "안 괜찮아요|좀 아파요|별로 안 좋아요|영 안 좋아요|그저 그래요|기운이 없어요|쓸쓸해요"
            "|몸이 마이 고단하드래요|새벽마다 잠이 깨요|사는 재미가 없네요|어깨가 결려서 불편해"
            "|기침이 며칠째 안 떨어져요|입맛이 없어서 굶었어|약이 떨어져서 못 먹었어요"
        ),
    ),
    Expecting.SLEEP: (
        "잘 잤어요|푹 잤어요|잘 자고 일어났어요|그저께는 잘 잤어요|어제는 잠이 잘 왔어요|꿀잠 잤네",
        "못 잤어요|잘 못 잤어요|한숨도 못 잤어요|자다 깼어요|뒤척였어요|뜬눈으로 새웠어요",
    ),
    Expecting.MEALS: (
        "네 먹었어요|잘 먹고 있어요|잘 챙겨 먹어요|잘 하고 있어요|네 했어요",
        "아직 안 먹었어요|굶었어요|입맛이 없어요|귀찮아서 안 먹었어요|안 먹어요|안 먹었드래요",
    ),
    Expecting.OUTING: (
        "다녀왔어요|시장에 갔다 왔어요|어제 나갔다 왔어요|병원에 다녀왔어요",
        "안 나갔어요|집에만 있었어요|아무 데도 안 갔어요|추워서 못 나갔어요",
    ),
    Expecting.EXERCISE: (
        "움직였어요|좀 걸었어요|운동했어요|청소했어요|조금 걸었어요",
        "안 움직였어요|못 움직였어요|운동 안 했어요|누워만 있었어요|가만히 있었어요",
    ),
    Expecting.MEDICINE: (
        "잘 먹고 있어요|챙겨 먹고 있어요|꼬박꼬박 먹어요|아침에 먹었어요|약 먹었어요",
        "안 먹었어요|깜빡했어요|먹는 걸 잊었어요|안 먹어요",
    ),
    Expecting.HAVE: (
        "있어요|네 있어요|많이 있어요|그럼 있지|반찬 있어요|남아 있어요|아직 있어요",
        "없어요|하나도 없어요|아무것도 없어요|다 떨어졌어요|떨어졌어요|다 먹었어요|없네",
    ),
    Expecting.BEARABLE: (
        "견딜 만해요|참을 만해요|그 정도는 아니에요",
        "못 견디겠어요|너무 아파요|죽겠어요|심해요",
    ),
    Expecting.YESTERDAY: (
        "괜찮았어요|어제는 괜찮았어요|안 아팠어요|멀쩡했어요",
        "어제도 아팠어요|며칠 됐어요|안 괜찮았어요|어제부터 그래요",
    ),
    Expecting.SUITS: (
        "잘 맞아요|맞아요|부작용이 없어요",
        "안 맞아요|잘 안 맞아요|아니 안 맞아|약만 먹으면 어지러워요",
    ),
    Expecting.OFFER: (
        "받을래요|받고 싶어요|네 받아 볼게요",
        "안 받을래요|싫어요|나중에요|다음에 할게요",
    ),
    Expecting.LEAVING: (
        "지금 나가요|나가는 길이에요|나가려고요",
        "안 나가요|이따가 나가요|나중에 나갈 거예요",
    ),
}
CALLS = (
    "도와주세요", "살려주세요", "사람 살려", "넘어졌어요", "쓰러졌어요", "침대에서 떨어졌어요",
    "못 일어나겠어요", "못 움직이겠어요", "가슴이 아파요", "숨을 못 쉬겠어요", "피가 나요",
    "불이 났어요", "일일구 불러 주세요", "누가 좀 와 주세요", "신고 좀 해 주세요",
    "가슴이 쥐어짜는 것처럼 아파요", "누가 문을 부수고 들어와요", "병원에 실어다 주세요 급해요",
    "나 죽겠어 빨리 좀 와", "응급이에요", "병원에 빨리 데려가 줘",
)  # fmt: skip

NO_CALLS = (
    "그렇습니다", "날이 추워졌어요", "머리를 감았어요", "전기가 나갔어요", "물이 안 나와요",
    "오늘 비가 온다네", "밥을 안 해서 굶었어요", "아침은 걸렀어요", "쌀 떨어졌어요",
    "손주가 넘어졌대요", "작년에 허리를 다쳤었지", "친구가 놀러 왔어요", "들깨를 털었어요",
    "손이 미끄러져서 눌렀어요", "좀 걸었어요", "입맛이 없어서 굶었어", "오늘 약은 걸렀어요",
    "배불러서 더는 못 먹겠어", "하마 먹었드래요", "어서 와요", "저 사람 죽네 죽어",
    "밭일 좀 도와주러 와", "배고파 죽겠다", "더워 죽겠네",
)  # fmt: skip


def heard(text: str, asked: Expecting) -> Intent:
    return understand(Evidence((Guess(text),)), PHRASES, asked).intent


@pytest.mark.parametrize("asked", ANSWERS)
def test_an_answer_is_understood_after_its_question(asked: Expecting) -> None:
    good, bad = ANSWERS[asked]
    wrong = {text: heard(text, asked) for text in good.split("|") if heard(text, asked) not in GOOD}
    wrong |= {text: heard(text, asked) for text in bad.split("|") if heard(text, asked) not in BAD}
    assert not wrong


def test_what_answers_one_question_means_something_else_after_another() -> None:
    assert heard("다 먹었어요", Expecting.MEALS) is Intent.YES
    assert heard("다 먹었어요", Expecting.HAVE) is Intent.NO  # is there any left?
    assert heard("떨어졌어요", Expecting.CHECKIN) is Intent.HELP
    assert heard("떨어졌어요", Expecting.HAVE) is Intent.NO
    assert heard("있어요", Expecting.CHECKIN) is Intent.UNCLEAR


def test_who_says_no_in_no_known_words_has_not_said_yes() -> None:
    """Nearest is 점심도 먹었어요, and the like."""
    for text in (
        "점심은 통 안 먹었어요",
        "국수도 안 먹었드래요",
        "아까는 못 먹었지",
        "다 못 먹었네",
    ):
        assert heard(text, Expecting.MEALS) is not Intent.YES, text


@pytest.mark.parametrize("asked", Expecting)
def test_no_question_hides_a_call(asked: Expecting) -> None:
    assert {call for call in CALLS if heard(call, asked) is not Intent.HELP} == set()


def test_everyday_talk_that_sounds_like_a_call_is_none() -> None:
    """Each of these was taken for one: 그렇습니다 sounds like 굴렀습니다."""
    assert {text for text in NO_CALLS if heard(text, Expecting.NOTHING) is Intent.HELP} == set()


def test_as_always_is_not_fine() -> None:
    """It may always have hurt."""
    for text in ("늘 똑같아요", "평소하고 똑같아요", "맨날 그대로예요"):
        assert heard(text, Expecting.CHECKIN) is not Intent.FINE


NOT_FINE = (
    "괜찮기는 뭐가 괜찮아", "어제까지는 괜찮았는데", "좋았으면 좋겠네", "안 괜찮아",
    "별로 안 좋아", "좋아졌다가 또 나빠졌어", "괜찮은지 모르겠네", "밥도 잘 못 먹고 안 좋아요",
    "걱정이 많아요", "잠도 잘 못 자고 힘들어요", "컨디션 안 좋아요", "기분이 최악이에요",
    "컨디션이 최악이야", "아픈 데가 많아요", "몸이 무거워요", "괜찮지가 않아요",
    "하나도 안 괜찮아요", "푹 자고 싶어요", "약 먹어도 안 나아요", "건강이 안 좋아요",
    "좋기는 뭐가 좋아", "오늘은 안 좋아요", "아직은 아파요", "몸이 안 개운해요",
    "몸이 개운하지가 않아", "멀쩡한 데가 없어요", "성한 데가 없어요", "여전히 아파요",
    "못 잤더니 힘들어요", "입맛도 없고 힘들어요", "기운도 없고 안 좋아요",
    "아픈 데도 많고 힘들어요", "다 나은 줄 알았는데", "아직 안 나았어요", "염려가 돼요",
    "여전히 안 좋아요", "평소처럼 아파요", "언제나 힘들어요", "어제처럼 아파요", "나야 뭐 아프지",
    "나야 뭐 힘들지", "오늘도 안 괜찮아요", "밥도 못 먹고 잠도 못 자요",
    "잠도 못 자고 밥도 못 먹어요", "밥도 잘 못 먹고 잠도 잘 못 자요",
    "불편한 데 없이 지내고 싶어요", "걱정이 태산이에요", "오늘은 몸이 안 가벼워요",
    "힘이 안 나요", "약 먹었더니 더 아파요", "푹 쉬어도 안 좋아요", "잘 지내고 싶어요",
    "건강하고 싶어요", "늘 아파요", "전보다 안 좋아졌어요", "하나도 안 나았어요",
    "무릎만 안 아프면 좋겠어요",
)  # fmt: skip


@pytest.mark.parametrize("asked", [Expecting.CHECKIN, Expecting.HELP])
def test_what_only_has_good_words_in_it_is_not_fine(asked: Expecting) -> None:
    good = {Intent.FINE, Intent.CANCEL}
    assert {text for text in NOT_FINE if heard(text, asked) in good} == set()


def test_what_is_only_urgent_is_no_call() -> None:
    """화장실이 급해요: and the television's, unanswered, would end in an alarm."""
    assert heard("급해요", Expecting.NOTHING) is Intent.UNCLEAR
    assert heard("네 급해요", Expecting.HELP) is Intent.YES


@pytest.mark.parametrize("asked", ANSWERS)
def test_answers_to_one_question_count_for_nothing_unasked(asked: Expecting) -> None:
    good, _ = ANSWERS[asked]
    told = {heard(text, Expecting.NOTHING) for text in good.split("|")}
    assert told <= {Intent.UNCLEAR, Intent.HOME, Intent.AWAY, Intent.UNWELL}


def test_what_is_weighed_besides_is_an_answer_to_that_question() -> None:
    for table in (PHRASES.always, PHRASES.brief):
        for asked, texts in table.items():
            found = {phrase.text for phrase in PHRASES.after(Expecting(asked), table)}
            assert found >= set(texts)
    own = {one.text: one.entry.intent for one in PHRASES.after(Expecting.HAVE, PHRASES.brief)}
    assert (own["있어요"], own["없어요"]) == (Intent.YES, Intent.NO)


def test_each_question_of_ours_says_what_it_asks_about() -> None:
    """Only these may be answered by anything: how are you, and what the hub asks without a plan."""
    folder = files("voice").joinpath("plans/ko")
    general = set[str]()
    for file in folder.iterdir():
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        for name, step in told.get("step", {}).items():
            if step.get("expect", "checkin") == "checkin":
                general.add(f"{file.name.removesuffix('.toml')}.{name}")
    assert general == {
        "common.where", "common.body", "exercise.well", "outing.well", "health.start",
        "mood.start", "remind.start", "warn.start",
    }  # fmt: skip


@pytest.mark.parametrize("asked", [Expecting.HELP, Expecting.CHECKIN, Expecting.NOTHING])
def test_who_is_not_well_takes_nothing_back_whatever_stands_before_it(asked: Expecting) -> None:
    for text in (
        "아니 안 괜찮아", "아니 나 안 괜찮아", "됐어 안 괜찮아", "아니 못 괜찮아", "안 괜찮다니까",
        "취소하지 마세요", "취소하지 마", "아니 안 괜찮아요", "아니요 안 괜찮아요",
        "아니 괜찮지 않아요",
    ):  # fmt: skip
        ends = {Intent.CANCEL, Intent.FINE, *({Intent.NO} if asked is Expecting.HELP else ())}
        assert heard(text, asked) not in ends, text
