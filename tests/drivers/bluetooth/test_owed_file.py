"""What the radio owes is on the disk: a press outlives the radio, and no disk holds one up."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bluetooth import owed_file as module
from drivers.bluetooth.link import KEEP_S, MOST, MOST_OTHERS, UNSURE_S, RadioLink
from drivers.bluetooth.owed_file import BURST, FILE, MOST_BYTES, Clocks, OwedFile
from hub.contract.radio import Fact, Found, Hello, How, Pressed, Sensed, Taken
from hub.shared.files import write_whole
from tests.drivers.bluetooth.test_link import press

SMOKE = Found("kitchen", Sensed.SMOKE, on=True)
CLEAR = Found("kitchen", Sensed.SMOKE, on=False)


class Time:
    """The clocks of a machine; `pass_by` lets time pass, `boot` begins a new boot."""

    def __init__(self) -> None:
        self.now, self.booted, self.utc, self.is_synced = 1000.0, 0.0, 1.8e9, True
        self.name = "first"

    def clocks(self) -> Clocks:
        return Clocks(
            self.name,
            monotonic=lambda: self.now,
            since_boot=lambda: self.now - self.booted,
            utc=lambda: self.utc,
            synced=lambda: self.is_synced,
        )

    def pass_by(self, s: float) -> None:
        self.now += s
        self.utc += s

    def boot(self, *, synced: bool, utc_off_s: float = 0.0) -> None:
        self.name, self.booted, self.is_synced = f"{self.name}x", self.now, synced
        self.utc += utc_off_s


class Machine:
    """A folder and its clocks, in which one radio follows the other."""

    def __init__(self, folder: Path) -> None:
        self.path, self.time = folder / FILE, Time()
        self.radio = self._started()

    def begin(self) -> RadioLink:
        """Start a radio; the one before is gone, and the disk is as it left it."""
        left = self.on_disk() if self.path.is_file() else b""
        self.radio.close()
        if left:
            self.path.write_bytes(left)
        self.radio = self._started()
        return self.radio

    def _started(self) -> RadioLink:
        file = OwedFile(self.path, self.time.clocks())
        return RadioLink(
            "no-hub", lambda _: None, lambda: [Hello()], Counter(), lambda: self.time.now, file
        )

    def owes(self) -> list[Fact]:
        return list(self.radio._owed.again())

    def on_disk(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:  # nothing is owed; asked first, it could go before it is read
            return b""

    def until_on_disk(self, *words: bytes) -> None:
        def is_there() -> bool:
            data = self.on_disk()
            return all(word in data for word in words) if words else not data

        deadline = time.monotonic() + 10
        while not is_there():
            assert time.monotonic() < deadline, (words, self.on_disk())
            time.sleep(0.005)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    found = Machine(tmp_path)
    yield found
    found.radio.close()


def test_a_press_outlives_the_radio_and_is_as_old_as_it_is(machine: Machine) -> None:
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.time.pass_by(40.0)
    machine.begin()
    assert machine.owes() == [press(1, ago_s=40.0)]


def test_the_first_press_comes_before_what_is_pressed_meanwhile(machine: Machine) -> None:
    """Else the hub would take the first one, with its lower counter, for a recording."""
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.begin().tell(press(2))
    assert [fact.id for fact in machine.owes() if isinstance(fact, Pressed)] == ["b1-1", "b1-2"]


def test_a_press_that_was_taken_is_owed_by_no_radio(machine: Machine) -> None:
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.radio._owed.followed(Taken("b1-1"))
    machine.until_on_disk()
    machine.begin()
    assert machine.owes() == []


def test_a_hazard_outlives_the_radio_with_its_end_and_no_other_finding_does(
    machine: Machine,
) -> None:
    for fact in (CLEAR, SMOKE, Found("hall", Sensed.MOTION, on=True), CLEAR):
        machine.radio.tell(fact)
    machine.until_on_disk(b'"on":true', b'"on":false')
    machine.begin()
    assert machine.owes() == [SMOKE, CLEAR]


def test_a_detector_that_finds_nothing_writes_nothing(machine: Machine) -> None:
    machine.radio.tell(CLEAR)
    machine.radio.close()
    assert not any(machine.path.parent.iterdir())


def test_a_hazard_that_a_hub_has_taken_in_is_not_raised_by_the_next_radio(
    machine: Machine,
) -> None:
    owed = machine.radio._owed
    owed.told(SMOKE, connected=True)
    machine.until_on_disk(b"smoke")
    machine.begin()  # the hub may be frozen: it is told once more
    assert machine.owes() == [SMOKE]
    machine.radio._owed.told(SMOKE, connected=True)
    machine.until_on_disk(b'"keep_s":45.0')
    machine.time.pass_by(UNSURE_S + 1)
    machine.begin()
    assert machine.owes() == []
    machine.until_on_disk()


def test_after_a_power_cut_the_clock_tells_the_age_where_it_is_right(machine: Machine) -> None:
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.time.pass_by(600.0)
    machine.time.boot(synced=True)
    machine.time.pass_by(20.0)
    machine.begin()
    assert machine.owes() == [press(1, ago_s=620.0)]


@pytest.mark.parametrize("utc_off_s", [-86_400.0 * 300, -500.0, 0.0, 86_400.0 * 300])
def test_without_a_right_clock_a_press_counts_as_heard_when_the_machine_began(
    machine: Machine, utc_off_s: float
) -> None:
    """A Pi has no clock of its own: a missed call is worse than a false alarm."""
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.time.pass_by(600.0)
    machine.time.boot(synced=False, utc_off_s=utc_off_s)
    machine.time.pass_by(20.0)
    machine.begin()
    assert machine.owes() == [press(1, ago_s=20.0)]


def test_a_clock_that_was_wrong_when_it_was_pressed_drops_no_press(machine: Machine) -> None:
    machine.time.is_synced = False
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.time.boot(synced=True, utc_off_s=86_400.0 * 300)
    machine.begin()
    assert machine.owes() == [press(1)]


def test_where_nothing_names_the_boot_a_press_is_told_as_new(machine: Machine) -> None:
    machine.time.name, machine.time.is_synced = "", False
    machine.begin().tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.time.pass_by(KEEP_S * 5)
    machine.begin()
    assert machine.owes() == [press(1)]


def test_a_press_of_hours_ago_is_no_call_of_now_and_leaves_the_disk(machine: Machine) -> None:
    machine.radio.tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    machine.time.pass_by(KEEP_S + 1)
    machine.begin()
    assert machine.owes() == []
    machine.until_on_disk()


def test_what_is_owed_has_a_bound_on_the_disk(machine: Machine) -> None:
    machine.radio.close()
    owed = machine.begin()._owed
    for n in range(500):
        owed.told(press(n, f"p{n}"), connected=False)
        owed.told(Found(f"d{n}", Sensed.GAS, on=True), connected=n % 2 == 0)
    machine.radio.close()
    assert machine.on_disk().count(b"\n") == MOST + 2 * MOST_OTHERS
    assert len(machine.on_disk()) < MOST_BYTES / 2


@pytest.mark.parametrize("cut", [2, 60, 200])
def test_of_a_file_cut_short_the_good_lines_are_told_and_it_is_kept_aside(
    machine: Machine, cut: int
) -> None:
    machine.radio.tell(press(1))
    machine.radio.tell(press(2))
    machine.until_on_disk(b'"b1-2"')
    machine.path.write_bytes(machine.on_disk()[:-cut])
    machine.begin()
    assert [fact.id for fact in machine.owes() if isinstance(fact, Pressed)] == ["b1-1"]
    assert machine.path.with_suffix(".damaged").exists()


@pytest.mark.parametrize(
    "junk",
    [b"\xff\x00" * 50, b"{}", b"[" * 100_000, b'{"word":{"type":"ping","data":{"n":1}}}'],
)
def test_a_damaged_file_is_no_end_of_the_radio(machine: Machine, junk: bytes) -> None:
    machine.path.write_bytes(junk)
    machine.begin().tell(press(1))
    machine.until_on_disk(b'"b1-1"')
    assert machine.path.with_suffix(".damaged").read_bytes() == junk


def test_a_disk_that_takes_nothing_is_told_once_and_the_press_is_owed_all_the_same(
    machine: Machine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    blocked = machine.path.with_name(f".{FILE}.new")
    blocked.mkdir()
    machine.radio.tell(press(1))
    machine.radio.tell(press(2))
    deadline = time.monotonic() + 10
    while not caplog.records:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    blocked.rmdir()
    machine.until_on_disk(b'"b1-1"', b'"b1-2"')  # it is tried again by itself
    assert len(caplog.records) == 1
    assert len(machine.owes()) == 2


def test_an_unreadable_file_is_no_end_of_the_radio(machine: Machine) -> None:
    machine.path.mkdir()
    machine.begin().tell(press(1))
    assert machine.owes() == [press(1)]


def test_a_disk_that_hangs_holds_up_no_press(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, is_in = threading.Event(), threading.Event()

    def hanging(*_: object, **__: object) -> None:
        is_in.set()
        hangs.wait(60)

    monkeypatch.setattr("drivers.bluetooth.owed_file.write_whole", hanging)
    machine.radio.tell(press(1))
    assert is_in.wait(10)
    begun = time.monotonic()
    for n in range(2, 8):
        machine.radio.tell(press(n))
    assert time.monotonic() - begun < 20  # the disk hangs longer
    assert len(machine.owes()) == 7
    hangs.set()


def test_a_flood_of_recordings_wears_out_no_card(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, real = list[bytes](), write_whole

    def counted(path: Path, data: bytes, mode: int) -> None:
        writes.append(data)
        real(path, data, mode)

    monkeypatch.setattr("drivers.bluetooth.owed_file.write_whole", counted)
    for n in range(200):
        machine.time.pass_by(0.2)
        machine.radio.tell(press(n, f"p{n % 40}", doubtful=True))
        time.sleep(0.001)
    machine.radio.close()
    assert 1 <= len(writes) <= BURST + 1
    assert b'"b1-199"' in writes[-1]


def test_a_press_that_has_another_name_by_now_is_owed_by_that_name(machine: Machine) -> None:
    machine.radio.tell(press(1))
    machine.radio.renamed({"pendant": "mother"})
    machine.until_on_disk(b'"mother"')
    machine.begin()
    assert machine.owes() == [
        Pressed("b1-1", "mother", How.PRESS, counter=1, mark="00000001", ago_s=0.0)
    ]
