"""What is in the Debian packages: all that a unit names, nothing of this machine, no secret."""

import json
import re
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.layout import REPO

CODE = "usr/lib/anbu/code"
OF_OTHERS = {  # a program that a unit names -> the package that brings it
    "/bin/kill": "procps",
    "/bin/sh": "dash",
    "/usr/bin/touch": "coreutils",
    "/usr/libexec/bluetooth/bluetoothd": "bluez",
    "/usr/sbin/mosquitto": "mosquitto",
}
ESSENTIAL = {"coreutils", "dash", "procps"}  # on each Debian with systemd
MADE_LATER = (
    "/etc/anbu-center/",
    "/boot/firmware",
    "/var/lib/",
)  # settings of a centre, the card, state
SETTINGS = {
    "/etc/anbu/hub.toml",
    "/etc/anbu/radio.toml",
    "/etc/apt/apt.conf.d/52anbu-upgrades",
    "/etc/NetworkManager/dnsmasq-shared.d/50-anbu.conf",
}


def units(tree: Path) -> list[Path]:
    return [
        path
        for folder in ("lib", "usr/lib")
        for path in (tree / folder / "systemd/system").rglob("*")
        if path.suffix in {".service", ".path", ".timer", ".conf"} and path.is_file()
    ]


def named(unit: Path) -> Iterator[str]:
    """Each path that the unit needs; not those that systemd makes, such as %S/anbu."""
    for line in unit.read_text("utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.startswith("Exec"):
            yield from re.findall(r"(?<![\w%])[-+!@:]*(/[\w./-]+)", value)
        elif key in {"BindReadOnlyPaths", "EnvironmentFile"}:  # with - it may be missing
            yield from (word for word in value.split() if word.startswith("/"))


def test_the_units_of_a_hub_are_in_it(tree: Path) -> None:
    shipped = {path.name for path in units(tree) if path.suffix == ".service"}
    names = ("hub", "radio", "provision", "state", "firstboot", "clock")
    of_hub = {f"anbu-{name}.service" for name in names}
    assert of_hub & {path.name for path in (REPO / "systemd").iterdir()} <= shipped


def test_the_library_for_gpio_lines_is_in_it_since_debian_has_none(
    tree: Path, control: dict[str, dict[str, str]]
) -> None:
    assert "lgpio" not in control["anbu-python"]["Depends"]
    site = tree / "usr/lib/anbu/hub/lib"
    assert [*site.glob("python3*/site-packages/_lgpio*.so")]


def test_each_file_that_a_unit_names_is_in_a_package_or_in_one_that_it_depends_on(
    tree: Path, control: dict[str, dict[str, str]]
) -> None:
    depends = " ".join(fields.get("Depends", "") for fields in control.values())
    wanted = {path for unit in units(tree) for path in named(unit)}
    assert {path for path in wanted if path.endswith("/bin/anbu")}
    for path in sorted(wanted):
        if other := OF_OTHERS.get(path):
            assert other in ESSENTIAL or other in depends, path
        elif not path.startswith(MADE_LATER):
            found = tree / path[1:]
            assert found.exists() or found.is_symlink(), path  # a link to Debian's Python


def test_what_the_network_needs_of_the_system_is_in_it(tree: Path) -> None:
    for name in (
        "usr/share/polkit-1/rules.d/60-anbu.rules",
        "usr/lib/NetworkManager/conf.d/50-anbu.conf",
        "usr/lib/modprobe.d/50-anbu.conf",
        "etc/NetworkManager/dnsmasq-shared.d/50-anbu.conf",
    ):
        assert (tree / name).is_file(), name
    site = next((tree / "usr/lib/anbu/hub/lib").iterdir()) / "site-packages"
    assert (site / "dbus_fast").is_dir()


def test_no_file_of_another_package_is_overwritten(tree: Path) -> None:
    files = [path.relative_to(tree) for path in tree.rglob("*") if not path.is_dir()]
    assert not [str(path) for path in files if "anbu" not in str(path)]


def members(debs: list[Path]) -> Iterator[tarfile.TarInfo]:
    for deb in debs:
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, capture_output=True)
        with tarfile.open(fileobj=BytesIO(data.stdout)) as tar:
            yield from tar


