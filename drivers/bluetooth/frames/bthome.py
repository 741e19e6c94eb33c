"""BTHome v2 (https://bthome.io/format): adverts of buttons and sensors, plain or by AES-CCM.

    info byte | [address] | objects                               plain
    info byte | [address] | objects, encrypted | counter | code   encrypted

An object is an id and a value of the length that the id has. What follows an unknown id cannot be
read, and is not guessed.
"""

from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from msgspec import Struct

from drivers.bluetooth.frames.octets import Octets, Refusal, RefusedError
from hub.contract.radio import How

VERSION = 2
ENCRYPTED, WITH_ADDRESS, TRIGGERED = 0x01, 0x02, 0x04  # bits of the info byte
UUID = b"\xd2\xfc"
ADDRESS_BYTES, COUNTER_BYTES, CODE_BYTES = 6, 4, 4
PACKET_ID, BUTTON, COMMAND, DIMMER = 0x00, 0x3A, 0x3B, 0x3C
TEXT, RAW, FIRMWARE = 0x53, 0x54, (0xF1, 0xF2)
ARGUMENTS = 0x1F  # the bits of a command's length byte that are the length
NONE = 0x00
HOLD_RELEASE = 0x81

Value = float | bool | str


class Number(Struct, frozen=True):
    """An object that is a number: `size` bytes, little end first, times `times / parts`."""

    name: str
    size: int
    parts: int = 1
    signed: bool = False
    times: int = 1

    def read(self, octets: Octets) -> float:
        """Return its value: rounded once, by the division."""
        raw = int.from_bytes(octets.take(self.size), "little", signed=self.signed)
        return raw * self.times / self.parts if self.parts > 1 else raw


NUMBERS = {
    0x01: Number("battery_pct", 1),
    0x02: Number("temperature_c", 2, 100, signed=True),
    0x03: Number("humidity_pct", 2, 100),
    0x04: Number("pressure_hpa", 3, 100),
    0x05: Number("illuminance_lux", 3, 100),
    0x06: Number("mass_kg", 2, 100),
    0x07: Number("mass_lb", 2, 100),
    0x08: Number("dewpoint_c", 2, 100, signed=True),
    0x09: Number("count", 1),
    0x0A: Number("energy_kwh", 3, 1000),
    0x0B: Number("power_w", 3, 100),
    0x0C: Number("voltage_v", 2, 1000),
    0x0D: Number("pm2_5_ugm3", 2),
    0x0E: Number("pm10_ugm3", 2),
    0x12: Number("co2_ppm", 2),
    0x13: Number("tvoc_ugm3", 2),
    0x14: Number("moisture_pct", 2, 100),
    0x2E: Number("humidity_pct", 1),
    0x2F: Number("moisture_pct", 1),
    0x3D: Number("count", 2),
    0x3E: Number("count", 4),
    0x3F: Number("rotation_deg", 2, 10, signed=True),
    0x40: Number("distance_mm", 2),
    0x41: Number("distance_m", 2, 10),
    0x42: Number("duration_s", 3, 1000),
    0x43: Number("current_a", 2, 1000),
    0x44: Number("speed_mps", 2, 100),
    0x45: Number("temperature_c", 2, 10, signed=True),
    0x46: Number("uv_index", 1, 10),
    0x47: Number("volume_l", 2, 10),
    0x48: Number("volume_ml", 2),
    0x49: Number("volume_flow_rate_m3ph", 2, 1000),
    0x4A: Number("voltage_v", 2, 10),
    0x4B: Number("gas_m3", 3, 1000),
    0x4C: Number("gas_m3", 4, 1000),
    0x4D: Number("energy_kwh", 4, 1000),
    0x4E: Number("volume_l", 4, 1000),
    0x4F: Number("water_l", 4, 1000),
    0x50: Number("timestamp_utc", 4),
    0x51: Number("acceleration_mps2", 2, 1000),
    0x52: Number("gyroscope_dps", 2, 1000),
    0x55: Number("volume_storage_l", 4, 1000),
    0x56: Number("conductivity_uscm", 2),
    0x57: Number("temperature_c", 1, signed=True),
    0x58: Number("temperature_c", 1, 100, signed=True, times=35),
    0x59: Number("count", 1, signed=True),
    0x5A: Number("count", 2, signed=True),
    0x5B: Number("count", 4, signed=True),
    0x5C: Number("power_w", 4, 100, signed=True),
    0x5D: Number("current_a", 2, 1000, signed=True),
    0x5E: Number("direction_deg", 2, 100),
    0x5F: Number("precipitation_mm", 2, 10),
    0x60: Number("channel", 1),
    0x61: Number("rotational_speed_rpm", 2),
    0x62: Number("speed_mps", 4, 1_000_000, signed=True),
    0x63: Number("acceleration_mps2", 4, 1_000_000, signed=True),
    0x64: Number("light_level", 1),
    0x65: Number("settings_revision", 1),
    0xF0: Number("device_type", 2),
}
STATES = {  # id -> its name, what 0 means, what anything else means
    0x0F: ("generic", "off", "on"),
    0x10: ("power", "off", "on"),
    0x11: ("opening", "closed", "open"),
    0x15: ("battery", "normal", "low"),
    0x16: ("battery_charging", "not_charging", "charging"),
    0x17: ("carbon_monoxide", "clear", "detected"),
    0x18: ("cold", "normal", "cold"),
    0x19: ("connectivity", "disconnected", "connected"),
    0x1A: ("door", "closed", "open"),
    0x1B: ("garage_door", "closed", "open"),
    0x1C: ("gas", "clear", "detected"),
    0x1D: ("heat", "normal", "hot"),
    0x1E: ("light", "dark", "detected"),
    0x1F: ("lock", "locked", "unlocked"),
    0x20: ("moisture", "dry", "wet"),
    0x21: ("motion", "clear", "detected"),
    0x22: ("moving", "not_moving", "moving"),
    0x23: ("occupancy", "clear", "detected"),
    0x24: ("plug", "unplugged", "plugged_in"),
    0x25: ("presence", "away", "home"),
    0x26: ("problem", "ok", "problem"),
    0x27: ("running", "not_running", "running"),
    0x28: ("safety", "unsafe", "safe"),
    0x29: ("smoke", "clear", "detected"),
    0x2A: ("sound", "clear", "detected"),
    0x2B: ("tamper", "off", "on"),
    0x2C: ("vibration", "clear", "detected"),
    0x2D: ("window", "closed", "open"),
}
BUTTONS = {  # 0xFE is the hold of Shelly's older firmware
    NONE: "none",
    0x01: How.PRESS,
    0x02: How.DOUBLE,
    0x03: How.TRIPLE,
    0x04: How.LONG,
    0x05: How.LONG_DOUBLE,
    0x06: How.LONG_TRIPLE,
    0x80: How.HOLD,
    HOLD_RELEASE: "hold_release",
    0xFE: How.HOLD,
}
DIMMERS = {NONE: "none", 0x01: "rotate_left", 0x02: "rotate_right"}
COMMANDS = {0x00: "off", 0x01: "on", 0x02: "toggle", 0x03: "step_up", 0x04: "step_down"}


