"""A hub on the virtual Pi with encrypted folders: what its button waits for, and a wipe.

The canary is what the hub itself makes: its boot id, with which the id of each call in its outbox
begins. The raw bytes of the card are searched for it: plain, encrypted, wiped.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.pi.figures import say
from tests.pi.home import HELP, HUB, OUTBOX, UNIT, Home
from tests.pi.machine import Machine
from tests.pi.stages import run

pytestmark = pytest.mark.pi

STATE_UNIT, BASIC = "anbu-state.service", "basic.target"
REPO = Path(__file__).resolve().parents[2]
PYTHON = "/usr/lib/anbu/hub/bin/python3"
POLICY = f"""{PYTHON} -c 'from pathlib import Path
from provisioning.encryption.fscrypt import policy
raise SystemExit(policy(Path("/var/lib/anbu")) is None)'"""
ANBU = "/usr/lib/anbu/hub/bin/anbu"
OWED = "SELECT id FROM message WHERE lane = 0"
SHARE = 0.1  # of the hub's own start


@pytest.fixture(scope="module")
def alone(lab: Path, broker: Broker) -> Iterator[Home]:
    """Yield a home without a broker: only its card knows of its calls."""
    folder = lab / "wiped"
    folder.mkdir()
    broker.stop()
    with Home(folder, broker) as home:
        yield home
    broker.start()


def called(pi: Machine) -> bytes:
    """Press, and return the id of the call once it is in the outbox."""
    known = owed(pi)
    list(pi.press(HELP))
    for answer in pi.follow(OUTBOX, OWED, seconds=30):
        call = str(answer["row"][0]).encode()
        if call not in known:
            return call
    pytest.fail("the call is not in the outbox")


def on_the_card(pi: Machine, *texts: bytes) -> list[bytes]:
    """Return which of some texts are in the raw bytes of the card."""
    pi.must("sync")
    raw = pi.folder / "raw.img"
    run("qemu-img", "convert", "--force-share", "-O", "raw", pi.folder / "card.qcow2", raw)
    found = [text for text in texts if _holds(raw, text)]
    raw.unlink()
    return found


def _holds(file: Path, text: bytes) -> bool:
    words = ("grep", "--binary-files=text", "--fixed-strings", "--quiet", text.decode(), str(file))
    return subprocess.run(words, check=False, env={"LC_ALL": "C"}).returncode == 0


def owed(pi: Machine) -> set[bytes]:
    """Return the ids of the calls in the outbox, once the hub runs."""
    pi.until(f"systemctl is-active {UNIT}")
    return {answer["row"][0].encode() for answer in pi.follow(OUTBOX, OWED, seconds=0.01)}


def wipe(pi: Machine) -> None:
    """Wipe as a person does who has typed the hub's name before."""
    pi.must(f"{ANBU} wipe --hub {HUB}", timeout_s=300)


def test_a_wiped_pi_holds_no_call_and_its_button_waits_for_little(alone: Home) -> None:
    pi = alone.pi
    plain = called(pi)
    assert on_the_card(pi, plain) == [plain], "the search finds what lies there plainly"
    pi.put(f"/etc/systemd/system/{STATE_UNIT}", (REPO / "systemd" / STATE_UNIT).read_bytes())
    pi.must(f"systemctl daemon-reload && systemctl enable --quiet {STATE_UNIT}")
    wipe(pi)  # a folder with plain files would stay plain
    pi.must(f"systemctl start {UNIT}")
    kept = called(pi)
    assert pi.run(POLICY).code == 0, pi.run(f"journalctl -u {STATE_UNIT}").out
    assert on_the_card(pi, kept) == [], "it is on the card, and nobody can read it"
    pi.cut_power()
    pi.boot()
    assert kept in owed(pi), "the hub itself reads it after a power cut"
    _say_what_the_button_waits_for(alone)
    wipe(pi)
    assert on_the_card(pi, kept) == []
    pi.must(f"systemctl start {UNIT}")
    assert called(pi) != kept, "a blank hub takes calls"
    assert kept not in owed(pi)
    assert pi.run(POLICY).code == 0


def _say_what_the_button_waits_for(home: Home) -> None:
    """Without the folders the hub would start with the system's basic.target."""
    state_s = _took_s(home, STATE_UNIT, "ExecMainStart", "ExecMainExit")
    waited_s = max(0.0, _at(home, STATE_UNIT, "ExecMainExit") - _at(home, BASIC, "ActiveEnter"))
    hub_s = _took_s(home, UNIT, "ExecMainStart", "ActiveEnter")
    said = f"folders unlocked in {state_s:.2f} s, beside the rest of the start but for"
    say(f"{said} {waited_s:.2f} s; the hub then ready in {hub_s:.2f} s")
    assert waited_s < SHARE * hub_s


def _took_s(home: Home, unit: str, first: str, last: str) -> float:
    return _at(home, unit, last) - _at(home, unit, first)


def _at(home: Home, unit: str, what: str) -> float:
    """Return when something of a unit happened, in seconds since the start of the kernel."""
    name = f"{what}TimestampMonotonic"
    return int(home.show(name, unit=unit)[name]) / 1e6
