"""The hub on a Pi: real systemd, real GPIO lines by lgpio, a real broker and centre on the host.

The cores are emulated: times here are 10 to 20 times those of a machine of its own.
"""

import re
import time

import pytest

from tests.pi.centre import Centre
from tests.pi.evidence import Stored
from tests.pi.figures import say, spread
from tests.pi.guestlink import wait_until
from tests.pi.home import BUZZER, HELP, RED, UNIT, Home

pytestmark = pytest.mark.pi

CALLS = 10
WATCHDOG_S = 30.0


def test_the_unit_is_confined_and_says_when_it_is_ready(home: Home) -> None:
    home.pi.until(f"systemctl is-active {UNIT}")
    report = home.pi.must(f"systemd-analyze security --no-pager {UNIT}")
    found = re.search(r"exposure level for \S+: ([\d.]+)", report)
    assert found
    say(f"systemd-analyze security: {found[1]}")
    assert float(found[1]) <= 2.0
    shown = home.show("Type", "NotifyAccess", "WatchdogUSec", "Restart", "User", "NRestarts")
    assert shown == {
        "Type": "notify",
        "NotifyAccess": "main",
        "WatchdogUSec": "30s",
        "Restart": "always",
        "User": "anbu",
        "NRestarts": "0",
    }
    times = home.show("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    began, ready = (int(times[name]) / 1e6 for name in sorted(times, reverse=True))
    kb = home.pi.must(f"grep VmRSS /proc/$(systemctl show -P MainPID {UNIT})/status").split()[1]
    say(f"exec to READY {ready - began:.1f} s, resident {int(kb) / 1024:.0f} MB")


def test_a_finger_reaches_the_centre_and_a_take_comes_back_to_the_lamp(
    home: Home, centre: Centre
) -> None:
    home.rest(centre)
    received, lit, taken = [], [], []
    for _ in range(CALLS):
        offset_s = home.pi.clock_offset_s()
        lines = home.pi.watch(RED, seconds=3)
        dark = next(lines)
        assert dark["level"] == 0, "the red lamp is dark while nobody calls"
        before = len(centre.stored())
        finger = next(iter(list(home.pi.press(HELP))))
        stored = _stored_beyond(centre, before)
        received.append(stored.stored_utc - (finger["utc"] - offset_s))
        lit.append(next(each["at"] for each in lines if each["level"]) - finger["at"])
        list(lines)
        taken.append(_take_to_lamp(home, centre, offset_s))
        home.rest(centre)
    spread("press to red lamp", lit)
    spread("press to received", received)
    spread("take to lamp", taken)


def _stored_beyond(centre: Centre, count: int) -> Stored:
    wait_until(lambda: len(centre.stored()) > count, 20, "the centre stored it", 0.005)
    return centre.stored()[-1]


def _take_to_lamp(home: Home, centre: Centre, offset_s: float) -> float:
    """Take the one alarm; return the seconds until the lamp's lines tell of it.

    The beeps begin with the new look, at once; the red line, which pulsed, then stays lit.
    """
    (alarm,) = centre.open_alarms()
    changes = home.pi.watch(BUZZER, RED, seconds=4)
    next(changes)
    began = time.time()
    centre.take(alarm["id"])
    beeps = [c["utc"] for c in changes if c["line"] == BUZZER and c["level"]]
    assert {c["level"] for c in home.pi.watch(RED, seconds=2)} == {1}, "red stays lit"
    return float(next(utc - offset_s - began for utc in beeps if utc - offset_s >= began))


def test_a_hub_that_hangs_is_started_again_by_systemd_and_forgets_nothing(
    home: Home, centre: Centre
) -> None:
    home.rest(centre)
    list(home.pi.press(HELP))
    wait_until(centre.open_alarms, 20, "the centre has the alarm")
    pid = home.show("MainPID")["MainPID"]
    home.pi.must(f"kill -STOP {pid}")
    began = time.monotonic()
    wait_until(lambda: home.show("NRestarts")["NRestarts"] == "1", 3 * WATCHDOG_S, "a restart")
    say(f"hung hub started again after {time.monotonic() - began:.0f} s")
    home.pi.until(f"systemctl is-active {UNIT}")
    (alarm,) = centre.open_alarms()
    assert alarm["stage"] == "received"
    wait_until(lambda: home.shows("received"), 60, "the lamp still says that it was received")
