"""Whom a machine asks for the time: the centre first, from the county's file."""

from pathlib import Path

import pytest

from hub.__main__ import main
from hub.shared.county import County
from provisioning.network.clock import CHRONY, TIMESYNCD, write

COUNTY = County(center="https://center.example:8444")


def test_the_centre_is_asked_first_and_others_stay(tmp_path: Path) -> None:
    assert write(COUNTY, tmp_path)
    asked = (tmp_path / TIMESYNCD).read_text().splitlines()[-1]
    assert asked.startswith("NTP=center.example 0.debian.pool.ntp.org")
    assert not (tmp_path / CHRONY).exists(), "there is no chrony"
    assert (tmp_path / TIMESYNCD).stat().st_mode & 0o777 == 0o644
    assert not write(COUNTY, tmp_path), "nothing is new"


def test_chrony_is_told_where_it_is_there(tmp_path: Path) -> None:
    (tmp_path / CHRONY).parent.mkdir(parents=True)
    assert write(COUNTY, tmp_path)
    assert (tmp_path / CHRONY).read_text().splitlines()[-1] == "server center.example iburst"


def test_another_county_replaces_it_and_none_removes_it(tmp_path: Path) -> None:
    write(COUNTY, tmp_path)
    assert write(County(center="https://192.0.2.7:8444"), tmp_path)
    assert "NTP=192.0.2.7 " in (tmp_path / TIMESYNCD).read_text()
    assert write(County(), tmp_path)
    assert not (tmp_path / TIMESYNCD).exists()
    assert not write(County(), tmp_path)


def test_the_unit_is_told_by_the_exit_code_that_something_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    county = tmp_path / "county.toml"
    county.write_text('center = "https://center.example:8444"\n')
    words = ["network", "clock", "--county", str(county), "--root", str(tmp_path)]
    assert [main(words), main(words)] == [3, 0]
    county.write_text("centre = 1\n")
    assert main(words) == 2
    assert "county.toml" in capsys.readouterr().err