class Frame(Struct, frozen=True):
    """What one advert says, up to where it cannot be read (`reason`).

    `buttons`: the code of each button in turn, the first is button 1. `values`: name -> value; a
    second object of a name is `name_2`. `mark` tells a frame from another with the same counter.
    """

    encrypted: bool = False
    authenticated: bool = False
    triggered: bool = False  # it sends when something happens, not at intervals
    counter: int | None = None
    mark: str = ""
    packet_id: int | None = None
    buttons: tuple[int, ...] = ()
    dimmers: tuple[tuple[int, int], ...] = ()  # code, steps
    commands: tuple[tuple[int, bytes], ...] = ()  # code, arguments
    values: dict[str, Value] = {}
    reason: Refusal | None = None


class Cipher:
    """Opens and seals the frames of one device, by its `address` and its key as hex.

    The nonce is address, UUID, info byte and counter; the code of 4 bytes guards all of them.
    """

    def __init__(self, address: str, key: str) -> None:
        self._address = bytes.fromhex(address.replace(":", ""))
        self._ccm = AESCCM(bytes.fromhex(key), tag_length=CODE_BYTES)

    def open(self, info: int, address: bytes, body: bytes) -> bytes | None:
        """Return the objects; None: another key, or bytes that were changed."""
        counter = body[-COUNTER_BYTES - CODE_BYTES : -CODE_BYTES]
        nonce = (address or self._address) + UUID + bytes([info]) + counter
        sealed = body[: -COUNTER_BYTES - CODE_BYTES] + body[-CODE_BYTES:]
        try:
            return self._ccm.decrypt(nonce, sealed, None)
        except InvalidTag:
            return None

    def seal(self, info: int, objects: bytes, counter: int) -> bytes:
        """Return the whole frame as the device sends it; the virtual house's devices do."""
        tail = counter.to_bytes(COUNTER_BYTES, "little")
        nonce = self._address + UUID + bytes([info]) + tail
        sealed = self._ccm.encrypt(nonce, objects, None)
        return bytes([info]) + sealed[:-CODE_BYTES] + tail + sealed[-CODE_BYTES:]


