"""Measurements with a time: how old they are, and in which order they are told.

A cuff sends what it has stored when somebody connects, mostly oldest first. What arrives together
is told oldest first, and only what was surely taken just now is `fresh`. A clock that was never set
(year 0, 2000), or that runs ahead, proves nothing. Without any clock only what was measured while
we were listening is fresh: the stored ones come at once after the subscription.
"""

import asyncio
from datetime import datetime

from msgspec import structs

from drivers.bluetooth.frames.octets import Clock, Stamp
from drivers.bluetooth.wearables.service import Around
from hub.contract.radio import Reading

FRESH_S = 600.0  # somebody measures, sits a while, and then walks into range
AHEAD_S = 120.0  # two clocks that nobody set to the second
PAUSE_S = 2.0  # what comes within this time of the last record came together
LIVE_S = 10.0  # this long after the last of the stored ones, a record without a time is new
MOST = 256  # records that wait for the last of them to come, or for their turn
AT_ONCE, PACE_S = 16, 1.0  # told together, and how long until the next: the hub's link has a bound
REMEMBERED = 128  # records that a device tells again at each connect are told to the hub once


class Records:
    """Collects what a device sends together, and tells it in order and once."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._told: dict[tuple[object, ...], None] = {}
        self._waiting: list[tuple[float, Reading]] = []  # since when
        self._last_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Note that from now on the device may send."""
        self._last_at = self._around.at()

    def take(self, reading: Reading, stamp: Stamp, *, stored: bool = False) -> None:
        """Keep a reading until no more come; one without a value is none.

        `stored`: the device says that it comes from its memory.
        """
        at = self._around.at()
        live = stamp.clock is Clock.ABSENT and not stored and at >= self._last_at + LIVE_S
        self._last_at = at
        if not reading.values:
            return
        taken_utc, now = _utc(stamp), self._around.utc()
        if taken_utc and now and taken_utc > now + AHEAD_S:
            taken_utc = None  # it cannot have been then
        known = taken_utc is not None and now is not None and now - taken_utc <= FRESH_S
        reading = structs.replace(reading, fresh=live or known, taken_utc=taken_utc)
        if self._is_new(reading, stamp.at):
            self._waiting = [*self._waiting[-MOST:], (at, reading)]
            self._restart(PAUSE_S)

    def flush(self) -> None:
        """Tell what waits, some now and the rest soon: first of unknown age, then the oldest."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = self._around.at()
        waiting = sorted(self._waiting, key=lambda each: each[1].taken_utc or 0.0)
        self._waiting = waiting[AT_ONCE:]
        for since, reading in waiting[:AT_ONCE]:
            self._around.tell(structs.replace(reading, ago_s=now - since))
        if self._waiting:
            self._restart(PACE_S)

    def _is_new(self, reading: Reading, taken: datetime | None) -> bool:
        if taken is None:
            return True
        key = (taken, tuple(sorted(reading.values.items())))
        if key in self._told:
            self._around.refuse("repeat")
            return False
        self._told[key] = None
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return True

    def _restart(self, pause_s: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(pause_s, self.flush)


def _utc(stamp: Stamp) -> float | None:
    """Return a device's local time as UTC seconds; None: its clock was never set."""
    if stamp.at is None or stamp.clock is not Clock.SET:
        return None
    return stamp.at.astimezone().timestamp()
