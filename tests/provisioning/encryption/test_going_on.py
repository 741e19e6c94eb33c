"""A wiping that was cut off or cannot end: the next home's hub works, and loses nothing by it.

What cannot be erased is real here: files that are immutable (chattr +i), a swap file in use.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.__main__ import main
from provisioning.encryption import command, folders, fscrypt, keyfile, start, wiping
from provisioning.encryption.folders import BONDS, FOLDERS, HUB
from provisioning.encryption.keyfile import LaterError
from tests.layout import REPO
from tests.provisioning.encryption.conftest import Card
from tests.test_units import UNITS, read

OLD, NEW = "카나리아 할머니".encode(), b"a call of the next home"
NETWORKS = wiping.NETWORKS[0]
WIFI = f"{NETWORKS}/home.nmconnection"
JOURNAL = "var/log/journal/0123/system.journal"
PLAIN = (WIFI, JOURNAL, "var/lib/anbu-firstboot/report.json", "etc/anbu/hub.key", "var/swap")
PSK = b"[wifi]\npsk="


def put(root: Path, name: str, content: bytes) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def lived_in(root: Path) -> None:
    """Make a hub of a home, and begin to wipe it: the power goes before more is done."""
    assert start.start(root)
    for name in (f"{HUB}/outbox.db", *PLAIN):
        put(root, name, PSK + OLD)
    wiping.begin(root)


def moved_in(root: Path) -> None:
    """Let a new hub write what its home needs."""
    (root / HUB).mkdir(exist_ok=True)
    put(root, f"{HUB}/calls.db", NEW)
    for name in (f"{NETWORKS}/next.nmconnection", JOURNAL.replace("0123", "4567")):
        put(root, name, PSK + NEW)


def has_all_of_the_next_home(root: Path) -> bool:
    names = (f"{NETWORKS}/next.nmconnection", JOURNAL.replace("0123", "4567"))
    kept = [(root / name).read_bytes() for name in names]
    return kept == [PSK + NEW] * 2 and (root / HUB / "calls.db").read_bytes() == NEW


def with_the_old_home(root: Path) -> set[str]:
    files = [file for file in root.rglob("*") if file.is_file()]
    return {str(file.relative_to(root)) for file in files if OLD in file.read_bytes()}


@contextmanager
def immutable(place: Path) -> Iterator[None]:
    number = place.stat().st_ino
    subprocess.run(["chattr", "+i", place], check=True)
    try:
        yield
    finally:  # the folder that it is in may have moved
        there = place.parent.parent.rglob("*")
        found = next(one for one in there if one.lstat().st_ino == number)
        subprocess.run(["chattr", "-i", found], check=True)


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_that_cannot_be_erased_is_told_and_the_next_home_loses_nothing(
    card: Card, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        lived_in(card.root)
    with card:
        with immutable(card.root / name):
            assert start.start(card.root), "the hub's folders are ready, and no retry would help"
            assert Path(name).name in capsys.readouterr().out
            assert [Path(one).name for one in with_the_old_home(card.root)] == [Path(name).name]
            moved_in(card.root)
            for _ in range(2):
                assert start.start(card.root)
                assert Path(name).name in capsys.readouterr().out, "each start says so"
                assert has_all_of_the_next_home(card.root)
        assert start.start(card.root)
        assert not with_the_old_home(card.root)
        assert not wiping.is_begun(card.root)
        assert not wiping.is_left(card.root)
        assert has_all_of_the_next_home(card.root)


@pytest.mark.parametrize("folder", FOLDERS[:2])
def test_a_folder_that_cannot_be_moved_is_emptied_once(card: Card, folder: Path) -> None:
    """As one that is a mount point: here the folder above it takes no change."""
    with card:
        lived_in(card.root)
        kept = put(card.root, f"{folder}/deep/kept.db", OLD)
    with card:
        with immutable(card.root / folder):
            assert not start.start(card.root), "the hub works from memory, and it is retried"
        assert start.start(card.root)
        moved_in(card.root)
        assert start.start(card.root)
        assert not kept.exists()
        assert has_all_of_the_next_home(card.root)


@pytest.mark.usefixtures("no_encryption")
def test_a_mount_point_with_a_file_that_stays_keeps_what_the_next_home_writes(
    card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        place = card.root / HUB
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)
        try:
            lived_in(card.root)
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            assert start.start(card.root)
            assert f"{place}/outbox.db" in capsys.readouterr().out
            subprocess.run(["mount", "-o", "remount,rw", place], check=True)
            moved_in(card.root)
            assert start.start(card.root)
            assert not with_the_old_home(card.root)
            assert not wiping.is_left(card.root)
            assert has_all_of_the_next_home(card.root)
        finally:
            subprocess.run(["umount", place], check=True)


def test_what_a_new_home_puts_in_the_place_of_a_file_that_stayed_is_its_own(card: Card) -> None:
    with card:
        lived_in(card.root)
        with immutable(card.root / WIFI):
            start.start(card.root)
        put(card.root, WIFI, PSK + NEW)
        assert start.start(card.root)
        assert (card.root / WIFI).read_bytes() == PSK + NEW
        assert not wiping.is_left(card.root)


def test_a_swap_file_in_use_is_taken_out_of_use_and_erased(card: Card) -> None:
    with card:
        lived_in(card.root)
        swap = put(card.root, "var/swap", OLD * 200_000)
        swap.chmod(0o600)
        subprocess.run(["mkswap", "-q", swap], check=True)
        subprocess.run(["swapon", swap], check=True)
        try:
            assert start.start(card.root)
        finally:
            subprocess.run(["swapoff", swap], check=False, capture_output=True)
        assert not swap.exists()
        assert not wiping.is_left(card.root)
    assert card.holds(OLD) == []


def test_a_large_file_waits_for_no_hub_and_does_not_begin_anew(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    with card:
        lived_in(card.root)
        put(card.root, "var/swap", bytes(4096))
        monkeypatch.setattr(start, "ERASING_S", -1.0)
        assert not start.start(card.root), "it is tried again in 30 s"
        assert fscrypt.policy(card.root / HUB), "the hub has its folder before"
        moved_in(card.root)
        assert not start.start(card.root)
        monkeypatch.undo()
        assert start.start(card.root)
        assert not with_the_old_home(card.root)
        assert has_all_of_the_next_home(card.root)


def test_what_was_overwritten_stays_so_when_the_time_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = put(tmp_path, "large", OLD * 10_000)
    size, clock = large.stat().st_size, iter([0.0, 0.0, 2.0])
    monkeypatch.setattr(keyfile, "PIECE_BYTES", size // 3)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with pytest.raises(LaterError):
        keyfile.overwrite(large, until=1.0)
    assert large.stat().st_size == size - 2 * (size // 3)


def test_a_start_that_is_killed_amid_it_has_moved_the_old_home_and_only_that(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub starts with a folder of its own; the retry must not take that one."""
    with card:
        lived_in(card.root)
        with monkeypatch.context() as patch:
            patch.setattr(wiping, "_finish_moving", _fail)
            assert not start.start(card.root)
            moved_in(card.root)
            assert not start.start(card.root)
        assert start.start(card.root)
        assert (card.root / HUB / "calls.db").read_bytes() == NEW
        assert not with_the_old_home(card.root)
        assert not wiping.is_left(card.root)


