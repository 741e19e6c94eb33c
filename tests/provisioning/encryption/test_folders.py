"""The state folders at each start: unlocked, made new, or left as they are; the hub starts."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers import contact
from hub.app import Hub
from hub.config import Config
from hub.core.model.events import ContactChanged
from hub.core.model.rules import Role
from hub.link.session import MqttSettings
from hub.shared.findings import Verdict
from provisioning.doctor import machine
from provisioning.encryption import folders, fscrypt, keyfile, start, wiping
from provisioning.encryption.folders import ASIDE, BONDS, HUB, Kept
from provisioning.encryption.keyfile import NAMES, KeyFile
from tests.pi.flushes.judge import Line
from tests.provisioning.encryption.conftest import Card

KEPT = b"kept"
BOND = "AA:BB:CC:DD:EE:FF/11:22:33:44:55:66"


def written(root: Path) -> Path:
    """Write a file to the hub's folder; return it."""
    file = root / HUB / "file"
    file.write_bytes(KEPT)
    return file


def test_a_first_start_encrypts_and_the_next_ones_unlock(card: Card) -> None:
    for number in range(3):
        with card:
            assert folders.prepare(card.root)[HUB] is Kept.ENCRYPTED
            assert number == 0 or (card.root / HUB / "file").read_bytes() == KEPT
            written(card.root)


def test_without_its_key_a_folder_shows_no_name(card: Card) -> None:
    with card:
        folders.prepare(card.root)
        written(card.root)
    with card:
        assert [one.name for one in (card.root / HUB).iterdir()] != ["file"]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "a page of zeros": lambda content: content[:4096] + bytes(4096) + content[8192:],
}


@pytest.mark.parametrize("lost", NAMES)
@pytest.mark.parametrize("how", DAMAGES)
def test_one_file_of_the_key_is_enough_and_is_copied(card: Card, lost: str, how: str) -> None:
    with card:
        folders.prepare(card.root)
        written(card.root)
        file = card.root / keyfile.FOLDER / lost
        content = file.read_bytes()
        file.unlink()
        if (damaged := DAMAGES[how](content)) is not None:
            file.write_bytes(damaged)
    with card:
        assert folders.prepare(card.root)[HUB] is Kept.ENCRYPTED
        assert (card.root / HUB / "file").read_bytes() == KEPT
        assert (card.root / keyfile.FOLDER / lost).read_bytes() == content


def test_a_key_that_cannot_be_read_now_is_not_replaced(card: Card) -> None:
    with card:
        folders.prepare(card.root)
        written(card.root)
        for name in NAMES:  # a folder in the place of a file: to read it fails
            file = card.root / keyfile.FOLDER / name
            file.rename(file.with_name(f"{name}.kept"))
            file.mkdir()
    with card:
        assert not start.start(card.root)
        for name in NAMES:
            file = card.root / keyfile.FOLDER / name
            file.rmdir()
            file.with_name(f"{name}.kept").rename(file)
    with card:
        assert folders.prepare(card.root)[HUB] is Kept.ENCRYPTED
        assert (card.root / HUB / "file").read_bytes() == KEPT


def test_a_card_that_takes_no_writes_is_unlocked_all_the_same(card: Card) -> None:
    with card:
        folders.prepare(card.root)
        written(card.root)
        (card.root / keyfile.FOLDER / NAMES[0]).unlink()
    with card:
        subprocess.run(["mount", "-o", "remount,ro", card.root], check=True)
        assert start.start(card.root)
        assert (card.root / HUB / "file").read_bytes() == KEPT


def test_a_folder_whose_key_is_gone_is_set_aside_and_the_hub_can_write(card: Card) -> None:
    for _ in range(2):  # the second time one lies aside already
        with card:
            folders.prepare(card.root)
            written(card.root)
            KeyFile(card.root).destroy()
        with card:
            assert folders.prepare(card.root)[HUB] is Kept.REPLACED
            assert written(card.root).read_bytes() == KEPT
            assert (card.root / f"{HUB}{ASIDE}").is_dir()


def test_the_files_of_a_hub_that_was_not_encrypted_stay_where_they_are(card: Card) -> None:
    with card:
        (card.root / HUB).mkdir()
        written(card.root)
        for _ in range(2):
            assert folders.prepare(card.root)[HUB] is Kept.PLAIN
        assert (card.root / HUB / "file").read_bytes() == KEPT


@pytest.mark.usefixtures("no_encryption")
def test_a_kernel_that_cannot_do_it_leaves_a_hub_that_works(card: Card) -> None:
    with card:
        assert start.start(card.root)
        assert written(card.root).read_bytes() == KEPT
        assert told(card.root) == [(Verdict.NOTE, "unsupported")]


