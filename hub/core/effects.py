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


class Publish(Struct, frozen=True, tag=True):
    """Commit this message, then send it. `id` is its idempotency key."""

    id: str
    lane: Lane
    topic: str
    payload: bytes
    retain: bool = False


class Resend(Struct, frozen=True, tag=True):
    """Send again what the outbox still holds under `id`."""

    id: str


class Forget(Struct, frozen=True, tag=True):
    """The centre has stored `id`: the outbox may let it go."""

    id: str


class Show(Struct, frozen=True, tag=True):
    """Lamps and buzzer show `signal` from now on."""

    signal: Signal


class Say(Struct, frozen=True, tag=True):
    """Speak `phrase`; `text` only where the centre gave the words."""

    phrase: Phrase
    text: str = ""


class Pet(Struct, frozen=True, tag=True):
    """Feed the watchdog: a heartbeat went the whole way."""


Effect = Publish | Resend | Forget | Show | Say | Pet
