"""`anbu voice plans check`: every mistake at once, with file, line, key and what was meant."""

import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import SettingsError
from voice.cli import flaw_sentence, plan_check_arguments, run_plan_check
from voice.dialogue.plan_check import flaws
from voice.dialogue.plan_files import Flaw, Kind, gather
from voice.dialogue.plans import SHIPPED, Plans

RIGHT = """\
answers = ["ask_meals"]
[[step.start.on]]
heard = ["fine", "yes"]
tell = "fine"
say = "다행입니다."
[[step.start.on]]
heard = ["no"]
tell = "no"
say = "네."
then = "more"
[[step.start.on]]
heard = ["unwell"]
tell = "unwell"
then = "help"
[step.more]
ask = "입맛은 있으세요?"
[[step.more.on]]
heard = ["yes", "no"]
say = "{heard} 네."
[[step.more.on]]
heard = ["unclear", "silence"]
say = "네, 알겠습니다."
"""
LONG = "가" * 41
AWAY = 'heard = ["away"]\n'

WRONG = {  # what replaces what in RIGHT, and the flaw: its line, key, and what was meant
    Kind.UNKNOWN_KEY: ("ask_meals", "ask_meal", (1, "answers[1]", "ask_meals")),
    Kind.UNKNOWN_HEARD: ('"no"]\nsay', '"noo"]\nsay', (18, "step.more.on[1].heard[2]", "no")),
    Kind.UNKNOWN_WHAT: ('"unwell"]', '"unwell:haed"]', (12, "step.start.on[3].heard[1]", "head")),
    Kind.HEARD_TWICE: ('"unwell"]', '"unwell", "unwell"]', (12, "step.start.on[3].heard[1]", "")),
    Kind.UNKNOWN_STEP: ('"help"', '"hepl"', (14, "step.start.on[3].then", "help")),
    Kind.NO_START: ("step.start", "step.begin", (2, "step", "")),
    Kind.UNREACHABLE: ('then = "more"', "", (15, "step.more", "")),
    Kind.LOOP: ('say = "{heard} 네."', 'then = "start"', (10, "step.start.on[2].then", "")),
    Kind.UNTOLD: ('tell = "no"\n', "", (16, "step.more.on[1].tell", "")),
    Kind.NOT_FINE: ('"fine", "yes"]', '"fine", "yes", "home"]', (4, "step.start.on[1].tell", "")),
    Kind.UNWELL_UNTOLD: ('tell = "unwell"\n', "", (11, "step.start.on[3].tell", "")),
    Kind.GUESSED: ('"no"]\ntell', '"no", "silence"]\ntell', (8, "step.start.on[2].tell", "")),
    Kind.MISSING: ('"unclear", ', "", (17, "step.more.on", "")),
    Kind.TOO_LONG: ("다행입니다.", f"네. {LONG}.", (5, "step.start.on[1].say", "")),
    Kind.PLACEHOLDER: ("{heard}", "{herd}", (19, "step.more.on[1].say", "{heard}")),
    Kind.NO_QUESTION: ('ask = "입맛은 있으세요?"', "", (15, "step.more.ask", "")),
    Kind.HELP_SPEAKS: ('"help"', '"help"\nsay = "네."', (15, "step.start.on[3].say", "")),
    Kind.NO_LISTENING: ("ask = ", 'expect = "nothing"\nask = ', (16, "step.more.expect", "")),
}  # fmt: skip


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def found(folder: Path) -> list[Flaw]:
    """Return the flaws of a county's folder, checked together with the talks that we ship."""
    sources, mistakes = gather(folder, SHIPPED)
    assert not mistakes
    return list(flaws(sources))


def checked(folder: Path | None = None) -> int:
    parser = ArgumentParser()
    plan_check_arguments(parser)
    return run_plan_check(parser.parse_args([str(folder)] if folder else []))


def test_a_right_plan_has_no_flaw(tmp_path: Path) -> None:
    assert not found(written(tmp_path, meals=RIGHT))


@pytest.mark.parametrize("kind", WRONG)
def test_each_flaw_is_told_with_its_line_and_key(kind: Kind, tmp_path: Path) -> None:
    old, new, (line, key, meant) = WRONG[kind]
    assert old in RIGHT
    folder = written(tmp_path, meals=RIGHT.replace(old, new))
    flaw = next(flaw for flaw in found(folder) if flaw.kind is kind)
    assert (Path(flaw.file), flaw.line, flaw.key) == (folder / "meals.toml", line, key)
    assert flaw.did_you_mean == meant


def test_a_question_has_one_plan_in_a_folder(tmp_path: Path) -> None:
    (flaw,) = found(written(tmp_path, a=RIGHT, b=RIGHT))
    assert (flaw.kind, Path(flaw.file).name, flaw.line) == (Kind.KEY_TWICE, "b.toml", 1)
    assert Path(flaw.allowed[0]).name == "a.toml"


