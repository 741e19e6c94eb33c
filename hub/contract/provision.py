"""The protocol of hub and provisioning process: one JSON object a line, as with voice and radio.

    {"type": "claiming", "data": {"digits": "40718235"}}

The provisioning process (`anbu provision run`) knows the centre's certificate authority and the
network; the hub knows the person in front of it: it shows and says the digits, and passes on that
somebody asked for the hotspot at the button. No call waits for this process.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from hub.contract.json_lines import Vocabulary

PROTOCOL = 1
LINE_BYTES = 4096
NO_IDENTITY, EXPIRED, OTHER_KEY = "no_identity", "expired", "other_key"  # details of IDENTITY
REVOKED, OWN_REFUSED, NOT_YET_VALID = "revoked", "own_refused", "not_yet_valid"
UNREGISTERED = {
    NO_IDENTITY,
    EXPIRED,
    OTHER_KEY,
    REVOKED,
    OWN_REFUSED,
    NOT_YET_VALID,
}  # so it reaches no centre
Text = Annotated[str, Meta(max_length=200)]
Digits = Annotated[str, Meta(pattern="^([0-9]{8})?$")]


class Part(StrEnum):
    """What can be out of order."""

    IDENTITY = "identity"  # no certificate, one that cannot be renewed, a key that is not its own
    BOARD = "board"  # the identity is of another board: a card that was copied or moved
    NETWORK = "network"  # no way to the centre; `detail` is a `NetworkTrouble`
    CLOCK = "clock"  # the centre's time is another
    BACKUP = "backup"  # for days the centre could not keep what a replacement needs
    BONDS = "bonds"  # devices of the hub of before are to be paired anew; `detail` names them
    DISK = "disk"  # too full to renew an identity


class Way(StrEnum):
    """How the hub reaches the network now."""

    NONE = "none"
    ETHERNET = "ethernet"
    WIFI = "wifi"
    HOTSPOT = "hotspot"  # its own, with the form for the Wi-Fi's name and password


class NetworkTrouble(StrEnum):
    """Why there is no way to the centre: `detail` of a `Trouble`, `trouble` of a `Network`."""

    NO_MANAGER = "no_manager"  # NetworkManager does not answer
    NOT_ALLOWED = "not_allowed"  # NetworkManager does not let this user do what is needed
    NO_WAY = "no_way"  # no cable, and no Wi-Fi adapter
    RADIO_OFF = "radio_off"  # Wi-Fi is blocked: a switch, or no country was set
    NOT_JOINED = "not_joined"  # the saved Wi-Fi is not reached
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - what is wrong, not a secret
    NO_SUCH_NETWORK = "no_such_network"
    JOIN_FAILED = "join_failed"  # too weak, too busy, or the access point refuses us
    NO_DHCP = "no_dhcp"  # nobody gives the hub an address
    NO_DNS = "no_dns"
    CAPTIVE_PORTAL = "captive_portal"  # a page wants to be clicked before anything works
    CENTER_UNREACHABLE = "center_unreachable"
    WRONG_CENTER = "wrong_center"  # another machine answers, or the name is unknown
    NO_TIME = "no_time"  # the clock is so wrong that the centre's certificate is not valid
    HOTSPOT_FAILED = "hotspot_failed"


class Hello(Struct, frozen=True):
    """Process to hub, first of all."""

    protocol: int = PROTOCOL


class Claiming(Struct, frozen=True):
    """Process to hub: an installer has to type these digits at the centre; empty: none are needed.

    `trouble` says in a word of `provisioning.enrol` why there are none.
    """

    digits: Digits = ""
    trouble: Text = ""


class Claimed(Struct, frozen=True):
    """Process to hub: an identity with another hub id is on the disk; the hub has to begin anew."""

    hub: Text


class Network(Struct, frozen=True):
    """Process to hub: how the network is reached now. `name`: of the Wi-Fi, or of the hotspot."""

    way: Way
    name: Text = ""
    password: Text = ""  # of the hotspot only: it is shown and said
    signal_dbm: Annotated[int, Meta(ge=-200, le=0)] | None = None
    trouble: Text = ""


class Clock(Struct, frozen=True):
    """Process to hub: by how many seconds the hub's clock is ahead of the centre's."""

    ahead_s: float


class Trouble(Struct, frozen=True):
    """Process to hub: a part is out of order (`present`), or works again."""

    part: Part
    present: bool
    detail: Text = ""


class Pong(Struct, frozen=True):
    """Process to hub: the answer to a ping."""

    n: int


class Ping(Struct, frozen=True):
    """Hub to process: are you there?"""

    n: int


class OpenHotspot(Struct, frozen=True):
    """Hub to process: open the hotspot for `s` seconds, since somebody asked for it.

    0 shuts it at once, since a call needs the saved Wi-Fi. Where none is saved it takes nothing
    away, and stays.
    """

    s: Annotated[float, Meta(ge=0, le=3600)]


Order = Ping | OpenHotspot
Fact = Hello | Claiming | Claimed | Network | Clock | Trouble | Pong
Word = Order | Fact
VOCABULARY: Vocabulary[Fact, Order] = Vocabulary(
    (Hello, Claiming, Claimed, Network, Clock, Trouble, Pong),
    (Ping, OpenHotspot),
    hello=Hello,
    pong=Pong,
    ping=Ping,
    line_bytes=LINE_BYTES,
)
encode, decode = VOCABULARY.encode, VOCABULARY.decode
