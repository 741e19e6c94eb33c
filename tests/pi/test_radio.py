"""The radio under its unit on a Pi, over a real BlueZ and kernel; the air alone is simulated.

The cores are emulated: facts and their order are judged; seconds are printed.
"""

import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.radio_home import KEY, PENDANT, RADIO, RadioHome

pytestmark = pytest.mark.pi

FLAGS, UUID = bytes.fromhex("020106"), bytes.fromhex("d2fc")
ENCRYPTED = 0x45
COUNTERS = itertools.count(1_780_672_260)  # of the presses that follow the first two
SETTLES_S = 3.0  # emulated cores: a press was at the centre within 1.4 s beside busy neighbours
BURST, GAP_MS = 6, 60  # what a pendant sends for one press


@pytest.fixture(scope="module")
def folder(lab: Path) -> Path:
    """Return a folder of our own: the hub's tests may have their Pi still."""
    place = lab / "radio"
    place.mkdir(exist_ok=True)
    return place


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as broker:
        yield broker


@pytest.fixture(scope="module")
def centre(folder: Path, broker: Broker) -> Iterator[Centre]:
    with Centre(folder, broker) as centre:
        yield centre


@pytest.fixture(scope="module")
def home(folder: Path, broker: Broker, centre: Centre) -> Iterator[RadioHome]:  # noqa: ARG001
    with RadioHome(folder, broker) as home:
        yield home


def frame(counter: int, packet_id: int) -> str:
    """Return the advert of one press of the pendant, encrypted, as hex."""
    body = bytes([0x00, packet_id, 0x01, 99, 0x3A, 0x01])
    count = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(PENDANT.replace(":", "")) + UUID + bytes([ENCRYPTED]) + count
    sealed = AESCCM(bytes.fromhex(KEY), tag_length=4).encrypt(nonce, body, None)
    data = UUID + bytes([ENCRYPTED]) + sealed[:-4] + count + sealed[-4:]
    return (FLAGS + bytes([len(data) + 1, 0x16]) + data).hex()


def press(home: RadioHome, counter: int, packet_id: int) -> None:
    """Have the pendant send one press: some adverts with the same content."""
    home.air.do(
        "advert", address=PENDANT, hex=frame(counter, packet_id), times=BURST, gap_ms=GAP_MS
    )


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
    press(home, counter=1_780_672_257, packet_id=93)
    wait_until(lambda: len(centre.stored()) > before, 60, "the press is at the centre")
    say(f"press to centre {time.monotonic() - began:.2f} s")
    press(home, counter=1_780_672_257, packet_id=93)  # heard again
    press(home, counter=1_780_672_258, packet_id=94)  # and a second press
    wait_until(lambda: len(centre.stored()) > before + 1, 60, "so is the second press")
    assert len(centre.stored()) == before + 2
    (alarm,) = centre.open_alarms()
    assert alarm["kind"] == "pendant"


def presses_until_heard(home: RadioHome, centre: Centre) -> int:
    """Press until a press is at the centre, each time anew; return how often it took.

    A lone adapter is deaf while it connects, so a press amid a connection may be lost.
    """
    before, count = len(centre.stored()), 0

    def pressed() -> bool:
        nonlocal count
        count += 1
        counter = next(COUNTERS)
        press(home, counter, packet_id=counter % 256)
        time.sleep(SETTLES_S)
        return len(centre.stored()) > before

    wait_until(pressed, 60, "a press is at the centre", every_s=2)
    return count


def test_after_bluetoothd_was_restarted_a_press_is_heard(home: RadioHome, centre: Centre) -> None:
    home.rest(centre)
    home.pi.must("systemctl restart bluetooth.service")
    began = time.monotonic()
    presses_until_heard(home, centre)
    say(f"a press heard {time.monotonic() - began:.1f} s after bluetoothd was restarted")


def test_a_band_is_connected_heard_and_found_again(home: RadioHome, centre: Centre) -> None:
    home.rest(centre)
    home.air.do("band_on")
    home.air.hear("connected", 120)
    home.wait_for("band is:")
    home.air.do("pulse", hex="164800040004")
    left = home.now()
    home.air.do("band_off")
    home.air.do("band_on")
    began = time.monotonic()
    home.air.hear("connected", 120)
    say(f"band back {time.monotonic() - began:.1f} s after it came into range")
    home.wait_for("band is:", left)
    home.air.do("pulse", hex="164900040004")
    say(f"presses until one was heard beside a new connection: {presses_until_heard(home, centre)}")
    assert home.heard()[-2:] == [72.0, 73.0]


def test_a_band_that_asks_while_no_window_is_open_is_refused(
    home: RadioHome, centre: Centre
) -> None:
    home.rest(centre)
    home.air.do("band_asks")
    home.air.hear("not_paired")
    assert not home.bonds()["band"]["paired"]
