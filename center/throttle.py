"""How long a sign-in must wait after failures: pure, per account and per address."""

from msgspec import Struct

FREE = 3  # failures that cost nothing: fingers slip
LONGEST_S = 300.0
FORGOTTEN_S = 3600.0  # a quiet hour forgives
NAMES_MAX = 10_000  # names and addresses remembered; the oldest go first


class Failures(Struct, frozen=True):
    """Failures in a row, and when the last one was (UTC seconds)."""

    count: int
    last_utc: float


Book = dict[str, Failures]


def wait_s(failures: Failures | None, now_utc: float) -> float:
    """Give the seconds until the next try is allowed: 2, 4, 8 ... after the free ones."""
    if failures is None or failures.count < FREE:
        return 0.0
    pause = min(LONGEST_S, 2.0 ** min(failures.count - FREE + 1, 16))
    return max(0.0, failures.last_utc + pause - now_utc)


def failed(book: Book, key: str, now_utc: float) -> Book:
    """Note a failure of `key` in a copy of the book."""
    kept = {k: f for k, f in book.items() if now_utc - f.last_utc < FORGOTTEN_S}
    before = kept.pop(key, None)
    while len(kept) >= NAMES_MAX:
        kept.pop(next(iter(kept)))
    kept[key] = Failures((before.count if before else 0) + 1, now_utc)
    return kept
