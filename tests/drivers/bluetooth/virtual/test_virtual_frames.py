"""What virtual devices send is read by the readers of real ones."""

from datetime import UTC, datetime
from random import Random
from statistics import mean, pstdev

import pytest

from drivers.bluetooth.frames import bthome, gatt
from drivers.bluetooth.frames.octets import Clock
from drivers.bluetooth.virtual import frames
from drivers.bluetooth.virtual.heart import Heart
from drivers.virtual.words import Measured, Sent, Variation
from hub.contract.radio import How

CIPHER = bthome.Cipher("C0:FF:EE:12:34:56", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")


@pytest.mark.parametrize("how", [how for how in How if how is not How.OTHER])
def test_an_encrypted_press_is_opened_with_its_counter(how: How) -> None:
    sent = Sent("pendant", 70_000, 9, how=how, battery_pct=41.0)
    frame = bthome.read(frames.service_data(sent, CIPHER), CIPHER)
    assert (frame.authenticated, frame.counter, frame.packet_id) == (True, 70_000, 9)
    assert bthome.presses(frame) == ((1, how),)
    assert frame.values == {"battery_pct": 41}


def test_a_plain_door_says_whether_it_is_open() -> None:
    for is_open in (True, False):
        sent = Sent("front", 1, 2, states={"door": is_open})
        frame = bthome.read(frames.service_data(sent, None))
        assert (frame.encrypted, frame.triggered, frame.reason) == (False, True, None)
        assert frame.values["door"] is is_open


def test_a_band_tells_pulse_and_intervals_and_that_it_is_not_worn() -> None:
    read = gatt.heart_rate(frames.heart_rate(72.0, (830.1, 841.8), worn=True))
    assert (read.bpm, read.worn, read.reason) == (72.0, True, None)
    assert read.rr_ms == pytest.approx((830.1, 841.8), abs=0.5)
    off = gatt.heart_rate(frames.heart_rate(72.0, (), worn=False))
    assert (off.bpm, off.worn, off.rr_ms) == (None, False, ())


def test_a_cuff_tells_pressure_and_the_time_of_its_clock() -> None:
    local = datetime(2026, 11, 30, 7, 8, 9, tzinfo=UTC)
    read = gatt.pressure(frames.pressure(Measured("cuff", 141.0, 84.0, 66.0), local))
    assert (read.systolic_mmhg, read.diastolic_mmhg, read.map_mmhg) == (141.0, 84.0, 103.0)
    assert (read.pulse_bpm, read.stamp.clock) == (66.0, Clock.SET)
    assert read.stamp.at == local.replace(tzinfo=None)


@pytest.mark.parametrize("bpm", [45.0, 72.0, 160.0])
@pytest.mark.parametrize("variation", Variation)
def test_the_intervals_fit_the_pulse_and_vary_as_was_asked(
    variation: Variation, bpm: float
) -> None:
    heart, seconds = Heart(Random(1)), 600  # noqa: S311 - dice
    each = [heart.beat(1.0, bpm, variation) for _ in range(seconds)]
    rr_ms = [rr for second in each for rr in second]
    assert len(rr_ms) == pytest.approx(seconds * bpm / 60, rel=0.02)
    assert mean(rr_ms) == pytest.approx(60_000 / bpm, rel=0.02)
    spread = pstdev(rr_ms) / mean(rr_ms)
    low, high = {"none": (0, 1e-9), "normal": (0.02, 0.05), "irregular": (0.15, 0.25)}[variation]
    assert low <= spread <= high


def test_a_band_that_was_off_does_not_tell_one_long_beat() -> None:
    heart = Heart(Random(1))  # noqa: S311 - dice
    heart.beat(1.0, 60.0, Variation.NONE)
    heart.beat(100.0, 60.0, Variation.NONE)
    heart.stop()
    assert heart.beat(2.0, 60.0, Variation.NONE) == (1000.0, 1000.0)