@pytest.mark.usefixtures("no_encryption")
def test_a_mount_point_is_emptied_once_even_where_that_cannot_be_noted(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    with card:
        place = card.root / HUB
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)
        try:
            lived_in(card.root)
            with monkeypatch.context() as patch:
                patch.setattr(wiping, "_finish_moving", _fail)
                assert not start.start(card.root)
                assert not (place / "outbox.db").exists()
                moved_in(card.root)
                assert not start.start(card.root)
            assert start.start(card.root)
            assert (place / "calls.db").read_bytes() == NEW
        finally:
            subprocess.run(["umount", place], check=True)


def test_the_kernel_gives_up_the_key_before_anything_is_erased(card: Card) -> None:
    with card:
        lived_in(card.root)
        assert wiping.make_way(card.root) == []
        (moved,) = (card.root / HUB).parent.glob(f".{HUB.name}.{wiping.WIPING}-*")
        assert [one.name for one in moved.iterdir()] != ["outbox.db"]


def test_a_key_that_stays_opens_nothing_and_is_tried_again(card: Card) -> None:
    with card:
        lived_in(card.root)
        key = card.root / keyfile.FOLDER / "key"
        was = key.read_bytes()
    with card:
        with immutable(key):
            assert not start.start(card.root)
            assert not (card.root / HUB / "outbox.db").exists()
            moved_in(card.root)
            assert not start.start(card.root)
        assert start.start(card.root)
        assert key.read_bytes() != was, "it was never given to the next home"
        assert (card.root / HUB / "calls.db").read_bytes() == NEW
        assert not with_the_old_home(card.root)


