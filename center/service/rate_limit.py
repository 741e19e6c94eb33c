"""What one hub may put upon the store, so that none can hold up another's call.

A token bucket for each hub, one for its calls and one for all else. What comes faster waits here,
in memory, and is taken in at the bucket's pace; the broker is told at once that it has come, for
else 64 messages of a flood would stop all others at the broker. No `received` is said of a call
that waits, so its hub owes it still: a centre that dies, or refuses the call because too many wait,
is told again. Calls wait by alarm, in turn: a new alarm does not stand behind repeats of another.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

Paces = tuple[tuple[float, float], ...]  # of each bucket in turn: its size, and how many a second

CALLS: Paces = ((100.0, 20.0), (2_000.0, 1.0))  # for minutes ten times what a finger can do
REST: Paces = ((300.0, 50.0), (6_000.0, 5.0))  # a backlog of 2,000 readings comes in within 40 s
EVERY_S = 0.05
CALLS_BYTES = 1_000_000  # that may wait, of one hub
REST_BYTES = 4_000_000
ALL_BYTES = 64_000_000  # of all hubs together
SWEEP_S = 60.0

log = logging.getLogger(__name__)


class Passed(StrEnum):
    """What became of a message."""

    NOW = "now"
    LATER = "later"
    REFUSED = "refused"


class Offered(Struct):
    """A message: whose, of which alarm (None: no call), how long, and what takes it in."""

    hub: str
    alarm: str | None
    size: int
    pass_on: Callable[[], object]


class _Bucket:
    """Tokens of one hub's calls, or of all else of it, and what waits for them, by alarm."""

    def __init__(self, paces: Paces, most: int, now: float) -> None:
        self.paces, self.most, self.at = paces, most, now
        self.tokens = [size for size, _ in paces]
        self.waiting: dict[str, deque[Offered]] = {}
        self.count = self.size = 0

    def refill(self, now: float) -> None:
        """Add what has come since."""
        past_s, self.at = now - self.at, now
        held = zip(self.tokens, self.paces, strict=True)
        self.tokens = [min(size, n + past_s * rate_hz) for n, (size, rate_hz) in held]

    def spend(self) -> bool:
        """Take a token of each, where there is one."""
        if min(self.tokens) < 1.0:
            return False
        self.tokens = [n - 1.0 for n in self.tokens]
        return True

    def is_full(self, now: float) -> bool:
        """Tell whether it says no more than a new one would."""
        self.refill(now)
        return not self.waiting and self.tokens == [size for size, _ in self.paces]

    def add(self, offered: Offered) -> None:
        """Let it wait behind those of its alarm."""
        self.waiting.setdefault(offered.alarm or "", deque()).append(offered)
        self.count += 1
        self.size += offered.size

    def longest(self) -> deque[Offered]:
        """Give the alarm of which most waits, nothing where one of each does."""
        if self.count == len(self.waiting):
            return deque()
        return max(self.waiting.values(), key=len)

    def drop(self, queue: deque[Offered]) -> int:
        """Give the newest of a queue up; give its size."""
        offered = queue.pop()
        if not queue:
            del self.waiting[offered.alarm or ""]
        self.count -= 1
        self.size -= offered.size
        return offered.size

    def due(self) -> list[Offered]:
        """Give what the tokens allow, one of each alarm in turn."""
        taken = []
        while self.waiting and self.spend():
            alarm = next(iter(self.waiting))
            queue = self.waiting.pop(alarm)
            offered = queue.popleft()
            if queue:
                self.waiting[alarm] = queue
            self.count -= 1
            self.size -= offered.size
            taken.append(offered)
        return taken


class RateLimit:
    """Any thread may offer. What waits is taken in by a thread of its own, there only for that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, bool], _Bucket] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._drain: threading.Thread | None = None
        self._swept = clock()

    def offer(self, offered: Offered) -> Passed:
        """Take a message in, let it wait, or refuse it."""
        with self._lock:
            now = self._clock()
            bucket = self._bucket(offered, now)
            bucket.refill(now)
            free = not bucket.waiting and bucket.spend()
            passed = Passed.NOW if free else self._wait(bucket, offered)
        if passed is Passed.NOW:
            offered.pass_on()
        return passed

    def waiting(self) -> int:
        """Count what waits."""
        with self._lock:
            return sum(bucket.count for bucket in self._buckets.values())

    def close(self) -> int:
        """Take in nothing more; give how much still waited. The hubs owe the calls among it."""
        self._closed.set()
        with self._lock:
            drain = self._drain
        if drain:
            drain.join()
        return self.waiting()

    def _bucket(self, offered: Offered, now: float) -> _Bucket:
        key = offered.hub, offered.alarm is not None
        if key not in self._buckets:
            self._sweep(now)
            rest = offered.alarm is None
            paces, most = (REST, REST_BYTES) if rest else (CALLS, CALLS_BYTES)
            self._buckets[key] = _Bucket(paces, most, now)
        return self._buckets[key]

    def _sweep(self, now: float) -> None:
        if now - self._swept < SWEEP_S:
            return
        self._swept = now
        for key in [key for key, bucket in self._buckets.items() if bucket.is_full(now)]:
            del self._buckets[key]

    def _wait(self, bucket: _Bucket, offered: Offered) -> Passed:
        """Let it wait. Where there is no room, a repeat of the longest alarm makes some."""
        passed = Passed.LATER
        if bucket.size + offered.size > bucket.most or self._size + offered.size > ALL_BYTES:
            longest = bucket.longest()
            own = bucket.waiting.get(offered.alarm or "", ())
            if len(longest) <= len(own) + 1 or longest[-1].size < offered.size:
                return Passed.REFUSED
            self._size -= bucket.drop(longest)
            passed = Passed.REFUSED  # that one, in the place of this
        bucket.add(offered)
        self._size += offered.size
        if self._drain is None or not self._drain.is_alive():
            self._drain = threading.Thread(target=self._run, name="anbu-rate-limit", daemon=True)
            self._drain.start()
        return passed

    def _run(self) -> None:
        while not self._closed.wait(EVERY_S):
            due, more = self._due()
            for offered in due:
                _pass_on(offered)
            if not more:
                return

    def _due(self) -> tuple[list[Offered], bool]:
        """Give what may be taken in now; whether more waits, else this thread ends."""
        with self._lock:
            now, due, more = self._clock(), list[Offered](), False
            for bucket in self._buckets.values():
                if bucket.waiting:
                    bucket.refill(now)
                    due += bucket.due()
                    more = more or bool(bucket.waiting)
            self._size -= sum(offered.size for offered in due)
            if not more:
                self._drain = None
            return due, more


def _pass_on(offered: Offered) -> None:
    try:
        offered.pass_on()
    except (
        Exception
    ):  # whatever it is: of one message, and all hubs' wait behind it; a call is owed
        log.exception("a message of %s that had waited was not taken in", offered.hub)
