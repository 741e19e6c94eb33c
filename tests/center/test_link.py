"""The link against a real Mosquitto: answers after the commit, and comes back from everything."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from paho.mqtt.client import MQTTMessage, MQTTMessageInfo
from sqlalchemy import Connection

from center.link.session import Message, Session
from center.store.rows import days, incidents, needs
from center.store.rows.incidents import Which
from hub.contract import wire
from hub.contract.messages import Availability, CheckInResult, Stage
from hub.contract.reading import UNREAD
from hub.contract.scaip import What
from hub.contract.wire import source
from tests.broker import Broker, free_port, wait_until
from tests.center.home import Home
from tests.center.linked import mqtt, office
from tests.center.lives import activity, care, check_in
from tests.center.making import HUB, NOW, event, state
from tests.chaos import Chaos, Flow
from tests.packets import Kind

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def home(broker: Broker) -> Iterator[Home]:
    with Home(broker) as connected:
        yield connected


def test_received_is_said_after_the_commit_and_not_before(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        gate, entered = threading.Event(), threading.Event()

        def hold(_: Connection) -> bool:
            entered.set()
            return gate.wait(10)

        center.store.submit(hold)
        assert entered.wait(10)
        home.say("event", event(alarm="gate"))
        wait_until(lambda: center.store.state().waiting, "the press waits for the disk")
        assert home.acks.empty()
        gate.set()
        assert home.hears("gate").stage is Stage.RECEIVED
        assert center.store.read(incidents.case, "gate")
        home.say("event", event(alarm="gate"))
        assert home.hears("gate").version == 1


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_press_is_received_by_both_protocols(
    tmp_path: Path, broker: Broker, home: Home, protocol: Literal["5", "3.1.1"]
) -> None:
    with office(tmp_path, mqtt(broker, protocol=protocol)) as center:
        home.sees_center(online=True)
        home.say("event", event(alarm="one"))
        assert home.hears("one").stage is Stage.RECEIVED
        home.say("state", state(Availability.READY, ("gone", Stage.RECEIVED, 3)))
        ack = home.hears("")
        assert (ack.alarm, ack.stage) == ("gone", Stage.UNKNOWN)
        center.link.stop()
        home.sees_center(online=False)


def test_a_check_in_and_a_need_are_received_once_they_are_stored(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        home.say("event", check_in(CheckInResult.MISSED, ident="c1"))
        home.say("event", care(ident="n1"))
        for ident in ("c1", "n1"):
            ack = home.hears(ident)
            assert (ack.alarm, ack.stage, ack.version) == ("", Stage.RECEIVED, 0)
        assert len(center.store.read(needs.still_open)) == 2
        home.say("event", care(ident="n1"))
        assert home.hears("n1").version == 0
        assert len(center.store.read(needs.still_open)) == 2


def test_an_hours_activity_may_pass_the_brokers_rules(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        home.say("activity", activity(NOW, pir1=3))

        def is_stored() -> bool:
            return bool(center.store.read(days.hours, HUB, NOW, NOW + 1))

        wait_until(is_stored, "the hour is stored")


def test_what_came_while_the_centre_was_away_is_kept_by_the_broker(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
    home.say("event", event(alarm="away"))
    with office(tmp_path, mqtt(broker)):
        assert home.hears("away").stage is Stage.RECEIVED


def test_a_full_disk_loses_nothing_the_broker_says_it_again(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        since = center.link.listening_utc
        center.store.full = 2  # the call, and the probe after it
        home.say("event", event(alarm="full"))
        assert home.hears("full").stage is Stage.RECEIVED
        assert center.link.listening_utc != since


def test_a_new_session_repeats_where_alarms_stand(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        home.say("event", event(alarm="again"))
        home.hears("again")
        center.link.redial("as a test wants it")
        ack = home.hears("")
        assert (ack.alarm, ack.stage, ack.version) == ("again", Stage.RECEIVED, 1)


def test_a_killed_broker_is_found_again(tmp_path: Path) -> None:
    with Broker() as own, office(tmp_path, mqtt(own)) as center:
        center.wait_up()
        since = center.link.listening_utc
        own.kill()
        wait_until(lambda: center.link.listening_utc is None, "the loss is seen")
        assert center.link.state().trouble
        own.start()
        center.wait_new(since)
        with Home(own) as home:
            home.say("event", event(alarm="after"))
            assert home.hears("after").stage is Stage.RECEIVED


def test_the_next_address_is_tried_when_one_is_dead(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker, free_port(), broker.port)) as center:
        center.wait_up()
        assert center.link.state().broker.endswith(str(broker.port))
        home.say("event", event(alarm="second"))
        assert home.hears("second").version == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("hubs/expired", "the broker refuses our certificate: expired"),
        ("hubs/foreign", "the broker refuses our certificate: unknown"),
        ("hubs/js-0001", "the broker's rules refuse"),
    ],
)
def test_a_certificate_that_is_not_the_centres_is_told_as_the_trouble(
    tmp_path: Path, broker: Broker, name: str, why: str
) -> None:
    with office(tmp_path, mqtt(broker, name=name)) as center:
        wait_until(lambda: why in center.link.state().trouble, why)
        assert center.link.listening_utc is None


def test_an_exception_in_a_callback_costs_one_session_and_no_message(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        since = center.link.listening_utc
        session = center.link._session
        assert session

        def fail(_: object) -> None:
            raise LookupError

        session._receive = fail
        home.say("event", event(alarm="raised"))
        assert home.hears("raised").stage is Stage.RECEIVED
        assert center.link.listening_utc != since


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_paho_thread_is_noticed(tmp_path: Path, broker: Broker, home: Home) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        since = center.link.listening_utc
        session = center.link._session
        assert session

        def unguarded(_client: object, _data: object, _message: MQTTMessage) -> None:
            raise LookupError

        session._client.on_message = unguarded
        home.say("event", event(alarm="dead"))
        center.wait_new(since)
        assert home.hears("dead").stage is Stage.RECEIVED


def test_a_withheld_puback_ends_the_session(tmp_path: Path, broker: Broker, home: Home) -> None:
    with (
        Chaos(broker, hub="../center") as line,
        office(tmp_path, mqtt(broker, line.port)) as center,
    ):
        center.wait_up()
        since = center.link.listening_utc
        line.loses = lambda packet: packet.kind is Kind.PUBACK and not packet.up
        home.say("event", event(alarm="held"))
        assert home.hears("held").version == 1
        wait_until(lambda: line.lost, "a PUBACK is withheld")
        line.loses = lambda _: False
        center.wait_new(since)


def test_a_long_queue_of_acks_is_no_trouble_while_it_moves(broker: Broker) -> None:
    session = Session(mqtt(broker), "tls://x", Message("will", b""), lambda _: None)
    long_ago = time.monotonic() - 60
    published = [MQTTMessageInfo(number) for number in range(3)]
    session._unacked.extend((long_ago, info) for info in published)
    assert session.sick() == "puback overdue"
    published[0]._set_as_published()
    assert "puback" not in session.sick()
    session._acked_at = long_ago
    assert session.sick() == "puback overdue"


def test_a_black_hole_is_left(tmp_path: Path, broker: Broker, home: Home) -> None:
    with Chaos(broker) as line, office(tmp_path, mqtt(broker, line.port)) as center:
        center.wait_up()
        since = center.link.listening_utc
        began = time.monotonic()
        line.up = line.down = Flow.LOST
        home.say("event", event(alarm="hole"))
        wait_until(lambda: center.link.listening_utc is None, "the silence is noticed")
        noticed_s = time.monotonic() - began
        line.up = line.down = Flow.PASSED
        center.wait_new(since)
        assert home.hears("hole").stage is Stage.RECEIVED
        assert noticed_s < 7
        home.sees_center(online=True)


def test_malformed_messages_are_counted_and_let_go(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        foreign = check_in(CheckInResult.FINE, ident="c1")
        home.say("telemetry", b"{")
        home.say("event", replace(foreign, source=source("js-0002")))
        home.say("event", event(alarm="good"))
        assert home.hears("good").version == 1
        assert center.tally.refused() == {"malformed": 1, "foreign_hub": 1}
        home.say("event", event(What.CANCELLED, alarm="good"))
        (one,) = center.store.read(incidents.incidents, Which.OPEN)
        assert one.id == "good"


def test_a_call_that_nobody_can_read_rings_and_the_broker_lets_it_go(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        for payload in (b"{", wire.encode(event(alarm="torn"))[:150], b"{"):
            home.say("event", payload)
        assert home.hears("torn").stage is Stage.RECEIVED
        home.say("event", event(alarm="whole"))
        assert home.hears("whole").stage is Stage.RECEIVED
        found = {one.id: one for one in center.store.read(incidents.incidents, Which.OPEN)}
        (nameless,) = (one for one in found if one.startswith(UNREAD))
        assert [found[one].unread for one in (nameless, "torn", "whole")] == ["*", "*", ""]
        assert (found[nameless].hub, found[nameless].presses) == (HUB, 1)
        since = center.link.listening_utc
        center.link.redial("again")
        center.wait_new(since)
        home.say("event", event(alarm="later"))
        assert home.hears("later").stage is Stage.RECEIVED
        known = center.store.read(incidents.incidents, Which.OPEN)
        assert {one.id for one in known} == {*found, "later"}
        assert max(one.presses for one in known) == 1, "what was settled does not come again"


def test_what_no_database_can_hold_is_counted_and_let_go(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        since = center.link.listening_utc
        center.store.full, center.store.error = 1, OverflowError("int too large")
        home.say("event", event(alarm="poison"))
        home.say("event", event(alarm="next"))
        assert home.hears("next").version == 1
        assert center.tally.refused() == {"unstorable": 1}
        assert center.link.listening_utc == since
