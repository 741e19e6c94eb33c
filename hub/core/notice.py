"""What waits for the voice, or for an answer to it: part of the state."""

from msgspec import Struct


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


class Candidate(Struct, frozen=True):
    """A spoken call for help, asked back: it is raised at `until`, unless it is taken back."""

    heard_at: float
    until: float
    asked: bool = True  # not yet again since a restart
    cut_short: bool = False  # by a restart: asked again once, and no more
    words: str = ""  # of the cry, where the resident lets them be told
