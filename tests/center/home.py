"""A hub for tests of the centre's link: it sends what a test says and keeps what it receives."""

import queue
import ssl
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hub.contract import wire
from hub.contract.messages import Ack, CenterState, Command, FromHub
from tests.broker import Broker, wait_until
from tests.center.making import HUB


class Home:
    """A connected hub. With `tls` it shows its certificate."""

    def __init__(self, broker: Broker, *, tls: bool = True) -> None:
        self.acks: queue.Queue[Ack] = queue.Queue()
        self.center: queue.Queue[CenterState] = queue.Queue()
        self.commands: queue.Queue[Command] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, HUB, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        if tls:
            context = ssl.create_default_context(cafile=broker.certs / "ca.crt")
            certificate = broker.certs / "hubs" / HUB
            context.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
            self._client.tls_set_context(context)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        wait_until(self._client.is_connected, "the hub is let in")
        granted = queue.SimpleQueue[object]()
        self._client.on_subscribe = lambda *args: granted.put(args[3])
        topics = (wire.topic(HUB, "ack"), wire.topic(HUB, "cmd"), wire.CENTER_TOPIC)
        self._client.subscribe([(topic, 1) for topic in topics])
        granted.get(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, part: str, message: FromHub | bytes, *, retain: bool = False) -> None:
        """Publish on one of the hub's topics, and wait until the broker has it."""
        payload = message if isinstance(message, bytes) else wire.encode(message)
        topic = wire.topic(HUB, part)
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def try_as(self, hub: str, part: str, message: FromHub) -> str:
        """Publish on the topic of another hub, perhaps; return what the broker says to that."""
        said = queue.SimpleQueue[str]()
        self._client.on_publish = lambda *args: said.put(str(args[3]))
        self._client.publish(wire.topic(hub, part), wire.encode(message), qos=1)
        answer = said.get(timeout=10)
        self._client.on_publish = None
        return answer

    def hears(self, event: str) -> Ack:
        """Return the next ack for `event`; drop the acks before it."""
        while True:
            ack = self.acks.get(timeout=10)
            if ack.event == event:
                return ack

    def sees_center(self, *, online: bool) -> None:
        """Wait until the centre's own topic has the value."""
        while self.center.get(timeout=10).online is not online:
            pass

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        said = wire.decode_from_center(HUB, message.topic, bytes(message.payload))
        if isinstance(said, Ack):
            self.acks.put(said)
        elif isinstance(said, Command):
            self.commands.put(said)
        elif isinstance(said, CenterState):
            self.center.put(said)
