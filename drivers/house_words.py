"""The words of the virtual house, in Korean and English, from `drivers/messages/`."""

import os
import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("ko", "en")
Words = dict[str, dict[str, str]]


@cache
def words(language: str) -> Words:
    """Read the message file of `ko` or `en`: section -> key -> text."""
    file = Path(__file__).parent / "messages" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def usual_language() -> str:
    """Pick Korean, unless the locale of the shell is English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "en" if locale.startswith("en") else "ko"
