"""What a hub leaves at the centre for the one that replaces it, when, and what becomes of it."""

import json
import os
import random
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.contract.provision import Fact, Part, Trouble
from hub.shared import anew
from hub.shared.county import County
from provisioning.backup import daily, kept
from provisioning.backup.daily import DAY_S, FAULT_S, HOUR_S, Backups, Mark, mark_of, wait_s
from provisioning.backup.kept import KEYED, Kept, UnfitError
from tests.broker import certs
from tests.identities import enrol
from tests.provisioning.enrol.est import Answer, Est

HUB, OTHER = "js-0001", "js-0002"
NOW = 1_790_000_000.0
LISTED = """
[[device]]
kind = "pendant"
name = "pendant"
address = "C0:FF:EE:12:34:56"
key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
place = "목걸이"

[[device]]
kind = "sensor"
name = "front"
sense = "exit_door"
address = "C0:FF:EE:12:34:59"
silent_s = 86400

[[device]]
kind = "sensor"
name = "smoke"
sense = "smoke"
address = "C0:FF:EE:12:34:58"
key = "1f1e2d3c4b5a69788796a5b4c3d2e1f0"
"""


class Home:
    """A hub's folder with its process's backups, and a clock that a test can move on."""

    def __init__(self, folder: Path, est: Est, hub: str = HUB) -> None:
        self.state, self.voice, self.est = folder / "state", folder / "voice", est
        self.state.mkdir(parents=True)
        self.voice.mkdir()
        self.told: list[Fact] = []
        self.ahead_s = 0.0
        self.claim(hub)
        self.begin()

    def claim(self, hub: str) -> None:
        enrol(self.state / "identity", hub, "b")

    def begin(self) -> None:
        """The process begins anew."""
        county = County(center=self.est.url, ca=str(certs() / "ca.crt"))
        folders = self.state, self.voice
        utc = lambda: time.time() + self.ahead_s  # noqa: E731
        self.backups = Backups(folders, county, "b", self.told.append, spread_s=0.0, utc=utc)

    def learns(self, habits: bytes = b"habits", listed: str = LISTED) -> None:
        (self.state / kept.HABITS).write_bytes(habits)
        (self.state / anew.LIST).write_text(listed, encoding="utf-8")
        (self.voice / kept.VOICE).write_bytes(b"{}")

    def days_later(self, days: float) -> None:
        self.ahead_s += days * DAY_S
        self.begin()
        self.backups.look()

    def troubles(self) -> dict[Part, str]:
        last = {fact.part: fact for fact in self.told if isinstance(fact, Trouble)}
        return {part: fact.detail for part, fact in last.items() if fact.present}


@pytest.fixture
def est() -> Iterator[Est]:
    with Est(certs()) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, est: Est) -> Home:
    return Home(tmp_path / "a", est)


def stored(est: Est, hub: str = HUB) -> Kept:
    assert est.kept
    return kept.unpack(est.kept[hub])


def test_a_new_hub_asks_before_it_stores_and_stores_once_a_day(home: Home, est: Est) -> None:
    home.learns()
    home.backups.fetch()
    assert est.kept == {}, "first it has to know what there is"
    home.backups.look()
    assert stored(est).habits == b"habits"
    home.learns(b"more")
    home.backups.look()
    home.days_later(0.8)
    assert stored(est).habits == b"habits", "not yet"
    home.days_later(0.4)
    assert stored(est).habits == b"more"
    assert home.troubles() == {}


def test_a_replacement_gets_it_and_the_devices_that_need_no_bond(
    home: Home, est: Est, tmp_path: Path
) -> None:
    home.learns()
    home.backups.fetch()
    home.backups.look()
    raw = zlib.decompress(stored_bytes(est))
    assert b"0f1e2d3c" not in raw
    assert b"1f1e2d3c" not in raw
    new = Home(tmp_path / "b", est)
    new.backups.fetch()
    assert (new.state / kept.RESTORED).read_bytes() == b"habits"
    listed = anew.tables((new.state / anew.LIST).read_text(encoding="utf-8"))
    assert [(one["name"], one["silent_s"]) for one in listed] == [("front", 86_400)]
    assert [(one.name, one.place) for one in anew.awaited(new.state)] == [
        ("pendant", "목걸이"), ("smoke", "")
    ]  # fmt: skip
    assert new.troubles() == {Part.BONDS: "pendant, smoke"}
    assert (new.voice / kept.VOICE).read_bytes() == b"{}"
    assert (new.state / anew.LIST).stat().st_mode & 0o777 == 0o600
    new.backups.look()
    assert stored(est).devices[1:] == kept.collect(home.state, home.voice).devices[::2], (
        "a second replacement gets all of it again"
    )
    (new.state / anew.LIST).write_text(LISTED, encoding="utf-8")
    new.backups.look()
    assert new.troubles() == {}


def stored_bytes(est: Est, hub: str = HUB) -> bytes:
    assert est.kept
    return est.kept[hub]


def test_what_a_replacement_has_itself_stays(home: Home, est: Est, tmp_path: Path) -> None:
    home.learns()
    home.backups.fetch()
    home.backups.look()
    new = Home(tmp_path / "b", est)
    own = LISTED[: LISTED.index("[[device]]", 30)]
    new.learns(b"own", own)
    new.backups.fetch()
    assert (new.state / anew.LIST).read_text(encoding="utf-8") == own
    assert [one.name for one in anew.awaited(new.state)] == ["front", "smoke"]
    assert anew.drop(new.state, "front")
    assert not anew.drop(new.state, "front")
    assert [one.name for one in anew.awaited(new.state)] == ["smoke"]


