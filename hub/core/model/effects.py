"""Effects, in the imperative: all that the core ever asks the rest of the hub to do."""

from enum import IntEnum, StrEnum

from msgspec import Struct

from hub.contract.voice import Phrase


class Lane(IntEnum):
    """The order of sending, and how long a message is kept."""

    SOS = 0  # on disk until the centre's `received`; never dropped
    FAULT = 1  # on disk until PUBACK; never dropped
    TELEMETRY = 2  # on disk until PUBACK; the oldest is dropped and counted
    LIVE = 3  # never on disk: true only now, sent again at the next reconnect


class Signal(StrEnum):
    """What the resident is shown, one signal at a time. Lamp and voice have a table over it."""

    RESTING = "resting"
    FAULT = "fault"
    TEST_MODE = "test_mode"  # presses are tests: the centre waits before it is alarmed
    PAIRING = "pairing"  # a Bluetooth device may be paired now
    ASKING = "asking"  # a check-in waits for an answer
    WARNING = "warning"  # unless there is a sign of life now, an alarm follows
    OFFLINE = "offline"
    UNCLAIMED = "unclaimed"  # the hub is not registered: a press calls nobody
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
    """Send again the message `id`, which the outbox still holds."""

    id: str


class Forget(Struct, frozen=True, tag="Forget"):
    """Drop the message `id` from the outbox: the centre has stored it."""

    id: str


class Show(Struct, frozen=True, tag="Show"):
    """Show `signal` on lamps and buzzer from now on."""

    signal: Signal


class Say(Struct, frozen=True, tag="Say"):
    """Speak `phrase`, or the centre's own `text`; with a `receipt`, `Spoke` follows."""

    phrase: Phrase
    text: str = ""
    receipt: str = ""
    urgent: bool = False


class Ask(Struct, frozen=True, tag="Ask"):
    """Speak the question `phrase`, slowly the second time, and listen; `Answered` follows."""

    phrase: Phrase
    slow: bool = False


class Took(Struct, frozen=True, tag="Took"):
    """Tell the radio that its press `id` is committed, so that it need not be told again."""

    id: str


class OpenPairing(Struct, frozen=True, tag="OpenPairing"):
    """Let the radio accept requests for pairing for `s` seconds; 0 shuts the window."""

    s: float


class PairingAnswer(Struct, frozen=True, tag="PairingAnswer"):
    """Tell the radio that the digits are the same (`yes`), or the `key` that the device shows.

    `ask` is the request that it answers; 0: whichever waits.
    """

    yes: bool
    key: str = ""
    ask: int = 0


class OpenHotspot(Struct, frozen=True, tag="OpenHotspot"):
    """Open the hub's own Wi-Fi, with the form for the home's, for `s` seconds."""

    s: float


class BeginAnew(Struct, frozen=True, tag="BeginAnew"):
    """End the process in good order; it is started again, with the identity on the disk."""


class Pet(Struct, frozen=True, tag="Pet"):
    """Feed the watchdog: a heartbeat went the whole way through the hub."""


# what drivers are told
Order = Show | Say | Ask | Took | OpenPairing | PairingAnswer | OpenHotspot | BeginAnew
Effect = Publish | Resend | Forget | Order | Pet
