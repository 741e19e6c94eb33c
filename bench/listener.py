"""A plain MQTT subscriber that notes when it hears an event, and says `received`: no more."""

import time
from typing import Self

from paho.mqtt.client import Client, MQTTMessage

from bench.floor import client
from hub.contract import wire
from hub.contract.messages import Ack, AlarmEvent, Stage
from tests.broker import Broker, wait_until


class Listener:
    """Subscribed to every hub's events; `heard` maps an event's id to monotonic seconds."""

    def __init__(self, broker: Broker) -> None:
        self.heard: dict[str, float] = {}
        self._broker = broker
        self._granted = False
        self._client = client(broker, "center", "center")
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: setattr(self, "_granted", True)

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        wait_until(self._client.is_connected, "the listener is connected")
        self._client.subscribe("anbu/1/+/event", qos=1)
        wait_until(lambda: self._granted, "the listener is subscribed")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        at = time.monotonic()
        hub, event = wire.decode_from_hub(message.topic, bytes(message.payload))
        if not isinstance(event, AlarmEvent):
            return
        self.heard.setdefault(event.id, at)
        for stage in (Stage.RECEIVED, Stage.CLOSED):
            known = event.id if stage is Stage.RECEIVED else ""
            ack = Ack(known, event.data.alarm, stage, 1, time.time())
            self._client.publish(wire.topic(hub, "ack"), wire.encode(ack), qos=1)
