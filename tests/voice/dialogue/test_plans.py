"""The shipped plans, path by path: each ends, reports, and says what follows; a county's plans."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.contract.voice import Meaning, Phrase
from tests.voice.dialogue.transcripts import HUB, PLANS, WORDS, happening, plays, run, shipped, told
from voice.dialogue.acts import Listen, Speak, speech_s
from voice.dialogue.plan_check import ASKED, ASKED_BY_HUB
from voice.dialogue.plan_files import HELP, START, Branch
from voice.dialogue.plans import SHIPPED, Plan, PlanError, Plans, spoken
from voice.dialogue.talk import MOST_S, begin, step

KEYS = sorted(PLANS.plans)
HUB_REPLIES = {Meaning.COUNSEL, Meaning.AWAY, Meaning.HOME, Meaning.HELP, Meaning.UNCLEAR}
HUB_CLOSES = ("ask_help", "warn_", "ask_phq_", "own_")  # what follows is said by the hub

Way = tuple[tuple[str, ...], Branch]


def ways(plan: Plan, name: str = START) -> Iterator[Way]:
    """Yield every way through a talk: what has to be heard for it, and its last branch."""
    question = plan.steps[name]
    for branch in question.on:
        for heard in branch.heard:
            here = (heard,) * (question.again + 1 if heard in {"silence", "unclear"} else 1)
            if branch.then in {"", HELP}:
                yield here, branch
            else:
                yield from ((here + more, last) for more, last in ways(plan, branch.then))


WAYS = {key: list(ways(shipped(key))) for key in KEYS}


def test_every_question_of_the_hub_and_of_the_voice_has_a_plan() -> None:
    assert set(KEYS) == set(ASKED)
    assert set(ASKED_BY_HUB) <= {str(phrase) for phrase in Phrase}


def test_every_ill_that_is_understood_is_said_back() -> None:
    phrases = SHIPPED.parent.parent / "phrases" / "ko.toml"
    entries = tomllib.loads(phrases.read_text(encoding="utf-8"))["phrases"]
    ills = {entry["what"] for entry in entries if entry["intent"] == "unwell" and "what" in entry}
    assert ills
    assert ills <= set(WORDS.heard)


@pytest.mark.parametrize("key", KEYS)
def test_every_way_ends_tells_and_says_what_follows(key: str) -> None:
    for heard, last in WAYS[key]:
        talk, lines = run(shipped(key), heard)
        meanings, silent = told(lines), set(heard) == {"silence"}
        after = lines[len(lines) - lines[::-1].index(f">> {heard[-1]}") :]
        assert talk.over, heard
        assert lines[-1] == "<< end", heard
        assert meanings or silent, heard
        assert last.tell is None or last.tell in meanings, heard
        if not silent and not any('"' in line for line in after):  # then the hub has the last word
            assert key.startswith(HUB_CLOSES) or set(told(after)) & HUB_REPLIES, heard


@pytest.mark.parametrize("key", KEYS)
def test_the_longest_way_keeps_to_three_minutes(key: str) -> None:
    for heard, _ in WAYS[key]:
        talk, acts = begin(shipped(key), slow=True)
        for one in heard:
            talk, more = step(talk, happening(one))
            acts += more
        spoke = sum(speech_s(act.text, slow=act.slow) for act in acts if isinstance(act, Speak))
        assert spoke + sum(act.s for act in acts if isinstance(act, Listen)) <= MOST_S
        assert Speak(WORDS.enough, slow=True) not in acts


@pytest.mark.parametrize("key", KEYS)
def test_good_news_is_told_only_to_who_said_so(key: str) -> None:
    for heard, _ in WAYS[key]:
        if {Meaning.FINE, Meaning.YES} & set(told(run(shipped(key), heard)[1])):
            assert {"fine", "yes"} & set(heard)


def test_the_question_whether_help_is_needed_is_answered_well_within_15_s() -> None:
    _, acts = begin(shipped("ask_help"), slow=False)
    assert all(isinstance(act, Speak | Listen) for act in acts)
    listened = sum(act.s for act in acts if isinstance(act, Listen))
    assert listened + speech_s(HUB["ask_help"], slow=False) <= 12
    for one, meaning in [("unclear", "unclear"), ("no", "no"), ("fine", "fine"), ("yes", "yes")]:
        assert run(shipped("ask_help"), [one])[1][-2:] == [f"<< tell {meaning}", "<< end"]
    assert run(shipped("ask_help"), ["silence"])[1][-2:] == [">> silence", "<< end"]


@pytest.mark.parametrize("key", [key for key in KEYS if key.startswith("warn_")])
def test_a_warning_is_over_before_it_is_said_again(key: str) -> None:
    """The hub warns again after 30 s; the words themselves take up to 20."""
    _, lines = run(shipped(key), ["silence"])
    assert lines[-2:] == [">> silence", "<< end"]
    assert sum(line.startswith("<< listen") for line in lines) == 1


@pytest.mark.parametrize("item", ["interest", "mood"])
@pytest.mark.parametrize("score", [0, 1, 2, 3])
def test_a_scale_is_told_with_its_score_and_never_as_good_news(item: str, score: int) -> None:
    _, lines = run(shipped(f"ask_phq_{item}"), [f"often:{score}"])
    assert lines[-2:] == [f"<< tell no{f' {score}' if score else ''}", "<< end"]
    assert not [line for line in lines if line == "<< chime"]


def test_a_scale_that_is_answered_with_yes_is_asked_how_often() -> None:
    _, lines = run(shipped("ask_phq_mood"), ["yes", "often:2"])
    assert lines[-2:] == ["<< tell no 2", "<< end"]


def test_who_is_low_is_offered_somebody_to_talk_to() -> None:
    assert plays(
        shipped("ask_mood"),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 오늘 기분은 괜찮으세요?"
        << listen 10 s for checkin
        >> unwell:lonely
        << tell unwell lonely, more follows
        << "많이 외로우시군요."
        << "알려 주셔서 고맙습니다."
        << "상담을 받아 보시겠어요?"
        << listen 12 s for offer
        >> yes
        << tell counsel
        << end
        """,
    )


