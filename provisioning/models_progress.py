"""How far a download is, for a person who watches: a line that counts on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from hub.shared.messages import ours, sentence

EVERY_S = 0.2


class Progress:
    """Tells on a stream; where that is no terminal, only that a file begins."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def of(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Tell of one file of `size` bytes; what is given must be told how many there are."""
        self._stream.write(sentence("models", "begins", name=name, mb=f"{size / 1e6:.1f}") + "\n")
        self._stream.flush()
        yield self._counter(size) if self._stream.isatty() else _untold
        if self._stream.isatty():
            self._stream.write("\n")

    def _counter(self, size: int) -> Callable[[int], None]:
        line, last_at = ours("models")["counts"], 0.0

        def told(have: int) -> None:
            nonlocal last_at
            if time.monotonic() - last_at >= EVERY_S or have == size:
                last_at = time.monotonic()
                values = {"pct": f"{100 * have / size:3.0f}", "mb": f"{have / 1e6:.1f}"}
                self._stream.write("\r" + line.format(**values))
                self._stream.flush()

        return told


def _untold(_have: int) -> None:
    """Nobody watches."""
