"""A hub that leaves a home: what it kept is not found in the raw bytes of its card."""

import subprocess
from pathlib import Path

import pytest

from drivers.bluetooth.pairing import roster
from hub.__main__ import main
from hub.core.model.effects import Lane
from hub.core.model.wireless import Phone
from hub.outbox.store import Outbox, Row
from hub.shared.identity import KEY, in_use
from provisioning.encryption import folders, keyfile, start, wiping
from provisioning.encryption.folders import Kept
from tests.identities import enrol
from tests.provisioning.encryption.conftest import Card

HUB = "js-0001"
NAME = "카나리아 할머니".encode()  # an invented resident
CALL = b"canary-call-7d1f"
SPOKEN = "카나리아 님, 약 드실 시간입니다.".encode()
WIFI = b"[wifi]\nssid=home\n[wifi-security]\npsk=canary-password-93\n"
PASSWORD = b"canary-password-93"


def live(root: Path) -> tuple[bytes, ...]:
    """Let the product write what a home leaves on its hub; return what to look for."""
    state = root / folders.HUB
    row = Row(1, CALL.decode(), Lane.SOS, f"anbu/1/{HUB}/event", NAME, retain=False)
    outbox = Outbox(state / "outbox.db")
    outbox.commit(NAME, [row], ())
    outbox.close()
    enrol(state / "identity", HUB)
    roster.write(state / "devices.toml", (Phone(NAME.decode(), "C4:C5:C6:C7:C8:C9"),))
    (root / folders.SPOKEN / "sentence.ogg").write_bytes(SPOKEN)
    key = (state / "identity/1" / KEY).read_bytes()
    networks = root / wiping.NETWORKS[0]
    networks.mkdir(parents=True)
    (networks / "home.nmconnection").write_bytes(WIFI)
    (networks / "cable.nmconnection").write_bytes(b"[ethernet]\n")
    subprocess.run(["sync", "-f", root], check=True)
    return NAME, CALL, SPOKEN, key.splitlines()[1]


def started(root: Path) -> set[Kept]:
    return set(folders.prepare(root).values()) - {Kept.ABSENT}


def wipe(root: Path, name: str = HUB) -> None:
    assert main(["wipe", "--root", str(root), "--hub", name, "--lang", "en"]) == 0


def test_a_wiped_hub_holds_no_canary(card: Card) -> None:
    with card:
        assert started(card.root) == {Kept.ENCRYPTED}
        canaries = live(card.root)
        key = (card.root / keyfile.FOLDER / "key").read_bytes()[4096:4160]
    assert card.holds(*canaries) == [], "none of it lies on the card as it is"
    assert card.holds(key, PASSWORD) == [key, PASSWORD], "the search finds what is there"
    with card:
        assert started(card.root) == {Kept.ENCRYPTED}
        assert in_use(card.root / folders.HUB / "identity"), "a restart can read it"
        wiping.begin(card.root)
        wiping.go_on(card.root)  # without a word to the card of free blocks
    assert card.holds(*canaries, key, PASSWORD) == []
    with card:
        assert started(card.root) == {Kept.ENCRYPTED}
        assert list((card.root / folders.HUB).iterdir()) == []


@pytest.mark.usefixtures("no_encryption")
def test_in_a_hub_that_does_not_encrypt_the_search_finds_them_all(card: Card) -> None:
    with card:
        assert started(card.root) == {Kept.UNSUPPORTED}
        canaries = live(card.root)
    assert card.holds(*canaries) == list(canaries)


@pytest.mark.usefixtures("no_encryption")
def test_without_encryption_the_files_are_overwritten_and_more_is_not_claimed(
    card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        started(card.root)
        canaries = live(card.root)
        wipe(card.root)
    assert "destroy it" in capsys.readouterr().out
    assert card.holds(*canaries, PASSWORD) == []


def test_the_key_was_what_made_it_readable(card: Card) -> None:
    """The control: the same card before it was wiped, with its key, has all of it."""
    with card:
        started(card.root)
        live(card.root)
    before = Card(card.image.with_name("before.img"), card.root.with_name("before"))
    before.image.write_bytes(card.image.read_bytes())
    with card:
        started(card.root)
        wipe(card.root)
    with before:
        assert started(before.root) == {Kept.ENCRYPTED}
        assert NAME in (before.root / folders.HUB / "devices.toml").read_bytes()
        keyfile.KeyFile(before.root).destroy()
    with before:
        assert started(before.root) == {Kept.REPLACED}
        assert list((before.root / folders.HUB).iterdir()) == []


def test_other_networks_than_the_wifi_stay(card: Card) -> None:
    with card:
        started(card.root)
        live(card.root)
        wipe(card.root)
        folder = card.root / wiping.NETWORKS[0]
        assert [one.name for one in folder.iterdir()] == ["cable.nmconnection"]


def test_somebody_has_to_type_the_hubs_name(
    card: Card, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        started(card.root)
        live(card.root)
        for typed in ("", "yes", "js-0002"):
            monkeypatch.setattr("sys.stdin.readline", lambda typed=typed: f"{typed}\n")
            assert main(["wipe", "--root", str(card.root)]) == 1
        assert not wiping.is_begun(card.root)
        assert in_use(card.root / folders.HUB / "identity")
        monkeypatch.setattr("sys.stdin.readline", lambda: f"{HUB}\n")
        assert main(["wipe", "--root", str(card.root)]) == 0
        wipe(card.root, "anbu")  # a second time does no harm
    assert HUB in capsys.readouterr().out


def test_only_root_may_wipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["wipe", "--root", str(tmp_path), "--hub", "anbu"]) == 1
    assert "sudo anbu wipe" in capsys.readouterr().out
    assert not wiping.is_begun(tmp_path)


def test_a_wiping_that_fails_says_how_it_goes_on(
    card: Card, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        started(card.root)
        live(card.root)
        with monkeypatch.context() as patch:
            patch.setattr(wiping, "erase", _fail)
            assert main(["wipe", "--root", str(card.root), "--hub", HUB, "--lang", "en"]) == 1
        assert "next start goes on" in capsys.readouterr().out
        assert start.start(card.root)
        assert not wiping.is_begun(card.root)
        assert in_use(card.root / folders.HUB / "identity") is None


def _fail(*_: object) -> None:
    raise OSError(5, "Input/output error")
