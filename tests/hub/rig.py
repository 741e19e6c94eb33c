"""What the hub's tests share: rows, a state, a stub centre, a hub as a child, a notify socket."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from drivers.virtual.cli import Unreachable, ask
from hub.contract import wire
from hub.contract.messages import Ack, AlarmEvent, HubState, Stage, Telemetry
from hub.core.model.effects import Lane, Publish
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import HomeState
from hub.outbox.store import Row
from hub.outbox.thread import Commit, OutboxThread
from provisioning.certs import dev
from provisioning.certs.authority import issue
from tests.broker import HUBS, Broker, certs, wait_until

HUB = HUBS[0]
EVENT = f"anbu/1/{HUB}/event"
RULES = Rules(hub=HUB, software="0", buttons={"help": Button(Role.HELP_BUTTON, "거실")})
SNAPSHOT = msgspec.msgpack.encode(HomeState(boot="b0"))
T = TypeVar("T")


def tell(story: Coroutine[Any, Any, T], patience_s: float = 60.0) -> T:
    """Run an async story to its end."""

    async def bounded() -> T:
        async with asyncio.timeout(patience_s):
            return await story

    return asyncio.run(bounded())


async def until(condition: Callable[[], object], what: str, patience_s: float = 10.0) -> None:
    """Yield to the loop until `condition` holds, or fail naming `what`."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        await asyncio.sleep(0.002)


async def taken_up(outbox: OutboxThread) -> tuple[bytes | None, Commit]:
    """Take up what the file holds; return the snapshot and the commit function."""
    found = await outbox.read()
    assert found is not None
    return found.snapshot, outbox.take_up(found)


def row(n: int, lane: Lane = Lane.SOS, id_: str = "") -> Row:
    """Return a message that a centre would understand."""
    return Row(n, id_ or f"b-{n}", lane, *_content(lane, id_ or f"b-{n}"), retain=False)


def publish(n: int, lane: Lane = Lane.SOS) -> Publish:
    id_ = f"b-{n}"
    return Publish(id_, lane, *_content(lane, id_))


def _content(lane: Lane, id_: str) -> tuple[str, bytes]:
    if lane is Lane.TELEMETRY:
        payload = wire.encode(Telemetry(0.0, synced=True, readings={"n": 1.0}))
        return f"anbu/1/{HUB}/telemetry", payload
    scaip: dict[str, Any] = {"device": "0004", "status": "0010", "location": "", "priority": 0}
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": wire.source(HUB),
        "type": "anbu.alarm.raised",
        "time": "2026-01-01T00:00:00.000Z",
        "datacontenttype": "application/json",
        "data": EXAMPLE | {"alarm": id_, "scaip": EXAMPLE["scaip"] | scaip},
    }
    return EVENT, msgspec.json.encode(event)


def _example() -> dict[str, Any]:
    from hub.contract.scaip import Kind  # noqa: PLC0415
    from hub.core.alarm import alarm  # noqa: PLC0415 - only to borrow a true event's shape

    _, effects = alarm.call(HomeState(boot="b"), Kind.HELP_BUTTON, "help", 0.0, RULES)
    told = next(e for e in effects if isinstance(e, Publish))
    found: dict[str, Any] = msgspec.json.decode(told.payload)["data"]
    return found


EXAMPLE = _example()


