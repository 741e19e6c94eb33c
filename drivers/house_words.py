"""The words of the virtual house, in Korean and English, from `drivers/virtual/messages/`."""

import os
import tomllib
from functools import cache
from pathlib import Path

from hub.shared.language import chosen

LANGUAGES = ("ko", "en")
Words = dict[str, dict[str, str]]


@cache
def words(language: str) -> Words:
    """Read the message file of `ko` or `en`: section -> key -> text."""
    file = Path(__file__).parent / "virtual" / "messages" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def usual_language() -> str:
    """Give the language of whoever started this process (`hub.shared.language`)."""
    return str(chosen(os.environ))
