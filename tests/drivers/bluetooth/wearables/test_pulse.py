"""What a band's frames become: pulse, contact, intervals, and nothing where it measures nothing."""

import json
import struct
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bluetooth.air import Lost
from drivers.bluetooth.wearables.heart_rate import MEASUREMENT, HeartRateService
from drivers.bluetooth.wearables.polar import CONTROL, DATA, PolarService
from drivers.bluetooth.wearables.service import Around
from hub.contract.radio import Fact, Pulse
from hub.core.model.wireless import Wearable
from tests.drivers.bluetooth.wearables.fakes import FakeWearable
from tests.drivers.fakes import jump

BAND = Wearable("band", "C0:11:22:33:44:55", "band")
CASES = json.loads((Path(__file__).parent.parent / "cases.json").read_text("utf-8"))
FEATURES_OF_VERITY = "0f6e0200000000000000000000000000000000"


class Told:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.refused: list[str] = []
        ticks = count()
        self.around = Around(
            self.facts.append, self.refused.append, lambda: float(next(ticks)), lambda: None
        )


@pytest.mark.parametrize("case", [one for one in CASES if one["kind"] == "2a37"], ids=str)
def test_the_given_frames_become_a_pulse_or_are_counted(case: dict[str, Any]) -> None:
    told, expect = Told(), case["expect"]
    HeartRateService(BAND, told.around).heard(MEASUREMENT, bytes.fromhex(case["hex"]))
    if expect.get("reason") == "truncated":
        assert (told.facts, told.refused) == ([], ["truncated"])
        return
    [pulse] = told.facts
    assert isinstance(pulse, Pulse)
    assert pulse.bpm == expect["bpm"]
    assert list(pulse.rr_ms) == expect.get("rr_ms", [])
    assert pulse.worn == expect.get("contact")


@pytest.mark.parametrize(
    ("frame", "worn", "refused"),
    [
        pytest.param("0600", True, ["zero"], id="0 with contact: it is searching"),
        pytest.param("0400", False, [], id="0 without contact: it is not worn"),
        pytest.param("0000", None, ["zero"], id="0, and it cannot tell"),
        pytest.param("06ff", True, ["implausible"], id="255"),
        pytest.param("07ffff", True, ["implausible"], id="65535"),
        pytest.param("16000004", True, ["zero"], id="0, and an interval all the same"),
    ],
)
def test_a_band_that_measures_nothing_tells_no_number(
    frame: str, worn: object, refused: list[str]
) -> None:
    told = Told()
    HeartRateService(BAND, told.around).heard(MEASUREMENT, bytes.fromhex(frame))
    assert told.facts == [Pulse("band", None, worn=worn)]  # type: ignore[arg-type]
    assert told.refused == refused


def sample(bpm: int, ms: int, error_ms: int = 5, flags: int = 0x06) -> bytes:
    return struct.pack("<BHHB", bpm, ms, error_ms, flags)


def frame(*samples: bytes) -> bytes:
    return b"\x03" + bytes(8) + b"\x00" + b"".join(samples)


def test_polar_s_intervals_are_told_and_what_is_not_clean_leaves_a_gap() -> None:
    told = Told()
    service = PolarService(BAND, told.around)
    service.heard(DATA, frame(sample(71, 845), sample(72, 833)))
    service.heard(
        DATA, frame(sample(72, 840), sample(72, 300, flags=0x07), sample(72, 850, error_ms=31))
    )
    assert told.facts == [
        Pulse("band", 72.0, rr_ms=(845.0, 833.0)),
        Pulse("band", 72.0, rr_ms=(840.0,)),
    ]
    assert told.refused == ["not_clean"]


def test_a_cut_frame_of_polar_and_its_first_empty_ones_tell_nothing() -> None:
    told = Told()
    service = PolarService(BAND, told.around)
    for one in (frame(), frame(sample(72, 840))[:-1], frame(sample(0, 0)), b"\x03", b""):
        service.heard(DATA, one)
    service.heard(DATA, b"\x02" + bytes(20))  # of the accelerometer
    service.heard(CONTROL, bytes.fromhex("f0020300"))
    assert told.facts == []
    assert told.refused == ["truncated", "truncated", "not_clean", "truncated"]


@given(st.binary(max_size=80))
def test_no_frame_of_polar_breaks_it(data: bytes) -> None:
    told = Told()
    PolarService(BAND, told.around).heard(DATA, b"\x03" + data)
    assert all(isinstance(fact, Pulse) and fact.bpm for fact in told.facts)


@pytest.mark.parametrize(
    ("features", "locked", "written"),
    [
        (FEATURES_OF_VERITY, False, [(CONTROL, b"\x02\x03")]),
        ("0f0500000000", False, []),  # H10: ECG and accelerometer
        ("00", False, []),
        (FEATURES_OF_VERITY, True, []),
    ],
)
def test_intervals_are_asked_for_where_the_band_has_them(
    features: str, written: list[tuple[str, bytes]], *, locked: bool
) -> None:
    async def story() -> None:
        values = {CONTROL: bytes.fromhex(features), DATA: b""}
        band = FakeWearable(values, locked=frozenset({CONTROL} if locked else ()))
        async with band.connection(0.0) as peripheral:
            await PolarService(BAND, Told().around).begin(peripheral)
            assert band.written == written
            band.drop(Lost.ENDED)

    jump(story())
