"""Korean text as it is pronounced: Hangul in, Hangul of the standard pronunciation out.

After the National Institute's Standard Pronunciation (표준 발음법, 문교부 고시 88-2 and 문체부 고시
2017-13); the numbers of its articles stand beside the rules. Words whose letters alone do not tell
their sound (compounds, endings) are respelt first, by patterns and by `lexicon.toml`.
"""

import functools
import re
import tomllib
import unicodedata
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import zip_longest

from msgspec import Struct

from hub.shared.files import shipped_file
from voice.korean.hangul import Syllable, is_hangul, take_apart, with_coda
from voice.korean.numbers import spell

TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))
# Articles 8 to 11: seven sounds can close a syllable.
CLOSED = {
    "ㄲ": "ㄱ", "ㅋ": "ㄱ", "ㄳ": "ㄱ", "ㄺ": "ㄱ",
    "ㅅ": "ㄷ", "ㅆ": "ㄷ", "ㅈ": "ㄷ", "ㅊ": "ㄷ", "ㅌ": "ㄷ", "ㅎ": "ㄷ",
    "ㅍ": "ㅂ", "ㅄ": "ㅂ", "ㄿ": "ㅂ",
    "ㄵ": "ㄴ", "ㄶ": "ㄴ", "ㄼ": "ㄹ", "ㄽ": "ㄹ", "ㄾ": "ㄹ", "ㅀ": "ㄹ", "ㄻ": "ㅁ",
}  # fmt: skip
# Article 14: of two closing letters the second moves over, and ㅅ becomes tense.
PARTED = {
    "ㄳ": ("ㄱ", "ㅆ"), "ㄵ": ("ㄴ", "ㅈ"), "ㄺ": ("ㄹ", "ㄱ"), "ㄻ": ("ㄹ", "ㅁ"),
    "ㄼ": ("ㄹ", "ㅂ"), "ㄽ": ("ㄹ", "ㅆ"), "ㄾ": ("ㄹ", "ㅌ"), "ㄿ": ("ㄹ", "ㅍ"),
    "ㅄ": ("ㅂ", "ㅆ"),
}  # fmt: skip
BREATHED = dict(zip("ㄱㄷㅂㅈ", "ㅋㅌㅍㅊ", strict=True))
NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
WITH_H = {"ㅎ": "", "ㄶ": "ㄴ", "ㅀ": "ㄹ"}
BREATHES = {  # Article 12.1, appendices: what is left before ㅎ, and the new onset
    "ㄺ": ("ㄹ", "ㅋ"), "ㄼ": ("ㄹ", "ㅍ"), "ㄵ": ("ㄴ", "ㅊ"), "ㅈ": ("", "ㅊ"), "ㄳ": ("", "ㅋ"),
    "ㄾ": ("ㄹ", "ㅊ"),
}  # fmt: skip
HIDDEN_STOPS = ("ㄳ", "ㄵ", "ㄺ", "ㄼ", "ㄽ", "ㄾ", "ㄿ", "ㅄ")  # they tense what follows
RAISED = frozenset("ㅣㅕ")  # Article 17: before these ㄷ and ㅌ become ㅈ and ㅊ
ONLY_SPACES = re.compile(r" *")

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


def pronounce(text: str, *, linked: bool = True) -> str:
    """Return `text` as it is pronounced, numbers spelt out; what is not Hangul stays.

    `linked`: in one breath, so that neighbouring words change each other; else word by word.
    """
    letters = list(respell(spell(unicodedata.normalize("NFC", text))))
    places = [place for place, letter in enumerate(letters) if is_hangul(letter)]
    said = {place: take_apart(letters[place]) for place in places}
    for here, there in zip_longest(places, places[1:], fillvalue=len(letters)):
        between = "".join(letters[here + 1 : there])
        if there in said and (ONLY_SPACES.fullmatch(between) if linked else not between):
            said[here], said[there] = _meet(said[here], said[there], apart=bool(between))
        else:
            said[here] = said[here]._replace(coda=_closed(said[here].coda))
    for place, syllable in said.items():
        opens = take_apart(letters[place]).onset == "ㅇ" and _begins(letters, place)
        letters[place] = str(_with_plain_vowel(syllable, opens=opens))
    return "".join(letters)


def _begins(letters: list[str], place: int) -> bool:
    return place == 0 or not is_hangul(letters[place - 1])


def _closed(coda: str) -> str:
    return CLOSED.get(coda, coda)


@functools.lru_cache(maxsize=4096)
def _meet(first: Syllable, second: Syllable, *, apart: bool) -> tuple[Syllable, Syllable]:
    """Return two syllables as said in one breath; `apart`: a space stands between them."""
    if not first.coda:
        return first, second
    if second.onset == "ㅇ":
        coda, onset = _before_vowel(first.coda, second.vowel, apart=apart)
    elif second.onset == "ㅎ":
        coda, onset = _before_h(first.coda, second.vowel, apart=apart)
    elif first.coda in WITH_H:
        coda, onset = _after_h(first.coda, second.onset)
    else:
        coda, onset = _before_consonant(first, second.onset)
        if apart and second.onset == "ㄹ":  # a word that begins so is a foreign one: 안전 라디오
            coda, onset = _closed(first.coda), "ㄹ"
    return first._replace(coda=coda), second._replace(onset=onset)


