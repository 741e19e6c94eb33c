"""Korean as it is said: examples of the Standard Pronunciation, and of the product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.korean.hangul import coda_of, is_hangul, take_apart, with_coda
from voice.korean.pronounce import pronounce

SAID = {
    "closing sounds, articles 8 to 11": """
        부엌=부억 옷=옫 앞=압 넋=넉 앉다=안따 여덟=여덜 값=갑 닭=닥 젊다=점따 밟다=밥따 밟는=밤는
        맑게=말께 닭과=닥꽈 읊고=읍꼬
    """,
    "the closing ㅎ, article 12": """
        놓고=노코 많고=만코 각하=가카 먹히다=머키다 밝히다=발키다 좁히다=조피다 앉히다=안치다
        꽂히다=꼬치다 넓히다=널피다 싫소=실쏘 좋네요=존네요 뚫네=뚤레 낳은=나은 괜찮아요=괜차나요
        싫어도=시러도 못하다=모타다 닿소=다쏘
    """,
    "linking, articles 13 to 15": """
        깎아=까까 있어=이써 꽂아=꼬자 앉아=안자 닭을=달글 값을=갑쓸 없어요=업써요 읊어=을퍼
        맛없다=마덥따 겉옷=거돋 넘어졌어요=너머저써요
    """,
    "ㄷ and ㅌ before 이, article 17": """
        같이=가치 굳이=구지 밭이=바치 벼훑이=벼훌치 굳히다=구치다 닫혀=다처 맏형=마텽
    """,
    "nasals, articles 18 and 19": """
        먹는=멍는 깎는=깡는 앞마당=암마당 없는=엄는 읽는=잉는 담력=담녁 강릉=강능 협력=혐녁
        국물=궁물 합니다=함니다
    """,
    "liquids, article 20": """
        난로=날로 신라=실라 칼날=칼랄 물난리=물랄리 의견란=의견난 상견례=상견녜
    """,
    "tense sounds, articles 23 to 28": """
        국밥=국빱 앉고=안꼬 넓게=널께 갈등=갈뜽 할게요=할께요 할수록=할쑤록 참지=참찌 손등=손뜽
        혈당=혈땅 닮고=담꼬 남기고=남기고 여덟도=여덜도
    """,
    "ㄴ taken in, article 29": """
        꽃잎=꼰닙 식용유=시굥뉴 한여름=한녀름 서울역=서울력 혈압약=혀람냑 십육=심뉵
    """,
    "vowels, article 5": """
        다쳐=다처 시계=시게 희망=히망 주의=주이 의자=의자 문의=무니 우리의=우리에 예의=예이
    """,
}
IN_ONE_BREATH = {
    "못 일어나겠어요": "모디러나게써요",
    "옷 한 벌": "오탄벌",
    "밭 아래": "바다래",
    "책 넣는다": "챙넌는다",
    "할 것을": "할꺼슬",
    "갈 데가": "갈떼가",
    "만날 사람": "만날사람",
    "할 수 있어요": "할쑤이써요",
    "오늘 수요일": "오늘수요일",
    "지킬 건강": "지킬건강",
    "한 일": "한닐",
    "할 일": "할릴",
    "옷 입다": "온닙따",
    "119 불러 줘": "이릴구불러줘",
    "드셔야 할 약은": "드셔야할랴근",
    "드시던 약은 의사와": "드시던냐그늬사와",
}


def test_words_sound_as_the_standard_says() -> None:
    pairs = [pair.split("=") for line in SAID.values() for pair in line.split()]
    assert len(pairs) > 90
    assert not [f"{w}: {pronounce(w)}, not {s}" for w, s in pairs if pronounce(w) != s]


@pytest.mark.parametrize(("text", "said"), IN_ONE_BREATH.items())
def test_words_in_one_breath_flow_together(text: str, said: str) -> None:
    assert pronounce(text).replace(" ", "") == said


def test_a_comma_parts_what_a_space_joins() -> None:
    assert pronounce("밥, 먹어요") == "밥, 머거요"
    assert pronounce("밥 먹어요") == "밤 머거요"


def test_slow_clear_speech_keeps_words_apart() -> None:
    assert pronounce("밥 먹어요. 할 수 있어요", linked=False) == "밥 머거요. 할 쑤 이써요"


def test_what_is_no_hangul_stays_where_it_is() -> None:
    assert pronounce("👴 (漢字) … !") == "👴 (漢字) … !"
    assert pronounce("") == ""


def test_letters_apart_are_read_as_the_syllables_they_make() -> None:
    assert pronounce("\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165") == "한구거"


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3) | st.sampled_from(" ,.?")))
def test_no_syllable_is_lost_or_added(text: str) -> None:
    said = pronounce(text)
    assert [is_hangul(a) for a in said] == [is_hangul(a) for a in text]


@given(st.text(max_size=60))
def test_any_text_can_be_pronounced(text: str) -> None:
    assert isinstance(pronounce(text), str)


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1))
def test_only_seven_sounds_close_a_syllable(text: str) -> None:
    assert {take_apart(letter).coda for letter in pronounce(text)} <= set("ㄱㄴㄷㄹㅁㅂㅇ") | {""}


def test_hangul_comes_apart_and_goes_together() -> None:
    assert [str(take_apart(letter)) for letter in "값뷁힣가"] == list("값뷁힣가")
    assert (coda_of("물"), coda_of("바다"), coda_of("TV"), coda_of("")) == ("ㄹ", "", None, None)
    assert "할" in with_coda("ㄹ")
    with pytest.raises(ValueError, match="no Hangul"):
        take_apart("a")
