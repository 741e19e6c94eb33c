"""The package under a systemd of its own: this machine's system as a container, without network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.provisioning.package.debs import OURS, newer

BOOTED_S = 240
CGROUPS_2 = 256  # systemd's version
DEAF_S = 2.0  # here 0.2 s; a Pi's start takes about ten times as long, in which the button is deaf
SET_UP = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$0/system"
mkdir "$0/system/upper" "$0/system/work" "$0/system/root"
mount -t overlay overlay \\
    -o "lowerdir=/,upperdir=$0/system/upper,workdir=$0/system/work" "$0/system/root"
cp -r "$0/files/." "$0/system/root/"
exec systemd-nspawn --quiet --register=no --keep-unit --private-network \\
    --directory "$0/system/root" --bind "$0/facts:/facts" --boot
"""
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /story.sh
ExecStopPost=/bin/systemctl --no-block poweroff
"""
STORY = """
exec >/facts/log 2>&1
set -x
rm -f /usr/sbin/policy-rc.d
not_here=bluez,dbus,python3-systemd
install() { dpkg --ignore-depends=$not_here --force-confold -i "$@"; }
show() { systemctl show --property="$2" --value "$1"; }
mkdir -p /boot/firmware /etc/cloud /run/cloud-init
echo "wifi password" >/boot/firmware/network-config
echo '{"v1": {"datasource": "NoCloud", "errors": []}}' >/run/cloud-init/result.json
install /debs/old/*.deb
for n in $(seq 100); do  # until the hub shows its lamp and the card is tidied
    show anbu-hub StatusText | grep -q unclaimed && [ -e /var/lib/anbu-firstboot/done ] && break
    sleep 0.2
done
show anbu-hub StatusText >/facts/lamp
ls /boot/firmware >/facts/card
systemctl is-active anbu-hub anbu-radio anbu-provision >/facts/active
systemctl show --property=RuntimeWatchdogUSec --value >/facts/watchdog
install /debs/new/*.deb
show anbu-hub ActiveExitTimestampMonotonic >/facts/deaf_from
show anbu-hub ActiveEnterTimestampMonotonic >/facts/deaf_until
show anbu-hub NRestarts >/facts/crashes
systemctl is-active anbu-hub anbu-radio anbu-provision >/facts/active_after
dpkg -P anbu-hub anbu-python anbu-common
systemctl list-units --all --plain --no-legend 'anbu*' >/facts/left
touch /facts/done
"""


def boots() -> bool:
    """Whether systemd can run as a container here: the newer ones need cgroups of version 2."""
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
        return False
    told = subprocess.run(
        ["systemd-nspawn", "--version"], capture_output=True, text=True, check=True
    )
    old = int(told.stdout.split()[1]) < CGROUPS_2
    return old or Path("/sys/fs/cgroup/cgroup.controllers").exists()


pytestmark = pytest.mark.skipif(not boots(), reason="needs root, systemd-nspawn, cgroups")


@pytest.fixture(scope="module")
def facts(debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a machine said about itself: installed, tidied, upgraded, purged."""
    folder = tmp_path_factory.mktemp("booted")
    files = folder / "files"
    wants = files / "etc/systemd/system/multi-user.target.wants"
    for place in (
        wants,
        files / "debs/old",
        files / "debs/new",
        folder / "facts",
        folder / "system",
    ):
        place.mkdir(parents=True)
    (wants.parent / "story.service").write_text(UNIT)
    (wants / "story.service").symlink_to("../story.service")
    (files / "story.sh").write_text(STORY)
    for deb in (deb for deb in debs if deb.name.startswith(OURS)):
        shutil.copy(deb, files / "debs/old")
    for deb in newer(debs, tmp_path_factory.mktemp("newer")):
        shutil.copy(deb, files / "debs/new")
    with (folder / "console").open("wb") as console:
        subprocess.run(
            ["unshare", "--mount", "sh", "-c", SET_UP, folder],
            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
            check=False, timeout=BOOTED_S,
        )  # fmt: skip
    told = {path.name: path.read_text("utf-8").strip() for path in (folder / "facts").iterdir()}
    assert "done" in told, told.get("log") or (folder / "console").read_text("utf-8", "replace")
    return told


def test_a_machine_becomes_a_hub_that_waits_to_be_claimed(facts: dict[str, str]) -> None:
    assert facts["lamp"] == "signal unclaimed"
    assert facts["active"].split() == ["active"] * 3
    assert facts["watchdog"] == "30s"


def test_the_cards_passwords_are_gone_once_the_package_is_there(facts: dict[str, str]) -> None:
    assert facts["card"] == ""


def test_an_upgrade_leaves_the_button_deaf_for_a_restart_only(facts: dict[str, str]) -> None:
    deaf_s = (int(facts["deaf_until"]) - int(facts["deaf_from"])) / 1e6
    assert int(facts["deaf_from"])  # it was restarted
    assert deaf_s < DEAF_S
    assert facts["crashes"] == "0"
    assert facts["active_after"].split() == ["active"] * 3


def test_nothing_of_a_purged_hub_runs_on(facts: dict[str, str]) -> None:
    assert facts["left"] == ""
