"""How long a call into a C library has not come back: PortAudio may hang for ever on an unplug."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Patience:
    """Measures the call under way; asked from another thread."""

    def __init__(self) -> None:
        self._since: float | None = None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count what happens inside as one call."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def tried_s(self) -> float:
        """Give the seconds since the call under way began; 0 when there is none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since
