"""The list of devices is written whole, for its owner only, and nothing wrong gets into it."""

import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bluetooth.devices import load
from drivers.bluetooth.pairing import roster
from drivers.bluetooth.pairing.roster import NotListedError, Why
from hub.core.model.rules import Role, Room, Sense
from hub.core.model.wireless import Pendant, Phone, Wearable, Wireless, WirelessSensor
from hub.process.claim import claimed

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
A, B, C, D = (f"A4:C1:38:00:00:0{n}" for n in range(1, 5))
ALL: tuple[Wireless, ...] = (
    Pendant("pendant", A, KEY, Role.HELP_BUTTON, '목에 "거는" \\ 단추'),
    WirelessSensor("front", B, Sense.EXIT_DOOR, None, "현관", Room.OTHER, 3600.0),
    Wearable("cuff", C, "cuff", user=2),
    Phone("daughter", D, consent=True),
)


def test_what_is_written_is_read_again_and_belongs_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    roster.write(path, ALL)
    assert load(path) == ALL
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_place_can_be_written(place: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "devices.toml"
        roster.write(path, (Pendant("p", A, KEY, place=place),))
        (read,) = load(path)
    assert isinstance(read, Pendant)
    assert read.place == normalize("NFC", place)  # as all settings are read


def test_names_and_addresses_are_of_one_device_only() -> None:
    for new, why, detail in (
        (Phone("cuff", "A4:C1:38:00:00:09"), Why.NAME_TAKEN, "cuff"),
        (Phone("son", C), Why.ADDRESS_TAKEN, "cuff"),
        (Phone("Son", "A4:C1:38:00:00:09"), Why.INVALID, "name"),
        (Phone("son", "a4:c1"), Why.INVALID, "address"),
        (Pendant("p", "A4:C1:38:00:00:09", "0f1e"), Why.INVALID, "key"),
    ):
        with pytest.raises(NotListedError) as refused:
            roster.added(ALL, new)
        assert (refused.value.why, refused.value.detail) == (why, detail)
    with pytest.raises(NotListedError) as refused:
        roster.wearable("w", "A4:C1:38:00:00:09", "hat")
    assert (refused.value.why, refused.value.detail) == (Why.INVALID, "what")


def test_a_full_list_takes_no_more() -> None:
    many = tuple(Phone(f"p{n}", f"00:00:00:00:00:{n:02X}") for n in range(roster.MOST))
    with pytest.raises(NotListedError) as refused:
        roster.added(many, Phone("one-more", A))
    assert refused.value.why is Why.FULL


def test_a_device_is_renamed_and_removed_by_its_name() -> None:
    assert [one.name for one in roster.renamed(ALL, "cuff", "arm")] == [
        "pendant", "front", "arm", "daughter"
    ]  # fmt: skip
    assert roster.renamed(ALL, "cuff", "cuff") == ALL
    assert [one.name for one in roster.removed(ALL, "front")] == ["pendant", "cuff", "daughter"]
    for old, new, why in (
        ("cuff", "front", Why.NAME_TAKEN),
        ("cuff", "Arm", Why.INVALID),
        ("hat", "x", Why.UNKNOWN),
    ):
        with pytest.raises(NotListedError) as refused:
            roster.renamed(ALL, old, new)
        assert refused.value.why is why
    assert roster.free_name((Phone("phone-1", A), Phone("phone-3", B)), "phone") == "phone-2"


def test_two_programs_that_change_it_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"

    def add(n: int) -> None:
        one = Phone(f"p{n}", f"00:00:00:00:00:{n:02X}")
        roster.change(path, lambda devices: roster.added(devices, one))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.name for one in load(path)} == {f"p{n}" for n in range(16)}


def test_a_device_that_is_added_to_a_list_that_is_gone_brings_the_others_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "devices.toml"
    roster.write(tmp_path / "devices.good.toml", (Pendant("pendant", B, KEY),))
    roster.change(path, lambda devices: roster.added(devices, Phone("phone", A)))
    assert [one.name for one in load(path)] == ["pendant", "phone"]


def test_it_is_changed_while_a_hub_runs_which_has_its_folder_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"

    def add() -> None:
        roster.change(path, lambda devices: roster.added(devices, Phone("phone", A)))

    with claimed(tmp_path):
        adding = threading.Thread(target=add, daemon=True)
        adding.start()
        adding.join(10)
        assert [one.name for one in load(path)] == ["phone"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator writes for another user")
def test_an_administrator_writes_for_the_hubs_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 12_345, 12_345)
    path = tmp_path / "devices.toml"
    roster.change(path, lambda _: ALL)
    for made in (path, tmp_path / roster.LOCK):
        assert (made.stat().st_uid, made.stat().st_gid) == (12_345, 12_345)