def test_every_kind_of_flaw_has_its_test() -> None:
    assert {*WRONG, Kind.KEY_TWICE} == set(Kind)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_flaw_has_its_sentence(kind: Kind, language: Language) -> None:
    flaw = Flaw("a.toml", 3, "step.start", kind, ("one", "2", "3"), "head")
    sentence = flaw_sentence(flaw, language)
    assert sentence.startswith("a.toml:3: step.start: ")
    assert "head" in sentence
    assert "head" not in flaw_sentence(replace(flaw, did_you_mean=""), language)
    assert "{" not in sentence.replace("{heard}", "")


def test_the_sentences_of_both_languages_are_the_same_ones() -> None:
    korean, english = (messages("voice", language, "plans") for language in Language)
    assert {t: list(korean[t]) for t in korean} == {t: list(english[t]) for t in english}
    for table, sentences in korean.items():
        for name, sentence in sentences.items():
            filled = set(re.findall(r"\{\w+\}", sentence))
            assert filled == set(re.findall(r"\{\w+\}", english[table][name])), name


@pytest.mark.parametrize(
    ("shared", "kind", "key"),
    [
        ('[step.where]\nask = "어디가요?"\n[[step.where.on]]\nheard = ["unclear"]\nthen = "where"',
         Kind.LOOP, "step.where.on[1].then"),
        ('thanks = "{name} 고맙습니다."', Kind.PLACEHOLDER, "thanks"),
        (f'[heard]\nhead = "{LONG}"', Kind.TOO_LONG, "heard.head"),
        ('[heard]\nhead = "{heard}"', Kind.PLACEHOLDER, "heard.head"),
    ],
)  # fmt: skip
def test_the_words_that_all_share_are_looked_over_too(
    shared: str, kind: Kind, key: str, tmp_path: Path
) -> None:
    (flaw,) = found(written(tmp_path, common=shared))
    assert (flaw.kind, flaw.key) == (kind, key)


def test_a_way_that_ends_untold_in_a_shared_step_is_told_of_the_plan(tmp_path: Path) -> None:
    text = RIGHT.replace('tell = "no"\nsay = "네."\nthen = "more"', 'then = "counsel"')
    untold = [flaw for flaw in found(written(tmp_path, a=text)) if flaw.kind is Kind.UNTOLD]
    assert [flaw.key for flaw in untold] == ["step.start.on[2].tell"]


def test_a_way_into_nowhere_is_no_way_that_ends(tmp_path: Path) -> None:
    text = RIGHT.replace('tell = "no"\nsay = "네."\nthen = "more"', 'then = "mroe"')
    kinds = [flaw.kind for flaw in found(written(tmp_path, a=text))]
    assert kinds == [Kind.UNKNOWN_STEP, Kind.UNREACHABLE]


def test_many_ways_that_part_and_meet_are_walked_once(tmp_path: Path) -> None:
    """Sixty times two ways would be 2^60 walks."""
    step = '[step.s{n}]\nask = "네?"\n[[step.s{n}.on]]\nheard = ["yes"]\nthen = "{to}"\n'
    step += '[[step.s{n}.on]]\nheard = ["no", "unclear"]\nthen = "{to}"\n'
    chain = "".join(step.format(n=n, to=f"s{n + 1}") for n in range(60))
    last = '[step.s60]\nask = "네?"\n[[step.s60.on]]\nheard = ["unclear"]\ntell = "unclear"\n'
    plan = RIGHT.replace('tell = "no"\nsay = "네."\nthen = "more"', 'then = "s0"')
    plan = plan[: plan.index("[step.more]")] + chain + last
    assert not found(written(tmp_path, meals=plan))


def test_the_products_own_plans_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked() == 0
    said = capsys.readouterr()
    assert str(SHIPPED) in said.out
    assert f"말할 문장 {len(Plans.load().sentences())}개" in said.out
    assert not said.err


def test_a_countys_plans_are_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(written(tmp_path, meals=RIGHT)) == 0
    assert "계획이 있는 질문: ask_meals." in capsys.readouterr().out


def test_all_flaws_are_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = RIGHT.replace("ask_meals", "ask_meal").replace('"help"', '"hepl"')
    assert checked(written(tmp_path, meals=text)) == 2
    said = capsys.readouterr()
    assert not said.out
    file = tmp_path / "meals.toml"
    assert f"{file}:14: step.start.on[3].then: 없는 단계입니다." in said.err
    assert "혹시 “help”인가요?" in said.err
    assert f"{file}:1: answers[1]: 허브에 없는 질문입니다." in said.err
    monkeypatch.setenv("ANBU_LANG", "en")
    assert checked(tmp_path) == 2
    said = capsys.readouterr()
    assert f"{file}:1: answers[1]: the hub asks no such question." in said.err
    assert 'Did you mean "ask_meals"?' in said.err


def test_mistakes_of_form_come_beside_the_flaws_of_other_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = RIGHT.replace('tell = "fine"', 'tell = "fien"').replace("again", "agian")
    folder = written(tmp_path, a=broken, b=RIGHT.replace('"help"', '"hepl"'))
    with pytest.raises(SettingsError) as caught:
        checked(folder)
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.key) == (4, "step.start.on[1].tell")
    assert mistake.did_you_mean == "fine"
    assert "b.toml:14: " in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(tmp_path / "none") == 2
    assert "읽을 수 없습니다" in capsys.readouterr().err
