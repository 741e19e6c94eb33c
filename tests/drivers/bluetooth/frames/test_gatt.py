"""Every combination of flags of each characteristic, written by its specification and read back."""

from datetime import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bluetooth.frames import gatt
from drivers.bluetooth.frames.octets import Clock, Refusal, Stamp

AT = datetime(2026, 11, 29, 14, 30, 5)  # noqa: DTZ001 - a device's own clock
STAMP = b"\xea\x07\x0b\x1d\x0e\x1e\x05"
READERS = (
    gatt.heart_rate,
    gatt.spot_oxygen,
    gatt.continuous_oxygen,
    gatt.pressure,
    gatt.temperature,
    gatt.charge,
)


def u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def sfloat(mantissa: int, exponent: int = 0) -> bytes:
    return u16((exponent & 0xF) << 12 | mantissa & 0xFFF)


def float32(mantissa: int, exponent: int = 0) -> bytes:
    return ((exponent & 0xFF) << 24 | mantissa & 0xFFFFFF).to_bytes(4, "little")


def put(flags: int, head: bytes, *parts: tuple[int, bytes]) -> bytes:
    return bytes([flags]) + head + b"".join(part for flag, part in parts if flags & flag)


def given_if(flags: int, flag: int, value: float) -> float | None:
    return value if flags & flag else None


@pytest.mark.parametrize("flags", range(32))
def test_each_heart_rate_frame(flags: int) -> None:
    head = u16(301) if flags & 0x01 else b"\x48"
    beats = u16(1024) + u16(512)
    found = gatt.heart_rate(put(flags, head, (0x08, u16(4660)), (0x10, beats)))
    assert found.bpm == (301 if flags & 0x01 else 72)
    assert found.contact is (None if not flags & 0x04 else bool(flags & 0x02))
    assert found.worn is found.contact
    assert found.energy_kj == given_if(flags, 0x08, 4660)
    assert found.rr_ms == ((1000.0, 500.0) if flags & 0x10 else ())
    assert found.reason is None


@pytest.mark.parametrize(
    ("frame", "bpm", "reason"),
    [
        ("0000", None, Refusal.ZERO),
        ("0600", None, Refusal.ZERO),
        ("0400", None, None),  # not worn: nothing is wrong with the frame
        ("00ff", None, Refusal.IMPLAUSIBLE),
        ("01ff00", None, Refusal.IMPLAUSIBLE),
        ("01ffff", None, Refusal.IMPLAUSIBLE),
        ("", None, Refusal.EMPTY),
        ("00", None, Refusal.TRUNCATED),
        ("0148", None, Refusal.TRUNCATED),
        ("084801", 72, Refusal.TRUNCATED),
        ("1048", 72, None),  # says that it has beats, and has none
    ],
)
def test_a_heart_rate_that_is_none(frame: str, bpm: float | None, reason: Refusal) -> None:
    found = gatt.heart_rate(bytes.fromhex(frame))
    assert (found.bpm, found.reason) == (bpm, reason)


def test_half_a_beat_at_the_end_costs_only_itself() -> None:
    found = gatt.heart_rate(bytes.fromhex("1048000400"))
    assert (found.bpm, found.rr_ms, found.reason) == (72, (1000.0,), Refusal.TRUNCATED)


@pytest.mark.parametrize("flags", range(32))
def test_each_spot_check(flags: int) -> None:
    status = b"\x03\x02\x01"
    found = gatt.spot_oxygen(
        put(
            flags,
            sfloat(97) + sfloat(720, -1),
            (0x01, STAMP),
            (0x02, u16(32)),
            (0x04, status),
            (0x08, sfloat(15, -1)),
        )
    )
    assert (found.spo2_pct, found.pulse_bpm) == (97, 72)
    clock = Clock.UNSET if flags & 0x10 else Clock.SET  # it says that its clock is not set
    assert found.stamp == (Stamp(AT, clock) if flags & 0x01 else Stamp())
    assert found.status == given_if(flags, 0x02, 32)
    assert found.device_status == given_if(flags, 0x04, 0x010203)
    assert found.pai_pct == given_if(flags, 0x08, 1.5)
    assert found.reason is None


