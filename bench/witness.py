"""A real hub that writes to a file, at once, what was committed and decided.

    python -m bench.witness FILE hub --config hub.toml --virtual

A `Committed` line is written by the outbox's own thread as soon as `Outbox.commit` has returned,
so it does not depend on what is sent; then one line per event that was decided. Each is one
write(2) into the page cache (about 5 us), which no SIGKILL takes back.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest.mock import patch

import msgspec
from msgspec import Struct

from hub import __main__, app
from hub.core.model.effects import Effect, Lane
from hub.core.model.events import Event
from hub.outbox import repair
from hub.outbox.store import Outbox, Row


class Committed(Struct, frozen=True, tag=True):
    """A commit has returned at monotonic `at`; `ids` are the SOS events that it put."""

    at: float
    ids: tuple[str, ...]


Line = Committed | Event
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Witness:
    """Reads such a file while it grows, one hub after another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._file = path.open("rb")
        self._rest = b""
        self._unread: deque[Line] = deque()

    def news(self) -> Iterator[Line]:
        """Yield new lines; those that are not consumed are yielded by the next call."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        self._unread.extend(_decoder.decode(line) for line in lines)
        while self._unread:
            yield self._unread.popleft()

    def forget(self) -> None:
        """Skip all that has come so far."""
        list(self.news())

    def until(self, *wanted: type[Line], patience_s: float = 30.0) -> Iterator[Line]:
        """Yield lines as they come, up to the first of a `wanted` kind."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            for line in self.news():
                yield line
                if isinstance(line, wanted):
                    return
            time.sleep(0.002)
        message = f"no {wanted} within {patience_s} s"
        raise TimeoutError(message)


def main(file: str, *words: str) -> int:
    """Run the hub's own command line with a witness."""
    fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    record = app.Hub.record

    def tell(line: Line) -> None:
        os.write(fd, msgspec.json.encode(line) + b"\n")

    class Witnessed(Outbox):
        def commit(self, snapshot: bytes | None, put: Iterable[Row], forget: Iterable[str]) -> None:
            rows = list(put)
            super().commit(snapshot, rows, forget)
            tell(Committed(time.monotonic(), tuple(r.id for r in rows if r.lane is Lane.SOS)))

    def recorded(hub: app.Hub, event: Event, effects: list[Effect]) -> None:
        tell(event)
        record(hub, event, effects)

    with patch.object(repair, "Outbox", Witnessed), patch.object(app.Hub, "record", recorded):
        return __main__.main(words)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
