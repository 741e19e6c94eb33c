"""A text cut into sentences: the unit of the phrase bank, the cache and the speech engines."""

import re
import unicodedata

LONGEST = 160  # characters; a longer sentence is cut at a comma, or at a space
_END = re.compile(r"(?<=[.?!…。])\s+|\s*\n+\s*")
_COMMA = re.compile(r"(?<=[,;:·])\s+")
_SOUNDING = re.compile(r"[^\W_]")


def tidy(text: str) -> str:
    """Return `text` normalised: composed letters, single spaces, none at its ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def sentences(text: str) -> list[str]:
    """Return the sentences that have something to say, none longer than `LONGEST`."""
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
