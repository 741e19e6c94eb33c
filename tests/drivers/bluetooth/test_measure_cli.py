"""`anbu radio measure`: a lost press is a gap of the counter, deafness one during a connect."""

import json
import threading
import time
from pathlib import Path

import pytest

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.measure_cli import Connect, Result, Sample, result
from hub.__main__ import main
from tests.drivers.bluetooth.private_bus import FakeBlueZ, wait_for

BUTTON = """
[[device]]
kind = "sensor"
name = "door"
address = "A4:C1:38:00:00:02"
sense = "door"
"""


def counted(*numbers: int | None, wraps: bool = False) -> list[Sample]:
    return [Sample(float(n), -60 - n, number, wraps) for n, number in enumerate(numbers)]


def lost(*numbers: int | None, wraps: bool = False) -> tuple[int, int, float | None]:
    found = result(counted(*numbers, wraps=wraps))
    return found.frames, found.lost, found.lost_pct


def test_a_gap_in_the_counter_is_a_press_that_was_lost() -> None:
    assert lost(10, 10, 11, 14, 14, 15) == (4, 2, 33.3)


def test_a_counter_that_began_anew_counts_nothing_and_one_of_a_byte_wraps() -> None:
    assert lost(900, 901, 3, 4) == (4, 0, 0.0)
    assert lost(254, 255, 1, wraps=True) == (3, 1, 25.0)


def test_adverts_without_a_counter_say_only_strength_and_time() -> None:
    found = result(counted(None, None, None))
    assert (found.frames, found.lost_pct) == (0, None)
    assert found.rssi_dbm == (-62, -61, -60)
    assert found.gap_s == (1.0, 1.0)


def test_what_is_not_heard_during_a_connect_is_told_apart() -> None:
    at = [float(n) for n in range(10)] + [14.0, 15.0, 16.0, 17.0]  # deaf from 9 to 14
    samples = [Sample(moment, -60, n) for n, moment in enumerate(at)]
    found = result(samples, [Connect(9.5, 13.0, made=True), Connect(15.2, 15.4, made=False)])
    assert (found.connects, found.connected) == (2, 1)
    assert (found.connect_s, found.deaf_s, found.quiet_s) == (3.5, 5.0, 1.0)


def test_a_frame_that_is_told_again_is_no_shorter_gap() -> None:
    samples = [Sample(at, -60, number) for at, number in ((0.0, 1), (0.1, 1), (4.0, 2), (4.2, 2))]
    assert result(samples).gap_s == (4.0, 4.0)


def test_nothing_is_a_result_too() -> None:
    assert result([]) == Result(0, 0, 0, None, None, None)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "devices.toml").write_text(BUTTON)
    file = tmp_path / "radio.toml"
    file.write_text(f'state_dir = "{tmp_path}"\n')
    return file


def test_the_command_counts_what_it_hears(
    bluez: FakeBlueZ, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def finger() -> None:
        wait_for(lambda: bluez.do("state")["monitors"], "it listens")
        for number in (1, 2, 5, 6):  # packet ids; two were lost
            frame = f"4000{number:02x}3a01"
            bluez.do("advert", address="A4:C1:38:00:00:02", data={BTHOME: frame})
            time.sleep(0.05)  # a finger

    pressing = threading.Thread(target=finger)
    pressing.start()
    command = ["radio", "--config", str(config), "measure", "--device", "door", "--presses", "4"]
    assert main([*command, "--seconds", "20", "--json"]) == 0
    pressing.join()
    told = json.loads(capsys.readouterr().out)
    assert (told["frames"], told["lost"], told["lost_pct"]) == (4, 2, 33.3)


def test_a_device_that_is_not_listed_is_named_with_those_that_are(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["radio", "--config", str(config), "measure", "--device", "pendant"]) == 2
    assert "door" in capsys.readouterr().err
