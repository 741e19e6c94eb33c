"""The polite past of a noun, as broadcasts end: "오늘의 요리였습니다" is no call for help.

Its ending is most of a short call in the past (끼였습니다), and by its sounds nearly all of it. So
where a sentence ends so, its last word must be one in which such a call ends.
"""

import re
from functools import lru_cache

from voice.korean.sounds import blurred, sounds
from voice.understanding.intents import Intent
from voice.understanding.phrases import Phrases

PAST = re.compile(
    r"(?P<stem>\S*?)(?:이었|이였|였)(?:습니다|습니까|어요?|네요?|지요?|죠|소|다|던가요?|거든요?|군요?|는데요?)$"
)
APART = re.compile(
    r" (?=(?:이었|이였|였)(?:습|어|네|지|죠|소|다|던|거|군|는)\S*$)"
)  # "요리 였습니다"
PARTICLE = re.compile("[이가에을를]")  # after which a space is often left out: 손가락이끼였습니다


def is_sign_off(text: str, phrases: Phrases) -> bool:
    """Whether a text ends in this past of a noun, and in no word in which a call ends."""
    words = APART.sub("", text.strip(" .!?,~…")).split()
    past = PAST.fullmatch(words[-1]) if words else None
    if past is None:
        return False
    stem = past["stem"]
    split = PARTICLE.finditer(stem)
    ends = (stem, *(stem[one.end() :] for one in split))
    return _cries(phrases).isdisjoint(map(_blurred, ends))


def told_of_a_noun(text: str) -> bool:
    """Whether a text ends in the polite past of a noun."""
    words = APART.sub("", text.strip(" .!?,~…")).split()
    return bool(words) and PAST.fullmatch(words[-1]) is not None


def _blurred(stem: str) -> str:
    """Return the stem as it sounds before its ending: 기였, 키였 and 귀였 become as 끼였."""
    return blurred(sounds(f"{stem}였")) if stem else ""


@lru_cache(maxsize=2)
def _cries(phrases: Phrases) -> frozenset[str]:
    """Return the last words of all calls in this past, as they sound: 끼, 베, 데, 쏘."""
    calls = (one.text.split()[-1] for one in phrases.all if one.entry.intent is Intent.HELP)
    found = (PAST.fullmatch(word) for word in dict.fromkeys(calls))
    return frozenset(_blurred(past["stem"]) for past in found if past and past["stem"])
