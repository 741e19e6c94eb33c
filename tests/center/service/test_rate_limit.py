"""How much one hub may send to the store, so that it delays no other hub's call."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from center.service.rate_limit import (
    ALL_BYTES,
    CALLS,
    CALLS_BYTES,
    REST,
    Offered,
    Passed,
    RateLimit,
)
from center.store.rows import incidents
from center.store.rows.incidents import Which
from hub.contract import wire
from tests.broker import HUBS, Broker, wait_until
from tests.center.linked import mqtt, office
from tests.center.making import event
from tests.hub.rig import figure
from tests.provisioning.broker.test_config import Talker, talker

THIEF, HONEST = HUBS
NOW, LATER, REFUSED = Passed.NOW, Passed.LATER, Passed.REFUSED
BURST = int(CALLS[0][0])


class Hubs:
    """A rate limit whose clock the test moves; no thread is needed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1000.0
        self.taken: list[str] = []
        self.rate_limit = RateLimit(lambda: self.at)
        monkeypatch.setattr("center.service.rate_limit.threading.Thread.start", lambda _: None)

    def say(self, hub: str, alarm: str | None, name: str = "", size: int = 500) -> Passed:
        return self.rate_limit.offer(Offered(hub, alarm, size, lambda: self.taken.append(name)))

    def flood(self, count: int, hub: str = "a") -> Counter[Passed]:
        return Counter(self.say(hub, f"{hub}{n}", f"{hub}{n}") for n in range(count))

    def wait(self, seconds: float) -> list[str]:
        """Move the clock on; return what was taken in then."""
        self.taken.clear()
        self.at += seconds
        for load in self.rate_limit._due()[0]:
            load.pass_on()
        return self.taken


@pytest.fixture
def hubs(monkeypatch: pytest.MonkeyPatch) -> Hubs:
    return Hubs(monkeypatch)


def test_a_home_that_presses_is_taken_in_at_once(hubs: Hubs) -> None:
    assert hubs.flood(BURST) == {NOW: BURST}
    hubs.at += 1.0
    assert hubs.say("a", "next") is NOW


def test_what_comes_too_fast_waits_and_is_taken_in_by_and_by_in_order(hubs: Hubs) -> None:
    assert hubs.flood(BURST + 50) == {NOW: BURST, LATER: 50}
    assert hubs.wait(1.0) == [f"a{n}" for n in range(BURST, BURST + 20)]
    assert hubs.wait(9.0) == [f"a{n}" for n in range(BURST + 20, BURST + 50)]
    assert hubs.rate_limit.waiting() == 0


def test_a_flood_costs_its_neighbour_nothing(hubs: Hubs) -> None:
    hubs.flood(20_000)
    assert hubs.say("b", "mine") is NOW
    assert hubs.say("a", None) is NOW, "nor its own state"


def test_a_new_alarm_does_not_stand_behind_a_thousand_repeats(hubs: Hubs) -> None:
    for n in range(1000):
        hubs.say("a", "cord", f"cord{n}")
    hubs.say("a", "help", "help")
    assert "help" in hubs.wait(0.1)


def test_the_steps_of_one_alarm_stay_in_order(hubs: Hubs) -> None:
    hubs.flood(BURST)
    for step in ("raised", "repeated", "cancelled"):
        hubs.say("a", "one", step)
        hubs.say("a", "other", "other")
    told = [name for name in hubs.wait(5.0) if name != "other"]
    assert told == ["raised", "repeated", "cancelled"]


def test_where_no_room_is_left_a_repeat_goes_and_a_new_alarm_stays(hubs: Hubs) -> None:
    said = [hubs.say("a", "cord", f"cord{n}", 1000) for n in range(3000)]
    room = CALLS_BYTES // 1000
    assert Counter(said) == {NOW: BURST, LATER: room, REFUSED: 3000 - BURST - room}
    assert hubs.say("a", "help", "help", 1000) is REFUSED, "a repeat is, in its place"
    assert "help" in hubs.wait(0.2)


def test_all_hubs_together_have_a_bound(hubs: Hubs) -> None:
    for n in range(100):
        hubs.flood(2200, hub=f"hub{n}-")
    assert hubs.rate_limit._size <= ALL_BYTES
    assert hubs.say("late", "one") is NOW


