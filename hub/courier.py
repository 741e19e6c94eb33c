"""In what order messages leave, how many at a time, and how long an ack may take.

SOS before what is only true now, before faults and telemetry. Each is published only while there
is a link, a few at a time, so that a new SOS never waits behind a backlog: paho's own queue stays
empty. No clock and no I/O here; times are monotonic seconds.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

from hub.core.effects import Lane
from hub.outbox import Row

WINDOW = 16  # within Mosquitto's default receive maximum of 20
BULK_WINDOW = 10  # leaves an SOS a free place always
BULK_STOCK = 64  # bulk rows held in memory; the rest waits on disk
URGENT_ACK_S = 2.0  # PUBACK takes milliseconds; later than this the link is taken for dead
ACK_S = 8.0


class Courier:
    """What waits for the link, and what waits for its PUBACK."""

    def __init__(self) -> None:
        self._sos: OrderedDict[str, Row] = OrderedDict()
        self._live: OrderedDict[str, Row] = OrderedDict()  # by topic: only the latest is true
        self._bulk: deque[Row] = deque()
        self._flying: dict[str, tuple[Row, float]] = {}
        self.link = False
        self.last_bulk = 0  # place of the newest bulk row taken in
        self.backlog = True  # whether the disk may hold bulk rows that are not here
        self._missed = False  # whether one was added while the disk was being read

    def send(self, row: Row) -> None:
        """Take in a message; one that is on its way already is not doubled."""
        if row.lane is Lane.SOS:
            if row.id not in self._flying:
                self._sos[row.id] = row
        elif row.lane is Lane.LIVE:
            self._live.pop(row.topic, None)
            self._live[row.topic] = row
        elif self.backlog or len(self._bulk) >= BULK_STOCK:
            self.backlog = self._missed = True
        else:
            self._stock(row)

    def fetch_after(self) -> int:
        """Give the place after which to read bulk rows from disk for `restock`."""
        self._missed = False
        return self.last_bulk

    def restock(self, rows: Iterable[Row]) -> None:
        """Take in bulk rows from disk, in order; none means that the backlog is gone."""
        self.backlog = self._missed
        for row in rows:
            self.backlog = True
            self._stock(row)

    def hungry(self) -> bool:
        """Tell whether bulk rows should be fetched from disk."""
        return self.link and self.backlog and len(self._bulk) < BULK_STOCK // 2

    def take(self, at: float) -> list[Row]:
        """Give the messages to publish now; they count as flying from `at`."""
        rows: list[Row] = []
        while self.link and (row := self._next()):
            self._flying[row.id] = (row, at)
            rows.append(row)
        return rows

    def acked(self, id_: str) -> Row | None:
        """Take note of a PUBACK; give the row it was for."""
        flown = self._flying.pop(id_, None)
        return flown[0] if flown else None

    def forget(self, id_: str) -> None:
        """The centre has it: do not send it again."""
        self._sos.pop(id_, None)

    def up(self) -> None:
        """Begin with an empty air; what had no ack is read from disk again."""
        self._reset()
        self.link = True

    def down(self) -> None:
        """Stop; SOS stay here, bulk rows are on disk."""
        self._reset()
        self.link = False

    def next_wake(self) -> float | None:
        """Give the time at which the oldest ack is overdue."""
        return min((since + self._patience_s() for _, since in self._flying.values()), default=None)

    def overdue(self, at: float) -> bool:
        """Tell whether an ack is so late that the link must be dead."""
        due = self.next_wake()
        return due is not None and due <= at

    @property
    def urgent(self) -> bool:
        """Whether an SOS waits here or for its PUBACK."""
        return bool(self._sos) or any(row.lane is Lane.SOS for row, _ in self._flying.values())

    def _patience_s(self) -> float:
        return URGENT_ACK_S if self.urgent else ACK_S

    def _stock(self, row: Row) -> None:
        self._bulk.append(row)
        self.last_bulk = row.n

    def _next(self) -> Row | None:
        if len(self._flying) >= WINDOW:
            return None
        if self._sos:
            return self._sos.popitem(last=False)[1]
        if len(self._flying) >= BULK_WINDOW:
            return None
        if self._live:
            return self._live.popitem(last=False)[1]
        return self._bulk.popleft() if self._bulk else None

    def _reset(self) -> None:
        for row, _ in self._flying.values():
            if row.lane is Lane.SOS:
                self._sos[row.id] = row
        self._flying.clear()
        self._live.clear()
        self._bulk.clear()
        self.last_bulk, self.backlog = 0, True
