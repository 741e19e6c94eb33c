"""`anbu doctor` names the buttons whose cut wire nobody would notice."""

from pathlib import Path

import pytest

from hub.__main__ import _hub_config
from hub.shared.findings import Finding, good, note
from hub.shared.settings import unnoted
from provisioning import findings
from provisioning.doctor import command
from tests.provisioning.test_doctor import READERS

DEVICE = """
[[device]]
kind = "contact"
name = "{name}"
role = "{role}"
pin = {pin}
{more}
"""
LINK = """
[mqtt]
brokers = ["tls://127.0.0.1:8883"]
"""
CLOSED = 'wiring = "normally_closed"'


def found(tmp_path: Path, *devices: tuple[str, str, str]) -> list[Finding]:
    file = tmp_path / "hub.toml"
    tables = [
        DEVICE.format(name=name, role=role, more=more, pin=pin)
        for pin, (name, role, more) in enumerate(devices, 4)
    ]
    file.write_text("\n".join(('hub = "js-0001"', LINK, *tables)), "utf-8")
    return list(command.wiring(_hub_config(file, unnoted)))


def test_a_button_whose_cut_wire_is_silent_is_named(tmp_path: Path) -> None:
    devices = (
        ("help", "help_button", ""),
        ("cord", "pull_cord", CLOSED),
        ("green", "cancel_button", ""),  # it calls nobody
    )
    assert found(tmp_path, *devices) == [note("wiring", "silent", names="help")]


def test_buttons_that_rest_closed_are_good_and_a_home_without_any_has_nothing_to_say(
    tmp_path: Path,
) -> None:
    assert found(tmp_path, ("help", "help_button", CLOSED)) == [good("wiring")]
    assert found(tmp_path, ("door", "door", "")) == []


def test_the_doctor_says_so_and_it_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.doctor.machine.examine", lambda _folder: iter(()))
    found(tmp_path, ("help", "help_button", ""))
    checks = [
        one
        for one in command.examine(tmp_path / "hub.toml", None, READERS)
        if one.check == "wiring"
    ]
    assert [one.verdict for one in checks] == ["note"]
    assert 'wiring = "normally_closed"' in findings.tell(checks[0])["ko"]
