"""What people read of the installer's tools, in Korean and in English."""

import os
import tomllib
from functools import cache
from importlib.resources import files

from hub.shared.language import chosen

LANGUAGES = ("ko", "en")
Words = dict[str, str]


@cache
def words(table: str, language: str) -> Words:
    """Give one table of `provisioning/messages/<language>.toml`."""
    file = files("provisioning") / "messages" / f"{language}.toml"
    found: Words = tomllib.loads(file.read_text(encoding="utf-8"))[table]
    return found


def usual_language() -> str:
    """Give the language of whoever started this process (`hub.shared.language`)."""
    return str(chosen(os.environ))


def ours(table: str) -> Words:
    """Give a table in the language of the shell."""
    return words(table, usual_language())


def sentence(table: str, key: str, **values: object) -> str:
    """Give the sentence in the language of the shell, with `values` filled in."""
    return ours(table)[key].strip("\n").format(**values)
