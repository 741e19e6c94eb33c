"""Only the caller takes a call back, not a bystander or a television."""

from voice.understanding import phrases
from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.understand import understand

PHRASES = phrases.load()


def heard(text: str, asked: Expecting) -> Intent:
    return understand(Evidence((Guess(text),)), PHRASES, asked).intent


def test_unasked_it_must_be_most_of_what_was_said() -> None:
    for text in (
        "아니야 취소해", "오실 것 없어요 잘못 불렀어요", "취소해 주세요 실수로 눌렀어요",
        "이제 괜찮으니 안 오셔도 됩니다",
    ):  # fmt: skip
        assert heard(text, Expecting.NOTHING) is Intent.CANCEL, text
    for text in (
        "강에서 배가 뒤집혀 열두 명이 실종됐습니다",
        "내일은 강원도에 눈이 오고 나서 됐어요",
    ):
        assert heard(text, Expecting.NOTHING) is not Intent.CANCEL, text


def test_what_takes_a_call_back_is_told_from_what_stands_by_it() -> None:
    back = {Intent.CANCEL, Intent.NO, Intent.FINE}
    for text in (
        "일부러 부른 게 아니래요", "전화하지 말고 그만둬", "아이고 됐어요 내가 착각했어",
        "오지 마소", "혼자 할 수 있어", "아뇨 안 그래도 돼요", "그냥 농담이야",
        "도와줄 필요 없어요",
        "청소하다가 잘못 눌렀어요", "모르고 잘못 눌렀어요", "실수로 눌렀는데요",
        "안 와도 돼요 괜찮아요",
    ):  # fmt: skip
        assert heard(text, Expecting.HELP) in back, text
    for text in (
        "장난 아니에요", "실수가 아니에요", "농담이 아니야", "취소하지 마세요", "안 괜찮다니까",
        "혼자 할 수 없어요", "아니 빨리 와", "일부러 부른 거예요", "실수로 누른 게 아니에요",
        "혼자서는 안 돼",
        "혼자 못 일어나", "아니 빨리 와 줘", "안 괜찮아요", "네 그렇게 해 주세요", "응 좀 도와줘",
        "나 혼자야", "아니 나 못 일어나", "괜찮지가 않아", "도와줄 사람이 없어요",
        # a television answers as well: these are said in it all day
        "내가 할게", "제가 할게요", "시험이에요", "안 먹어", "밥 안 먹었어", "굶었어", "못 갔어요",
        "안 봤어", "깜빡했어요", "내가 할 수 있어",
    ):  # fmt: skip
        assert heard(text, Expecting.HELP) not in back, text


def test_who_asks_to_report_it_takes_nothing_back() -> None:
    """신고 sounds like 취소, with which a call is taken back."""
    assert heard("신고 좀 해 주세요", Expecting.HELP) is Intent.HELP
    assert heard("취소 좀 해 주세요", Expecting.HELP) is Intent.CANCEL
