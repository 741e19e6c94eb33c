"""Message files: what people read, in Korean and in English, for every process.

A room's files are `<room>/messages/[<name>.]<language>.toml`: tables of sentences by key.
"""

import os
import tomllib
from functools import cache

from hub.shared.files import shipped_file
from hub.shared.language import Language, chosen
from hub.shared.settings import Mistake, Problem

Messages = dict[str, dict[str, str]]


@cache
def messages(room: str, language: Language, name: str = "") -> Messages:
    """Return the tables of one message file of a package, such as `voice` or `drivers.virtual`."""
    file = f"{name}.{language}.toml" if name else f"{language}.toml"
    return tomllib.loads(shipped_file(room, f"messages/{file}").read_text(encoding="utf-8"))


def usual_language() -> Language:
    """Return the language of whoever started this process (`hub.shared.language`)."""
    return chosen(os.environ)


def ours(room: str, name: str = "") -> Messages:
    """Return the tables of a message file in the usual language."""
    return messages(room, usual_language(), name)


def sentence(room: str, table: str, key: str, /, **values: object) -> str:
    """Return a sentence of a room in the usual language, with `values` filled in."""
    return ours(room)[table][key].strip("\n").format(**values)


def tell(mistake: Mistake, language: Language) -> str:
    """Say one mistake of a config file as `file:line: key: sentence`."""
    words = messages("hub", language, "settings")
    problem = str(mistake.problem)
    if mistake.problem is Problem.MISSING_KEY and mistake.allowed:
        problem = "missing_choice"
    elif f"missing_{mistake.detail}" in words["problem"]:
        problem = f"missing_{mistake.detail}"
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
