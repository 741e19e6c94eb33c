"""A contact on a GPIO line: help button, pull cord, cancel button, away switch, door reed.

Edges go out raw; `core/press.py` decides what is a press, `core/senses.py` what a door does.
"""

from typing import Annotated

from msgspec import Meta, Struct

from drivers.line import SILENT_S, Line, Pin, Pull, watch
from hub.core.driver import Name, Port
from hub.core.events import ContactChanged
from hub.core.rules import Role, Room, Sense

SENSE = {Role.DOOR: Sense.DOOR, Role.EXIT_DOOR: Sense.EXIT_DOOR}


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="contact", tag_field="kind"):
    """A contact between a GPIO line and ground (or 3.3 V, then `pull = "down"`).

    `active_low` says at which level the contact counts as closed; left out, it is the level
    against the pull. A normally closed contact has it the other way round. A door is shut while
    its contact is closed; an away switch says "I am going out" while it is.
    """

    name: Name
    pin: Pin
    role: Role
    place: str = ""
    room: Room = Room.OTHER
    pull: Pull = "up"
    active_low: bool | None = None
    silent_s: Annotated[float, Meta(ge=0)] = SILENT_S

    @property
    def sense(self) -> Sense | None:
        """What it tells of the house; a button tells nothing."""
        return SENSE.get(self.role)

    async def run(self, port: Port) -> None:
        """Report every edge and the level at start, until cancelled; of a door's flood only some.

        Raises LineError when the line cannot be claimed or an edge could not be handed over.
        """
        damped = self.sense is not None
        line = Line("contact", self.name, self.pin, self.pull, self.active_low, damped=damped)
        await watch(line, port, lambda at, on: ContactChanged(at, self.name, on))
