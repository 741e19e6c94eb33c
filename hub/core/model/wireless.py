"""Wireless devices of a home, as the list `devices.toml` names them, and what the hub remembers.

Hub and radio process read the same list. The pairing of a new device adds to it; the hub takes the
change up without a restart.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.contract.forms import Name
from hub.core.model.rules import Role, Room, Sense

Address = Annotated[str, Meta(pattern="^[0-9A-F]{2}(:[0-9A-F]{2}){5}$")]
Key = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]  # AES-128, as hex
PENDANT_SILENT_S = 0.0  # most send only when pressed
SENSOR_SILENT_S = 86_400.0  # most beacon every few minutes to hours


class Pendant(Struct, frozen=True, forbid_unknown_fields=True, tag="pendant", tag_field="kind"):
    """A button that is worn or hangs on a wall (BTHome). A help pendant needs its `key`."""

    name: Name
    address: Address
    key: Key
    role: Literal[Role.HELP_BUTTON, Role.CANCEL_BUTTON] = Role.HELP_BUTTON
    place: str = ""
    silent_s: Annotated[float, Meta(ge=0)] = PENDANT_SILENT_S


class WirelessSensor(
    Struct, frozen=True, forbid_unknown_fields=True, tag="sensor", tag_field="kind"
):
    """A BTHome sensor. With `sense = "door"`, "window" and "opening" mean that door, too."""

    name: Name
    address: Address
    sense: Sense
    key: Key | None = None
    place: str = ""
    room: Room = Room.OTHER
    silent_s: Annotated[float, Meta(ge=0)] = SENSOR_SILENT_S


class Wearable(Struct, frozen=True, forbid_unknown_fields=True, tag="wearable", tag_field="kind"):
    """A GATT device. `user` is the resident's number on a cuff with several users."""

    name: Name
    address: Address
    what: Literal["band", "chest_strap", "oximeter", "cuff", "thermometer"]
    user: Annotated[int, Meta(ge=0, le=254)] | None = None
    silent_s: Annotated[float, Meta(ge=0)] = 0.0

    @property
    def sense(self) -> Sense:
        """What it senses in the home."""
        return Sense.WEARABLE


class Phone(Struct, frozen=True, forbid_unknown_fields=True, tag="phone", tag_field="kind"):
    """A bonded phone, by its identity address; not seen means nothing.

    `consent`: the resident agreed that it is told when the phone is seen (consent item `phone` of
    the record). Without it nothing of the phone leaves the radio process.
    """

    name: Name
    address: Address
    consent: bool = False


Wireless = Pendant | WirelessSensor | Wearable | Phone


class WirelessFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file `devices.toml` in the hub's state folder."""

    device: Annotated[tuple[Wireless, ...], Meta(max_length=64)] = ()
