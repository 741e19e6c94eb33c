"""What was said, beside what was meant: only where the resident lets it be told (`tell_words`).

A machine wrote it down and may be wrong. No log shows it.
"""

from msgspec.structs import asdict, astuple

from hub.contract.voice import WORDS_MAX
from voice.understanding.understand import Evidence, Understood


class Worded(Understood, frozen=True):
    """What was meant, and the words that it was understood from."""

    words: str = ""

    def __repr__(self) -> str:
        """Show all but the words, also in a traceback."""
        return repr(Understood(*astuple(self)[:-1]))


def worded(understood: Understood, evidence: Evidence) -> Understood:
    """Add the best guess; what the first pass alone has spelt is no writing, and is not told."""
    if not (evidence.strong and evidence.guesses):
        return understood
    return Worded(**asdict(understood), words=evidence.guesses[0].text[:WORDS_MAX])


def words_of(understood: Understood) -> str:
    """Give the words, empty where they may not be told."""
    return understood.words if isinstance(understood, Worded) else ""
