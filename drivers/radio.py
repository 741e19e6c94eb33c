"""The radio process as a device: what wireless devices say comes in, and `Taken` goes out.

The socket, and what happens when the radio dies or hangs: `hub.shared.sidecar`. The process itself
is `anbu radio run` (`drivers/bluetooth/`).
"""

import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from hub.contract import radio
from hub.contract.forms import Name, SocketPath
from hub.contract.radio import Part
from hub.core.model.driver import Port
from hub.core.model.effects import OpenPairing, PairingAnswer, Took
from hub.core.model.events import (
    BatteryMeasured,
    DriverFailed,
    Event,
    HeartRateMeasured,
    Measured,
    PairingAsked,
    PairingEnded,
    PairingOpened,
    PulseReading,
    RadioPartChanged,
    RangeChanged,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
from hub.shared.sidecar.host import Host, Patience
from hub.shared.sidecar.reports import Damped

# A radio that hangs hears no pendant: it must work again within 5 s, its start included. At first
# it tells the state of each part of up to 64 devices.
PATIENCE = Patience(ping_s=0.5, hang_s=2.5, flood=1000)
CHANGE_S = 5.0  # the shortest time between two reports of one part
TELEMETRY_S = 300.0  # between two reports of one device's room, or of refused frames
OLDEST_S = 3600.0  # the radio keeps a press for so long (`drivers.bluetooth.link`)
LONGEST_KEY, ROOM_READINGS = 40, 8
SERIES_S, SERIES = 10.0, 48  # the readings of a pulse that are one event: of so long, and so many
Readings = dict[str, float]


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="radio", tag_field="kind"):
    """The socket to which the radio process connects."""

    socket: SocketPath = "/run/anbu/radio.sock"
    name: Name = "radio"

    @property
    def pairs(self) -> bool:
        """Whether Bluetooth devices can be paired through it."""
        return True

    @property
    def is_beside(self) -> bool:
        """Whether it is a process of its own, for which the hub does not wait."""
        return True

    async def run(self, port: Port) -> None:
        """Serve the radio until cancelled.

        Raises SocketError when the socket cannot be made.
        """
        await Radio(self.name, port).serve(Path(self.socket))


class Radio:
    """The radio process, and what the hub makes of its facts."""

    def __init__(self, name: str, port: Port) -> None:
        self._name, self._port = name, port
        self._parts = Damped(self._tell_part, lambda: CHANGE_S)
        self._readings = Damped(self._tell_readings, lambda: TELEMETRY_S)
        self._pulses = Pulses(port.emit)
        self._is_lost = False

    async def serve(self, path: Path) -> None:
        """Serve until cancelled. Raises SocketError."""
        await Host("radio", radio.VOCABULARY, self, PATIENCE).serve(path, self._orders())

    def ready(self) -> None:
        """Report that the radio works."""
        self._is_lost = False
        self._port.ready()

    def lost(self, reason: str) -> None:
        """Report the fault once, and go on: the socket must be there when the radio comes."""
        if not self._is_lost:
            self._is_lost = True
            self._port.emit(DriverFailed(monotonic(), self._name, reason))

    async def _orders(self) -> AsyncIterator[radio.Order]:
        async for order in self._port.orders():
            match order:
                case Took(id=ident):
                    yield radio.Taken(ident)
                case OpenPairing(s=s):
                    yield radio.OpenPairing(s)
                case PairingAnswer(yes=yes, key=key, ask=ask):
                    yield radio.PairingAnswer(yes, key, ask)
                case _:
                    pass

    def hear(self, fact: radio.Fact) -> None:
        """Make an event of a fact."""
        match fact:
            case radio.Trouble(part=part, device=device):
                self._parts.change((device or self._name, part), fact)
            case radio.Ambient(device=device, readings=found):
                self._readings.change(device, self._room(device, found))
            case radio.Pong() if fact.heard or fact.refused:
                self._readings.change(self._name, self._counted(fact))
            case _:
                self._tell(event_of(fact, monotonic()))

    def look(self) -> None:
        """Report what changed too often to be reported at once."""
        self._pulses.look(monotonic())
        self._parts.look()
        self._readings.look()

    def _tell(self, event: Event | None) -> None:
        if isinstance(event, HeartRateMeasured):
            self._pulses.take(event, monotonic())
        elif event is not None:
            self._pulses.all(monotonic())  # what was heard before comes first
            self._port.emit(event)

    def _tell_part(self, what: tuple[str, Part], trouble: radio.Trouble) -> None:
        device, part = what
        changed = RadioPartChanged(monotonic(), device, part, trouble.present, trouble.detail)
        self._port.emit(changed)

    def _tell_readings(self, _: str, readings: Readings) -> None:
        self._port.emit(Measured(monotonic(), readings))

    def _room(self, device: str, found: Readings) -> Readings:
        """Return what is known of a room: one frame may tell of warmth, the next of light."""
        fit = {f"{device}_{key}": value for key, value in found.items() if _is_fit(key)}
        whole = (self._readings.value(device) or {}) | fit
        return dict(list(whole.items())[:ROOM_READINGS])

    def _counted(self, pong: radio.Pong) -> Readings:
        """Return how many frames this radio has heard and refused since it began."""
        found = {f"{self._name}_heard": float(pong.heard)}
        for reason, count in pong.refused.items():
            key = f"{self._name}_refused_{reason if _is_fit(reason) else 'other'}"
            found[key] = found.get(key, 0.0) + count
        return found


