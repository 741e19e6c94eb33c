"""Engine and delivery with a real outbox; only the link is a fake, which keeps a record."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from msgspec.structs import replace

from hub.contract.messages import Ack, Stage
from hub.contract.radio import How
from hub.contract.wire import LinkTrouble, encode
from hub.core.model.effects import Effect, Lane, Order, Publish, Show, Signal, Took
from hub.core.model.events import (
    BrokerRefused,
    ContactChanged,
    DriverFailed,
    Event,
    Heartbeat,
    Started,
    StorageFailed,
    StorageRecovered,
    StorageTrouble,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role
from hub.core.model.state import HomeState
from hub.engine import BATCH, EARLY, Engine
from hub.outbox.store import Outbox, Row
from hub.outbox.thread import OutboxThread, decode_snapshot
from tests.hub.outbox.test_store import fill
from tests.hub.outbox.test_thread import on_disk, stuck
from tests.hub.rig import HUB, RULES, SNAPSHOT, figure, tell, until

SOS, FAULT = Lane.SOS, Lane.FAULT


class Clock:
    """Monotonic time that only a test moves, plus what has really passed."""

    def __init__(self) -> None:
        self.skipped_s = 1000.0 - time.monotonic()

    def at(self) -> float:
        return time.monotonic() + self.skipped_s

    def utc(self) -> float:
        return self.at() + 1e9


class Home:
    """An engine with its delivery and outbox, and everything that it does, in order."""

    def __init__(self, path: Path, patience_s: float = 0.3) -> None:
        self.clock = Clock()
        self.outbox = OutboxThread(path, patience_s=patience_s)
        self.engine = Engine(HomeState(), RULES, self.outbox, self.clock, self)
        self.engine.delivery.carrier = self
        self.deeds: list[str] = []
        self.events: list[Event] = []
        self.sent: list[Row] = []
        self.hung_up: list[LinkTrouble] = []
        self.jump_at, self.jump_s = 0, 0.0
        self.called_at: list[int] = []  # after how many decisions each call for help was made

    # Outlets and Carrier.

    def tell(self, order: Order) -> None:
        if isinstance(order, Show):
            self.deeds.append(f"show {order.signal}")
        elif isinstance(order, Took):
            self.deeds.append(f"took {order.id}")

    def pet(self) -> None:
        self.deeds.append("pet")

    def record(self, event: Event, effects: list[Effect]) -> None:
        self.events.append(event)
        if len(self.events) == self.jump_at:
            self.clock.skipped_s += self.jump_s
        if any(isinstance(e, Publish) and e.lane is SOS for e in effects):
            self.called_at.append(len(self.events))
        self.deeds += [f"decide {e.id}" for e in effects if isinstance(e, Publish)]

    def publish(self, row: Row) -> None:
        self.sent.append(row)
        self.deeds.append(f"publish {row.id}")

    def mention(self, topic: str, payload: bytes) -> None:
        self.deeds.append(f"mention {topic} {len(payload)}")

    def hang_up(self, trouble: LinkTrouble) -> None:
        self.hung_up.append(trouble)

    def hurry(self, *, urgent: bool) -> None:
        pass

    # What tests do.

    def press(self, at: float | None = None) -> None:
        at = self.clock.at() if at is None else at
        self.engine.emit(ContactChanged(at - 0.1, "help", closed=True))
        self.engine.emit(ContactChanged(at - 0.02, "help", closed=False))

    def calls(self) -> list[Row]:
        return [row for row in self.sent if row.lane is SOS]

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


@asynccontextmanager
async def home(path: Path, *, link: bool = True) -> AsyncIterator[Home]:
    """Yield a running home whose commits are recorded."""
    made = Home(path)
    real = Outbox.commit

    def commit(outbox: Outbox, *args: object) -> None:
        real(outbox, *args)  # type: ignore[arg-type]
        made.deeds.append("commit")

    with patch.object(Outbox, "commit", commit):
        found = await made.outbox.read()
        assert found is not None
        started = Started(made.clock.at(), made.clock.utc(), synced=True, boot="boot")
        made.engine.begin(decode_snapshot(found.snapshot), started, found)
        running = asyncio.create_task(made.engine.run())
        if link:
            made.engine.delivery.link_up("broker")
        try:
            yield made
            assert not running.done()
        finally:
            running.cancel()
            made.outbox.close()


def test_a_call_is_on_the_disk_before_it_is_sent_or_shown(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            del house.deeds[:]
            house.press()
            await until(house.calls, "it is sent")
            call = house.calls()[0].id
            deeds = house.deeds
            order = [f"decide {call}", "commit", f"publish {call}", f"show {Signal.RAISED}"]
            assert [d for d in deeds if d in order] == order

    tell(story())


def test_what_queues_up_is_decided_together_and_committed_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            del house.deeds[:]
            for n in range(50):
                house.engine.emit(DriverFailed(house.clock.at(), f"d{n}", "gone"))
            await until(lambda: house.count(DriverFailed) == 50, "all are decided")
            await until(lambda: house.deeds.count("commit") >= 1, "they are committed")
            assert house.deeds.count("commit") <= 2

    tell(story())


def test_a_due_press_is_served_before_a_flood_of_edges(tmp_path: Path) -> None:
    """The delay is limited in decisions, not in seconds: ten thousand edges of a contact wait."""

    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            at = house.clock.at()
            house.engine.emit(ContactChanged(at + 30.0, "help", closed=True))
            await until(lambda: house.count(ContactChanged) == 1, "the finger is seen")
            for n in range(10_000):
                house.engine.emit(ContactChanged(at, "other", closed=bool(n % 2)))
            began = len(house.events)
            house.jump_at, house.jump_s = began + 1000, 60.0
            await until(house.calls, "the call is sent", 30.0)
            decided = house.called_at[0] - house.jump_at
            figure(f"decisions between a due press and its turn, under 10,000 edges: {decided}")
            assert 0 < decided <= BATCH + EARLY + 1
            await until(lambda: house.count(ContactChanged) == 10_001, "the flood is over", 30.0)

    tell(story())


def test_a_flood_does_not_keep_others_from_the_loop(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            for n in range(5_000):
                house.engine._put(ContactChanged(house.clock.at(), "other", closed=bool(n % 2)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert len(house.engine._facts) > 4_000

    tell(story())


def test_a_hanging_disk_delays_a_call_by_its_patience_and_raises_one_fault(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            with stuck() as hang:
                began = time.monotonic()
                house.press()
                await until(house.calls, "it is sent from memory")
                first_s = time.monotonic() - began
                await until(lambda: house.count(StorageFailed) == 1, "the fault is raised")
                house.press(house.clock.at() + 1)
                house.clock.skipped_s += 1.0
                began = time.monotonic()
                await until(lambda: len(house.calls()) == 2, "the next is sent at once")
                figure(
                    f"disk hangs (patience 0.3 s): SOS after {first_s:.3f} s, "
                    f"the next after {time.monotonic() - began:.3f} s"
                )
                assert first_s < 0.3 + 1.0
                for n in range(5):
                    house.engine.emit(DriverFailed(house.clock.at(), f"d{n}", "gone"))
                await until(lambda: house.count(DriverFailed) == 5, "it goes on deciding")
                assert house.count(StorageFailed) == 1
                hang.free()
                await until(lambda: not house.outbox._asked, "the disk is back")
            house.clock.skipped_s += 5.0
            house.engine.emit(Heartbeat(house.clock.at(), 0.0, synced=True))
            await until(lambda: house.outbox.unsaved == 0, "all is written")
            assert house.count(StorageRecovered) == 1, "that of the start; it is not steady yet"
            house.clock.skipped_s += 11.0
            house.engine.emit(Heartbeat(house.clock.at(), 0.0, synced=True))
            await until(lambda: house.count(StorageRecovered) == 2, "the fault is over")
            assert on_disk(tmp_path / "outbox.db") == [row.id for row in house.calls()]

    tell(story())


PENDANT = Button(Role.HELP_BUTTON, wireless="A4:C1:38:00:00:01")


def test_a_pendants_press_may_be_forgotten_only_when_a_disk_holds_it(tmp_path: Path) -> None:
    """The hub dies with the only copy: the radio told the press again, had it not been taken."""

    def press(house: Home, ident: str, counter: int) -> None:
        at, mark = house.clock.at(), f"{counter:08x}"
        pressed = WirelessPressed(at, "pendant", ident, How.PRESS, counter=counter, mark=mark)
        house.engine.emit(pressed)

    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            house.engine.rules = replace(RULES, buttons={**RULES.buttons, "pendant": PENDANT})
            press(house, "r-1", 1)
            await until(lambda: "took r-1" in house.deeds, "it is on the disk")
            house.engine._flush_at = house.clock.at() + 1e6  # the test says when
            with foreign_lock(tmp_path / "outbox.db"):
                press(house, "r-2", 2)
                await until(lambda: len(house.calls()) == 2, "it is sent from memory")
                press(house, "r-3", 2)  # told again on another connection
                house.engine.emit(Heartbeat(house.clock.at(), 0.0, synced=True))
                await until(lambda: "pet" in house.deeds, "both were decided")
                assert "took r-2" not in house.deeds
                assert "took r-3" not in house.deeds
            house.engine._flush_at = house.clock.at()
            house.engine.emit(Heartbeat(house.clock.at(), 0.0, synced=True))
            await until(lambda: "took r-3" in house.deeds, "the disk holds it")
            assert house.deeds.count("took r-2") == 1

    tell(story())


@contextmanager
def foreign_lock(path: Path) -> Iterator[None]:
    """Hold the file as a backup tool does that forbids all writing, until the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def test_a_foreign_lock_delays_no_call_and_what_it_kept_off_is_written_when_it_ends(
    tmp_path: Path,
) -> None:
    """Each commit blocked for 1 s: a call, its acks and the next call all waited for it."""
    path = tmp_path / "outbox.db"

    async def story() -> None:
        async with home(path) as house:
            house.engine._flush_at = house.clock.at() + 1e6  # the test says when
            await until(lambda: "show resting" in house.deeds, "it rests")
            with foreign_lock(path):
                for n in (1, 2):
                    house.press()
                    began = time.monotonic()
                    await until(lambda n=n: len(house.calls()) == n, "it is sent")  # type: ignore[misc]
                    figure(f"call {n} under a foreign lock: {time.monotonic() - began:.3f} s")
                assert house.count(StorageFailed) == 1
                fault = next(e for e in house.events if isinstance(e, StorageFailed))
                assert (
                    fault.trouble is StorageTrouble.LOCKED
                )  # at once, not `SLOW` after its patience
                assert on_disk(path) == []
            await until(lambda: not house.outbox.unsaved, "all is written", 15)

    tell(story())
    assert len(on_disk(path)) == 2


