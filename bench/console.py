"""The real centre as a process: its settings, its API with a token, and its own table of events."""

import http.client
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from bench.child import ROOT, Child
from hub.contract.messages import AlarmData, AlarmEvent
from tests.broker import free_port, wait_until

CENTER_TOML = """\
[center]
listen = "127.0.0.1:{console}"
database = "center.db"
[mqtt]
brokers = ["tls://127.0.0.1:{port}"]
ca = "{certs}/ca.crt"
cert = "{certs}/center.crt"
key = "{certs}/center.key"
"""


class Console:
    """The centre, and what a program may ask of it."""

    def __init__(self, folder: Path, certs: Path, broker_port: int) -> None:
        self._folder, self._port = folder, free_port()
        text = CENTER_TOML.format(console=self._port, port=broker_port, certs=certs)
        (folder / "center.toml").write_text(text, encoding="utf-8")
        self._command = (sys.executable, "-m", "hub", "center", "--config", "center.toml")
        self._token = self._made_token()
        self.child = Child(sys.executable, "-c", "", log=folder / "center.log")

    def start(self, *, patience_s: float = 30.0) -> None:
        """Start it and wait until it hears the broker."""
        self.spawn()
        wait_until(self.well, "the centre is well", patience_s)

    def spawn(self) -> None:
        """Start it, without waiting."""
        self.child = Child(*self._command, log=self._folder / "center.log", cwd=self._folder)

    def kill(self) -> None:
        """End whichever process it is at the moment by SIGKILL."""
        self.child.kill()

    def well(self) -> bool:
        """Whether its store works and it has a link."""
        self.child.alive()
        with suppress(OSError, http.client.HTTPException):
            return self._ask("GET", "/healthz")[0] == http.client.OK
        return False

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Put a request to the API; raise `RuntimeError` on any status but 200."""
        status, answer = self._ask(method, path, body)
        if status != http.client.OK:
            message = f"{method} {path}: {status} {answer}"
            raise RuntimeError(message)
        return answer

    def close_all(self) -> None:
        """Close every open alarm."""
        for alarm in self.ask("GET", "/api/alarms?state=open")["alarms"]:
            path = f"/api/alarms/{alarm['id']}/close"
            self.ask("POST", path, {"outcome": "test", "note": "bench"})

    def events(self) -> Iterator[AlarmData]:
        """Yield the alarms' events of its table, in the order of storing."""
        for _, raw in self.rows():
            yield msgspec.json.decode(raw, type=AlarmEvent).data

    def rows(self) -> list[tuple[str, str]]:
        """Return (id, raw) of every alarm's event in its table."""
        query = "SELECT id, raw FROM events WHERE alarm IS NOT NULL ORDER BY seq"
        with closing(sqlite3.connect(self._folder / "center.db", timeout=30)) as db:
            return list(db.execute(query))

    def metric(self, name: str) -> float:
        """Read one value from `/metrics`; 0 where it is not told yet."""
        asking = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        with closing(asking):
            asking.request("GET", "/metrics")
            for line in asking.getresponse().read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        return 0.0

    def _ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        asking = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        with closing(asking):
            asking.request(method, path, json.dumps(body) if body else None, headers)
            answer = asking.getresponse()
            return answer.status, json.loads(answer.read() or b"null")

    def _made_token(self) -> str:
        words = ("token", "add", "bench", "--config", str(self._folder / "center.toml"))
        command = (sys.executable, "-m", "hub", "center", *words)
        made = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return made.stdout.strip()
