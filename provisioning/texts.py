"""What people read of the installer's tools, in Korean and in English."""

import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("ko", "en")
Words = dict[str, str]


@cache
def words(table: str, language: str) -> Words:
    """Give one table of `provisioning/messages/<language>.toml`."""
    file = files("provisioning") / "messages" / f"{language}.toml"
    found: Words = tomllib.loads(file.read_text(encoding="utf-8"))[table]
    return found


def in_both(table: str, key: str, **values: object) -> str:
    """Give the sentence in Korean, then in English, with `values` filled in."""
    return "\n".join(
        words(table, language)[key].strip("\n").format(**values) for language in LANGUAGES
    )
