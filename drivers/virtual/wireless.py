"""The wireless devices of the virtual house: somebody presses, wears, measures, comes and goes.

They are those of the list `devices.toml`. What they do is told to the radio processes that listen
(`words.py`); what none hears is lost, as in a home.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Collection
from enum import StrEnum
from time import time
from typing import Any, TypeVar

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from drivers.virtual.words import Carried, Measured, Sent, Word, Worn
from hub.contract.radio import How
from hub.core.model.rules import Sense
from hub.core.model.wireless import Pendant, Phone, Wearable, Wireless, WirelessSensor

ANEW = range(148, 33_222)  # counters heard after a change of battery (bthome-ble #116)
IDS = 256
SINCE, PER_S, COUNTERS = 1_767_225_600, 10, 2**32  # counters count from the begin of 2026
BEACON_S = 600.0  # between two frames of a sensor whose state lasts
UNREAD = 256  # words that wait for a radio; a hung one misses the rest
DOORS = (Sense.DOOR, Sense.EXIT_DOOR, Sense.WINDOW)
DETECTORS = (Sense.SMOKE, Sense.GAS, Sense.CARBON_MONOXIDE, Sense.MOISTURE, Sense.MOTION)
STATE_OF = {Sense.EXIT_DOOR: "door"}  # BTHome's name of a sense, where it is another

Answer = dict[str, Any]
TWord = TypeVar("TWord", bound=Word)


class Deed(StrEnum):
    """What may be done with a pendant: all but the last two are ways to press it."""

    PRESS = "press"
    DOUBLE = "double_press"
    TRIPLE = "triple_press"
    LONG = "long_press"
    HOLD = "hold_press"
    AGAIN = "again"  # BlueZ tells its last frame once more
    NEW_BATTERY = "new_battery"  # its counter begins anew


class NoDeviceError(LookupError):
    """There is no such wireless device; `known` names the existing ones of its kind."""

    def __init__(self, what: str, known: list[str]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(f"no wireless device {what[:40]!r} for that; there are: {names}")
        self.known = known


class UnheardError(Exception):
    """Nobody listens: what was sent is lost."""


class _Unit(Struct):
    """A listed device, and the newest words about it."""

    device: Wireless
    told: Word


class Devices:
    """All wireless devices of the house. `changed` is called after each change of what is seen."""

    def __init__(self) -> None:
        self._units: dict[str, _Unit] = {}
        self._radios: set[asyncio.Queue[Word]] = set()
        self._heard: dict[str, Sent] = {}  # the last frame of each that some radio has heard
        self.changed: Callable[[], None] = lambda: None

    def follow(self, devices: Collection[Wireless]) -> None:
        """Have these devices from now on; one that was there before stays as it is."""
        before, self._units = self._units, {}
        names = {device.name for device in devices}
        self._heard = {name: sent for name, sent in self._heard.items() if name in names}
        for device in devices:
            old = before.get(device.name)
            told = old.told if old and _kind(old.device) == _kind(device) else _first(device)
            if told is not None:
                self._units[device.name] = _Unit(device, told)
        self.changed()

    def has(self, what: str) -> bool:
        """Whether there is a wireless device of that name."""
        return what in self._units

    async def air(self) -> AsyncGenerator[Word, None]:
        """Yield what a radio hears: the state of each device, then what each does."""
        radio: asyncio.Queue[Word] = asyncio.Queue(UNREAD)
        for sent in self._heard.values():
            radio.put_nowait(replace(sent, again=True))
        for unit in self._units.values():
            if isinstance(unit.told, Worn | Carried):
                radio.put_nowait(unit.told)
        self._radios.add(radio)
        for name, unit in self._units.items():
            if isinstance(unit.told, Sent) and unit.told.states and name not in self._heard:
                self._send(unit.told)  # a sensor is heard before anything happens
        self.changed()
        try:
            while True:
                yield await radio.get()
        finally:
            self._radios.discard(radio)
            self.changed()

    async def beacon(self) -> None:
        """Send the state of each sensor now and then, for ever: its sign of life."""
        while True:
            await asyncio.sleep(BEACON_S)
            for unit in self._units.values():
                if isinstance(unit.told, Sent) and unit.told.states:
                    self._send(unit.told)

    # what somebody does

    def pendant(self, what: str, deed: Deed) -> Answer:
        """Press a pendant, let BlueZ repeat its last frame, or change its battery.

        Raises NoDeviceError, and UnheardError where no radio listens.
        """
        told = self._told(what, Sent, lambda device: isinstance(device, Pendant))
        match deed:
            case Deed.NEW_BATTERY:
                anew = random.choice(ANEW)  # noqa: S311 - no secret
                self._change(replace(told, counter=anew, packet_id=0, battery_pct=100.0))
            case Deed.AGAIN:
                if what in self._heard:
                    self._spread(replace(self._heard[what], again=True))
            case _:
                self._send(told, how=How(deed))
                self._heed()
        return {"ok": True, "what": what}

    def sense(self, what: str, *, on: bool, kinds: tuple[Sense, ...]) -> Answer:
        """Open or shut a wireless door, or let a detector find something. Raises NoDeviceError."""

        def fits(device: Wireless) -> bool:
            return isinstance(device, WirelessSensor) and device.sense in kinds

        told = self._told(what, Sent, fits)
        changed = on not in told.states.values()
        self._send(told, states=dict.fromkeys(told.states, on))
        return {"ok": True, "what": what, "on": on, "changed": changed}

    def band(self, what: str, **changes: object) -> Answer:
        """Put a band on or off, carry it away, or set its pulse. Raises NoDeviceError."""
        told = self._told(what, Worn)
        self._change(replace(told, **{k: v for k, v in changes.items() if v is not None}))
        self._spread(self._units[what].told)
        return {"ok": True, "what": what}

    def measure(self, what: str, systolic_mmhg: float, diastolic_mmhg: float) -> Answer:
        """Measure with a cuff. Raises NoDeviceError and UnheardError."""
        told = self._told(what, Measured)
        told = replace(told, systolic_mmhg=systolic_mmhg, diastolic_mmhg=diastolic_mmhg)
        self._change(told)
        self._spread(told)
        self._heed()
        return {"ok": True, "what": what}

    def phone(self, what: str, *, near: bool) -> Answer:
        """Bring the phone into range, or carry it away. Raises NoDeviceError."""
        told = replace(self._told(what, Carried), near=near)
        self._change(told)
        self._spread(told)
        return {"ok": True, "what": what, "near": near}

    def charge(self, what: str, pct: float) -> Answer:
        """Set the charge of a battery. Raises NoDeviceError."""
        told = replace(self._told(what, (Sent, Worn, Measured)), battery_pct=pct)
        if isinstance(told, Sent) and told.states:
            self._send(told)
        else:  # a pendant tells it with the next press, a cuff with the next measurement
            self._change(told)
        if isinstance(told, Worn):
            self._spread(told)
        return {"ok": True, "what": what, "battery_pct": pct}

    def seen(self) -> Answer:
        """Return the state of each device, and whether a radio listens."""
        return {
            "heard": bool(self._radios),
            "devices": {name: _seen(unit) for name, unit in self._units.items()},
        }

    def _told(
        self,
        what: str,
        shape: type[TWord] | tuple[type[TWord], ...],
        fits: Callable[[Wireless], bool] = lambda _: True,
    ) -> TWord:
        """Return what was last told of a device. Raises NoDeviceError."""
        found = {
            name: unit.told
            for name, unit in self._units.items()
            if isinstance(unit.told, shape) and fits(unit.device)
        }
        if what not in found:
            raise NoDeviceError(what, sorted(found))
        return found[what]

    def _change(self, told: Word) -> None:
        self._units[told.device].told = told
        self.changed()

    def _send(self, told: Sent, **changes: object) -> None:
        """Send a pendant's or a sensor's next frame."""
        packet_id = (told.packet_id + 1) % IDS
        sent = replace(told, counter=told.counter + 1, packet_id=packet_id, **changes)
        if self._radios:
            self._heard[sent.device] = sent
        self._change(sent)
        self._spread(sent)

    def _heed(self) -> None:
        """Raise UnheardError where what was sent is lost."""
        if not self._radios:
            message = "no radio process listens: what was sent is lost"
            raise UnheardError(message)

    def _spread(self, word: Word) -> None:
        for radio in self._radios:
            if not radio.full():
                radio.put_nowait(word)


def _kind(device: Wireless) -> tuple[object, ...]:
    return type(device), getattr(device, "sense", None), getattr(device, "what", None)


def _first(device: Wireless) -> Word | None:
    """Return how a device is when the house opens; None: it is of a kind that is not here."""
    now = _counter_at(time())
    match device:
        case Pendant(name=name):
            return Sent(name, now, 0)
        case WirelessSensor(name=name, sense=sense) if sense in (*DOORS, *DETECTORS):
            return Sent(name, now, 0, states={STATE_OF.get(sense, str(sense)): False})
        case Phone(name=name):
            return Carried(name)
        case Wearable(name=name, what="cuff"):
            return Measured(name, 128.0, 76.0)
        case Wearable(name=name, what="band" | "chest_strap"):
            return Worn(name)
        case _:
            return None


def _counter_at(utc: float) -> int:
    """Return a counter that is higher after each start, as of devices that count by the clock.

    A house that is opened again in the same second must not send the same frames again: the hub
    takes them for repeats. In tenths of a second, 32 bits last for 13 years.
    """
    return int((utc - SINCE) * PER_S) % COUNTERS


def _seen(unit: _Unit) -> Answer:
    device, told = unit.device, unit.told
    seen: Answer = {
        "kind": device.__struct_config__.tag,
        "place": getattr(device, "place", ""),
        **to_builtins(told),
    }
    if isinstance(device, WirelessSensor) and isinstance(told, Sent):
        seen |= {"sense": device.sense, "on": any(told.states.values())}
    elif isinstance(device, Wearable):
        seen["kind"] = "band" if isinstance(told, Worn) else "cuff"
    return seen
