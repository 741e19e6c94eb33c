"""The control centre as a process of its own on the host, and a program that acts as operator."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from tests.broker import Broker, free_port
from tests.pi.evidence import Stored
from tests.pi.guestlink import wait_until
from tests.pi.stages import HERE

ANBU = (sys.executable, "-m", "hub")
REPO = HERE.parents[1]
ALARM_EVENTS = "SELECT id, stored_utc, raw FROM events WHERE type LIKE 'anbu.alarm.%' ORDER BY seq"


class Centre:
    """A context: within it the centre runs with a fresh database against `broker`.

    With `registers` it is also the authority from which hubs get their names, at `est_port`.
    """

    def __init__(self, folder: Path, broker: Broker, *, registers: bool = False) -> None:
        self._folder, self._port = folder, free_port()
        self.est_port = free_port()
        certs = broker.certs
        self._config = folder / "center.toml"
        self._config.write_text(
            f'[center]\nlisten = "127.0.0.1:{self._port}"\ndatabase = "center.db"\n'
            f'[mqtt]\nbrokers = ["tls://127.0.0.1:{broker.port}"]\nca = "{certs / "ca.crt"}"\n'
            f'cert = "{certs / "center.crt"}"\nkey = "{certs / "center.key"}"\n'
            + (self._authority(certs) if registers else "")
        )
        add = (*ANBU, "center", "token", "add", "--config", str(self._config), "virtual-pi")
        made = subprocess.run(add, cwd=REPO, capture_output=True, text=True, check=True)
        self._token = made.stdout.strip()
        self._process: subprocess.Popen[bytes] | None = None

    def _authority(self, certs: Path) -> str:
        """Return the settings of the port for hubs, on the broker's machine."""
        return (
            f'[authority]\nlisten = "127.0.0.1:{self.est_port}"\n'
            f'certificate = "{certs / "broker.crt"}"\nkey = "{certs / "broker.key"}"\n'
            f'ca_certificate = "{certs / "ca.crt"}"\nca_key = "{certs / "ca.key"}"\n'
        )

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self._port}"

    def hire(self, name: str, password: str, role: str) -> None:
        """Make an account, as a county does."""
        add = (*ANBU, "center", "--config", str(self._config), "user", "add", name)
        words = (*add, "--role", role, "--password-stdin")
        subprocess.run(words, cwd=REPO, input=f"{password}\n", text=True, check=True)

    def __enter__(self) -> Self:
        with (self._folder / "center.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*ANBU, "center", "--config", self._config],
                cwd=REPO,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=log,
            )
        wait_until(self._listens, 30, f"the centre listens (see {self._folder / 'center.log'})")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def _listens(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def open_alarms(self) -> list[dict[str, Any]]:
        """Return the alarms that no operator has closed."""
        found: list[dict[str, Any]] = self._ask("GET", "?state=open")["alarms"]
        return found

    def take(self, alarm: str) -> None:
        """Take an alarm."""
        self._ask("POST", f"/{alarm}/take", {})

    def close(self, alarm: str) -> None:
        """End an alarm."""
        self._ask("POST", f"/{alarm}/close", {"outcome": "test"})

    def stored(self) -> list[Stored]:
        """Return every event of an alarm in the order in which it was stored."""
        with closing(sqlite3.connect(self._folder / "center.db")) as db:
            rows = db.execute(ALARM_EVENTS).fetchall()
        return [_stored(*row) for row in rows]

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        url = f"{self.url}/api/alarms{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own
            found: dict[str, Any] = json.load(answer)
        return found


def _stored(id_: str, stored_utc: float, raw: str) -> Stored:
    data = json.loads(raw)["data"]
    return Stored(id_, data["boot"], data["at"], stored_utc)
