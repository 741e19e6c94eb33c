"""From the house's socket to the hub's events, by the bytes that real devices would send."""

from itertools import pairwise
from pathlib import Path

import pytest

from drivers import radio
from drivers.bluetooth.virtual import air as virtual_air
from hub.contract.radio import How, Sensed
from hub.core.model.effects import OpenPairing
from hub.core.model.events import (
    BatteryMeasured,
    HeartRateMeasured,
    PairingEnded,
    RangeChanged,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.wireless import Presses, Verdict, fold
from tests.drivers.bluetooth.virtual_home import Air, play

pytestmark = pytest.mark.usefixtures("pins")


def verdicts(air: Air) -> list[Verdict]:
    memory, found = Presses(), list[Verdict]()
    for press in air.heard(WirelessPressed):
        memory, verdict = fold(memory, press)
        found.append(verdict)
    return found


def test_a_press_is_one_encrypted_press_however_often_it_is_heard(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with air.radio():
            assert (await air.do(do="pendant", what="pendant"))["ok"]
            await air.until(lambda: len(air.heard(WirelessPressed)) == 1)
            assert (await air.do(do="pendant", what="pendant", how="again"))["ok"]
            await air.do(do="pendant", what="pendant", how="hold_press")
            await air.until(lambda: len(air.heard(WirelessPressed)) == 2)
            first, second = air.heard(WirelessPressed)
            assert (first.device, first.how, second.how) == ("pendant", How.PRESS, How.HOLD)
            assert first.counter is not None
            assert second.counter == first.counter + 1
            assert verdicts(air) == [Verdict.PRESS] * 2

    play(tmp_path, story)


def test_a_new_radio_is_told_the_last_press_again_and_that_calls_no_more(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with air.radio():
            await air.do(do="pendant", what="pendant")
            await air.until(lambda: len(air.heard(WirelessPressed)) == 1)
        lost = await air.do(do="pendant", what="pendant")
        assert (lost["ok"], lost["error"]) == (False, "no_radio")
        async with air.radio():
            # by the radio, which owes it still, and perhaps by the house
            await air.until(lambda: len(air.heard(WirelessPressed)) >= 2)
            await air.do(do="pendant", what="pendant")
            await air.until(lambda: len({one.counter for one in air.heard(WirelessPressed)}) == 2)
        first, *again, last = verdicts(air)
        assert (first, last) == (Verdict.PRESS, Verdict.PRESS)
        assert set(again) == {Verdict.REPEAT}

    play(tmp_path, story)


def test_after_a_new_battery_the_counter_begins_anew_and_the_press_calls(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with air.radio():
            for how in ("press", "new_battery", "press"):
                await air.do(do="pendant", what="pendant", how=how)
            await air.until(lambda: len(air.heard(WirelessPressed)) == 2)
            assert verdicts(air) == [Verdict.PRESS, Verdict.RESTARTED]

    play(tmp_path, story)


def test_a_door_opens_and_a_detector_finds_smoke(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with air.radio():
            assert (await air.do(do="door", what="balcony", open=True))["changed"]
            await air.do(do="detector", what="smoke", on=True)
            await air.do(do="battery", what="balcony", pct=9)
            await air.until(lambda: len(air.heard(WirelessFound)) == 4)
            found = [(e.device, e.what, e.on) for e in air.heard(WirelessFound)]
            door, smoke = ("balcony", Sensed.DOOR), ("smoke", Sensed.SMOKE)
            assert found == [(*door, False), (*smoke, False), (*door, True), (*smoke, True)]
            await air.until(
                lambda: (
                    ("balcony", 9.0)
                    in [(e.device, e.battery_pct) for e in air.heard(BatteryMeasured)]
                )
            )

    play(tmp_path, story)


def test_a_band_tells_its_pulse_each_second_its_range_and_that_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio, "SERIES_S", 2.0)

    async def story(air: Air) -> None:
        def pulses() -> list[HeartRateMeasured]:
            return [one for event in air.heard(HeartRateMeasured) for one in event.each()]

        async with air.radio():
            await air.do(do="band", what="band", pulse_bpm=120, variation="none")
            await air.until(lambda: len(pulses()) >= 3 and pulses()[-1].bpm == 120)
            assert pulses()[-1].worn
            assert pulses()[-1].rr_ms == pytest.approx((500.0, 500.0), abs=1)
            assert all(0.5 < b.at - a.at < 2 for a, b in pairwise(pulses()[-3:]))
            await air.do(do="band", what="band", worn=False)
            await air.until(lambda: pulses()[-1].worn is False)
            assert (pulses()[-1].bpm, pulses()[-1].rr_ms) == (0.0, ())
            await air.do(do="battery", what="band", pct=17)
            await air.until(lambda: 17.0 in [e.battery_pct for e in air.heard(BatteryMeasured)])
            await air.do(do="band", what="band", near=False, worn=True)
            count = len(pulses())
            await air.do(do="band", what="band", near=True)
            await air.until(lambda: len(pulses()) > count and pulses()[-1].worn is True)
            assert [e.near for e in air.heard(RangeChanged) if e.device == "band"] == [True]

    play(tmp_path, story)


def test_a_cuff_tells_each_measurement_with_its_time(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with air.radio():
            for high in (152, 148):
                answer = await air.do(
                    do="measure", what="cuff", systolic_mmhg=high, diastolic_mmhg=91
                )
                assert answer["ok"]
                await air.until(
                    lambda: high in [e.values["systolic_mmhg"] for e in air.heard(VitalsMeasured)]  # noqa: B023
                )
            measured = air.heard(VitalsMeasured)[-1]
            assert measured.device == "cuff"
            assert measured.values["diastolic_mmhg"] == 91
            assert measured.taken_utc is not None

    play(tmp_path, story)


def test_a_phone_that_stays_is_told_again_until_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_air, "LOOK_S", 0.05)
    monkeypatch.setattr("drivers.bluetooth.app.SEEN_S", 0.1)
    monkeypatch.setattr(radio, "SERIES_S", 0.1)

    async def story(air: Air) -> None:
        def seen() -> int:
            return len([one for one in air.heard(RangeChanged) if one.device == "phone"])

        async def beats(number: int) -> None:
            """Wait while the band beats, once a second: what was told before has come."""
            beaten = len(air.heard(HeartRateMeasured)) + number
            await air.until(lambda: len(air.heard(HeartRateMeasured)) >= beaten)

        async with air.radio():
            await air.do(do="phone", what="phone", near=True)
            await air.until(lambda: seen() >= 3)
            await air.do(do="phone", what="phone", near=False)
            await beats(1)
            before = seen()
            await beats(2)  # twenty times `SEEN_S`
            assert seen() == before

    play(tmp_path, story)


def test_a_phone_is_seen_when_it_comes(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        await air.do(do="phone", what="phone", near=False)
        async with air.radio():
            await air.do(do="pendant", what="pendant")
            await air.until(lambda: len(air.heard(WirelessPressed)) == 1)
            assert not [e for e in air.heard(RangeChanged) if e.device == "phone"]
            await air.do(do="phone", what="phone", near=True)
            await air.until(lambda: "phone" in [e.device for e in air.heard(RangeChanged)])

    play(tmp_path, story)


def test_no_window_for_pairing_opens_and_that_is_said(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with air.radio():
            air.port.tell(OpenPairing(60.0))
            await air.until(lambda: len(air.heard(PairingEnded)) == 1)

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"do": "pendant", "what": "balcony"}, "unknown_sensor"),
        ({"do": "detector", "what": "balcony", "on": True}, "unknown_sensor"),
        ({"do": "band", "what": "cuff", "worn": True}, "unknown_sensor"),
        ({"do": "phone", "what": "band", "near": True}, "unknown_sensor"),
        ({"do": "pendant", "what": "pendant", "how": "lick"}, "bad_request"),
        ({"do": "band", "what": "band", "pulse_bpm": 0}, "bad_request"),
        ({"do": "measure", "what": "cuff", "systolic_mmhg": 120}, "bad_request"),
    ],
)
def test_what_the_house_does_not_have_or_understand_is_refused(
    tmp_path: Path, request_: dict[str, object], error: str
) -> None:
    async def story(air: Air) -> None:
        assert (await air.home.ask(request_))["error"] == error

    play(tmp_path, story)