def test_a_flood_that_does_not_end_is_taken_in_at_one_a_second(hubs: Hubs) -> None:
    taken = 0
    for _ in range(600):
        taken += hubs.flood(40)[NOW]
        taken += len(hubs.wait(1.0))
    assert taken <= CALLS[1][0] + 600 * CALLS[1][1]


def test_a_backlog_of_readings_is_not_refused(hubs: Hubs) -> None:
    said = Counter(hubs.say("a", None, size=1000) for _ in range(2000))
    assert said[REFUSED] == 0
    assert len(hubs.wait(40.0)) >= REST[0][0]


def test_a_hub_that_is_calm_again_is_forgotten(hubs: Hubs) -> None:
    hubs.flood(BURST)
    hubs.at += 10_000.0
    hubs.say("b", "one")
    assert list(hubs.rate_limit._buckets) == [("b", True)]


def test_what_waits_is_taken_in_by_a_thread_that_ends_with_it() -> None:
    taken: list[int] = []
    real = RateLimit()
    for n in range(BURST + 10):
        real.offer(Offered("a", str(n), 1, lambda n=n: taken.append(n)))  # type: ignore[misc]
    wait_until(lambda: len(taken) == BURST + 10, "all is taken in")
    wait_until(lambda: real._drain is None, "the thread has ended")
    assert real.close() == 0


def test_a_message_that_cannot_be_taken_in_holds_up_none_behind_it() -> None:
    taken: list[int] = []

    def pass_on(n: int) -> None:
        if n == BURST:
            raise OSError
        taken.append(n)

    real = RateLimit()
    for n in range(BURST + 5):
        real.offer(Offered("a", str(n), 1, partial(pass_on, n)))
    wait_until(lambda: len(taken) == BURST + 4, "all but it are taken in")
    assert real.close() == 0


def test_a_thread_that_died_is_followed_by_another() -> None:
    taken: list[int] = []
    real = RateLimit()
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    real._drain = dead
    for n in range(BURST + 5):
        real.offer(Offered("a", str(n), 1, partial(taken.append, n)))
    wait_until(lambda: len(taken) == BURST + 5, "all are taken in")
    assert real.close() == 0


# With a real broker and a real store.


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def call(hub: Talker, alarm: str, patience_s: float = 60.0) -> float:
    """Press; return the seconds until `received`."""
    began = time.monotonic()
    said = wire.encode(event(alarm=alarm, hub=HONEST))
    hub.client.publish(f"anbu/1/{HONEST}/event", said, qos=1)
    while f'"event":"{alarm}"'.encode() not in hub.heard.get(timeout=patience_s)[1]:
        pass
    return time.monotonic() - began


@pytest.mark.broker
def test_a_neighbours_call_is_received_beside_a_flood(tmp_path: Path, broker: Broker) -> None:
    """20,000 events at once delayed a call by 14 s and more; paho's own reading is what remains."""
    command = [sys.executable, "-m", "tests.center.flooder", str(broker.port), str(broker.certs)]
    with (
        office(tmp_path, mqtt(broker)) as center,
        talker(broker, HONEST) as honest,
        subprocess.Popen(
            [*command, THIEF, "10000", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as flooder,
    ):
        center.wait_up()
        honest.hear(f"anbu/1/{HONEST}/ack")
        alone_s = call(honest, "alone")
        assert flooder.stdout
        assert flooder.stdin
        flooder.stdout.readline()
        flooder.stdout.readline()
        taken_s = [call(honest, f"mine-{n}") for n in range(3)]
        figure(f"alone {alone_s:.3f} s, beside the flood {taken_s[0]:.3f} s, then {taken_s[1:]}")
        flooder.stdin.close()
        mine = [one for one in center.store.read(incidents.incidents, Which.OPEN, 500)
                if one.hub == HONEST]  # fmt: skip
        assert len(mine) == 4
        stored = sum(center.store.read(incidents.stages).values())
        assert stored < 1000, "the flood is not in the store"
        assert center.tally.refused()["flood"] > 5000
        assert max(taken_s) < 8.0, "without the bucket 10,000 commits stand before it"
        assert max(taken_s[1:]) < 2.0
