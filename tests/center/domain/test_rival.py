"""Two centres with one configuration: one takes the calls, the other says so and waits."""

import logging
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from msgspec.structs import replace
from paho.mqtt.client import DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from center.domain.rival import Claim, look, was_renewed
from center.link.reconnect import Link, LinkState
from center.link.session import Message, Session
from center.store.rows import incidents
from center.store.rows.incidents import Which
from hub.contract.messages import Ack, CenterState, Command, CommandKind, Stage
from tests.broker import Broker, wait_until
from tests.center.e2e.office import Office as Desks
from tests.center.home import Home
from tests.center.linked import Office, mqtt
from tests.center.linked import office as linked
from tests.center.making import HUB, event
from tests.center.test_whole import Whole

US = Claim("ours", "b1")
BIRTH = CenterState(online=True, utc=100.0, database="other", boot="x")


@pytest.mark.parametrize(
    ("claim", "birth"),
    [
        (US, None),
        (US, replace(BIRTH, online=False)),
        (US, replace(BIRTH, boot="b1")),
        (US, replace(BIRTH, database="ours")),  # our process before this one, killed
        (US, CenterState(online=True, utc=1.0)),  # an older release, killed
        (replace(US, was_up=True), replace(BIRTH, database="ours", boot="b1")),
        (replace(US, rival=BIRTH), BIRTH),  # thrown off by our look, and not back
    ],
)
def test_the_calls_are_ours(claim: Claim, birth: CenterState | None) -> None:
    assert look(claim, birth).rival is None


@pytest.mark.parametrize(
    ("claim", "birth"),
    [
        (US, BIRTH),
        (replace(US, was_up=True), BIRTH),
        (replace(US, was_up=True), replace(BIRTH, database="ours")),  # a copied machine
        (replace(US, was_up=True), CenterState(online=True, utc=1.0)),
        (replace(US, rival=BIRTH), replace(BIRTH, utc=115.0)),  # it came back after our look
        (replace(US, rival=BIRTH), replace(BIRTH, database="ours")),
    ],
)
def test_another_centre_has_them(claim: Claim, birth: CenterState) -> None:
    found = look(claim, birth)
    assert found.rival == birth
    assert was_renewed(claim, found) is (claim.rival is not None)


def test_the_console_says_that_another_centre_has_the_hubs(
    office: Desks, operator: httpx.Client
) -> None:
    assert "다른 관제 서버" not in operator.get("/").text
    office.desk.link._state = LinkState(None, rival="other")
    assert "다른 관제 서버" in operator.get("/").text
    assert "Another centre" in operator.get("/?lang=en").text


# With a real broker.


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def is_aside(center: Office) -> bool:
    return bool(center.link.state().rival)


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_second_centre_takes_no_calls_and_says_so_loudly(
    tmp_path: Path,
    broker: Broker,
    caplog: pytest.LogCaptureFixture,
    protocol: Literal["5", "3.1.1"],
) -> None:
    settings = replace(mqtt(broker, protocol=protocol), look_s=1.0)
    with (
        caplog.at_level(logging.ERROR),
        Home(broker) as home,
        linked(tmp_path / "first", settings) as first,
    ):
        first.wait_up()
        with linked(tmp_path / "second", settings) as second:
            wait_until(lambda: is_aside(second), "the second stands aside")
            assert second.link.state().rival == first.store.id
            for n in range(20):
                home.say("event", event(alarm=f"call-{n}"))
                assert home.hears(f"call-{n}").stage is Stage.RECEIVED
            assert len(first.store.read(incidents.incidents, Which.OPEN)) == 20
            assert second.store.read(incidents.incidents, Which.ALL) == []
            wait_until(
                lambda: "again in 60 s" in caplog.text, "it has looked twice: the other lives"
            )
            assert is_aside(second)
            first.wait_up()
    assert f"another centre (database {first.store.id})" in caplog.text


