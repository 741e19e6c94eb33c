"""The voice's connection to the hub: a call for help or a receipt is told until the hub has it.

The voice's protocol has no word for "taken": any order but a ping shows that the hub took in what
was told before it. `hub.shared.sidecar.link` dials and carries.
"""

from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TypeGuard

from msgspec import Struct

from hub.contract.voice import VOCABULARY, Fact, Heard, Meaning, Order, Ping, Spoke
from hub.shared.sidecar.link import HubLink

KEEP_S = 600.0  # a call for help that could not be told is still told up to so much later
UNSURE_S = 45.0  # a hub that froze took in nothing of these; its watchdog ends it after 30 s
NEEDS = {Meaning.HELP, Meaning.UNWELL, Meaning.COUNSEL, Meaning.AWAY}
Link = HubLink[Fact, Order]


class _Kept(Struct, frozen=True):
    fact: Heard | Spoke
    at: float


class Needs:
    """Needs and receipts that no order has followed yet: they are told again."""

    def __init__(self) -> None:
        self._untold: deque[_Kept] = deque(maxlen=20)
        self._told: deque[_Kept] = deque(maxlen=20)

    def told(self, fact: Fact, *, connected: bool) -> None:
        """Keep a need or a receipt."""
        if _matters(fact):
            (self._told if connected else self._untold).append(_Kept(fact, monotonic()))

    def followed(self, order: Order) -> None:
        """Forget what this order shows to be taken in."""
        if not isinstance(order, Ping):
            self._told.clear()

    def parted(self) -> None:
        """Count as untold what was told so lately that a frozen hub may not have it."""
        now = monotonic()
        self._untold.extend(kept for kept in self._told if now - kept.at < UNSURE_S)
        self._told.clear()

    def again(self) -> Iterable[Fact]:
        """Return what is not too old."""
        old, self._untold = self._untold, deque(maxlen=20)
        return [kept.fact for kept in old if monotonic() - kept.at < KEEP_S]


def link_to(
    path: str, take_order: Callable[[Order], None], greeting: Callable[[], Iterable[Fact]]
) -> Link:
    """Return the voice's link to the hub at `path`."""
    return HubLink(path, VOCABULARY, take_order, greeting, Needs())


def _matters(fact: Fact) -> TypeGuard[Heard | Spoke]:
    if isinstance(fact, Heard):
        return fact.meaning in NEEDS
    return isinstance(fact, Spoke) and bool(fact.receipt)
