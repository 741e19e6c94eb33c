"""The support bundle: what helps is in it, nothing personal is, and it is shown first."""

import io
import json
import os
import stat
import tarfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.__main__ import main
from hub.shared.findings import bad, good, note
from provisioning.findings import tell
from provisioning.support import redact
from provisioning.support.bundle import collect
from tests.drivers.bluetooth.private_bus import PrivateBus
from tests.provisioning.doctor.test_identity import Home
from tests.provisioning.doctor.test_network import join
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM

NAME, PLACE, NUMBER, ADDRESS = "김가상", "안방", "010-9999-1234", "C0:FF:EE:12:34:56"
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PEM = "-----BEGIN PRIVATE KEY-----\nMHcCAQEEIInvented\n-----END PRIVATE KEY-----"
MAIL, RESIDENT_NUMBER, SSID = "kim@home.example", "410101-2999999", "kim-home-wifi"
CANARIES = (NAME, PLACE, NUMBER, ADDRESS, KEY, "MHcCAQEEIInvented", MAIL, RESIDENT_NUMBER, SSID)
HUB = f"""
hub = "js-0001"
zone_h = 9.0

[mqtt]
brokers = ["tls://broker.example:8883"]

[[device]]
kind = "contact"
name = "help"
pin = 17
role = "help_button"
place = "{PLACE}"
"""
LOGGED = f"""
2026-11-30T05:00:00+0900 pi anbu[1]: WARNING anbu: the hub does not read
2026-11-30T05:00:01+0900 pi anbu[1]: {MAIL} {NUMBER} 01099991234 {RESIDENT_NUMBER}
2026-11-30T05:00:02+0900 pi anbu[1]: connected to {ADDRESS} by {KEY}
{PEM}
2026-11-30T05:00:03+0900 pi anbu[1]: ssid={SSID} password: {SSID}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's folder with personal data in each file, and tools whose output has some, too."""
    folder = tmp_path / "etc"
    folder.mkdir()
    state = tmp_path / "state"
    state.mkdir()
    (state / "outbox.db").write_bytes(bytes(1234))
    (state / "words.txt").write_text(NAME, encoding="utf-8")
    hub = f'state_dir = "{state}"\nrun_dir = "{tmp_path}/run"\n{HUB}'
    (folder / "hub.toml").write_text(hub, encoding="utf-8")
    (folder / "devices.toml").write_text(
        f'[[device]]\nkind = "pendant"\nname = "pendant"\naddress = "{ADDRESS}"\nkey = "{KEY}"\n'
        f'place = "{NAME}"\n',
        encoding="utf-8",
    )
    (folder / "broken.toml").write_text(f'x = "{NAME}\n', encoding="utf-8")
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("journalctl", "systemctl"):
        (tools / tool).write_text(f"#!/bin/sh\ncat <<'END'\n{LOGGED}\nEND\n", encoding="utf-8")
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return folder / "hub.toml"


def bundle(folder: Path) -> dict[str, str]:
    (path,) = folder.glob("anbu-support-*.tar.gz")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as whole:
        files = {one.name: whole.extractfile(one) for one in whole.getmembers()}
        return {Path(name).stem: io.TextIOWrapper(file, "utf-8").read()
                for name, file in files.items() if file}  # fmt: skip


def test_nothing_personal_is_in_the_bundle_and_what_helps_is(config: Path, tmp_path: Path) -> None:
    assert main(["support-bundle", "--config", str(config), "--out", str(tmp_path), "--yes"]) == 0
    parts = bundle(tmp_path)
    whole = "\n".join(parts.values())
    assert not [canary for canary in CANARIES if canary in whole]
    assert "the hub does not read" in parts["journal"]
    assert {finding["check"] for finding in json.loads(parts["doctor"])} >= {"disk", "clock"}
    settings = json.loads(parts["settings"])
    assert settings["hub.toml"]["device"][0] == {
        "kind": "contact", "name": redact.WITHHELD, "pin": 17, "role": "help_button",
        "place": redact.WITHHELD,
    }  # fmt: skip
    assert settings["broken.toml"] == "TOMLDecodeError"
    assert "1234 outbox.db" in parts["disk"]
    assert "FileNotFoundError" in parts["devices"]  # no hub runs here, and that is said


