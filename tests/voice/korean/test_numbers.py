"""Numbers as Koreans read them aloud."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.korean.numbers import LARGEST, digit_by_digit, josa, native, sino, spell

READ = {
    "오후 3시 15분": "오후 세 시 십오 분",
    "15:30": "오후 세 시 삼십 분",
    "오전 9:05에": "오전 아홉 시 오 분에",
    "00:10": "오전 영 시 십 분",
    "14시": "십사 시",
    "2026년 10월 6일": "이천이십육년 시월 육일",
    "2026-06-01": "이천이십육년 유월 일일",
    "119에 전화": "일일구에 전화",
    "119명": "백십구 명",
    "033-560-2345": "공삼삼, 오육공, 이삼사오",
    "1577-0199": "일오칠칠, 공일구구",
    "16명, 20살, 3번": "열여섯 명, 스무 살, 세 번",
    "2주 동안 2개월": "이주 동안 이 개월",
    "24시간": "이십사 시간",
    "기온 37.5도": "기온 삼십칠점 오도",
    "-3℃": "영하 삼 도",
    "10~12시": "십에서 열두 시",
    "혈압 120/80": "혈압 백이십에 팔십",
    "15,000원": "만오천원",
    "500ml, 3km, 1.5L": "오백 밀리리터, 삼 킬로미터, 일점 오 리터",
    "80%": "팔십 퍼센트",
    "TV": "티브이",
    "007": "공공칠",
    "80대 어르신": "팔십 대 어르신",
    "약 2정": "약 두 정",
    "제1회": "제일 회",
    "서울(으)로, 부산(으)로": "서울로, 부산으로",
    "사과을(를) 밥이(가)": "사과를 밥이",
    "3을(를)": "삼을",
}


@pytest.mark.parametrize(("text", "read"), READ.items())
def test_a_figure_is_read_as_koreans_read_it(text: str, read: str) -> None:
    assert spell(text).replace(" 원", "원") == read


def test_two_rows_of_numbers() -> None:
    assert [sino(n) for n in (0, 1, 10, 110, 10_000, 21_005, 100_000_000)] == [
        "영", "일", "십", "백십", "만", "이만천오", "일억",
    ]  # fmt: skip
    assert [native(n) for n in (1, 3, 20, 21, 99, 100)] == [
        "한", "세", "스무", "스물한", "아흔아홉", "백",
    ]  # fmt: skip
    assert native(20, counting=False) + native(3, counting=False) == "스물셋"
    assert digit_by_digit("010-2") == "공일공, 이"
    with pytest.raises(ValueError, match="below zero"):
        sino(-1)


def test_the_particle_follows_the_last_sound() -> None:
    assert [josa(w, "을") for w in ("밥", "물", "사과", "TV")] == ["을", "을", "를", "를"]
    assert [josa(w, "으로") for w in ("집", "서울", "학교")] == ["으로", "로", "로"]
    assert josa("밥", "까지") == "까지"


@given(st.integers(0, LARGEST))
def test_a_number_is_read_in_few_syllables_and_no_two_alike(number: int) -> None:
    read = sino(number)
    assert re.fullmatch("[영일이삼사오육칠팔구십백천만억조]+", read)
    assert len(read) <= 2 * len(str(number)) + 3
    assert sino(number + 1) != read


@given(st.text("0123456789.,:-~/%℃ 시분월일명도번살kmgl오후을(를)", max_size=40))
def test_no_digit_is_left_and_nothing_breaks(text: str) -> None:
    read = spell(text)
    assert not re.search("[0-9a-z]", read)
    assert len(read) <= 12 * len(text) + 12


@given(st.text(max_size=60))
def test_any_text_can_be_spelt(text: str) -> None:
    assert isinstance(spell(text), str)


def test_hangul_alone_is_left_as_it_is_at_once() -> None:
    said = "가슴이 아파요, 도와주세요!\n" * 20_000
    began = time.process_time()
    assert spell(said) == said
    plain_s = time.process_time() - began
    began = time.process_time()
    assert spell(said + "119").endswith("일일구")
    assert plain_s * 3 < time.process_time() - began
