"""The end of a broadcast is no call: a noun in the polite past. But 끼였습니다 ("stuck") is one."""

import pytest

from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.phrases import Phrases, load
from voice.understanding.sign_off import is_sign_off
from voice.understanding.understand import Reason, explain, understand

# A hundred, made for this: what a radio or a television says at the end of a programme.
SIGN_OFFS = (
    "오늘의 요리였습니다|건강 상식이었습니다|오늘의 날씨였습니다|지금까지 뉴스였습니다|"
    "교통 정보였습니다|생활의 지혜였습니다|저는 김하늘이었습니다|아나운서 박정선이었습니다|"
    "기자 이강원이었습니다|일기 예보였습니다|오늘의 명언이었습니다|농사 정보였습니다|"
    "장터 소식이었습니다|우리 동네 이야기였습니다|시청자 의견이었습니다|오늘의 퀴즈였습니다|"
    "노래자랑이었습니다|정선 아리랑이었습니다|가요 무대였습니다|여섯 시 내 고향이었습니다|"
    "아침 마당이었습니다|인간 극장이었습니다|스포츠 소식이었습니다|경제 브리핑이었습니다|"
    "주말의 명화였습니다|라디오 극장이었습니다|한 줄 뉴스였습니다|오늘의 시세였습니다|"
    "주식 시황이었습니다|환율 정보였습니다|의학 상식이었습니다|한방 이야기였습니다|"
    "약초 이야기였습니다|오늘의 운세였습니다|띠별 운세였습니다|역사 기행이었습니다|"
    "명의에게 듣는다였습니다|오늘의 영어였습니다|동화 나라였습니다|어린이 시간이었습니다|"
    "오늘의 시였습니다|독서 산책이었습니다|음악 산책이었습니다|국악 한마당이었습니다|"
    "전국 노래자랑이었습니다|여러분의 사연이었습니다|신청곡이었습니다|"
    "오늘의 마지막 곡이었습니다|광고였습니다|공익 광고였습니다|화재 소식이었습니다|"
    "산불 소식이었습니다|사고 소식이었습니다|사건 사고였습니다|지진 속보였습니다|"
    "태풍 속보였습니다|홍수 특보였습니다|범인은 이웃이었습니다|범인은 도둑이었습니다|"
    "원인은 담배꽁초였습니다|원인은 누전이었습니다|사인은 심장마비였습니다|"
    "다행히 오보였습니다|우승은 우리 팀이었습니다|오늘의 주인공이었습니다|"
    "특집 방송이었습니다|재방송이었습니다|생방송이었습니다|현장 연결이었습니다|"
    "날씨와 생활이었습니다|기상 정보였습니다|미세 먼지 정보였습니다|바다 날씨였습니다|"
    "내일의 날씨였습니다|물가 소식이었습니다|요리 교실이었습니다|밥상의 비밀이었습니다|"
    "김치 이야기였습니다|나물 이야기였습니다|오늘의 밥상이었습니다|여행 이야기였습니다|"
    "세계 테마 기행이었습니다|다큐멘터리였습니다|자연 다큐였습니다|동물 농장이었습니다|"
    "오늘의 한마디였습니다|건강 체조였습니다|아침 체조였습니다|치매 예방 체조였습니다|"
    "무릎 건강이었습니다|허리 건강이었습니다|눈 건강이었습니다|혈압 이야기였습니다|"
    "당뇨 이야기였습니다|의사 선생님이었습니다|오늘의 손님이었어요|건강 상식이었어요|"
    "아주 특별한 요리였어요|그게 오늘의 비법이었네요|참 좋은 시간이었지요"
)
CALLS = (
    "끼였습니다|끼였어요|문에 끼였습니다|손가락이 끼였습니다|손가락이끼였습니다|"
    "다리가 기계에 끼였습니다|끼었습니다|기였습니다|귀였습니다|손을 베였습니다|"
    "낫에 베였습니다|뜨거운 물에 데였습니다|물에 데였어요|벌에 쏘였어요|넘어졌습니다|"
    "쓰러졌습니다|갇혔습니다|깔렸습니다|불이 났습니다|떨어졌습니다|다쳤습니다|"
    "뱀에 물렸습니다|숨이 막힙니다|피가 납니다|도둑이에요|심장마비예요|응급 상황이에요|"
    "뇌졸중이에요|비상이에요"
)


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load()


def heard(*texts: str) -> Evidence:
    return Evidence(tuple(Guess(text, -0.3 - 0.1 * place) for place, text in enumerate(texts)))


def test_a_hundred_of_them_are_no_cry(phrases: Phrases) -> None:
    every = SIGN_OFFS.split("|")
    assert len(set(every)) == 100
    for expecting in (Expecting.NOTHING, Expecting.CHECKIN, Expecting.HELP):
        calls = {
            text
            for text in every
            if understand(heard(text), phrases, expecting).intent is Intent.HELP
        }
        assert calls == set()


@pytest.mark.parametrize("text", CALLS.split("|"))
def test_who_is_caught_cut_or_scalded_is_heard_in_the_polite_past(
    phrases: Phrases, text: str
) -> None:
    assert understand(heard(text), phrases, Expecting.NOTHING).intent is Intent.HELP


def test_the_ending_may_stand_alone_and_the_cry_may_be_another_guess(phrases: Phrases) -> None:
    apart, next_best = ("오늘의 요리 였습니다",), ("오늘의 끼였습니다", "오늘의 시였습니다")
    for texts in (apart, ("오늘의 요리였습니다", "오늘의 끼였습니다"), next_best):
        verdict = explain(heard(*texts), phrases, Expecting.NOTHING)
        assert (verdict.understood.intent, verdict.reason) == (Intent.UNCLEAR, Reason.SIGN_OFF)


def test_its_sound_does_not_make_it_a_cry(phrases: Phrases) -> None:
    weighed = {"오늘의 요리였습니다": -6.0, "끼였습니다": -7.5, "베였습니다": -9.0}
    sounded = Evidence((Guess("오늘의 요리였습니다", -0.4),), 0.02, weighed=weighed)
    assert understand(sounded, phrases, Expecting.NOTHING).intent is Intent.UNCLEAR


@pytest.mark.parametrize("text", ["", "넘어졌습니다", "도와주세요", "오늘의 요리"])
def test_what_has_no_noun_in_the_past_is_no_sign_off(phrases: Phrases, text: str) -> None:
    assert not is_sign_off(text, phrases)


@pytest.mark.parametrize("asked", [Expecting.HELP, Expecting.CHECKIN, Expecting.NOTHING])
def test_the_end_of_a_broadcast_answers_nothing_either(phrases: Phrases, asked: Expecting) -> None:
    """딸이었습니다 is like 아니 없습니다: a television would end a call."""
    for text in (
        "딸이었습니다", "복권이었습니다", "오늘의 가스안전이었습니다", "기자였습니다",
        "아침마당이었습니다",
    ):  # fmt: skip
        meant = understand(Evidence((Guess(text, 0.0),), 0.0), phrases, asked)
        assert meant.intent is Intent.UNCLEAR, text