def test_all_is_roots_and_only_roots_to_write(debs: list[Path]) -> None:
    for member in members(debs):
        assert (member.uid, member.gid) == (0, 0), member.name
        if not member.issym():
            assert not member.mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID), member.name


def test_only_programs_may_be_started(debs: list[Path]) -> None:
    programs = {one.name for one in members(debs) if one.isfile() and one.mode & stat.S_IXUSR}
    assert programs
    assert not {name for name in programs if not re.search(r"/bin/anbu$", name)}


def test_nothing_names_the_machine_that_built_it(tree: Path) -> None:
    marks = [str(REPO).encode(), b"/.pyenv/", f"{Path(sys.prefix).name}/bin".encode()]
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink() and "site-packages/setuptools" not in str(path):
            text = path.read_bytes()
            assert not [mark for mark in marks if mark in text], path


def test_no_key_and_no_identity_is_in_it(tree: Path) -> None:
    for path in tree.rglob("*"):
        if (
            path.is_file()
            and not path.is_symlink()
            and path.suffix in {".pem", ".key", ".toml", ".conf"}
        ):
            assert b"PRIVATE KEY" not in path.read_bytes(), path
    assert "hub = " not in (tree / "etc/anbu/hub.toml").read_text("utf-8").split("[[device]]")[0]


def test_the_code_is_what_the_repository_has(tree: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard",
         "hub", "drivers", "voice", "provisioning", "center"],
        cwd=REPO, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    tools = ("provisioning/package/", "provisioning/image/", "provisioning/setup.sh")
    wanted = {name for name in listed if not name.startswith(tools) and (REPO / name).exists()}
    shipped = {
        str(path.relative_to(tree / CODE)) for path in (tree / CODE).rglob("*") if path.is_file()
    }
    if not (tree / CODE / "center").exists():
        wanted = {name for name in wanted if not name.startswith("center/")}
    assert shipped == wanted


def test_what_an_installer_changes_is_a_setting_that_stays(debs: list[Path]) -> None:
    hub = next(deb for deb in debs if deb.name.startswith("anbu-hub_"))
    listed = subprocess.run(
        ["dpkg-deb", "-I", hub, "conffiles"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert set(listed) >= SETTINGS
    assert all(path.startswith("/etc/") for path in listed)


def locked(name: str) -> dict[str, set[str]]:
    """Library -> its locked versions, one for each Python that it depends on."""
    found: dict[str, set[str]] = {}
    text = (REPO / f"requirements/{name}.txt").read_text("utf-8")
    for library, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE):
        found.setdefault(library.lower().replace("_", "-"), set()).add(version)
    return found


@pytest.mark.parametrize("name", ["hub", "radio", "voice", "center"])
def test_the_bill_of_materials_names_what_is_installed_and_locked(tree: Path, name: str) -> None:
    home = tree / "usr/lib/anbu" / name
    if not home.exists():
        pytest.skip(f"built without {name}")
    bill = json.loads((tree / f"usr/share/anbu/sbom/{name}.cdx.json").read_text("utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    billed = {
        part["name"].lower().replace("_", "-"): part["version"] for part in bill["components"]
    }
    assert all(part["purl"].startswith("pkg:pypi/") for part in bill["components"])
    installed = {
        path.name.removesuffix(".dist-info").rpartition("-")[0].lower().replace("_", "-")
        for path in home.glob("lib/python3*/site-packages/*.dist-info")
    }
    assert installed
    assert billed.keys() == installed
    lock = locked(name)
    assert all(version in lock[library] for library, version in billed.items())


def test_a_package_fits_the_one_python_that_it_was_built_for(
    tree: Path, control: dict[str, dict[str, str]]
) -> None:
    found = next((tree / "usr/lib/anbu/hub/lib").iterdir()).name
    minor = int(found.removeprefix("python3."))
    depends = control["anbu-python"]["Depends"]
    assert f"python3 (>= 3.{minor})" in depends
    assert f"python3 (<< 3.{minor + 1})" in depends
