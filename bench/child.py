"""A child process that is killed, paused and measured, and that ends with the bench."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from hub.shared.system import rss_mb

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


class Use(Struct, frozen=True):
    """What a process holds and has used."""

    rss_mb: float
    cpu_s: float
    files: int


class Child:
    """A process that ends when the bench ends, however the bench ends."""

    def __init__(
        self, *command: str, log: Path, cwd: Path = ROOT, env: dict[str, str] | None = None
    ) -> None:
        self.log, self.began = log, time.monotonic()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                ("setpriv", "--pdeathsig", "KILL", "--", *command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env={**os.environ, **(env or {})},
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether it runs; raises with the end of its log when it has ended by itself."""
        if self.process.poll() is not None:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            message = f"{self.process.args!r} has ended: {tail}"
            raise RuntimeError(message)
        return True

    def use(self) -> Use:
        """Measure resident memory, processor time and open files."""
        proc = Path(f"/proc/{self.pid}")
        stat = (proc / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        cpu_s = (int(stat[11]) + int(stat[12])) / TICKS
        files = sum(1 for _ in (proc / "fd").iterdir())
        return Use(rss_mb(self.pid), cpu_s, files)

    def send(self, sign: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(sign)

    def kill(self) -> None:
        """End it by SIGKILL, now."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
