"""What the centre does by the clock, and how it reports it: rounds, feed, counters."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from center.config import Center, Settings
from center.domain.hub import Seen, seen
from center.link.reconnect import Link, LinkState
from center.service import metrics, own_faults, rounds
from center.service.feed import BACKLOG, Feed, Topic, Update
from center.service.metrics import Tally
from center.store import tables
from center.store.rows import hubs as hub_rows
from hub.contract.messages import FaultKind, Stage
from hub.contract.scaip import What
from tests.center.counter import Counter, at_counter
from tests.center.making import HUB, NOW, event, hear, state

PATIENCE_S = 10.0


async def until(update: Update, feed: Feed, walk: Callable[[], Awaitable[None]]) -> None:
    """Run rounds until the feed says `update`."""
    heard = asyncio.create_task(_hear(update, feed))
    await asyncio.sleep(0)  # the listener first
    walking = asyncio.ensure_future(walk())
    try:
        await asyncio.wait_for(heard, PATIENCE_S)
    finally:
        walking.cancel()


async def _hear(update: Update, feed: Feed) -> None:
    async for said in feed.listen(60):
        if said == update:
            return


async def holds(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - it is the database that changes
            await asyncio.sleep(0.01)


def test_a_forgotten_take_goes_back_to_everybody(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        await counter.post("/api/alarms/b1-1/take")
        counter.now = NOW + 600
        back = Update(Topic.ALARM, "b1-1", 3)
        await until(back, counter.desk.feed, lambda: rounds.give_back(counter.desk))
        assert [ack.stage for _, ack in counter.link.sent] == [Stage.ACCEPTED, Stage.RECEIVED]
        assert (await counter.get("/api/alarms/b1-1")).json()["needs_person"]

    at_counter(tmp_path, story)


def test_a_call_that_comes_again_is_heard_at_once_and_after_a_minute_by_everybody(
    tmp_path: Path,
) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        await counter.post("/api/alarms/b1-1/send")
        told = hear(counter.store, event(What.REPEATED), utc=NOW + 100)
        assert told.updates == (Update(Topic.ALARM, "b1-1", 3),)
        shown = (await counter.get("/api/alarms/b1-1")).json()
        assert (shown["stage"], shown["times"]["again"]) == ("accepted", "2026-09-21T14:15:00.000Z")
        counter.now = NOW + 160
        back = Update(Topic.ALARM, "b1-1", 4)
        await until(back, counter.desk.feed, lambda: rounds.give_back(counter.desk))
        assert [(ack.stage, ack.sent) for _, ack in counter.link.sent] == [
            (Stage.ACCEPTED, True),
            (Stage.RECEIVED, True),  # whoever was sent is still on the way
        ]
        shown = (await counter.get("/api/alarms/b1-1")).json()
        assert shown["needs_person"]
        assert shown["timeline"][-1]["deed"] == "unanswered"

    at_counter(tmp_path, story)


def test_how_long_a_holder_is_believed_is_a_setting(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        await counter.post("/api/alarms/b1-1/present")
        counter.now = NOW + 20
        back = Update(Topic.ALARM, "b1-1", 3)
        await until(back, counter.desk.feed, lambda: rounds.give_back(counter.desk))

    at_counter(tmp_path, story, Center(present_expires_s=20))


def test_a_clock_that_is_set_back_makes_no_dead_hub_alive_and_no_living_one_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "CLOCK_S", 0.01)

    async def story(counter: Counter) -> None:
        hear(counter.store, state(), "js-dead", utc=NOW - 300)
        hear(counter.store, state(), "js-alive", utc=NOW - 10)
        steady = NOW
        walking = asyncio.create_task(rounds.watch_clock(counter.desk, lambda: steady))
        await asyncio.sleep(0)
        counter.now = NOW - 3600
        counter.link._state = LinkState(counter.now - 7200)

        def told() -> dict[str, Seen]:
            hubs = counter.store.read(hub_rows.known)
            return {hub.hub: seen(hub, counter.now, counter.link.listening_utc) for hub in hubs}

        assert told() == {"js-dead": Seen.LOST, "js-alive": Seen.LOST}
        await holds(lambda: told()["js-alive"] is Seen.READY)
        assert told()["js-dead"] is Seen.LOST
        walking.cancel()

    at_counter(tmp_path, story)


def test_the_pages_hear_of_a_hub_that_falls_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "HUBS_S", 0.01)

    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        looks = iter((NOW, NOW))
        desk = dataclasses.replace(counter.desk, clock=lambda: next(looks, NOW + 81))
        await until(Update(Topic.HUB, "js-0001"), desk.feed, lambda: rounds.watch_hubs(desk))

    at_counter(tmp_path, story)


def test_counters_of_refused_messages_outlive_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "COUNTS_S", 0.01)

    async def story(counter: Counter) -> None:
        walking = asyncio.ensure_future(rounds.keep_counts(counter.desk))
        await asyncio.sleep(0)
        for _ in range(2):
            counter.desk.tally.refuse("malformed")
        written = {"malformed": 2}
        await holds(lambda: counter.store.read(hub_rows.refused_counts) == written)
        walking.cancel()
        assert Tally(counter.store.read(hub_rows.refused_counts)).refuse("malformed") == 3

    at_counter(tmp_path, story)


def test_a_store_that_failed_is_tried_until_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "THREADS_S", 0.01)

    async def story(counter: Counter) -> None:
        counter.store._trouble = "OperationalError"
        walking = asyncio.ensure_future(rounds.test_store(counter.desk))
        await holds(lambda: counter.store.state().ok)
        walking.cancel()

    at_counter(tmp_path, story)


def test_a_dead_thread_ends_the_rounds(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        counter.store.close()
        with pytest.raises(rounds.DiedError, match="the store"):
            await asyncio.wait_for(rounds.watch_threads(counter.desk), PATIENCE_S)

    at_counter(tmp_path, story)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_link_that_died_is_told_from_one_that_was_stopped() -> None:
    def fail() -> float:
        raise LookupError

    link = Link(Settings().mqtt, fail, lambda _: None, lambda: None)
    assert not link.has_died()
    link.start()
    link._thread.join(PATIENCE_S)
    assert link.has_died()
    link.stop()
    assert not link.has_died()


def test_a_listener_that_sleeps_is_told_to_read_all_anew() -> None:
    async def story() -> None:
        feed = Feed()
        stream = feed.listen(60)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        feed.tell(Update(Topic.HUB, "first"))
        assert (await first).topic is Topic.HUB
        await asyncio.to_thread(flood, feed, BACKLOG + 1)
        await asyncio.sleep(0)
        assert [(await anext(stream)).topic for _ in range(2)] == [Topic.RESYNC, Topic.ALARM]
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(story())


def flood(feed: Feed, count: int) -> None:
    for number in range(count):
        feed.tell(Update(Topic.ALARM, str(number)))


def test_a_quiet_feed_beats() -> None:
    async def story() -> None:
        assert (await anext(Feed().listen(0.01))).topic is Topic.BEAT

    asyncio.run(story())


def test_labels_of_metrics_are_escaped() -> None:
    page = metrics.render([metrics.gauge("a", "A.", "b", {'x"\\\n': 1.5})])
    assert page.splitlines()[-1] == 'a{b="x\\"\\\\\\n"} 1.5'


def test_the_metrics_page_is_what_scripts_have_always_read() -> None:
    tally = Tally({"malformed": 1_234_567})
    tally.count("messages", "AlarmEvent")
    tally.count("duplicates")
    tally.waited(65.5)
    assert metrics.render(tally.metrics()).splitlines() == [
        "# HELP anbu_refused_total Messages that were not as the contract says.",
        "# TYPE anbu_refused_total counter",
        'anbu_refused_total{reason="malformed"} 1234567',
        "# HELP anbu_duplicates_total duplicates since the start.",
        "# TYPE anbu_duplicates_total counter",
        "anbu_duplicates_total 1",
        "# HELP anbu_messages_total messages since the start.",
        "# TYPE anbu_messages_total counter",
        'anbu_messages_total{kind="AlarmEvent"} 1',
        "# HELP anbu_time_to_take_seconds From received to taken by a person.",
        "# TYPE anbu_time_to_take_seconds histogram",
        *(
            f'anbu_time_to_take_seconds_bucket{{le="{edge}"}} {below}'
            for edge, below in zip(
                ("5", "10", "20", "30", "60", "120", "180", "300", "600", "+Inf"),
                (0, 0, 0, 0, 0, 1, 1, 1, 1, 1),
                strict=True,
            )
        ),
        "anbu_time_to_take_seconds_count 1",
        "anbu_time_to_take_seconds_sum 65.5",
    ]


def test_a_fault_that_only_a_newer_program_notes_ends_and_takes_no_round_with_it(
    tmp_path: Path,
) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)

        def note(conn: Connection) -> None:
            row = {"hub": HUB, "kind": "from-the-future", "times": 1, "last_utc": NOW}
            conn.execute(insert(tables.own_faults).values(row))
            own_faults.see(conn, HUB, FaultKind.FLOOD, NOW)

        await counter.store.change(note)
        counter.now = NOW + 700
        over = Update(Topic.HUB, HUB)
        await until(over, counter.desk.feed, lambda: rounds.ease_faults(counter.desk))
        kept = await counter.store.ask(lambda c: c.execute(select(tables.own_faults)).all())
        assert kept == []

    at_counter(tmp_path, story)
