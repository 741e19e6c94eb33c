"""A motion sensor (PIR) on a GPIO line: every edge, and the level once the sensor is warm.

gpiozero's own `MotionSensor` starts a thread and averages the levels; here every edge counts.
"""

from typing import Annotated

from msgspec import Meta, Struct

from drivers.gpio_line import SILENT_S, Line, Pin, Pull, watch
from hub.contract.forms import Name
from hub.core.model.driver import Port
from hub.core.model.events import MotionChanged
from hub.core.model.rules import Room, Sense

WARM_UP_S = 30.0  # HC-SR501 class modules fire at random for 30 to 60 s after power-up


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="motion", tag_field="kind"):
    """A sensor that drives its line high (`active_high`) while it sees somebody move.

    The line is ignored until `warm_up_s` after the machine that feeds the sensor was powered on; a
    restart of the hub alone needs no wait. With `pull = "down"` a loose wire rests low instead of
    picking up noise.
    """

    name: Name
    pin: Pin
    place: str = ""
    room: Room = Room.OTHER
    pull: Pull = "down"
    active_high: bool = True
    warm_up_s: Annotated[float, Meta(ge=0)] = WARM_UP_S
    silent_s: Annotated[float, Meta(ge=0)] = SILENT_S

    @property
    def sense(self) -> Sense:
        """What it senses in the home."""
        return Sense.MOTION

    async def run(self, port: Port) -> None:
        """Report every edge and the level, until cancelled.

        Raises LineError when the line cannot be claimed or an edge could not be handed over.
        """
        active_low, warm_up_s = not self.active_high, self.warm_up_s
        line = Line("motion", self.name, self.pin, self.pull, active_low, warm_up_s, damped=True)
        await watch(line, port, lambda at, on: MotionChanged(at, self.name, on))
