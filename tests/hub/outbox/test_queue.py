"""The queue: what is sent first, what waits, and that nothing is lost."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.core.model.effects import Lane
from hub.outbox.queue import (
    ACK_S,
    BULK_BURST,
    BULK_EVERY_S,
    BULK_STOCK,
    BULK_WINDOW,
    URGENT_ACK_S,
    WINDOW,
    SendQueue,
)
from hub.outbox.store import Row

SOS, FAULT, TELEMETRY, LIVE = Lane


def row(n: int, lane: Lane, id_: str = "") -> Row:
    return Row(n, id_ or f"{n}", lane, f"topic/{id_ or n}", b"", retain=False)


@pytest.fixture
def queue() -> SendQueue:
    made = SendQueue()
    made.up()
    made.restock(made.fetch_after(), [])
    return made


def ids(rows: list[Row]) -> list[str]:
    return [r.id for r in rows]


def test_a_call_for_help_goes_before_all_that_waits(queue: SendQueue) -> None:
    for n in range(5):
        queue.send(row(n, FAULT))
    queue.send(row(0, LIVE, "state"))
    queue.send(row(9, SOS))
    assert ids(queue.to_publish(0.0)) == ["9", "state", "0", "1", "2", "3", "4"]


def test_bulk_never_takes_the_last_places(queue: SendQueue) -> None:
    for n in range(30):
        queue.send(row(n, TELEMETRY))
    assert len(queue.to_publish(0.0)) == BULK_WINDOW
    for n in range(100, 120):
        queue.send(row(n, SOS))
    assert ids(queue.to_publish(0.0)) == [f"{n}" for n in range(100, 100 + WINDOW - BULK_WINDOW)]
    assert queue.to_publish(0.0) == []
    queue.acked("100")
    assert ids(queue.to_publish(0.0)) == ["106"]


def test_a_call_that_is_on_its_way_is_not_doubled(queue: SendQueue) -> None:
    queue.send(row(1, SOS))
    assert ids(queue.to_publish(0.0)) == ["1"]
    queue.send(row(1, SOS))
    assert queue.to_publish(0.0) == []
    queue.acked("1")
    queue.send(row(1, SOS))
    assert ids(queue.to_publish(1.0)) == ["1"], "acked by a broker, yet not by the centre"


def test_nothing_leaves_without_a_link() -> None:
    queue = SendQueue()
    queue.send(row(1, SOS))
    assert queue.to_publish(0.0) == []
    assert not queue.hungry()
    queue.up()
    assert ids(queue.to_publish(0.0)) == ["1"]


def test_after_a_broken_link_calls_leave_again_in_their_order(queue: SendQueue) -> None:
    for n in (1, 2):
        queue.send(row(n, SOS))
    queue.to_publish(0.0)
    queue.send(row(3, SOS))
    queue.down()
    queue.send(row(4, SOS))
    queue.up()
    assert ids(queue.to_publish(1.0)) == ["1", "2", "3", "4"]


def test_what_the_center_has_does_not_fly_again_though_its_puback_was_lost(
    queue: SendQueue,
) -> None:
    """Else the hub would disconnect again and again from a broker that loses PUBACKs."""
    queue.send(row(1, SOS))
    queue.to_publish(0.0)
    queue.forget("1")
    assert queue.overdue(URGENT_ACK_S), "the link is still not to be trusted"
    queue.down()
    queue.up()
    assert queue.to_publish(1.0) == []
    assert not queue.urgent


def test_of_what_is_true_only_now_the_latest_is_sent(queue: SendQueue) -> None:
    queue.send(Row(0, "state", LIVE, "state", b"old", retain=True))
    queue.send(Row(0, "state", LIVE, "state", b"new", retain=True))
    assert [r.payload for r in queue.to_publish(0.0)] == [b"new"]


def test_an_ack_is_awaited_for_a_shorter_time_while_a_call_waits(queue: SendQueue) -> None:
    queue.send(row(1, FAULT))
    queue.to_publish(0.0)
    assert queue.next_wake() == ACK_S
    queue.send(row(2, SOS))
    assert queue.next_wake() == URGENT_ACK_S
    assert not queue.overdue(URGENT_ACK_S - 0.01)
    assert queue.overdue(URGENT_ACK_S)
    queue.acked("1")
    assert queue.next_wake() is None


def test_a_slow_broker_gets_longer_though_never_so_long_that_help_is_late(queue: SendQueue) -> None:
    queue.send(row(1, SOS))
    waits: list[float] = []
    for _ in range(50):
        queue.to_publish(0.0)
        due = queue.next_wake()
        assert due
        assert queue.overdue(due)
        waits.append(due)
        queue.down(late=True)
        queue.up()
    assert waits[0] == URGENT_ACK_S
    assert waits == sorted(waits)
    assert URGENT_ACK_S < waits[-1] <= 4.0
    queue.to_publish(0.0)
    queue.acked("1")
    queue.send(row(2, SOS))
    queue.to_publish(0.0)
    assert queue.next_wake() == URGENT_ACK_S, "an ack came: all is well again"


def test_a_row_added_while_the_disk_is_read_is_not_overlooked() -> None:
    queue = SendQueue()
    queue.up()
    after = queue.fetch_after()
    queue.send(row(7, FAULT))
    queue.restock(after, [])
    assert queue.hungry(), "7 is on the disk, and was not on the page"
    queue.restock(queue.fetch_after(), [row(7, FAULT)])
    assert ids(queue.to_publish(0.0)) == ["7"]


def test_a_page_asked_for_before_the_link_broke_has_no_say_after_it() -> None:
    queue = SendQueue()
    queue.up()
    queue.restock(0, [row(n, FAULT) for n in range(1, 11)])
    queue.to_publish(0.0)
    after = queue.fetch_after()
    queue.down()
    queue.up()
    queue.restock(after, [row(n, FAULT) for n in range(11, 21)])
    assert queue.to_publish(1.0) == []
    assert queue.fetch_after() == 0, "1 to 10 had no ack and come first"
    assert queue.hungry()


def test_while_the_disk_cannot_be_read_the_rest_is_asked_for_again() -> None:
    queue = SendQueue()
    queue.up()
    queue.restock(queue.fetch_after(), [row(50, FAULT)], whole=False)
    assert ids(queue.to_publish(0.0)) == ["50"]
    assert queue.hungry()
    queue.restock(queue.fetch_after(), [row(3, FAULT), row(50, FAULT)])
    assert ids(queue.to_publish(0.0)) == ["3"], "50 is on its way"


def test_memory_holds_only_a_stock_of_bulk(queue: SendQueue) -> None:
    for n in range(1, 1001):
        queue.send(row(n, FAULT))
    assert queue.backlog
    assert len(queue._bulk) == BULK_STOCK


def test_bulk_is_paced_so_that_no_queue_ahead_holds_up_the_next_call(queue: SendQueue) -> None:
    sent = 0
    for n in range(1, 61):
        queue.send(row(n, FAULT))
        for each in queue.to_publish(0.0):
            queue.acked(each.id)
            sent += 1
    assert sent == BULK_BURST
    assert queue.pause_s(0.0) == BULK_EVERY_S
    queue.send(row(100, SOS))
    assert ids(queue.to_publish(0.0)) == ["100"]
    assert len(queue.to_publish(BULK_EVERY_S)) == BULK_WINDOW - 1


class Histories(RuleBasedStateMachine):
    """Random histories against a plain model of disk, broker and centre."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = SendQueue()
        self.n, self.at = 0, 0.0
        self.disk: dict[str, Row] = {}
        self.owed: dict[str, Row] = {}
        self.air: list[Row] = []
        self.asked: tuple[int, list[Row]] | None = None
        self.bulk_sent: list[int] = []

    def later(self) -> float:
        self.at += BULK_EVERY_S
        return self.at

    @rule(lane=st.sampled_from((SOS, FAULT, TELEMETRY)), count=st.integers(1, 40))
    def made(self, lane: Lane, count: int) -> None:
        for _ in range(count):
            self.n += 1
            new = row(self.n, lane)
            (self.owed if lane is SOS else self.disk)[new.id] = new
            self.queue.send(new)

    @rule()
    def took(self) -> None:
        rows = self.queue.to_publish(self.later())
        assert not {r.id for r in rows} & {r.id for r in self.air}
        self.air += rows
        self.bulk_sent += [r.n for r in rows if r.lane is not SOS]
        assert len(self.air) <= WINDOW

    @rule(data=st.data())
    @precondition(lambda self: self.air)
    def acked(self, data: st.DataObject) -> None:
        flown = self.air.pop(data.draw(st.integers(0, len(self.air) - 1)))
        assert self.queue.acked(flown.id) == flown
        self.disk.pop(flown.id, None)

    @rule(data=st.data())
    @precondition(lambda self: self.owed)
    def stored(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.owed)))
        del self.owed[id_]
        self.queue.forget(id_)

    @rule()
    def broke(self) -> None:
        self.queue.down()
        self.air, self.bulk_sent = [], []

    @rule()
    def linked(self) -> None:
        self.queue.up()
        self.air, self.bulk_sent = [], []
        for each in self.owed.values():
            self.queue.send(each)

    @rule()
    @precondition(lambda self: self.asked is None and self.queue.hungry())
    def asked_disk(self) -> None:
        after = self.queue.fetch_after()
        found = sorted((r for r in self.disk.values() if r.n > after), key=lambda r: r.n)
        self.asked = after, found[:64]

    @rule()
    @precondition(lambda self: self.asked is not None)
    def read_disk(self) -> None:
        assert self.asked
        self.queue.restock(*self.asked)
        self.asked = None

    @invariant()
    def bulk_goes_out_in_order(self) -> None:
        assert self.bulk_sent == sorted(set(self.bulk_sent))

    def teardown(self) -> None:
        """Over a good link, everything in the queue and on the disk is sent."""
        owed, disk = set(self.owed), set(self.disk)
        self.linked()
        self.asked = None
        sent: set[str] = set()
        for _ in range(20 + len(owed) + len(disk)):
            if self.queue.hungry():
                self.asked_disk()
                self.read_disk()
            self.took()
            sent |= {r.id for r in self.air}
            for flown in self.air:
                self.queue.acked(flown.id)
                self.disk.pop(flown.id, None)
            self.air = []
        assert owed <= sent, "a call for help was lost"
        assert disk <= sent, "bulk was lost"


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_no_history_loses_a_call_or_puts_bulk_out_of_order = Histories.TestCase
