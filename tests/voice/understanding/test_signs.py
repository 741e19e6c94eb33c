"""Signs: a few words that together tell of danger or of what ails, in whatever is said."""

import pytest

from voice.understanding import phrases, signs
from voice.understanding.intents import Expecting, Intent, Understood
from voice.understanding.likeness import Evidence, Guess
from voice.understanding.understand import understand

PHRASES = phrases.load()
SIGNS = signs.load()
DANGERS = {
    "blood": "칼질을 하다가 손가락이 찢어졌어|피가 자꾸 나는데 안 멈춰|다리에서 피가 콸콸 쏟아져",
    "breath": "인절미를 먹다가 목에 콱 걸렸어|천식 약을 써도 숨이 안 트여요|숨이 턱턱 막혀 와 막혀",
    "chest": "가슴을 꽉 조이는 통증이 와서 식은땀이 나고 어지러워",
    "stroke": "아까부터 왼쪽 다리에 힘이 하나도 없어|입이 한쪽으로 돌아갔어요|갑자기 혀가 꼬여",
    "faint": "영감이 마당에 쓰러졌는데 불러도 대답이 없어|저혈당이 온 것 같아요",
    "fall": "사다리에서 그만 굴러떨어졌어|빙판에 미끄러져서 발목이 부러진 것 같아",
    "stuck": "옷장이 넘어와서 그 밑에 깔렸어요|화장실 문이 잠겨서 나올 수가 없어",
    "burn": "끓는 국을 발등에 쏟았어|주전자를 엎어서 손을 데었어요",
    "fire": "전기장판에서 불꽃이 튀어요|헛간이 타고 있어|온 방에 연기가 자욱해",
    "gas": "연탄가스를 마신 것 같아요|가스가 쉭쉭 새고 있어",
    "poison": "제초제를 물인 줄 알고 마셨어|수면제를 한 움큼 털어 넣었어",
    "bite": "밭에서 일하는데 독사한테 손을 물렸어|말벌 떼가 머리를 쏘였어",
    "electric": "콘센트를 만지다가 감전됐어요",
    "exposure": "눈밭에 빠져서 손발에 감각이 없어요",
    "flood": "개울이 넘쳐서 마당까지 물이 차올라|뒷산이 무너져서 못 나가고 있어",
    "intruder": "웬 남자가 창문을 깨고 있어|집에 도둑이 들어왔어요",
    "violence": "손자놈이 술에 취해서 나를 막 때려요|때리지 마",
}
# of others, of another time, of what might be, and harmless with the same words
NO_DANGER = (
    "뉴스에서 그러는데 집이 다 타고 있어", "드라마에서 영감이 쓰러졌는데 대답이 없어",
    "뱀한테 물렸다고 하더라고요", "불이 나면 창문을 열어야지",
    "독사한테 물린 데는 나았어요", "가스가 새는지 봐 달라고 했지",
    "무 썰다가 손가락을 살짝 베었어", "아궁이에 불이 잘 안 붙어요",
    "커피가 쏟아져서 닦았어", "비가 많이 쏟아져요", "떡이 목에 걸릴까 봐 조심조심 먹어",
    "피검사 하느라 피를 뽑았어", "버섯을 많이 먹었어요", "약을 시간 맞춰 먹었어",
    "물을 많이 마셨어", "수박이 시원해서 잘 넘어가", "개가 반가워서 꼬리를 흔들어",
    "친구가 문을 두드려서 열어 줬어", "계단에서 좀 쉬었어",
    "전기 요금이 많이 올랐어", "불 끄고 잤더니 병이 났어",
    "놀라서 기절할 뻔했어", "논에 물이 다 빠졌어", "얼굴 사진을 찍었어", "배가 다 익었어요",
    "머리가 많이 빠졌어", "문틈에 먼지가 끼었어", "아들이 너무 차갑네", "정신이 나갔나 봐",
    "보일러에 석유가 들어갔어", "몇 개냐고 물었어", "지붕에 비가 쏟아져", "누가 들어왔네",
    "손에 깨진 그릇을 들고 있어", "고기가 낚시에 걸렸어", "도와줘서 고맙다고 전화했어",
    "공을 멀리 던지고 있어",
    "나물 먹었더니 배불러요", "구급차 보내지 마세요",
)  # fmt: skip
AILMENTS = {
    "head": "아침부터 골치가 지끈지끈 아프네",
    "joints": "비가 오려나 무릎이 또 쑤시네요",
    "stomach": "뭘 잘못 먹었는지 속이 영 더부룩해요",
    "cold": "기침이 나흘째 안 떨어져",
    "weak": "요새는 통 기운이 하나도 없어",
    "eyes": "눈이 자꾸 침침해서 바늘귀를 못 꿰어",
    "lonely": "자식들이 바쁜지 통 연락이 없네",
    "mood": "먼저 간 사람 생각에 우울하네요",
    "sleep": "새벽에 자꾸 깨서 잠을 못 자",
    "appetite": "입맛이 없어서 죽도 못 먹겠어",
}


def meant(
    text: str, asked: Expecting, log_prob: float = -0.3, no_speech: float = 0.0,
    around: float = 0.0,
) -> Understood:  # fmt: skip
    heard = Evidence((Guess(text, log_prob),), no_speech=no_speech, around=around)
    return understand(heard, PHRASES, asked)


