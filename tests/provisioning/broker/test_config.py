"""The broker's configuration: who may publish, who may subscribe, and who is refused."""

import queue
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.__main__ import main
from provisioning.broker.config import mend
from tests.broker import HUBS, Broker, certs, wait_until

pytestmark = pytest.mark.broker
NOT_AUTHORIZED = 0x87
ONE, TWO = HUBS


class Talker:
    """A bare MQTT 5 client whose callbacks only hand over."""

    def __init__(self, name: str, *, cert: str | None, session_s: int = 0) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.acks: queue.Queue[ReasonCode] = queue.Queue()
        self.grants: queue.Queue[list[ReasonCode]] = queue.Queue()
        self.session_s = session_s
        self.client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_message = self._on_message
        self.client.on_publish = lambda *args: self.acks.put(args[3])
        self.client.on_subscribe = lambda *args: self.grants.put(args[3])
        self.client.tls_set_context(tls(cert))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload)))

    def open(self, port: int) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self.session_s
        self.client.connect("127.0.0.1", port, clean_start=not self.session_s,
                            properties=properties)  # fmt: skip
        self.client.loop_start()
        wait_until(self.client.is_connected, "the broker lets the client in")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client._reset_sockets()  # paho leaves that to the garbage collector

    def say(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> int:
        self.client.publish(topic, payload, qos=1, retain=retain)
        reason = self.acks.get(timeout=5)
        return reason.value if reason.is_failure else 0  # "no matching subscribers" is fine

    def hear(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        assert not self.grants.get(timeout=5)[0].is_failure


def tls(cert: str | None, authority: str = "ca") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certs() / f"{authority}.crt")
    if cert:
        context.load_cert_chain(certs() / f"{cert}.crt", certs() / f"{cert}.key")
    return context


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def talk(broker: Broker) -> Iterator[Callable[[str], Talker]]:
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(talker(broker, name))


@contextmanager
def talker(broker: Broker, name: str, session_s: int = 0) -> Iterator[Talker]:
    cert = name if name == "center" else f"hubs/{name}"
    made = Talker(name, cert=cert, session_s=session_s)
    made.open(broker.port)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("part", ["state", "event", "fault/x", "telemetry", "reply"])
def test_a_hub_speaks_on_its_own_topics_and_the_center_hears(
    talk: Callable[[str], Talker], part: str
) -> None:
    hub, center = talk(ONE), talk("center")
    center.hear(f"anbu/1/+/{part}")
    assert hub.say(f"anbu/1/{ONE}/{part}") == 0
    assert center.heard.get(timeout=5) == (f"anbu/1/{ONE}/{part}", b"{}")


@pytest.mark.parametrize("part", ["state", "event", "fault/x", "telemetry", "reply", "ack", "cmd"])
def test_a_hub_cannot_speak_for_another(talk: Callable[[str], Talker], part: str) -> None:
    assert talk(ONE).say(f"anbu/1/{TWO}/{part}") == NOT_AUTHORIZED


@pytest.mark.parametrize(
    "topic", [f"anbu/1/{ONE}/ack", f"anbu/1/{ONE}/cmd", "anbu/1/center", "anbu/2/x", "x"]
)
def test_a_hub_cannot_speak_for_the_center(talk: Callable[[str], Talker], topic: str) -> None:
    assert talk(ONE).say(topic) == NOT_AUTHORIZED


def test_a_hub_hears_the_center_and_nothing_of_its_neighbour(
    talk: Callable[[str], Talker],
) -> None:
    one, two, center = talk(ONE), talk(TWO), talk("center")
    one.hear("#")
    one.hear(f"anbu/1/{TWO}/#")
    for part in ("state", "event", "fault/x", "telemetry", "reply"):
        assert two.say(f"anbu/1/{TWO}/{part}") == 0
    for topic in (f"anbu/1/{TWO}/ack", f"anbu/1/{TWO}/cmd", f"anbu/1/{ONE}/ack"):
        assert center.say(topic) == 0
    assert one.heard.get(timeout=5) == (f"anbu/1/{ONE}/ack", b"{}")  # the last said, first heard
    assert one.heard.empty()


def test_the_center_cannot_invent_a_hubs_event(talk: Callable[[str], Talker]) -> None:
    assert talk("center").say(f"anbu/1/{ONE}/event") == NOT_AUTHORIZED


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
@pytest.mark.parametrize("victim", ["center", TWO])
def test_a_stolen_hub_cannot_take_the_session_of_another(
    victim: str, protocol: MQTTProtocolVersion
) -> None:
    """It shows its own certificate and gives the other's name, with clean start."""
    with Broker() as broker, talker(broker, "center", session_s=3600) as center:
        center.hear("anbu/1/+/event")
        with talker(broker, TWO) as honest, thief(broker, victim, protocol):
            assert honest.say(f"anbu/1/{TWO}/event", b"help") == 0
            assert center.heard.get(timeout=5) == (f"anbu/1/{TWO}/event", b"help")
        assert f"Client {victim} already connected" not in broker.log()


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
def test_a_stolen_hub_cannot_empty_the_queue_of_a_center_that_is_away(
    protocol: MQTTProtocolVersion,
) -> None:
    with Broker() as broker:
        with talker(broker, "center", session_s=3600) as center:
            center.hear("anbu/1/+/event")
        with talker(broker, TWO) as honest:
            assert honest.say(f"anbu/1/{TWO}/event", b"help") == 0
        with thief(broker, "center", protocol):
            pass
        with talker(broker, "center", session_s=3600) as center:
            assert center.heard.get(timeout=5) == (f"anbu/1/{TWO}/event", b"help")


@contextmanager
def thief(broker: Broker, victim: str, protocol: MQTTProtocolVersion) -> Iterator[None]:
    made = Client(CallbackAPIVersion.VERSION2, victim, protocol=protocol)
    made.tls_set_context(tls(f"hubs/{ONE}"))
    made.connect("127.0.0.1", broker.port)
    made.loop_start()
    try:
        wait_until(made.is_connected, "the thief is let in, though not as the other")
        yield
    finally:
        made.disconnect()
        made.loop_stop()
        made._reset_sockets()


def test_a_client_without_a_certificate_is_refused(broker: Broker) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(broker, tls(None))


@pytest.mark.parametrize(
    ("cert", "alert"),
    [
        ("hubs/expired", "EXPIRED"),
        ("hubs/early", "BAD_CERTIFICATE"),
        ("hubs/foreign", "UNKNOWN_CA"),
    ],
)
def test_a_bad_certificate_is_refused_with_its_reason(
    broker: Broker, cert: str, alert: str
) -> None:
    with pytest.raises(ssl.SSLError, match=alert):
        shake_hands(broker, tls(cert))


def test_a_broker_of_another_authority_is_not_trusted(broker: Broker) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get"):
        shake_hands(broker, tls(f"hubs/{ONE}", authority="foreign/ca"))


def test_an_old_tls_is_refused(broker: Broker) -> None:
    context = tls(f"hubs/{ONE}")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(broker, context)


def test_an_oversized_message_ends_the_connection(talk: Callable[[str], Talker]) -> None:
    hub = talk(ONE)
    hub.client.publish(f"anbu/1/{ONE}/event", bytes(40_000), qos=1)
    wait_until(lambda: not hub.client.is_connected(), "the broker has hung up")


def test_what_is_retained_outlives_the_broker() -> None:
    with Broker() as broker:
        with talker(broker, ONE) as hub:
            assert hub.say(f"anbu/1/{ONE}/state", b"kept", retain=True) == 0
        broker.stop()
        broker.start()
        with talker(broker, "center") as center:
            center.hear("anbu/1/+/state")
            assert center.heard.get(timeout=5) == (f"anbu/1/{ONE}/state", b"kept")


def test_what_is_said_while_the_center_is_away_waits_for_it_over_a_restart() -> None:
    with Broker() as broker:
        with talker(broker, "center", session_s=3600) as center:
            center.hear("anbu/1/+/event")
        broker.stop()
        broker.start()
        with talker(broker, ONE) as hub:
            assert hub.say(f"anbu/1/{ONE}/event", b"waits") == 0
        with talker(broker, "center", session_s=3600) as center:
            assert center.heard.get(timeout=5) == (f"anbu/1/{ONE}/event", b"waits")


@pytest.mark.parametrize("damage", ["zeros", "cut", "noise"])
def test_a_database_with_which_it_does_not_start_is_set_aside(
    damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a power cut it was all zeros, and the broker stayed down until somebody deleted it."""
    with Broker() as broker:
        with talker(broker, ONE) as hub:
            assert hub.say(f"anbu/1/{ONE}/state", b"kept", retain=True) == 0
        broker.stop()
        database = broker.folder / "mosquitto" / "mosquitto.db"
        whole = database.read_bytes()
        half = whole[: len(whole) // 2 + 3]
        bad = {"zeros": bytes(len(whole)), "cut": half, "noise": whole[:4] + b"?" * 400}[damage]
        for n in range(4):
            database.write_bytes(bad)
            words = ["broker-config", str(broker.folder), str(broker.certs), "--port"]
            assert main([*words, str(broker.port)]) == 0
            assert "mosquitto.db.damaged-" in capsys.readouterr().err
            assert not database.exists()
            kept = sorted(database.parent.glob("*.damaged-*"))
            assert len(kept) == min(n + 1, 2)
            assert kept[-1].read_bytes() == bad
        broker.start()


def test_a_database_that_is_well_is_left_as_it_is() -> None:
    with Broker() as broker:
        with talker(broker, ONE) as hub:
            assert hub.say(f"anbu/1/{ONE}/state", b"kept", retain=True) == 0
        broker.stop()
        database = broker.folder / "mosquitto" / "mosquitto.db"
        whole = database.read_bytes()
        assert mend(database.parent) is None
        assert database.read_bytes() == whole
        assert [one.name for one in database.parent.iterdir()] == [database.name]


def test_where_the_broker_does_not_start_for_another_reason_its_database_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mosquitto.db").write_bytes(bytes(100))
    monkeypatch.setattr("provisioning.broker.config.program", lambda: "false")
    assert mend(tmp_path) is None
    assert (tmp_path / "mosquitto.db").exists()


def test_a_paused_broker_answers_after_it_is_resumed(broker: Broker) -> None:
    with talker(broker, ONE) as hub:
        broker.pause()
        hub.client.publish(f"anbu/1/{ONE}/event", b"{}", qos=1)
        with pytest.raises(queue.Empty):
            hub.acks.get(timeout=0.2)
        broker.resume()
        assert not hub.acks.get(timeout=5).is_failure


def shake_hands(broker: Broker, context: ssl.SSLContext) -> None:
    """Connect; a refusal under TLS 1.3 shows only at the first read."""
    with (
        socket.create_connection((broker.host, broker.port), 5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as wrapped,
    ):
        wrapped.settimeout(5)
        if not wrapped.recv(1):
            message = "closed"
            raise ConnectionError(message)
