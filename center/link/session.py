"""A session with one broker: one paho client from dial to end. Only this module imports paho.

paho's thread only hands over. paho's own retries are not used: `reconnect` checks a session's
health and dials the next one. A message is PUBACKed by `Arrived.settle`, after it is stored.
"""

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from msgspec import Struct
from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTMessageInfo,
)
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from center.config import Mqtt
from hub.contract import addresses
from hub.contract.messages import CenterState
from hub.contract.wire import CENTER_TOPIC, VERSION, RefusedError, decode_from_center
from hub.shared import tls

VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
PARTS = ("state", "event", "fault/+", "telemetry", "activity", "vitals", "reply")
INSTALL = f"anbu/{VERSION}/+/install"  # with QoS 0: the broker keeps none while we are away
TOPICS = [(f"anbu/{VERSION}/+/{part}", 1) for part in PARTS]
BIRTH, HUBS = 1, 2  # the answers to these subscriptions, by their order
TAKEN_OVER = 0x8E
FAREWELL_S = 1.0
STRICT = {tls.Flaw.MALFORMED, tls.Flaw.NO_AUTHORITY_KEY}
P = ParamSpec("P")
log = logging.getLogger(__name__)


class Message(Struct, frozen=True):
    """A message to publish."""

    topic: str
    payload: bytes
    retain: bool = False
    expires_s: int | None = None  # an MQTT 5 broker drops it after that


class Arrived(Struct, frozen=True):
    """A message that came. `settle` PUBACKs it; in a session that is over it does nothing."""

    topic: str
    payload: bytes
    retained: bool  # it was stored at the broker, for an unknown time
    settle: Callable[[], object]


