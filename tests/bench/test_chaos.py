"""The line that fails on command fails as it says; other tests depend on it."""

import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.broker import HUBS, Broker, wait_until
from tests.chaos import Chaos, Flow
from tests.packets import Kind, Packet
from tests.provisioning.broker.test_config import Talker

pytestmark = pytest.mark.broker
HUB = HUBS[0]
EVENT = f"anbu/1/{HUB}/event"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@contextmanager
def talking(line: Chaos) -> Iterator[Talker]:
    hub = Talker(HUB, cert=f"hubs/{HUB}")
    hub.open(line.port)
    try:
        yield hub
    finally:
        hub.close()


@pytest.fixture(params=["", HUB], ids=["bytes", "packets"])
def line(broker: Broker, request: pytest.FixtureRequest) -> Iterator[Chaos]:
    with Chaos(broker, hub=request.param) as proxy:
        yield proxy


def test_a_good_line_passes_everything(line: Chaos) -> None:
    with talking(line) as hub:
        for _ in range(20):
            assert hub.say(EVENT) == 0
    assert line.connections == 1


def test_a_slow_line_is_late(line: Chaos) -> None:
    with talking(line) as hub:
        line.delay_s = 0.2
        hub.client.publish(EVENT, b"{}", qos=1)
        with pytest.raises(queue.Empty):
            hub.acks.get(timeout=0.3)
        assert not hub.acks.get(timeout=5).is_failure


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_half_open_line_loses_one_direction_and_says_nothing(line: Chaos, way: str) -> None:
    with talking(line) as hub:
        setattr(line, way, Flow.LOST)
        hub.client.publish(EVENT, b"{}", qos=1)
        with pytest.raises(queue.Empty):
            hub.acks.get(timeout=0.2)
        assert hub.client.is_connected()


def test_a_reset_is_felt_and_a_new_connection_may_come(line: Chaos) -> None:
    with talking(line) as hub:
        line.reset()
        wait_until(lambda: line.connections == 2 and hub.client.is_connected(), "it came back")
        assert hub.say(EVENT) == 0


def test_a_refusing_line_lets_nobody_in_until_it_accepts(line: Chaos) -> None:
    port = line.port
    line.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
    line.accept()
    assert line.port == port
    with talking(line) as hub:
        assert hub.say(EVENT) == 0


def test_a_chosen_packet_is_lost_and_the_others_pass(broker: Broker) -> None:
    with Chaos(broker, hub=HUB) as line, talking(line) as hub:
        line.loses = lambda packet: packet.kind is Kind.PUBACK and not packet.up
        hub.client.publish(EVENT, b"{}", qos=1)
        wait_until(lambda: line.lost, "the PUBACK is swallowed")
        hub.hear(f"anbu/1/{HUB}/ack")
        assert hub.acks.empty()


def test_a_packet_knows_its_topic(broker: Broker) -> None:
    seen: list[str] = []

    def loses(packet: Packet) -> bool:
        seen.append(packet.topic)
        return False

    with Chaos(broker, hub=HUB) as line:
        line.loses = loses
        with talking(line) as hub:
            hub.say(EVENT)
    assert EVENT in seen
    assert "" in seen
