"""Pairing over a real BlueZ on the virtual Pi: its agent, bonds and keys; the air is simulated.

Each story begins with a band that has just come into range: none needs what another has left.
"""

import time

import pytest

from drivers.bluetooth.pairing.window import TRIES
from tests.pi.centre import Centre
from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.radio_home import ANBU, PATIENCE_S, PHONE, RADIO, RadioHome

pytestmark = pytest.mark.pi

SHOWS_AND_TAKES_YES, NEITHER_SHOWS_NOR_TAKES = 1, 3  # input and output, as pairing tells it
BEAT, BPM = "164800040004", 72.0  # worn, with two beat intervals


@pytest.fixture(scope="module")
def home(radio: tuple[RadioHome, Centre]) -> RadioHome:
    return radio[0]


@pytest.fixture(scope="module")
def centre(radio: tuple[RadioHome, Centre]) -> Centre:
    return radio[1]


@pytest.fixture(autouse=True)
def _rested(home: RadioHome, centre: Centre) -> None:
    """Have no call under way: that shuts a window."""
    home.rest(centre)


def comes(home: RadioHome, io: int) -> None:
    """Have the band come into range, with these means to pair, and be connected."""
    home.air.do("band_off")
    home.air.do("band_secure", io=io)
    came = home.now()
    home.air.do("band_on")
    home.wait_for("band is:", came)


def pair(home: RadioHome, options: str) -> bool:
    """Pair without digits; print how long it took, and return whether it did."""
    home.pair(options)
    began = time.monotonic()
    paired = home.paired()
    say(f"paired {time.monotonic() - began:.1f} s after the window was open")
    return paired


def compare(home: RadioHome, who: str, said: str) -> None:
    """Have a device and the installer compare digits; the installer says yes or no."""
    digits = home.air.hear("compare")["digits"]
    home.on_screen(digits)
    home.air.do("answer", who=who, yes=True)
    home.type(said)


def test_a_listed_band_that_is_connected_is_paired_by_just_works_and_its_pulse_heard(
    home: RadioHome, centre: Centre
) -> None:
    comes(home, NEITHER_SHOWS_NOR_TAKES)
    began = home.now()
    assert pair(home, "--again band")
    assert home.bonds()["band"]["paired"]
    home.wait_for("band is:", began)
    home.air.do("pulse", hex=BEAT)
    home.hears(centre, BPM)


def test_a_band_that_is_bonded_and_connected_is_paired_again(home: RadioHome) -> None:
    comes(home, NEITHER_SHOWS_NOR_TAKES)
    for _ in range(2):
        began = home.now()
        assert pair(home, "--again band")
        assert home.bonds()["band"]["paired"]
        home.wait_for("band is:", began)


def test_a_band_with_a_screen_is_paired_once_a_person_says_that_the_digits_are_the_same(
    home: RadioHome,
) -> None:
    comes(home, SHOWS_AND_TAKES_YES)
    home.pair("--again band")
    compare(home, "band", "y")
    assert home.paired()
    assert home.bonds()["band"]["paired"]


def test_a_band_with_a_screen_is_not_paired_while_a_person_says_no(home: RadioHome) -> None:
    comes(home, SHOWS_AND_TAKES_YES)
    home.pair("--again band")
    for _ in range(TRIES):
        compare(home, "band", "n")
    assert not home.paired()
    assert not home.bonds()["band"]["paired"]


def test_a_phone_is_paired_by_digits_and_seen_under_its_identity(
    home: RadioHome, centre: Centre
) -> None:
    home.air.do("band_off")
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
    home.pi.must(f"systemctl stop {RADIO}")  # it has seen the phone: the next one has not
    home.pi.must(f"{ANBU} bonds consent phone-1 yes")
    begun = home.now()
    home.pi.must(f"systemctl start {RADIO}")
    home.wait_for("passive: works", begun)
    home.press_until_heard(centre)
    assert not home.in_range("phone-1")
    home.air.do("phone_heard")
    assert home.air.hear("address")["address"] != PHONE

    def seen() -> bool:
        home.press_until_heard(centre)
        return home.in_range("phone-1")

    wait_until(seen, PATIENCE_S, "the hub knows that the phone was seen")


def test_a_band_that_has_forgotten_its_bond_is_told_and_paired_anew_in_a_window(
    home: RadioHome,
) -> None:
    comes(home, NEITHER_SHOWS_NOR_TAKES)
    assert pair(home, "--again band")
    forgotten = home.now()
    home.air.do("band_off")
    home.air.do("band_forgets")
    home.air.do("band_on")
    began = time.monotonic()
    home.wait_for("band: bond: bond_stale", forgotten)
    say(f"stale bond told {time.monotonic() - began:.1f} s after the band came back")
    assert pair(home, "--again band")
    home.wait_for("band: bond: works", forgotten)
    assert home.bonds()["band"]["paired"]
