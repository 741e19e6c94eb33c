"""A real Mosquitto with the real configuration, on a free port, for tests and benches.

with Broker() as broker:
    ...                      # broker.port, broker.certs, broker.log()
    broker.kill(); broker.start()
    broker.pause(); broker.resume()
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from provisioning.broker.config import program, write_config
from provisioning.certs import dev
from provisioning.certs.authority import authority, issue

HUBS = ("js-0001", "js-0002")
PATIENCE_S = 10.0


@cache
def certs() -> Path:
    """Certificates for the whole session: `HUBS`, the centre, and four that must be refused.

    `hubs/{expired,early,foreign}` are clients, `wrong/broker` is a server of another name, and
    `foreign/` is a complete folder of another authority.
    """
    folder = Path(tempfile.mkdtemp(prefix="anbu-certs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    list(dev.ensure(folder, HUBS))
    list(dev.ensure(folder / "foreign", HUBS))
    parent, now = dev.read(folder, "ca"), datetime.now(UTC)
    assert parent
    day = timedelta(days=1)
    wrong = {
        "hubs/expired": issue(parent, HUBS[0], begins=now - 2 * day, ends=now - day),
        "hubs/early": issue(parent, HUBS[0], begins=now + day, ends=now + 2 * day),
        "hubs/foreign": issue(authority(), HUBS[0]),
        "wrong/broker": issue(parent, "broker", hosts=("elsewhere.example",)),
    }
    (folder / "wrong").mkdir()
    for name, pair in wrong.items():
        dev.write(folder, name, pair)
    return folder


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as `condition` holds, or fail naming `what`."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        time.sleep(0.005)


class Broker:
    """Mosquitto as a child process. `tls=False` takes plain TCP from anyone.

    `more` is a line for the end of its configuration.
    """

    def __init__(
        self, *, tls: bool = True, port: int = 0, certs_dir: Path | None = None, more: str = ""
    ) -> None:
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.certs = certs_dir or certs()
        self.folder = Path(tempfile.mkdtemp(prefix="anbu-broker-"))
        self._config = write_config(self.folder, self.certs if tls else None, self.port)
        with self._config.open("a", encoding="utf-8") as config:
            config.write(f"{more}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([program(), "-c", self._config], stderr=log)
        wait_until(self._listens, f"mosquitto listens; it says: {self.log()}")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _end(self, sign: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(sign)
            self._process.wait(PATIENCE_S)
            self._process = None

    def _listens(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"mosquitto has ended: {self.log()}"
        with suppress(OSError), socket.create_connection((self.host, self.port), 1.0):
            return True
        return False
