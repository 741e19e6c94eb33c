"""What the virtual house tells a radio process: one JSON object a line, tagged by `air`.

The house says what its wireless devices do; the radio process makes of it the bytes that such
devices send (`drivers.bluetooth.virtual`). A radio that connects is told the state of each device
and its last frame, as BlueZ tells them to a new scan.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from hub.contract.forms import Name
from hub.contract.radio import How

ASK = b'{"do":"air"}\n'  # the radio's request at the house's socket
LINE_BYTES = 4096
Bpm = Annotated[float, Meta(ge=30, le=220)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Systolic = Annotated[float, Meta(ge=60, le=260)]
Diastolic = Annotated[float, Meta(ge=30, le=160)]


class Variation(StrEnum):
    """How the intervals between a band's beats vary; IRREGULAR as in atrial fibrillation."""

    NONE = "none"
    NORMAL = "normal"
    IRREGULAR = "irregular"


class Sent(Struct, frozen=True, tag="sent", tag_field="air"):
    """A pendant or sensor sends a frame: a press (`how`), or the states that it senses.

    `again`: BlueZ tells this frame once more; the device sends nothing.
    """

    device: Name
    counter: Annotated[int, Meta(ge=0, lt=2**32)]
    packet_id: Annotated[int, Meta(ge=0, le=255)]
    how: How | None = None
    states: dict[str, bool] = {}
    battery_pct: Percent = 100.0
    again: bool = False


class Worn(Struct, frozen=True, tag="worn", tag_field="air"):
    """The state of a band; `near`: in range of the hub."""

    device: Name
    near: bool = True
    worn: bool = True
    pulse_bpm: Bpm = 72.0
    variation: Variation = Variation.NORMAL
    battery_pct: Percent = 80.0


class Measured(Struct, frozen=True, tag="measured", tag_field="air"):
    """A cuff has measured just now."""

    device: Name
    systolic_mmhg: Systolic
    diastolic_mmhg: Diastolic
    pulse_bpm: Bpm = 72.0
    battery_pct: Percent = 90.0


class Carried(Struct, frozen=True, tag="carried", tag_field="air"):
    """The phone is in range, or has been carried away."""

    device: Name
    near: bool = True


Word = Sent | Worn | Measured | Carried