def test_a_card_that_takes_no_writes_does_not_open_the_old_home_again(card: Card) -> None:
    with card:
        lived_in(card.root)
    with card:
        subprocess.run(["mount", "-o", "remount,ro", card.root], check=True)
        assert not start.start(card.root)
        assert not (card.root / HUB / "outbox.db").exists(), "it stays locked"
    with card:
        assert start.start(card.root)
        assert not with_the_old_home(card.root)


def test_a_key_that_cannot_be_overwritten_is_removed_and_told(
    card: Card, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        lived_in(card.root)
        with monkeypatch.context() as patch:
            patch.setattr(keyfile, "overwrite", lambda file: file.exists() and _fail())
            assert start.start(card.root)
        assert "Input/output error" in capsys.readouterr().out
        assert not (card.root / HUB / "outbox.db").exists()
        assert (card.root / keyfile.FOLDER / "key").exists(), "a new one"


def test_one_folder_that_fails_does_not_keep_the_others_from_being_made(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = fscrypt.policy

    def fail(folder: Path) -> bytes | None:
        return _fail() if folder == card.root / HUB else policy(folder)

    with card:
        (card.root / folders.BLUEZ).parent.mkdir(parents=True)
        (card.root / folders.BLUEZ).touch()
        monkeypatch.setattr(fscrypt, "policy", fail)
        assert not start.start(card.root)
        assert policy(card.root / BONDS)


def test_a_hub_of_the_next_home_is_asked_for_its_name_again(card: Card) -> None:
    """A file of the home before it is left: that is no word to wipe this one too."""
    with card:
        lived_in(card.root)
        with immutable(card.root / JOURNAL):
            assert start.start(card.root)
            moved_in(card.root)
            assert main(["wipe", "--root", str(card.root), "--hub", "wrong"]) == 1
            assert has_all_of_the_next_home(card.root)
            argv = ["wipe", "--root", str(card.root), "--hub", "anbu", "--lang", "en"]
            assert main(argv) == 1, "not all of it"
            assert not (card.root / HUB).exists()
            assert start.start(card.root)
        assert start.start(card.root)
        assert not wiping.is_left(card.root)
        assert not with_the_old_home(card.root)


def test_what_could_not_be_erased_is_said_to_whoever_wipes(
    card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        lived_in(card.root)
        with immutable(card.root / JOURNAL):
            assert main(["wipe", "--root", str(card.root), "--lang", "en"]) == 1
        said = capsys.readouterr().out
        assert str(card.root / JOURNAL) in said
        assert "next start" in said
        assert with_the_old_home(card.root) == {JOURNAL}


def test_a_unit_that_does_not_stop_leaves_it_to_the_next_start(
    card: Card, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hang(words: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(words, command.STOP_S)

    with card:
        lived_in(card.root)
        (card.root / command.BOOTED).mkdir(parents=True)
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "run", hang)
            assert main(["wipe", "--root", str(card.root), "--lang", "en"]) == 1
        assert "next start goes on" in capsys.readouterr().out
        assert (card.root / HUB / "outbox.db").exists(), "nothing is taken from a hub that runs"
        assert start.start(card.root)
        assert not with_the_old_home(card.root)


def test_a_program_for_swap_or_the_journal_that_hangs_or_is_missing_stops_nothing(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(words: list[str], **_: object) -> None:
        if words[0] == "swapoff":
            raise subprocess.TimeoutExpired(words, command.STOP_S)
        if words[0] == "journalctl":
            raise FileNotFoundError(words[0])

    with card:
        lived_in(card.root)
        (card.root / command.BOOTED).mkdir(parents=True)
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "run", run)
            assert main(["wipe", "--root", str(card.root), "--lang", "en"]) == 0
        assert not with_the_old_home(card.root)


def test_the_unit_may_write_wherever_something_is_erased() -> None:
    service = read(UNITS / "anbu-state.service")["Service"]
    writable = [Path(one.removeprefix("-")) for one in service["ReadWritePaths"].split()]
    for name in (*map(str, FOLDERS), *PLAIN, *(f"{one}/a" for one in wiping.NETWORKS)):
        folder = (Path("/") / name).parent
        assert any(folder.is_relative_to(one) for one in writable), name
    text = (REPO / "systemd/anbu-state.service").read_text("utf-8")
    assert "SystemCallFilter=swapoff" in text
    assert int(service["TimeoutStartSec"]) / 2 > start.ERASING_S


def _fail(*_: object) -> bytes:
    raise OSError(5, "Input/output error")
