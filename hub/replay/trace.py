"""A trace: what the sensors of a home reported, as CSV with the columns `time,device,kind,value`.

UTF-8 with or without a byte order mark, lines ended by LF or CRLF. Times are ISO 8601 with an
offset, in order. A wrong row is an error with its line, or is skipped and counted; a trace with
many rows out of order is always refused (docs/traces.md).
"""

import csv
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.forms import composed
from hub.core.model.rules import Button, Role, Room, Rules, Sense, Sensor

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time of any zone
HUB_ZONE_S = 9 * 3600.0  # the default of `zone_h` in a hub's config
COLUMNS = ["time", "device", "kind", "value"]
LONGEST_NAME = 80
FASTEST_BPM = 400.0
SURROGATES = range(0xDC80, 0xDD00)  # bytes that are no UTF-8, as `surrogateescape` reads them
EARLIEST_UTC = 946_684_800.0  # 2000: before it no home had such sensors, and a clock was not set
LONGEST_GAP_S = 366 * 86_400.0  # between two rows: one of them has the year wrong
FEW_LOST, MOST_LOST = 2, 0.05  # rows out of order, and their share, that are skipped at most
LEVELS = {"0": 0.0, "1": 1.0}


class Sort(StrEnum):
    """What a row is about: the column `kind`."""

    MOTION = "motion"
    CONTACT = "contact"
    EXIT_DOOR = "exit_door"
    PRESS = "press"
    HEART_RATE = "heart_rate"
    ANSWER = "answer"


SORTS = {str(sort): sort for sort in Sort}
HEART_RATE = Sort.HEART_RATE  # looking up an enum's member is slow in Python 3.11


class Row(Struct, frozen=True, gc=False):
    """One row: `utc` in seconds since 1970, local time = UTC + `zone_s`."""

    utc: float
    zone_s: float
    device: str
    sort: Sort
    value: float


class Reason(StrEnum):
    """Why a row is wrong; a key into the message files."""

    HEADER = "header"
    EMPTY = "empty"
    ENCODING = "encoding"
    CSV = "csv"
    COLUMNS = "columns"
    TIME = "time"
    NO_OFFSET = "no_offset"
    DEVICE = "device"
    KIND = "kind"
    OTHER_KIND = "other_kind"
    VALUE = "value"
    UNORDERED = "unordered"
    DUPLICATE = "duplicate"
    FUTURE = "future"
    PAST = "past"
    GAP = "gap"
    UNSORTED = "unsorted"


OUT_OF_ORDER = (Reason.UNORDERED, Reason.GAP)


class TraceError(Exception):
    """A line that is not a row of a trace; `line` counts from 1."""

    def __init__(self, line: int, reason: Reason, detail: str = "") -> None:
        super().__init__(line, reason, detail)
        self.line, self.reason, self.detail = line, reason, detail


SENSES = {
    Sort.MOTION: Sense.MOTION,
    Sort.CONTACT: Sense.DOOR,
    Sort.EXIT_DOOR: Sense.EXIT_DOOR,
    Sort.HEART_RATE: Sense.WEARABLE,
}
ROOMS = {  # parts of device names: Korean, English, and those of the public Dutch homes
    Room.BATHROOM: ("bath", "toilet", "shower", "wc", "badkamer", "욕실", "화장실", "샤워"),
    Room.BEDROOM: ("bed", "slaapkamer", "침실", "침대", "안방"),
}
GREEN, INFO = ("cancel", "green", "취소", "초록"), ("info", "안내")


