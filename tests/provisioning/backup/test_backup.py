"""What a hub leaves at the centre for the one that replaces it, when, and what becomes of it."""

import asyncio
import json
import os
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from drivers.bluetooth.devices import load
from hub.contract.provision import Fact, Part, Trouble
from hub.core.model.activity import FRESH, Habits
from hub.outbox import habits_file
from hub.outbox.thread import OutboxThread
from hub.shared import anew
from hub.shared.county import County
from hub.shared.identity import Facts
from provisioning.app import App
from provisioning.backup import daily, kept
from provisioning.backup.daily import DAY_S, FAULT_S, HOUR_S, Backups, wait_s
from provisioning.backup.kept import KEYED, Kept, UnfitError
from provisioning.backup.mark import FILE, Mark, mark_of
from provisioning.enrol import store
from provisioning.enrol.troubles import EnrolTrouble
from provisioning.settings import ProvisionSettings
from tests.broker import certs
from tests.hub.outbox.test_habits_file import tell
from tests.hub.rig import tell as play
from tests.hub.rig import until
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
BATHROOM = """
[[device]]
kind = "pendant"
name = "bathroom"
address = "C0:FF:EE:12:34:60"
key = "2f1e2d3c4b5a69788796a5b4c3d2e1f0"
"""
PAIRED = ["pendant", "front", "smoke"]


def habits(days: int) -> bytes:
    return habits_file.ENCODE(replace(FRESH, days=days))


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

    def learns(self, days: int = 20, listed: str = LISTED) -> None:
        (self.state / kept.HABITS).write_bytes(habits(days))
        (self.state / anew.LIST).write_text(listed, encoding="utf-8")
        (self.voice / kept.VOICE).write_bytes(b"{}")

    def keeps(self) -> None:
        """Ask what there is, and leave there what is here."""
        self.backups.fetch()
        self.backups.look()

    def hub_starts(self) -> int:
        """Let a real hub read its habits and its list; return the days that it knows."""
        found: list[Habits] = []

        async def story(outbox: OutboxThread) -> None:
            learned, trouble = await habits_file.read(self.state / kept.HABITS, outbox)
            assert learned
            assert trouble is None
            found.append(learned.habits)

        tell(story, self.state)
        listed = self.state / anew.LIST
        load(listed)
        content = listed.read_bytes() if listed.exists() else b""
        (self.state / anew.GOOD).write_bytes(content)
        return found[0].days

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
    assert days(est) == 20
    home.learns(21)
    home.backups.look()
    home.days_later(0.8)
    assert days(est) == 20, "not yet"
    home.days_later(0.4)
    assert days(est) == 21
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
    assert (new.state / kept.RESTORED).read_bytes() == habits(20)
    listed = anew.tables((new.state / anew.LIST).read_text(encoding="utf-8"))
    assert [(one["name"], one["silent_s"]) for one in listed] == [("front", 86_400)]
    assert [(one.name, one.place) for one in anew.awaited(new.state)] == [
        ("pendant", "목걸이"), ("smoke", "")
    ]  # fmt: skip
    assert new.troubles() == {Part.BONDS: "pendant, smoke"}
    assert (new.voice / kept.VOICE).read_bytes() == b"{}"
    assert (new.state / anew.LIST).stat().st_mode & 0o777 == 0o600
    new.backups.look()
    assert stored(est).devices[1:] == kept.collect(home.state, home.voice).kept.devices[::2], (
        "a second replacement gets all of it again"
    )
    (new.state / anew.LIST).write_text(LISTED, encoding="utf-8")
    new.backups.look()
    assert new.troubles() == {}


def days(est: Est, hub: str = HUB) -> int:
    return kept.days_of(stored(est, hub).habits) or 0


def stored_bytes(est: Est, hub: str = HUB) -> bytes:
    assert est.kept
    return est.kept[hub]


