"""How alike two Korean texts sound: letters as pronounced, weighted by how often they are mistaken.

Recognisers write similar sounds ("권찬아" for 괜찮아): a wrong letter costs 1, a lax for a tense or
aspirated one 0.2, ㅓ for ㅗ 0.35, a glide 0.3. The only module that imports rapidfuzz.
"""

import functools
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise, permutations
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

from voice.korean.hangul import is_hangul, take_apart
from voice.korean.pronounce import pronounce

CODA = {"ㄱ": "K", "ㄴ": "N", "ㄷ": "T", "ㄹ": "L", "ㅁ": "M", "ㅂ": "P", "ㅇ": "G"}
VOWEL = {
    "ㅐ": "ㅔ", "ㅑ": "yㅏ", "ㅒ": "yㅔ", "ㅕ": "yㅓ", "ㅖ": "yㅔ", "ㅘ": "wㅏ", "ㅙ": "wㅔ",
    "ㅚ": "wㅔ", "ㅛ": "yㅗ", "ㅝ": "wㅓ", "ㅞ": "wㅔ", "ㅟ": "wㅣ", "ㅠ": "yㅜ", "ㅢ": "ㅡㅣ",
}  # fmt: skip
ALIKE = {  # a group of sounds -> what it costs to take one for another
    0.2: (
        "ㄱㄲㅋ", "ㄷㄸㅌ", "ㅂㅃㅍ", "ㅈㅉㅊ", "ㅅㅆ",
        "Lㄹ", "Nㄴ", "Mㅁ", "Kㄱㄲㅋ", "Pㅂㅃㅍ", "Tㄷㄸㅌ",
    ),
    0.3: ("NMG", "KTP"),
    0.35: ("ㅓㅗ", "ㅜㅡ"),
    0.45: ("ㅏㅓ", "ㅓㅡ", "ㅗㅜ", "ㅡㅣ", "ㅣㅔ"),
    0.5: ("ㄴㄹ", "ㅅㅈㅊ", "ㅆㅉㅊ", "ㄹㄷ", "TLN"),
    0.6: ("ㅏㅗ", "ㄴㅁ", "ㅂㅁ", "ㅍㅎ", "ㅋㅎ", "ㅌㅎ", "ㅏㅔ", "ㅓㅔ", "ㅓㅜ"),
}  # fmt: skip
SWAP = {
    (a, b): cost
    for cost in sorted(ALIKE, reverse=True)
    for group in ALIKE[cost]
    for a, b in permutations(group, 2)
}
LIGHT = {"y": 0.3, "w": 0.3, "ㅎ": 0.4, "T": 0.4, "ㅡ": 0.6, **dict.fromkeys("KNLMPG", 0.5)}
SOUNDS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅈㅉㅊㅋㅌㅍㅎㅏㅓㅗㅜㅡㅣㅔKNTLMPGyw"
CODE = {sound: n for n, sound in enumerate(SOUNDS)}
PARTS = len(SOUNDS) * (len(SOUNDS) + 1)
BATCH = 500  # texts pronounced at once
LOW, UNIT = 1024, 1024 * 1000  # costs are kept in thousandths, above ten binary digits
GAP = np.array([round(LIGHT.get(sound, 1.0) * 1000) * LOW for sound in SOUNDS])
COSTS = np.array(
    [[0 if a == b else round(SWAP.get((a, b), 1.0) * 1000) * LOW for b in SOUNDS] for a in SOUNDS]
)
BLUR = str.maketrans("ㄲㅋㄸㅌㅃㅍㅉㅊㅆㅗㅡLNMKPTyw", "ㄱㄱㄷㄷㅂㅂㅈㅈㅅㅓㅜㄹㄴㅁㄱㅂㄷ  ")


@functools.lru_cache(maxsize=2048)
def sounds(text: str) -> str:
    """Return the sounds of `text`, one letter each; what has no Hangul reading is left out."""
    return _sounds(pronounce(text))


def sounds_of(texts: Sequence[str]) -> list[str]:
    """Return the sounds of many texts of one line each: much faster than one by one.

    In batches, since a regular expression over all of them would block every other thread.
    """
    batches = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
    return [_sounds(said) for some in batches for said in pronounce("\n".join(some)).split("\n")]


def _sounds(said: str) -> str:
    told = []
    for letter in filter(is_hangul, said):
        onset, vowel, coda = take_apart(letter)
        told += [onset.replace("ㅇ", ""), VOWEL.get(vowel, vowel), CODA.get(coda, "")]
    return "".join(told)