class Session:
    """One connection, usable from any thread. `answered` is set when it is `up`, or over.

    Messages of hubs are held back until `begin`: first the centre's own topic shows in `birth`
    whether another centre is online.
    """

    def __init__(
        self, settings: Mqtt, broker: str, will: Message, receive: Callable[[Arrived], None]
    ) -> None:
        self.answered = threading.Event()
        self.up = False
        self.over = threading.Event()
        self.trouble = ""
        self.taken_over = False
        self._complaint = ""
        self.birth: CenterState | None = None  # the retained state of the last centre here
        self._receive = receive
        self._asked = 0  # subscriptions, one after the other
        self._held: list[Arrived] | None = []
        self._holding = threading.Lock()
        self._settings = settings
        self._broker = addresses.broker(broker)
        self._unacked: deque[tuple[float, MQTTMessageInfo]] = deque()
        self._acked_at = 0.0
        five = settings.protocol == "5"
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if five else False,
            protocol=VERSIONS[settings.protocol],
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = settings.connect_s
        self._client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        self._wire_up()

    def dial(self) -> None:
        """Connect and start paho's thread, which sets `up`. Raise `OSError` or `ValueError`."""
        settings = self._settings
        if self._broker.tls:
            self._client.tls_set_context(tls.context(settings.ca, settings.cert, settings.key))
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # in paho
        properties.SessionExpiryInterval = settings.session_s
        five = settings.protocol == "5"
        self._client.connect(
            self._broker.host,
            self._broker.port,
            settings.keepalive_s,
            clean_start=False if five else MQTT_CLEAN_START_FIRST_ONLY,
            properties=properties if five else None,
        )
        self._client.loop_start()

    def begin(self) -> None:
        """Pass on the messages that were held back, and from now on each that comes."""
        with self._holding:
            held, self._held = self._held or [], None
            for arrived in held:
                self._receive(arrived)

    @property
    def begun(self) -> bool:
        """Whether messages of hubs are passed on; before, another centre may have them."""
        return self._held is None

    def publish(self, message: Message) -> None:
        """Send with QoS 1. What is lost with the session is sent again by `inbox.repair`."""
        properties = None
        if message.expires_s is not None and self._settings.protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # in paho
            properties.MessageExpiryInterval = message.expires_s
        info = self._client.publish(
            message.topic, message.payload, qos=1, retain=message.retain, properties=properties
        )
        if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._unacked.append((time.monotonic(), info))

    def sick(self) -> str:
        """Return what is wrong with a session that looks up, or ''; for one thread only."""
        now = time.monotonic()
        while self._unacked and self._unacked[0][1].is_published():
            self._unacked.popleft()
            self._acked_at = now  # a long queue of acks is fine while it moves
        if self._unacked:
            since = max(self._unacked[0][0], self._acked_at)
            if now - since > self._settings.ack_s:
                return "puback overdue"
        name = f"paho-mqtt-client-{self._settings.client_id}"
        alive = name in {thread.name for thread in threading.enumerate()}
        return "" if alive else "paho's thread has died"

    def end(self, trouble: str = "") -> None:
        """Close the socket in any state; paho's thread then ends by itself."""
        self._receive = _ignore
        self._finish(trouble)
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # it is closed already
                sock.shutdown(socket.SHUT_RDWR)

    def withdraw(self) -> None:
        """Disconnect without a last will; the broker keeps what was held back."""
        self._receive = _ignore
        self._client.disconnect()

    def leave(self, farewell: Message) -> None:
        """Publish `farewell`, wait for its PUBACK for `FAREWELL_S` at most, and disconnect."""
        info = self._client.publish(farewell.topic, farewell.payload, qos=1, retain=True)
        with contextlib.suppress(
            ValueError, RuntimeError
        ):  # paho raises them where it was not sent
            info.wait_for_publish(FAREWELL_S)
        self._client.disconnect()

    def _finish(self, trouble: str) -> None:
        self.trouble = self.trouble or trouble
        self.over.set()
        self.answered.set()

    def _wire_up(self) -> None:
        client, guarded = self._client, self._guarded
        client.on_socket_open = guarded(_no_delay)
        client.on_log = guarded(self._on_log)
        client.on_connect = guarded(self._on_connect)
        client.on_subscribe = guarded(self._on_subscribe)
        client.on_disconnect = guarded(self._on_disconnect)
        client.on_publish = guarded(self._on_publish)
        client.on_message = guarded(self._on_message)

    def _guarded(self, callback: Callable[P, None]) -> Callable[P, None]:
        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except Exception as error:
                log.exception("a callback failed; a new session follows")
                self._finish(type(error).__name__)

        return call

    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, reason: ReasonCode, ___: object
    ) -> None:
        if reason.is_failure:
            self._finish(f"refused: {reason}")
        else:  # with QoS 0 the birth does not wait behind the messages that were kept for us
            client.subscribe(CENTER_TOPIC, qos=0)

    def _on_subscribe(
        self, client: Client, _: object, __: int, reasons: list[ReasonCode], ___: object
    ) -> None:
        self._asked += 1
        refused = any(reason.is_failure for reason in reasons)
        if self._asked == BIRTH:  # a retained birth has arrived before this answer
            client.subscribe(TOPICS)
        elif self._asked > HUBS:
            if refused:  # its rules are older: only who installs a home misses something
                log.warning("the broker's rules refuse the topic of installations")
        elif refused:
            self._finish("the broker's rules refuse the hubs' topics")
        else:
            client.subscribe(INSTALL, qos=0)
            self.up = True
            self.answered.set()

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: object
    ) -> None:
        self.taken_over = reason.value == TAKEN_OVER
        flaw = tls.alert_in(self._complaint)
        why = f"the broker refuses our certificate: {flaw}" if flaw else f"disconnected: {reason}"
        self._finish(why)

    def _on_log(self, _: Client, __: object, level: int, text: str) -> None:
        """Keep paho's last complaint: a broker that refuses our certificate says so only here."""
        if level == LogLevel.MQTT_LOG_ERR:
            self._complaint = text

    def _on_publish(
        self, _: Client, __: object, ___: int, reason: ReasonCode, ____: object
    ) -> None:
        if reason.is_failure:
            self._finish(f"the broker's rules refuse our word: {reason}")

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        settle = partial(client.ack, message.mid, message.qos)
        arrived = Arrived(message.topic, bytes(message.payload), message.retain, settle)
        if message.topic == CENTER_TOPIC:
            self._note_birth(arrived)
            return
        with self._holding:
            if self._held is not None:
                self._held.append(arrived)
                return
        self._receive(arrived)

    def _note_birth(self, arrived: Arrived) -> None:
        with contextlib.suppress(RefusedError):  # an unreadable birth says nothing
            told = decode_from_center("", arrived.topic, arrived.payload)
            if isinstance(told, CenterState):
                self.birth = told


def trouble_of(error: OSError | ValueError) -> str:
    """Return why a dial failed, for the log and the health page."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"{type(error).__name__}: {error}"
    flaw = error.verify_message
    if tls.flaw_of(error) in STRICT:  # the signer is known, and yet Python 3.13 refuses it
        flaw = f"{flaw} (RFC 5280, which Python 3.13 asks for: have it issued again)"
    return f"the broker's certificate: {flaw}"


def _no_delay(_: Client, __: object, sock: object) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _ignore(_: Arrived) -> None:
    """Drop what comes after the end: it was not settled, so the broker sends it again."""
