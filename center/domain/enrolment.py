"""The life of a hub's request for a certificate, and what keeps strangers out of its way. Pure.

    (asked) -> waiting --an installer types its digits--> authorised --the hub asks again--> issued
                  '--nobody does in time--> (asked again: other digits)

A request is known by its key. Whoever sends it without having the key gets at most a certificate
that is of no use to them, and changes nothing for the hub.
"""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.border import Open

DIGITS = 8
POLL_S = 5  # a hub asks again so often
SHOWN_S = 86_400.0  # an authorised request is kept so long for its hub
UNNAMED = "anbu-hub"  # what a hub calls itself in a request: the centre gives the name
IPV6_SITE = 48  # bits: what one customer may get from a provider


class State(Open):
    """How far a request is."""

    WAITING = "waiting"
    AUTHORISED = "authorised"
    ISSUED = "issued"


class Enrolment(Struct, frozen=True):
    """A request. Times are UTC seconds; `network` is who asked first; `by` is who claimed it."""

    key: str
    state: State
    digits: str
    network: str
    asked_utc: float
    seen_utc: float
    until_utc: float
    hub: str = ""
    by: str = ""
    replaces: bool = False
    claimed_utc: float | None = None


class Certificate(Struct, frozen=True):
    """A hub's certificate. `used_utc`: the centre saw it in use for the first time."""

    serial: str
    hub: str
    key: str
    by: str
    issued_utc: float
    begins_utc: float
    ends_utc: float
    der: bytes
    used_utc: float | None = None
    revoked_utc: float | None = None
    revoked_by: str = ""
    reason: str = ""


class Refused(StrEnum):
    """Why a hub gets no certificate; a key of the message files and the word in the header."""

    BUSY = "busy"  # too many requests wait, or this network sends too many
    REVOKED = "revoked"  # the hub was struck off, or replaced
    NO_CERTIFICATE = "no_certificate"  # renewal asks for the present one
    NOT_OURS = "not_ours"  # a certificate of this authority that is in no book of the centre
    SUPERSEDED = "superseded"  # two newer ones of this hub are in use
    LAPSED = "lapsed"  # it ended too long ago: a person has to claim the hub again
    WRONG_NAME = "wrong_name"  # the request names another hub than the certificate
    AUTHORITY_LAPSED = "authority_lapsed"  # the centre's own certificate has ended


class NotClaimed(StrEnum):
    """Why an installer's claim was not taken; a key of the message files."""

    NO_AUTHORITY = "no_authority"  # this centre signs no certificates
    BAD_DIGITS = "bad_digits"  # not eight digits
    BAD_HUB = "bad_hub"  # no name that a hub may have
    NO_SUCH_DIGITS = "no_such_digits"
    OVER = "digits_over"  # their time is over: the hub says others
    TAKEN = "taken"  # somebody else has claimed this request
    UNKNOWN_HOME = "unknown_home"
    HAS_HUB = "has_hub"  # the home has one: it must be said that this one replaces it
    TOO_MANY_TRIES = "too_many_tries"


class Reason(Open):
    """Why a certificate is no longer valid."""

    REPLACED = "replaced"
    STOLEN = "stolen"  # or lost: whoever has it must not speak for the home
    MISTAKEN = "mistaken"  # claimed for the wrong home: it shows digits again
    RETURNED = "returned"  # it is wiped, and comes to another home


def network(address: str) -> str:
    """Return what one customer of a provider has: an IPv4 address, or an IPv6 site."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    rest = 128 - IPV6_SITE
    return str(IPv6Address(int(found) >> rest << rest))


def asked(key: str, digits: str, by: str, now: float, waiting_s: float) -> Enrolment:
    """Return a new request of a network."""
    return Enrolment(key, State.WAITING, digits, by, now, now, now + waiting_s)


def seen_again(one: Enrolment, now: float) -> Enrolment:
    """Return a known request that comes again: nothing of it changes, whoever sends it."""
    return replace(one, seen_utc=max(one.seen_utc, now))


def is_over(one: Enrolment, now: float) -> bool:
    """Whether nobody may claim, or fetch, a request any more; one that is issued never is."""
    return one.state is not State.ISSUED and now >= one.until_utc


def claimed(one: Enrolment, hub: str, by: str, now: float, *, replaces: bool) -> Enrolment:
    """Return a request that a person has claimed for a hub id."""
    return replace(
        one,
        state=State.AUTHORISED,
        hub=hub,
        by=by,
        replaces=replaces,
        claimed_utc=now,
        until_utc=now + SHOWN_S,
    )


def may_claim(one: Enrolment | None, hub: str, by: str, now: float) -> NotClaimed | None:
    """Return why a person may not claim a request; the same claim twice is one."""
    if one is None:
        return NotClaimed.NO_SUCH_DIGITS
    if is_over(one, now):
        return NotClaimed.OVER
    same = (one.hub, one.by) == (hub, by)
    return None if one.state is State.WAITING or same else NotClaimed.TAKEN


def crowded(holding: Mapping[str, int], newcomer: str, most: int, of_network: int) -> str | None:
    """Return the network that gives up its newest request for a newcomer's; '' for none.

    None: the newcomer has to come later. Nobody but whoever holds most makes room, so a stranger
    who fills the table loses places and the hub of a home, with one request, never does.
    """
    own = holding.get(newcomer, 0)
    if own >= of_network:
        return None
    if sum(holding.values()) < most:
        return ""
    largest = max(holding, key=lambda name: holding[name])
    return largest if holding[largest] > own + 1 else None


def may_renew(
    shown: Certificate | None, later: tuple[Certificate, ...], now: float, late_s: float
) -> Refused | None:
    """Return why a certificate may not be renewed; `later` ones of its hub were issued after it.

    The newest may, and the one before it. One that nobody has used does not count: its answer may
    have been lost on the way.
    """
    if shown is None:
        return Refused.NOT_OURS
    if shown.revoked_utc is not None:
        return Refused.REVOKED
    if sum(one.used_utc is not None for one in later) > 1:
        return Refused.SUPERSEDED
    return Refused.LAPSED if now > shown.ends_utc + late_s else None
