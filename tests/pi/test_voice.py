"""The voice under its unit on a Pi: sandbox, engines, death and hanging, and a press meanwhile.

Here the models take minutes to load, and what holds the interpreter for half a second on a machine
of its own holds it for longer than the hub waits for an answer: it ends such a voice, as it should.
So the engines are loaded while no hub runs. Facts and their order are judged, not seconds.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.figures import say, spread
from tests.pi.guestlink import wait_until
from tests.pi.home import HELP, RED, UNIT, Home
from tests.pi.voice_home import STARTS_S, VOICE, VoiceHome

pytestmark = pytest.mark.pi

PRESSES = 5
BUSY = 5.0  # emulated cores under load: presses beside nobody at all differ threefold
CAPTURE = "/proc/asound/Loopback/pcm1c/sub0/status"


@pytest.fixture(scope="module")
def folder(lab: Path) -> Path:
    """Return a folder of our own: the hub's tests may have their Pi still."""
    place = lab / "voice"
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
def home(folder: Path, broker: Broker, centre: Centre) -> Iterator[VoiceHome]:  # noqa: ARG001
    with VoiceHome(folder, broker) as home:
        yield home


@pytest.fixture(scope="module")
def without(home: VoiceHome, centre: Centre) -> list[float]:
    """Return the seconds from press to red lamp before there is any voice."""
    return _presses(home, centre, PRESSES)


def test_it_starts_under_its_unit_and_a_card_that_is_found_later_is_heard(
    home: VoiceHome, without: list[float]
) -> None:
    spread("press to red lamp, no voice", without)
    assert home.pi.run("lsmod | grep -q ^snd_").code, "no sound card is there yet"
    home.pi.must(f"systemctl stop {UNIT}")
    home.pi.must(f"systemctl start {VOICE}")
    pid = home.pid()
    home.wait_for("no microphone: missing", pid)
    home.pi.must("modprobe snd-aloop pcm_substreams=1")
    home.wait_for("microphone: back", pid)
    assert f"owner_pid   : {pid}" in _threads(home, pid)
    say(f"three engines ready after {home.wait_for('vosk', pid):.0f} s more")
    ready = home.pi.must(f"journalctl --no-pager -o cat _PID={pid} | grep 'ready after' | tail -1")
    assert {"whisper", "vosk"} <= set(re.findall(r"[a-z]+", ready)), ready


def test_it_is_confined(home: VoiceHome) -> None:
    report = home.pi.must(f"systemd-analyze security --no-pager {VOICE}")
    found = re.search(r"exposure level for \S+: ([\d.]+)", report)
    assert found
    say(f"systemd-analyze security {VOICE}: {found[1]}")
    assert float(found[1]) <= 2.0
    status = home.pi.must(f"cat /proc/{home.pid()}/status")
    assert re.search(r"NoNewPrivs:\s1\n", status)
    assert re.search(r"Seccomp:\s2\n", status)
    assert re.search(r"CapBnd:\s0+\n", status)
    network = home.pi.must(f"cat /proc/{home.pid()}/net/dev")
    assert re.findall(r"(\S+):", network) == ["lo"], network
    shown = home.show("NRestarts", "MemoryCurrent", unit=VOICE)
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    cgroup = int(shown["MemoryCurrent"]) / 1e6
    say(f"resident {resident / 1024:.0f} MB, its control group {cgroup:.0f} MB")
    assert shown["NRestarts"] == "0"


def test_the_hub_has_a_voice_and_a_press_is_no_slower(
    home: VoiceHome, centre: Centre, without: list[float]
) -> None:
    home.pi.must(f"systemctl start {UNIT}")
    home.wait_for("connected to the hub", home.pid())
    doctor = "/usr/lib/anbu/hub/bin/anbu doctor --config /etc/anbu/hub.toml --json"
    told = json.loads(home.pi.run(doctor, timeout_s=400).out)
    findings = {each["check"]: each["code"] for each in told}
    assert findings["voice_socket"] == "good"
    beside = _presses(home, centre, PRESSES)
    spread("press to red lamp beside the voice", beside)
    assert sorted(beside)[PRESSES // 2] < BUSY * max(without)


def test_killed_it_comes_back_to_the_hub(home: VoiceHome) -> None:
    pid = home.pid()
    home.pi.must(f"kill -KILL {pid}")
    say(f"killed, and connected again after {_again(home, pid):.0f} s")


def test_a_voice_that_hangs_is_ended_by_the_hub_and_holds_up_no_press(
    home: VoiceHome, centre: Centre, without: list[float]
) -> None:
    pid = home.pid()
    home.pi.must(f"kill -STOP {pid}")
    began = time.monotonic()
    hanging = _presses(home, centre, 1)
    spread("press to red lamp while the voice hangs", hanging)
    assert hanging[0] < BUSY * max(without)
    home.pi.until(f"! test -d /proc/{pid}")
    say(f"hung, and ended after {time.monotonic() - began:.0f} s")
    say(f"and connected again {_again(home, pid):.0f} s later")
    assert "code=killed, status=9/KILL" in home.log(VOICE)


def _again(home: VoiceHome, old: int) -> float:
    """Wait until another process of the voice has come to the hub, seconds."""
    began = time.monotonic()
    wait_until(lambda: home.pid() not in {0, old}, STARTS_S, "another voice", every_s=0.5)
    home.wait_for("connected to the hub", home.pid())
    return time.monotonic() - began


def _presses(home: Home, centre: Centre, count: int) -> list[float]:
    """Press the help button some times; return the seconds from each finger to the red lamp."""
    lit = []
    for _ in range(count):
        _calm(home, centre)
        lines = home.pi.watch(RED, seconds=3)
        assert next(lines)["level"] == 0, "the red lamp is dark while nobody calls"
        before = len(centre.stored())
        finger = next(iter(list(home.pi.press(HELP))))
        lit.append(next(each["at"] for each in lines if each["level"]) - finger["at"])
        list(lines)
        wait_until(lambda: len(centre.stored()) > before, 60, "the centre stored it")  # noqa: B023
    _calm(home, centre)
    return lit


def _calm(home: Home, centre: Centre) -> None:
    """Close what is open, and wait until the lamp tells of no alarm; a fault is none."""
    for alarm in centre.open_alarms():
        centre.close(alarm["id"])
    wait_until(lambda: home.shows("resting") or home.shows("fault"), 60, "the lamp is calm")


def _threads(home: VoiceHome, pid: int) -> str:
    """Return the state of the loopback card's microphone, and which threads are the voice's."""
    found = home.pi.must(f"cat {CAPTURE}")
    ids = home.pi.must(f"ls /proc/{pid}/task").split()
    return re.sub(r"(?<=owner_pid   : )\d+", lambda m: str(pid) if m[0] in ids else m[0], found)