def test_a_hub_claimed_for_the_wrong_home_leaves_nothing_of_it_behind(
    home: Home, est: Est, tmp_path: Path
) -> None:
    home.learns()
    home.backups.fetch()
    home.backups.look()
    new = Home(tmp_path / "b", est)
    new.backups.fetch()
    (new.state / kept.RESTORED).rename(new.state / kept.HABITS)  # the hub has taken it
    new.claim(OTHER)
    new.backups.fetch()
    assert (new.state / kept.RESTORED).read_bytes() == b"", "learning begins anew"
    assert (new.state / anew.LIST).read_text(encoding="utf-8") == ""
    assert anew.awaited(new.state) == []
    assert not (new.voice / kept.VOICE).exists()
    assert new.troubles() == {}
    new.learns(b"its own")
    new.backups.look()
    assert stored(est, OTHER).habits == b"its own"
    assert stored(est).habits == b"habits"


def test_what_was_changed_since_is_of_this_home_and_stays(
    home: Home, est: Est, tmp_path: Path
) -> None:
    home.learns()
    home.backups.fetch()
    home.backups.look()
    new = Home(tmp_path / "b", est)
    new.backups.fetch()
    (new.state / anew.LIST).write_text(LISTED, encoding="utf-8")
    new.claim(OTHER)
    new.backups.fetch()
    assert (new.state / anew.LIST).read_text(encoding="utf-8") == LISTED


def test_failing_for_a_week_is_a_fault_and_not_before(home: Home, est: Est) -> None:
    home.learns()
    home.backups.fetch()
    home.backups.look()
    est.answer = Answer(503, b"busy", {"Content-Type": "text/plain"})
    home.days_later(2)
    assert mark_of(home.state).trouble == "busy"
    assert home.troubles() == {}
    home.days_later(FAULT_S / DAY_S - 2.1)
    assert home.troubles() == {}
    home.days_later(0.2)
    assert home.troubles() == {Part.BACKUP: "busy"}
    est.answer = None
    home.days_later(0.3)
    assert home.troubles() == {}
    assert mark_of(home.state).trouble == ""


def test_a_centre_that_cannot_be_asked_is_asked_again_before_anything_is_stored(
    home: Home, est: Est
) -> None:
    est.kept = {HUB: kept.pack(Kept(habits=b"of before"))}
    est.answer = Answer(503)
    home.learns(b"fresh")
    home.backups.fetch()
    est.answer = None
    home.backups.look()
    assert stored(est).habits == b"of before", "it waits a little"
    home.begin()
    home.backups.look()
    assert (home.state / kept.RESTORED).read_bytes() == b"of before"


def test_an_authority_of_somebody_elses_keeps_nothing_and_that_is_no_fault(
    home: Home, est: Est
) -> None:
    est.kept = None
    home.backups.fetch()
    home.days_later(8)
    assert not mark_of(home.state).offered
    assert home.troubles() == {}
    est.kept = {}
    home.days_later(2)
    assert stored(est) == Kept()
    assert mark_of(home.state).offered


def test_a_backup_that_cannot_be_read_is_told_in_the_log_and_stops_nothing(
    home: Home, est: Est, caplog: pytest.LogCaptureFixture
) -> None:
    est.kept = {HUB: b"rubbish"}
    home.backups.fetch()
    assert "cannot be read" in caplog.text
    home.backups.look()
    assert stored(est) == Kept()


def test_another_boards_card_stores_and_fetches_nothing(home: Home) -> None:
    enrol(home.state / "identity", OTHER, "another board")
    home.backups.fetch()
    assert mark_of(home.state) == Mark()


def test_a_full_disk_stops_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(daily, "write_whole", full)
    home.backups.fetch()
    assert mark_of(home.state) == Mark()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        zlib.compress(b"[]"),
        zlib.compress(json.dumps({"format": 2}).encode()),
        zlib.compress(b'{"habits": "' + b"A" * 200_000 + b'"}'),
        zlib.compress(b" " * 50_000_000),  # a bomb
        zlib.compress(b"{}")[:-3],
    ],
)
def test_what_is_too_large_or_damaged_is_refused(body: bytes) -> None:
    with pytest.raises(UnfitError):
        kept.unpack(body)


def test_files_that_are_too_large_are_left_out_and_all_of_it_stays_small(home: Home) -> None:
    home.learns(os.urandom(kept.HABITS_BYTES))
    (home.voice / kept.VOICE).write_bytes(b"x" * 5000)
    found = kept.collect(home.state, home.voice)
    assert found.voice == b""
    assert [one.get(KEYED) for one in found.devices] == [True, None, True]
    assert len(kept.pack(found)) <= kept.BODY_BYTES


def test_ten_thousand_hubs_do_not_come_at_once() -> None:
    """After a power cut of two days they start together; from day to day they drift apart."""
    dice = random.Random(16)  # noqa: S311 - it need not be secret
    late = Mark(HUB, asked=True, stored_utc=NOW - 2 * DAY_S, devices="d")
    first = [wait_s(late, "d", NOW, dice.random(), HOUR_S) for _ in range(10_000)]
    per_s = Counter(map(int, first))
    assert max(per_s.values()) <= 15
    fresh = Mark(HUB, asked=True, stored_utc=NOW, devices="d")
    second = [at + wait_s(fresh, "d", NOW, dice.random(), HOUR_S) for at in first]
    assert max(Counter(map(int, second)).values()) <= 8
    assert min(second) > 20 * HOUR_S
    changed = [wait_s(fresh, "other", NOW, dice.random(), HOUR_S) for _ in range(100)]
    assert max(changed) < 600, "a change of the list is stored soon"
    assert wait_s(fresh, "d", NOW - 60, 0.5, HOUR_S) == HOUR_S / 2, "the clock was set back"
