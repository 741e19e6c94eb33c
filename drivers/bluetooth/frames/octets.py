"""Bytes of a frame, read from the front; medical floats and dates; why a frame is refused."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

FIRST_YEAR = 2020  # an earlier year is a clock that was never set: 1970, 2000, a maker's default
HIGHEST_RATE = 400  # beats a minute: as `hub.contract.radio.Pulse` has it
NO_RATE = 255  # bands and oximeters send all bits set where they have no value
# IEEE 11073-20601: the special values of SFLOAT and FLOAT, with an exponent of 0
SFLOAT_NAN, SFLOAT_SPECIAL = 0x07FF, frozenset({0x07FE, 0x0800, 0x0801, 0x0802})
FLOAT_NAN = 0x007FFFFF
FLOAT_SPECIAL = frozenset({0x007FFFFE, 0x00800000, 0x00800001, 0x00800002})


class Refusal(StrEnum):
    """Why a frame, or a part of it, is not taken; each is counted by this name."""

    EMPTY = "empty"  # nothing in it
    TRUNCATED = "truncated"  # it ends within a field that it says it has
    UNKNOWN_OBJECT = "unknown_object"  # of no known length, so the rest cannot be read
    VERSION = "version"  # of a BTHome that is not 2
    NAN = "nan"  # the device says that it measured nothing
    SPECIAL = "special"  # infinite, not at this resolution, reserved
    ZERO = "zero"  # a pulse of 0: it is still searching
    IMPLAUSIBLE = "implausible"  # 255, oxygen beyond 100 %, and the like
    NO_KEY = "no_key"  # encrypted, and the device is listed without a key
    NOT_AUTHENTIC = "not_authentic"  # the key does not open it
    DOWNGRADE = "downgrade"  # plain, in the name of a device with a key
    REPEAT = "repeat"  # heard before
    REPLAY = "replay"  # heard long before, or older than what was heard


class RefusedError(Exception):
    """A field cannot be taken."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


class Clock(StrEnum):
    """What a record's own time is worth."""

    ABSENT = "absent"  # it carries none
    UNSET = "unset"  # unknown, impossible, or of a clock that was never set
    SET = "set"


class Stamp(Struct, frozen=True):
    """A record's date by the device's own clock; `at` None: unknown or impossible."""

    at: datetime | None = None
    clock: Clock = Clock.ABSENT


class Octets:
    """Takes fields off the front of a frame, least significant byte first.

    `reason` is the first refusal of a value: that value is None, and the rest is read on. A frame
    that ends too early raises `RefusedError`.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.reason: Refusal | None = None

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        if self.left < size:
            raise RefusedError(Refusal.TRUNCATED)
        self._at += size
        return self._data[self._at - size : self._at]

    def uint(self, size: int) -> int:
        """Return the next unsigned number."""
        return int.from_bytes(self.take(size), "little")

    def refuse(self, reason: Refusal) -> float | None:
        """Note why a value is not taken, and return None for it; the first reason counts."""
        self.reason = self.reason or reason
        return None

    def sfloat(self) -> float | None:
        """Return a medical float of 16 bits: 12 of mantissa, 4 of exponent."""
        raw = self.uint(2)
        if raw == SFLOAT_NAN or raw in SFLOAT_SPECIAL:
            return self.refuse(Refusal.NAN if raw == SFLOAT_NAN else Refusal.SPECIAL)
        return _decimal(_signed(raw & 0x0FFF, 12), _signed(raw >> 12, 4))

    def float32(self) -> float | None:
        """Return a medical float of 32 bits: 24 of mantissa, 8 of exponent."""
        raw = self.uint(4)
        if raw == FLOAT_NAN or raw in FLOAT_SPECIAL:
            return self.refuse(Refusal.NAN if raw == FLOAT_NAN else Refusal.SPECIAL)
        return _decimal(_signed(raw & 0x00FFFFFF, 24), _signed(raw >> 24, 8))

    def rate(self, value: float | None) -> float | None:
        """Return beats a minute, if that can be a heart's."""
        if value == NO_RATE:
            return self.refuse(Refusal.IMPLAUSIBLE)
        return self.positive(value, HIGHEST_RATE)

    def positive(self, value: float | None, highest: float) -> float | None:
        """Return a value of something alive, which is never 0."""
        if value == 0:
            return self.refuse(Refusal.ZERO)
        return self.within(value, 0, highest)

    def within(self, value: float | None, lowest: float, highest: float) -> float | None:
        """Return a value that is possible; None stays None."""
        if value is None or lowest <= value <= highest:
            return value
        return self.refuse(Refusal.IMPLAUSIBLE)

    def stamp(self) -> Stamp:
        """Return a date and time; each part that is 0 or impossible makes it unknown."""
        year, *rest = self.uint(2), *self.take(5)
        month, day, hour, minute, second = rest
        try:
            at = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the device's own
        except ValueError:
            return Stamp(None, Clock.UNSET)
        return Stamp(at, Clock.SET if year >= FIRST_YEAR else Clock.UNSET)


def _signed(raw: int, bits: int) -> int:
    return raw - (1 << bits) if raw >> (bits - 1) else raw


def _decimal(mantissa: int, exponent: int) -> float:
    """Return the nearest number: a division by a power of ten is rounded once."""
    if exponent < 0:
        return float(mantissa / 10.0**-exponent)
    return float(mantissa * 10.0**exponent)
