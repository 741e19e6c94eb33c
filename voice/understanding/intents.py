"""What a person may mean, and what they may have been asked."""

from enum import StrEnum


class Intent(StrEnum):
    """What a person may mean. UNCLEAR unless sure."""

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
    """What was asked, if anything; from SLEEP on: what about, in a check-in."""

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
        """The kind of question it is: what answers that answers this."""
        general = (Expecting.NOTHING, Expecting.HELP, Expecting.OFTEN)
        return self if self in general else Expecting.CHECKIN
