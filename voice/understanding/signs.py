"""Signs: words that together tell of danger or an ailment, whatever else is said.

    [[signs]]  what = "blood"  say = ["(피가|코피가) ... (안 멈춰|쏟아져)"]

No list of phrases holds everything that a person in danger may say: a phrase explains a whole
sentence, a sign is a few words of it in their order. `...` stands for up to `GAP` words; each part
may have a particle, the last an ending of the present. Words of `elsewhere`, and endings of
reports, say that it happens somewhere else. Signs compare letters, not sounds: the text must have
been plainly heard.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated

from msgspec import Meta, Struct, structs

from hub.shared.files import shipped_file
from hub.shared.settings import read
from voice.korean.hangul import is_hangul, take_apart
from voice.understanding.intents import Intent

GAP = 4
NAMED = re.compile(r"\{(\w+)\}")
RUN = re.compile("[가-힣]+(?: [가-힣]+)*")
SPACE = re.compile(r" (?!\?)")
TWO = {
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ",
    "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
TAKEN_FOR = ("ㄱㄲㅋ", "ㄷㄸㅌ", "ㅂㅃㅍ", "ㅈㅉㅊ", "ㅅㅆ")  # mistaken for each other, or doubled
ALIKE = {
    **{one: f"[{group}]{{1,2}}" for group in TAKEN_FOR for one in group},
    **{one: f"[{group}]" for group in ("ㅐㅔ", "ㅒㅖ", "ㅙㅚㅞ") for one in group},
    "ㅢ": "[ㅢㅣ]",
}  # fmt: skip
NEVER = "(?!)"
NOT_TURNED = "(?<! ㅏㄴ )(?<! ㅁㅗㅅ )(?<!ㅂㅕㄹㄹㅗ )"  # 안, 못, 별로, unless they are in the sign
Say = Annotated[str, Meta(min_length=1, max_length=600)]


class Sign(Struct, frozen=True, forbid_unknown_fields=True):
    """Words that together mean something; `what` is its subject. HELP or UNWELL."""

    say: Annotated[tuple[Say, ...], Meta(min_length=1)]
    what: Annotated[str, Meta(max_length=40)] = ""
    intent: Intent = Intent.HELP


class Elsewhere(Struct, frozen=True, forbid_unknown_fields=True):
    """Marks of what is not here or not now: beginnings of words, parts, and endings of texts."""

    words: tuple[Say, ...] = ()
    parts: tuple[Say, ...] = ()
    ends: tuple[Say, ...] = ()


class _File(Struct, frozen=True):
    particles: tuple[Say, ...]
    endings: tuple[Say, ...]
    named: dict[str, tuple[Say, ...]]
    elsewhere: Elsewhere
    signs: tuple[Sign, ...]


class Found(Struct, frozen=True):
    """A sign that was found: `what` is its subject, `say` its pattern in the file."""

    what: str
    say: str


class Signs(Struct, frozen=True, eq=False):
    """All signs, ready for a search."""

    all: Mapping[Intent, tuple[tuple[re.Pattern[str], str], ...]]
    elsewhere: re.Pattern[str]
    says: Mapping[Intent, tuple[str, ...]]  # as the file has them, in the order of `all`

    def danger(self, text: str) -> str | None:
        """Return the subject of the first sign of danger in a text; None where there is none."""
        found = self.find(Intent.HELP, text)
        return found.what if found is not None else None

    def is_elsewhere(self, text: str) -> bool:
        """Whether the text tells of something that is not here, or not now."""
        return self.elsewhere.search(text) is not None

    def find(self, intent: Intent, text: str) -> Found | None:
        """Return the first sign of HELP or UNWELL in a text; None where there is none."""
        spelt = "".join(map(_letters, text))
        every = zip(self.all.get(intent, ()), self.says.get(intent, ()), strict=True)
        found = (Found(what, say) for (sign, what), say in every if sign.search(spelt))
        return next(found, None)


@cache
def load() -> Signs:
    """Return the product's own signs. Raises SettingsError, or ValueError with a broken sign."""
    return prepare(shipped_file("voice", "phrases/signs.toml").read_text(encoding="utf-8"))


def prepare(text: str) -> Signs:
    """Return the signs of a TOML text; raises as `load` does."""
    told = read(text, "voice/phrases/signs.toml", _File)
    every: dict[Intent, list[tuple[re.Pattern[str], str]]] = {}
    says: dict[Intent, tuple[str, ...]] = {}
    for sign in told.signs:
        every.setdefault(sign.intent, []).extend(
            (_compiled(say, told), sign.what) for say in sign.say
        )
        says[sign.intent] = (*says.get(sign.intent, ()), *sign.say)
    words, parts, ends = map(_any, structs.astuple(told.elsewhere))
    there = rf"(?:^| )(?:{words})|(?:{parts})|(?:{ends})$"
    compiled = {one: tuple(some) for one, some in every.items()}
    return Signs(compiled, re.compile(there), says)


def _any(texts: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, texts)) or NEVER


def _compiled(say: str, file: _File) -> re.Pattern[str]:
    particles = "|".join(_spelt(one, _exact) for one in file.particles)
    between = rf"(?:{particles})?(?:(?: \S+){{1,{GAP}}}? | ?){NOT_TURNED}"
    try:
        whole = NAMED.sub(lambda found: f"({'|'.join(file.named[found[1]])})", say)
        parts = between.join(_spelt(part, _blurred) for part in whole.split(" ... "))
        ending = "|".join(_spelt(one, _exact) for one in file.endings)
        return re.compile(rf"(?:^| ){parts}(?:{ending})?(?= |$)")
    except (KeyError, re.error) as error:
        raise ValueError(say) from error


def _spelt(part: str, write: Callable[[str], str]) -> str:
    """Return a pattern of letters; `write` makes the pattern of each run of syllables."""
    grouped = "(?:" + part.replace("(", "(?:") + ")"
    return SPACE.sub(" ?", RUN.sub(lambda found: write(found[0]), grouped))


def _exact(run: str) -> str:
    return "".join(map(_letters, run))


def _blurred(run: str) -> str:
    """Return one syllable as it is; of more, also what their letters are mistaken for."""
    if len(run) == 1:
        return _letters(run)
    some = ("".join(ALIKE.get(letter, letter) for letter in _letters(one)) for one in run)
    return " ?".join(one for one in some if one.strip())


@cache
def _letters(syllable: str) -> str:
    """Return the letters as they follow in speech: no silent onset, of a double coda both."""
    if not is_hangul(syllable):
        return syllable
    onset, vowel, coda = take_apart(syllable)
    return (onset if onset != "ㅇ" else "") + vowel + TWO.get(coda, coda)
