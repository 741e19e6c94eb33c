"""The protocol of hub and radio process: one JSON object a line, as with the voice.

    {"type": "pressed", "data": {"device": "pendant", "button": 1, "how": "press", ...}}

The radio process (`anbu radio`) connects to the hub's unix socket, sends `Hello`, and answers each
`Ping`. It knows Bluetooth; the hub knows the home. What it tells is what a device said, decoded and
authenticated, never what that means. `ago_s` is how long before the line was sent the frame was
heard: a fact that could not be told at once is told later, and is not younger for that.

A press is told again until a `Taken` names it: the hub has committed it. The hub folds presses that
it has taken already, by counter and packet id (`hub.core.model.wireless`).
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from hub.contract.forms import Name
from hub.contract.json_lines import Vocabulary

PROTOCOL = 1
LINE_BYTES = 16_384
Ago = Annotated[float, Meta(ge=0, le=86_400)]
Text = Annotated[str, Meta(max_length=200)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Ask = Annotated[int, Meta(ge=0, lt=2**32)]
Intervals = Annotated[tuple[float, ...], Meta(max_length=64)]


class How(StrEnum):
    """How a button was pressed. Each is a call for help on a help pendant."""

    PRESS = "press"
    DOUBLE = "double_press"
    TRIPLE = "triple_press"
    LONG = "long_press"
    LONG_DOUBLE = "long_double_press"
    LONG_TRIPLE = "long_triple_press"
    HOLD = "hold_press"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> "How":
        """Take a press of which only a newer radio knows the kind: it calls for help as well."""
        del value
        return cls.OTHER


class Sensed(StrEnum):
    """What a wireless sensor found: true means open, moving, smoke, wet, opened by force."""

    DOOR = "door"
    WINDOW = "window"
    OPENING = "opening"
    MOTION = "motion"
    OCCUPANCY = "occupancy"
    VIBRATION = "vibration"
    SMOKE = "smoke"
    GAS = "gas"
    CARBON_MONOXIDE = "carbon_monoxide"
    MOISTURE = "moisture"
    TAMPER = "tamper"


class Part(StrEnum):
    """What can be out of order; `device` of `Trouble` is empty for the radio itself."""

    DAEMON = "daemon"  # no bluetoothd, or it does not answer
    ADAPTER = "adapter"  # missing, or taken by another program
    BLOCKED = "blocked"  # rfkill
    PASSIVE = "passive"  # it scans actively, so presses may be lost
    SCANNER = "scanner"  # the ladder of repairs has been climbed in vain
    BOND = "bond"  # of a device: stale, to be paired anew
    KEY = "key"  # of a device: frames in its name that its key does not open
    MUTE = "mute"  # of a device: connected, and it sends nothing


class Hello(Struct, frozen=True):
    """Radio to hub, first of all: the listed devices, and whether it scans passively."""

    protocol: int = PROTOCOL
    devices: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    passive: bool = False
    adapters: Annotated[tuple[Text, ...], Meta(max_length=8)] = ()


class Pressed(Struct, frozen=True):
    """Radio to hub: a button of `device` was pressed. `id` names this press until it is `Taken`.

    `counter` is that of the encryption (None: plain), `packet_id` that of BTHome, `mark` the
    frame's message integrity code as hex (plain: a digest of the frame), by which one frame is told
    from another with the same counter. `doubtful`: the radio takes it for an old frame, and where
    not all can be told or kept it comes last; what it is, the hub judges.
    """

    id: Annotated[str, Meta(min_length=1, max_length=40)]
    device: Name
    how: How
    button: Annotated[int, Meta(ge=1, le=99)] = 1
    packet_id: Annotated[int, Meta(ge=0, le=255)] | None = None
    counter: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    mark: Annotated[str, Meta(max_length=32)] = ""
    ago_s: Ago = 0.0
    rssi_dbm: int | None = None
    doubtful: bool = False


class Found(Struct, frozen=True):
    """Radio to hub: what a wireless sensor found, on (`on`) or off."""

    device: Name
    what: Sensed
    on: bool
    ago_s: Ago = 0.0


class Ambient(Struct, frozen=True):
    """Radio to hub: readings of a room: `temperature_c`, `humidity_pct`, `illuminance_lux`."""

    device: Name
    readings: Annotated[dict[str, float], Meta(max_length=16)]


class Battery(Struct, frozen=True):
    """Radio to hub: the charge of a device's battery."""

    device: Name
    pct: Percent


class Pulse(Struct, frozen=True):
    """Radio to hub: one notification of a heart-rate service.

    `bpm` None: it measures nothing (0, searching, not worn). `worn` None: the band cannot tell.
    `rr_ms`: the beats since the last notification, oldest first; empty where the band sends none.
    """

    device: Name
    bpm: Annotated[float, Meta(gt=0, le=400)] | None
    rr_ms: Intervals = ()
    worn: bool | None = None
    ago_s: Ago = 0.0


