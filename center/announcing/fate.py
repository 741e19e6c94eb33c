"""What becomes of an announcement in one home. Pure.

waiting --the hub's reply--> taken --its word--> spoken | unspoken | expired
   |--its time is over--> expired      |--refused too often, or for good--> refused
   '--an operator takes it back--> withdrawn            the hub's own word is always believed
"""

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.border import Open
from hub.contract.messages import AnnouncementOutcome, Reply
from hub.contract.wire import Reason

FIRST_S, LONGEST_S = 15.0, 120.0  # between two tries: 15, 30, 60, 120, 120 ... seconds
REFUSALS_MAX = 5  # one that was held back on its way is refused, too: that is no verdict
PASSING = frozenset({Reason.EXPIRED.value, Reason.REPLAYED.value})


class Fate(Open):
    """Where an announcement to a home stands."""

    WAITING = "waiting"  # for the hub
    TAKEN = "taken"
    SPOKEN = "spoken"
    UNSPOKEN = "unspoken"
    EXPIRED = "expired"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Delivery(Struct, frozen=True):
    """An announcement to one home; every time is UTC seconds since 1970.

    `due_utc` is when to order it (again), `reason` why the hub refused it last.
    """

    announcement: str
    hub: str
    fate: Fate
    due_utc: float
    tries: int = 0
    refusals: int = 0
    reason: str = ""
    sent_utc: float | None = None
    taken_utc: float | None = None
    over_utc: float | None = None


def sent(one: Delivery, utc: float, until_utc: float) -> Delivery:
    """Note a try, and when it is to be looked at again: to try, or since its time is over."""
    pause_s = min(LONGEST_S, FIRST_S * 2.0 ** min(one.tries, 8))
    due_utc = min(utc + pause_s, until_utc)
    return replace(one, tries=one.tries + 1, sent_utc=utc, due_utc=due_utc)


def replied(one: Delivery, reply: Reply, utc: float) -> Delivery | None:
    """Take the hub's reply to a try; None where it is no news."""
    if one.taken_utc is not None:
        return None
    if reply.done:
        return replace(one, fate=Fate.TAKEN, taken_utc=utc, over_utc=None, reason="")
    if one.fate is not Fate.WAITING:
        return None
    refusals = one.refusals + 1
    if reply.reason in PASSING and refusals < REFUSALS_MAX:
        return replace(one, refusals=refusals, reason=reply.reason)
    return replace(one, fate=Fate.REFUSED, refusals=refusals, reason=reply.reason, over_utc=utc)


def told(one: Delivery, outcome: AnnouncementOutcome, said_utc: float, utc: float) -> Delivery:
    """Take the hub's word on what became of it; `said_utc` is when it says that it was."""
    if one.fate is Fate.SPOKEN:
        return one
    taken_utc = utc if one.taken_utc is None else one.taken_utc
    return replace(one, fate=Fate.of(outcome), taken_utc=taken_utc, over_utc=said_utc, reason="")


def ended(one: Delivery, fate: Fate, utc: float) -> Delivery:
    """End one that the hub has not taken: its time is over, or an operator took it back."""
    return replace(one, fate=fate, over_utc=utc)
