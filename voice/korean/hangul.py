"""Hangul syllables: taken apart into their letters and put together again.

A syllable block of Unicode (U+AC00 to U+D7A3) is an onset, a vowel and a coda; a coda may be empty.
"""

import functools
from typing import NamedTuple

ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
CODAS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
FIRST, LAST = "가", "힣"


class Syllable(NamedTuple):
    """The letters of one syllable; an onset of "ㅇ" is silent, a coda of "" is none."""

    onset: str
    vowel: str
    coda: str = ""

    def __str__(self) -> str:
        return _block(self)


@functools.cache  # there are 11,172
def _block(syllable: Syllable) -> str:
    onset, vowel = ONSETS.index(syllable.onset), VOWELS.index(syllable.vowel)
    coda = CODAS.index(syllable.coda or " ")
    return chr(ord(FIRST) + (onset * len(VOWELS) + vowel) * len(CODAS) + coda)


def is_hangul(letter: str) -> bool:
    """Whether `letter` is one whole syllable block."""
    return len(letter) == 1 and FIRST <= letter <= LAST


@functools.cache
def take_apart(letter: str) -> Syllable:
    """Return the letters of a syllable block. Raises ValueError for anything else."""
    if not is_hangul(letter):
        message = f"no Hangul syllable: {letter!r}"
        raise ValueError(message)
    number = ord(letter) - ord(FIRST)
    onset, rest = divmod(number, len(VOWELS) * len(CODAS))
    vowel, coda = divmod(rest, len(CODAS))
    return Syllable(ONSETS[onset], VOWELS[vowel], CODAS[coda].strip())


def coda_of(text: str) -> str | None:
    """Return the coda of the last syllable of `text`, "" if it is open; None without Hangul."""
    return take_apart(text[-1]).coda if text and is_hangul(text[-1]) else None


def with_coda(coda: str) -> str:
    """Return all syllable blocks that end in `coda`, as one string (for a character class)."""
    return "".join(str(Syllable(onset, vowel, coda)) for onset in ONSETS for vowel in VOWELS)
