"""What people read stands in message files, in Korean and in English; here it becomes sentences."""

import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from hub.shared.language import Language, chosen
from hub.shared.settings import Mistake, Problem

HOUSE_WORDS_LANGUAGES = ("ko", "en")
Words_house_words = dict[str, dict[str, str]]


@cache
def words_house_words(language: str) -> Words_house_words:
    """Read the message file of `ko` or `en`: section -> key -> text."""
    file = files("drivers") / "virtual" / "messages" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def usual_language_house_words() -> str:
    """Give the language of whoever started this process (`hub.shared.language`)."""
    return str(chosen(os.environ))


LANGUAGES = ("ko", "en")
Words = dict[str, str]


@cache
def words(table: str, language: str) -> Words:
    """Give one table of `provisioning/messages/<language>.toml`."""
    file = files("provisioning") / "messages" / f"{language}.toml"
    found: Words = tomllib.loads(file.read_text(encoding="utf-8"))[table]
    return found


def usual_language_texts() -> str:
    """Give the language of whoever started this process (`hub.shared.language`)."""
    return str(chosen(os.environ))


def ours(table: str) -> Words:
    """Give a table in the language of the shell."""
    return words(table, usual_language_texts())


def sentence(table: str, key: str, **values: object) -> str:
    """Give the sentence in the language of the shell, with `values` filled in."""
    return ours(table)[key].strip("\n").format(**values)


Messages = dict[str, dict[str, str]]


def usual_language() -> Language:
    """Give the language of whoever started this process (`hub.shared.language`)."""
    return chosen(os.environ)


@cache
def messages(name: str, language: Language) -> Messages:
    """Give the tables of `hub/messages/<name>.<language>.toml`."""
    file = (
        Path(__file__).resolve().parents[1] / "messages" / f"{name}.{language}.toml"
    )  # whatever is in `.`
    return tomllib.loads(file.read_text(encoding="utf-8"))


def tell(mistake: Mistake, language: Language) -> str:
    """Say one mistake of a config file as `file:line: key: sentence`."""
    words = messages("settings", language)
    problem = str(mistake.problem)
    if mistake.problem is Problem.MISSING_KEY and mistake.allowed:
        problem = "missing_choice"
    form = mistake.problem is Problem.FORM
    said = words["form"][mistake.allowed[0]] if form else words["problem"][problem]
    sentence = said.format(
        allowed=", ".join(mistake.allowed),
        detail=mistake.detail,
        type=", ".join(words["type"].get(code, code) for code in mistake.allowed),
    )
    if mistake.did_you_mean:
        sentence += words["hint"]["meant"].format(meant=mistake.did_you_mean)
    place = f"{mistake.file}:{mistake.line}"
    return ": ".join(filter(None, (place, mistake.key, sentence)))
