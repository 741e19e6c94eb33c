"""`anbu radio scan`: an installer sees what is heard, and what of ours is not."""

import json
import time
from pathlib import Path

import pytest
from bleak.backends.scanner import AdvertisementData

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.scan_cli import Heard, rows, table
from hub.__main__ import main
from hub.core.model.wireless import Pendant, Wearable
from hub.shared.messages import ours
from tests.drivers.bluetooth.private_bus import FakeBlueZ

KEY = "231d39c1d7cc1ab1aee224cd096db932"  # BTHome's own example, with its address and frame
ADDRESS = "54:48:E6:8F:80:A5"
FRAME = "41a47266c95f730011223378237214"
STRANGER = "5A:00:00:00:00:01"
LISTED = f"""
[[device]]
kind = "pendant"
name = "pendant"
address = "{ADDRESS}"
key = "{KEY}"
[[device]]
kind = "wearable"
name = "band"
address = "A4:C1:38:00:00:02"
what = "band"
"""


def advert(rssi: int, data: str = "", name: str = "", *services: str) -> AdvertisementData:
    carried = {BTHOME: bytes.fromhex(data)} if data else {}
    return AdvertisementData(name or None, {}, carried, list(services), None, rssi, ())


def heard(address: str, *adverts: AdvertisementData) -> dict[str, Heard]:
    one = Heard(address, 0.0)
    for n, said in enumerate(adverts):
        one.note(said, float(n))
    return {address: one}


PENDANT = Pendant("pendant", ADDRESS, KEY)
BAND = Wearable("band", "A4:C1:38:00:00:02", "band")


def test_what_is_ours_comes_first_heard_or_not_and_strangers_by_strength() -> None:
    air = heard(STRANGER, advert(-40)) | heard("5A:00:00:00:00:02", advert(-90))
    air |= heard(ADDRESS, advert(-70, FRAME))
    told = rows(air, (BAND, PENDANT), 5.0)
    assert [row["device"] for row in told] == ["pendant", "band", None, None]
    assert [row["strength"] for row in told] == ["fair", "none", "strong", "weak"]
    assert told[0]["key_fits"] is True
    assert told[1]["adverts"] == 0


def test_a_single_strong_advert_does_not_hide_a_weak_place() -> None:
    (row,) = rows(heard(STRANGER, *(advert(rssi) for rssi in (-90, -40, -88))), (), 3.0)
    assert (row["rssi_dbm"], row["adverts"], row["age_s"]) == (-88, 3, 1.0)


@pytest.mark.parametrize(
    ("key", "frame", "says"),
    [
        (KEY, FRAME, "열쇠 맞음"),
        (KEY.replace("2", "3"), FRAME, "열쇠 틀림"),
        (KEY, "4002c409", "받아들이지 않습니다"),
    ],
)
def test_a_wrong_key_and_a_plain_advert_in_our_name_are_seen(
    key: str, frame: str, says: str
) -> None:
    told = rows(heard(ADDRESS, advert(-60, frame)), (Pendant("pendant", ADDRESS, key),), 1.0)
    assert says in table(told, ours("drivers.bluetooth", "scan"))


def test_columns_line_up_although_a_korean_letter_is_two_wide() -> None:
    heart = "0000180d-0000-1000-8000-00805f9b34fb"
    air = heard(STRANGER, advert(-50, "", "Polar H10", heart)) | heard(ADDRESS, advert(-70, FRAME))
    drawn = table(rows(air, (PENDANT,), 1.0), ours("drivers.bluetooth", "scan")).splitlines()
    places = set()
    for line, address in zip(drawn[1:], (ADDRESS, STRANGER), strict=True):
        before = line[: line.index(address)]
        places.add(len(before) + sum(ord(letter) > 0x1100 for letter in before))
    assert len(places) == 1
    assert drawn[2].endswith("심박, Polar H10")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "devices.toml").write_text(LISTED)
    (tmp_path / "devices.toml").chmod(0o600)
    file = tmp_path / "radio.toml"
    file.write_text(f'state_dir = "{tmp_path}"\n')
    return file


def test_the_command_tells_what_is_in_the_air(
    bluez: FakeBlueZ, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bluez.do("load", per_s=100, strangers=3, listed=["A4:C1:38:00:00:02"])
    assert main(["radio", "--config", str(config), "scan", "--seconds", "1.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["device"] for row in told] == ["band", "pendant", None, None, None]
    assert told[0]["adverts"] > 5
    assert "StartDiscovery" not in bluez.do("state")["calls"]


def test_without_bluetoothd_it_says_so(
    bluez: FakeBlueZ, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bluez.kill()
    begun = time.monotonic()
    assert main(["radio", "--config", str(config), "scan", "--seconds", "30"]) == 1
    assert "anbu doctor" in capsys.readouterr().err
    assert time.monotonic() - begun < 10
