"""The GATT characteristics of wearables, by their specifications (GATT Specification Supplement).

Unknown flags, and bytes behind the last field, are of a later version and ignored.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from drivers.bluetooth.frames.octets import Clock, Octets, Refusal, RefusedError, Stamp

RR_PER_S = 1024  # 0x2A37: intervals are in 1/1024 s
MMHG_PER_KPA = 7.500617  # NIST SP 811
IRREGULAR = 0x0004  # of a cuff's status: irregular pulse
UNKNOWN_USER = 255
HIGHEST_PCT = 100.0
HIGHEST_MMHG = 400.0  # cuffs measure up to 300
TEMPERATURES_C = (-40.0, 100.0)  # a thermometer, if of a room


class HeartRate(Struct, frozen=True):
    """0x2A37. `contact` None: the band cannot tell, whatever its contact bit says."""

    bpm: float | None = None
    contact: bool | None = None
    energy_kj: int | None = None
    rr_ms: tuple[float, ...] = ()  # oldest first
    reason: Refusal | None = None

    @property
    def worn(self) -> bool | None:
        """Whether it is worn; None: the band cannot tell."""
        return self.contact


class Oxygen(Struct, frozen=True):
    """0x2A5E (spot check) and 0x2A5F (continuous). `fast`, `slow`: oxygen in %, pulse in bpm."""

    spo2_pct: float | None = None
    pulse_bpm: float | None = None
    fast: tuple[float | None, float | None] | None = None
    slow: tuple[float | None, float | None] | None = None
    stamp: Stamp = Stamp()
    status: int | None = None
    device_status: int | None = None
    pai_pct: float | None = None  # pulse amplitude index
    reason: Refusal | None = None


class Pressure(Struct, frozen=True):
    """0x2A35, and 0x2A36 while a cuff is pumped. `user` None: it does not say, or not know."""

    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    map_mmhg: float | None = None
    stamp: Stamp = Stamp()
    pulse_bpm: float | None = None
    user: int | None = None
    status: int | None = None
    reason: Refusal | None = None

    @property
    def irregular(self) -> bool:
        """Whether the cuff says that the pulse was irregular."""
        return bool((self.status or 0) & IRREGULAR)


class Temperature(Struct, frozen=True):
    """0x2A1C, and 0x2A1E while it is measured. `site`: where, as 0x2A1D numbers it."""

    temperature_c: float | None = None
    stamp: Stamp = Stamp()
    site: int | None = None
    reason: Refusal | None = None


class Charge(Struct, frozen=True):
    """0x2A19."""

    battery_pct: float | None = None
    reason: Refusal | None = None


Reading = HeartRate | Oxygen | Pressure | Temperature | Charge
Reader = Callable[[bytes], Reading]
R = TypeVar("R", bound=Reading)
Found = dict[str, Any]  # field of a reading -> value


def is_fresh(stamp: Stamp) -> bool:
    """Whether nothing in the frame itself says that its age is unknown."""
    return stamp.clock is not Clock.UNSET


def heart_rate(data: bytes) -> HeartRate:
    """Read 0x2A37."""
    return _read(data, HeartRate, _heart_rate)


def spot_oxygen(data: bytes) -> Oxygen:
    """Read 0x2A5E."""
    return _read(data, Oxygen, _spot_oxygen)


def continuous_oxygen(data: bytes) -> Oxygen:
    """Read 0x2A5F."""
    return _read(data, Oxygen, _continuous_oxygen)


def pressure(data: bytes) -> Pressure:
    """Read 0x2A35 or 0x2A36."""
    return _read(data, Pressure, _pressure)


def temperature(data: bytes) -> Temperature:
    """Read 0x2A1C or 0x2A1E."""
    return _read(data, Temperature, _temperature)


def charge(data: bytes) -> Charge:
    """Read 0x2A19."""
    return _read(data, Charge, _charge)


def _read(data: bytes, shape: Callable[..., R], fields: Callable[[Octets, Found], None]) -> R:
    """Return what stands in the frame, up to where it ends too early."""
    if not data:
        return shape(reason=Refusal.EMPTY)
    octets, found = Octets(data), Found()
    try:
        fields(octets, found)
    except RefusedError as error:
        return shape(**found, reason=error.reason)
    return shape(**found, reason=octets.reason)


def _heart_rate(octets: Octets, found: Found) -> None:
    flags = octets.uint(1)
    found["contact"] = contact = bool(flags & 0x02) if flags & 0x04 else None
    counted = octets.uint(2 if flags & 0x01 else 1)
    off = counted == 0 and contact is False  # it is not worn: nothing is wrong with the frame
    found["bpm"] = None if off else octets.rate(counted)
    if flags & 0x08:
        found["energy_kj"] = octets.uint(2)
    while flags & 0x10 and octets.left:
        found["rr_ms"] = (*found.get("rr_ms", ()), octets.uint(2) * 1000 / RR_PER_S)


def _spot_oxygen(octets: Octets, found: Found) -> None:
    flags = octets.uint(1)
    found["spo2_pct"], found["pulse_bpm"] = _oxygen(octets)
    if flags & 0x01:
        stamp = octets.stamp()
        found["stamp"] = replace(stamp, clock=Clock.UNSET) if flags & 0x10 else stamp
    _statuses(octets, found, flags >> 1)


def _continuous_oxygen(octets: Octets, found: Found) -> None:
    flags = octets.uint(1)
    found["spo2_pct"], found["pulse_bpm"] = _oxygen(octets)
    for flag, name in (0x01, "fast"), (0x02, "slow"):
        if flags & flag:
            found[name] = _oxygen(octets)
    _statuses(octets, found, flags >> 2)


def _oxygen(octets: Octets) -> tuple[float | None, float | None]:
    share = octets.positive(octets.sfloat(), HIGHEST_PCT)
    return share, octets.rate(octets.sfloat())


def _statuses(octets: Octets, found: Found, flags: int) -> None:
    if flags & 0x01:
        found["status"] = octets.uint(2)
    if flags & 0x02:
        found["device_status"] = octets.uint(3)
    if flags & 0x04:
        found["pai_pct"] = octets.sfloat()


def _pressure(octets: Octets, found: Found) -> None:
    flags = octets.uint(1)
    for name in ("systolic_mmhg", "diastolic_mmhg", "map_mmhg"):
        value = octets.sfloat()
        if value is not None and flags & 0x01:
            value = round(value * MMHG_PER_KPA, 1)
        found[name] = octets.positive(value, HIGHEST_MMHG)
    if flags & 0x02:
        found["stamp"] = octets.stamp()
    if flags & 0x04:
        found["pulse_bpm"] = octets.rate(octets.sfloat())
    if flags & 0x08:
        user = octets.uint(1)
        found["user"] = None if user == UNKNOWN_USER else user
    if flags & 0x10:
        found["status"] = octets.uint(2)


def _temperature(octets: Octets, found: Found) -> None:
    flags = octets.uint(1)
    value = octets.float32()
    if value is not None and flags & 0x01:
        value = round((value - 32) * 5 / 9, 2)
    found["temperature_c"] = octets.within(value, *TEMPERATURES_C)
    if flags & 0x02:
        found["stamp"] = octets.stamp()
    if flags & 0x04:
        found["site"] = octets.uint(1)


def _charge(octets: Octets, found: Found) -> None:
    found["battery_pct"] = octets.within(octets.uint(1), 0, HIGHEST_PCT)
