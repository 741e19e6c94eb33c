"""The vocabulary of a talk: the acts that it wants done, and what can happen to it."""

from msgspec import Struct

from hub.contract.voice import Meaning
from voice.understanding.intents import Expecting, Understood

SYLLABLE_S = 0.25  # Korean is read at about 5 syllables a second; the mouth speaks at 0.8 of that
SLOW = 1.25  # times as long, when a sentence is repeated
# On 704 judged recordings: below it lay 10 of 10 false good news, and 8 of 83 true ones.
SURE = 0.86


class Chime(Struct, frozen=True):
    """Sound the chime: a question follows."""


class Pause(Struct, frozen=True):
    """Wait for `s` seconds."""

    s: float


class Speak(Struct, frozen=True):
    """Say `text`; slower than usual when `slow`."""

    text: str
    slow: bool = False


class Listen(Struct, frozen=True):
    """Listen for `s` seconds; `Listened` or `Silence` follows."""

    expecting: Expecting
    s: float


class Tell(Struct, frozen=True):
    """Send the news to the hub at once; with `closes`, the talk itself says the closing words.

    `words` are those of an answer that was held back; empty: those of the last answer count.
    `wordless`: how many answers to this talk had no word in them.
    """

    meaning: Meaning
    score: int = 0
    what: str = ""
    closes: bool = False
    words: str = ""
    wordless: int = 0


class End(Struct, frozen=True):
    """The talk is over."""


Act = Chime | Pause | Speak | Listen | Tell | End


class Finished(Struct, frozen=True):
    """The acts before are done. They end with `Listen` or `End`, so nothing waits for this."""


class Listened(Struct, frozen=True):
    """Somebody said something."""

    understood: Understood


class Silence(Struct, frozen=True):
    """Nobody said anything for as long as was listened."""


Happening = Finished | Listened | Silence


def doubtful(understood: Understood) -> bool:
    """Whether it is too uncertain for good news; `sure` is 0 where it was not measured."""
    return 0.0 < understood.sure < SURE


def syllables(text: str) -> int:
    """Count the written syllables of Korean, and the figures, each of which is spoken as one."""
    return sum("가" <= letter <= "힣" or letter.isdigit() for letter in text)


def speech_s(text: str, *, slow: bool) -> float:
    """Estimate how long a text takes to say, in seconds."""
    return syllables(text) * SYLLABLE_S * (SLOW if slow else 1.0)