@pytest.mark.parametrize("flags", range(32))
def test_each_continuous_measurement(flags: int) -> None:
    found = gatt.continuous_oxygen(
        put(
            flags,
            sfloat(95) + sfloat(74),
            (0x01, sfloat(96) + sfloat(75)),
            (0x02, sfloat(94) + sfloat(73)),
            (0x04, u16(32)),
            (0x08, b"\x03\x02\x01"),
            (0x10, sfloat(15, -1)),
        )
    )
    assert (found.spo2_pct, found.pulse_bpm) == (95, 74)
    assert found.fast == ((96, 75) if flags & 0x01 else None)
    assert found.slow == ((94, 73) if flags & 0x02 else None)
    assert found.status == given_if(flags, 0x04, 32)
    assert found.device_status == given_if(flags, 0x08, 0x010203)
    assert found.pai_pct == given_if(flags, 0x10, 1.5)
    assert found.reason is None


@pytest.mark.parametrize(
    ("frame", "spo2", "pulse", "reason"),
    [
        ("00ff07ff07", None, None, Refusal.NAN),
        ("00fe070208", None, None, Refusal.SPECIAL),
        ("0000080108", None, None, Refusal.SPECIAL),
        ("007f00ff00", None, None, Refusal.IMPLAUSIBLE),  # 127 % and 255: no finger
        ("0000000000", None, None, Refusal.ZERO),
        ("006100ff07", 97, None, Refusal.NAN),
        ("00610048", 97, None, Refusal.TRUNCATED),
        ("00caf3d0f2", 97, 72, None),  # the exponent is -1
        ("00ff0f4800", None, 72, Refusal.IMPLAUSIBLE),  # -1 %
    ],
)
def test_oxygen_that_is_none(
    frame: str, spo2: float | None, pulse: float | None, reason: Refusal
) -> None:
    for read in (gatt.spot_oxygen, gatt.continuous_oxygen):
        found = read(bytes.fromhex(frame))
        if reason is not Refusal.TRUNCATED:
            assert (found.spo2_pct, found.pulse_bpm) == (spo2, pulse)
        assert found.reason == reason


@pytest.mark.parametrize("flags", range(32))
def test_each_blood_pressure(flags: int) -> None:
    values = (164, 107, 124) if flags & 0x01 else (123, 80, 93)
    exponent = -1 if flags & 0x01 else 0
    found = gatt.pressure(
        put(
            flags,
            b"".join(sfloat(value, exponent) for value in values),
            (0x02, STAMP),
            (0x04, sfloat(72)),
            (0x08, b"\x01"),
            (0x10, u16(4)),
        )
    )
    measured = (found.systolic_mmhg, found.diastolic_mmhg, found.map_mmhg)
    assert measured == ((123.0, 80.3, 93.0) if flags & 0x01 else (123, 80, 93))
    assert found.stamp == (Stamp(AT, Clock.SET) if flags & 0x02 else Stamp())
    assert found.pulse_bpm == given_if(flags, 0x04, 72)
    assert found.user == given_if(flags, 0x08, 1)
    assert found.status == given_if(flags, 0x10, 4)
    assert found.irregular is bool(flags & 0x10)
    assert found.reason is None


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("00ff07ff07ff07", Refusal.NAN),
        ("00000000000000", Refusal.ZERO),
        ("01ff07fe070208", Refusal.NAN),
        ("00e8030000ff0f", Refusal.IMPLAUSIBLE),
    ],
)
def test_a_failed_measurement_is_no_reading(frame: str, reason: Refusal) -> None:
    found = gatt.pressure(bytes.fromhex(frame))
    assert (found.systolic_mmhg, found.diastolic_mmhg, found.map_mmhg) == (None, None, None)
    assert found.reason == reason


