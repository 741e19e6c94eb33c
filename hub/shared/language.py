"""In which language people are spoken to: one rule for every command.

    --lang  >  ANBU_LANG  >  LC_ALL  >  LC_MESSAGES  >  LANG  >  Korean

The first that is set decides: English where it begins with `en`, else Korean. `anbu --lang en` sets
ANBU_LANG, so that the programs it starts speak the same language.
"""

from collections.abc import Mapping
from enum import StrEnum

VARIABLE = "ANBU_LANG"
_LOCALES = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")


class Language(StrEnum):
    """The languages that there are messages in."""

    KOREAN = "ko"
    ENGLISH = "en"


def chosen(environment: Mapping[str, str]) -> Language:
    """Choose by the variables of a process."""
    locale = next(filter(None, map(environment.get, _LOCALES)), "")
    return Language.ENGLISH if locale.lower().startswith("en") else Language.KOREAN
