"""Whether what was heard is a word at all: the one rule before any answer to any question.

    only sounds, hardly readable, hardly speech, the first pass alone -> Doubt -> no answer

A recogniser writes words for any sound: of 79 groans, coughs, sighs and sobs of real people that
became utterances 61 were written down as "네" or a similar word. So what may be no word is no
answer, whatever the answer would do; only a call for help needs less, since the hub asks back.
Several different syllables with a fair probability are words, even if the model doubts that anybody
spoke (as it does in noise); but not for what ends a worry or a call (`ends`).
"""

import itertools
import re
from enum import StrEnum
from functools import cache
from typing import Annotated

from msgspec import Meta, Struct

from hub.shared.files import shipped_file
from hub.shared.settings import read
from voice.korean.hangul import Syllable, is_hangul
from voice.korean.sounds import sounds
from voice.understanding.likeness import Evidence, Guess

# On real recordings, 44 people and more: these two limits take 76 of 87 sounds that were a false
# Yes, and none of 24 that were a true one. Of 24 who said that all is well, half of them in noise
# of 10 dB, none had a log-probability below -1.23, and one a chance above 0.27 that nobody spoke.
PLAIN = -1.3  # mean log-probability a token of the best guess
SPOKE = 0.3  # chance that nobody spoke (0..1), from which on it is no word
# On the given recordings these leave 20 of 20 No and 31 of 31 who are unwell as they were, clean,
# and 16 of 20 (18 before) and 28 of 31 (29) at 10 dB; without them 18, 31, 13 and 22. No composed
# sound of 300 had as many syllables so well written.
SEVERAL, FAIR = 5, -1.2  # different syllables, and log-probability, that are words even then
SURE, HARD = 0.05, -1.4  # where somebody surely spoke, a text of less probability is a word
NAMED = re.compile(r"\{(\w+)\}")


class Doubt(StrEnum):
    """Why it may be no word."""

    WEAK = "weak"  # the first pass alone heard it, and it hears phrases in any sound
    SOUNDS = "sounds"
    LOG_PROB = "log_prob"
    NO_SPEECH = "no_speech"


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    sounds: Annotated[tuple[str, ...], Meta(min_length=1)]
    words: tuple[str, ...]
    syllables: dict[str, tuple[str, str, str]]


def doubt(evidence: Evidence, *, ends: bool = False) -> Doubt | None:
    """Return why this may be no word; None where it is one, or where nothing was written down.

    With `ends` it would end a worry or a call: then both limits always apply.
    """
    if not evidence.strong:
        return Doubt.WEAK
    if not evidence.guesses:
        return None
    best: Guess = max(evidence.guesses, key=lambda guess: guess.log_prob)
    if is_sound(best.text):
        return Doubt.SOUNDS
    several = _syllables_of(best) >= SEVERAL and best.log_prob > FAIR
    if evidence.no_speech >= SPOKE and (ends or not several):
        return Doubt.NO_SPEECH
    surely = evidence.no_speech < SURE and best.log_prob > HARD
    return Doubt.LOG_PROB if best.log_prob <= PLAIN and (ends or not surely) else None


def is_wordless(evidence: Evidence) -> bool:
    """Whether somebody made a sound without a word, of which a person is told.

    A television's babble is doubtful too, but it is written down as many different syllables.
    """
    found = doubt(evidence)
    return found is Doubt.SOUNDS or (found not in {None, Doubt.WEAK} and is_short(evidence))


def is_short(evidence: Evidence) -> bool:
    """Whether it is written down as few different syllables, as a sound is."""
    best = max(evidence.guesses, key=lambda guess: guess.log_prob, default=Guess(""))
    return _syllables_of(best) < SEVERAL


def _syllables_of(guess: Guess) -> int:
    """Return the number of different syllables in it."""
    return len(set(filter(is_hangul, guess.text)))


def is_sound(text: str) -> bool:
    """Whether a text has no word in it, only sounds, or nothing that can be read aloud."""
    if not sounds(text):
        return True
    words = ["".join(filter(str.isalnum, word)) for word in text.split()]
    known, apart = _known(), [word for word in words if word]
    return any(
        all(known.fullmatch(word) is not None for word in said)
        for said in (apart, ["".join(apart)])
    )


@cache
def _known() -> re.Pattern[str]:
    """Return the pattern of one such sound."""
    text = shipped_file("voice", "phrases/sounds.toml").read_text(encoding="utf-8")
    told = read(text, "voice/phrases/sounds.toml", _File)
    syllables = {name: _syllables(*letters) for name, letters in told.syllables.items()}
    each = (NAMED.sub(lambda found: syllables[found[1]], one) for one in told.sounds)
    words = "|".join(told.words)
    return re.compile(f"(?!(?:{words})$)(?:{'|'.join(f'(?:{one})' for one in each)})")


def _syllables(onsets: str, vowels: str, codas: str) -> str:
    """Return the character class of all syllables of these letters; `_` is no last letter."""
    letters = itertools.product(onsets, vowels, codas.replace("_", " "))
    made = (str(Syllable(onset, vowel, coda.strip())) for onset, vowel, coda in letters)
    return f"[{''.join(made)}]"
