"""A power cut at every flush: what the hub, registration and lists write, replayed flush by flush.

The state folder is a disk of its own, which QEMU records. Presses while the broker is there and
while it is not, registration and renewals by EST with the host, changes of the list of devices: all
at the same time. Then each flush of the record is one power cut, and one torn cut follows it.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker, certs
from tests.pi.centre import Centre
from tests.pi.figures import say
from tests.pi.flushes import story
from tests.pi.flushes.recorder import blank
from tests.pi.flushes.replay import RECEIVED, RECORD, replay
from tests.pi.home import HELP, HUB, UNIT, Home
from tests.pi.machine import EST_IN_GUEST
from tests.provisioning.enrol.est import Est

pytestmark = pytest.mark.pi

STATE = "/dev/disk/by-id/virtio-state"
STORY = "/run/flushes/story.py"
PYTHON = "/usr/lib/anbu/hub/bin/python"
PRESSES, ROUNDS = 40, 12


@pytest.fixture(scope="module")
def est() -> Iterator[Est]:
    """Return an authority on the host; each of its certificates is due for renewal at once."""
    with Est(certs()) as server:
        server.typed, server.days = HUB, 0.1
        yield server


@pytest.fixture(scope="module")
def recorded(lab: Path, broker: Broker, centre: Centre, est: Est) -> Iterator[Home]:  # noqa: ARG001
    """Yield a home whose state folder is on a disk that is recorded from its first write."""
    folder = lab / "flushes"
    folder.mkdir()
    home = Home(folder, broker)
    home.pi.recorded = blank(folder), folder / RECORD
    home.pi.forwards = {EST_IN_GUEST: _port(est)}
    with home:
        yield home


def _port(est: Est) -> int:
    return int(est.url.rpartition(":")[2])


def test_no_flush_is_a_moment_at_which_a_power_cut_loses_anything(
    recorded: Home, broker: Broker, centre: Centre
) -> None:
    pi = recorded.pi
    _put_the_state_on_the_recorded_disk(recorded)
    witness, works = _beside(recorded, "calls", 600), _beside(recorded, "works", ROUNDS)
    pressed = list(pi.press(HELP, down_s=0.06, gap_s=0.5, count=PRESSES // 2))
    broker.stop()  # from now on only the disk knows of the calls
    pressed += pi.press(HELP, down_s=0.06, gap_s=0.5, count=PRESSES // 2)
    works.join()
    pi.must("touch /var/lib/anbu/enough")
    witness.join()
    pi.cut_power()
    received = [event.id for event in centre.stored()]
    (pi.folder / RECEIVED).write_text("\n".join(received))
    broker.start()
    found = replay(recorded.pi.folder)
    say("\n".join([*found.wrong[:20], str(found), f"{len(received)} calls were with the centre"]))
    assert len(pressed) == PRESSES
    assert found.flushes >= 2 * PRESSES, "each call and each file has its own"
    assert found.calls
    assert found.registered
    assert not found.wrong


def _put_the_state_on_the_recorded_disk(home: Home) -> None:
    pi = home.pi
    pi.must(f"systemctl stop {UNIT}")
    pi.must(f"mount -o noatime {STATE} /var/lib/anbu && chown anbu: /var/lib/anbu")
    pi.put(STORY, Path(story.__file__).read_bytes())
    pi.put("/run/flushes/ca.crt", (certs() / "ca.crt").read_bytes())
    pi.must(f"systemctl start {UNIT}")


def _beside(home: Home, name: str, amount: int) -> threading.Thread:
    """Run a part of the story in the guest while others go on; a failure is raised by `join`."""
    begun = _Beside(home, f"{PYTHON} {STORY} {name} {STATE} {amount}")
    begun.start()
    return begun


class _Beside(threading.Thread):
    def __init__(self, home: Home, command: str) -> None:
        super().__init__(daemon=True)
        self._home, self._command, self._said = home, command, ""

    def run(self) -> None:
        done = self._home.pi.run(self._command, timeout_s=600)
        self._said = "" if done.code == 0 else done.out + done.err

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        assert not self._said, self._said
