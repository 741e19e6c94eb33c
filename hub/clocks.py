"""The machine's own clocks, and the events that are read from them."""

import secrets
import time

from hub import health
from hub.core.events import Heartbeat, Started

CHANCE = secrets.SystemRandom().random  # the homes of a town must not draw alike


class SystemClocks:
    """Monotonic and wall time, and how far the home's is ahead of UTC."""

    def __init__(self, zone_s: float) -> None:
        self._zone_s = zone_s

    def at(self) -> float:
        """Give monotonic seconds."""
        return time.monotonic()

    def utc(self) -> float:
        """Give seconds since 1970."""
        return time.time()

    def started(self) -> Started:
        """Give the beginning of a process, with a boot id and a chance of its own."""
        boot, synced = secrets.token_hex(6), health.clock_synced()
        return Started(self.at(), self.utc(), synced, boot, self._zone_s, CHANCE())

    def heartbeat(self) -> Heartbeat:
        """Give a heartbeat of now."""
        return Heartbeat(self.at(), self.utc(), health.clock_synced(), self._zone_s)
