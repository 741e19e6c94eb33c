"""After a card's first start: what was not applied is told, and its passwords are gone."""

import json
import shutil
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning import firstboot
from provisioning.encryption import wiping
from provisioning.firstboot import Report, Unapplied, tidy

SECRET = "the password of the Wi-Fi"  # noqa: S105 - to be looked for
USER_DATA = f"#cloud-config\nhostname: anbu\nusers:\n- name: installer\n  passwd: {SECRET}\n"
NETWORK = f"network: {{wifis: {{wlan0: {{access-points: {{Home: {{password: {SECRET}}}}}}}}}}}\n"
ASKED = {"hostname": "anbu", "timezone": "Asia/Seoul", "users": ["default", {"name": "installer"}]}
WIFI = {"network": {"wifis": {"wlan0": {"access-points": {"Home": {"password": SECRET}}}}}}

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return put


@pytest.fixture
def root(tmp_path: Path, write: Write) -> Path:
    """A machine whose card was written by an imager, and on which cloud-init has done its work."""
    write("boot/firmware/user-data", USER_DATA)
    write("boot/firmware/network-config", NETWORK)
    write("boot/firmware/config.txt", "[all]\n")
    write("etc/cloud/cloud.cfg", "")
    write("run/cloud-init/result.json", json.dumps({"v1": {"datasource": "NoCloud", "errors": []}}))
    write("run/cloud-init/combined-cloud-config.json", json.dumps(ASKED))
    write("run/cloud-init/network-config.json", json.dumps(WIFI))
    write("var/lib/cloud/instances/one/user-data.txt", USER_DATA)
    write("var/log/cloud-init.log", f"wrote {SECRET}\n")
    write("etc/hostname", "anbu\n")
    write("etc/passwd", "root:x:0:0::/root:/bin/sh\ninstaller:x:1000:1000::/home/x:/bin/sh\n")
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Asia/Seoul")
    write("etc/netplan/50-cloud-init.yaml", NETWORK)
    return tmp_path


def with_the_secret(root: Path) -> list[str]:
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path.relative_to(root)) for path in files if SECRET.encode() in path.read_bytes()]


def test_what_was_applied_is_removed_everywhere_but_where_the_network_reads_it(root: Path) -> None:
    assert tidy(root) == Report((), ("user-data", "network-config"))
    assert with_the_secret(root) == ["etc/netplan/50-cloud-init.yaml"]
    assert (root / "boot/firmware/config.txt").exists()
    assert (root / "etc/cloud/cloud-init.disabled").exists()


def test_a_file_is_overwritten_where_it_lies_before_it_goes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = root / "boot/firmware/user-data"
    monkeypatch.setattr(Path, "unlink", lambda _path, **_how: None)
    tidy(root)
    assert place.read_bytes() == bytes(len(USER_DATA))


def test_nothing_goes_before_cloud_init_has_finished(root: Path) -> None:
    (root / "run/cloud-init/result.json").unlink()
    assert tidy(root) is None
    assert (root / "boot/firmware/user-data").exists()
    assert not (root / "etc/cloud/cloud-init.disabled").exists()
    assert main(["firstboot", "--root", str(root)]) == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("etc/hostname", Unapplied("hostname", "anbu")),
        ("etc/passwd", Unapplied("user", "installer")),
        ("etc/localtime", Unapplied("timezone", "Asia/Seoul")),
        ("etc/netplan/50-cloud-init.yaml", Unapplied("wifi", "Home")),
    ],
)
def test_a_setting_that_was_not_applied_is_noticed_and_said(
    root: Path, spoil: str, told: Unapplied, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / spoil).unlink()
    assert main(["firstboot", "--root", str(root)]) == 0
    said = capsys.readouterr().out
    assert told.name in said
    assert SECRET not in said
    report = tidy(root)
    assert report
    assert report.unapplied == (told,)  # and still known at a later start
    assert SECRET not in (root / firstboot.REPORT).read_text("utf-8")


def test_a_card_that_cloud_init_did_not_read_is_noticed(root: Path, write: Write) -> None:
    nothing = {"v1": {"datasource": "DataSourceNone", "errors": ["no user"]}}
    write("run/cloud-init/result.json", json.dumps(nothing))
    write("run/cloud-init/combined-cloud-config.json", "{}")
    write("run/cloud-init/network-config.json", "not JSON")
    report = tidy(root)
    assert report
    assert [one.what for one in report.unapplied] == ["unread", "error"]
    assert with_the_secret(root) == ["etc/netplan/50-cloud-init.yaml"]


@pytest.mark.parametrize("name", firstboot.FORGOTTEN)
def test_a_file_that_this_system_does_not_read_is_told_and_removed(
    root: Path, write: Write, name: str
) -> None:
    left = write(f"boot/firmware/{name}", SECRET)
    report = tidy(root)
    assert report
    assert report.unapplied == (Unapplied("forgotten", name),)
    assert not left.exists()


def test_a_power_cut_amid_it_leaves_the_rest_to_the_next_start(root: Path, write: Write) -> None:
    (root / "etc/hostname").unlink()
    first = tidy(root)
    again = write("boot/firmware/user-data", USER_DATA)  # as if it had not been removed yet
    later = tidy(root)  # cloud-init is off by now, and /run is empty
    assert first
    assert later
    assert later.unapplied == first.unapplied
    assert not again.exists()


@pytest.mark.parametrize("removed", range(6))
def test_wherever_the_power_is_cut_all_that_was_removed_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    """And cloud-init does not run again on a card that it finds without its settings."""
    remove, left = wiping.erase, iter(range(removed))

    def cut(path: Path, troubles: list[str], _until: float = inf) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        remove(path, troubles)

    with monkeypatch.context() as patch:
        patch.setattr(wiping, "erase", cut)
        with pytest.raises(KeyboardInterrupt):
            tidy(root)
    assert (root / firstboot.OFF).exists()
    shutil.rmtree(root / "run/cloud-init")
    assert tidy(root) == Report((), ("user-data", "network-config"))
    assert with_the_secret(root) == ["etc/netplan/50-cloud-init.yaml"]


def test_a_file_that_stays_keeps_no_other_on_the_card_and_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "user-data":
            raise OSError(30, "Read-only file system", str(path))
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        assert main(["firstboot", "--root", str(root), "--lang", "en"]) == 1
    said = capsys.readouterr().out
    assert f"{root}/boot/firmware/user-data: Read-only file system" in said
    assert with_the_secret(root) == ["etc/netplan/50-cloud-init.yaml"], "it was overwritten"
    assert main(["firstboot", "--root", str(root)]) == 0
    assert not (root / "boot/firmware/user-data").exists()


def test_where_cloud_init_cannot_be_switched_off_the_passwords_go_all_the_same(root: Path) -> None:
    (root / firstboot.OFF).symlink_to("/nowhere/at/all")
    assert main(["firstboot", "--root", str(root)]) == 1
    assert with_the_secret(root) == ["etc/netplan/50-cloud-init.yaml"]


def test_a_system_without_cloud_init_is_tidied_too(tmp_path: Path, write: Write) -> None:
    write("boot/firmware/userconf.txt", SECRET)
    assert tidy(tmp_path) == Report((Unapplied("forgotten", "userconf.txt"),), ("userconf.txt",))
    assert not with_the_secret(tmp_path)


def test_each_finding_has_its_sentence_in_both_languages() -> None:
    whats = {"forgotten", "unread", "error", "hostname", "timezone", "user", "wifi"}
    for language in Language:
        assert whats <= messages("provisioning", language, "firstboot")["said"].keys()
