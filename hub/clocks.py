"""The machine's clocks, and the events that are made from them."""

import secrets
import time

from hub.core.model.events import Heartbeat, Started
from hub.shared.system import clock_synced

CHANCE = secrets.SystemRandom().random  # a number that no other hub of the town draws as well


class SystemClocks:
    """Monotonic and wall time, and how far the home's is ahead of UTC."""

    def __init__(self, zone_s: float) -> None:
        self._zone_s = zone_s
        self._trusted = False
        self._center_s: float | None = None  # the centre's time less the monotonic one

    def synced(self) -> bool:
        """Whether the wall clock is right enough to tell the hour of the day.

        Once synchronised it counts as such for this process: it drifts by seconds a day, while
        Linux stops saying so nine hours after a time server's last answer (16 s at 500 ppm).
        """
        self._trusted = self._trusted or clock_synced()
        return self._trusted

    def at(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def utc(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def compare(self, ahead_s: float) -> None:
        """Note by how many seconds this wall clock is ahead of the centre's."""
        self._center_s = self.utc() - ahead_s - self.at()

    def center_utc(self) -> float | None:
        """Return the centre's time, whatever was done to the wall clock since; None: not known."""
        return None if self._center_s is None else self._center_s + self.at()

    def started(self) -> Started:
        """Return the event of a starting process, with a boot id and a random number of its own."""
        boot, synced = secrets.token_hex(6), self.synced()
        return Started(self.at(), self.utc(), synced, boot, self._zone_s, CHANCE())

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat with the present times."""
        return Heartbeat(self.at(), self.utc(), self.synced(), self._zone_s)
