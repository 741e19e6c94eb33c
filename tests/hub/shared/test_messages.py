"""What people read: a sentence for every mistake, in both languages."""

import subprocess
import sys
from pathlib import Path

import pytest

from hub.contract.addresses import Flaw
from hub.contract.voice import Phrase
from hub.shared.language import Language
from hub.shared.messages import messages, tell
from hub.shared.settings import Mistake, Problem


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("problem", Problem)
def test_every_problem_has_a_sentence(problem: Problem, language: Language) -> None:
    allowed = ("time",) if problem is Problem.FORM else ("number",)
    sentence = tell(Mistake("a.toml", 3, "b.c", problem, allowed, "d", "e{}"), language)
    assert sentence.startswith("a.toml:3: b.c: ")
    assert "d" in sentence


@pytest.mark.parametrize("language", Language)
def test_every_flaw_of_a_text_has_a_sentence_and_no_other(language: Language) -> None:
    assert set(messages("hub", language, "settings")["form"]) == set(Flaw)
    mistake = Mistake("a.toml", 3, "port", Problem.FORM, (Flaw.PORT,), detail="99999")
    assert "99999" in tell(mistake, language)


def test_a_wrong_type_is_told_in_words() -> None:
    mistake = Mistake("a.toml", 3, "pin", Problem.WRONG_TYPE, ("integer",))
    assert tell(mistake, Language.ENGLISH) == "a.toml:3: pin: this must be a whole number"
    assert tell(mistake, Language.KOREAN) == "a.toml:3: pin: 값의 종류가 다릅니다. 필요한 것: 정수"


def test_a_text_that_is_no_toml_has_no_key() -> None:
    mistake = Mistake("a.toml", 3, "", Problem.SYNTAX, detail="x")
    assert tell(mistake, Language.ENGLISH) == "a.toml:3: this is not TOML: x"


def test_both_languages_say_the_same_things() -> None:
    korean, english = (messages("hub", language, "settings") for language in Language)
    assert {name: set(table) for name, table in korean.items()} == {
        name: set(table) for name, table in english.items()
    }


@pytest.mark.parametrize("language", Language)
def test_the_hub_has_words_for_all_that_it_says_and_no_others(language: Language) -> None:
    assert set(messages("hub", language, "hub")["say"]) == set(Phrase)


@pytest.mark.parametrize("room", ["hub", "voice", "center", "provisioning", "drivers.virtual"])
def test_messages_are_the_products_whatever_the_current_directory_holds(
    room: str, tmp_path: Path
) -> None:
    name = "cli" if room == "hub" else ""
    decoy = tmp_path / room.replace(".", "/") / "messages"
    decoy.mkdir(parents=True)
    for file in ("ko.toml", "cli.ko.toml"):
        (decoy / file).write_text("[decoy]\n", encoding="utf-8")
    program = (
        f"from hub.shared.messages import messages; print(*messages({room!r}, 'ko', {name!r}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == [*messages(room, Language.KOREAN, name)]
