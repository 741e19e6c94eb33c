"""What people read stands in message files, in Korean and in English; here it becomes sentences."""

import os
import tomllib
from functools import cache
from pathlib import Path

from hub.core.mistakes import Mistake, Problem
from hub.shared.language import Language, chosen

__all__ = ["Language", "Messages", "messages", "tell", "usual_language"]

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
