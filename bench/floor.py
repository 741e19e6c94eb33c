"""The floor: what one FULL commit and one bare QoS 1 publish over TLS cost on this machine, now."""

import socket
import sqlite3
import ssl
import threading
import time
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.broker import Broker, wait_until

PAYLOAD = bytes(520)  # as long as an alarm's event


def client(broker: Broker, name: str, cert: str) -> Client:
    """Make a bare paho client with TLS and TCP_NODELAY, not connected yet."""
    made = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
    context = ssl.create_default_context(cafile=broker.certs / "ca.crt")
    context.load_cert_chain(broker.certs / f"{cert}.crt", broker.certs / f"{cert}.key")
    made.tls_set_context(context)
    made.on_socket_open = _no_delay
    return made


class Floor:
    """One commit, then one publish; `commits` and `pubacks` are seconds from the same beginning."""

    def __init__(self, broker: Broker, hub: str, folder: Path) -> None:
        self.commits, self.pubacks = list[float](), list[float]()
        self._broker, self._topic = broker, f"anbu/1/{hub}/telemetry"
        self._client = client(broker, hub, f"hubs/{hub}")
        self._acked = threading.Event()
        self._at = 0.0
        self._client.on_publish = lambda *_: self._on_publish()
        self._db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE message (n INTEGER PRIMARY KEY, payload BLOB)")

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        wait_until(self._client.is_connected, "the floor's client is connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._db.close()

    def measure(self) -> None:
        """Measure once more."""
        self._acked.clear()
        began = time.monotonic()
        self._db.execute("INSERT INTO message (payload) VALUES (?)", (PAYLOAD,))
        self.commits.append(time.monotonic() - began)
        self._client.publish(self._topic, PAYLOAD, qos=1)
        if not self._acked.wait(10):
            raise TimeoutError
        self.pubacks.append(self._at - began)

    def _on_publish(self) -> None:
        self._at = time.monotonic()
        self._acked.set()


def _no_delay(_: Client, __: object, sock: object) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
