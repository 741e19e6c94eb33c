"""The times of a trace: ISO 8601 with an offset."""

from datetime import datetime

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - by the clock of whatever zone


class Times:
    """Reads times. Most have the offset of the one before, and are cheaper to read without it."""

    def __init__(self) -> None:
        self.zone_s = 0.0  # of the last time that was read: local time = UTC + this
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
        return moment.timestamp()