def distance(a: str, b: str) -> float:
    """Return how different two texts sound, 0 to 1: Levenshtein's distance of their sounds."""
    return float(Levenshtein.normalized_distance(sounds(a), sounds(b)))


def said(text: str) -> str:
    """Return the syllables of a text as they are pronounced, and nothing else."""
    return "".join(filter(is_hangul, pronounce(text)))


def errors(text: str, heard: str) -> tuple[int, int]:
    """Return the number of wrong syllables (changed, lost, added), and of those in `text`."""
    meant = said(text)
    return Levenshtein.distance(meant, said(heard)), len(meant)


def error_rate(text: str, heard: str) -> float:
    """Return the syllable error rate; above 1 where much was added, 0 for an empty text."""
    wrong, of = errors(text, heard)
    return wrong / of if of else 0.0


def weight(heard: str) -> float:
    """Return how much there is in `sounds`, in plain letters."""
    return sum(LIGHT.get(sound, 1.0) for sound in heard)


class Fit(NamedTuple):
    """How a phrase fits into what was heard: its cost, and how much is left before and after."""

    cost: float
    lead: float
    tail: float


class Table:
    """Phrases by their sounds, in groups, prepared for many comparisons at once."""

    def __init__(self, phrases: Sequence[str], groups: Sequence[Hashable]) -> None:
        longest = max(map(len, phrases), default=0)
        self._codes = np.zeros((len(phrases), longest), np.int8)
        self._parts = np.zeros((PARTS, len(phrases)), np.uint8)
        for row, phrase in enumerate(phrases):
            self._codes[row, : len(phrase)] = [CODE[sound] for sound in phrase]
            self._parts[_parts(phrase), row] = 1
        self._counts = self._parts.sum(axis=0, dtype=np.int64)
        self._lengths = np.array([len(phrase) for phrase in phrases])
        rows: dict[Hashable, list[int]] = {}
        for row, group in enumerate(groups):
            rows.setdefault(group, []).append(row)
        self._groups = {group: np.array(members) for group, members in rows.items()}

    def nearest(self, heard: str, groups: Iterable[Hashable], count: int) -> list[int]:
        """Return up to twice `count` phrases of each group: those that share most, or are in it."""
        parts = _parts(heard)
        shared = self._parts[parts].sum(axis=0, dtype=np.int64)
        alike = shared / (self._counts + len(parts))
        found = set[int]()
        for rows in (self._groups[group] for group in groups):
            for measure in (alike[rows], shared[rows] / (self._counts[rows] + 1)):
                best = np.argpartition(-measure, min(count, len(rows)) - 1)[:count]
                found.update(rows[best].tolist())
        return sorted(found)

    def fit(self, rows: Sequence[int], heard: str) -> list[Fit]:
        """Fit each phrase where it fits best into the sounds heard; all counted in plain letters.

        What stands before and after counts a third, so that a whole match beats a part. A cell
        holds a cost, and in its low digits how many sounds were left before the phrase.
        """
        ids = [CODE[sound] for sound in heard]
        past = np.concatenate([[0], np.cumsum(GAP[ids])])
        codes, lengths = self._codes[rows], self._lengths[rows]
        cells = np.tile(past // (3 * LOW) * LOW + np.arange(len(past)), (len(rows), 1))
        for place in range(int(lengths.max(initial=0))):
            sound = codes[:, place]
            gap = GAP[sound][:, None]
            taken = np.minimum(cells[:, :-1] + COSTS[sound][:, ids], cells[:, 1:] + gap)
            made = np.concatenate([cells[:, :1] + gap, taken], axis=1)
            made = np.minimum.accumulate(made - past, axis=1) + past  # sounds in between
            cells = np.where((place < lengths)[:, None], made, cells)
        ends = np.argmin(cells + (past[-1] - past) // 3, axis=1)
        last = cells[np.arange(len(rows)), ends]
        leads, after = past[last % LOW], past[-1] - past[ends]
        costs = (last - last % LOW) / UNIT - leads / (3 * UNIT)
        told = zip(costs, leads / UNIT, after / UNIT, strict=True)
        return [Fit(max(0.0, float(a)), float(b), float(c)) for a, b, c in told]


def _parts(heard: str) -> list[int]:
    """Return the blurred sounds and pairs of sounds in it, as numbers."""
    codes = [CODE[sound] for sound in blurred(heard)]
    pairs = (len(SOUNDS) * (1 + a) + b for a, b in pairwise(codes))
    return sorted({*codes, *pairs})


def blurred(heard: str) -> str:
    """Return sounds without the differences that are most often mistaken: for a quick search."""
    return heard.translate(BLUR).replace(" ", "")
