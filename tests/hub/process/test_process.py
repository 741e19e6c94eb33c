"""The hub as a process: ready before the network, ends cleanly, loses nothing by SIGKILL."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from hub.outbox.store import Outbox
from tests.broker import Broker, free_port, wait_until
from tests.chaos import Chaos, Flow
from tests.hub.outbox.test_store import remount, stuff, tmpfs
from tests.hub.rig import HUB, HubProcess, NotifySocket, StubCenter, figure

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def center(broker: Broker) -> Iterator[StubCenter]:
    with StubCenter(broker) as running:
        yield running


@pytest.mark.parametrize("network", ["refused", "black hole"])
def test_the_button_is_armed_before_the_network(
    broker: Broker, tmp_path: Path, network: str
) -> None:
    with Chaos(broker) as line, NotifySocket(tmp_path) as notify:
        line.up = line.down = Flow.LOST
        port = free_port() if network == "refused" else line.port
        hub = HubProcess(tmp_path, port)
        hub.notify = notify.path
        with hub:
            wait_until(hub.armed, f"the house opens: {hub.log()}")
            wait_until(lambda: notify.times("READY=1"), "READY")
            assert hub.signal() != "", "armed at READY, with no network"
            hub.press()
            wait_until(lambda: hub.signal() in {"raised", "undelivered"}, "the press counts")
            ready_s = notify.times("READY=1")[0] - hub.began
            figure(f"exec to READY, network {network}: {ready_s:.2f} s")
            assert ready_s < 3 * 3.0


def test_a_press_reaches_the_center_and_the_resident_hears_of_it(
    broker: Broker, center: StubCenter, tmp_path: Path
) -> None:
    with HubProcess(tmp_path, broker.port) as hub:
        hub.press()
        wait_until(lambda: hub.signal() == "received", "the resident is told")
        assert [e.data.device for e in center.raised(HUB)] == ["help"]
        assert hub.stop() == 0


def test_a_clean_stop_says_disconnected_and_not_lost(
    broker: Broker, center: StubCenter, tmp_path: Path
) -> None:
    for n in range(3):
        with HubProcess(tmp_path / f"{n}", broker.port) as hub:
            wait_until(lambda: center.said(HUB)[-1:] == ["ready"], "it is there")
            assert hub.stop() == 0
            wait_until(lambda: center.said(HUB)[-1] != "ready", "it has gone")
            assert center.said(HUB)[-1] == "disconnected"


def test_a_killed_hub_is_lost(broker: Broker, center: StubCenter, tmp_path: Path) -> None:
    with HubProcess(tmp_path, broker.port) as hub:
        wait_until(lambda: center.said(HUB)[-1:] == ["ready"], "it is there")
        hub.kill()
        wait_until(lambda: center.said(HUB)[-1] == "lost", "the broker says so", 20)


def test_a_stop_in_the_first_moment_forgets_nothing(
    broker: Broker, center: StubCenter, tmp_path: Path
) -> None:
    """SIGTERM while the file is being read must not write an empty home over it."""
    center.mute = True
    with HubProcess(tmp_path, broker.port) as hub:
        hub.press()
        wait_until(lambda: center.raised(HUB), "it is sent")
        hub.kill()
        dice = random.Random(3)  # noqa: S311 - a test's dice
        for _ in range(6):
            hub.start()
            moment = hub.began + 0.2 + dice.random() * 0.6
            wait_until(partial(_is_past, moment), "a random moment of the start")
            hub.process.terminate()
            hub.process.wait(10)
        center.mute = False
        hub.start()
        wait_until(lambda: hub.signal() == "received", f"the alarm is still known: {hub.log()}")
    assert len(center.stored) == 1


def test_a_snapshot_that_is_torn_forgets_no_call_and_is_told_of(
    broker: Broker, center: StubCenter, tmp_path: Path
) -> None:
    with HubProcess(tmp_path, broker.port) as hub:
        hub.press()
        wait_until(lambda: hub.signal() == "received", "the call is known at the centre")
        hub.kill()
        with closing(sqlite3.connect(hub.database)) as db:
            (whole,) = db.execute("SELECT state FROM snapshot").fetchone()
            torn = whole[: whole.index(b"\xa6alarms") + 300]
            db.execute("UPDATE snapshot SET state = ?", (torn,))
            db.commit()
        hub.start()
        told = partial(_told_of, center, "hub:snapshot")
        wait_until(lambda: hub.signal() == "received", f"the call is still open: {hub.log()}")
        wait_until(told, "a fault names what is lost")
        assert [
            kept.read_bytes() for kept in hub.database.parent.glob("snapshot.bin.unread-*")
        ] == [torn]
    assert len(center.raised(HUB)) == 1


def _told_of(center: StubCenter, fault: str) -> bool:
    return any(topic.endswith(fault) and payload for topic, payload in list(center.faults))


def calls_on_disk(hub: HubProcess) -> int:
    """Count them as another process sees them, while the hub runs or after it was killed."""
    try:
        with closing(sqlite3.connect(f"file:{hub.database}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM message WHERE lane = 0").fetchone()[0])
    except sqlite3.OperationalError:  # there is no file yet
        return 0


def test_every_press_that_was_committed_survives_sigkill_and_comes_exactly_once(
    broker: Broker, center: StubCenter, tmp_path: Path
) -> None:
    """The loss bench in short: the hub is killed at random while the centre confirms nothing."""
    dice, pressed, committed = random.Random(11), 0, 0  # noqa: S311 - a test's dice
    center.mute = True
    with HubProcess(tmp_path, broker.port) as hub:
        for _ in range(6):
            for _ in range(dice.randint(1, 2)):
                wait_until(hub.armed, "it is back")
                wait_until(partial(_is_past, time.monotonic() + 0.1), "a gap, or it is a bounce")
                hub.press(ms=40)
                pressed += 1
                wait_until(partial(_has_grown, hub, committed), "it is on the disk")
                committed = calls_on_disk(hub)
            hub.press(ms=dice.randint(15, 60))  # and one that may or may not have counted
            hub.kill()
            pressed += 1
            committed = calls_on_disk(hub)
            hub.start()
        center.mute = False
        wait_until(lambda: len(center.stored) >= committed, "all have come", 20)
        wait_until(lambda: hub.signal() == "received" and not calls_on_disk(hub), "all settled", 20)
    again = sum(center.heard.values()) - len(center.heard)
    figure(f"{pressed} presses, {committed} committed over 6 kills: {len(center.stored)} at the "
           f"centre, {again} sent again and folded by id")  # fmt: skip
    assert committed >= pressed - 6
    assert len(center.stored) == committed


def _has_grown(hub: HubProcess, before: int) -> bool:
    return calls_on_disk(hub) > before


def test_a_damaged_outbox_is_kept_aside_and_the_call_in_it_still_arrives(
    broker: Broker, center: StubCenter, tmp_path: Path
) -> None:
    with HubProcess(tmp_path, free_port()) as offline:
        offline.press()
        wait_until(lambda: offline.signal() in {"raised", "undelivered"}, "it counts")
        offline.kill()
    wal = tmp_path / "state" / "outbox.db-wal"
    with closing(Outbox(tmp_path / "state" / "outbox.db")) as outbox:
        outbox.commit(None, [], ())
    assert not wal.exists()
    with (tmp_path / "state" / "outbox.db").open("r+b") as file:
        file.seek(100)
        file.write(bytes(8))  # the first page's head: the schema cannot be read
    with HubProcess(tmp_path, broker.port) as hub:
        wait_until(hub.armed, "it starts")
        wait_until(lambda: center.said(HUB)[-1:] == ["ready"], "it is there")
        assert list((tmp_path / "state").glob("*.damaged-*"))
        wait_until(
            lambda: any("storage" in topic for topic, body in center.faults if body), "a fault"
        )
        hub.press()
        wait_until(lambda: center.raised(HUB), "and calls")


@pytest.mark.parametrize("trouble", ["full", "read_only"])
def test_with_a_disk_that_takes_nothing_a_call_still_leaves_from_memory(
    broker: Broker, center: StubCenter, tmp_path: Path, trouble: str
) -> None:
    with tmpfs(tmp_path / "small", "size=1m") as folder:
        (folder / "state").mkdir()
        if trouble == "full":
            stuff(folder)
        else:
            remount(folder, "ro")
        hub = HubProcess(tmp_path / "hub", broker.port)
        text = hub.config.read_text().replace(f"{tmp_path}/hub/state", f"{folder}/state")
        hub.config.write_text(text)
        with hub:
            hub.press()
            wait_until(lambda: hub.signal() == "received", f"the call left: {hub.log()}")
            wait_until(
                lambda: any(trouble.encode() in body for _, body in center.faults), "a fault", 15
            )


def _is_past(moment: float) -> bool:
    return time.monotonic() > moment
