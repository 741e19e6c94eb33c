"""What people read stands in message files, in Korean and in English; here it becomes sentences."""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files

from hub.core.mistakes import Mistake, Problem

Messages = dict[str, dict[str, str]]


class Language(StrEnum):
    """The languages that there are messages in."""

    KOREAN = "ko"
    ENGLISH = "en"


@cache
def messages(name: str, language: Language) -> Messages:
    """Give the tables of `hub/messages/<name>.<language>.toml`."""
    file = files("hub") / "messages" / f"{name}.{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def tell(mistake: Mistake, language: Language) -> str:
    """Say one mistake of a config file as `file:line: key: sentence`."""
    words = messages("settings", language)
    problem = str(mistake.problem)
    if mistake.problem is Problem.MISSING_KEY and mistake.allowed:
        problem = "missing_choice"
    sentence = words["problem"][problem].format(
        allowed=", ".join(mistake.allowed),
        detail=mistake.detail,
        type=", ".join(words["type"].get(code, code) for code in mistake.allowed),
    )
    if mistake.did_you_mean:
        sentence += words["hint"]["meant"].format(meant=mistake.did_you_mean)
    place = f"{mistake.file}:{mistake.line}"
    return ": ".join(filter(None, (place, mistake.key, sentence)))
