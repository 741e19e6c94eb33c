"""What letters alone do not tell: words and endings respelt as they sound, before the rules.

표준 발음법, Articles 5.4 (possessive 의), 15 (parts that close first), 20 (exceptions), 24 (stems
in ㄴ and ㅁ), 26 and 28 (tensed Sino-Korean words and compounds), 27 (after an adnominal -ㄹ), 29
(ㄴ taken in). The words themselves stand in `lexicon.toml`.
"""

import re
import tomllib
from collections.abc import Set as AbstractSet
from functools import cache
from importlib.resources import files

from msgspec import Struct

from voice.korean.hangul import Syllable, take_apart, with_coda

TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))
RIEUL = with_coda("ㄹ")
ADNOMINAL = f"[{RIEUL}{with_coda('ㄴ')}]"
# Article 27: nouns that lean on an adnominal -ㄹ, and how to tell them from longer words.
LEANING = re.compile(
    rf"(?<![가-힣])([가-힣]*[{RIEUL}]) (?="
    r"것|거(?!실|기|리|의|울|동|듭|주|짓|절|래)|건(?!강|물|조)|걸(?!음|어|레)|겁|게(?=[요\s,.?!]|$)"
    r"|수(?=[가는도록\s]|$)|줄(?=[은도을\s]|$)|데(?=[가는도를\s]|$)|바(?=[를는와])|적(?=[이에도])|듯)"
)
LEANING_SURE = re.compile(
    r"((?:[할될갈올볼실릴킬쓸]|[있없받먹좋싶않같많찾읽앉입씻죽잡놓]을)) "
    r"(?=시간|사람|정도|동안|분(?=[이은을들께도\s]|$)|곳|정도|생각(?!보))"
)
TEN_OF = re.compile(r"(?<![가-힣])(열) (?=시|살|개|장|줄|잔|병|대|번|분)")
ENDINGS = re.compile(rf"([{RIEUL}])(?=게요|걸요|수록|지언정|지라도|세라)")
ENDINGS_SURE = re.compile(r"([할을될갈올볼실릴킬낼일])(?=지(?:[도는를\s]|$)|게(?:[\s,.?!]|$))")
# Article 24. 참고 (a reference), 남기다, 넘기다, 굶기다 are other words.
STEMS = re.compile(
    r"(참(?!고)|남|넘|담|더듬|다듬|굶|닮|젊|옮|삶)(?=지|습|던|고|게|더|다(?!르)|거|겠|자|기(?=[는가도를\s]))"
)
WEARS = re.compile(r"(신)(?=지 |습니|던 )")
# Article 29 over a space: 할 일 [할릴], 먹는 약 [멍는냑].
OWN_WORD = re.compile(
    rf"({ADNOMINAL}(?<![년월번만천일칠팔])) ([일약])"
    r"(?=[은이을도과에]?(?:[\s,.?!]|$)|이에|입니|있|이 )"
)
CLOTHES = re.compile(r"(옷|무슨) (입|요일)")
POSSESSIVE = re.compile(r"(?<![가-힣])([가-힣]+)의(?=[\s,.?!]|$)")


class Lexicon(Struct, frozen=True):
    """The words of `lexicon.toml`, ready to be looked for."""

    pattern: re.Pattern[str]
    said: dict[str, str]
    nouns_in_l: frozenset[str]
    nouns_in_ui: frozenset[str]


@cache
def _lexicon() -> Lexicon:
    text = files("voice").joinpath("lexicon.toml").read_text(encoding="utf-8")
    book: dict[str, dict[str, str]] = tomllib.loads(text)
    pairs = sorted(" ".join(book["words"].values()).split(), key=len, reverse=True)
    written = [pair.partition("=")[0] for pair in pairs]
    firsts = "".join({w.lstrip("~")[0] for w in written})
    options = [w[1:] if w[0] == "~" else f"(?<![가-힣]){w}" for w in written]
    return Lexicon(
        pattern=re.compile(f"(?=[{firsts}])(?:{'|'.join(options)})"),  # most begin no word of it
        said=dict(pair.lstrip("~").split("=") for pair in pairs),
        nouns_in_l=frozenset(book["nouns"]["in_l"].split()),
        nouns_in_ui=frozenset(book["nouns"]["in_ui"].split()),
    )


def respell(text: str) -> str:
    """Give `text` with the words respelt whose sound its letters do not tell."""
    lexicon = _lexicon()
    text = POSSESSIVE.sub(_possessive, text)
    for pattern in (LEANING_SURE, TEN_OF, ENDINGS, ENDINGS_SURE, STEMS, WEARS):
        text = _tense_after(pattern, text)
    text = _tense_after(LEANING, text, but=lexicon.nouns_in_l)
    text = OWN_WORD.sub(_take_in_n, text)
    text = CLOTHES.sub(_take_in_n, text)
    return lexicon.pattern.sub(lambda found: lexicon.said[found[0]], text)


def _possessive(found: re.Match[str]) -> str:
    return found[0] if found[0] in _lexicon().nouns_in_ui else found[1] + "에"


def _tense_after(pattern: re.Pattern[str], text: str, but: AbstractSet[str] = frozenset()) -> str:
    letters = list(text)
    for found in pattern.finditer(text):
        if found[1] not in but:
            letters[found.end()] = _tense(letters[found.end()])
    return "".join(letters)


def _tense(letter: str) -> str:
    onset, vowel, coda = take_apart(letter)
    return str(Syllable(TENSE.get(onset, onset), vowel, coda))


def _take_in_n(found: re.Match[str]) -> str:
    first = take_apart(found[2][0])
    return f"{found[1]} {first._replace(onset='ㄴ')}{found[2][1:]}"
