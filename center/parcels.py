"""What goes through the door of `link`, without paho."""

from collections.abc import Callable

from msgspec import Struct


class Message(Struct, frozen=True):
    """What is published."""

    topic: str
    payload: bytes
    retain: bool = False
    expires_s: int | None = None  # after which a broker of MQTT 5 holds it for nobody


class Arrived(Struct, frozen=True):
    """What came. `settle` lets the broker forget it; after a redial that does nothing."""

    topic: str
    payload: bytes
    retained: bool  # it lay at the broker, nobody knows for how long
    settle: Callable[[], object]
