"""`anbu doctor` on first start, watchdog, updates, time: each fault made in a root of its own."""

import os
import time
from pathlib import Path

import msgspec
import pytest

from hub.shared.findings import Finding, Verdict
from hub.shared.language import Language
from provisioning import firstboot
from provisioning.doctor import upkeep
from provisioning.encryption import keyfile, wiping
from provisioning.findings import tell
from provisioning.firstboot import Report, Unapplied
from tests.layout import REPO

OURS = REPO / "provisioning/package/etc/apt/apt.conf.d/52anbu-upgrades"
TRACKING = (
    "C0A80001,center.example,3,1764489600.1,{away},0.0001,0.0002,1.2,0,0.1,0.01,0.001,64,{leap}"
)


class Root:
    """A machine in a folder, whose tools are what a test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.tools, self.monkeypatch = folder / "root", folder / "bin", monkeypatch
        for place in ("run/systemd/system", "dev", "etc/apt/apt.conf.d", "etc/apt/sources.list.d"):
            (self.folder / place).mkdir(parents=True)
        self.tools.mkdir()
        self.write("dev/watchdog0")
        self.write("usr/bin/unattended-upgrade")
        self.write("etc/apt/apt.conf.d/52anbu-upgrades", OURS.read_text("utf-8"))
        self.write("var/lib/apt/periodic/unattended-upgrades-stamp")
        self.write("apt.conf", f'Dir "{self.folder}/";\n')
        monkeypatch.setenv("APT_CONFIG", str(self.folder / "apt.conf"))
        monkeypatch.setenv("PATH", f"{self.tools}:{os.environ['PATH']}")
        self.tool("systemctl", "echo 30s")
        self.chrony()

    def write(self, name: str, text: str = "") -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def chrony(self, away_s: float = 0.0004, leap: str = "Normal") -> None:
        self.tool("chronyc", f"echo '{TRACKING.format(away=away_s, leap=leap)}'")

    def without_tools(self) -> None:
        self.monkeypatch.setenv("PATH", str(self.folder / "nothing"))

    def every(self) -> list[Finding]:
        found = [*upkeep.examine(self.folder), upkeep.time_source()]
        assert all(tell(finding) for finding in found)  # each has its sentences
        return found

    def codes(self) -> dict[str, tuple[Verdict, str]]:
        return {one.check: (one.verdict, one.code) for one in self.every()}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    return Root(tmp_path, monkeypatch)


def reported(root: Root, *unapplied: Unapplied, scrubbed: tuple[str, ...] = ()) -> None:
    told = msgspec.json.encode(Report(unapplied, scrubbed)).decode()
    root.write(firstboot.REPORT, told)


def test_a_machine_that_is_well_has_nothing_to_mend(root: Root) -> None:
    reported(root, scrubbed=("user-data", "network-config"))
    assert root.codes() == {
        "firstboot": (Verdict.GOOD, "scrubbed"),
        "watchdog": (Verdict.GOOD, "good"),
        "updates": (Verdict.GOOD, "good"),
        "time_source": (Verdict.GOOD, "chrony"),
    }
    reported(root)
    assert root.codes()["firstboot"] == (Verdict.GOOD, "clean")


def test_what_the_imager_failed_to_apply_is_told_with_what_to_do(root: Root) -> None:
    reported(root, Unapplied("wifi", "집"), Unapplied("timezone", "Asia/Seoul"))
    said = [tell(one)[Language.KOREAN] for one in root.every() if one.code == "unapplied"]
    assert len(said) == 2
    assert "유선랜" in said[0]
    assert "timedatectl set-timezone Asia/Seoul" in said[1]


def test_a_report_of_a_newer_release_is_told_as_it_is(root: Root) -> None:
    reported(root, Unapplied("of a newer release", "x"))
    assert "of a newer release" in " ".join(tell(one)["en"] for one in root.every())


def test_passwords_that_are_still_on_the_card_are_told(root: Root) -> None:
    assert root.codes()["firstboot"] == (Verdict.NOTE, "none")
    root.write("boot/firmware/network-config", "password")
    assert root.codes()["firstboot"] == (Verdict.BAD, "waits")
    reported(root, scrubbed=("network-config",))
    assert root.codes()["firstboot"] == (Verdict.BAD, "left")


@pytest.mark.parametrize("name", firstboot.FORGOTTEN)
def test_a_password_that_was_put_on_the_card_later_is_told(root: Root, name: str) -> None:
    reported(root, scrubbed=("user-data",))
    root.write(f"boot/firmware/{name}", "psk")
    assert root.codes()["firstboot"] == (Verdict.BAD, "left")


@pytest.mark.parametrize("mark", [wiping.WIPING, wiping.ERASING])
def test_what_a_wiping_could_not_erase_is_told_until_it_is_gone(root: Root, mark: str) -> None:
    file = root.write(f"{keyfile.FOLDER}/{mark}-0123")
    assert root.codes()["wiping"] == (Verdict.NOTE, "left")
    file.unlink()
    assert "wiping" not in root.codes()


@pytest.mark.parametrize("said", ["0", "", "infinity"])
def test_a_watchdog_that_nobody_uses_is_told(root: Root, said: str) -> None:
    root.tool("systemctl", f"echo {said}")
    assert root.codes()["watchdog"] == (Verdict.BAD, "off")


def test_a_board_without_a_watchdog_is_told(root: Root) -> None:
    (root.folder / "dev/watchdog0").unlink()
    assert root.codes()["watchdog"] == (Verdict.BAD, "no_device")
    (root.folder / "run/systemd/system").rmdir()
    assert root.codes()["watchdog"] == (Verdict.NOTE, "no_systemd")


def test_updates_that_do_not_come_are_told(root: Root) -> None:
    """The settings are asked of the real apt-config."""
    ours = root.folder / "etc/apt/apt.conf.d/52anbu-upgrades"
    text = ours.read_text("utf-8")
    ours.write_text(text.replace('Unattended-Upgrade "1"', 'Unattended-Upgrade "0"'))
    assert root.codes()["updates"] == (Verdict.BAD, "off")
    ours.write_text(text.replace("Debian-Security", "Debian"))
    assert root.codes()["updates"] == (Verdict.BAD, "no_security")
    root.write("etc/apt/sources.list.d/raspi.sources", "URIs: http://archive.raspberrypi.com/")
    ours.write_text(text)
    assert root.codes()["updates"] == (Verdict.GOOD, "good")
    ours.write_text(text.replace("Raspberry Pi Foundation", "another"))
    assert root.codes()["updates"] == (Verdict.BAD, "no_pi")
    (root.folder / "usr/bin/unattended-upgrade").unlink()
    assert root.codes()["updates"] == (Verdict.BAD, "none")


def test_updates_that_have_stopped_are_told_and_a_restart_that_is_due(root: Root) -> None:
    stamp = root.folder / "var/lib/apt/periodic/unattended-upgrades-stamp"
    long_ago = time.time() - 20 * 86_400
    os.utime(stamp, (long_ago, long_ago))
    assert root.codes()["updates"] == (Verdict.NOTE, "idle")
    stamp.unlink()
    assert root.codes()["updates"] == (Verdict.NOTE, "never")
    assert "restart" not in root.codes()
    root.write("run/reboot-required")
    assert root.codes()["restart"] == (Verdict.NOTE, "due")


def test_a_clock_that_follows_nobody_or_is_far_is_told(root: Root) -> None:
    root.chrony(leap="Not synchronised")
    assert root.codes()["time_source"] == (Verdict.BAD, "none")
    root.chrony(away_s=-3.5)
    assert root.codes()["time_source"] == (Verdict.NOTE, "far")
    root.tool("chronyc", "echo '506 Cannot talk to daemon'; exit 1")
    assert root.codes()["time_source"] == (Verdict.BAD, "stopped")


def test_systemds_own_time_service_is_asked_where_there_is_no_chrony(root: Root) -> None:
    (root.tools / "chronyc").unlink()
    root.tool("timedatectl", "echo center.example")
    assert root.codes()["time_source"] == (Verdict.GOOD, "timesyncd")
    root.tool("timedatectl", "echo")
    assert root.codes()["time_source"] == (Verdict.BAD, "none")
    root.tool("timedatectl", "exit 1")
    assert root.codes()["time_source"] == (Verdict.NOTE, "unasked")


def test_tools_that_are_missing_are_sentences(root: Root) -> None:
    root.without_tools()
    codes = root.codes()
    assert {codes[check][1] for check in ("watchdog", "updates", "time_source")} == {"unasked"}