def test_a_kernel_without_the_cipher_leaves_a_hub_that_works(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the policy, and then refuses each file."""
    encrypt = fscrypt.encrypt
    monkeypatch.setattr(fscrypt, "encrypt", lambda folder, _: encrypt(folder, b"without its key."))
    with card:
        assert folders.prepare(card.root)[HUB] is Kept.UNSUPPORTED
        assert written(card.root).read_bytes() == KEPT


def test_a_card_that_fails_is_told_and_nothing_raised(
    card: Card, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    with card:
        monkeypatch.setattr(fscrypt, "add_key", fail)
        assert not start.start(card.root)
    assert "Input/output error" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "running", "kept"),
    [
        ("AA:BB:CC:DD:EE:FF/settings", "", Kept.ENCRYPTED),
        ("AA:BB:CC:DD:EE:FF/settings", "its invocation", Kept.PLAIN),
        (f"{BOND}/info", "", Kept.PLAIN),
    ],
)
def test_bonds_are_encrypted_where_there_are_none_yet(
    card: Card, name: str, running: str, kept: Kept
) -> None:
    with card:
        assert folders.prepare(card.root)[BONDS] is Kept.ABSENT
        file = card.root / BONDS / name
        file.parent.mkdir(parents=True)
        file.write_text("[General]\n")
        if running:
            mark = card.root / folders.RUNNING
            mark.parent.mkdir(parents=True)
            mark.symlink_to(running)
        assert folders.prepare(card.root)[BONDS] is kept
        assert file.exists() == (kept is Kept.PLAIN)


def test_a_wiped_hub_encrypts_the_bonds_that_are_made_next(card: Card) -> None:
    with card:
        (card.root / folders.BLUEZ).parent.mkdir(parents=True)
        (card.root / folders.BLUEZ).touch()
        assert folders.prepare(card.root)[BONDS] is Kept.ENCRYPTED
        wiping.begin(card.root)
        assert wiping.go_on(card.root) == []
        assert not (card.root / BONDS).exists()
        assert folders.prepare(card.root)[BONDS] is Kept.ENCRYPTED


def test_owner_and_mode_of_a_folder_go_on(card: Card) -> None:
    with card:
        folders.prepare(card.root)
        (card.root / HUB).chmod(0o750)
        subprocess.run(["chown", "1234:1234", card.root / HUB], check=True)
        KeyFile(card.root).destroy()
    with card:
        folders.prepare(card.root)
        found = (card.root / HUB).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 1234, 0o750)


def told(root: Path) -> list[tuple[Verdict, str]]:
    return [(one.verdict, one.code) for one in machine.encryption(root / HUB)]


def test_the_doctor_says_how_the_folder_is_kept(card: Card) -> None:
    with card:
        assert told(card.root) == [], "there is none yet"
        folders.prepare(card.root)
        assert told(card.root) == [(Verdict.GOOD, "good")]
        KeyFile(card.root).destroy()
    with card:
        folders.prepare(card.root)
        assert told(card.root) == [(Verdict.NOTE, "aside"), (Verdict.GOOD, "good")]
        wiping.begin(card.root)
        assert wiping.go_on(card.root) == []
        (card.root / HUB).mkdir()
        assert told(card.root) == [(Verdict.NOTE, "plain")]


def test_a_start_says_nothing_when_all_is_well(
    card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    with card:
        assert start.start(card.root)
        assert not wiping.is_begun(card.root)
    assert not capsys.readouterr().out.replace(f"Creating regular file {card.image}\n", "")


def test_a_hub_on_a_folder_that_stays_locked_calls_from_memory(card: Card) -> None:
    """The key could not be given to the kernel: each file is refused, and the call leaves."""
    with card:
        folders.prepare(card.root)
        written(card.root)
    with card:
        assert asyncio.run(_pressed(card.root / HUB))


async def _pressed(state: Path) -> set[str]:
    """Start a hub on a folder, press its button, and return what it sends."""
    button = contact.Driver(name="help", pin=17, role=Role.HELP_BUTTON)
    config = Config(
        (button,), "js-0001", MqttSettings(brokers=("tls://127.0.0.1:1",)),
        state_dir=str(state), run_dir=str(state.parent),
    )  # fmt: skip
    hub, line = Hub(config, ()), Line()
    hub.engine.delivery.carrier = line
    await hub._recover()
    hub.engine.delivery.link_up("tls://127.0.0.1:1")
    hub.engine.emit(ContactChanged(hub.clocks.at(), "help", closed=True))
    async with asyncio.timeout(10):
        while not line.sent:
            await hub.engine.turn()
            await asyncio.sleep(0.01)
    assert hub.engine.delivery.disk, "and the disk's fault is told"
    hub.outbox.close()
    return line.sent
