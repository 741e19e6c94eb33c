"""How much of a sentence was not understood: the character error rate of its pronunciation.

Both sides are compared as they are said, so that spelling does not count; spaces and signs neither.
"""

from voice.korean.hangul import is_hangul
from voice.korean.pronounce import pronounce


def said(text: str) -> str:
    """Give the syllables of a text as they are said, and nothing else."""
    return "".join(filter(is_hangul, pronounce(text)))


def errors(text: str, heard: str) -> tuple[int, int]:
    """Give the wrong syllables (changed, lost, added), and how many `text` has."""
    meant = said(text)
    return _distance(meant, said(heard)), len(meant)


def error_rate(text: str, heard: str) -> float:
    """Give the character error rate; may be above 1 where much was added. 0 of nothing."""
    wrong, of = errors(text, heard)
    return wrong / of if of else 0.0


def _distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for number, letter in enumerate(a, 1):
        before, row = row, [number]
        for place, other in enumerate(b, 1):
            changed = before[place - 1] + (letter != other)
            row.append(min(changed, before[place] + 1, row[-1] + 1))
    return row[-1]