def test_the_user_255_is_nobody_known() -> None:
    assert gatt.pressure(bytes.fromhex("087b0050005d00ff")).user is None
    assert gatt.pressure(bytes.fromhex("087b0050005d0002")).user == 2


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("00000000000000", None),
        ("ea070b1e180000", None),  # 24 o'clock
        ("ea070d01000000", None),  # a 13th month
        ("ea07021d000000", None),  # 29 February of no leap year
        ("ea070001000000", None),  # the month is not known
        ("d0070101000000", "2000-01-01T00:00:00"),
        ("b2070101000000", "1970-01-01T00:00:00"),
        ("e30701010c0000", "2019-01-01T12:00:00"),
    ],
)
def test_a_clock_that_was_never_set_dates_nothing(stamp: str, at: str | None) -> None:
    found = gatt.pressure(bytes.fromhex("02820052006200" + stamp))
    assert found.systolic_mmhg == 130
    assert (found.stamp.at.isoformat() if found.stamp.at else None) == at
    assert found.stamp.clock is Clock.UNSET
    assert not gatt.is_fresh(found.stamp)
    assert gatt.is_fresh(Stamp())


@pytest.mark.parametrize("flags", range(8))
def test_each_temperature(flags: int) -> None:
    value = float32(986, -1) if flags & 0x01 else float32(366, -1)
    found = gatt.temperature(put(flags, value, (0x02, STAMP), (0x04, b"\x02")))
    assert found.temperature_c == (37.0 if flags & 0x01 else 36.6)
    assert found.stamp == (Stamp(AT, Clock.SET) if flags & 0x02 else Stamp())
    assert found.site == given_if(flags, 0x04, 2)
    assert found.reason is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("ffff7f00", Refusal.NAN),
        ("feff7f00", Refusal.SPECIAL),
        ("00008000", Refusal.SPECIAL),
        ("01008000", Refusal.SPECIAL),
        ("02008000", Refusal.SPECIAL),
        ("0100007f", Refusal.IMPLAUSIBLE),  # 1e127
    ],
)
def test_a_temperature_that_is_none(raw: str, reason: Refusal) -> None:
    for flags in ("00", "01"):
        found = gatt.temperature(bytes.fromhex(flags + raw))
        assert (found.temperature_c, found.reason) == (None, reason)


def test_freezing_is_a_temperature_and_no_missing_value() -> None:
    assert gatt.temperature(bytes.fromhex("0000000000")).temperature_c == 0.0
    assert gatt.temperature(b"\x01" + float32(0)).temperature_c == -17.78


@pytest.mark.parametrize(("raw", "pct"), [("00", 0), ("64", 100), ("65", None), ("", None)])
def test_a_battery(raw: str, pct: float | None) -> None:
    assert gatt.charge(bytes.fromhex(raw)).battery_pct == pct


@given(st.integers(-2045, 2045), st.integers(-8, 7))
def test_a_medical_float_of_16_bits_is_the_nearest_number(mantissa: int, exponent: int) -> None:
    found = gatt.continuous_oxygen(put(0x10, sfloat(97) * 2, (0x10, sfloat(mantissa, exponent))))
    assert found.pai_pct == float(f"{mantissa}e{exponent}")


@given(st.integers(-(2**23) + 3, 2**23 - 3), st.integers(-22, 0))
def test_a_medical_float_of_32_bits_is_the_nearest_number(mantissa: int, exponent: int) -> None:
    true = float(f"{mantissa}e{exponent}")
    found = gatt.temperature(put(0, float32(mantissa, exponent)))
    assert found.temperature_c == (true if -40 <= true <= 100 else None)


@pytest.mark.parametrize(("read", "flags"), [*product(READERS[:-1], range(32))])
def test_a_frame_cut_anywhere_says_less_and_nothing_else(read: gatt.Reader, flags: int) -> None:
    data = bytes([flags]) + sfloat(61) * 12
    whole, nothing = read(data), type(read(data))()
    assert read(data[:1]).reason is Refusal.TRUNCATED
    for size in range(1, len(data)):
        cut = read(data[:size])
        for name in set(cut.__struct_fields__) - {"reason", "rr_ms"}:
            said = getattr(cut, name)
            assert said in (getattr(nothing, name), getattr(whole, name))
        if isinstance(cut, gatt.HeartRate) and isinstance(whole, gatt.HeartRate):
            assert cut.rr_ms == whole.rr_ms[: len(cut.rr_ms)]


@given(st.sampled_from(READERS), st.binary(max_size=40))
def test_no_bytes_break_a_parser(read: gatt.Reader, data: bytes) -> None:
    found = read(data)
    assert found.reason is None or found.reason in Refusal
