"""The hub's own power: whether there is mains power, and how full the battery is.

A UPS board or an optocoupler closes a line while there is mains power. The battery is read from
Linux (`/sys/class/power_supply/*/capacity`, in percent), or from a line that closes when it is low.
"""

import asyncio
import glob
import math
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from drivers.gpio_line import ALIVE_S, SILENT_S, Line, Pin, Pull, watch
from hub.contract.addresses import Flaw, FlawError
from hub.contract.forms import FilePath, Name
from hub.core.model.driver import Port
from hub.core.model.events import BatteryMeasured, MainsChanged
from hub.core.model.rules import Room, Sense

LOOK_S = 2.0
CHANGE_PCT = 1.0
LOW_PCT, FULL_PCT = 10.0, 100.0  # reported for a line that knows only "low" and "not low"
EVERYTHING_PCT = 100.0


class SupplyError(Exception):
    """The battery cannot be read; the text says where and why."""


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="supply", tag_field="kind"):
    """A line that is on while there is mains power (`pin`), and a battery; either may be missing.

    `battery` is a file that holds the charge in percent, or a pattern that finds one. `low_pin` is
    on while the battery is low.
    """

    name: Name
    pin: Pin | None = None
    low_pin: Pin | None = None
    battery: FilePath = ""
    place: str = ""
    pull: Pull = "up"
    active_low: bool | None = None
    silent_s: Annotated[float, Meta(ge=0)] = SILENT_S

    def __post_init__(self) -> None:
        """Refuse a supply with neither line nor battery."""
        if self.pin is None and self.low_pin is None and not self.battery:
            raise FlawError(Flaw.NOTHING_KNOWN)

    @property
    def room(self) -> Room:
        """No room that a rule depends on."""
        return Room.OTHER

    @property
    def sense(self) -> Sense:
        """What it senses in the home."""
        return Sense.BATTERY if self.pin is None else Sense.MAINS

    async def run(self, port: Port) -> None:
        """Report the mains and the battery at start and at each change, until cancelled.

        Raises LineError for a line and SupplyError for a battery that cannot be read.
        """
        parts: list[Coroutine[Any, Any, None]] = []
        if self.pin is not None:
            line = Line("supply", self.name, self.pin, self.pull, self.active_low, damped=True)
            parts.append(watch(line, port, lambda at, on: MainsChanged(at, self.name, on)))
        if self.low_pin is not None:
            line = Line("supply", self.name, self.low_pin, self.pull, self.active_low, damped=True)
            parts.append(watch(line, port, self._low))
        if self.battery:
            parts.append(_read(self, port))
        await _together(parts)

    def _low(self, at: float, on: bool) -> BatteryMeasured:  # noqa: FBT001 - a level
        return BatteryMeasured(at, self.name, LOW_PCT if on else FULL_PCT)


async def _together(parts: list[Coroutine[Any, Any, None]]) -> None:
    """Run all parts; an error of one ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except ExceptionGroup as several:
        raise several.exceptions[0] from several


async def _read(config: Driver, port: Port) -> None:
    told_pct = told_at = -math.inf
    while True:
        pct = await asyncio.to_thread(charge, config.battery)  # a fuel gauge may be slow
        at = time.monotonic()
        if math.isinf(told_at):
            port.ready()
        if abs(pct - told_pct) >= CHANGE_PCT or told_at + ALIVE_S <= at:
            told_pct, told_at = pct, at
            port.emit(BatteryMeasured(at, config.name, pct))
        await asyncio.sleep(LOOK_S)


def charge(pattern: str) -> float:
    """Return a battery's charge in percent, 0 to 100. Raises SupplyError."""
    found = sorted(glob.glob(pattern))  # noqa: PTH207 - a pattern with its folder in it
    try:
        pct = float(Path(found[0] if found else pattern).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        message = f"no battery can be read at {pattern}: {error}"
        raise SupplyError(message) from error
    return min(max(pct, 0.0), EVERYTHING_PCT)
