"""Pairing over a real BlueZ on the virtual Pi: not green yet, so not collected.

    .venv/bin/python -m pytest -m pi -s --log-cli-level=INFO tests/pi/radio_pairing.py

2026-11-30, BlueZ 5.66: all five stories are red. By hand a connected band was paired by Just Works
once; paired `--again` while connected, RemoveDevice had no answer within 10 s, the radio's own loop
connected amid it, and later the adapter answered Busy and NotReady. Since then a window has the
loop let go of the device; with that, the first story's command still did not end in 120 s, no
digits were asked for, and the phone's connection did not come about. The cause is not known. A band
that refuses its old key took the kernel (6.1.192) down in `hci_chan_del` in one of two tries, so
here it hangs up instead.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bluetooth.pairing.window import TRIES
from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.radio_home import ANBU, PHONE, RadioHome
from tests.pi.test_radio import presses_until_heard

pytestmark = pytest.mark.pi

SHOWS_AND_TAKES_YES, NEITHER_SHOWS_NOR_TAKES = 1, 3  # input and output, as pairing tells it


@pytest.fixture(scope="module")
def place(lab: Path) -> Iterator[tuple[RadioHome, Centre]]:
    """Run a home with a radio, and its centre."""
    folder = lab / "pairing"
    folder.mkdir(exist_ok=True)
    with Broker() as broker, Centre(folder, broker) as centre, RadioHome(folder, broker) as home:
        yield home, centre


@pytest.fixture
def home(place: tuple[RadioHome, Centre]) -> RadioHome:
    return place[0]


@pytest.fixture
def centre(place: tuple[RadioHome, Centre]) -> Centre:
    return place[1]


def test_a_listed_band_that_is_connected_is_paired_in_a_window_by_just_works(
    home: RadioHome,
) -> None:
    home.air.do("band_on")
    home.air.hear("connected", 120)
    home.wait_for("band is:")
    home.pair("--again band")
    assert home.paired()
    assert home.bonds()["band"]["paired"]


def compare(home: RadioHome, who: str, said: str) -> None:
    """Have a device and the installer compare digits; the installer says yes or no."""
    digits = home.air.hear("compare")["digits"]
    home.on_screen(digits)
    home.air.do("answer", who=who, yes=True)
    home.type(said)


def test_a_band_with_a_screen_is_paired_once_a_person_says_that_the_digits_are_the_same(
    home: RadioHome,
) -> None:
    home.air.do("band_secure", io=SHOWS_AND_TAKES_YES)
    home.pair("--again band")
    compare(home, "band", "y")
    assert home.paired()
    assert home.bonds()["band"]["paired"]


def test_a_band_with_a_screen_is_not_paired_while_a_person_says_no(home: RadioHome) -> None:
    home.pair("--again band")
    for _ in range(TRIES):
        compare(home, "band", "n")
    assert not home.paired()
    assert not home.bonds()["band"]["paired"]


def test_a_phone_is_paired_by_digits_and_seen_under_its_identity(
    home: RadioHome, centre: Centre
) -> None:
    home.air.do("band_off")
    home.rest(centre)
    home.pair("--phone")
    home.air.do("phone_chooses_hub")
    compare(home, "phone", "y")
    began = time.monotonic()
    assert home.paired()
    say(f"phone listed {time.monotonic() - began:.1f} s after the yes")
    home.air.hear("paired")
    phone = home.bonds()["phone-1"]
    assert (phone["address"], phone["paired"]) == (PHONE, True)
    home.air.do("phone_off")
    home.pi.must(f"{ANBU} bonds consent phone-1 yes")
    home.air.do("phone_heard")
    made_up = home.air.hear("address")["address"]
    assert made_up != PHONE
    presses_until_heard(home, centre)
    wait_until(lambda: home.in_range("phone-1"), 60, "the hub knows that the phone was seen")


def test_a_band_that_has_forgotten_its_bond_is_told_and_paired_anew_in_a_window(
    home: RadioHome, centre: Centre
) -> None:
    home.rest(centre)
    home.air.do("band_secure", io=NEITHER_SHOWS_NOR_TAKES)
    home.air.do("band_on")
    home.pair("--again band")
    assert home.paired()
    forgotten = home.now()
    home.air.do("band_off")
    home.air.do("band_forgets")
    home.air.do("band_on")
    began = time.monotonic()
    home.wait_for("band: bond: bond_stale", forgotten)
    say(f"stale bond told {time.monotonic() - began:.1f} s after the band came back")
    home.pair("--again band")
    assert home.paired()
    home.wait_for("band: bond: works", forgotten)
    assert home.bonds()["band"]["paired"]
