"""One talk: question, answer, confirmation, report; silence, unclear words, help at any time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contract.voice import Meaning
from tests.voice.dialogue.transcripts import (
    PLANS,
    WORDS,
    happening,
    plan,
    plays,
    run,
    shipped,
    told,
)
from voice.dialogue.acts import (
    End,
    Finished,
    Listen,
    Listened,
    Pause,
    Speak,
    Tell,
    speech_s,
    syllables,
)
from voice.dialogue.plan_files import Branch, Common, Question
from voice.dialogue.plans import Plan
from voice.dialogue.talk import MOST_QUESTIONS, MOST_S, begin, step
from voice.understanding.intents import Intent, Understood

KEYS = sorted(PLANS.plans)
INTENTS = [*(str(intent) for intent in Intent), "silence"]
FINER = ["unwell:head", "unwell:chest", "unwell:lonely", "unwell:nowhere", "often:0", "often:3"]
HEARD = st.lists(st.sampled_from([*INTENTS, *FINER]), max_size=60)

BRANCHES = st.builds(
    Branch,
    st.lists(st.sampled_from([*INTENTS, *FINER]), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["", "{heard} 네."]),
    st.sampled_from([None, *Meaning]),
    then=st.sampled_from(["", "start", "more", "help"]),
)
QUESTIONS = st.builds(
    Question,
    st.lists(BRANCHES, min_size=1, max_size=6).map(tuple),
    st.just("네?"),
    again=st.integers(0, 1),
)

GOOD = Branch(("fine", "yes"), "다행입니다.", Meaning.FINE)
BAD = Branch(("no",), "네, 전하겠습니다.", Meaning.NO)
MORE = Branch(("fine",), "좋습니다.", Meaning.FINE, then="more")
ASIDE = Branch(("unclear",), "네, 알겠습니다.")
LAST = Question((Branch(("yes",), "네."), BAD, ASIDE), ask="더 있으세요?")


def test_good_news_is_said_back_and_told_at_the_end() -> None:
    assert plays(
        shipped("ask_meals"),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 오늘 식사는 잘 하고 계세요?"
        << listen 10 s for meals
        >> yes
        << "잘 드시고 계시군요. 다행입니다. 다음 끼니도 맛있게 드세요."
        << tell fine, more follows
        << end
        """,
    )


def test_a_pain_is_told_at_once_and_then_asked_after() -> None:
    assert plays(
        shipped("ask_health"),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 오늘 몸은 괜찮으세요?"
        << listen 10 s for checkin
        >> no
        << tell unwell, more follows
        << "몸이 편치 않으시군요."
        << "어디가 어떻게 불편하세요?"
        << listen 12 s for checkin
        >> unwell:head
        << tell unwell head, more follows
        << "머리가 아프거나 어지러우시군요."
        << "견딜 만하세요?"
        << listen 10 s for bearable
        >> yes
        << "네, 그래도 무리하지 마세요."
        << "어제는 괜찮으셨어요?"
        << listen 10 s for yesterday
        >> no
        << tell unwell lasting, more follows
        << "어제도 그러셨군요. 상담원에게 전하겠습니다. 더 아프시면 빨간 단추를 눌러 주세요."
        << end
        """,
    )


def test_a_pain_that_cannot_be_borne_is_the_hubs_to_ask_about() -> None:
    _, lines = run(shipped("ask_health"), ["unwell:stomach", "no"])
    assert lines[-4:] == [
        ">> no",
        "<< tell unwell severe, more follows",
        "<< tell help severe",
        "<< end",
    ]


@pytest.mark.parametrize("key", KEYS)
def test_an_ill_of_the_chest_is_urgent_in_every_talk(key: str) -> None:
    _, lines = run(shipped(key), ["unwell:chest"])
    ends = ["<< tell unwell chest, more follows", "<< tell help chest", "<< end"]
    assert lines[-4:] == [">> unwell:chest", *ends]


@pytest.mark.parametrize("key", KEYS)
def test_a_call_for_help_ends_every_talk_at_once(key: str) -> None:
    talk, lines = run(shipped(key), ["help:fall"])
    assert lines[-3:] == [">> help:fall", "<< tell help fall", "<< end"]
    assert talk.over


def test_a_call_for_help_counts_even_after_the_end() -> None:
    _, lines = run(shipped("ask_mood"), ["fine", "yes", "silence", "help"])
    assert lines[-5:] == [">> yes", ">> silence", ">> help", "<< tell help", "<< end"]


def test_silence_is_asked_once_more_and_slower_and_is_told_to_nobody() -> None:
    assert plays(
        shipped("ask_sleep"),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 간밤에 잘 주무셨어요?"
        << listen 10 s for sleep
        >> silence
        << slowly "안녕하세요. 간밤에 잘 주무셨어요?"
        << listen 10 s for sleep
        >> silence
        << "조금 뒤에 다시 여쭙겠습니다. 급하시면 빨간 단추를 눌러 주세요."
        << end
        """,
    )