def test_a_foreign_lock_at_the_start_delays_nothing_and_hides_no_call(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    fill(path)

    async def story() -> None:
        outbox = OutboxThread(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            found = await outbox.read()
            assert time.monotonic() - began < 1.0
            assert found is not None
            assert found.trouble is StorageTrouble.LOCKED
            assert len(found.urgent) == 20
            commit = outbox.take_up(found)
            assert await commit(SNAPSHOT) is StorageTrouble.LOCKED
            db.execute("ROLLBACK")
        assert await commit(SNAPSHOT) is None
        outbox.close()

    tell(story())
    assert not list(tmp_path.glob("*.damaged-*"))


def test_a_disk_that_stalls_now_and_then_is_one_fault(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            for n in range(3):
                with stuck() as hang:
                    house.engine.emit(DriverFailed(house.clock.at(), f"s{n}", "gone"))
                    await until(lambda: house.outbox.trouble, "it is slow")
                    hang.free()
                    await until(lambda: not house.outbox._asked, "it is back")
                house.clock.skipped_s += 5.5
                house.engine.emit(Heartbeat(house.clock.at(), 0.0, synced=True))
                await until(lambda: not house.outbox.unsaved, "it is written")
            assert house.count(StorageFailed) == 1

    tell(story())


def test_without_a_disk_and_without_news_the_engine_rests(tmp_path: Path) -> None:
    """The engine looped without pause when a save was overdue and nothing had changed."""

    async def story() -> None:
        async with home(tmp_path / "outbox.db", link=False) as house:
            await until(lambda: "show" in " ".join(house.deeds), "it shows something")
            house.clock.skipped_s += 61.0
            house.engine._woken.set()
            turns = 0
            real = house.engine.turn

            async def counted() -> None:
                nonlocal turns
                turns += 1
                await real()

            with patch.object(house.engine, "turn", counted):
                deadline = time.monotonic() + 0.5
                await until(lambda: time.monotonic() > deadline, "half a second")
            assert turns < 10

    tell(story())


def test_the_fault_of_a_dead_process_ends_with_the_first_good_start(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"

    async def dies_with_a_fault() -> None:
        async with home(path) as house:
            house.engine.emit(StorageFailed(house.clock.at(), StorageTrouble.FULL))
            await until(lambda: house.engine.state.faults, "it stands")
            await house.engine.flush()

    async def starts_well() -> None:
        async with home(path) as house:
            await until(lambda: house.count(Started) and not house.engine.state.faults, "it ends")

    tell(dies_with_a_fault())
    tell(starts_well())


def test_a_damaged_file_is_a_fault_until_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no database at all" * 100)

    async def story(*, faulty: bool) -> None:
        async with home(path) as house:
            house.engine.emit(DriverFailed(house.clock.at(), "d", "gone"))
            await until(lambda: house.count(DriverFailed), "it is decided")
            await until(lambda: not house.outbox.unsaved, "it is committed")
            standing = [f for f in house.engine.state.faults if "storage" in f]
            assert bool(standing) is faulty

    tell(story(faulty=True))
    tell(story(faulty=False))


def test_a_disk_that_is_read_late_brings_back_its_open_alarms_and_calls(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"

    async def calls_and_dies() -> str:
        async with home(path) as house:
            house.press()
            await until(house.calls, "it is sent")
            return house.calls()[0].id

    async def starts_blind(old: str) -> None:
        house = Home(path)
        with stuck("sound") as hang:
            assert await house.outbox.read(within_s=0.2) is None
            started = Started(house.clock.at(), house.clock.utc(), synced=True, boot="next")
            house.engine.begin(HomeState(), started, None)
            running = asyncio.create_task(house.engine.run())
            house.engine.delivery.link_up("broker")
            house.press()
            await until(house.calls, "a new call goes from memory")
            hang.free()
            await until(lambda: not house.outbox._asked, "the disk is back")
        found = await house.outbox.read()
        assert found is not None
        house.engine.absorb(decode_snapshot(found.snapshot), found)
        assert house.hung_up == [LinkTrouble.CLOSED]
        assert [a.id for a in house.engine.state.alarms] == [old, house.calls()[0].id]
        assert [o.id for o in house.engine.state.owed] == [old, house.calls()[0].id]
        house.engine.delivery.link_down(LinkTrouble.CLOSED)
        house.engine.delivery.link_up("broker")
        await until(lambda: old in [row.id for row in house.calls()], "the old call goes too")
        await until(lambda: not house.outbox.unsaved, "all is written")
        running.cancel()
        house.outbox.close()

    old = tell(calls_and_dies())
    tell(starts_blind(old))
    assert len(on_disk(path)) == 2


def test_an_unreadable_disk_does_not_hold_back_the_fault_that_tells_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db", link=False) as house:
            with stuck():
                house.engine.emit(DriverFailed(house.clock.at(), "d", "gone"))
                await until(lambda: house.count(StorageFailed), "the disk is said to hang")
                house.engine.delivery.link_up("broker")
                await until(
                    lambda: [r for r in house.sent if r.lane is FAULT and "storage" in r.topic],
                    "the fault is sent",
                )

    tell(story())


def test_the_centers_word_settles_a_call_and_a_pubacks_does_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            house.press()
            await until(house.calls, "it is sent")
            call = house.calls()[0].id
            house.engine.delivery.acked(call, refused=False)
            house.engine.delivery.link_down(LinkTrouble.CLOSED)
            house.engine.delivery.link_up("broker")
            await until(lambda: len(house.calls()) == 2, "it is sent again")
            ack = Ack(call, call, Stage.RECEIVED, 1, 0.0)
            house.engine.delivery.arrived(f"anbu/1/{HUB}/ack", encode(ack))
            await until(lambda: not house.outbox.urgent, "it is settled")
            house.engine.delivery.link_down(LinkTrouble.CLOSED)
            house.engine.delivery.link_up("broker")
            await house.engine.flush()
            assert len(house.calls()) == 2

    tell(story())
    assert on_disk(tmp_path / "outbox.db") == []


def test_a_settled_call_is_not_sent_again_while_the_disk_still_writes(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            house.press()
            await until(house.calls, "it is sent")
            call = house.calls()[0].id
            with stuck():
                ack = Ack(call, call, Stage.RECEIVED, 1, 0.0)
                house.engine.delivery.arrived(f"anbu/1/{HUB}/ack", encode(ack))
                await until(lambda: not house.outbox.urgent, "the decision is made")
                house.engine.delivery.link_down(LinkTrouble.CLOSED)
                house.engine.delivery.link_up("broker")
                house.engine.delivery.forward()
                assert len(house.calls()) == 1

    tell(story())


def test_a_refusal_by_the_broker_is_a_fault_and_another_broker_is_tried(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            house.press()
            await until(house.calls, "it is sent")
            house.engine.delivery.acked(house.calls()[0].id, refused=True)
            await until(lambda: house.count(BrokerRefused), "it is noted")
            assert house.hung_up == [LinkTrouble.REFUSED]
            assert list(house.outbox.urgent) == [house.calls()[0].id]

    tell(story())


def test_a_heartbeat_goes_the_whole_way_before_the_watchdog_is_fed(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            house.engine.emit(Heartbeat(house.clock.at(), 0.0, synced=True))
            await until(lambda: "pet" in house.deeds, "it is fed")

    tell(story())


def test_nonsense_from_outside_is_counted_and_dropped(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            for topic, payload in (
                (f"anbu/1/{HUB}/ack", b"{"),
                (f"anbu/1/{HUB}/ack", bytes(17_000)),
                ("anbu/1/js-0002/ack", b"{}"),
                ("anbu/2/x/ack", b"{}"),
                ("x", b""),
            ):
                house.engine.delivery.arrived(topic, payload)
            assert sum(house.engine.delivery.refused.values()) == 5

    tell(story())


def test_a_glitch_that_ended_while_the_engine_was_busy_is_no_press(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            at = house.clock.at() + 30.0
            house.engine.emit(ContactChanged(at, "help", closed=True))
            await until(lambda: house.count(ContactChanged) == 1, "the glitch begins")
            house.clock.skipped_s += 31.0  # busy all that time, and the end of it waits
            house.engine.emit(ContactChanged(at + 0.012, "help", closed=False))
            await until(lambda: house.count(ContactChanged) == 2, "the glitch ends")
            house.press()
            await until(lambda: house.count(ContactChanged) == 4, "a press is seen")
            assert len(house.called_at) == 1

    tell(story())


def test_what_may_be_lost_is_dropped_while_a_call_waits(tmp_path: Path) -> None:
    async def story() -> None:
        async with home(tmp_path / "outbox.db") as house:
            await until(lambda: "show resting" in house.deeds, "it rests")
            mention = partial(house.engine.delivery.mention, "anbu/1/js-0001/install")
            mention(b"1")
            house.press()
            await until(house.calls, "the call is sent")
            mention(b"12")
            house.engine.delivery.acked(house.calls()[0].id, refused=False)
            mention(b"123")
            house.engine.delivery.link_down(LinkTrouble.CLOSED)
            mention(b"1234")
            said = [deed.rpartition(" ")[2] for deed in house.deeds if "mention" in deed]
            assert said == ["1", "3"]

    tell(story())
