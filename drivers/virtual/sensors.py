"""The sensors of the virtual house: somebody walks past, opens a door, pulls the plug.

A motion lasts for some seconds; doors stay shut and the mains on until somebody changes them. A
battery is a file with its charge, as in Linux.
"""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

from msgspec import Struct

from drivers.virtual.pins import HousePin
from hub.core.model.rules import Sense
from hub.shared.files import write_whole

WALK_S = 3.0  # how long a motion sensor sees somebody who walks past
FULL_PCT = 100.0
AT_REST_CLOSED = (Sense.DOOR, Sense.EXIT_DOOR, Sense.MAINS)
DOORS = (Sense.DOOR, Sense.EXIT_DOOR)

Answer = dict[str, Any]


class Fitting(Struct, frozen=True):
    """What a sensor senses and where, its GPIO line, and the file with its battery's charge."""

    sense: Sense
    place: str = ""
    pin: int | None = None
    battery: str = ""


class NoSensorError(LookupError):
    """There is no such sensor; `known` names the existing ones."""

    def __init__(self, what: str, known: list[str]) -> None:
        super().__init__(
            f"no sensor {what[:40]!r} for that; there are: {', '.join(known) or 'none'}"
        )
        self.known = known


class Sensors:
    """All sensors, and the timers that end motions."""

    def __init__(self, fittings: dict[str, Fitting], pins: dict[str, HousePin]) -> None:
        self._fittings, self.pins = fittings, pins
        self._walks: dict[str, asyncio.TimerHandle] = {}

    def walk(self, what: str, ms: float | None, *, still: bool) -> Answer:
        """Begin a motion before a sensor for `ms` milliseconds, or (`still`) end it."""
        self._check(what, (Sense.MOTION,))
        if walk := self._walks.pop(what, None):
            walk.cancel()
        if still:
            return self._set(what, on=False)
        answer = self._set(what, on=True)
        lasts_s = WALK_S if ms is None else ms / 1000
        loop = asyncio.get_running_loop()
        self._walks[what] = loop.call_later(lasts_s, lambda: self._set(what, on=False))
        return answer | {"lasts_s": lasts_s}

    def door(self, what: str, *, is_open: bool) -> Answer:
        """Open or shut a door."""
        self._check(what, DOORS)
        return self._set(what, on=is_open)

    def mains(self, *, present: bool) -> Answer:
        """Turn the power of every plug on or off."""
        plugs = self._known((Sense.MAINS,))
        if not plugs:
            raise NoSensorError(Sense.MAINS, plugs)
        return [self._set(what, on=present) for what in plugs][-1]

    def charge(self, what: str, pct: float) -> Answer:
        """Set a battery's charge in percent; without a name, that of the only battery."""
        known = [name for name, fitting in self._fittings.items() if fitting.battery]
        if what not in known and (what or len(known) != 1):
            raise NoSensorError(what or "battery", known)
        name = what or known[0]
        write_whole(Path(self._fittings[name].battery), f"{pct:g}\n".encode())
        return {"ok": True, "what": name, "battery_pct": pct}

    def seen(self) -> Answer:
        """Return the state of each: `on` means motion, an open door, mains power."""
        return {
            name: {
                "sense": fitting.sense,
                "place": fitting.place,
                "on": self._is_on(name),
                "age_s": self._age_s(name),
                "battery_pct": _charge(fitting.battery),
            }
            for name, fitting in self._fittings.items()
        }

    def rest(self) -> None:
        """Cancel the timers of all motions."""
        for walk in self._walks.values():
            walk.cancel()

    def _check(self, what: str, senses: tuple[Sense, ...]) -> None:
        known = self._known(senses)
        if what not in known:
            raise NoSensorError(what, known)

    def _known(self, senses: tuple[Sense, ...]) -> list[str]:
        return sorted(name for name in self.pins if self._fittings[name].sense in senses)

    def _set(self, what: str, *, on: bool) -> Answer:
        pin = self.pins[what]
        closed = on == (self._fittings[what].sense not in DOORS)
        changed = pin.finger != closed
        at = (pin.press() if closed else pin.release()) if changed else monotonic()
        return {"ok": True, "what": what, "on": on, "changed": changed, "at": at}

    def _is_on(self, name: str) -> bool:
        pin = self.pins.get(name)
        return pin is not None and pin.finger == (self._fittings[name].sense not in DOORS)

    def _age_s(self, name: str) -> float | None:
        pin = self.pins.get(name)
        return round(monotonic() - pin.history[-1].at, 3) if pin and pin.history else None


def move_in(fittings: dict[str, Fitting], pins: dict[str, HousePin]) -> None:
    """Shut the doors, turn on the mains and charge the batteries, before any driver starts."""
    for name, fitting in fittings.items():
        if name in pins and fitting.sense in AT_REST_CLOSED:
            pins[name].press()
        battery = Path(fitting.battery)
        if fitting.battery and not battery.exists():
            battery.parent.mkdir(parents=True, exist_ok=True)
            battery.write_text(f"{FULL_PCT:g}\n", encoding="ascii")


def _charge(file: str) -> float | None:
    try:
        return float(Path(file).read_text(encoding="ascii")) if file else None
    except (OSError, ValueError):
        return None
