"""A contact on a GPIO line: help button, pull cord, cancel button, away switch, door reed.

A help button or a pull cord should be a normally closed contact (`wiring = "normally_closed"`): its
wire then carries a level while nobody presses, and a cut wire is a call and then a fault. A cut
wire of a normally open contact is never noticed (decision 0031).

Every edge is reported; `hub/core/alarm/press.py` decides what is a press, and
`hub/core/inputs/sensors.py` what a door contact means.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from drivers.gpio_line import SILENT_S, Line, Pin, Pull, watch
from hub.contract.forms import Name
from hub.core.model.driver import Port
from hub.core.model.events import ContactChanged
from hub.core.model.rules import Role, Room, Sense

Wiring = Literal["normally_open", "normally_closed"]

SENSE = {Role.DOOR: Sense.DOOR, Role.EXIT_DOOR: Sense.EXIT_DOOR}


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="contact", tag_field="kind"):
    """A contact between a GPIO line and ground (or 3.3 V, then `pull = "down"`).

    `wiring` says whether the contact rests open or closed; a press is the other of the two.
    `active_low` says instead, for odd circuits, at which level it counts as pressed; left out, it
    is the level against the pull. A door is shut while its contact counts as pressed; an away
    switch says "I am going out" while it does.
    """

    name: Name
    pin: Pin
    role: Role
    place: str = ""
    room: Room = Room.OTHER
    pull: Pull = "up"
    active_low: bool | None = None
    wiring: Wiring = "normally_open"
    silent_s: Annotated[float, Meta(ge=0)] = SILENT_S

    def __post_init__(self) -> None:
        """Refuse settings that say the same thing twice."""
        if self.normally_closed and self.active_low is not None:
            message = "`wiring` and `active_low` say the same: leave one of them out"
            raise ValueError(message)

    @property
    def normally_closed(self) -> bool:
        """Whether the wire carries a level at rest, so that a cut wire is noticed."""
        return self.wiring == "normally_closed"

    @property
    def sense(self) -> Sense | None:
        """What it senses in the home; None for a button."""
        return SENSE.get(self.role)

    async def run(self, port: Port) -> None:
        """Report every edge and the level at start, until cancelled; only some of a door's flood.

        Raises LineError when the line cannot be claimed or an edge could not be handed over.
        """
        damped = self.sense is not None
        active_low = self.pull == "down" if self.normally_closed else self.active_low
        line = Line("contact", self.name, self.pin, self.pull, active_low, damped=damped)
        await watch(line, port, lambda at, on: ContactChanged(at, self.name, on))
