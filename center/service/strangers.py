"""What a stranger may do at the port for certificates, and how often an installer may guess.

Everybody can reach that port. So each network has a budget, and what is refused is told in the
audit once for a while, not once for each try: the audit is kept for years.
"""

from collections.abc import Hashable

from msgspec import Struct

from center.authority.signing import Authority
from center.config import Authority as Settings
from center.domain.enrolment import network
from center.service.auth import Book, failed, wait_s

NETWORKS_MAX = 10_000  # remembered; the oldest go first
TOLD_S = 600.0  # one line of the audit for each network and reason
LINES_AN_HOUR = 60  # of all networks together
HOUR_S = 3600.0
FREE_OF_INSTALLER, FREE_OF_NETWORK, FREE_OF_HUB = 5, 30, 10  # wrong digits without a wait


class _Left(Struct):
    tokens: float
    at: float


class Budget:
    """Tokens for each network: `burst` at once, `rate_hz` again each second."""

    def __init__(self, burst: float, rate_hz: float) -> None:
        self._burst, self._rate_hz = burst, rate_hz
        self._left: dict[str, _Left] = {}

    def spend(self, whose: str, cost: float, now: float) -> bool:
        """Take `cost` tokens; False, and nothing is taken, where there are too few."""
        left = self._left.pop(whose, None) or _Left(self._burst, now)
        past_s = max(0.0, now - left.at)
        left = _Left(min(self._burst, left.tokens + past_s * self._rate_hz), now)
        while len(self._left) >= NETWORKS_MAX:
            self._left.pop(next(iter(self._left)))
        enough = left.tokens >= cost
        self._left[whose] = _Left(left.tokens - cost * enough, now)
        return enough


class Told:
    """Decides whether something that is refused again and again gets a line in the audit now."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[float, int]] = {}  # last line, and what came since
        self._hour: list[float] = []

    def times(self, what: Hashable, now: float) -> int:
        """Return for how many refusals a line is to be written now; 0: none."""
        last, since = self._held.pop(what, (-TOLD_S, 0))
        self._hour = [utc for utc in self._hour if 0 <= now - utc < HOUR_S]
        while len(self._held) >= NETWORKS_MAX:
            self._held.pop(next(iter(self._held)))
        if now - last < TOLD_S or len(self._hour) >= LINES_AN_HOUR:
            self._held[what] = (last, since + 1)
            return 0
        self._hour.append(now)
        self._held[what] = (now, 0)
        return since + 1


class Guesses:
    """Wrong digits: by installer, by network, by hub id; each has to wait longer and longer."""

    def __init__(self) -> None:
        self._book: Book = {}

    def wait_s(self, person: str, address: str, hub: str, now: float) -> float:
        """Return the seconds until the next try is allowed."""
        keys = _counts(person, address, hub)
        return max(wait_s(self._book.get(key), now, free) for key, free in keys)

    def wrong(self, person: str, address: str, hub: str, now: float) -> None:
        """Note wrong digits."""
        for key, _ in _counts(person, address, hub):
            self._book = failed(self._book, key, now)

    def right(self, person: str, hub: str) -> None:
        """Forget the wrong digits of an installer, and of a hub; an office shares its network."""
        for key in (f"installer {person}", f"hub {hub}"):
            self._book.pop(key, None)


class Registry:
    """The authority, its settings, and the budgets. All of it is of one event loop."""

    def __init__(self, authority: Authority, settings: Settings) -> None:
        self.authority, self.settings = authority, settings
        self.requests = Budget(burst=200.0, rate_hz=2.0)
        self.told = Told()
        self.guesses = Guesses()
        self.list_utc: float | None = None  # when the list of revocations was written last


def _counts(person: str, address: str, hub: str) -> tuple[tuple[str, int], ...]:
    return (
        (f"installer {person}", FREE_OF_INSTALLER),
        (f"network {network(address)}", FREE_OF_NETWORK),
        (f"hub {hub}", FREE_OF_HUB),
    )
