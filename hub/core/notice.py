"""What waits for the voice, or for an answer to it: part of the state."""

from msgspec import Struct

from hub.contract.messages import WORDLESS

BETWEEN = " · "  # the words of a cry, and of the answer to what was asked back


class Notice(Struct, frozen=True):
    """An announcement; `until_utc` 0: for as long as it takes. `due_at`: when to try (again).

    One that is `over` has no text any more, and is kept so that it is known when it comes again.
    """

    id: str
    text: str
    urgent: bool
    until_utc: float
    due_at: float
    tries: int = 0
    over: bool = False


class Said(Struct, frozen=True):
    """What a spoken call was: its `words`, where they may be told, and what it was `about`."""

    words: str = ""
    about: str = ""

    def with_answer(self, words: str, about: str) -> "Said":
        """Add what was said when the hub asked back; sounds tell less than anything told of."""
        told = [one for one in (self.about, about) if one and one != WORDLESS]
        about = told[0] if told else self.about or about
        return Said(BETWEEN.join(filter(None, (self.words, words))), about)


class Candidate(Struct, frozen=True):
    """A spoken call for help, asked back: it is raised at `until`, unless it is taken back."""

    heard_at: float
    until: float
    asked: bool = True  # not yet again since a restart
    cut_short: bool = False  # by a restart: asked again once, and no more
    words: str = ""  # of the cry, where the resident lets them be told
    about: str = ""  # what it was about: `fall`, `fire`, ...

    @property
    def said(self) -> Said:
        """What was said so far."""
        return Said(self.words, self.about)
