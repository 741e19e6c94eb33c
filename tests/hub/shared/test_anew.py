"""Which devices a hub goes by, and which of the hub of before are still to be paired anew."""

import os
from pathlib import Path

import pytest

from drivers.bluetooth import devices
from hub.shared import anew
from hub.shared.anew import GOOD, LIST, UnreadError, awaited, listed

PENDANT = """
[[device]]
kind = "pendant"
name = "pendant"
address = "C0:FF:EE:12:34:56"
key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
place = "목걸이"
"""
SMOKE = '\n[[device]]\nkind = "sensor"\nname = "smoke"\nsense = "smoke"\naddress = "{}"\n'.format(
    "C0:FF:EE:12:34:58"
)


def names(folder: Path) -> list[str]:
    return [str(one["name"]) for one in listed(folder) or []]


def test_it_is_the_file_that_the_hub_keeps_its_last_right_list_in() -> None:
    assert (LIST, GOOD) == (devices.FILE, devices.KEPT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_a_list_is_read_as_the_hub_reads_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / LIST).write_bytes(PENDANT.encode(encoding))
    (tmp_path / anew.FILE).write_text(PENDANT + SMOKE, encoding="utf-8")
    (found,) = listed(tmp_path) or []
    assert found["place"] == "목걸이"
    assert [one.name for one in awaited(tmp_path)] == ["smoke"]


@pytest.mark.parametrize("wrong", [PENDANT + "[[device]", 'device = "x"', "a = " + "[" * 9999])
def test_a_wrong_or_missing_list_leaves_what_the_hub_goes_on_with(
    tmp_path: Path, wrong: str
) -> None:
    (tmp_path / GOOD).write_text(PENDANT, encoding="utf-8")
    assert names(tmp_path) == ["pendant"], "the list is gone"
    (tmp_path / LIST).write_text(wrong, encoding="utf-8")
    assert names(tmp_path) == ["pendant"]


def test_a_list_with_a_mistake_that_only_the_hub_sees_does_not_count_as_paired(
    tmp_path: Path,
) -> None:
    (tmp_path / GOOD).write_text(PENDANT, encoding="utf-8")
    (tmp_path / LIST).write_text(PENDANT + SMOKE + "colour = 1\n", encoding="utf-8")
    (tmp_path / anew.FILE).write_text(SMOKE, encoding="utf-8")
    assert [one.name for one in awaited(tmp_path)] == ["smoke"], "the hub does not hear it"


@pytest.mark.parametrize("content", [b"[[device]", b"\xff\xfe\xfd", b"#" * (anew.LIST_BYTES + 1)])
def test_a_list_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, content: bytes) -> None:
    assert listed(tmp_path) is None
    (tmp_path / LIST).write_bytes(content)
    with pytest.raises(UnreadError, match=LIST):
        listed(tmp_path)
    (tmp_path / anew.FILE).write_text(SMOKE, encoding="utf-8")
    assert [one.name for one in awaited(tmp_path)] == ["smoke"]
    (tmp_path / LIST).unlink()
    (tmp_path / GOOD).mkdir()
    with pytest.raises(UnreadError, match=GOOD):
        listed(tmp_path)


def test_a_list_of_what_is_to_be_paired_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert not anew.is_damaged(tmp_path)
    (tmp_path / anew.FILE).write_bytes(SMOKE.encode("utf-8-sig"))
    assert [one.name for one in awaited(tmp_path)] == ["smoke"]
    assert not anew.is_damaged(tmp_path)
    (tmp_path / anew.FILE).write_bytes(SMOKE.encode() + b"[[device]")
    assert anew.is_damaged(tmp_path)
    assert awaited(tmp_path) == []
    assert not anew.drop(tmp_path, "smoke")


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator writes for another user")
def test_what_an_administrator_has_taken_off_leaves_a_list_that_the_hub_can_read(
    tmp_path: Path,
) -> None:
    os.chown(tmp_path, 12_345, 12_345)
    (tmp_path / anew.FILE).write_text(PENDANT + SMOKE, encoding="utf-8")
    assert anew.drop(tmp_path, "smoke")
    made = (tmp_path / anew.FILE).stat()
    assert (made.st_uid, made.st_gid) == (12_345, 12_345)


def test_what_no_hub_would_take_stops_nothing(tmp_path: Path) -> None:
    odd = SMOKE.replace('address = "C0:FF:EE:12:34:58"', 'address = ["x"]')
    (tmp_path / LIST).write_text(odd, encoding="utf-8")
    (tmp_path / anew.FILE).write_text(odd + PENDANT, encoding="utf-8")
    assert [one.name for one in awaited(tmp_path)] == ["pendant"]
    assert anew.drop(tmp_path, "pendant")
    assert awaited(tmp_path) == []


def test_no_device_is_left_out_for_a_long_or_odd_word(tmp_path: Path) -> None:
    """A place may be as long as somebody likes; a device without one is as deaf."""
    odd = SMOKE + f'place = "{"가" * 300}"\n' + SMOKE.replace("58", "57").replace("smoke", "2", 1)
    (tmp_path / anew.FILE).write_text(odd.replace('kind = "sensor"', "kind = 7"), encoding="utf-8")
    assert [(one.name, one.kind, len(one.place)) for one in awaited(tmp_path)] == [
        ("smoke", "7", 200), ("2", "7", 0)
    ]  # fmt: skip
