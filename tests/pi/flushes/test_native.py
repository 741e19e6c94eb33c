"""The short form: the product writes here to a recorded disk, and some of its flushes are cut.

`tests/pi/run -k flush` does the same in the virtual Pi with the hub's unit, and cuts every flush.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench import powercut
from hub.core.model.effects import Lane
from hub.outbox import repair
from hub.outbox.store import Outbox, Row
from hub.shared.county import County
from tests.broker import certs
from tests.pi.flushes import recorder, story
from tests.pi.flushes.judge import HUB
from tests.pi.flushes.recorder import Recorder
from tests.pi.flushes.replay import replay
from tests.provisioning.enrol.est import Est

PRESSES, ROUNDS, JUDGED = 20, 3, 20
pytestmark = pytest.mark.skipif(
    not recorder.is_usable(), reason="needs root, FUSE, loop devices and qemu-storage-daemon"
)


def press(folder: Path, witness: story.Witness, patch: pytest.MonkeyPatch) -> None:
    """Let the engine take presses and acks, and claim what each commit has made durable."""

    class Claiming(Outbox):
        def commit(self, snapshot: bytes | None, put: Iterable[Row], forget: Iterable[str]) -> None:
            rows, gone = list(put), list(forget)
            for id_ in gone:
                witness.claim("call", id_, done=False)
            super().commit(snapshot, rows, gone)
            for row in rows:
                if row.lane is Lane.SOS:
                    witness.claim("call", row.id)

    with patch.context() as put:
        put.setattr(repair, "Outbox", Claiming)
        asyncio.run(powercut.workload(folder, PRESSES))


def test_no_flush_of_calls_registration_and_lists_is_a_moment_to_lose_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Est(certs()) as est, Recorder(tmp_path) as disk:
        est.typed, est.days = HUB, 0.1  # each certificate is due for renewal at once
        county = County(center=est.url, ca=str(certs() / "ca.crt"))
        press(disk.mounted, story.Witness(disk.device, 0), monkeypatch)
        story.works(story.Witness(disk.device, 1), disk.mounted, county, ROUNDS)
    found = replay(tmp_path, most=JUDGED)
    assert not found.wrong
    assert found.calls > JUDGED
    assert found.registered > JUDGED / 4
    assert replay(tmp_path, most=JUDGED, lies=3).wrong, "a disk that lies about flushes loses"
