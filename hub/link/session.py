"""One session with one broker, from dial to end. The only module of the hub that imports paho.

Each session has a new paho client. Only the dial has a thread; after it, all runs on the event
loop: `publish` sends at once, and an exception in a callback ends the process instead of a thread.
paho's own retries and queue are not used: `reconnect.py` decides which broker to dial and when,
`hub/outbox/queue.py` when an ack is late.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct
from paho.mqtt.client import Client, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from hub.contract import addresses, wire
from hub.contract.forms import Broker, FilePath
from hub.contract.wire import LinkTrouble
from hub.link.socket_pump import Pump
from hub.outbox.store import Row
from hub.shared import tls

FAREWELL_S = 1.0
TAKEN_OVER = 0x8E
LOST = 0x80  # paho's reason for a connection that ended without a packet
VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}


class MqttSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[mqtt]` of the config: brokers are tried in turn, such as `tls://broker.example:8883`."""

    brokers: Annotated[tuple[Broker, ...], Meta(min_length=1)] = ()  # left out: the county's
    ca: FilePath = ""
    cert: FilePath = ""
    key: FilePath = ""
    protocol: Literal["5", "3.1.1"] = "5"  # 3.1.1 for a county's old broker
    keepalive_s: Annotated[int, Meta(ge=1, le=600)] = (
        8  # a half-open link is noticed after 1.9 x this
    )
    dial_s: Annotated[float, Meta(gt=0, le=60)] = 3.0


class Listener(Protocol):
    """Called on what happens to the link; always on the loop's thread."""

    def link_up(self, broker: str) -> None:
        """Note that a session with `broker` stands."""

    def link_down(self, trouble: LinkTrouble) -> None:
        """Note that the session ended, or that the dial failed."""

    def acked(self, id_: str, *, refused: bool) -> None:
        """Note the PUBACK for the row `id_`."""

    def arrived(self, topic: str, payload: bytes) -> None:
        """Take a message from the broker; nothing about it has been checked."""


