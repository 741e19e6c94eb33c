"""Korean sounds in the letters that Kokoro-82M was trained on.

The model knows the sounds of nine languages, none of them Korean; each Korean sound takes the
nearest letter (`phonemes.toml`). Where another is as near, a variant takes it instead: which one is
understood best was measured, docs/decisions/0016.
"""

import tomllib
from importlib.resources import files

from msgspec import Struct, convert

from voice.korean.hangul import Syllable, is_hangul, take_apart


class Sounds(Struct, frozen=True):
    """The tables of `phonemes.toml`."""

    tokens: dict[str, int]
    onsets: dict[str, str]
    between: dict[str, str]
    vowels: dict[str, str]
    codas: dict[str, str]
    pauses: dict[str, str]
    joined: dict[str, str]
    variants: dict[str, dict[str, str]]


SOUNDS = convert(
    tomllib.loads(files("voice").joinpath("phonemes.toml").read_text(encoding="utf-8")), Sounds
)
VARIANTS = tuple(SOUNDS.variants)
SONORANT = frozenset({"", "ㄴ", "ㄹ", "ㅁ", "ㅇ"})


def tokens(said: str, variants: tuple[str, ...] = ()) -> list[int]:
    """Give the model's numbers for `said`, Hangul in its standard pronunciation.

    What is neither Hangul nor a pause is passed over; [] where nothing else is there. KeyError for
    a variant that there is not.
    """
    letters = _letters(said)
    letters = letters and f" {letters}"  # its first sound is clearer after a space
    for table in (SOUNDS.joined, *(SOUNDS.variants[variant] for variant in variants)):
        for near, other in table.items():
            letters = letters.replace(near, other)
    return [SOUNDS.tokens[letter] for letter in letters]


def _letters(said: str) -> str:
    out, before = "", None
    for letter in said:
        if is_hangul(letter):
            now = take_apart(letter)
            out += _syllable(now, before)
            before = now
        elif letter.isspace() or letter in SOUNDS.pauses:
            out = out.rstrip() + SOUNDS.pauses.get(letter, " ")
            before = None
    out = out.lstrip(" ,.?!").rstrip(" ,")
    return out if not out or out[-1] in ".?!" else f"{out}."


def _syllable(now: Syllable, before: Syllable | None) -> str:
    vowel, onset = SOUNDS.vowels[now.vowel], SOUNDS.onsets[now.onset]
    if now.onset in SOUNDS.between and before and before.coda in SONORANT:
        onset = SOUNDS.between[now.onset]
    if now.onset == "ㄹ" and before and before.coda == "ㄹ":
        onset = SOUNDS.codas["ㄹ"]
    if now.onset in "ㅅㅆ" and (vowel[0] in "ij" or now.vowel == "ㅟ"):
        onset = "ɕ"
    if now.onset != "ㅇ" and now.vowel in "ㅙㅚㅞ":  # 괜찮아요, 되다: few people say the w
        vowel = vowel.removeprefix("w")
    if now.onset in "ㅅㅆㅈㅉㅊ":
        vowel = vowel.removeprefix("j")
    return onset + vowel + SOUNDS.codas.get(now.coda, "")