def read(data: bytes, cipher: Cipher | None = None) -> Frame:
    """Read the service data of one advert. A device with a `cipher` never speaks plainly."""
    if not data:
        return Frame(reason=Refusal.EMPTY)
    octets = Octets(data)
    info = octets.uint(1)
    encrypted, triggered = bool(info & ENCRYPTED), bool(info & TRIGGERED)
    seen = Frame(encrypted=encrypted, triggered=triggered)
    if info >> 5 != VERSION:
        return _refused(seen, Refusal.VERSION)
    if cipher and not encrypted:
        return _refused(seen, Refusal.DOWNGRADE)
    try:
        address = octets.take(ADDRESS_BYTES)[::-1] if info & WITH_ADDRESS else b""
        body = octets.take(octets.left)
        if encrypted:
            return _opened(seen, info, address, body, cipher)
    except RefusedError as error:
        return _refused(seen, error.reason)
    return _objects(body, triggered=triggered, mark=blake2b(data, digest_size=4).hexdigest())


def presses(frame: Frame) -> tuple[tuple[int, How], ...]:
    """Return each button that was pressed, counted from 1, and how.

    A code of tomorrow is a press: an odd call rings, too. A release is none.
    """
    return tuple(
        (number, How(BUTTONS.get(code, How.OTHER)))
        for number, code in enumerate(frame.buttons, 1)
        if code not in {NONE, HOLD_RELEASE}
    )


def _refused(seen: Frame, reason: Refusal) -> Frame:
    return Frame(encrypted=seen.encrypted, triggered=seen.triggered, reason=reason)


def _opened(seen: Frame, info: int, address: bytes, body: bytes, cipher: Cipher | None) -> Frame:
    if len(body) < COUNTER_BYTES + CODE_BYTES:
        raise RefusedError(Refusal.TRUNCATED if body else Refusal.EMPTY)
    if cipher is None:
        raise RefusedError(Refusal.NO_KEY)
    objects = cipher.open(info, address, body)
    if objects is None:
        raise RefusedError(Refusal.NOT_AUTHENTIC)
    counter = int.from_bytes(body[-COUNTER_BYTES - CODE_BYTES : -CODE_BYTES], "little")
    mark = body[-CODE_BYTES:].hex()
    return _objects(objects, triggered=seen.triggered, mark=mark, counter=counter)


def _objects(payload: bytes, *, triggered: bool, mark: str, counter: int | None = None) -> Frame:
    """Read the objects, in whatever order they stand."""
    octets, found = Octets(payload), _Found()
    reason = None if payload else Refusal.EMPTY
    try:
        while octets.left:
            found.take(octets)
    except RefusedError as error:
        reason = error.reason
    return Frame(
        encrypted=counter is not None,
        authenticated=counter is not None,
        triggered=triggered,
        counter=counter,
        mark=mark,
        packet_id=found.packet_id,
        buttons=tuple(found.buttons),
        dimmers=tuple(found.dimmers),
        commands=tuple(found.commands),
        values=found.values,
        reason=reason,
    )


class _Found:
    """The objects that were read so far."""

    def __init__(self) -> None:
        self.packet_id: int | None = None
        self.buttons = list[int]()
        self.dimmers = list[tuple[int, int]]()
        self.commands = list[tuple[int, bytes]]()
        self.values = dict[str, Value]()

    def take(self, octets: Octets) -> None:
        """Read the next object."""
        kind = octets.uint(1)
        if number := NUMBERS.get(kind):
            self._put(number.name, number.read(octets))
        elif state := STATES.get(kind):
            self._put(state[0], bool(octets.uint(1)))
        elif kind == PACKET_ID:
            self.packet_id = octets.uint(1)
        elif kind == BUTTON:
            self.buttons.append(octets.uint(1))
        elif kind == DIMMER:
            self.dimmers.append((octets.uint(1), octets.uint(1)))
        elif kind == COMMAND:
            size = octets.uint(1) & ARGUMENTS
            self.commands.append((octets.uint(1), octets.take(size)))
        else:
            self._take_text(kind, octets)

    def _take_text(self, kind: int, octets: Octets) -> None:
        if kind == TEXT:
            text = octets.take(octets.uint(1))
            self._put("text", text.decode("utf-8", "replace"))
        elif kind == RAW:
            self._put("raw", octets.take(octets.uint(1)).hex())
        elif kind in FIRMWARE:
            parts = octets.take(4 if kind == FIRMWARE[0] else 3)
            self._put("firmware", ".".join(str(part) for part in reversed(parts)))
        else:
            raise RefusedError(Refusal.UNKNOWN_OBJECT)

    def _put(self, name: str, value: Value) -> None:
        key, number = name, 1
        while key in self.values:
            number += 1
            key = f"{name}_{number}"
        self.values[key] = value