class Series(Struct):
    """Readings of one band that are not told yet; `told_at`: when some were, last."""

    told_at: float = -math.inf
    worn: bool | None = None
    beats: bool = False
    waiting: list[HeartRateMeasured] = field(default_factory=list)


class Pulses:
    """Joins the readings of a band, one a second, to one event in ten seconds.

    Each event is decided and recorded: one by one they would fill the black box in a day. The first
    reading, and the first with or without a pulse, wait for nothing.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._series: dict[str, Series] = {}  # by device

    def take(self, reading: HeartRateMeasured, now: float) -> None:
        """Take a reading at `now`."""
        series = self._series.setdefault(reading.device, Series())
        worn, beats = reading.worn, reading.bpm > 0
        if (series.worn, series.beats) != (worn, beats):
            self._flush(series, now)
            series.worn, series.beats, series.told_at = worn, beats, -math.inf
        series.waiting.append(reading)
        if len(series.waiting) > SERIES or now - series.told_at >= SERIES_S:
            self._flush(series, now)

    def look(self, now: float) -> None:
        """Emit what has waited long enough; forget bands that tell nothing."""
        for device, series in list(self._series.items()):
            if now - series.told_at < SERIES_S:
                continue
            if not series.waiting:
                del self._series[device]
            self._flush(series, now)

    def all(self, now: float) -> None:
        """Emit whatever waits."""
        for series in self._series.values():
            self._flush(series, now)

    def _flush(self, series: Series, now: float) -> None:
        if series.waiting:
            *earlier, last = series.waiting
            told = (PulseReading(round(one.at, 3), one.bpm, one.rr_ms) for one in earlier)
            series.waiting, series.told_at = [], now
            self._emit(replace(last, earlier=tuple(told)))


def event_of(fact: radio.Fact, now: float) -> Event | None:
    """Return the event of a fact that was read at `now`; None for what is none by itself.

    What was heard before is as old as the radio says, an hour at most, and never younger than now.
    """
    match fact:
        case radio.Pressed():
            return WirelessPressed(
                _heard_at(now, fact.ago_s),
                fact.device,
                fact.id,
                fact.how,
                fact.button,
                fact.packet_id,
                fact.counter,
                fact.mark,
            )
        case radio.Found():
            return WirelessFound(_heard_at(now, fact.ago_s), fact.device, fact.what, fact.on)
        case radio.Battery():
            return BatteryMeasured(now, fact.device, fact.pct)
        case radio.Pulse():
            found = (fact.bpm or 0.0, fact.rr_ms, fact.worn)
            return HeartRateMeasured(_heard_at(now, fact.ago_s), fact.device, *found)
        case radio.Reading():
            taken = (fact.fresh, fact.taken_utc, fact.irregular)
            return VitalsMeasured(_heard_at(now, fact.ago_s), fact.device, fact.values, *taken)
        case radio.Presence():
            return RangeChanged(now, fact.device, fact.near)
        case radio.Hello() | radio.Trouble() | radio.Ambient() | radio.Pong():
            return None
        case radio.PairingOpened() | radio.PairingAsked() | radio.PairingEnded():
            return _of_pairing(fact, now)
        case _:
            assert_never(fact)


def _of_pairing(
    fact: radio.PairingOpened | radio.PairingAsked | radio.PairingEnded, now: float
) -> Event:
    match fact:
        case radio.PairingOpened(s=s):
            return PairingOpened(now, s)
        case radio.PairingAsked():
            return PairingAsked(now, fact.name, fact.wanted, fact.digits, fact.ask)
        case radio.PairingEnded():
            return PairingEnded(now, fact.name, fact.done, fact.reason, fact.open)
        case _:
            assert_never(fact)


def _heard_at(now: float, ago_s: float) -> float:
    return max(0.0, now - min(ago_s, OLDEST_S))


def _is_fit(key: str) -> bool:
    return key.isidentifier() and len(key) <= LONGEST_KEY
