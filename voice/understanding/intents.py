"""What a person may mean, what they may have been asked, and what was understood."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import astuple


class Intent(StrEnum):
    """What a person may mean; UNCLEAR unless sure."""

    HELP = "help"
    FINE = "fine"
    UNWELL = "unwell"
    YES = "yes"
    NO = "no"
    CANCEL = "cancel"
    REPEAT = "repeat"
    COUNSEL = "counsel"
    AWAY = "away"
    HOME = "home"
    VISITOR = "visitor"
    ALONE = "alone"
    TIME = "time"
    SLOWER = "slower"
    LOUDER = "louder"
    OFTEN = "often"
    UNCLEAR = "unclear"


class Expecting(StrEnum):
    """What was asked, if anything; from SLEEP on: the subject, in a check-in."""

    NOTHING = "nothing"
    HELP = "help"
    CHECKIN = "checkin"
    OFTEN = "often"
    SLEEP = "sleep"
    MEALS = "meals"
    OUTING = "outing"
    EXERCISE = "exercise"
    MEDICINE = "medicine"
    HAVE = "have"  # is there any?
    BEARABLE = "bearable"
    YESTERDAY = "yesterday"  # were you well then?
    SUITS = "suits"
    OFFER = "offer"  # would you like to?
    LEAVING = "leaving"

    @property
    def kind(self) -> "Expecting":
        """The kind of question: an answer to that kind answers this."""
        general = (Expecting.NOTHING, Expecting.HELP, Expecting.OFTEN)
        return self if self in general else Expecting.CHECKIN


class Understood(Struct, frozen=True):
    """What was meant. `what`: a key such as head; `score`: 0..3 of OFTEN; `sure`: 0..1.

    `wordless`: after a question there was a sound, and no word could be recognised in it.
    """

    intent: Intent = Intent.UNCLEAR
    what: str = ""
    score: int = 0
    sure: float = 0.0
    wordless: bool = False


class Worded(Understood, frozen=True):
    """What was meant, and the words from which it was understood."""

    words: str = ""

    def __repr__(self) -> str:
        """Show all but the words, also in a traceback."""
        return repr(Understood(*astuple(self)[:-1]))


def words_of(understood: Understood) -> str:
    """Return the words; empty where they may not be told."""
    return understood.words if isinstance(understood, Worded) else ""