@pytest.mark.broker
def test_a_centre_that_looks_who_is_there_says_nothing_to_hubs_before_it_has_begun(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the dial and the check, somebody acts and a waiting message is stored."""
    late: list[Office] = []
    acted: list[Office] = []

    def look_late(claim: Claim, birth: CenterState | None) -> Claim:
        for center in late:
            center.link.ack(HUB, Ack("late", "late", Stage.ACCEPTED, 9, 100.0))
            center.link.order(HUB, Command("late", CommandKind.ANNOUNCE, 1, time.time() + 60))
            session = center.link._session
            if session is None:
                continue  # it is the first that looks
            said = [info for _, info in session._unacked]
            wait_until(lambda said=said: all(one.is_published() for one in said), "all is said")  # type: ignore[misc]
            acted.append(center)
        return look(claim, birth)

    monkeypatch.setattr("center.link.reconnect.look", look_late)
    settings = replace(mqtt(broker), look_s=1.0)
    with Home(broker) as home, linked(tmp_path / "first", settings) as first:
        first.wait_up()
        with linked(tmp_path / "second", settings) as second:
            late.append(second)
            wait_until(lambda: bool(acted) and is_aside(second), "the second stands aside")
            home.say("event", event(alarm="call"))
            assert home.acks.get(timeout=10).event == "call"
            assert home.commands.empty()


@pytest.mark.broker
def test_a_centre_that_stands_aside_takes_over_when_the_other_is_gone(
    tmp_path: Path, broker: Broker
) -> None:
    settings = replace(mqtt(broker), look_s=0.5, aside_s=1.0)
    with (
        Home(broker) as home,
        linked(tmp_path / "one", settings) as one,
        linked(tmp_path / "two", settings) as two,
    ):
        wait_until(lambda: is_aside(one) or is_aside(two), "one of them stands aside")
        aside, gone = (one, two) if is_aside(one) else (two, one)
        gone.link.stop()
        aside.wait_up()
        home.say("event", event(alarm="after"))
        assert home.hears("after").stage is Stage.RECEIVED
        assert aside.store.read(incidents.case, "after")


@pytest.mark.broker
def test_a_centre_that_died_without_its_last_will_is_not_waited_for(
    tmp_path: Path, broker: Broker
) -> None:
    """The broker died with the other centre: the retained birth message belongs to nobody."""
    settings = replace(mqtt(broker), look_s=0.5)
    with linked(tmp_path / "dead", settings) as dead:
        dead.wait_up()
        broker.stop()
        dead.link._stopping.set()
    broker.start()
    with Home(broker) as home, linked(tmp_path / "new", settings) as new:
        new.wait_up()
        home.say("event", event(alarm="one"))
        assert home.hears("one").stage is Stage.RECEIVED


@pytest.mark.broker
def test_who_stands_aside_does_not_settle_at_a_broker_without_hubs(
    tmp_path: Path, broker: Broker
) -> None:
    here = replace(mqtt(broker), back_off_s=0.1)
    with Broker() as empty, linked(tmp_path / "first", here) as first:
        first.wait_up()
        both = mqtt(broker, broker.port, empty.port)
        both = replace(both, look_s=4.0, aside_s=1.0)  # a busy machine has 4 s to be heard
        with linked(tmp_path / "second", both) as second:
            wait_until(lambda: is_aside(second), "the second stands aside", 30.0)
            taken = "Client center already connected"
            looks = broker.log().count(taken)
            wait_until(lambda: broker.log().count(taken) > looks + 1, "it looks again", 30.0)
            assert is_aside(second)
            assert "as center" not in empty.log()


def test_a_centre_that_is_thrown_off_counts_it(broker: Broker) -> None:
    session = Session(mqtt(broker), "tls://x", Message("will", b""), lambda _: None)
    said = ReasonCode(PacketTypes.DISCONNECT, identifier=0x8E)
    flags = DisconnectFlags(is_disconnect_packet_from_server=True)
    session._on_disconnect(session._client, None, flags, said, None)
    link = Link(mqtt(broker), time.time, lambda _: None, lambda: None)
    link._note_end(session)
    assert (link.state().taken_over, link.state().since_utc) == (1, None)


@pytest.mark.broker
def test_a_copied_machine_is_another_centre(tmp_path: Path, broker: Broker) -> None:
    """Both databases have the same id. The newer centre stays, the older stands aside."""
    settings = replace(mqtt(broker), look_s=0.5)
    with linked(tmp_path / "first", settings) as first:
        first.wait_up()
        shutil.copytree(tmp_path / "first", tmp_path / "copy")
        with linked(tmp_path / "copy", settings) as copy:
            wait_until(lambda: is_aside(first) != is_aside(copy), "one stands aside")
            aside, active = (first, copy) if is_aside(first) else (copy, first)
            active.wait_up()
            assert aside.link.listening_utc is None


@pytest.mark.broker
def test_a_centre_without_a_port_takes_nobodys_session(broker: Broker, tmp_path: Path) -> None:
    whole = Whole(tmp_path, broker)
    with socket.create_server(("127.0.0.1", whole.port)):
        before = len(broker.log())
        tried = whole.anbu()
    whole.close()
    assert tried.returncode != 0
    assert f"127.0.0.1:{whole.port}: Address already in use" in tried.stderr
    assert "Traceback" not in tried.stderr
    assert "New client connected" not in broker.log()[before:]


@pytest.mark.broker
def test_health_names_the_database_and_the_other_centre(broker: Broker, tmp_path: Path) -> None:
    with linked(tmp_path / "first", mqtt(broker)) as first:
        first.wait_up()
        (tmp_path / "second").mkdir()
        whole = Whole(tmp_path / "second", broker)

        def told() -> dict[str, object]:
            try:
                found: dict[str, object] = whole.client.get("/healthz").json()["link"]
            except httpx.TransportError:
                return {}
            return found

        whole.well = lambda: bool(told().get("rival"))  # type: ignore[method-assign]
        with whole.running():
            health = whole.client.get("/healthz")
            assert health.status_code == 503
            assert health.json()["link"]["rival"] == first.store.id
            assert health.json()["database"] not in {"", first.store.id}
        whole.close()
