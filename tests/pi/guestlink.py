"""The host's end of the wire to the agent in the guest: requests out, streams of answers back."""

import contextlib
import itertools
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
HELLO = 0


class GuestError(Exception):
    """The guest failed: a command failed, the agent is silent, or the power is off."""


def wait_until(
    true: Callable[[], object], timeout_s: float, what: str, every_s: float = 0.1
) -> None:
    """Look every `every_s` until a condition holds; `GuestError` names it after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > end:
            message = f"not within {timeout_s:.0f} s: {what}"
            raise GuestError(message)
        time.sleep(every_s)


class GuestLink:
    """One socket to the agent. Several threads may ask at once."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._ids = itertools.count(1)
        self._boxes: dict[int, queue.SimpleQueue[Answer]] = {HELLO: queue.SimpleQueue()}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._socket.makefile("rb") as lines:
            for line in lines:
                answer = json.loads(line)
                if box := self._boxes.get(answer["id"]):
                    box.put(answer)
        for box in list(self._boxes.values()):
            box.put({"done": True, "trouble": "the wire to the guest is closed"})

    def hello(self, timeout_s: float) -> Answer:
        """The agent's first word after a start, with the guest's clocks."""
        return self._next(HELLO, timeout_s)

    def _next(self, number: int, timeout_s: float) -> Answer:
        try:
            answer = self._boxes[number].get(timeout=timeout_s)
        except queue.Empty:
            message = f"the guest said nothing for {timeout_s:.0f} s"
            raise GuestError(message) from None
        if "trouble" in answer:
            raise GuestError(answer["trouble"])
        return answer

    def ask(self, op: str, patience_s: float = 60.0, **fields: object) -> Iterator[Answer]:
        """Send a request now; iterate over its answers, each within `patience_s` of the last."""
        number = next(self._ids)
        self._boxes[number] = queue.SimpleQueue()
        try:
            self._socket.sendall(json.dumps({"id": number, "op": op, **fields}).encode() + b"\n")
        except OSError as trouble:
            raise GuestError(str(trouble)) from None
        return self._answers(number, patience_s)

    def _answers(self, number: int, patience_s: float) -> Iterator[Answer]:
        try:
            while not (answer := self._next(number, patience_s)).get("done"):
                yield answer
        finally:
            del self._boxes[number]

    def close(self) -> None:
        """Close the connection to the guest."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
