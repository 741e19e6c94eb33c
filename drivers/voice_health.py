"""How the voice fares, on its way to the hub: no flicker of a part, and no count without news."""

import math
from collections.abc import Callable
from time import monotonic

from hub.contract.voice import Part, Pong, Trouble
from hub.core.model.events import Event, Measured, PartChanged

CHANGE_S = 5.0  # how often a part may be told to have changed
LOSS_S = 300.0  # how often it is told how much sound was let go: as the hub's own readings


class Health:
    """What is known of the parts of the voice `name`, and what of it was told."""

    def __init__(self, name: str, emit: Callable[[Event], None]) -> None:
        self._name, self._emit = name, emit
        self._parts: dict[Part, Trouble] = {}
        self._told: dict[Part, tuple[float, Trouble]] = {}
        self._lost, self._lost_at = dict.fromkeys(self._losses(Pong(0)), 0.0), -math.inf

    def change(self, trouble: Trouble) -> None:
        """Tell how a part fares, but not each flicker of it."""
        part, now = trouble.part, monotonic()
        self._parts[part] = trouble
        told_at, told = self._told.get(part, (-math.inf, None))
        if told != trouble and now - told_at >= CHANGE_S:
            self._told[part] = now, trouble
            self._emit(PartChanged(now, self._name, part, trouble.present, trouble.detail))

    def look(self) -> None:
        """Tell of the parts that changed too often to be told at once."""
        for trouble in list(self._parts.values()):
            self.change(trouble)

    def lose(self, pong: Pong) -> None:
        """Tell that it is too slow for what it hears: in a telemetry of its own, seldom."""
        lost, now = self._losses(pong), monotonic()
        if lost != self._lost and now - self._lost_at >= LOSS_S:
            self._lost, self._lost_at = lost, now
            self._emit(Measured(now, lost))

    def _losses(self, pong: Pong) -> dict[str, float]:
        return {
            f"{self._name}_ear_lost_s": pong.ear_lost_s,
            f"{self._name}_amid_lost_s": pong.amid_lost_s,
            f"{self._name}_unjudged_s": pong.unjudged_s,
        }
