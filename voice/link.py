"""The voice's connection to the hub: a call for help or a receipt is told until the hub has it.

The voice's protocol has no word for "taken": any order but a ping shows that the hub took in what
was told before it. `hub.shared.sidecar.link` dials and carries.
"""

from collections.abc import Callable, Iterable
from time import monotonic

from hub.contract.voice import VOCABULARY, Fact, Heard, Meaning, Order, Ping, Spoke
from hub.shared.sidecar.link import HubLink, Pace, Untold

PACE = Pace()
KEEP_S = 600.0  # a call for help that could not be told is still told up to so much later
UNSURE_S = 45.0  # a hub that froze took in nothing of these; its watchdog ends it after 30 s
NEEDS = {Meaning.HELP, Meaning.UNWELL, Meaning.COUNSEL, Meaning.AWAY}
Link = HubLink[Fact, Order]


class Needs:
    """Needs and receipts that no order has followed yet: they are told again."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._facts: Untold[Fact] = Untold(most=20, keep_s=KEEP_S, unsure_s=UNSURE_S, now=now)

    def told(self, fact: Fact, *, connected: bool) -> None:
        """Keep a need or a receipt."""
        if _matters(fact):
            self._facts.told(fact, connected=connected)

    def followed(self, order: Order) -> None:
        """Forget what this order shows to be taken in."""
        if not isinstance(order, Ping):
            self._facts.taken()

    def parted(self) -> None:
        """Count as untold what a frozen hub may not have taken in."""
        self._facts.parted()

    def again(self) -> Iterable[Fact]:
        """Return what is not too old."""
        return [fact for _, fact in self._facts.again()]


def link_to(
    path: str,
    take_order: Callable[[Order], None],
    greeting: Callable[[], Iterable[Fact]],
    now: Callable[[], float] = monotonic,
) -> Link:
    """Return the voice's link to the hub at `path`."""
    return HubLink(path, VOCABULARY, take_order, greeting, Needs(now), PACE)


def _matters(fact: Fact) -> bool:
    if isinstance(fact, Heard):
        return fact.meaning in NEEDS
    return isinstance(fact, Spoke) and bool(fact.receipt)
