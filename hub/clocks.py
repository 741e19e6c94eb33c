"""The machine's own clocks, and the events that are read from them."""

import secrets
import time

from hub import health
from hub.core.events import Heartbeat, Started

CHANCE = secrets.SystemRandom().random  # the homes of a town must not draw alike


class SystemClocks:
    """Monotonic, wall and local time."""

    def at(self) -> float:
        """Give monotonic seconds."""
        return time.monotonic()

    def utc(self) -> float:
        """Give seconds since 1970."""
        return time.time()

    def zone_s(self) -> float:
        """Give local time minus UTC in seconds, as the machine is set now."""
        return float(time.localtime().tm_gmtoff)

    def started(self) -> Started:
        """Give the beginning of a process, with a boot id and a chance of its own."""
        boot, synced = secrets.token_hex(6), health.clock_synced()
        return Started(self.at(), self.utc(), synced, boot, self.zone_s(), CHANCE())

    def heartbeat(self) -> Heartbeat:
        """Give a heartbeat of now."""
        return Heartbeat(self.at(), self.utc(), health.clock_synced(), self.zone_s())
