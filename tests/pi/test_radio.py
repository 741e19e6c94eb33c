"""The radio under its unit on a Pi, over a real BlueZ and kernel; the air alone is simulated.

The cores are emulated: facts and their order are judged; seconds are printed.
"""

import re
import time

import pytest

from tests.pi.centre import Centre
from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.radio_home import PATIENCE_S, RADIO, RadioHome

pytestmark = pytest.mark.pi


@pytest.fixture(scope="module")
def home(radio: tuple[RadioHome, Centre]) -> RadioHome:
    return radio[0]


@pytest.fixture(scope="module")
def centre(radio: tuple[RadioHome, Centre]) -> Centre:
    return radio[1]


def test_it_starts_under_its_unit_and_scans_passively(home: RadioHome) -> None:
    home.pi.until(f"systemctl is-active {RADIO}")
    report = home.pi.must(f"systemd-analyze security --no-pager {RADIO}")
    found = re.search(r"exposure level for \S+: ([\d.]+)", report)
    assert found
    say(f"systemd-analyze security: {found[1]}")
    assert float(found[1]) <= 2.0
    home.wait_for("passive: works")
    kb = home.pi.must(f"grep VmRSS /proc/$(systemctl show -P MainPID {RADIO})/status").split()[1]
    say(f"resident {int(kb) / 1024:.0f} MB")


def test_a_press_of_an_encrypted_pendant_reaches_the_centre_once(
    home: RadioHome, centre: Centre
) -> None:
    home.rest(centre)
    before = len(centre.stored())
    began = time.monotonic()
    home.press(counter=1_780_672_257, packet_id=93)
    wait_until(lambda: len(centre.stored()) > before, PATIENCE_S, "the press is at the centre")
    say(f"press to centre {time.monotonic() - began:.2f} s")
    home.press(counter=1_780_672_257, packet_id=93)  # heard again
    home.press(counter=1_780_672_258, packet_id=94)  # and a second press
    wait_until(lambda: len(centre.stored()) > before + 1, PATIENCE_S, "so is the second press")
    assert len(centre.stored()) == before + 2
    (alarm,) = centre.open_alarms()
    assert alarm["kind"] == "pendant"


def test_after_bluetoothd_was_restarted_a_press_is_heard(home: RadioHome, centre: Centre) -> None:
    home.rest(centre)
    home.pi.must("systemctl restart bluetooth.service")
    began = time.monotonic()
    home.press_until_heard(centre)
    say(f"a press heard {time.monotonic() - began:.1f} s after bluetoothd was restarted")


def test_a_band_is_connected_heard_and_found_again(home: RadioHome, centre: Centre) -> None:
    home.rest(centre)
    home.air.do("band_on")
    home.air.hear("connected")
    home.wait_for("band is:")
    home.air.do("pulse", hex="164800040004")
    left = home.now()
    home.air.do("band_off")
    home.air.do("band_on")
    began = time.monotonic()
    home.air.hear("connected")
    say(f"band back {time.monotonic() - began:.1f} s after it came into range")
    home.wait_for("band is:", left)
    home.air.do("pulse", hex="164900040004")
    say(f"presses until one was heard beside a new connection: {home.press_until_heard(centre)}")
    home.hears(centre, 72.0, 73.0)


def test_a_band_that_asks_while_no_window_is_open_is_refused(
    home: RadioHome, centre: Centre
) -> None:
    home.rest(centre)
    home.air.do("band_asks")
    home.air.hear("not_paired")
    assert not home.bonds()["band"]["paired"]