class Trace:
    """An open trace: iterate over it once, then read `rows` and what was `skipped`.

    `zone_s` is the home's zone, for times in UTC.
    """

    def __init__(
        self,
        file: TextIO,
        *,
        now_utc: float,
        lenient: bool = False,
        zone_s: float | None = None,
    ) -> None:
        self.rows = 0
        self.skipped = Counter[Reason]()
        self._lines = csv.reader(file)
        self._now_utc, self._lenient = now_utc, lenient
        self._kinds: dict[str, str] = {}  # device -> its kind, as written
        self._times = Times(zone_s)

    @property
    def utc_zone_s(self) -> float | None:
        """The zone that was assumed for times in UTC; None: there were none."""
        return self._times.utc_zone_s

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in order; raise `TraceError`: if lenient, only for the whole trace."""
        self._header()
        last_utc = -math.inf
        instant = set[tuple[str, float]]()  # the rows of that time
        for fields in self._fields():
            try:
                row = self._row(fields)
                if row.utc > last_utc:
                    if row.utc > last_utc + LONGEST_GAP_S and self.rows:
                        raise self._error(Reason.GAP, fields[0])
                    last_utc, instant = row.utc, {(row.device, row.value)}
                elif row.utc < last_utc:
                    raise self._error(Reason.UNORDERED, fields[0])
                elif (row.device, row.value) in instant:
                    raise self._error(Reason.DUPLICATE, fields[0])
                else:
                    instant.add((row.device, row.value))
            except TraceError as error:
                self._skip(error)
                continue
            self.rows += 1
            yield row
        self._refuse_unsorted()
        if not self.rows:
            raise self._error(Reason.EMPTY)

    def _header(self) -> None:
        try:
            header = next(self._lines, [])
        except csv.Error as error:
            raise self._error(Reason.HEADER) from error
        if header != COLUMNS:
            raise self._error(Reason.ENCODING if _is_foreign(header) else Reason.HEADER)

    def _fields(self) -> Iterator[list[str]]:
        while True:
            try:
                yield from filter(None, self._lines)  # no empty lines
            except csv.Error as error:
                self._skip(self._error(Reason.CSV, str(error)))
            else:
                return

    def _row(self, fields: list[str]) -> Row:
        try:
            time, device, kind, value = fields
            utc = self._times.read(time)
            number = LEVELS[value] if value in LEVELS else float(value)
        except (ValueError, OverflowError) as error:
            raise self._why(fields) from error
        device = device if device.isascii() else composed(device)
        if self._kinds.get(device) != kind:
            self._add_device(fields, device, kind)
        sort = SORTS[kind]
        if not 0 <= number <= (FASTEST_BPM if sort is HEART_RATE else 1e9):
            raise self._error(Reason.VALUE, value)
        if not 0 <= utc <= self._now_utc:
            raise self._error(Reason.FUTURE if utc > 0 else Reason.TIME, time)
        if utc < EARLIEST_UTC:
            raise self._error(Reason.PAST, time)
        return Row(utc, self._times.zone_s, device, sort, number)

    def _add_device(self, fields: list[str], device: str, kind: str) -> None:
        """Remember a new device; raise `TraceError` for a name or kind that cannot be."""
        if _is_foreign(fields):
            raise self._error(Reason.ENCODING)
        if kind not in SORTS:
            raise self._error(Reason.KIND, kind)
        if device in self._kinds:
            raise self._error(Reason.OTHER_KIND, device)
        if not 0 < len(device.strip()) <= LONGEST_NAME or not device.isprintable():
            raise self._error(Reason.DEVICE, device)
        self._kinds[device] = kind

    def _why(self, fields: list[str]) -> TraceError:
        """Return the error for what could not be read in `fields`."""
        if _is_foreign(fields):
            return self._error(Reason.ENCODING)
        if len(fields) != len(COLUMNS):
            return self._error(Reason.COLUMNS, str(len(fields)))
        with suppress(ValueError, OverflowError):
            if datetime.fromisoformat(fields[0]).utcoffset() is None:
                return self._error(Reason.NO_OFFSET, fields[0])
            Times().read(fields[0])
            return self._error(Reason.VALUE, fields[3])
        return self._error(Reason.TIME, fields[0])

    def _error(self, reason: Reason, detail: str = "") -> TraceError:
        return TraceError(max(self._lines.line_num, 1), reason, _printable(detail))

    def _skip(self, error: TraceError) -> None:
        if not self._lenient:
            raise error
        self.skipped[error.reason] += 1
        if error.reason in OUT_OF_ORDER and self.skipped[error.reason] % 1000 == 0:
            self._refuse_unsorted()  # now, not only at the end of a long trace

    def _refuse_unsorted(self) -> None:
        lost = sum(self.skipped[reason] for reason in OUT_OF_ORDER)
        if lost > FEW_LOST and lost > MOST_LOST * (self.rows + lost):
            raise self._error(Reason.UNSORTED, f"{lost:,} / {self.rows + lost:,}")


class Times:
    """Reads times. Most have the offset of the time before; without it they are read faster.

    `zone_s` is the home's zone if its times are UTC, written as `Z` or `+00:00`. Without it, `Z`
    means the hub's usual zone, and `+00:00` means UTC.
    """

    def __init__(self, zone_s: float | None = None) -> None:
        self.zone_s = 0.0  # of the last time that was read: local time = UTC + this
        self.utc_zone_s: float | None = None  # assumed for times in UTC; None: there were none
        self._home_s = zone_s
        self._zone, self._local_epoch = "", EPOCH

    def read(self, time: str) -> float:
        """Return seconds since 1970; raise ValueError or OverflowError for anything else."""
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
        self._zone = time[-6:] if time[-6] in "+-" else ""  # only where these are the whole offset
        self.zone_s, self._local_epoch = offset.total_seconds(), EPOCH + offset
        if not offset:
            otherwise_s = HUB_ZONE_S if time[-1] in "Zz" else 0.0
            self.zone_s = otherwise_s if self._home_s is None else self._home_s
            self.utc_zone_s = self.zone_s
        return moment.timestamp()


def opened(path: Path) -> TextIO:
    """Open the file of a trace; bytes that are not UTF-8 are found when their row is read."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def with_device(rules: Rules, device: str, sort: Sort) -> Rules:
    """Return the rules with a device that has just reported for the first time."""
    if sort in SENSES:
        sensor = Sensor(SENSES[sort], device, room_of(device))
        return replace(rules, sensors={**rules.sensors, device: sensor})
    if sort is not Sort.PRESS or device in rules.buttons or _names(device, INFO):
        return rules
    role = Role.CANCEL_BUTTON if _names(device, GREEN) else Role.HELP_BUTTON
    return replace(rules, buttons={**rules.buttons, device: Button(role, device)})


def room_of(device: str) -> Room:
    """Guess a room from a device's name."""
    return next((room for room, parts in ROOMS.items() if _names(device, parts)), Room.OTHER)


def _names(device: str, parts: tuple[str, ...]) -> bool:
    name = composed(device).casefold()
    return any(part in name for part in parts)


def _printable(text: str) -> str:
    """Return a detail that can be printed: short, without control characters and lone bytes."""
    return "".join(c if c.isprintable() else "?" for c in text[:40])


def _is_foreign(fields: list[str]) -> bool:
    return any(ord(c) in SURROGATES for field in fields for c in field)
