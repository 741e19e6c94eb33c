"""What the voice says by itself, and what people read of it: message files, Korean and English."""

import os
import time
import tomllib
from functools import cache
from importlib.resources import files

from hub.shared.language import chosen

LANGUAGES = ("ko", "en")
NOON_H = 12


@cache
def words(table: str, language: str) -> dict[str, str]:
    """Give one table of `voice/messages/<language>.toml`."""
    file = files("voice") / "messages" / f"{language}.toml"
    found: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))[table]
    return found


def usual_language() -> str:
    """Give the language of whoever started this process (`hub.shared.language`)."""
    return str(chosen(os.environ))


def sentence(table: str, key: str, **values: object) -> str:
    """Give the sentence in the language of the shell, with `values` filled in."""
    return words(table, usual_language())[key].format(**values)


def the_time(local: float, language: str) -> str:
    """Say what time it is at `local` seconds of the home's own clock, in figures."""
    at, said = time.gmtime(local), words("time", language)
    values = {
        "half": said["morning" if at.tm_hour < NOON_H else "afternoon"],
        "hour": at.tm_hour % NOON_H or NOON_H,
        "minute": at.tm_min,
    }
    clock = said["minutes" if at.tm_min else "whole"].format(**values)
    return words("say", language)["time"].format(time=clock)