@pytest.mark.parametrize("what", DANGERS)
def test_danger_that_is_told_of_is_a_call(what: str) -> None:
    """None of these sentences is in the list of phrases, nor a piece of one."""
    told = {text: meant(text, Expecting.NOTHING) for text in DANGERS[what].split("|")}
    assert {text for text, found in told.items() if found.intent is not Intent.HELP} == set()
    assert what in {SIGNS.danger(text) for text in told}


def test_danger_somewhere_else_or_at_another_time_is_none() -> None:
    told = {text: meant(text, Expecting.NOTHING).intent for text in NO_DANGER}
    assert {text for text, intent in told.items() if intent is Intent.HELP} == set()


def test_a_sign_is_of_no_other_time_nor_turned() -> None:
    for text in (
        "작년에 개한테 물렸어",
        "이웃 마을에 도둑이 들어왔대요",
        "불 안 났어",
        "피 안 나요",
    ):
        assert SIGNS.danger(text) is None or SIGNS.is_elsewhere(text), text


def test_what_is_older_or_of_elsewhere_ends_no_call_in_plain_words() -> None:
    """That may stop a sign, never a phrase."""
    for text in (
        "작년에 다친 허리가 아파서 못 일어나겠어", "옛날에 다친 다리가 또 부러졌어",
        "아랫마을 사람 좀 불러 줘 살려 줘", "드라마 보다가 쓰러졌어요",
    ):  # fmt: skip
        assert meant(text, Expecting.NOTHING).intent is Intent.HELP, text


def test_a_sign_is_known_by_its_letters_not_by_how_it_is_spelt() -> None:
    """As Whisper wrote them down: 가스 was heard as 카스, 깔려 as 갈려, 저혈당 in two words."""
    for text in ("카스가 새고 있어", "냉장고에 갈렸어", "저 혈당이 왔어", "욕초에 빠졌어"):
        assert SIGNS.danger(text), text
    assert SIGNS.danger("피가 쏟아져")
    assert not SIGNS.danger("비가 쏟아져")  # one syllable is compared as it is


def test_a_sign_has_its_words_in_their_order_and_not_too_far_apart() -> None:
    assert SIGNS.danger("뱀한테 그만 손등을 콱 물렸어") == "bite"
    assert SIGNS.danger("물렸어 그만 뱀 얘기는") is None
    far = "뱀을 보고 놀라서 집에 와 밥을 먹는데 모기한테 물렸어"
    assert SIGNS.danger(far) is None


@pytest.mark.parametrize("what", AILMENTS)
def test_what_ails_is_told_as_an_answer_only(what: str) -> None:
    answer = meant(AILMENTS[what], Expecting.CHECKIN)
    assert (answer.intent, answer.what) == (Intent.UNWELL, what)
    if what not in ("cold", "weak"):  # a phrase has these, word for word
        assert meant(AILMENTS[what], Expecting.NOTHING) == Understood()


def test_what_does_not_ail_is_not_told() -> None:
    for text in (
        "무릎도 이제 안 아파요", "오늘은 속이 안 쓰리네요", "인제는 기침도 안 나네",
        "머리가 맑아요", "잠을 잘 잤어요",
    ):  # fmt: skip
        assert meant(text, Expecting.CHECKIN).intent is not Intent.UNWELL, text


def test_only_what_was_plainly_heard_is_believed() -> None:
    text = "콘센트를 만지다가 감전됐어요"
    unclear = Understood()
    assert meant(text, Expecting.NOTHING).intent is Intent.HELP
    assert meant(text, Expecting.NOTHING, log_prob=-0.9) == unclear
    assert meant(text, Expecting.NOTHING, no_speech=0.5) == unclear
    assert meant(text, Expecting.NOTHING, around=0.5) == unclear  # one voice among a television's
    assert meant(text, Expecting.HELP, around=0.5).intent is Intent.HELP
    spotted = Evidence((Guess(text),), strong=False)
    assert understand(spotted, PHRASES, Expecting.NOTHING) == unclear
    shy = understand(Evidence((Guess(text),)), PHRASES, Expecting.NOTHING, keen=-1.0)
    assert shy == unclear


def test_what_a_second_guess_tells_of_as_elsewhere_is_no_danger() -> None:
    """The last syllable decides that somebody else told of it: 물렸대."""
    alone = Guess("박 서방이 밭에서 독사한테 발을 물렸어", -0.3)
    both = Evidence((alone, Guess("박 서방이 밭에서 독사한테 발을 물렸대", -0.4)))
    assert understand(Evidence((alone,)), PHRASES, Expecting.NOTHING).intent is Intent.HELP
    assert understand(both, PHRASES, Expecting.NOTHING) == Understood()


def test_what_is_an_answer_word_for_word_is_that() -> None:
    """못 나가요 with 눈이 would else be somebody stuck."""
    assert SIGNS.danger("눈이 와서 못 나가요")
    assert meant("눈이 와서 못 나가요", Expecting.OUTING).intent is Intent.NO
    assert meant("자전거가 넘어졌어요", Expecting.NOTHING).intent is Intent.UNCLEAR


def test_a_sign_that_is_none_is_told_with_its_text() -> None:
    begin = 'particles = ["이"]\nendings = ["어"]\n[named]\nbody = ["손"]\n[elsewhere]\n'
    assert (
        signs.prepare(f'{begin}[[signs]]\nsay = ["{{body}} ... 아프"]\n').danger("손이 아프") == ""
    )
    for say in ("{leg} ... 아프", "(손 ... 아프"):
        with pytest.raises(ValueError, match="아프"):
            signs.prepare(f'{begin}[[signs]]\nsay = ["{say}"]\n')
