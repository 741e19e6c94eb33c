"""Adverts of the listed BTHome devices, made into words for the hub; everything else is dropped.

Pure: no clock, no radio. What is dropped is counted by its reason. The hub folds presses by what
it has on disk (`hub.core.model.wireless.fold`); here only floods are held back.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from drivers.bluetooth.air import BTHOME, Advert
from drivers.bluetooth.frames import bthome
from drivers.bluetooth.frames.octets import Refusal
from hub.contract.radio import (
    Ambient,
    Battery,
    Fact,
    Found,
    How,
    Part,
    Presence,
    Pressed,
    Sensed,
    Trouble,
)
from hub.core.model.events import WirelessPressed
from hub.core.model.rules import Sense
from hub.core.model.wireless import (
    Pendant,
    Presses,
    Verdict,
    Wireless,
    WirelessSensor,
    fold,
)

SAME_S = 120.0  # the same bytes are told again after so long: less than the hub folds (REPEAT_S)
SIGN_S = 120.0  # a state that lasts, or nothing but life, is told so often at most
AMBIENT_S = 300.0  # between two readings of a room
BATTERY_S = 6 * 3600.0  # between two reports of one charge
HELD_S = 60.0  # a button's release so long after its hold belongs to it
WRONG = 3  # frames that the key does not open, and none that it does
KEYLESS = frozenset({Refusal.NOT_AUTHENTIC, Refusal.DOWNGRADE, Refusal.NO_KEY})
PARTIAL = frozenset({Refusal.UNKNOWN_OBJECT, Refusal.TRUNCATED})  # what came before is good
FULL_PCT, LOW_PCT = 100.0, 0.0  # of a device that says only "normal" or "low"
LONG_AGO = -1e9
NOTHING: tuple[Fact, ...] = ()
READINGS = frozenset({
    "temperature_c", "humidity_pct", "illuminance_lux", "pressure_hpa", "co2_ppm", "moisture_pct",
})  # fmt: skip
FOUND = {
    "door": Sensed.DOOR,
    "garage_door": Sensed.DOOR,
    "window": Sensed.WINDOW,
    "opening": Sensed.OPENING,
    "motion": Sensed.MOTION,
    "occupancy": Sensed.OCCUPANCY,
    "vibration": Sensed.VIBRATION,
    "smoke": Sensed.SMOKE,
    "gas": Sensed.GAS,
    "carbon_monoxide": Sensed.CARBON_MONOXIDE,
    "moisture": Sensed.MOISTURE,
    "tamper": Sensed.TAMPER,
}
OPENINGS = frozenset({Sensed.WINDOW, Sensed.OPENING})
DOORS = frozenset({Sense.DOOR, Sense.EXIT_DOOR})


class _Told(Struct):
    """What was told last, and when."""

    value: object = None
    at: float = LONG_AGO

    def is_due(self, at: float, each_s: float, value: object = None) -> bool:
        """Note and return whether to tell it: it changed, or was told long ago."""
        if value == self.value and at - self.at < each_s:
            return False
        self.value, self.at = value, at
        return True


class _Device:
    """A listed device, and what was heard of it since this process began."""

    def __init__(self, device: Pendant | WirelessSensor) -> None:
        self.device = device
        self.cipher = bthome.Cipher(device.address, device.key) if device.key else None
        self.bytes = _Told()
        self.presses = Presses()
        self.wrong = 0
        self.trouble: Refusal | None = None
        self.states = dict[Sensed, _Told]()
        self.battery, self.room, self.sign = _Told(), _Told(), _Told()
        self.held_at = dict[int, float]()


class Sensors:
    """Hears the adverts of listed pendants and sensors.

    `name` begins the id of each press, so that those of another process have other ids.
    `refused` counts what was dropped, by reason.
    """

    def __init__(self, name: str, refused: Counter[str] | None = None) -> None:
        self._name, self._count = name, 0
        self._devices = dict[str, _Device]()
        self.refused = Counter[str]() if refused is None else refused

    def follow(self, devices: Iterable[Wireless]) -> None:
        """Hear these devices from now on; what is known of one that stays as it was is kept."""
        before, self._devices = self._devices, {}
        for device in devices:
            if not isinstance(device, Pendant | WirelessSensor):
                continue
            known = before.get(device.address)
            if known is None or known.device != device:
                trouble = known.trouble if known else None  # an authentic frame ends it
                known = _Device(device)
                known.trouble = trouble
            self._devices[device.address] = known

    def troubles(self) -> Sequence[Trouble]:
        """Return the keys that do not fit: to be told when the hub connects."""
        devices = self._devices.values()
        return [_trouble(one.device.name, one.trouble) for one in devices if one.trouble]

    def heard(self, advert: Advert) -> Sequence[Fact]:
        """Return what an advert says; of a foreign device, nothing, at the cost of one look."""
        known = self._devices.get(advert.address)
        if known is None:
            return NOTHING
        data = advert.service_data.get(BTHOME)
        if data is None:
            return NOTHING
        if not known.bytes.is_due(advert.at, SAME_S, data):
            self._refuse(Refusal.REPEAT)
            return NOTHING
        frame = bthome.read(data, known.cipher)
        if frame.reason:
            self._refuse(frame.reason)
            if frame.reason in KEYLESS:
                return _not_opened(known, frame.reason)
            if frame.reason not in PARTIAL:
                return NOTHING
        return [*_opened(known), *self._words(known, frame, advert)]

    def _refuse(self, reason: Refusal) -> None:
        self.refused[reason] += 1

    def _words(self, known: _Device, frame: bthome.Frame, advert: Advert) -> Sequence[Fact]:
        verdict = _fold(known, frame, advert.at)
        if verdict is Verdict.REPEAT:
            self._refuse(Refusal.REPEAT)
            return NOTHING
        old = verdict is Verdict.REPLAY
        pressed = self._presses(known, frame, advert, doubtful=old) if _is_pendant(known) else []
        if old:
            self._refuse(Refusal.REPLAY)
            return pressed  # the hub remembers more, and reports it
        words = [*pressed, *_states(known, frame, advert.at), *_levels(known, frame, advert.at)]
        if words:
            known.sign.at = advert.at
        elif known.sign.is_due(advert.at, SIGN_S):
            words.append(Presence(known.device.name, near=True, rssi_dbm=advert.rssi_dbm))
        return words

    def _presses(
        self, known: _Device, frame: bthome.Frame, advert: Advert, *, doubtful: bool
    ) -> list[Fact]:
        return [
            Pressed(
                self._next_id(),
                known.device.name,
                how,
                number,
                frame.packet_id,
                frame.counter,
                frame.mark,
                rssi_dbm=advert.rssi_dbm,
                doubtful=doubtful,
            )
            for number, how in _pressed(known, frame, advert.at)
        ]

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"


def _is_pendant(known: _Device) -> bool:
    """Whether its buttons count; that its frames are encrypted, its cipher has made sure."""
    return isinstance(known.device, Pendant)


def _fold(known: _Device, frame: bthome.Frame, at: float) -> Verdict:
    """Return what an encrypted frame is, press or not; a plain one has nothing to tell by."""
    if not frame.authenticated:
        return Verdict.PRESS
    heard = WirelessPressed(
        at, known.device.name, "", How.OTHER, counter=frame.counter, mark=frame.mark
    )
    known.presses, verdict = fold(known.presses, heard)
    return verdict


def _pressed(known: _Device, frame: bthome.Frame, at: float) -> list[tuple[int, How]]:
    """Return the buttons that were pressed. A release alone says that the hold was not heard."""
    found = list(bthome.presses(frame))
    for number, code in enumerate(frame.buttons, 1):
        if code == bthome.HOLD_RELEASE and at - known.held_at.get(number, LONG_AGO) > HELD_S:
            found.append((number, How.HOLD))
    known.held_at |= {number: at for number, how in found if how is How.HOLD}
    return found


def _not_opened(known: _Device, reason: Refusal) -> Sequence[Fact]:
    """A plain frame of a device with a key is told at once: its key was lost, or it is not it."""
    known.wrong += 1
    due = reason is Refusal.DOWNGRADE or known.wrong >= WRONG
    if not due or known.trouble is not None:
        return NOTHING
    known.trouble = reason
    return [_trouble(known.device.name, reason)]


def _opened(known: _Device) -> Sequence[Fact]:
    known.wrong = 0
    if known.trouble is None:
        return NOTHING
    known.trouble = None
    return [Trouble(Part.KEY, present=False, device=known.device.name)]


def _trouble(name: str, reason: Refusal) -> Trouble:
    return Trouble(Part.KEY, present=True, device=name, detail=reason)


def _states(known: _Device, frame: bthome.Frame, at: float) -> list[Fact]:
    found = dict[Sensed, bool]()
    for name, on in frame.values.items():
        what = FOUND.get(name.rstrip("0123456789").rstrip("_"))
        if what is None or not isinstance(on, bool):
            continue
        if what in OPENINGS and getattr(known.device, "sense", None) in DOORS:
            what = Sensed.DOOR
        found[what] = found.get(what, False) or on
    return [
        Found(known.device.name, what, on)
        for what, on in found.items()
        if known.states.setdefault(what, _Told()).is_due(at, SIGN_S, on)
    ]


def _levels(known: _Device, frame: bthome.Frame, at: float) -> list[Fact]:
    words, name = list[Fact](), known.device.name
    pct = _charge(frame)
    if pct is not None and known.battery.is_due(at, BATTERY_S, pct):
        words.append(Battery(name, pct))
    readings = {key: float(value) for key, value in frame.values.items() if key in READINGS}
    if readings and known.room.is_due(at, AMBIENT_S):
        words.append(Ambient(name, readings))
    return words


def _charge(frame: bthome.Frame) -> float | None:
    pct = frame.values.get("battery_pct")
    if isinstance(pct, int | float) and LOW_PCT <= pct <= FULL_PCT:
        return float(pct)
    low = frame.values.get("battery")
    return None if low is None else LOW_PCT if low else FULL_PCT