HOME_WIFI, DEVICE, USER = "김가상네 와이파이", "김가상 어르신 팔찌", "kimgasang"
REVEALING = {  # findings that name somebody, as the doctor makes them
    "wifi_saved": good("wifi_saved", n=1, wifi=HOME_WIFI),
    "network": note("network", "weak", wifi=HOME_WIFI, dbm=-80),
    "wiring": note("wiring", "silent", names=DEVICE),
    "bluetooth_bonds": note("bluetooth_bonds", "unpaired", names=DEVICE),
    "firstboot": note("firstboot", "unapplied", what="user", ko=f"만들지 못함: {USER}", en=USER),
    "config": bad("config", "mistake", ko=f"hub.toml:3: place: “{NAME}”", en=f'place: "{NAME}"'),
    "county": good("county", name=NAME, center="https://c", date="2030-01-01"),
}


@pytest.mark.parametrize("check", REVEALING)
def test_a_finding_that_names_somebody_is_said_anew_without_the_name(check: str) -> None:
    found = REVEALING[check]
    shown = replace(found, values=redact.finding(found.check, found.code, found.values))
    whole = str(shown) + "".join(tell(shown).values())
    assert not [one for one in (HOME_WIFI, DEVICE, USER, NAME) if one in whole]
    assert redact.WITHHELD in whole
    assert shown.code == found.code


def test_what_helps_of_a_finding_stays() -> None:
    values = {"dbm": "-80", "wifi": HOME_WIFI, "ko": "설정 3째 줄"}
    kept = redact.finding("network", "weak", values)
    assert kept == {"dbm": "-80", "wifi": redact.WITHHELD, "ko": redact.WITHHELD}
    assert redact.finding("model", "good", {"name": "whisper"}) == {"name": "whisper"}
    assert redact.finding("config", "mistake", {"ko": "hub.toml:3: pin"}) == {
        "ko": "hub.toml:3: pin"
    }


def test_the_doctors_report_of_an_installed_hub_names_no_wifi_and_no_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    home.enrol()
    home.config.write_text(home.config.read_text("utf-8").replace('"help"', '"kim_button"'))
    with PrivateBus() as bus, FakeNM(bus) as nm:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        nm.air({"ssid": HOME, "psk": PASSWORD})
        join()
        (part,) = (one for one in collect(home.config) if one.name == "doctor")
    checks = {one["check"]: one for one in json.loads(part.content)}
    assert checks["identity"]["values"]["days"] == "88"
    assert checks["wifi_saved"]["values"] == {"n": "1", "wifi": redact.WITHHELD}
    assert checks["wiring"]["code"] == "silent"
    assert HOME.decode() not in part.content
    assert "kim_button" not in part.content


def test_a_doctor_that_fails_says_how(tmp_path: Path) -> None:
    parts = {one.name: one.content for one in collect(tmp_path / "none.toml")}
    assert "unreadable" in parts["doctor"]


def test_it_is_shown_first_and_without_a_yes_nothing_is_written(
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["support-bundle", "--config", str(config), "--out", str(tmp_path)]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(command) == 1
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("about", "doctor", "settings", "journal", "disk"))
    assert not list(tmp_path.glob("*.tar.gz"))
    assert main([*command, "--show", "settings"]) == 0
    assert json.loads(capsys.readouterr().out)["hub.toml"]
    assert main([*command, "--show", "blackbox"]) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("예\n"))
    assert main(command) == 0
    assert bundle(tmp_path)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("press 12 took 0.012 s at 10.0.2.100:8883", "press 12 took 0.012 s at 10.0.2.100:8883"),
        ("2026-11-30T05:00:00+0900", "2026-11-30T05:00:00+0900"),
        ("C0:FF:EE:12:34:56 is silent", "C0:FF:EE:… is silent"),
        ("call +82 10-1234-5678", "call (withheld)"),
        ("call 033-560-1234", "call (withheld)"),
    ],
)
def test_what_has_no_form_of_a_person_stays(said: str, kept: str) -> None:
    assert redact.text(said) == kept
