"""The test's hand inside the virtual Pi: JSON lines over a virtio serial port.

A request is {"id", "op", ...}; its answers carry the same id, the last one "done": true.
Times are the guest's own clocks: `at` monotonic seconds, `utc` seconds since 1970.
"""

import base64
import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

PORT = Path("/dev/virtio-ports/anbu.agent")
BANK = Path("/sys/devices/platform/gpio-sim.0/gpiochip0")
POLL_S = 0.002

Request = dict[str, Any]
Answers = Iterator[dict[str, Any]]


def pull(line: int, way: str) -> None:
    """Pull an input line `up` (the contact is open) or `down` (it is closed to ground)."""
    (BANK / f"sim_gpio{line}" / "pull").write_text(f"pull-{way}")


def level(line: int) -> int:
    """0 or 1: what a voltmeter on this line would say."""
    return int((BANK / f"sim_gpio{line}" / "value").read_text())


def now() -> dict[str, float]:
    """Both clocks, read together."""
    return {"at": time.monotonic(), "utc": time.time()}


def clock(_request: Request) -> Answers:
    """The guest's clocks, for the host to find the offset."""
    yield now()


def run(request: Request) -> Answers:
    """A shell command to its end; stdout and stderr apart, and the exit code."""
    done = subprocess.run(
        ["/bin/bash", "-c", request["command"]],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=request["timeout_s"],
        check=False,
    )
    yield {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def put(request: Request) -> Answers:
    """Write a file whole, with its mode."""
    path = Path(request["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(request["data"]))
    path.chmod(request["mode"])
    yield {}


def press(request: Request) -> Answers:
    """Press a contact `count` times, and say each time when the finger came down.

    One that is closed at rest is opened by the finger.
    """
    there, back = ("up", "down") if request["closed"] else ("down", "up")
    due = time.monotonic()
    for number in range(request["count"]):
        time.sleep(max(0.0, due - time.monotonic()))
        pull(request["line"], there)
        yield {"press": number, **now()}
        time.sleep(request["down_s"])
        pull(request["line"], back)
        due = time.monotonic() + request["gap_s"]


def watch(request: Request) -> Answers:
    """Each change of some lines for a while, seen within about 2 ms; the first answer is all."""
    lines = request["lines"]
    end = time.monotonic() + request["seconds"]
    seen: dict[int, int] = {}
    while True:  # once at least, however late it is
        for line in lines:
            value = level(line)
            if seen.get(line) != value:
                seen[line] = value
                yield {"line": line, "level": value, **now()}
        if time.monotonic() >= end:
            return
        time.sleep(POLL_S)


def follow(request: Request) -> Answers:
    """Each row of a query on a SQLite file, once, when it is first seen there.

    A reader of a WAL file sees a transaction only after its sync, so what is seen was durable.
    """
    seen: set[tuple[Any, ...]] = set()
    end = time.monotonic() + request["seconds"]
    with closing(sqlite3.connect(f"file:{request['path']}?mode=ro", uri=True)) as db:
        while True:  # once at least, however late it is
            for row in db.execute(request["query"]).fetchall():
                if row not in seen:
                    seen.add(row)
                    yield {"row": row, **now()}
            if time.monotonic() >= end:
                return
            time.sleep(POLL_S)


OPS: dict[str, Callable[[Request], Answers]] = {
    "clock": clock, "follow": follow, "press": press, "put": put, "run": run, "watch": watch,
}  # fmt: skip


class Wire:
    """One port, many threads: whole lines only."""

    def __init__(self, port: BinaryIO) -> None:
        self._port = port
        self._lock = threading.Lock()

    def say(self, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        with self._lock:
            while data:
                data = data[self._port.write(data) :]


def serve(wire: Wire, request: Request) -> None:
    """Answer one request; trouble is told, never raised."""
    try:
        for answer in OPS[request["op"]](request):
            wire.say({"id": request["id"], **answer})
        wire.say({"id": request["id"], "done": True})
    except (OSError, KeyError, ValueError, sqlite3.Error, subprocess.SubprocessError) as trouble:
        wire.say({"id": request["id"], "done": True, "trouble": repr(trouble)})


def main() -> None:
    """Serve the port until the power goes."""
    with PORT.open("r+b", buffering=0) as port:
        wire = Wire(port)
        wire.say({"id": 0, "hello": True, **now()})
        rest = b""
        while True:
            chunk = port.read(65536)
            if not chunk:  # the host's end is closed
                time.sleep(0.1)
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                threading.Thread(target=serve, args=(wire, json.loads(line)), daemon=True).start()


if __name__ == "__main__":
    main()
