"""`anbu doctor` on a registered hub: each fault made on real files, and told with what to do."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from hub.__main__ import _hub_config
from hub.shared.findings import Finding, Verdict
from hub.shared.identity import AUTHORITY, CERTIFICATE, CURRENT, FACTS, KEY, Facts, this_board
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import unnoted
from provisioning.certs import dev
from provisioning.certs.authority import authority, certify, issue
from provisioning.doctor import identity
from provisioning.doctor.identity import Board
from provisioning.enrol import keys, store
from provisioning.findings import tell
from provisioning.status import FILE
from tests.broker import certs
from tests.identities import enrol
from tests.provisioning.test_doctor import READERS

HUB = "js-0001"
DAY = timedelta(days=1)
COUNTY = 'county = "정선"\ncenter = "https://center.example:8444"\nca = "ca.crt"\n'
DEVICE = '[[device]]\nkind = "contact"\nname = "help"\nrole = "help_button"\npin = 17\n'
WELL = (Verdict.GOOD, "good")


class Home:
    """An installed hub in a folder: its settings, its county, its board and its identity."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "hub.toml"
        self.root = folder / "state" / "identity"
        self.config.write_text(f'state_dir = "state"\nrun_dir = "run"\n{DEVICE}')
        (folder / "county.toml").write_text(
            COUNTY + 'brokers = ["tls://center.example:8883"]\n', "utf-8"
        )
        shutil.copy(certs() / "ca.crt", folder / "ca.crt")
        (folder / "provision.toml").write_text('state_dir = "state"\nrun_dir = "run"\n')
        self.board = Board(folder / "serial", folder / "product", folder / "machine-id")
        self.board.serial.write_text("10000000abcdef\0")
        self.board.machine.write_text("0123456789abcdef\n")
        self.runs()

    def runs(self, **shown: str) -> None:
        (self.folder / "run").mkdir(exist_ok=True)
        told = {"pid": os.getpid()} | shown
        (self.folder / "run" / FILE).write_text(json.dumps(told))

    def enrol(self, begins: datetime | None = None, ends: datetime | None = None) -> None:
        """Add a generation with a certificate of these dates, for this board."""
        parent, now = dev.read(certs(), "ca"), datetime.now(UTC)
        assert parent
        pair = issue(parent, HUB, begins=begins or now - DAY, ends=ends or now + 89 * DAY)
        asked = store.begin(self.root, self.board.id(), pair.key_pem(), b"")
        facts = Facts(HUB, self.board.id())
        store.finish(asked, pair.certificate_pem(), (certs() / "ca.crt").read_bytes(), facts)
        store.adopt(self.root, self.board.id())

    def every(self) -> list[Finding]:
        config = _hub_config(self.config, unnoted)
        _, said = identity.county(config, READERS)
        found = [*said, *identity.examine(config, READERS, self.config, self.board)]
        assert all(tell(finding) for finding in found)  # each has its sentences
        return found

    def codes(self) -> dict[str, tuple[Verdict, str]]:
        return {one.check: (one.verdict, one.code) for one in self.every()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_hub_that_is_registered_well_has_nothing_to_mend(home: Home) -> None:
    home.enrol()
    assert set(home.codes().values()) == {WELL}
    assert set(home.codes()) == {"county", "provision_process", "identity", "board",
                                 "identity_modes"}  # fmt: skip


def test_a_hub_that_is_not_registered_says_so_and_where_the_digits_are(home: Home) -> None:
    assert home.codes()["identity"] == (Verdict.BAD, "none")
    store.begin(home.root, home.board.id(), keys.new_key(), b"")
    assert home.codes()["identity"] == (Verdict.BAD, "begun")
    home.runs(digits="40718235")
    waiting = next(one for one in home.every() if one.check == "identity")
    assert (waiting.verdict, waiting.code) == (Verdict.BAD, "waits")
    assert "40718235" not in json.dumps(tell(waiting))  # they would let somebody in


@pytest.mark.parametrize(
    ("age", "left", "expected"),
    [
        (29, 61, (Verdict.GOOD, "good")),
        (31, 59, (Verdict.NOTE, "due")),
        (61, 29, (Verdict.BAD, "overdue")),
        (91, -1, (Verdict.BAD, "expired")),
        (181, -91, (Verdict.BAD, "ended")),
    ],
)
def test_the_days_of_a_certificate_are_told_and_who_has_to_do_what(
    home: Home, age: int, left: int, expected: tuple[Verdict, str]
) -> None:
    now = datetime.now(UTC)
    home.enrol(now - age * DAY, now + left * DAY)
    assert home.codes()["identity"] == expected


def test_a_renewed_certificate_that_waits_is_no_fault(home: Home) -> None:
    now = datetime.now(UTC)
    home.enrol(now - 70 * DAY, now + 20 * DAY)
    home.enrol()
    assert home.codes()["identity"] == (Verdict.NOTE, "next")


@pytest.mark.parametrize(
    ("current", "renewed", "expected", "ends"),
    [
        ((-130, -40), (-100, -10), (Verdict.BAD, "expired"), -40),
        ((-300, -210), (-100, -10), (Verdict.BAD, "ended"), -210),
        ((-130, -40), (-70, 20), (Verdict.BAD, "overdue"), 20),
        ((-300, -210), (-1, 89), (Verdict.NOTE, "next"), -210),
        ((-50, 40), (-100, -10), (Verdict.NOTE, "due"), 40),
    ],
)
def test_a_renewed_certificate_that_has_ended_itself_is_no_comfort(
    home: Home,
    current: tuple[int, int],
    renewed: tuple[int, int],
    expected: tuple[Verdict, str],
    ends: int,
) -> None:
    now = datetime.now(UTC)
    for begun, ended in (current, renewed):
        home.enrol(now + begun * DAY, now + ended * DAY)
    found = next(one for one in home.every() if one.check == "identity")
    assert (found.verdict, found.code) == expected
    assert found.values["date"] == f"{now + ends * DAY:%Y-%m-%d}"


def test_a_renewed_certificate_that_cannot_be_read_is_no_comfort(home: Home) -> None:
    now = datetime.now(UTC)
    home.enrol(now - 91 * DAY, now - DAY)
    home.enrol()
    (home.root / "2" / CERTIFICATE).write_bytes(b"?")
    assert home.codes()["identity"] == (Verdict.BAD, "expired")


def test_a_card_on_another_board_asks_whether_the_device_was_replaced(home: Home) -> None:
    home.enrol()
    home.board.serial.write_text("10000000fedcba\0")
    found = next(one for one in home.every() if one.check == "board")
    assert (found.verdict, found.code) == (Verdict.BAD, "other")
    assert "교체하셨습니까?" in tell(found)[Language.KOREAN]


def test_on_a_pc_only_the_hubs_own_user_can_tell_the_board(home: Home) -> None:
    home.enrol()
    home.board.serial.unlink()
    home.board.product.write_text("uuid\n")
    assert home.codes()["board"] == (Verdict.NOTE, "unsure")


def test_an_identity_that_is_bound_to_no_board_is_told(home: Home) -> None:
    enrol(home.root, HUB)
    assert home.codes()["board"] == (Verdict.NOTE, "unbound")


def test_a_key_that_others_can_read_is_told(home: Home) -> None:
    home.enrol()
    (home.root / "1" / KEY).chmod(0o644)
    found = next(one for one in home.every() if one.check == "identity_modes")
    assert (found.verdict, found.code) == (Verdict.BAD, "exposed")
    assert found.values["file"].endswith(KEY)


def test_files_that_another_user_has_made_are_told(home: Home) -> None:
    """As after somebody ran `anbu provision run` as root: the hub can read none of it."""
    home.enrol()
    found = identity.modes(home.root, os.getuid() + 1)
    assert (found.verdict, found.code) == (Verdict.BAD, "foreign")
    assert "chown" in tell(found)[Language.ENGLISH]


def test_a_damaged_certificate_is_told(home: Home) -> None:
    home.enrol()
    (home.root / "1" / CERTIFICATE).write_bytes(b"?")
    assert home.codes()["identity"] == (Verdict.BAD, "damaged")
    (home.root / "1" / KEY).write_bytes(b"")
    assert home.codes()["identity"] == (Verdict.BAD, "damaged")
    assert (home.root / "1" / FACTS).exists()


def test_a_key_of_another_certificate_is_told(home: Home) -> None:
    home.enrol()
    (home.root / "1" / KEY).write_bytes(keys.new_key())
    assert home.codes()["certificate"] == (Verdict.BAD, "mismatch")


def test_the_newest_whole_generation_in_place_of_a_damaged_one_is_told(home: Home) -> None:
    home.enrol()
    (home.root / CURRENT).unlink()
    codes = [(one.check, one.code) for one in home.every()]
    assert ("identity", "fallback") in codes
    assert ("identity", "good") in codes


def test_a_process_that_is_stopped_or_in_trouble_is_told_in_its_own_words(home: Home) -> None:
    home.enrol()
    home.runs(trouble="own_refused")
    found = next(one for one in home.every() if one.code == "trouble")
    words = messages("provisioning", Language.KOREAN, "provision")["enrol"]
    assert words["own_refused"] in tell(found)[Language.KOREAN]
    (home.folder / "run" / FILE).unlink()
    assert home.codes()["provision_process"] == (Verdict.BAD, "stopped")


def test_a_folder_of_another_state_is_told(home: Home) -> None:
    (home.folder / "provision.toml").write_text('state_dir = "elsewhere"\n')
    assert home.codes()["provision_config"] == (Verdict.BAD, "state")
    (home.folder / "provision.toml").write_text("state_dirr = 1\n")
    assert home.codes()["provision_config"] == (Verdict.BAD, "mistake")


def test_who_may_not_look_is_told_how_to(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, who may look into every folder: so the refusal is made."""

    def refused(folder: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(folder))

    home.enrol()
    monkeypatch.setattr(Path, "iterdir", refused)
    (home.folder / "run" / FILE).unlink()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert home.codes()["identity"] == (Verdict.NOTE, "forbidden")
    assert home.codes()["provision_process"] == (Verdict.NOTE, "unseen")


def test_a_county_that_is_missing_or_names_no_centre_is_told(home: Home) -> None:
    file = home.folder / "county.toml"
    file.write_text('county = "정선"\n', "utf-8")
    assert home.codes()["county"] == (Verdict.BAD, "no_center")
    file.unlink()
    assert home.codes()["county"] == (Verdict.BAD, "none")
    config = replace(_hub_config(home.config, unnoted), county=str(file))
    file.write_text("center = 1\n", "utf-8")
    assert [one.code for one in identity.county(config, READERS)[1]] == ["mistake"]


def test_an_image_that_is_too_old_for_its_county_is_told(home: Home) -> None:
    now = datetime.now(UTC)
    for ends, expected in (
        (now - DAY, (Verdict.BAD, "expired")),
        (now + 100 * DAY, (Verdict.NOTE, "soon")),
    ):
        pair = issue(authority(), "county", begins=now - 2 * DAY, ends=ends)
        (home.folder / "ca.crt").write_bytes(pair.certificate_pem())
        assert home.codes()["county"] == expected
    (home.folder / "ca.crt").write_bytes(b"?")
    assert home.codes()["county"] == (Verdict.BAD, "no_ca")


def test_an_image_with_the_new_authority_beside_the_old_one_is_good(home: Home) -> None:
    """As the guide for a new authority says: both are in the file, and the old one may end."""
    now = datetime.now(UTC)
    new, old = root("new", now + 3000 * DAY), root("old", now - DAY)
    for pem in (new + old, old + new):
        (home.folder / "ca.crt").write_bytes(pem)
        found = next(one for one in home.every() if one.check == "county")
        assert (found.verdict, found.code) == WELL
        assert found.values["date"] == f"{now + 3000 * DAY:%Y-%m-%d}"


def test_an_intermediate_that_outlives_its_root_does_not_hide_that_the_root_ended(
    home: Home,
) -> None:
    now = datetime.now(UTC)
    below = issue(authority("root"), "below", begins=now - 20 * DAY, ends=now + 900 * DAY)
    pem = below.certificate_pem() + root("root", now - DAY)
    (home.folder / "ca.crt").write_bytes(pem)
    assert home.codes()["county"] == (Verdict.BAD, "expired")


def root(name: str, ends: datetime) -> bytes:
    """Return a self-signed certificate that ends then, as PEM."""
    pair = authority(name)
    begins = ends - 3650 * DAY
    signed = certify(pair, name, pair.key.public_key(), begins=begins, ends=ends)
    return signed.public_bytes(Encoding.PEM)


def test_the_doctor_changes_nothing_of_an_identity(home: Home) -> None:
    def state() -> dict[str, tuple[int, int]]:
        every = (home.folder / "state").rglob("*")
        return {str(one): (one.lstat().st_mtime_ns, one.lstat().st_mode) for one in every}

    home.enrol()
    home.enrol()
    before = state()
    home.every()
    assert state() == before
    assert (home.root / "1" / AUTHORITY).exists()


def test_this_machines_own_board_is_the_usual_one() -> None:
    assert Board().id() == this_board()