def test_what_a_replacement_has_itself_stays(home: Home, est: Est, tmp_path: Path) -> None:
    home.learns()
    home.backups.fetch()
    home.backups.look()
    new = Home(tmp_path / "b", est)
    own = LISTED[: LISTED.index("[[device]]", 30)]
    new.learns(2, own)
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
    assert new.hub_starts() == 20
    new.claim(OTHER)
    new.backups.fetch()
    assert (new.state / anew.GOOD).read_bytes() == b"", "a hub that does not look yet, too"
    new.backups.look()
    assert stored(est, OTHER) == Kept()
    assert new.hub_starts() == 0, "learning begins anew"
    assert (new.state / anew.LIST).read_text(encoding="utf-8") == ""
    assert anew.awaited(new.state) == []
    assert not (new.voice / kept.VOICE).exists()
    assert new.troubles() == {}
    new.learns(3)
    new.days_later(2)
    assert days(est, OTHER) == 3
    assert days(est) == 20


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
    est.kept = {HUB: kept.pack(Kept(habits=habits(50)))}
    est.answer = Answer(503)
    home.learns(1)
    home.backups.fetch()
    est.answer = None
    home.backups.look()
    assert days(est) == 50, "it waits a little"
    home.begin()
    home.backups.look()
    assert (home.state / kept.RESTORED).read_bytes() == habits(50)


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


def test_what_a_newer_program_left_is_not_overwritten_and_is_told_after_a_week(
    home: Home, est: Est
) -> None:
    newer = zlib.compress(json.dumps({"format": kept.FORMAT + 1}).encode())
    est.kept = {HUB: newer}
    home.learns()
    home.keeps()
    assert mark_of(home.state).trouble == EnrolTrouble.NEWER
    assert home.troubles() == {}
    home.days_later(8)
    assert home.troubles() == {Part.BACKUP: "newer"}
    assert est.kept == {HUB: newer}
    est.kept = {HUB: kept.pack(Kept(habits=habits(50)))}  # the program is up to date now
    home.days_later(1)
    assert home.troubles() == {}
    assert home.hub_starts() == 50


def test_another_boards_card_stores_and_fetches_nothing(home: Home) -> None:
    enrol(home.state / "identity", OTHER, "another board")
    home.backups.fetch()
    assert mark_of(home.state) == Mark()