def _before_vowel(coda: str, vowel: str, *, apart: bool) -> tuple[str, str]:
    """Articles 12.4, 13 to 15, 17: a closing sound moves to a silent onset."""
    if apart:  # Article 15: before a word of its own, as it sounds when closed
        coda = _closed(coda)
    if coda == "ㅇ":
        return "ㅇ", "ㅇ"
    if coda in WITH_H:
        return "", WITH_H[coda] or "ㅇ"
    kept, moved = PARTED.get(coda, ("", coda))
    if moved in ("ㄷ", "ㅌ") and vowel in RAISED and not apart:
        moved = "ㅈ" if moved == "ㄷ" else "ㅊ"
    return kept, moved


def _before_h(coda: str, vowel: str, *, apart: bool) -> tuple[str, str]:
    """Article 12.1, appendices: a stop and ㅎ become one aspirated sound. Article 17, appendix."""
    if coda in WITH_H:
        return _closed(coda), "ㅎ"
    if coda in BREATHES and not apart:
        return BREATHES[coda]
    closed = _closed(coda)
    if closed == "ㄷ" and coda in ("ㄷ", "ㅌ") and vowel in RAISED and not apart:
        return "", "ㅊ"
    return ("", BREATHED[closed]) if closed in BREATHED else (closed, "ㅎ")


def _after_h(coda: str, onset: str) -> tuple[str, str]:
    """Articles 12.1 to 12.3: a closing ㅎ aspirates ㄱㄷㅈ, tenses ㅅ and disappears before ㄴ."""
    left = WITH_H[coda]
    if onset in "ㄱㄷㅈ":
        return left, BREATHED[onset]
    if onset == "ㅅ":
        return left, "ㅆ"
    if onset == "ㄴ" and coda != "ㄶ":
        return ("ㄹ", "ㄹ") if left == "ㄹ" else ("ㄴ", "ㄴ")
    return _before_sound(_closed(coda), onset)


def _before_consonant(first: Syllable, onset: str) -> tuple[str, str]:
    coda = first.coda
    if coda == "ㄼ" and first.onset in "ㅂㅃ":  # Article 10, exception: 밟다 [밥ː따], 밟는 [밤ː는]
        return _before_sound("ㅂ", onset)
    if coda == "ㄺ" and onset == "ㄱ" and str(first) not in ("닭", "흙", "칡", "삵"):
        return "ㄹ", "ㄲ"  # Article 11, exception: 읽고 [일꼬]
    if coda in HIDDEN_STOPS and str(first) != "덟":  # Articles 23 to 25
        onset = TENSE.get(onset, onset)
    return _before_sound(_closed(coda), onset)


def _before_sound(coda: str, onset: str) -> tuple[str, str]:
    """Articles 18 to 20 and 23: two neighbouring consonants; `coda` is one of the seven."""
    if coda in NASAL:
        if onset in "ㄴㅁ":
            return NASAL[coda], onset
        if onset == "ㄹ":
            return NASAL[coda], "ㄴ"
        return coda, TENSE.get(onset, onset)
    if onset == "ㄹ" and coda in ("ㅁ", "ㅇ"):
        return coda, "ㄴ"
    if (coda, onset) in (("ㄴ", "ㄹ"), ("ㄹ", "ㄴ")):
        return "ㄹ", "ㄹ"
    return coda, onset


@functools.lru_cache(maxsize=4096)
def _with_plain_vowel(syllable: Syllable, *, opens: bool) -> Syllable:
    """Article 5: the vowels that are said more simply than they are written."""
    onset, vowel, coda = syllable
    if onset in "ㅈㅉㅊ" and vowel in "ㅑㅒㅕㅖㅛㅠ":  # 5.1; there is no sound between
        vowel = "ㅏㅐㅓㅔㅗㅜ"["ㅑㅒㅕㅖㅛㅠ".index(vowel)]
    elif vowel == "ㅖ" and onset not in "ㅇㄹㄴ":  # 5.2; ㄴ is ㄹ, changed
        vowel = "ㅔ"
    elif vowel == "ㅢ" and not opens:  # 5.3, 5.4
        vowel = "ㅣ"
    return Syllable(onset, vowel, coda)


def respell(text: str) -> str:
    """Return `text` with those words respelt whose letters do not tell their sound."""
    lexicon = _lexicon()
    text = POSSESSIVE.sub(_possessive, text)
    for pattern in (LEANING_SURE, TEN_OF, ENDINGS, ENDINGS_SURE, STEMS, WEARS):
        text = _tense_after(pattern, text)
    text = _tense_after(LEANING, text, but=lexicon.nouns_in_l)
    text = OWN_WORD.sub(_take_in_n, text)
    text = CLOTHES.sub(_take_in_n, text)
    return lexicon.pattern.sub(lambda found: lexicon.said[found[0]], text)


class Lexicon(Struct, frozen=True):
    """The words of `lexicon.toml`, and a pattern that finds them."""

    pattern: re.Pattern[str]
    said: dict[str, str]
    nouns_in_l: frozenset[str]
    nouns_in_ui: frozenset[str]


@cache
def _lexicon() -> Lexicon:
    text = shipped_file("voice", "lexicon.toml").read_text(encoding="utf-8")
    book: dict[str, dict[str, str]] = tomllib.loads(text)
    pairs = sorted(" ".join(book["words"].values()).split(), key=len, reverse=True)
    written = [pair.partition("=")[0] for pair in pairs]
    firsts = "".join({w.lstrip("~")[0] for w in written})
    options = [w[1:] if w[0] == "~" else f"(?<![가-힣]){w}" for w in written]
    return Lexicon(
        pattern=re.compile(f"(?=[{firsts}])(?:{'|'.join(options)})"),
        said=dict(pair.lstrip("~").split("=") for pair in pairs),
        nouns_in_l=frozenset(book["nouns"]["in_l"].split()),
        nouns_in_ui=frozenset(book["nouns"]["in_ui"].split()),
    )


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