def test_who_despairs_is_not_left_with_a_closing_word() -> None:
    _, lines = run(shipped("ask_mood"), ["unwell:despair"])
    assert lines[-3:] == ["<< tell unwell despair, more follows", "<< tell help despair", "<< end"]


def test_who_did_not_eat_is_asked_for_appetite_and_food() -> None:
    assert plays(
        shipped("ask_meals"),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 오늘 식사는 잘 하고 계세요?"
        << listen 10 s for meals
        >> no
        << tell no, more follows
        << "잘 못 드시고 계시군요."
        << "입맛은 있으세요?"
        << listen 10 s for have
        >> yes
        << "입맛은 있으시군요."
        << "드실 것은 집에 있으세요?"
        << listen 10 s for have
        >> no
        << tell no no_food, more follows
        << "드실 것이 없으시군요. 상담원에게 바로 전하겠습니다."
        << end
        """,
    )


def test_who_has_run_out_of_medicine_is_heard() -> None:
    _, lines = run(shipped("ask_medicine"), ["no", "no"])
    assert "<< tell no no_medicine, more follows" in lines


def test_a_day_at_home_is_no_illness_but_the_body_is_asked_after() -> None:
    _, lines = run(shipped("ask_outing"), ["no", "unwell:joints", "yes", "yes"])
    assert told(lines) == [Meaning.NO, Meaning.UNWELL, Meaning.UNWELL]


def test_who_speaks_of_going_out_is_asked_whether_now() -> None:
    """An empty house is watched less, so "I was going to go out" must not count as going out."""
    assert told(run(shipped("ask_outing"), ["away", "yes"])[1]) == [Meaning.AWAY]
    assert told(run(shipped("ask_outing"), ["away", "no"])[1]) == [Meaning.NO]
    assert told(run(shipped("ask_outing"), ["away", "silence", "silence"])[1]) == [Meaning.UNCLEAR]


def test_unclear_words_after_a_pain_are_the_hubs_to_ask_about_but_silence_is_not() -> None:
    unclear = run(shipped("ask_health"), ["unwell:head", "unclear", "unclear"])[1]
    assert told(unclear) == [Meaning.UNWELL, Meaning.HELP]
    assert told(run(shipped("ask_health"), ["unwell:head", "silence", "silence"])[1]) == [
        Meaning.UNWELL
    ]


def test_a_question_without_a_plan_is_a_talk_of_one_question() -> None:
    plan = PLANS.for_key("ask_weather", "비가 오는데 괜찮으세요?")
    assert told(run(plan, ["yes"])[1]) == [Meaning.FINE]
    assert told(run(plan, ["no"])[1]) == [Meaning.NO]
    assert told(run(plan, ["unclear", "unclear"])[1]) == [Meaning.UNCLEAR]


def test_all_that_is_ever_spoken_is_among_the_sentences_of_the_bank() -> None:
    bank = {*PLANS.sentences(), *HUB.values()}
    asides = [("unclear",), ("slower", "louder"), ("unwell:eyes",), ("cancel",), ("time",) * 20]
    for key in KEYS:
        for heard in [*asides, *(heard for heard, _ in WAYS[key])]:
            _, lines = run(shipped(key), heard)
            spoke = {found[1] for line in lines if (found := re.search(r'"(.*)"', line))}
            assert spoke <= bank
    assert "" not in bank


def test_a_sentence_is_cut_where_something_is_filled_in() -> None:
    assert spoken("네. {heard} 알겠습니다.", "아프시군요.") == ["네.", "아프시군요.", "알겠습니다."]
    assert spoken("{heard}", "") == []


def county(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def example() -> str:
    readme = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", readme, re.DOTALL)
    assert found
    return found[1]


def test_the_plan_that_the_readme_shows_goes_before_the_products(tmp_path: Path) -> None:
    plans = Plans.load(county(tmp_path, ours=example()), SHIPPED)
    assert plays(
        plans.for_key("ask_meals", HUB["ask_meals"]),
        """
        << chime
        << pause 1 s
        << "안녕하세요. 오늘 식사는 잘 하고 계세요?"
        << listen 10 s for checkin
        >> unwell:appetite
        << tell unwell appetite, more follows
        << "잘 못 드시고 계시군요."
        << "도시락을 보내 드릴까요?"
        << listen 12 s for offer
        >> yes
        << tell no lunchbox, more follows
        << "네, 도시락을 신청하겠습니다."
        << end
        """,
    )
    assert plans.for_key("ask_mood", "").steps == shipped("ask_mood").steps


def test_a_county_replaces_single_words_and_keeps_the_others(tmp_path: Path) -> None:
    ours = 'thanks = "고맙습니다."\n[heard]\nhead = "머리가 아프시구나요."\n'
    words = Plans.load(county(tmp_path, common=ours), SHIPPED).common
    assert words.thanks == "고맙습니다."
    assert words.heard["head"] == "머리가 아프시구나요."
    assert words.heard["cold"] == WORDS.heard["cold"]
    assert words.slower == WORDS.slower
    assert words.step == WORDS.step


def test_a_first_question_of_the_countys_own_replaces_the_hubs(tmp_path: Path) -> None:
    ours = example().replace(
        "[[step.start.on]]", '[step.start]\nask = "밥은요?"\n[[step.start.on]]', 1
    )
    plans = Plans.load(county(tmp_path, ours=ours), SHIPPED)
    assert plans.for_key("ask_meals", HUB["ask_meals"]).asks(START) == "밥은요?"


def test_a_folder_with_mistakes_gives_all_of_them_and_no_plans(tmp_path: Path) -> None:
    folder = county(
        tmp_path, a="answers = 1", b=example().replace('then = "lunchbox"', 'then = "lunch"')
    )
    with pytest.raises(PlanError) as caught:
        Plans.load(folder, SHIPPED)
    assert [Path(mistake.file).name for mistake in caught.value.mistakes] == ["a.toml", "a.toml"]
    assert {Path(flaw.file).name for flaw in caught.value.flaws} == {"b.toml"}
    assert "b.toml:" in str(caught.value)


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("...", encoding="utf-8")
    assert set(Plans.load(tmp_path, SHIPPED).plans) == set(KEYS)
