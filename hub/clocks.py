"""The machine's own clocks, and the events that are read from them."""

import secrets
import time

from hub.core.model.events import Heartbeat, Started
from hub.outbox import snapshot

CHANCE = secrets.SystemRandom().random  # the homes of a town must not draw alike


class SystemClocks:
    """Monotonic and wall time, and how far the home's is ahead of UTC."""

    def __init__(self, zone_s: float) -> None:
        self._zone_s = zone_s
        self._trusted = False

    def synced(self) -> bool:
        """Tell whether the wall clock is right, as far as an hour of the day needs it.

        Once synchronised it stays so for this process: it drifts by seconds a day, while Linux
        takes its word back nine hours after a time server's last answer (16 s at 500 ppm).
        """
        self._trusted = self._trusted or snapshot.clock_synced()
        return self._trusted

    def at(self) -> float:
        """Give monotonic seconds."""
        return time.monotonic()

    def utc(self) -> float:
        """Give seconds since 1970."""
        return time.time()

    def started(self) -> Started:
        """Give the beginning of a process, with a boot id and a chance of its own."""
        boot, synced = secrets.token_hex(6), self.synced()
        return Started(self.at(), self.utc(), synced, boot, self._zone_s, CHANCE())

    def heartbeat(self) -> Heartbeat:
        """Give a heartbeat of now."""
        return Heartbeat(self.at(), self.utc(), self.synced(), self._zone_s)
