"""An announcement to homes: its draft, what is wrong with it, its delivery to each home. Pure.

waiting --hub took it--> taken --hub said what became of it--> spoken, unspoken
   '--time over, refused, withdrawn--> expired, refused, withdrawn
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.border import Open
from hub.contract.messages import AnnouncementOutcome, Reply
from hub.contract.wire import Reason
from hub.shared.backoff import exponential_s

TEXT_MAX = 300  # characters: about a minute of slow speech
KEY_MAX = 64
DAYS_MAX = 14
SOONEST_S = 60.0  # the earliest end of its time
UNTIL_S = 24 * 3600.0  # what the form offers
TWICE_S = 600.0  # the same text to the same homes within this time must be confirmed
GAP = "○"  # in a template: to be filled in
FIRST_S, LONGEST_S = 15.0, 120.0  # between two tries: 15, 30, 60, 120, 120 ... seconds
REFUSALS_MAX = 5  # a command that was late is refused, too: such a refusal is not final
PASSING = frozenset({Reason.EXPIRED.value, Reason.REPLAYED.value})


class Whom(Open):
    """To which homes."""

    ALL = "all"
    PLACE = "place"  # homes with these letters in address, name or hub
    HOME = "home"


class Why(StrEnum):
    """Why an announcement was not sent; a key of the message files."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    BLANK = "blank"  # a template's gap is not filled
    NO_TIME = "no_time"
    TOO_SOON = "too_soon"
    TOO_LATE = "too_late"
    WHICH = "which"  # all homes were chosen, and yet some were described
    NO_HOMES = "no_homes"
    CHANGED = "changed"  # other homes than those that the operator saw
    TWICE = "twice"  # the same was sent a moment ago
    NO_KEY = "no_key"
    NOT_FOUND = "not_found"


class Draft(Struct, frozen=True):
    """What an operator wants to announce. `until_utc` None: the time was not understood.

    `key` is the form's own, so that one form sends once. `seen` is the digest of the homes that the
    operator saw (empty: any). `again` confirms that the same is announced twice.
    """

    text: str
    whom: Whom = Whom.ALL
    place: str = ""
    hubs: tuple[str, ...] = ()  # of `Whom.HOME`
    urgent: bool = False
    until_utc: float | None = None
    key: str = ""
    seen: str = ""
    again: bool = False


class Announcement(Struct, frozen=True):
    """An announcement that was sent; `homes` is their number, `digest` is of text and homes."""

    id: str
    key: str
    utc: float
    by: str
    text: str
    urgent: bool
    until_utc: float
    whom: Whom
    place: str
    homes: int
    digest: str


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


def plain(text: str) -> str:
    """Return what was typed as one line: composed Hangul, single spaces, all printable."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(c if c.isprintable() else " " for c in composed).split())


def flaw(draft: Draft, now: float) -> Why | None:
    """Return what is wrong with a draft, without looking at its homes; None where nothing is."""
    if not draft.text:
        return Why.EMPTY
    if len(draft.text) > TEXT_MAX:
        return Why.TOO_LONG
    if GAP in draft.text:
        return Why.BLANK
    if draft.until_utc is None:
        return Why.NO_TIME
    if draft.until_utc < now + SOONEST_S:
        return Why.TOO_SOON
    if draft.until_utc > now + DAYS_MAX * 86_400.0:
        return Why.TOO_LATE
    return Why.WHICH if draft.place and draft.whom is not Whom.PLACE else None


def digest(*words: str, hubs: Iterable[str]) -> str:
    """Return a hash of words and homes, equal only for the same words and homes."""
    parts = "\n".join((*words, *sorted(hubs)))
    return hashlib.sha256(parts.encode(errors="replace")).hexdigest()[:32]


def sent(one: Delivery, utc: float, until_utc: float) -> Delivery:
    """Return the delivery after a try; due again for the next try or the end of its time."""
    pause_s = exponential_s(one.tries + 1, first_s=FIRST_S, longest_s=LONGEST_S)
    due_utc = min(utc + pause_s, until_utc)
    return replace(one, tries=one.tries + 1, sent_utc=utc, due_utc=due_utc)


def replied(one: Delivery, reply: Reply, utc: float) -> Delivery | None:
    """Return the delivery after the hub's reply to a try; None where the reply changes nothing."""
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
    """Return the delivery after the hub reported its outcome, by its clock at `said_utc`."""
    if one.fate is Fate.SPOKEN:
        return one
    taken_utc = utc if one.taken_utc is None else one.taken_utc
    return replace(one, fate=Fate.of(outcome), taken_utc=taken_utc, over_utc=said_utc, reason="")


def ended(one: Delivery, fate: Fate, utc: float) -> Delivery:
    """Return a delivery that the hub has not taken as ended: expired or withdrawn."""
    return replace(one, fate=fate, over_utc=utc)
