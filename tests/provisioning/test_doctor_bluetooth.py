"""`anbu doctor` on Bluetooth: each thing that keeps a pendant from being heard is named."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.shared.findings import Finding, Verdict
from provisioning.doctor import bluetooth
from provisioning.doctor.bluetooth import Machine
from provisioning.findings import HubConfig, tell
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus
from tests.provisioning.test_doctor import READERS

PENDANT = """
[[device]]
kind = "pendant"
name = "pendant"
address = "A4:C1:38:00:00:01"
key = "00112233445566778899aabbccddeeff"
"""
BAND = """
[[device]]
kind = "wearable"
name = "band"
address = "A4:C1:38:00:00:02"
what = "band"
"""
SCANS = "[General]\nExperimental = true\n[LE]\nScanIntervalAdvMonitor=96\nScanWindowAdvMonitor=96\n"


class Home:
    """A machine in a folder, with the fake BlueZ on a bus of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.main_conf = folder, folder / "main.conf"
        self.daemon = folder / "bluetoothd"
        self.daemon.write_text("#!/bin/sh\necho 5.66\n")
        self.daemon.chmod(0o755)
        self.main_conf.write_text(SCANS)
        self.kernel, self.restarts = (6, 12, 0), "always"
        self.command_line = "/usr/libexec/bluetooth/bluetoothd -P battery"
        self.list(PENDANT)
        self.radio()

    def radio(self, more: str = "", socket: str = "/run/anbu/radio.sock") -> None:
        text = f'socket = "{socket}"\nstate_dir = "{self.folder}"\n{more}'
        (self.folder / "radio.toml").write_text(text)

    def list(self, text: str, mode: int = 0o600) -> None:
        file = self.folder / "devices.toml"
        file.write_text(text)
        file.chmod(mode)

    def switch(self, kind: str) -> None:
        place = self.folder / "rfkill" / "rfkill0"
        place.mkdir(parents=True)
        for name, text in (("type", "bluetooth"), ("name", "hci0"), ("soft", "0"), ("hard", "0")):
            (place / name).write_text("1" if name == kind else text)

    def findings(self, radio: str = "/run/anbu/radio.sock") -> dict[str, Finding]:
        process = self.folder / "proc" / "42"
        process.mkdir(parents=True, exist_ok=True)
        (process / "comm").write_text("bluetoothd\n")
        (process / "cmdline").write_text(self.command_line.replace(" ", "\0"))
        machine = Machine(
            self.folder / "proc", self.main_conf, self.folder / "rfkill", (str(self.daemon),),
            lambda: self.kernel, lambda: self.restarts,
        )  # fmt: skip
        config = HubConfig("js-0001", str(self.folder), radio=radio)
        found = list(bluetooth.examine(config, self.folder / "radio.toml", READERS, machine))
        assert all(tell(finding) for finding in found)  # each has its sentences
        return {finding.check.removeprefix("bluetooth_"): finding for finding in found}

    def codes(self) -> dict[str, tuple[Verdict, str]]:
        return {check: (one.verdict, one.code) for check, one in self.findings().items()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def bluez(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBlueZ]:
    with PrivateBus() as bus, FakeBlueZ(bus) as bluez:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bluez


@pytest.mark.usefixtures("bluez")
def test_a_home_that_is_set_up_has_only_the_one_adapter_to_be_told_of(home: Home) -> None:
    found = home.codes()
    told = {check: code for check, code in found.items() if code[0] is not Verdict.GOOD}
    assert told == {
        "radio_socket": (Verdict.NOTE, "deaf"),
        "adapter": (Verdict.NOTE, "alone"),
    }
    assert home.findings()["daemon"].values == {"version": "5.66"}
    assert found.keys() >= {"passive", "kernel", "window", "battery", "restart", "devices", "bonds"}


@pytest.mark.usefixtures("bluez")
def test_a_list_that_is_gone_is_named(home: Home) -> None:
    (home.folder / "devices.toml").rename(home.folder / "devices.good.toml")
    assert home.codes()["devices"] == (Verdict.BAD, "gone")
    (home.folder / "devices.toml").touch(0o600)
    assert home.codes()["devices"] == (Verdict.NOTE, "none"), "an empty file lists none"


def test_each_flaw_of_the_set_up_is_named(home: Home, bluez: FakeBlueZ) -> None:
    bluez.do("set", no_passive=True)
    home.kernel, home.restarts = (6, 1, 90), "no"
    home.command_line = "/usr/libexec/bluetooth/bluetoothd"
    home.main_conf.write_text("[General]\n# Experimental = true\n")
    found = home.codes()
    assert found["passive"] == (Verdict.BAD, "experimental")
    assert found["kernel"] == (Verdict.BAD, "old")
    assert found["restart"] == (Verdict.BAD, "no")
    assert found["window"] == (Verdict.NOTE, "half")
    assert found["battery"] == (Verdict.NOTE, "taken")
    home.main_conf.write_text(SCANS)
    assert home.codes()["passive"] == (Verdict.BAD, "restart")


@pytest.mark.parametrize("option", ["-f ", "--configfile ", "--configfile="])
def test_the_settings_are_those_that_bluetoothd_was_started_with(
    home: Home, bluez: FakeBlueZ, option: str
) -> None:
    bluez.do("set", no_passive=True)
    ours = home.folder / "ours.conf"
    home.command_line += f" {option}{ours}"
    ours.write_text("[General]\n")
    found = home.findings()
    assert (found["passive"].code, found["window"].code) == ("experimental", "half")
    assert str(ours) in str(tell(found["passive"]))
    ours.write_text(SCANS)
    home.main_conf.write_text("[General]\n")
    assert home.codes()["passive"] == (Verdict.BAD, "restart")


def test_an_adapter_that_is_missing_off_or_blocked_is_told_apart(
    home: Home, bluez: FakeBlueZ
) -> None:
    bluez.do("powered", on=False)
    assert home.codes()["adapter"] == (Verdict.BAD, "off")
    bluez.do("vanish")
    assert home.codes()["adapter"] == (Verdict.BAD, "none")
    home.switch("soft")
    assert home.codes()["adapter"] == (Verdict.BAD, "blocked_soft")


@pytest.mark.usefixtures("bluez")
def test_a_switch_of_the_machine_is_told_from_a_blocked_radio(home: Home) -> None:
    home.switch("hard")
    assert home.codes()["adapter"] == (Verdict.BAD, "blocked_hard")


def test_an_adapter_that_the_settings_name_is_looked_for(home: Home, bluez: FakeBlueZ) -> None:
    home.radio('[adapters]\nlisten = "hci0"\nconnect = "00:1A:7D:DA:71:13"\n')
    assert home.codes()["adapter"] == (Verdict.BAD, "missing")
    assert home.findings()["adapter"].values == {"names": "00:1A:7D:DA:71:13", "there": "hci0"}
    bluez.do("set", dongle=True)
    assert home.codes()["adapter"] == (Verdict.GOOD, "good")


@pytest.mark.usefixtures("bluez")
def test_hub_and_radio_must_agree_on_socket_and_folder(home: Home) -> None:
    home.radio(socket="/run/anbu/other.sock")
    assert home.codes()["radio_config"] == (Verdict.BAD, "socket")
    (home.folder / "radio.toml").write_text('socket = "/run/anbu/radio.sock"\n')
    assert home.codes()["radio_config"] == (Verdict.BAD, "state")
    home.radio("adapter = 1\n")
    assert home.codes()["radio_config"] == (Verdict.BAD, "mistake")
    (home.folder / "radio.toml").unlink()
    assert home.codes()["radio_config"] == (Verdict.NOTE, "none")


def test_without_bluetoothd_the_rest_is_still_told(home: Home, bluez: FakeBlueZ) -> None:
    bluez.kill()
    found = home.codes()
    assert found["daemon"] == (Verdict.BAD, "missing")
    assert found["devices"] == (Verdict.GOOD, "good")
    assert "adapter" not in found


def test_a_bluetoothd_that_hangs_is_told(
    home: Home, bluez: FakeBlueZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluetooth, "PATIENCE_S", 0.5)
    bluez.stop()
    assert home.codes()["daemon"] == (Verdict.BAD, "hangs")


def test_a_bus_that_refuses_is_told_with_the_group_that_helps(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "bin" / "busctl"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'Call failed: Access denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert home.codes()["daemon"] == (Verdict.BAD, "forbidden")
    assert "usermod -aG bluetooth" in tell(home.findings()["daemon"])["ko"]


@pytest.mark.parametrize(
    ("text", "mode", "verdict", "code"),
    [
        (PENDANT, 0o644, Verdict.BAD, "exposed"),
        (PENDANT.replace("0011", "zz11"), 0o600, Verdict.BAD, "mistake"),
        ("[[device]]\nkind = ", 0o600, Verdict.BAD, "mistake"),
        ("", 0o600, Verdict.NOTE, "none"),
    ],
)
def test_the_list_of_devices_is_read_as_the_radio_reads_it(
    home: Home, text: str, mode: int, verdict: Verdict, code: str
) -> None:
    home.list(text, mode)
    assert home.codes()["devices"] == (verdict, code)


@pytest.mark.usefixtures("bluez")
def test_a_band_that_is_not_paired_is_named(home: Home) -> None:
    home.list(PENDANT + BAND)
    finding = home.findings()["bonds"]
    assert (finding.verdict, finding.code) == (Verdict.NOTE, "unpaired")
    assert finding.values == {"names": "band"}


def test_what_is_paired_and_not_listed_is_named() -> None:
    stranger = {"Address": {"data": "A4:C1:38:00:00:09"}, "Paired": {"data": True}}
    objects = {"/org/bluez/hci0/dev_A4_C1_38_00_00_09": {bluetooth.DEVICE: stranger}}
    finding = bluetooth.bonds(json.loads(json.dumps(objects)), {})
    assert (finding.code, finding.values) == ("unlisted", {"addresses": "A4:C1:38:00:00:09"})


def test_a_hub_without_a_radio_has_one_line_unless_devices_wait_for_one(home: Home) -> None:
    found = home.findings(radio="")
    assert [(one.verdict, one.code) for one in found.values()] == [(Verdict.BAD, "unused")]
    home.list("")
    found = home.findings(radio="")
    assert [(one.verdict, one.code) for one in found.values()] == [(Verdict.NOTE, "none")]
