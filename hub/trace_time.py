"""The times of a trace: ISO 8601 with an offset.

`Z` tells a moment and no local time: nights are then those of the hub's zone.
"""

from datetime import datetime

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - by the clock of whatever zone
HUB_ZONE_S = 9 * 3600.0  # as `zone_h` of a hub's config, where that does not say otherwise


class Times:
    """Reads times. Most have the offset of the one before, and are cheaper to read without it.

    `zone_s` is where the home is if its times are UTC, be they written `Z` or `+00:00`. Left out,
    `Z` is in the hub's zone, and `+00:00` in just that.
    """

    def __init__(self, zone_s: float | None = None) -> None:
        self.zone_s = 0.0  # of the last time that was read: local time = UTC + this
        self.utc_zone_s: float | None = None  # that of times in UTC; None: there were none
        self._home_s = zone_s
        self._zone, self._local_epoch = "", EPOCH

    def read(self, time: str) -> float:
        """Give the seconds since 1970; raise ValueError or OverflowError for what is no time."""
        if time[-6:] != self._zone or time[10:11] != "T":
            return self._read(time)
        try:
            return (datetime.fromisoformat(time[:-6]) - self._local_epoch).total_seconds()
        except (ValueError, TypeError):  # TypeError: one more offset before the last
            return self._read(time)

    def _read(self, time: str) -> float:
        moment = datetime.fromisoformat(time)
        offset = moment.utcoffset()
        if offset is None:
            raise ValueError(time)
        self._zone = time[-6:] if time[-6] in "+-" else ""  # so that it tells the whole offset
        self.zone_s, self._local_epoch = offset.total_seconds(), EPOCH + offset
        if not offset:
            otherwise_s = HUB_ZONE_S if time[-1] in "Zz" else 0.0
            self.zone_s = otherwise_s if self._home_s is None else self._home_s
            self.utc_zone_s = self.zone_s
        return moment.timestamp()