class Session:
    """One connection. Call its methods on the loop's thread only."""

    def __init__(
        self,
        settings: MqttSettings,
        hub: str,
        broker: str,
        listener: Listener,
        will: bytes,
        utc: tls.UtcNow | None = None,  # as `tls.context` has it
    ) -> None:
        self._settings, self._hub, self._listener = settings, hub, listener
        self._loop = asyncio.get_running_loop()
        self._utc = utc
        self._ids: dict[int, str] = {}
        self._dialled: asyncio.Future[LinkTrouble | None] = self._loop.create_future()
        self.ended: asyncio.Future[LinkTrouble] = self._loop.create_future()
        self._last: asyncio.Future[None] | None = None
        self._complaint = ""
        self.silent = False  # whether the broker closed it in good order and gave no reason
        self._broker = addresses.broker(broker)
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=hub,
            protocol=VERSIONS[settings.protocol],
            reconnect_on_failure=False,
        )
        self._pump = Pump(self._client, self._break)
        self._client.connect_timeout = 2 * settings.dial_s  # `Link` gives up earlier
        self._client.will_set(wire.topic(hub, "state"), will, qos=1, retain=True)
        self._wire_up()

    async def dial(self) -> LinkTrouble | None:
        """Connect and subscribe; return what failed, or None. Cancelling abandons the dial."""
        threading.Thread(target=self._connect, name="anbu-dial", daemon=True).start()
        return await self._dialled

    def publish(self, row: Row) -> bool:
        """Send with QoS 1, at once if the socket has room; return False where paho refuses it."""
        info = self._client.publish(row.topic, row.payload, qos=1, retain=row.retain)
        self._ids[info.mid] = row.id
        self._pump.await_room()
        return info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def mention(self, topic: str, payload: bytes) -> None:
        """Send with QoS 0 what may be lost; nothing while bytes of a message wait for the socket.

        A broker whose rules do not know the topic drops it, and says nothing.
        """
        if not self._client.want_write():
            self._client.publish(topic, payload, qos=0)
            self._pump.await_room()

    def end(self, trouble: LinkTrouble) -> None:
        """Close the socket in any state; during a dial, as soon as the dial has ended."""
        if not self.ended.done():
            self.ended.set_result(trouble)
        client = self._client
        # Callbacks refer back to this object: without this, the sockets of an ended session would
        # stay open until the next garbage collection.
        client.on_log = client.on_connect = client.on_subscribe = client.on_disconnect = None
        client.on_publish = client.on_message = client.on_socket_close = None
        self._pump.stop()

    def tend(self) -> None:
        """Do paho's periodic work, such as keep-alive pings. Call it each second."""
        self._client.loop_misc()
        self._pump.await_room()

    async def leave(self, farewell: Row) -> None:
        """Publish `farewell`, wait up to `FAREWELL_S` for its ack, and disconnect."""
        self._last = self._loop.create_future()
        self.publish(farewell)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._last
        self._client.disconnect()
        await asyncio.wait({self.ended}, timeout=FAREWELL_S)  # else DISCONNECT may never be sent

    def _wire_up(self) -> None:
        client, hand = self._client, self._hand
        client.on_log = self._on_log
        client.on_connect = lambda _c, _d, _f, reason, _p: self._on_connect(reason)
        client.on_subscribe = lambda _c, _d, _m, grants, _p: self._on_subscribe(grants)
        client.on_disconnect = lambda _c, _d, how, reason, _p: self._on_disconnect(how, reason)
        client.on_publish = lambda _c, _d, mid, why, _p: self._acked(mid, why.is_failure)
        client.on_message = lambda _c, _d, m: hand(self._listener.arrived, m.topic, m.payload)

    def _connect(self) -> None:
        """Look up the name, connect TCP and TLS, send CONNECT. Blocks, so it has its own thread."""
        settings, broker = self._settings, self._broker
        try:
            if broker.tls:
                files = settings.ca, settings.cert, settings.key
                self._client.tls_set_context(tls.context(*files, utc=self._utc))
            self._client.connect(broker.host, broker.port, settings.keepalive_s)
        except (OSError, ValueError) as error:
            self._hand(self._answer, tls.trouble_of(error))
        else:
            self._hand(self._attach)

    def _attach(self) -> None:
        """Continue on the loop after the dial's thread has connected."""
        if self.ended.done():  # nobody waits any more
            self.end(LinkTrouble.TIMEOUT)
        else:
            self._client.on_socket_close = lambda _c, _d, sock: self._pump.let_go(sock)
            sock = self._client.socket()
            if isinstance(sock, ssl.SSLSocket):  # an end without TLS's close_notify is an error
                sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]  # in typeshed
            self._pump.start()

    def _break(self, error: Exception) -> None:
        """Raise `error` in `Link`, which awaits these futures: that ends the process."""
        future = self.ended if self._dialled.done() else self._dialled
        if not future.done():
            future.set_exception(error)

    def _on_connect(self, reason: ReasonCode) -> None:
        if reason.is_failure:
            self._hand(self._answer, LinkTrouble.REFUSED)
            return
        ours = [wire.topic(self._hub, "ack"), wire.topic(self._hub, "cmd"), wire.CENTER_TOPIC]
        self._client.subscribe([(topic, 1) for topic in ours])

    def _on_subscribe(self, grants: list[ReasonCode]) -> None:
        """End the dial: it has failed if a subscription is refused, as no acks could arrive."""
        deaf = any(grant.is_failure for grant in grants)
        self._hand(self._answer, LinkTrouble.REFUSED if deaf else None)

    def _on_disconnect(self, how: DisconnectFlags, reason: ReasonCode) -> None:
        taken = reason.value == TAKEN_OVER
        lost = reason.value == LOST and not how.is_disconnect_packet_from_server
        self.silent = lost and not self._complaint
        trouble = LinkTrouble.TAKEN_OVER if taken else tls.trouble_in(self._complaint)
        self._hand(self._finish, trouble)

    def _on_log(self, _: Client, __: object, level: int, text: str) -> None:
        """Keep paho's last error: that a broker refuses our certificate is only logged."""
        if level == LogLevel.MQTT_LOG_ERR:
            self._complaint = text

    def _hand(self, call: Callable[..., None], *facts: object) -> None:
        """Call `call` on the loop; do nothing where the loop has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *facts)

    def _answer(self, trouble: LinkTrouble | None) -> None:
        if not self._dialled.done():
            self._dialled.set_result(trouble)

    def _finish(self, trouble: LinkTrouble) -> None:
        self._answer(trouble)
        if not self.ended.done():
            self.ended.set_result(trouble)

    def _acked(self, mid: int, refused: bool) -> None:  # noqa: FBT001 - as paho gives it
        id_ = self._ids.pop(mid, None)
        if id_ is not None:
            self._listener.acked(id_, refused=refused)
        if self._last and not self._ids and not self._last.done():
            self._last.set_result(None)
