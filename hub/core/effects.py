"""Orders, in the imperative: all that the core ever asks of the world."""

from enum import IntEnum, StrEnum

from msgspec import Struct


class Lane(IntEnum):
    """Who goes first, and what is kept for how long."""

    SOS = 0  # on disk until the centre's `received`; never dropped
    FAULT = 1  # on disk until PUBACK; never dropped
    TELEMETRY = 2  # on disk until PUBACK; the oldest is dropped and counted
    LIVE = 3  # never on disk: true only now, said again at the next reconnect


class Signal(StrEnum):
    """What the resident is told, one at a time; the lamp and the voice are tables over it."""

    RESTING = "resting"
    FAULT = "fault"
    ASKING = "asking"  # a check-in waits for an answer
    WARNING = "warning"  # unless there is a sign of life now, an alarm follows
    OFFLINE = "offline"
    RAISED = "raised"
    UNDELIVERED = "undelivered"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PRESENT = "present"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Phrase(StrEnum):
    """A key into the message files; the text is never in code."""

    RAISED = "raised"
    UNDELIVERED = "undelivered"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PRESENT = "present"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel_asked"
    ANNOUNCEMENT = "announcement"
    ASK_HELP = "ask_help"
    HELP_NOT_NEEDED = "help_not_needed"
    WARN_QUIET = "warn_quiet"
    WARN_NOT_UP = "warn_not_up"
    WARN_BATHROOM = "warn_bathroom"
    WARN_WANDERING = "warn_wandering"
    WARN_DOOR = "warn_door"
    WARN_OUT = "warn_out"
    WARN_NO_LIFE = "warn_no_life"
    WARNING_OVER = "warning_over"
    ASK_MOOD = "ask_mood"
    ASK_HEALTH = "ask_health"
    ASK_SLEEP = "ask_sleep"
    ASK_MEALS = "ask_meals"
    ASK_OUTING = "ask_outing"
    ASK_EXERCISE = "ask_exercise"
    ASK_MEDICINE = "ask_medicine"
    ASK_PHQ_INTEREST = "ask_phq_interest"
    ASK_PHQ_MOOD = "ask_phq_mood"
    REMIND = "remind"
    THANKS_FINE = "thanks_fine"
    THANKS_UNWELL = "thanks_unwell"
    THANKS_ALIVE = "thanks_alive"
    NOT_UNDERSTOOD = "not_understood"
    COUNSEL_COMING = "counsel_coming"
    AWAY_NOTED = "away_noted"
    WELCOME_HOME = "welcome_home"


class Publish(Struct, frozen=True, tag="Publish"):
    """Commit this message, then send it. `id` is its idempotency key."""

    id: str
    lane: Lane
    topic: str
    payload: bytes
    retain: bool = False


class Resend(Struct, frozen=True, tag="Resend"):
    """Send again what the outbox still holds under `id`."""

    id: str


class Forget(Struct, frozen=True, tag="Forget"):
    """The centre has stored `id`: the outbox may let it go."""

    id: str


class Show(Struct, frozen=True, tag="Show"):
    """Lamps and buzzer show `signal` from now on."""

    signal: Signal


class Say(Struct, frozen=True, tag="Say"):
    """Speak `phrase`; `text` only where the centre gave the words, and then `Spoke` follows."""

    phrase: Phrase
    text: str = ""
    receipt: str = ""
    urgent: bool = False


class Ask(Struct, frozen=True, tag="Ask"):
    """Speak the question `phrase`, then listen; `slow` the second time. `Answered` follows."""

    phrase: Phrase
    slow: bool = False


class Pet(Struct, frozen=True, tag="Pet"):
    """Feed the watchdog: a heartbeat went the whole way."""


Order = Show | Say | Ask  # what drivers are told
Effect = Publish | Resend | Forget | Order | Pet
