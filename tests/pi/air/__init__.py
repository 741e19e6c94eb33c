"""The air around the virtual Pi: Bumble in an environment and a process of its own."""

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from tests.pi.guestlink import GuestError
from tests.pi.product import builder
from tests.pi.stages import HERE, download, key_of, run, stage

BUMBLE = "bumble==0.0.236"
PATIENCE_S = 180.0  # a bound for what takes a second or two on an idle machine
Told = dict[str, Any]


def _environment(folder: Path) -> None:
    run(builder(), "-m", "venv", folder / "venv")
    download(folder / "venv/bin/python", "-m", "pip", "install", BUMBLE)


class Air:
    """A context: within it a Bluetooth controller stands at the Pi's adapter, `socket`."""

    def __init__(self, socket: Path, log: Path) -> None:
        self._socket, self._log = socket, log
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._asked = 0

    def __enter__(self) -> Self:
        python = stage("bumble", key_of(BUMBLE), _environment) / "venv/bin/python"
        argv = [python, HERE / "air/world.py", self._socket]
        with self._log.open("ab") as log:
            self._world = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.hear("up")
        return self

    def __exit__(self, *_: object) -> None:
        self._world.terminate()
        self._reader.join()  # its end of the pipe ends with the process
        self._world.communicate()

    def do(self, act: str, **more: object) -> None:
        """Have something happen in the air, and wait until it has."""
        self._asked += 1
        assert self._world.stdin
        request = {"id": self._asked, "do": act, **more}
        self._world.stdin.write(json.dumps(request).encode() + b"\n")
        self._world.stdin.flush()
        try:
            while self._done.get(timeout=PATIENCE_S) != self._asked:
                pass
        except queue.Empty:
            message = f"{act}: not done (see {self._log})"
            raise GuestError(message) from None

    def hear(self, event: str, patience_s: float = PATIENCE_S) -> Told:
        """Wait for something that a device of the world tells; what else it told is dropped."""
        try:
            while (told := self._told.get(timeout=patience_s))["event"] != event:
                pass
        except queue.Empty:
            message = f"not heard within {patience_s:.0f} s: {event} (see {self._log})"
            raise GuestError(message) from None
        return told

    def _read(self) -> None:
        assert self._world.stdout
        for line in self._world.stdout:
            told = json.loads(line)
            if told["event"] == "done":
                self._done.put(told["id"])
            else:
                self._told.put(told)
