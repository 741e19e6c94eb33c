"""The start of a hub: at whichever point it is stopped, nothing is lost."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from msgspec.structs import replace

from hub import app
from hub.config import Config, load
from hub.contract.messages import Stage
from hub.core.decide import decide
from hub.core.model.activity import FRESH, Habits
from hub.core.model.driver import Port
from hub.core.model.effects import Lane, Publish
from hub.core.model.events import CenterAcked, ContactChanged, Event, MotionChanged, Started
from hub.core.model.rules import Sense, Sensor
from hub.core.model.state import HomeState
from hub.core.supervision import snapshot
from hub.outbox import habits_file
from hub.outbox.store import Outbox, Row
from hub.outbox.thread import Found, OutboxFile, OutboxThread
from tests.broker import free_port
from tests.hub.rig import RULES, figure, write_config
from tests.hub.stops import Stopper

TAUGHT = replace(FRESH, days=30, day=20_000, peaks=(3.0, 4.0))
LIVED = replace(RULES, sensors={"pir": Sensor(Sense.MOTION)})


class Quiet(msgspec.Struct, frozen=True):
    """A device that works and emits no events."""

    name: str = "help"

    async def run(self, port: Port) -> None:
        port.ready()
        async for _ in port.orders():
            pass


def an_old_home() -> tuple[HomeState, list[Row]]:
    """A home in which somebody moved, and then called."""
    state, rows = HomeState(), list[Row]()
    events: list[Event] = [
        Started(10.0, 1e9 + 10.0, synced=True, boot="b0"),
        MotionChanged(20.0, "pir", active=True),
        ContactChanged(100.0, "help", closed=True),
        ContactChanged(100.2, "help", closed=False),
    ]
    for event in events:
        state, effects = decide(state, event, LIVED)
        told = [e for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS]
        rows += [Row(1, e.id, e.lane, e.topic, e.payload, e.retain) for e in told]
    assert state.alarms
    return state, rows


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(write_config(tmp_path, free_port()))


@pytest.fixture
def folder(config: Config) -> Path:
    folder = Path(config.state_dir)
    folder.mkdir()
    state, rows = an_old_home()
    with closing(Outbox(folder / "outbox.db")) as outbox:
        outbox.commit(msgspec.msgpack.encode(state), rows, ())
    (folder / "habits.bin").write_bytes(msgspec.msgpack.encode(TAUGHT))
    return folder


@pytest.fixture
def hubs() -> Iterator[list[app.Hub]]:
    """All hubs that were made, the newest last."""
    made: list[app.Hub] = []
    real = app.Hub.__init__

    def init(hub: app.Hub, *given: object) -> None:
        real(hub, *given)  # type: ignore[arg-type]
        made.append(hub)

    with (
        patch.object(app.Hub, "__init__", init),
        patch("hub.shared.system.one_heap"),  # the heap is that of all tests
        patch("hub.shared.system.settle_memory"),
    ):
        yield made


@pytest.fixture
def written() -> Iterator[list[str]]:
    """The writes that lacked something of the old home, even if the next write had it again."""
    wrong: list[str] = []
    commit, write = Outbox.commit, habits_file._write

    def committed(outbox: Outbox, snapshot: bytes | None, *more: Any) -> None:  # noqa: ANN401
        commit(outbox, snapshot, *more)
        wrong.extend(forgotten_in(outbox))

    def wrote(path: Path, habits: Habits) -> None:
        write(path, habits)
        wrong.extend(["habits"] if habits != TAUGHT else [])

    with patch.object(Outbox, "commit", committed), patch.object(habits_file, "_write", wrote):
        yield wrong


def forgotten_in(outbox: Outbox) -> list[str]:
    """Return what of the old home is not on the disk any more."""
    held = msgspec.msgpack.decode(outbox.load() or b"", type=HomeState)
    calls = outbox.page((Lane.SOS,), 0, 10)
    old, rows = an_old_home()
    lost = {
        "alarm": [a.id for a in held.alarms] != [a.id for a in old.alarms],
        "deliveries": [o.id for o in held.owed] != [o.id for o in old.owed],
        "call": [r.id for r in calls] != [r.id for r in rows],
        "life": held.care.life_at is None and held.house.active_at < 0.0,
    }
    return [name for name, gone in lost.items() if gone]


def at_work(hub: app.Hub) -> bool:
    """Whether it has read its disk, and has dialled, waited, and dialled again."""
    return hub.link is not None and hub.outbox.known and hub.engine.decided > 8


@contextmanager
def disk(answers_after_s: float) -> Iterator[None]:
    """Make the disk answer late; the hub waits 20 ms for it and then starts without it."""
    opened = OutboxFile.open

    def open_late(file: OutboxFile) -> Found:
        threading.Event().wait(answers_after_s)
        return opened(file)

    with (
        patch.object(OutboxFile, "open", open_late),
        patch.object(OutboxThread.read, "__defaults__", (0.02,)),
        patch.object(app, "RETRY_S", 0.01),
        patch("hub.link.reconnect.delay_s", lambda *_, **__: 0.01),
    ):
        yield


# asyncio's own: a unix server whose making is cancelled keeps its socket until it is collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("answers_after_s", [0.0, 0.06])
def test_a_stop_at_any_await_of_the_start_forgets_nothing(
    config: Config, folder: Path, hubs: list[app.Hub], written: list[str], answers_after_s: float
) -> None:
    n, late, began = 0, False, time.monotonic()
    while not late:
        stopper = Stopper(n, lambda: hubs and at_work(hubs[-1]))
        hubs.clear()
        with disk(answers_after_s):
            stopper.run(config, (Quiet(),))
        assert not written, f"stopped at await {n}"
        n, late = n + 1, stopper.late
    figure(f"stopped at each of {n - 1} awaits in {time.monotonic() - began:.1f} s")
    assert n > 10
    with closing(Outbox(folder / "outbox.db")) as outbox:
        assert not forgotten_in(outbox)
    assert msgspec.msgpack.decode((folder / "habits.bin").read_bytes(), type=Habits) == TAUGHT


class Pressed(Quiet, frozen=True):
    """A help button that is pressed at once."""

    async def run(self, port: Port) -> None:
        port.ready()
        at = time.monotonic()
        port.emit(ContactChanged(at, self.name, closed=True))
        port.emit(ContactChanged(at + 0.2, self.name, closed=False))
        async for _ in port.orders():
            pass


@pytest.mark.parametrize("taken_up", ["as soon as it answers", "only by the stop"])
def test_a_call_of_before_the_disk_answered_outlives_a_stop_right_after(
    config: Config, folder: Path, hubs: list[app.Hub], taken_up: str
) -> None:
    old, _ = an_old_home()
    answered = threading.Event()

    def wait_long(_: OutboxThread, within_s: float) -> Coroutine[Any, Any, None]:
        return asyncio.sleep(within_s)

    def stop() -> bool:
        """Whether the call is shown, and the disk has been read."""
        called = bool(hubs and hubs[-1].engine.state.alarms)
        if called:
            granted.set()
        known = taken_up == "only by the stop" or (called and hubs[-1].outbox.known)
        return called and answered.is_set() and known

    granted, opened = threading.Event(), OutboxFile.open

    def open_late(file: OutboxFile) -> Found:
        granted.wait(10.0)
        found = opened(file)
        answered.set()
        return found

    by_stop = patch.object(OutboxThread, "answer", wait_long)
    with (
        disk(0.0),
        patch.object(OutboxFile, "open", open_late),
        patch.object(app, "RETRY_S", 60.0),
        by_stop if taken_up == "only by the stop" else nullcontext(),
    ):
        Stopper(1_000_000, stop).run(config, (Pressed(),))
    with closing(Outbox(folder / "outbox.db")) as outbox:
        held = msgspec.msgpack.decode(outbox.load() or b"", type=HomeState)
        rows = outbox.page((Lane.SOS,), 0, 10)
    calls = [alarm.id for alarm in held.alarms]
    assert len(calls) == 2
    assert calls[0] == old.alarms[0].id
    assert {row.id for row in rows} == {*calls}


@pytest.mark.parametrize("row", ["lost", "confirmed before the disk answered"])
def test_a_message_that_nobody_would_ever_confirm_is_not_taken_up(
    config: Config, folder: Path, hubs: list[app.Hub], row: str
) -> None:
    """The call would keep its alarm open for ever."""
    state, rows = an_old_home()
    state, effects = decide(state, CenterAcked(101.0, "-1", "-1", Stage.RECEIVED, 1), LIVED)
    for at, down in ((200.0, True), (200.2, False)):
        state, effects = decide(state, ContactChanged(at, "help", closed=down), LIVED)
    (told,) = (e for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS)
    assert [o.id for o in state.owed] == [told.id]
    kept = [Row(2, told.id, told.lane, told.topic, told.payload, told.retain)]
    with closing(Outbox(folder / "outbox.db")) as outbox:
        kept = [] if row == "lost" else kept
        outbox.commit(msgspec.msgpack.encode(state), kept, [old.id for old in rows])
    granted, opened = threading.Event(), OutboxFile.open

    def open_late(file: OutboxFile) -> Found:
        granted.wait(10.0)
        return opened(file)

    def confirmed() -> bool:
        """Make the centre confirm the call, and only then the disk answer."""
        if not hubs or not hubs[-1].engine.decided:
            return False
        if told.id in hubs[-1].outbox.settled() or row == "lost":
            granted.set()
        elif not granted.is_set():
            hubs[-1].engine.emit(CenterAcked(1.0, told.id, "-1", Stage.RECEIVED, 2))
        return at_work(hubs[-1])

    with disk(0.0), patch.object(OutboxFile, "open", open_late):
        Stopper(1_000_000, confirmed).run(config, (Quiet(),))
    state = hubs[-1].engine.state
    assert [a.id for a in state.alarms] == ["-1"]
    assert told.id not in [o.id for o in state.owed]
    assert {o.id for o in state.owed} == set(hubs[-1].outbox.urgent)
    assert len(state.owed) == (row == "lost")


class Deaf(Quiet, frozen=True):
    """A device that ignores the first request to stop."""

    async def run(self, port: Port) -> None:
        with suppress(asyncio.CancelledError):
            await super().run(port)
        await super().run(port)


def test_a_part_that_swallows_its_end_does_not_keep_the_hub_alive(
    config: Config, hubs: list[app.Hub]
) -> None:
    """systemd would kill the hub after 10 s; until then it would only work in part."""
    began = time.monotonic()
    with disk(0.0):
        Stopper(1_000_000, lambda: hubs and at_work(hubs[-1])).run(config, (Deaf(),))
    assert time.monotonic() - began < 10.0


@pytest.mark.parametrize("past", ["new", "torn", "habits", "gone"])
def test_a_home_of_which_no_life_is_known_is_watched_from_the_start_if_it_was_lived_in(
    config: Config, hubs: list[app.Hub], past: str
) -> None:
    folder = Path(config.state_dir)
    folder.mkdir()
    if past == "torn":
        with closing(Outbox(folder / "outbox.db")) as outbox:
            outbox.commit(b"torn", (), ())
    if past == "gone":
        (folder / "outbox.db").write_bytes(b"rubbish" * 1000)
    if past == "habits":
        (folder / "habits.bin").write_bytes(msgspec.msgpack.encode(TAUGHT))
    with disk(0.0):
        Stopper(1_000_000, lambda: hubs and at_work(hubs[-1])).run(config, (Quiet(),))
    care = hubs[-1].engine.state.care
    assert care.life_at == (None if past == "new" else care.began_at)
    faulty = past in {"torn", "gone"}
    assert (snapshot.FAULT in hubs[-1].engine.state.faults) == faulty
