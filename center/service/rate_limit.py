"""A rate limit for each hub, so that no hub can delay another hub's call.

Each hub has two token buckets, one for its calls and one for everything else. Messages that come
faster wait here, in memory, and are passed on at the bucket's rate. They are PUBACKed at once: else
64 messages of a flood would stop all others at the broker. A waiting call gets no `received`, so
its hub keeps it and sends it again if the centre dies, or refuses it because too many wait. Calls
wait by alarm, in turn: a new alarm does not wait behind the repeats of another.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

Paces = tuple[tuple[float, float], ...]  # of several limits at once: (burst, messages a second)

CALLS: Paces = ((100.0, 20.0), (2_000.0, 1.0))  # for minutes ten times what a finger can press
REST: Paces = ((300.0, 50.0), (6_000.0, 5.0))  # a backlog of 2,000 readings comes in within 40 s
EVERY_S = 0.05
CALLS_BYTES = 1_000_000  # that may wait, of one hub
REST_BYTES = 4_000_000
ALL_BYTES = 64_000_000  # of all hubs together
SWEEP_S = 60.0

log = logging.getLogger(__name__)


class Passed(StrEnum):
    """What happened to a message."""

    NOW = "now"
    LATER = "later"
    REFUSED = "refused"


class Offered(Struct):
    """A message: its hub, alarm (None: no call), size in bytes, and the function that stores it."""

    hub: str
    alarm: str | None
    size: int
    pass_on: Callable[[], object]


class _Bucket:
    """The tokens for one hub's calls, or its other messages, and what waits for them, by alarm."""

    def __init__(self, paces: Paces, most: int, now: float) -> None:
        self.paces, self.most, self.at = paces, most, now
        self.tokens = [size for size, _ in paces]
        self.waiting: dict[str, deque[Offered]] = {}
        self.count = self.size = 0

    def refill(self, now: float) -> None:
        """Add the tokens of the time since the last refill."""
        past_s, self.at = now - self.at, now
        held = zip(self.tokens, self.paces, strict=True)
        self.tokens = [min(size, n + past_s * rate_hz) for n, (size, rate_hz) in held]

    def spend(self) -> bool:
        """Take one token of each limit; False where one has none."""
        if min(self.tokens) < 1.0:
            return False
        self.tokens = [n - 1.0 for n in self.tokens]
        return True

    def is_full(self, now: float) -> bool:
        """Return whether it is as a new bucket would be."""
        self.refill(now)
        return not self.waiting and self.tokens == [size for size, _ in self.paces]

    def add(self, offered: Offered) -> None:
        """Put a message behind the others of its alarm."""
        self.waiting.setdefault(offered.alarm or "", deque()).append(offered)
        self.count += 1
        self.size += offered.size

    def longest(self) -> deque[Offered]:
        """Return the messages of the alarm with most of them; empty where each has one."""
        if self.count == len(self.waiting):
            return deque()
        return max(self.waiting.values(), key=len)

    def drop(self, queue: deque[Offered]) -> int:
        """Give up the newest of a queue; return its size."""
        offered = queue.pop()
        if not queue:
            del self.waiting[offered.alarm or ""]
        self.count -= 1
        self.size -= offered.size
        return offered.size

    def due(self) -> list[Offered]:
        """Return the messages that the tokens allow, one of each alarm in turn."""
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
    """Any thread may offer a message. A thread that exists only while some wait passes them on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, bool], _Bucket] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._drain: threading.Thread | None = None
        self._swept = clock()

    def offer(self, offered: Offered) -> Passed:
        """Pass a message on, let it wait, or refuse it."""
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
        """Return how many messages wait."""
        with self._lock:
            return sum(bucket.count for bucket in self._buckets.values())

    def close(self) -> int:
        """Pass on nothing more; return how many messages waited. Hubs send their calls again."""
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
        """Keep a message for later. Where too many wait, drop one of the alarm that has most."""
        passed = Passed.LATER
        if bucket.size + offered.size > bucket.most or self._size + offered.size > ALL_BYTES:
            longest = bucket.longest()
            own = bucket.waiting.get(offered.alarm or "", ())
            if len(longest) <= len(own) + 1 or longest[-1].size < offered.size:
                return Passed.REFUSED
            self._size -= bucket.drop(longest)
            passed = Passed.REFUSED  # the dropped one, not this one
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
        """Return what may be passed on now, and whether more waits; if not, this thread ends."""
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