class Reading(Struct, frozen=True):
    """Radio to hub: a measurement of an oximeter, cuff or thermometer.

    `values`: `spo2_pct`, `pulse_bpm`, `systolic_mmhg`, `diastolic_mmhg`, `map_mmhg`,
    `temperature_c`. `taken_utc` is the device's own clock, where it is known and plausible;
    `fresh` is false for a stored record whose age is not known: it is shown and raises nothing.
    `irregular`: the device says that the pulse was irregular.
    """

    device: Name
    values: Annotated[dict[str, float], Meta(max_length=8)]
    fresh: bool = True
    taken_utc: float | None = None
    irregular: bool = False
    ago_s: Ago = 0.0


class Presence(Struct, frozen=True):
    """Radio to hub: a device is in range, or was not heard for a while. Of a phone only `near`.

    That it still is, is told again once a minute.
    """

    device: Name
    near: bool
    rssi_dbm: int | None = None


class Trouble(Struct, frozen=True):
    """Radio to hub: a part is out of order (`present`), or works again."""

    part: Part
    present: bool
    device: Annotated[str, Meta(pattern="^([a-z0-9][a-z0-9_-]{0,62})?$")] = ""
    detail: Text = ""


class Wanted(StrEnum):
    """What a person has to do for a pairing."""

    COMPARE = "compare"  # say whether the other side shows the same `digits`
    TYPE = "type"  # give the key that the device shows, in a `PairingAnswer`
    SHOW = "show"  # type `digits` at the device


class PairingEnd(StrEnum):
    """Why a pairing, or the window for it, ended."""

    PAIRED = "paired"
    OVER = "over"  # the window's time is over
    SHUT = "shut"  # by an order
    NO = "no"  # somebody said that the digits differ
    UNANSWERED = "unanswered"  # nobody answered in the time that BlueZ waits
    LEFT = "left"  # the device broke it off
    WRONG_KEY = "wrong_key"  # the key or the digits were wrong, as the two radios found
    NOT_ALLOWED = "not_allowed"  # without digits and key, and of no kind that may do so
    ABSENT = "absent"  # the device was not in reach
    FAILED = "failed"


class PairingOpened(Struct, frozen=True):
    """Radio to hub: from now on, for `s` seconds, a request for pairing is accepted.

    It follows an `OpenPairing`, or a program on this machine has opened the window.
    """

    s: Annotated[float, Meta(gt=0, le=600)]


class PairingAsked(Struct, frozen=True):
    """Radio to hub: a device is being paired, and a person is wanted. A `PairingAnswer` follows.

    `name` is what the device calls itself: anybody can choose it. `ask` names the request, so that
    what is said to one never answers the next; 0: an older radio, which names none.
    """

    name: Text
    wanted: Wanted = Wanted.COMPARE
    digits: Annotated[str, Meta(pattern="^([0-9]{6})?$")] = ""
    ask: Ask = 0


class PairingEnded(Struct, frozen=True):
    """Radio to hub: a device was paired (`done`) or was not; `open`: there is time for another."""

    name: Text = ""
    done: bool = False
    reason: PairingEnd = PairingEnd.SHUT
    open: bool = False


class Pong(Struct, frozen=True):
    """Radio to hub: the answer to a ping, and how many frames were refused since it began."""

    n: int
    refused: Annotated[dict[str, int], Meta(max_length=32)] = {}
    heard: Annotated[int, Meta(ge=0)] = 0


class Ping(Struct, frozen=True):
    """Hub to radio: are you there? Answered by the loop that does the work."""

    n: int


class Taken(Struct, frozen=True):
    """Hub to radio: the press `id` is committed; it need not be told again."""

    id: str


class OpenPairing(Struct, frozen=True):
    """Hub to radio: accept requests for pairing for `s` seconds; 0 shuts the window."""

    s: Annotated[float, Meta(ge=0, le=600)]


class PairingAnswer(Struct, frozen=True):
    """Hub to radio: somebody says that the digits are the same (`yes`), or gives the `key`.

    It answers the request `ask` only; 0: whichever waits.
    """

    yes: bool
    key: Annotated[str, Meta(pattern="^([0-9]{1,6})?$")] = ""
    ask: Ask = 0


Order = Ping | Taken | OpenPairing | PairingAnswer
Fact = (
    Hello | Pressed | Found | Ambient | Battery | Pulse | Reading | Presence | Trouble
    | PairingOpened | PairingAsked | PairingEnded | Pong
)  # fmt: skip
Word = Order | Fact
VOCABULARY: Vocabulary[Fact, Order] = Vocabulary(
    (
        Hello, Pressed, Found, Ambient, Battery, Pulse, Reading, Presence, Trouble,
        PairingOpened, PairingAsked, PairingEnded, Pong,
    ),
    (Ping, Taken, OpenPairing, PairingAnswer),
    hello=Hello,
    pong=Pong,
    ping=Ping,
    line_bytes=LINE_BYTES,
)  # fmt: skip
encode, decode = VOCABULARY.encode, VOCABULARY.decode
