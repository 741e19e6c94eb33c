"""A hub in its virtual house, a real Mosquitto with the real configuration, and the centre.

with Rig() as rig:
    rig.center.start(); rig.start_hub()
    rig.finger.press("help")
    rig.hub.kill(); rig.start_hub()
"""

import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

from bench.child import Child
from bench.console import Console
from bench.witness import Witness
from tests.broker import HUBS, Broker

HUB = HUBS[0]
HUB_TOML = """\
hub = "{hub}"
state_dir = "{state_dir}"
run_dir = "{folder}"
{top}
[mqtt]
brokers = ["tls://127.0.0.1:{port}"]
ca = "{certs}/ca.crt"
cert = "{certs}/hubs/{hub}.crt"
key = "{certs}/hubs/{hub}.key"
[blackbox]
file_mb = {blackbox_mb}
[rules]  # each press is counted here, and there are more than a person makes
repeat_s = 0.001
repeat_doubtful_s = 0.001
wobble_presses = 1000000
[rules.care]
times = []
[[device]]
kind = "contact"
name = "help"
role = "help_button"
place = "거실"
pin = 17
[[device]]
kind = "contact"
name = "cord"
role = "pull_cord"
place = "욕실"
pin = 27
[[device]]
kind = "contact"
name = "cancel"
role = "cancel_button"
place = "거실"
pin = 22
[[device]]
kind = "lamp"
name = "lamp"
red = 5
green = 6
amber = 13
buzzer = 19
"""


class Finger:
    """A finger in the virtual house, over one lasting connection."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(10)
        self._socket.connect(os.fspath(path))
        self._answers: IO[bytes] = self._socket.makefile("rb")

    def ask(self, request: dict[str, object]) -> dict[str, Any]:
        """Put a request; raise `ConnectionError` when the house is gone."""
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        line = self._answers.readline()
        if not line:
            raise ConnectionResetError
        answer: dict[str, Any] = json.loads(line)
        return answer

    def press(self, what: str = "help", ms: float = 30.0) -> dict[str, Any]:
        """Press for `ms`; return the monotonic times `pressed_at` and `released_at`."""
        return self.ask({"do": "press", "what": what, "ms": ms})

    def close(self) -> None:
        """Leave."""
        self._answers.close()
        self._socket.close()


class Rig:
    """Everything in one folder, gone at the end."""

    def __init__(self, *, state_dir: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="anbu-bench-"))
        self.state_dir = state_dir or self.folder / "hub"
        self.broker = Broker()
        self.center = Console(self.folder, self.broker.certs, self.broker.port)
        self.hub: Child
        self.finger: Finger
        self.witness = Witness(self.folder / "witness")
        self._hubs: list[Child] = []
        self._ready_at = 0.0
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(os.fspath(self.folder / "notify"))
        self._ready = threading.Event()
        threading.Thread(target=self._hear, daemon=True).start()

    def __enter__(self) -> Self:
        self.broker.start()
        self.configure()
        return self

    def __exit__(self, *_: object) -> None:
        for child in (*self._hubs, self.center.child):
            child.stop()
        self.broker.stop()
        self._notify.close()
        for folder in (self.folder, self.broker.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def configure(
        self, *, port: int = 0, top: str = "", blackbox_mb: float = 64, devices: str = ""
    ) -> None:
        """Write the settings; `port` is where the hub finds the broker, `top` goes first.

        `devices` are tables of devices beside the usual ones.
        """
        common = {"certs": self.broker.certs, "folder": self.folder, "state_dir": self.state_dir}
        text = HUB_TOML.format(
            hub=HUB, top=top, port=port or self.broker.port, blackbox_mb=blackbox_mb, **common
        )
        (self.folder / "hub.toml").write_text(text + devices, encoding="utf-8")

    def start_hub(
        self, *, witness: bool = True, code: str = "", env: dict[str, str] | None = None
    ) -> float:
        """Start the hub and wait for READY; return the seconds from exec to READY.

        With `code`, that is what runs, in place of the witness and with its arguments.
        """
        how = ["-c", code] if code else ["-m", "bench.witness"]
        how = [*how, str(self.witness.path)] if witness else ["-m", "hub"]
        words = ("hub", "--config", str(self.folder / "hub.toml"), "--virtual")
        env = {"NOTIFY_SOCKET": str(self.folder / "notify"), **self._as_at_home(), **(env or {})}
        command = (sys.executable, *how, *words)
        self._ready.clear()
        self.hub = Child(*command, log=self.folder / "hub.log", env=env)
        self._hubs = [self.hub]
        while not self._ready.wait(1.0):
            self.hub.alive()
        took_s = self._ready_at - self.hub.began
        self.finger = Finger(self.folder / "house.sock")
        return took_s

    def _as_at_home(self) -> dict[str, str]:
        """Hide what msgspec takes where it is installed, and what no home has: 0.4 MB."""
        hidden = self.folder / "hidden"
        hidden.mkdir(exist_ok=True)
        text = "raise ImportError('a home is without it: requirements/hub.txt')\n"
        (hidden / "typing_extensions.py").write_text(text, encoding="utf-8")
        return {
            "PYTHONPATH": os.pathsep.join(
                [str(hidden), *filter(None, [os.environ.get("PYTHONPATH")])]
            )
        }

    def _hear(self) -> None:
        """Receive what the hub sends to systemd."""
        with suppress(OSError):  # closed at the end
            while words := self._notify.recv(4096):
                if b"READY=1" in words:
                    self._ready_at = time.monotonic()
                    self._ready.set()
