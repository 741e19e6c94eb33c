"""The settings that the packages bring are read by those whom they are for, as they stand."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from drivers import contact
from drivers.bluetooth import settings as radio
from hub.config import load
from hub.shared import county
from provisioning.network.nm import ADDRESS
from tests.layout import REPO
from voice import settings as voice

USR = REPO / "provisioning/package/usr"
ETC = REPO / "provisioning/package/etc"
IMAGE = REPO / "provisioning/image"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The settings as they are installed, with the county's file as the image brings it."""
    shutil.copytree(ETC / "anbu", tmp_path, dirs_exist_ok=True)
    shutil.copy(REPO / "provisioning/package/voice/voice.toml", tmp_path)
    shutil.copy(REPO / "docs/examples/county.toml", tmp_path)
    hub = tmp_path / "hub.toml"
    hub.write_text(f'state_dir = "{tmp_path}"\n' + hub.read_text("utf-8"), "utf-8")
    return tmp_path


def test_a_hub_of_the_package_has_no_name_and_knows_its_county(folder: Path) -> None:
    noted: list[object] = []
    config = load(folder / "hub.toml", noted.append)
    assert not noted
    assert config.hub == ""
    assert config.mqtt.brokers == county.load(folder / "county.toml").brokers
    kinds = {type(device).__module__.removeprefix("drivers.") for device in config.device}
    assert kinds == {"contact", "lamp", "radio", "provision", "voicebox.driver"}


def test_a_cut_wire_of_the_help_button_is_noticed_by_the_standard_wiring(folder: Path) -> None:
    wired = [one for one in load(folder / "hub.toml").device if isinstance(one, contact.Driver)]
    assert [one.name for one in wired if one.normally_closed] == ["help"]


def test_radio_and_voice_read_theirs(folder: Path) -> None:
    noted: list[object] = []
    assert radio.load(folder / "radio.toml", noted.append).socket
    assert voice.load(folder / "voice.toml", noted.append).models
    assert not noted


def test_the_systems_updates_have_raspberry_pis_archive_and_never_restart_it() -> None:
    text = (ETC / "apt/apt.conf.d/52anbu-upgrades").read_text("utf-8")
    assert '"origin=Raspberry Pi Foundation,' in text
    assert "label=Debian-Security" in text
    assert 'Automatic-Reboot "false";' in text
    assert "--force-confold" in text


def test_polkit_reads_the_rule_for_the_hubs_user() -> None:
    """Its interpreter knows ECMAScript 5 only: a rule with an arrow is left out without a word."""
    rule = (USR / "share/polkit-1/rules.d/60-anbu.rules").read_text("utf-8")
    code = re.sub(r"//.*", "", rule)
    assert not re.search(r"=>|`|\b(const|let|class|of)\b", code)
    assert 'subject.user === "anbu"' in code
    rights = set(re.findall(r'manager \+ "([\w.-]+)"', code))
    assert rights == {
        "network-control", "settings.modify.system", "wifi.share.protected", "wifi.scan",
        "enable-disable-wifi",
    }  # fmt: skip


def test_every_name_leads_a_phone_on_the_hotspot_to_the_form() -> None:
    text = (ETC / "NetworkManager/dnsmasq-shared.d/50-anbu.conf").read_text("utf-8")
    assert text.splitlines()[-1] == f"address=/#/{ADDRESS}"


def test_a_card_brings_no_secret_and_needs_no_person() -> None:
    asked = yaml.safe_load((IMAGE / "user-data").read_text("utf-8"))
    assert asked["users"] == []
    assert asked["ssh_pwauth"] is False
    assert any("/boot/firmware/anbu/*.deb" in str(words) for words in asked["runcmd"])
    network = yaml.safe_load((IMAGE / "network-config").read_text("utf-8"))
    assert network["network"].keys() == {"version", "ethernets"}
    for file in IMAGE.iterdir():
        assert not re.search(r"^\s*[^#\s].*passw(or)?d\s*:", file.read_text("utf-8"), re.MULTILINE)


def test_a_card_may_bring_the_countys_own_wiring(tmp_path: Path) -> None:
    card, etc = tmp_path / "boot/firmware/anbu", tmp_path / "etc/anbu"
    for folder in (card, etc):
        folder.mkdir(parents=True)
    for name in ("county.toml", "ca.crt", "hub.toml"):
        (card / name).write_text(name, "utf-8")
    asked = yaml.safe_load((IMAGE / "user-data").read_text("utf-8"))
    lines = [words[-1] for words in asked["runcmd"]]
    copied = next(line for line in lines if line.startswith("cp "))
    copied = copied.replace("/boot/", f"{tmp_path}/boot/").replace("/etc/", f"{tmp_path}/etc/")
    subprocess.run(["sh", "-c", copied], check=True)
    assert sorted(file.name for file in etc.iterdir()) == ["ca.crt", "county.toml", "hub.toml"]
    assert any("apt-get install" in line and "--force-confold" in line for line in lines)


@pytest.mark.parametrize(("fails", "tried"), [("", [True]), ("recommended", [True, False])])
def test_a_recommended_package_that_cannot_be_had_keeps_no_card_from_being_a_hub(
    tmp_path: Path, fails: str, tried: list[bool]
) -> None:
    """Without a network apt installs nothing at all while one recommended package is missing."""
    asked = yaml.safe_load((IMAGE / "user-data").read_text("utf-8"))
    line = next(words[-1] for words in asked["runcmd"] if "apt-get install" in words[-1])
    apt = tmp_path / "apt-get"
    apt.write_text(
        f"""#!/bin/sh
echo "$@" >> {tmp_path}/asked
case "$*" in *--no-install-recommends*) exit 0;; esac
[ "{fails}" != recommended ]
""",
        "utf-8",
    )
    apt.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", line], check=True, env=os.environ | {"PATH": path})
    asked_for = (tmp_path / "asked").read_text("utf-8").splitlines()
    assert ["--no-install-recommends" not in words for words in asked_for] == tried
    assert all("install -y" in words and "/anbu/*.deb" in words for words in asked_for)


def test_nothing_is_asked_of_systemd_once_it_executes_itself_anew() -> None:
    """It refuses connections meanwhile: what was asked then was silently not done."""
    text = (REPO / "provisioning/package/debian/anbu-hub.postinst").read_text("utf-8")
    before, _, after = text.partition("daemon-reexec")
    assert "try-restart" in before
    assert "start anbu-firstboot" in before
    assert "systemctl" not in after
    assert "systemd-invoke" not in after
    assert "#DEBHELPER#" in before
