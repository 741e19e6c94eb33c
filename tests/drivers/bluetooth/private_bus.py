"""A dbus-daemon of one's own, and who may sit on it: the fake `org.bluez`, or bluezoo.

with PrivateBus() as bus, FakeBlueZ(bus) as bluez:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bluez.do("advert", address=A, data={BTHOME: "44..."})
    bluez.stop(); bluez.resume(); bluez.restart()
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

REPO = Path(__file__).resolve().parents[3]
CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
  <limit name="max_match_rules_per_connection">512</limit>
</busconfig>
"""  # 512: as on Debian's system bus


class PrivateBus:
    """A dbus-daemon in a folder of its own, gone at the end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="anbu-bus-"))
        self.address = f"unix:path={self.folder}/bus"
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        config = self.folder / "bus.conf"
        config.write_text(CONFIG.format(address=self.address), encoding="utf-8")
        (self.folder / "bus").unlink(missing_ok=True)
        command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
        log = (self.folder / "log").open("ab")  # it would say that it may not raise limits
        with log:
            self._daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert self._daemon.stdout
        assert self._daemon.stdout.readline()

    @property
    def pid(self) -> int:
        assert self._daemon
        return self._daemon.pid

    def kill(self) -> None:
        if self._daemon:
            self._daemon.kill()
            self._daemon.communicate()
            self._daemon = None

    def stop(self) -> None:
        """It hangs: SIGSTOP."""
        assert self._daemon
        os.kill(self._daemon.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._daemon
        os.kill(self._daemon.pid, signal.SIGCONT)


class _Process:
    """A process on the bus."""

    def __init__(self, bus: PrivateBus) -> None:
        self.bus = bus
        self.process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def restart(self) -> None:
        self.kill()
        self.start()

    def stop(self) -> None:
        """It hangs: SIGSTOP."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def _start(self, *command: str) -> None:
        env = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}
        self.process = subprocess.Popen(
            [sys.executable, *command], cwd=REPO, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip


class FakeBlueZ(_Process):
    """The fake of `fake_bluez.py`; `module` may name another that extends it."""

    def __init__(self, bus: PrivateBus, module: str = "tests.drivers.bluetooth.fake_bluez") -> None:
        super().__init__(bus)
        self.module = module

    def start(self) -> None:
        self._start("-m", self.module, self.bus.address)
        self._answer()

    def do(self, what: str, **order: object) -> dict[str, Any]:
        """Give an order; return its answer."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


class Bluezoo(_Process):
    """bluezoo 1.0.2 (GPL), which this repository only ever starts as a process of its own.

    It lacks AdvertisementMonitor, and an advert that repeats itself is told once.
    """

    def start(self) -> None:
        adapters = ("--adapter", "00:00:00:00:00:01", "--adapter", "00:00:00:00:00:02")
        self._start(
            str(Path(sys.executable).with_name("bluezoo")),
            "--auto-enable",
            "--scan-interval",
            "1",
            *adapters,
        )


def wait_for(holds: Any, what: str, patience_s: float = 10.0) -> None:  # noqa: ANN401
    """Wait until `holds()`; fail with `what`."""
    until = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.01)
