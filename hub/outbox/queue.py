"""In what order messages leave, how many at a time, and how long an ack may take.

SOS before what is only true now, before faults and telemetry. Each is published only while there
is a link, a few at a time, so that a new SOS never waits behind a backlog: paho's own queue stays
empty. No clock and no I/O here; times are monotonic seconds.
"""

from collections import OrderedDict
from collections.abc import Iterable

from hub.core.model.effects import Lane
from hub.outbox.store import Row
from hub.shared.backoff import exponential_s

WINDOW = 16  # within Mosquitto's default receive maximum of 20
BULK_WINDOW = 10  # leaves an SOS a free place always
BULK_BURST, BULK_EVERY_S = 30, 0.1  # no faster: the centre's queue would hold up the next SOS
BULK_STOCK = 64  # bulk rows held in memory; the rest waits on disk
URGENT_ACK_S = 2.0  # PUBACK takes milliseconds; later than this the link is taken for dead
ACK_S = 8.0
LONGEST_URGENT_ACK_S = 4.0  # with a back-off and a dial still within 6 s of the network's return
STRETCH = 1.5  # a broker that is slow, not dead, gets longer after each session given up in vain


class Courier:
    """What waits for the link, and what waits for its PUBACK."""

    def __init__(self) -> None:
        self._sos: OrderedDict[str, Row] = OrderedDict()
        self._live: OrderedDict[str, Row] = OrderedDict()  # by id: only the latest is true
        self._bulk: OrderedDict[str, Row] = OrderedDict()
        self._flying: dict[str, tuple[Row, float]] = {}
        self.link = False
        self.last_bulk = 0  # place of the newest bulk row taken in
        self.backlog = True  # whether the disk may hold bulk rows that are not here
        self._allowed, self._refill_at = 0, float("-inf")  # bulk that may leave until then
        self._given_up = 0  # sessions ended for a late ack since the last ack came
        self._missed = False  # whether one was added while the disk was being read
        self._told: set[str] = set()  # SOS that the centre has, though their PUBACK is still out

    def send(self, row: Row) -> None:
        """Take in a message; one that is on its way already is not doubled."""
        if row.lane is Lane.SOS:
            if row.id not in self._flying:
                self._sos[row.id] = row
        elif row.lane is Lane.LIVE:
            self._live.pop(row.id, None)
            self._live[row.id] = row
        elif self.backlog or len(self._bulk) >= BULK_STOCK:
            self.backlog = self._missed = True
        else:
            self._stock(row)

    def fetch_after(self) -> int:
        """Give the place after which to read bulk rows from disk for `restock`."""
        self._missed = False
        return self.last_bulk

    def restock(self, after: int, rows: Iterable[Row], *, whole: bool = True) -> None:
        """Take in bulk rows from after place `after`; none means that the backlog is gone.

        Where the disk could not be read they are not the `whole`: those are asked for again. What
        was asked for before the link changed has no say any more.
        """
        if after != self.last_bulk:
            return
        known = self._bulk.keys() | self._flying.keys()
        self.backlog = self._missed or not whole
        for row in rows:
            self.backlog = True
            if row.id not in known:
                self._bulk[row.id] = row
            if whole:
                self.last_bulk = row.n

    def hungry(self) -> bool:
        """Tell whether bulk rows should be fetched from disk."""
        return self.link and self.backlog and len(self._bulk) < BULK_STOCK // 2

    def take(self, at: float) -> list[Row]:
        """Give the messages to publish now; they count as flying from `at`."""
        rows: list[Row] = []
        if at >= self._refill_at:
            self._allowed, self._refill_at = BULK_BURST, at + BULK_EVERY_S
        while self.link and (row := self._next()):
            self._flying[row.id] = (row, at)
            rows.append(row)
        return rows

    def acked(self, id_: str) -> Row | None:
        """Take note of a PUBACK; give the row it was for."""
        self._given_up = 0
        self._told.discard(id_)
        flown = self._flying.pop(id_, None)
        return flown[0] if flown else None

    def forget(self, id_: str) -> None:
        """The centre has it: do not send it again."""
        self._sos.pop(id_, None)
        if id_ in self._flying:
            self._told.add(id_)

    def up(self) -> None:
        """Begin with an empty air; what had no ack is read from disk again."""
        self._reset()
        self.link = True

    def down(self, *, late: bool = False) -> None:
        """Stop; SOS stay here, bulk rows are on disk. `late`: it was given up for a late ack."""
        self._given_up += late
        self._reset()
        self.link = False

    def pause_s(self, at: float) -> float | None:
        """Give for how long bulk must wait; None where none waits for this."""
        held = self.link and self._bulk and not self._allowed
        return max(0.0, self._refill_at - at) if held else None

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
        if len(self._flying) >= WINDOW:
            return None
        if self._sos:
            return self._sos.popitem(last=False)[1]
        if len(self._flying) >= BULK_WINDOW:
            return None
        if self._live:
            return self._live.popitem(last=False)[1]
        if not self._bulk or not self._allowed:
            return None
        self._allowed -= 1
        return self._bulk.popitem(last=False)[1]

    def _reset(self) -> None:
        flown = [row for row, _ in self._flying.values() if row.lane is Lane.SOS]
        flown = [row for row in flown if row.id not in self._told]
        waiting = sorted([*flown, *self._sos.values()], key=lambda row: row.n)
        self._sos = OrderedDict((row.id, row) for row in waiting)
        self._flying.clear()
        self._told.clear()
        self._live.clear()
        self._bulk.clear()
        self.last_bulk, self.backlog = 0, True
