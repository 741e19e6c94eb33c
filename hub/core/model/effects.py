"""Orders, in the imperative: all that the core ever asks of the world."""

from enum import IntEnum, StrEnum

from msgspec import Struct

from hub.contract.voice import Phrase


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
