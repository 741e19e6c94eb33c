"""The queue of messages to send: their order, how many at a time, and how long an ack may take.

SOS first, then live messages (true only now), then faults and telemetry in order. Messages are
published only while there is a link, and a few at a time, so that a new SOS never waits behind a
backlog and paho's own queue stays empty. No clock and no I/O here; times are monotonic seconds.
"""

from collections import OrderedDict
from collections.abc import Iterable

from hub.core.model.effects import Lane
from hub.outbox.store import Row
from hub.shared.backoff import exponential_s

WINDOW = 16  # within Mosquitto's default receive maximum of 20
BULK_WINDOW = 10  # of the window, so that an SOS always finds a free place
BULK_BURST, BULK_EVERY_S = 30, 0.1  # no faster: the centre's queue would delay the next SOS
BULK_STOCK = 64  # bulk rows held in memory; the rest waits on disk
URGENT_ACK_S = 2.0  # a PUBACK takes milliseconds; after 2 s without one the link counts as dead
ACK_S = 8.0
LONGEST_URGENT_ACK_S = 4.0  # with a back-off and a dial still within 6 s of the network's return
STRETCH = 1.5  # more patience after each session ended for a late ack: the broker may be slow


class SendQueue:
    """Messages that wait for the link, and messages sent that wait for their PUBACK."""

    def __init__(self) -> None:
        self._sos: OrderedDict[str, Row] = OrderedDict()
        self._live: OrderedDict[str, Row] = OrderedDict()  # by id: only the latest is true
        self._bulk: OrderedDict[str, Row] = OrderedDict()
        self._sent: dict[str, tuple[Row, float]] = {}  # id -> row and when it was sent; no ack yet
        self.link = False
        self.last_bulk = 0  # place of the newest bulk row taken in
        self.backlog = True  # whether the disk may hold bulk rows that are not here
        self._allowed, self._refill_at = 0, float("-inf")  # bulk rows that may be sent until then
        self._given_up = 0  # sessions ended for a late ack since the last ack came
        self._missed = False  # whether a row was added while the disk was being read
        self._received: set[str] = set()  # SOS that the centre has, though their PUBACK is missing

    def send(self, row: Row) -> None:
        """Add a message; an SOS that was sent already and waits for its ack is not added again."""
        if row.lane is Lane.SOS:
            if row.id not in self._sent:
                self._sos[row.id] = row
        elif row.lane is Lane.LIVE:
            self._live.pop(row.id, None)
            self._live[row.id] = row
        elif self.backlog or len(self._bulk) >= BULK_STOCK:
            self.backlog = self._missed = True
        else:
            self._stock(row)

    def fetch_after(self) -> int:
        """Return the place after which to read bulk rows from disk for `restock`."""
        self._missed = False
        return self.last_bulk

    def restock(self, after: int, rows: Iterable[Row], *, whole: bool = True) -> None:
        """Add bulk rows that were read from after place `after`; no rows: the backlog is gone.

        `whole` is False when the disk could not be read and the rows are only those in memory: then
        the same place is read again. An answer from before the link changed is ignored.
        """
        if after != self.last_bulk:
            return
        known = self._bulk.keys() | self._sent.keys()
        self.backlog = self._missed or not whole
        for row in rows:
            self.backlog = True
            if row.id not in known:
                self._bulk[row.id] = row
            if whole:
                self.last_bulk = row.n

    def hungry(self) -> bool:
        """Whether bulk rows should be fetched from disk."""
        return self.link and self.backlog and len(self._bulk) < BULK_STOCK // 2

    def to_publish(self, at: float) -> list[Row]:
        """Return the messages to publish now; they count as sent at `at`."""
        rows: list[Row] = []
        if at >= self._refill_at:
            self._allowed, self._refill_at = BULK_BURST, at + BULK_EVERY_S
        while self.link and (row := self._next()):
            self._sent[row.id] = (row, at)
            rows.append(row)
        return rows

    def acked(self, id_: str) -> Row | None:
        """Note a PUBACK; return the row that it confirms, None for an unknown id."""
        self._given_up = 0
        self._received.discard(id_)
        sent = self._sent.pop(id_, None)
        return sent[0] if sent else None

    def forget(self, id_: str) -> None:
        """Note that the centre has an SOS: it is not sent again."""
        self._sos.pop(id_, None)
        if id_ in self._sent:
            self._received.add(id_)

    def up(self) -> None:
        """Begin a session in which nothing is sent yet; bulk rows are read from disk again."""
        self._reset()
        self.link = True

    def down(self, *, late: bool = False) -> None:
        """End the session; SOS stay here, bulk rows are on disk. `late`: it ended by a late ack."""
        self._given_up += late
        self._reset()
        self.link = False

    def pause_s(self, at: float) -> float | None:
        """Return for how many seconds bulk rows must wait; None when none is held back."""
        held = self.link and self._bulk and not self._allowed
        return max(0.0, self._refill_at - at) if held else None

    def next_wake(self) -> float | None:
        """Return the time at which the oldest ack is overdue, None where none is awaited."""
        return min((since + self._patience_s() for _, since in self._sent.values()), default=None)

    def overdue(self, at: float) -> bool:
        """Whether an ack is so late that the link must be dead."""
        due = self.next_wake()
        return due is not None and due <= at

    @property
    def urgent(self) -> bool:
        """Whether an SOS waits here or for its PUBACK."""
        return bool(self._sos) or any(row.lane is Lane.SOS for row, _ in self._sent.values())

    def _patience_s(self) -> float:
        if not self.urgent:
            return ACK_S
        return exponential_s(
            self._given_up + 1,
            first_s=URGENT_ACK_S,
            longest_s=LONGEST_URGENT_ACK_S,
            factor=STRETCH,
        )

    def _stock(self, row: Row) -> None:
        self._bulk[row.id] = row
        self.last_bulk = row.n

    def _next(self) -> Row | None:
        if len(self._sent) >= WINDOW:
            return None
        if self._sos:
            return self._sos.popitem(last=False)[1]
        if len(self._sent) >= BULK_WINDOW:
            return None
        if self._live:
            return self._live.popitem(last=False)[1]
        if not self._bulk or not self._allowed:
            return None
        self._allowed -= 1
        return self._bulk.popitem(last=False)[1]

    def _reset(self) -> None:
        sent = [row for row, _ in self._sent.values() if row.lane is Lane.SOS]
        unconfirmed = [row for row in sent if row.id not in self._received]
        waiting = sorted([*unconfirmed, *self._sos.values()], key=lambda row: row.n)
        self._sos = OrderedDict((row.id, row) for row in waiting)
        self._sent.clear()
        self._received.clear()
        self._live.clear()
        self._bulk.clear()
        self.last_bulk, self.backlog = 0, True
