"""paho behind one door: a session with one broker, a fresh client from dial to end.

paho's thread only hands over to the loop, and nothing of paho's own retrying or queueing is used:
whether an ack is late, when to dial and whom, is decided by `link` and `courier`.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal, Protocol
from urllib.parse import urlsplit

from msgspec import Meta, Struct
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from hub import tls
from hub.core import wire
from hub.core.effects import Lane
from hub.core.events import LinkTrouble
from hub.outbox import Row

FAREWELL_S = 1.0
HAND_OVER_S = 0.0002  # the GIL for paho's thread, at once: a call leaves 0.3 ms sooner (median)
TAKEN_OVER = 0x8E
Broker = Annotated[str, Meta(pattern=r"^(tls|tcp)://[^/ ]+$")]
VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}


class MqttSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[mqtt]` of the config: brokers are tried in turn, such as `tls://broker.example:8883`."""

    brokers: Annotated[tuple[Broker, ...], Meta(min_length=1)]
    ca: str = ""
    cert: str = ""
    key: str = ""
    protocol: Literal["5", "3.1.1"] = "5"  # 3.1.1 for a county's old broker
    keepalive_s: Annotated[int, Meta(ge=1)] = 8  # a half-open link is noticed after 1.9 x this
    dial_s: Annotated[float, Meta(gt=0)] = 3.0


class Listener(Protocol):
    """Who is told of the link; always on the loop's own thread."""

    def link_up(self, broker: str) -> None:
        """A session stands."""

    def link_down(self, trouble: LinkTrouble) -> None:
        """It ended, or the dial failed."""

    def acked(self, id_: str, *, refused: bool) -> None:
        """PUBACK for the row `id_`."""

    def arrived(self, topic: str, payload: bytes) -> None:
        """A message came; it may be anything."""


class Session:
    """One connection. All methods belong to the loop's thread."""

    def __init__(
        self, settings: MqttSettings, hub: str, broker: str, listener: Listener, will: bytes
    ) -> None:
        self._settings, self._hub, self._listener = settings, hub, listener
        self._loop = asyncio.get_running_loop()
        self._ids: dict[int, str] = {}
        self._dialled: asyncio.Future[LinkTrouble | None] = self._loop.create_future()
        self.ended: asyncio.Future[LinkTrouble] = self._loop.create_future()
        self._last: asyncio.Future[None] | None = None
        self._complaint = ""
        self._url = urlsplit(broker)
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=hub,
            protocol=VERSIONS[settings.protocol],
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = 2 * settings.dial_s  # `Link` gives up earlier
        self._client.will_set(wire.topic(hub, "state"), will, qos=1, retain=True)
        self._wire_up()

    async def dial(self) -> LinkTrouble | None:
        """Connect and subscribe; give what went wrong, or None. Cancelling abandons the dial."""
        threading.Thread(target=self._connect, name="anbu-dial", daemon=True).start()
        return await self._dialled

    def publish(self, row: Row) -> bool:
        """Send with QoS 1; False when paho would not take it."""
        info = self._client.publish(row.topic, row.payload, qos=1, retain=row.retain)
        self._ids[info.mid] = row.id
        if row.lane is Lane.SOS:
            time.sleep(HAND_OVER_S)
        return info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def end(self, trouble: LinkTrouble) -> None:
        """Close the socket, whatever state it is in; paho's thread then ends by itself."""
        if not self.ended.done():
            self.ended.set_result(trouble)
        client = self._client
        sock = client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # it is closed already
                # SSLSocket's own would pull the TLS from under paho's thread, which dies of it
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        # What refers to itself keeps its sockets until the next garbage collection.
        client.on_log = client.on_connect = client.on_subscribe = client.on_disconnect = None
        client.on_publish = client.on_message = None

    def alive(self) -> bool:
        """Tell whether paho's thread still runs."""
        name = f"paho-mqtt-client-{self._hub}"
        return any(thread.name == name for thread in threading.enumerate())

    async def leave(self, farewell: Row) -> None:
        """Publish the last word, wait for its ack a second at most, and disconnect."""
        self._last = self._loop.create_future()
        self.publish(farewell)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._last, FAREWELL_S)
        self._client.disconnect()
        await asyncio.wait({self.ended}, timeout=FAREWELL_S)  # else it may never be sent

    def _wire_up(self) -> None:
        client, hand = self._client, self._hand
        client.on_log = self._on_log
        client.on_socket_open = _no_delay
        client.on_connect = lambda _c, _d, _f, reason, _p: self._on_connect(reason)
        client.on_subscribe = lambda _c, _d, _m, grants, _p: self._on_subscribe(grants)
        client.on_disconnect = lambda _c, _d, _f, reason, _p: self._on_disconnect(reason)
        client.on_publish = lambda _c, _d, mid, why, _p: hand(self._acked, mid, why.is_failure)
        client.on_message = lambda _c, _d, m: hand(self._listener.arrived, m.topic, m.payload)

    def _connect(self) -> None:
        """Block in a thread of its own: name look-up, TCP, TLS; then let paho's thread go on."""
        settings, host = self._settings, self._url.hostname or ""
        try:
            if self._url.scheme == "tls":
                self._client.tls_set_context(tls.context(settings.ca, settings.cert, settings.key))
            self._client.connect(host, self._url.port or 8883, settings.keepalive_s)
        except (OSError, ValueError) as error:
            self._hand(self._answer, tls.trouble_of(error))
            return
        if self.ended.done():  # nobody waits any more
            self.end(LinkTrouble.TIMEOUT)
        else:
            self._client.loop_start()

    def _on_connect(self, reason: ReasonCode) -> None:
        if reason.is_failure:
            self._hand(self._answer, LinkTrouble.REFUSED)
            return
        ours = [wire.topic(self._hub, "ack"), wire.topic(self._hub, "cmd"), wire.CENTER_TOPIC]
        self._client.subscribe([(topic, 1) for topic in ours])

    def _on_subscribe(self, grants: list[ReasonCode]) -> None:
        """A hub that cannot hear the centre's acks has no link."""
        deaf = any(grant.is_failure for grant in grants)
        self._hand(self._answer, LinkTrouble.REFUSED if deaf else None)

    def _on_disconnect(self, reason: ReasonCode) -> None:
        taken = reason.value == TAKEN_OVER
        trouble = LinkTrouble.TAKEN_OVER if taken else tls.trouble_in(self._complaint)
        self._hand(self._finish, trouble)

    def _on_log(self, _: Client, __: object, level: int, text: str) -> None:
        """Keep paho's last complaint: a broker that refuses our certificate says so only here."""
        if level == LogLevel.MQTT_LOG_ERR:
            self._complaint = text

    def _hand(self, call: Callable[..., None], *facts: object) -> None:
        """Hand over to the loop; a loop that has ended has no use for it."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *facts)

    def _answer(self, trouble: LinkTrouble | None) -> None:
        if not self._dialled.done():
            self._dialled.set_result(trouble)

    def _finish(self, trouble: LinkTrouble) -> None:
        self._answer(trouble)
        if not self.ended.done():
            self.ended.set_result(trouble)

    def _acked(self, mid: int, refused: bool) -> None:  # noqa: FBT001 - called by `_hand`
        id_ = self._ids.pop(mid, None)
        if id_ is not None:
            self._listener.acked(id_, refused=refused)
        if self._last and not self._ids and not self._last.done():
            self._last.set_result(None)


def _no_delay(_: Client, __: object, sock: object) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
