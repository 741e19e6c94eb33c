"""Reads the message files: all that people read, in Korean and in English, of every process.

The files of a package are `<package>/messages/[<name>.]<language>.toml`: tables of sentences by
key.
"""

import os
import tomllib
from functools import cache
from pathlib import Path

from hub.shared.language import Language, chosen
from hub.shared.settings import Mistake, Problem

Messages = dict[str, dict[str, str]]
# The folder that holds the packages. `importlib.resources` would find a folder `hub` of the current
# directory when the product is installed in editable mode and started by `python -m`.
PACKAGES = Path(__file__).resolve().parents[2]


@cache
def messages(package: str, language: Language, name: str = "") -> Messages:
    """Return the tables of one message file of a package, such as `voice` or `drivers.virtual`."""
    folder = PACKAGES.joinpath(*package.split("."), "messages")
    file = f"{name}.{language}.toml" if name else f"{language}.toml"
    return tomllib.loads((folder / file).read_text(encoding="utf-8"))


def usual_language() -> Language:
    """Return the language that this process's environment asks for (`hub.shared.language`)."""
    return chosen(os.environ)


def ours(package: str, name: str = "") -> Messages:
    """Return the tables of a message file in the usual language."""
    return messages(package, usual_language(), name)


def sentence(package: str, table: str, key: str, /, **values: object) -> str:
    """Return a sentence of a package in the usual language, with `values` filled in."""
    return ours(package)[table][key].strip("\n").format(**values)


def tell(mistake: Mistake, language: Language) -> str:
    """Return a mistake in a config file as `file:line: key: sentence`."""
    texts = messages("hub", language, "settings")
    problem = str(mistake.problem)
    if mistake.problem is Problem.MISSING_KEY and mistake.allowed:
        problem = "missing_choice"
    form = mistake.problem is Problem.FORM
    template = texts["form"][mistake.allowed[0]] if form else texts["problem"][problem]
    sentence = template.format(
        allowed=", ".join(mistake.allowed),
        detail=mistake.detail,
        type=", ".join(texts["type"].get(code, code) for code in mistake.allowed),
    )
    if mistake.did_you_mean:
        sentence += texts["hint"]["meant"].format(meant=mistake.did_you_mean)
    place = f"{mistake.file}:{mistake.line}"
    return ": ".join(filter(None, (place, mistake.key, sentence)))
