"""Which language a command uses for its messages. All commands choose it by the same rule.

    --lang  >  ANBU_LANG  >  LC_ALL  >  LC_MESSAGES  >  LANG  >  Korean

The first that is set decides: English where it begins with `en`, else Korean. `anbu --lang en` sets
ANBU_LANG, so that the programs it starts use the same language.
"""

from collections.abc import Mapping
from enum import StrEnum

VARIABLE = "ANBU_LANG"
_LOCALES = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")


class Language(StrEnum):
    """The languages of the message files."""

    KOREAN = "ko"
    ENGLISH = "en"


def chosen(environment: Mapping[str, str]) -> Language:
    """Return the language that the environment variables ask for."""
    locale = next(filter(None, map(environment.get, _LOCALES)), "")
    return Language.ENGLISH if locale.lower().startswith("en") else Language.KOREAN