def test_a_disk_that_takes_nothing_is_a_failure_and_after_a_week_a_fault(
    home: Home, est: Est, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.learns()
    home.keeps()

    def full(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(daily, "write_whole", full)
    home.days_later(2)
    puts = len(est.puts)
    for _ in range(10):
        home.backups.look()
    assert len(est.puts) == puts, "it is not stored again each minute"
    assert home.troubles() == {}
    home.days_later(FAULT_S / DAY_S)
    assert home.troubles() == {Part.BACKUP: "no_room"}
    monkeypatch.undo()
    home.days_later(0.1)
    assert home.troubles() == {}


def test_a_full_disk_at_the_first_start_changes_nothing(
    home: Home, est: Est, monkeypatch: pytest.MonkeyPatch
) -> None:
    est.kept = {HUB: kept.pack(Kept(habits=habits(50)))}

    def full(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(daily, "write_whole", full)
    home.keeps()
    assert mark_of(home.state) == Mark()
    assert not (home.state / kept.RESTORED).exists(), "nobody would know where it is from"
    assert days(est) == 50


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


def test_all_of_it_stays_small(home: Home) -> None:
    home.learns()
    most = habits(20) + os.urandom(kept.HABITS_BYTES)
    found = replace(kept.collect(home.state, home.voice).kept, habits=most[: kept.HABITS_BYTES])
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


# --- what is stored is never worse than what the hub goes by ------------------------------------


@pytest.mark.parametrize("what", ["slip", "mistake", "gone", "utf-8-sig", "cp949", "utf-16"])
def test_a_list_is_stored_as_hub_and_radio_go_by_it(
    home: Home, est: Est, tmp_path: Path, what: str
) -> None:
    home.learns()
    home.hub_starts()
    home.keeps()
    listed = home.state / anew.LIST
    match what:
        case "slip":
            listed.write_text(LISTED + "[[device]", encoding="utf-8")
        case "mistake":
            listed.write_text("[[device]]\nkind = 1\n", encoding="utf-8")
        case "gone":
            listed.unlink()
        case _:
            listed.write_bytes(LISTED.encode(what))
            home.hub_starts()
    home.days_later(2)
    assert len(est.puts) == 2
    assert [one["name"] for one in stored(est).devices] == PAIRED
    assert stored(est).devices[0]["place"] == "목걸이"
    assert home.troubles() == {}
    new = Home(tmp_path / "b", est)
    new.backups.fetch()
    assert new.troubles() == {Part.BONDS: "pendant, smoke"}


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        (anew.LIST, lambda path: path.write_bytes(b"[[device]")),
        (anew.LIST, Path.unlink),
        (anew.LIST, folder_instead),
        (kept.HABITS, lambda path: path.write_bytes(b"rubbish")),
        (kept.HABITS, lambda path: path.write_bytes(b"")),
        (kept.HABITS, lambda path: path.write_bytes(habits(30) + bytes(kept.HABITS_BYTES))),
        (kept.HABITS, Path.unlink),
        (kept.HABITS, folder_instead),
        (f"../voice/{kept.VOICE}", lambda path: path.write_bytes(b'{"rate"')),
        (f"../voice/{kept.VOICE}", folder_instead),
        (anew.FILE, lambda path: path.write_bytes(b"[[device]")),
    ],
)
def test_what_cannot_be_read_overwrites_nothing_and_is_told_after_a_week(
    home: Home, est: Est, file: str, spoil: Callable[[Path], object]
) -> None:
    home.learns()
    (home.state / anew.FILE).write_text(BATHROOM, encoding="utf-8")
    home.keeps()
    good = stored(est)
    content = (home.state / file).read_bytes()
    spoil(home.state / file)
    home.days_later(2)
    assert mark_of(home.state).trouble == EnrolTrouble.OWN_FILE
    home.days_later(6)
    assert home.troubles()[Part.BACKUP] == "own_file"
    assert stored(est) == good
    if (home.state / file).is_dir():
        (home.state / file).rmdir()
    (home.state / file).write_bytes(content)
    home.days_later(0.3)
    assert home.troubles() == {Part.BONDS: "bathroom"}


def test_a_new_pendant_is_stored_though_the_habits_cannot_be_read(home: Home, est: Est) -> None:
    """A replacement has to know of it; the habits of before stay beside it."""
    home.learns(110)
    home.keeps()
    folder_instead(home.state / kept.HABITS)
    (home.state / anew.LIST).write_text(LISTED + BATHROOM, encoding="utf-8")
    home.days_later(2)
    assert [one["name"] for one in stored(est).devices] == [*PAIRED, "bathroom"]
    assert days(est) == 110
    assert mark_of(home.state).trouble == EnrolTrouble.OWN_FILE
    puts = len(est.puts)
    for _ in range(10):
        home.backups.look()
    assert len(est.puts) == puts, "it is tried again later"


def test_a_first_store_without_habits_that_can_be_read_has_the_list(home: Home, est: Est) -> None:
    home.learns()
    (home.state / kept.HABITS).write_bytes(b"rubbish")
    home.keeps()
    assert [one["name"] for one in stored(est).devices] == PAIRED
    assert stored(est).habits == b""
    home.days_later(8)
    assert home.troubles() == {Part.BACKUP: "own_file"}


def test_a_list_that_somebody_emptied_is_stored_as_empty(home: Home, est: Est) -> None:
    home.learns()
    home.keeps()
    home.learns(21, "")
    home.days_later(2)
    assert stored(est).devices == []


def test_an_odd_number_does_not_make_a_backup_that_nobody_can_read(home: Home, est: Est) -> None:
    odd = "silent_s = inf\nsince = 2026-01-01\nmany = [1]\nlarge = 99999999999999999999"
    home.learns(20, LISTED.replace("silent_s = 86400", odd))
    waiting = BATHROOM.replace('"C0:FF:EE:12:34:60"', '["x"]')
    (home.state / anew.FILE).write_text(waiting, encoding="utf-8")
    home.keeps()
    assert [one["name"] for one in stored(est).devices] == [*PAIRED, "bathroom"]
    with pytest.raises(UnfitError):
        kept.pack(Kept(devices=[{"name": float("nan")}]))
    with pytest.raises(UnfitError):
        kept.pack(Kept(voice=os.urandom(kept.BODY_BYTES)))


def test_what_is_to_be_paired_and_cannot_be_read_is_a_fault(home: Home) -> None:
    (home.state / anew.FILE).write_bytes(b"[[device]")
    home.backups.look()
    assert home.troubles() == {Part.BONDS: anew.FILE}


def test_a_fault_says_of_how_many_devices_it_has_no_room_for_the_names(home: Home) -> None:
    many = "".join(
        f'[[device]]\nkind = "phone"\nname = "phone-of-visitor-{n:02}"\naddress = "{n}"\n'
        for n in range(64)
    )
    (home.state / anew.FILE).write_text(many, encoding="utf-8")
    home.backups.look()
    told = home.troubles()[Part.BONDS]
    assert len(told) <= daily.NAMES
    named = told.split(", ")
    assert named[-1] == f"+{64 - len(named) + 1}"


def test_what_the_hub_has_not_taken_yet_is_stored_and_not_its_own(
    home: Home, est: Est, tmp_path: Path
) -> None:
    """A replacement may break before its next start, too."""
    home.learns(110)
    home.hub_starts()
    home.keeps()
    new = Home(tmp_path / "b", est)
    assert new.hub_starts() == 0
    new.backups.fetch()
    (new.state / kept.HABITS).write_bytes(habits(1))
    new.backups.look()
    assert len(est.puts) == 2
    assert days(est) == 110
    assert sorted(one["name"] for one in stored(est).devices) == sorted(PAIRED), (
        "the hub has not looked at its list yet"
    )
    assert new.hub_starts() == 110


def test_a_hub_that_has_lost_its_habits_gets_them_back(home: Home, est: Est) -> None:
    home.learns(110)
    home.keeps()
    (home.state / kept.HABITS).write_bytes(b"rubbish")
    assert home.hub_starts() == 0
    (home.state / kept.HABITS).write_bytes(habits(1))
    home.days_later(2)
    home.backups.look()
    home.backups.look()
    assert days(est) == 110
    assert home.hub_starts() == 110
    assert home.troubles() == {}


# --- whose it is --------------------------------------------------------------------------------


def test_a_hub_that_comes_back_to_its_home_takes_what_its_successor_left(
    home: Home, est: Est, tmp_path: Path
) -> None:
    home.learns(20)
    home.keeps()
    new = Home(tmp_path / "b", est)
    new.backups.fetch()
    new.learns(110, LISTED + BATHROOM)
    new.backups.look()
    assert days(est) == 110
    home.ahead_s += 90 * DAY_S
    home.begin()
    home.claim(HUB)
    home.backups.registering()
    home.begin()  # the power is cut before the answer
    home.backups.look()
    assert home.hub_starts() == 110
    home.days_later(2)
    assert days(est) == 110
    assert [one["name"] for one in stored(est).devices] == [*PAIRED, "bathroom"]
    assert home.troubles() == {Part.BONDS: "bathroom"}


def test_the_process_knows_of_a_registration_before_its_certificate_is_on_the_disk(
    tmp_path: Path, est: Est, monkeypatch: pytest.MonkeyPatch
) -> None:
    est.typed = HUB
    est.kept = {HUB: kept.pack(Kept(habits=habits(110)))}
    (tmp_path / "state").mkdir()
    mark = Mark(HUB, asked=True, stored_utc=time.time())
    (tmp_path / "state" / FILE).write_bytes(msgspec.json.encode(mark))
    socket, state, run, county, voice = (
        str(tmp_path / name) for name in ("provision.sock", "state", "run", "county.toml", "voice")
    )
    chosen = ProvisionSettings(socket, state, run, county, voice, spread_s=0.0)
    asked: list[bool] = []
    finish = store.finish

    def noting(under_way: store.Pending, pem: bytes, authorities: bytes, facts: Facts) -> None:
        asked.append(mark_of(tmp_path / "state").asked)
        finish(under_way, pem, authorities, facts)

    monkeypatch.setattr(store, "finish", noting)

    async def story() -> None:
        process = App(chosen, County(center=est.url, ca=str(certs() / "ca.crt")), board="b")
        running = asyncio.create_task(process.run())
        await until((tmp_path / "state" / kept.RESTORED).exists, "what was left is here")
        process._ended.set()  # as a signal does
        assert await running == 0

    play(story())
    assert asked == [False]


def test_what_waits_to_be_paired_is_not_forgotten_when_more_comes(home: Home, est: Est) -> None:
    (home.state / anew.FILE).write_text(BATHROOM, encoding="utf-8")
    other = Kept(devices=[{"kind": "pendant", "name": "pendant", "address": "A", KEYED: True}])
    est.kept = {HUB: kept.pack(other)}
    home.backups.fetch()
    assert home.troubles() == {Part.BONDS: "pendant, bathroom"}


@pytest.mark.parametrize("of_b", [10, 90, None])
def test_the_wrong_homes_habits_never_come_to_the_right_one(
    home: Home, est: Est, tmp_path: Path, of_b: int | None
) -> None:
    home.learns(60)
    home.keeps()
    assert est.kept
    if of_b is not None:
        est.kept[OTHER] = kept.pack(Kept(habits=habits(of_b)))
    new = Home(tmp_path / "b", est)
    new.backups.fetch()
    assert new.hub_starts() == 60
    (new.state / kept.HABITS).write_bytes(habits(61))
    new.claim(OTHER)
    new.keeps()
    assert days(est, OTHER) == (of_b or 0), "before the hub's next start"
    (new.state / kept.HABITS).write_bytes(habits(62))  # the hub's last words
    assert new.hub_starts() == (of_b or 0)
    new.days_later(2)
    assert days(est, OTHER) == (of_b or 0)
    assert days(est) == 60


def test_a_hub_that_was_moved_takes_what_its_new_home_has_learned(home: Home, est: Est) -> None:
    assert est.kept is not None
    est.kept[OTHER] = kept.pack(Kept(habits=habits(10)))
    home.learns(60)
    home.keeps()
    home.claim(OTHER)
    home.keeps()
    assert days(est, OTHER) == 10
    assert home.hub_starts() == 10


def test_a_hub_with_another_name_begins_anew(home: Home, est: Est) -> None:
    """Its name is its home: nobody could tell a slip of the name from a hub that was moved."""
    home.learns(60)
    home.keeps()
    home.claim(OTHER)
    home.keeps()
    assert days(est, OTHER) == 0
    assert [one["name"] for one in stored(est, OTHER).devices] == PAIRED, "they are bonded here"
    assert home.hub_starts() == 0


@pytest.mark.parametrize("cut", ["before", "between", "after"])
def test_a_power_cut_while_it_comes_leaves_nothing_of_a_wrong_home(
    home: Home, est: Est, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    home.learns()
    home.keeps()
    new = Home(tmp_path / "b", est)
    put = kept.put

    def cut_off(files: dict[Path, bytes], folder: Path) -> None:
        names = {"before": 0, "between": 2, "after": len(files)}
        put(dict(list(files.items())[: names[cut]]), folder)
        raise PowerCutError

    monkeypatch.setattr(kept, "put", cut_off)
    with pytest.raises(PowerCutError):
        new.backups.fetch()
    monkeypatch.undo()
    new.begin()
    new.backups.look()
    assert new.troubles() == {Part.BONDS: "pendant, smoke"}
    assert new.hub_starts() == 20
    new.claim(OTHER)
    new.backups.fetch()
    assert (new.state / anew.LIST).read_bytes() == b""
    assert new.hub_starts() == 0
    assert not (new.voice / kept.VOICE).exists()
    assert new.troubles() == {}


def test_a_list_that_somebody_is_writing_is_not_overwritten_by_what_comes(
    home: Home, est: Est, tmp_path: Path
) -> None:
    home.learns()
    home.keeps()
    new = Home(tmp_path / "b", est)
    (new.state / anew.GOOD).write_bytes(b"")
    (new.state / anew.LIST).write_bytes(b"[[device]")
    new.backups.fetch()
    assert (new.state / anew.LIST).read_bytes() == b"[[device]"
    assert new.troubles() == {Part.BONDS: "pendant, front, smoke"}


class PowerCutError(BaseException):
    """Nothing after this point happened."""
