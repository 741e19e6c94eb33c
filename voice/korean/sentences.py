"""A text cut into sentences: the unit that the bank keeps, the cache finds and an engine speaks."""

import re
import unicodedata

LONGEST = 160  # characters; a longer sentence is cut at a comma, or at a space
_END = re.compile(r"(?<=[.?!…。])\s+|\s*\n+\s*")
_COMMA = re.compile(r"(?<=[,;:·])\s+")
_SOUNDING = re.compile(r"[^\W_]")


def tidy(text: str) -> str:
    """Give `text` in one way of writing: composed letters, single spaces, nothing at its ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def sentences(text: str) -> list[str]:
    """Give the sentences in which there is something to say, none longer than `LONGEST`."""
    composed = unicodedata.normalize("NFC", text)
    whole = (tidy(part) for part in _END.split(composed))
    return [piece for part in whole for piece in _pieces(part) if _SOUNDING.search(piece)]


def _pieces(sentence: str) -> list[str]:
    if len(sentence) <= LONGEST:
        return [sentence]
    pieces, parts = [""], _COMMA.split(sentence)
    words = parts if max(map(len, parts)) <= LONGEST else sentence.split(" ")
    for word in words:
        for bit in (word[i : i + LONGEST] for i in range(0, len(word), LONGEST)):
            if len(pieces[-1]) + len(bit) < LONGEST:
                pieces[-1] = f"{pieces[-1]} {bit}".strip()
            else:
                pieces.append(bit)
    return pieces