class StubCenter:
    """Stores what hubs tell, by id, and answers `received` at once, or not while `mute`."""

    def __init__(self, broker: Broker) -> None:
        self.heard: Counter[str] = Counter()  # how often each event id came
        self.stored: dict[str, AlarmEvent] = {}
        self.states: list[tuple[str, HubState, float]] = []
        self.faults: list[tuple[str, bytes]] = []
        self.telemetry = 0
        self.mute = False
        self.client = Client(
            CallbackAPIVersion.VERSION2, "center", protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.tls_set(
            str(broker.certs / "ca.crt"),
            str(broker.certs / "center.crt"),
            str(broker.certs / "center.key"),
        )
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda c, *_: c.subscribe("anbu/1/+/#", qos=1) and None
        self.client.on_message = self._on_message
        self._granted = threading.Event()
        self.client.on_subscribe = lambda *_: self._granted.set()
        self._broker = broker

    def __enter__(self) -> Self:
        self.client.connect(self._broker.host, self._broker.port)
        self.client.loop_start()
        assert self._granted.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def raised(self, hub: str = "") -> list[AlarmEvent]:
        """Return the stored alarms' raising and repeating events."""
        return [e for e in list(self.stored.values()) if e.source.endswith(hub)]

    def said(self, hub: str) -> list[str]:
        """Return the availabilities that a hub has announced, in order."""
        return [state.state for name, state, _ in list(self.states) if name == hub]

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        if not message.topic.endswith(("/ack", "/cmd", "/reply")):
            self._take(client, message.topic, bytes(message.payload))

    def _take(self, client: Client, topic: str, payload: bytes) -> None:
        if "/fault/" in topic:
            self.faults.append((topic, payload))
            return
        try:
            hub, told = wire.decode_from_hub(topic, payload)
        except wire.RefusedError:  # what another test has retained
            return
        if isinstance(told, HubState):
            self.states.append((hub, told, time.monotonic()))
        elif isinstance(told, Telemetry):
            self.telemetry += 1
        elif isinstance(told, AlarmEvent):
            self.heard[told.id] += 1
            self.stored.setdefault(told.id, told)
            if not self.mute:
                ack = Ack(told.id, told.data.alarm, Stage.RECEIVED, 1, time.time())
                client.publish(wire.topic(hub, "ack"), wire.encode(ack), qos=1)


CONFIG = """\
hub = "{hub}"
state_dir = "{folder}/state"
run_dir = "{folder}"
telemetry_s = {telemetry_s}

[mqtt]
brokers = ["tls://127.0.0.1:{port}"]
ca = "{certs}/ca.crt"
cert = "{certs}/hubs/{hub}.crt"
key = "{certs}/hubs/{hub}.key"

[rules.care]
times = []

[[device]]
kind = "contact"
name = "help"
role = "help_button"
pin = 17

[[device]]
kind = "contact"
name = "cancel"
role = "cancel_button"
pin = 27

[[device]]
kind = "lamp"
name = "lamp"
red = 5
green = 6
amber = 13
"""


def write_config(folder: Path, port: int, *, hub: str = HUB, certs_dir: Path | None = None) -> Path:
    file = folder / "hub.toml"
    text = CONFIG.format(
        folder=folder, port=port, hub=hub, certs=certs_dir or certs(), telemetry_s=300
    )
    file.write_text(text, encoding="utf-8")
    return file


class HubProcess:
    """`anbu hub --virtual` as a child, its finger and its lamps."""

    def __init__(
        self, folder: Path, port: int, *, hub: str = HUB, certs_dir: Path | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.hub = folder, hub
        self.config = write_config(folder, port, hub=hub, certs_dir=certs_dir)
        self.socket = str(folder / "house.sock")
        self.notify = ""
        self.began = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *script: str) -> None:
        """Start it, or a Python script that starts it in its own way."""
        words = [*(script or ("-m", "hub")), "hub", "--config", str(self.config), "--virtual"]
        environment = os.environ | {"NOTIFY_SOCKET": self.notify, "WATCHDOG_USEC": "30000000"}
        if not self.notify:
            del environment["NOTIFY_SOCKET"]
        self.began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words], stdout=log, stderr=log, env=environment
            )

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process
        return self._process

    @property
    def database(self) -> Path:
        return self.folder / "state" / "outbox.db"

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)

    def stop(self) -> int:
        """Ask it to end, as systemd does; return the exit code."""
        self.process.terminate()
        return self.process.wait(10)

    def armed(self) -> bool:
        try:
            return bool(ask(self.socket, {"do": "lamps"})["ok"])
        except Unreachable:
            return False

    def press(self, ms: float = 60, what: str = "help") -> float:
        """Press; return the monotonic time at which it began."""
        wait_until(self.armed, f"the house opens; {self.log()}")
        at = time.monotonic()
        answer = ask(self.socket, {"do": "press", "what": what, "ms": ms})
        assert answer["ok"], answer
        return at

    def signal(self) -> str:
        try:
            return str(ask(self.socket, {"do": "lamps"})["signal"])
        except Unreachable:
            return ""


def figure(text: str) -> None:
    """Print a measured figure; `pytest -rP` shows it."""
    sys.stdout.write(f"{text}\n")


class NotifySocket:
    """A fake `NOTIFY_SOCKET`: what systemd would have heard, and when."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        self.heard: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._thread = threading.Thread(target=self._listen, name="notify", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def times(self, word: str) -> list[float]:
        return [at for at, text in list(self.heard) if text == word]

    def _listen(self) -> None:
        while text := self._socket.recv(4096):
            self.heard.append((time.monotonic(), text.decode()))


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def names(count: int) -> tuple[str, ...]:
    """Return so many hubs' names, with certificates."""
    parent, made = dev.read(certs(), "ca"), tuple(f"js-1{n:03d}" for n in range(count))
    assert parent
    for name in made:
        dev.write(certs(), f"hubs/{name}", issue(parent, name))
    return made