def test_unclear_words_are_asked_once_more_and_then_told_as_unclear() -> None:
    assert plays(
        shipped("ask_mood"),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 오늘 기분은 괜찮으세요?"
        << listen 10 s for checkin
        >> unclear
        << slowly "죄송합니다. 잘 못 알아들었어요. 한 번 더 여쭙겠습니다."
        << slowly "안녕하세요. 오늘 기분은 괜찮으세요?"
        << listen 10 s for checkin
        >> unclear
        << tell unclear
        << end
        """,
    )


def test_silence_is_not_taken_for_unclear_words() -> None:
    assert not told(run(shipped("remind"), ["silence", "silence"])[1])
    assert told(run(shipped("remind"), ["unclear", "silence"])[1]) == [Meaning.UNCLEAR]


def test_unclear_words_and_then_silence_are_still_unclear_words() -> None:
    _, lines = run(shipped("ask_mood"), ["unclear", "silence"])
    assert lines[-3:] == [">> silence", "<< tell unclear", "<< end"]


def test_a_clear_word_that_answers_something_else_is_unclear() -> None:
    talk_plan = plan(start=Question((GOOD, BAD)))
    assert told(run(talk_plan, ["often:2", "often:2"])[1]) == [Meaning.UNCLEAR]


def test_who_is_asked_slowly_by_the_hub_hears_all_of_it_slowly() -> None:
    assert plays(
        plan(start=Question((MORE, BAD)), more=LAST),
        """
        << slowly "괜찮으세요?"
        << listen 10 s for checkin
        >> fine
        << slowly "좋습니다."
        << slowly "더 있으세요?"
        << listen 10 s for checkin
        >> yes
        << slowly "네."
        << tell fine, more follows
        << end
        """,
        slow=True,
    )


def test_again_says_all_of_the_last_words_again_slower() -> None:
    assert plays(
        plan(start=Question((MORE, BAD)), more=LAST),
        """
        << "괜찮으세요?"
        << listen 10 s for checkin
        >> fine
        << "좋습니다."
        << "더 있으세요?"
        << listen 10 s for checkin
        >> repeat
        << slowly "좋습니다."
        << slowly "더 있으세요?"
        << listen 10 s for checkin
        >> yes
        << "네."
        << tell fine, more follows
        << end
        """,
    )


def test_slower_and_louder_are_acknowledged_and_slower_stays() -> None:
    assert plays(
        plan(start=Question((MORE, BAD)), more=LAST),
        """
        << "괜찮으세요?"
        << listen 10 s for checkin
        >> louder
        << "네, 더 크게 말하겠습니다."
        << "괜찮으세요?"
        << listen 10 s for checkin
        >> slower
        << slowly "네, 더 천천히 말하겠습니다."
        << slowly "괜찮으세요?"
        << listen 10 s for checkin
        >> time
        << slowly "괜찮으세요?"
        << listen 10 s for checkin
        >> no
        << tell no, more follows
        << slowly "네, 전하겠습니다."
        << end
        """,
    )


def test_worse_news_takes_good_news_back() -> None:
    """Good news first, bad news later: the hub never gets the good news."""
    talk_plan = plan(start=Question((MORE, BAD)), more=LAST)
    assert told(run(talk_plan, ["fine", "no"])[1]) == [Meaning.NO]


def test_good_news_after_bad_is_not_told() -> None:
    bad = Branch(("no",), "네.", Meaning.NO, then="more")
    talk_plan = plan(start=Question((bad,)), more=Question((GOOD, ASIDE), ask="그래도요?"))
    assert told(run(talk_plan, ["no", "fine"])[1]) == [Meaning.NO]


def test_good_news_is_kept_though_what_follows_is_not_understood() -> None:
    talk_plan = plan(start=Question((MORE, BAD)), more=LAST)
    assert told(run(talk_plan, ["fine", "unclear", "unclear"])[1]) == [Meaning.FINE]


@pytest.mark.parametrize("intent", ["counsel", "away", "home"])
def test_what_the_hub_replies_to_itself_is_told_and_no_more(intent: str) -> None:
    _, lines = run(shipped("ask_health"), [intent])
    assert lines[-3:] == [f">> {intent}", f"<< tell {intent}", "<< end"]


def test_who_does_not_want_to_talk_is_left_alone() -> None:
    _, lines = run(shipped("ask_health"), ["cancel"])
    assert lines[-4:] == [
        ">> cancel",
        "<< tell cancel, more follows",
        f'<< "{WORDS.cancel}"',
        "<< end",
    ]


def test_an_ill_that_the_plan_did_not_think_of_is_told_all_the_same() -> None:
    _, lines = run(plan(start=Question((GOOD, BAD))), ["unwell:joints"])
    assert lines[-5:] == [
        ">> unwell:joints",
        "<< tell unwell joints, more follows",
        '<< "몸이 쑤시고 아프시군요."',
        f'<< "{WORDS.unwell}"',
        "<< end",
    ]


def test_an_ill_that_nobody_has_words_for_is_said_back_in_general_ones() -> None:
    _, lines = run(shipped("ask_health"), ["unwell:nowhere"])
    assert '<< "편치 않으시군요."' in lines


def test_without_any_words_of_ones_own_nothing_empty_is_said() -> None:
    talk_plan = plan(Common(), start=Question((GOOD, BAD)))
    assert plays(
        talk_plan,
        """
        << "괜찮으세요?"
        << listen 10 s for checkin
        >> silence
        << slowly "괜찮으세요?"
        << listen 10 s for checkin
        >> silence
        << end
        """,
    )


def test_help_without_news_of_its_own_is_help() -> None:
    talk_plan = plan(start=Question((Branch(("no",), then="help"), GOOD)))
    _, lines = run(talk_plan, ["no"])
    assert lines[-2:] == ["<< tell help", "<< end"]


@pytest.mark.parametrize("heard", ["no", "unclear", "home"])
def test_a_plan_cannot_make_anybody_fine_who_did_not_say_so(heard: str) -> None:
    """The checker refuses such a plan; the talk does not rely on it."""
    lie = Branch(("no", "unclear", "home"), "다행입니다.", Meaning.FINE)
    assert told(run(plan(start=Question((lie,), again=0)), [heard])[1]) == [Meaning.UNCLEAR]


@pytest.mark.parametrize("intent", [Intent.FINE, Intent.YES])
def test_good_news_that_was_hardly_understood_is_asked_for_once_more(intent: Intent) -> None:
    """ "넘어졌어요", misheard, is like a "yes" of 0.85."""
    talk, _ = begin(shipped("ask_health"), slow=False)
    talk, acts = step(talk, Listened(Understood(intent, sure=0.85)))
    assert acts[0] == Speak(WORDS.not_understood, slow=True)
    _, sure = step(talk, Listened(Understood(intent, sure=0.9)))
    assert Tell(Meaning.FINE, closes=True) in sure
    _, unsure = step(talk, Listened(Understood(intent, sure=0.85)))
    assert unsure == [Tell(Meaning.UNCLEAR), End()]


def test_bad_news_is_taken_at_the_first_word() -> None:
    talk, _ = begin(shipped("ask_health"), slow=False)
    _, acts = step(talk, Listened(Understood(Intent.NO, sure=0.67)))
    assert acts[0] == Tell(Meaning.UNWELL, closes=True)


def test_a_score_is_told_of_a_scale_alone() -> None:
    talk, _ = begin(plan(start=Question((GOOD, BAD))), slow=False)
    _, acts = step(talk, Listened(Understood(Intent.NO, score=2)))
    assert acts[0] == Tell(Meaning.NO, closes=True)


def test_that_the_acts_are_done_changes_nothing() -> None:
    talk, _ = begin(shipped("ask_mood"), slow=False)
    assert step(talk, Finished()) == (talk, [])


def test_a_plan_that_goes_round_in_circles_ends_within_its_bounds() -> None:
    round_ = Branch(("yes",), "네.", then="start")
    _, lines = run(plan(start=Question((round_,))), ["yes"] * 40)
    assert lines.count("<< listen 10 s for checkin") <= MOST_QUESTIONS
    assert lines[-41:].count("<< end") == 1
    assert f'<< "{WORDS.enough}"' in lines
    assert told(lines) == [Meaning.UNCLEAR]


def test_who_asks_for_the_time_without_end_is_not_asked_without_end() -> None:
    short = plan(start=Question((GOOD, BAD), listen_s=3.0))
    _, lines = run(short, ["time"] * 40)
    assert lines.count("<< listen 3 s for checkin") == MOST_QUESTIONS


def test_a_first_question_is_asked_however_long_it_is() -> None:
    talk_plan = Plan("ask_test", "가" * 1000, {"start": Question((GOOD,))}, WORDS)
    _, acts = begin(talk_plan, slow=True)
    assert isinstance(acts[-1], Listen)


def test_figures_count_as_syllables_and_slow_speech_takes_longer() -> None:
    assert syllables("오늘, 2주!") == 4
    assert speech_s("가나다라", slow=False) == pytest.approx(1.0)
    assert speech_s("가나다라", slow=True) == pytest.approx(1.25)


@settings(max_examples=400)
@given(key=st.sampled_from([*KEYS, "ask_nothing_known"]), heard=HEARD, slow=st.booleans())
def test_every_talk_is_bounded_and_honest(key: str, heard: list[str], *, slow: bool) -> None:
    """With any answers in any order: the talk ends in time, invents no good news, loses no call."""
    talk, acts = begin(PLANS.for_key(key, "괜찮으세요?"), slow=slow)
    all_acts, said = list(acts), list[str]()
    for one in heard:
        was_over = talk.over
        talk, acts = step(talk, happening(one))
        assert bool(acts) != was_over or one.startswith("help")
        if not was_over:
            said.append(one.partition(":")[0])
        assert one != "help" or Tell(Meaning.HELP) in acts
        all_acts += acts
    meanings = [act.meaning for act in all_acts if isinstance(act, Tell)]
    listened = [act.s for act in all_acts if isinstance(act, Listen)]
    spoke = [speech_s(act.text, slow=act.slow) for act in all_acts if isinstance(act, Speak)]
    paused = sum(act.s for act in all_acts if isinstance(act, Pause))
    assert len(listened) <= MOST_QUESTIONS
    assert sum(listened) + sum(spoke) + paused <= MOST_S + 20  # the closing words
    assert len(heard) < MOST_QUESTIONS + 1 or talk.over
    if {Meaning.FINE, Meaning.YES} & set(meanings):
        assert {"fine", "yes"} & set(said)
    if "unwell" in said:
        assert {Meaning.UNWELL, Meaning.COUNSEL, Meaning.HELP} & set(meanings)
        assert Meaning.FINE not in meanings[meanings.index(Meaning.UNWELL) :]
    if talk.over and set(said) - {"silence"}:
        assert meanings


@settings(max_examples=150)
@given(first=QUESTIONS, more=QUESTIONS, heard=HEARD)
def test_no_plan_at_all_can_make_a_talk_endless_or_anybody_fine(
    first: Question, more: Question, heard: list[str]
) -> None:
    """Even one that the checker would refuse: circles, good news out of nothing."""
    talk, lines = run(plan(start=first, more=more), heard)
    assert sum(line.startswith("<< listen") for line in lines) <= MOST_QUESTIONS
    assert talk.over or len(heard) <= MOST_QUESTIONS
    if {Meaning.FINE, Meaning.YES} & set(told(lines)):
        assert {"fine", "yes"} & set(heard)
    if "help" in heard:
        assert Meaning.HELP in told(lines)
