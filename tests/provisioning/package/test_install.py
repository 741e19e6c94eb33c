"""A hub's life with dpkg: installed without a network, changed, upgraded, removed, purged."""

from pathlib import Path

import pytest

from tests.provisioning.package.debs import OURS, newer
from tests.provisioning.package.root import Root

NOT_HERE = ("bluez", "dbus", "python3-systemd")  # this machine may lack them
KEPT = ("--force-confdef", "--force-confold")  # as apt is told by 52anbu-upgrades
IDENTITY = "/var/lib/anbu/identity/1/hub.key"
CHANGED = "\n# changed for this home\n"


def install(root: Root, debs: list[Path]) -> None:
    files = [root.lend(deb) for deb in debs if deb.name.startswith(OURS)]
    root.run("dpkg", "--ignore-depends", ",".join(NOT_HERE), *KEPT, "-i", *files)


@pytest.fixture(scope="module")
def installed(root: Root, debs: list[Path]) -> Root:
    install(root, debs)
    return root


def test_it_installs_without_a_network_and_asks_nobody(installed: Root) -> None:
    state = installed.run("dpkg-query", "-W", "-f=${Package} ${Status}\n", *OURS)
    assert state.count("install ok installed") == len(OURS)


def test_only_root_and_the_hub_read_its_settings(installed: Root) -> None:
    modes = installed.run("stat", "-c", "%a %U %G", "/etc/anbu", "/etc/anbu/hub.toml")
    assert modes.splitlines() == ["750 root anbu", "640 root anbu"]
    assert "gid=" in installed.run("id", "anbu")


def test_the_hub_starts_with_the_machine(installed: Root) -> None:
    for name in ("anbu-hub", "anbu-radio"):
        assert installed.run("systemctl", "is-enabled", name).strip() == "enabled"


def test_systemd_has_nothing_to_say_about_the_units(installed: Root) -> None:
    units = installed.run("sh", "-c", "dpkg -L anbu-hub | grep -E 'system/anbu-[^/]*\\.service$'")
    assert installed.run("systemd-analyze", "verify", "--man=no", *units.split()) == ""


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("hub", "hub.app, gpiozero, paho.mqtt.client, cryptography, requests, msgspec"),
        ("radio", "drivers.bluetooth.cli, bleak, bleak_retry_connector, dbus_fast, msgspec"),
    ],
)
def test_each_environment_has_its_libraries_and_not_its_neighbours(
    installed: Root, name: str, libraries: str
) -> None:
    python = f"/usr/lib/anbu/{name}/bin/python3"
    installed.run(python, "-I", "-c", f"import {libraries}")
    found = installed.run(python, "-I", "-c", "import msgspec; print(msgspec.__file__)")
    assert found.startswith(f"/usr/lib/anbu/{name}/lib/")


def test_the_code_is_compiled_before_it_is_needed(installed: Root) -> None:
    """The hub may not write there, and would compile it at each start."""
    for module in ("code/hub/core/*/decide", "hub/lib/*/msgspec/*/__init__"):
        assert installed.run("find", "/usr/lib/anbu", "-path", f"*{module}.cpython-3*.pyc")


def test_a_person_finds_the_command(installed: Root) -> None:
    assert "doctor" in installed.run("anbu", "--help")
    assert "pair" in installed.run("anbu", "radio", "--help")
    missing = installed.try_("anbu", "voice", "--help")
    if missing.returncode:
        assert "anbu-voice" in missing.stdout


@pytest.fixture
def lived_in(installed: Root) -> Root:
    """A hub that has an identity and was fitted to its home."""
    installed.put(IDENTITY, "the hub's own")
    if CHANGED not in installed.run("cat", "/etc/anbu/hub.toml"):
        installed.run("sh", "-c", 'printf "%s" "$1" >>/etc/anbu/hub.toml', "sh", CHANGED)
    return installed


def test_an_upgrade_keeps_who_the_hub_is_and_what_was_changed(
    lived_in: Root, debs: list[Path], tmp_path: Path
) -> None:
    install(lived_in, newer(debs, tmp_path))
    assert lived_in.run("dpkg-query", "-W", "-f=${Version}", "anbu-hub").startswith("9.")
    assert lived_in.run("cat", IDENTITY) == "the hub's own"
    settings = lived_in.run("cat", "/etc/anbu/hub.toml")
    assert CHANGED in settings
    assert "a later version" not in settings
    modes = lived_in.run("stat", "-c", "%a %U %G", "/etc/anbu/hub.toml")
    assert modes.strip() == "640 root anbu"


def test_removing_keeps_all_that_is_the_homes_and_purging_nothing(lived_in: Root) -> None:
    lived_in.run("dpkg", "-r", "anbu-hub", "anbu-python", "anbu-common")
    assert lived_in.run("cat", IDENTITY) == "the hub's own"
    assert CHANGED in lived_in.run("cat", "/etc/anbu/hub.toml")
    assert not lived_in.there("/usr/lib/anbu/code/hub")
    lived_in.run("dpkg", "-P", "anbu-hub", "anbu-python", "anbu-common")
    assert not lived_in.there("/var/lib/anbu")
    assert not lived_in.there("/etc/anbu")
    assert not lived_in.there("/usr/lib/anbu")


def test_the_cards_own_wiring_stands_where_the_package_brings_its_own(
    root: Root, debs: list[Path]
) -> None:
    """A county's hub.toml is there before the package is, whose own it would have to ask about."""
    root.try_("dpkg", "-P", "anbu-hub", "anbu-python", "anbu-common")
    root.put("/etc/anbu/hub.toml", CHANGED)
    install(root, debs)
    assert root.run("cat", "/etc/anbu/hub.toml") == CHANGED
    modes = root.run("stat", "-c", "%a %U %G", "/etc/anbu/hub.toml")
    assert modes.strip() == "640 root anbu"
