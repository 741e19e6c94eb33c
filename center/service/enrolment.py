"""Certificates for hubs: a hub asks, an installer claims it, it fetches, and later it renews."""

import secrets
from collections.abc import Callable
from enum import StrEnum
from functools import partial

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from center.authority import signing
from center.authority.signing import Issued, Request, Unfit, UnfitError
from center.domain.enrolment import (
    DIGITS,
    UNNAMED,
    Certificate,
    Enrolment,
    NotClaimed,
    Refused,
    State,
    is_over,
    may_renew,
    network,
)
from center.domain.incident import Deed, Entry
from center.service import leases
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.refusals import RefusalError
from center.service.strangers import Registry
from center.store.rows import enrolments
from center.store.rows.audit import write_line
from center.store.rows.enrolments import Claim, Room
from hub.contract.forms import Name

DAY_S = 86_400.0
POLL_COST, NEW_COST = 0.05, 1.0  # of a network's budget: to ask again, and anything else
SEEN_AGAIN_S = 30.0  # to ask again is written down at most so often
WAITS: dict[StrEnum, float] = {Refused.BUSY: 60.0, Refused.AUTHORITY_LAPSED: 3600.0}  # seconds
CENTER = "center"  # the centre's own name at the broker: no hub's


class NotEnrolledError(RefusalError):
    """A hub gets no certificate. `wait_s`: another try makes sense then; 0: a person has to act."""

    why: Refused | Unfit

    def __init__(self, why: Refused | Unfit, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class NotClaimedError(RefusalError):
    """An installer's claim of `hub` was not taken."""

    why: NotClaimed

    def __init__(self, why: NotClaimed, hub: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.hub, self.wait_s = hub, wait_s


class Wish(Struct, frozen=True):
    """What an installer wants: the hub that says `digits` becomes `hub`.

    `known_home`: it must be a home that the centre knows. `replaces`: the hub there is replaced.
    """

    digits: str
    hub: str
    known_home: bool = False
    replaces: bool = False


class Who(Struct, frozen=True):
    """Who claims: the person's name, and the address of their browser."""

    name: str
    address: str


async def ask(desk: Desk, body: bytes, address: str) -> Enrolment | Certificate:
    """Take a hub's request: return what waits, or its certificate. Raises NotEnrolledError."""
    registry, by = _registry(desk), network(address)
    request = await _read(desk, registry, body, by)
    known = await desk.store.ask(enrolments.find, request.key)
    match known:
        case Enrolment(state=State.ISSUED):
            return await _again(desk, registry, request, by)
        case Enrolment(state=State.AUTHORISED) if not is_over(known, desk.clock()):
            return await _issue(desk, registry, request, known)
        case Enrolment() if _is_fresh(known, desk.clock()):
            return known
        case _:
            cost = NEW_COST if known is None or is_over(known, desk.clock()) else 0.0
            return await _wait(desk, registry, request, by, cost)


async def renew(desk: Desk, shown: bytes | None, body: bytes, address: str) -> Certificate:
    """Give a hub the certificate that follows the one that it shows. Raises NotEnrolledError."""
    registry, by = _registry(desk), network(address)
    present, later = await _present(desk, registry, shown, by)
    request = await _read(desk, registry, body, by)
    if request.name not in {"", UNNAMED, present.hub}:
        raise await _refuse(desk, registry, Refused.WRONG_NAME, by, present.hub)
    for one in later:
        is_good = one.revoked_utc is None and desk.clock() < one.ends_utc
        if one.key == request.key and is_good:
            return one  # its answer was lost on the way
    made = _certificate(await _sign(desk, registry, request, present.hub), desk.clock())
    if not await desk.store.change(enrolments.renew, made, present.serial):
        raise await _refuse(desk, registry, Refused.REVOKED, by, present.hub)
    return made


async def owner(desk: Desk, shown: bytes | None, address: str) -> Certificate:
    """Return the valid certificate that a hub shows. Raises NotEnrolledError."""
    present, _ = await _present(desk, _registry(desk), shown, network(address))
    return present


async def is_revoked(desk: Desk, shown: bytes) -> bool:
    """Whether the certificate that a hub shows (DER) is one of ours, and revoked."""
    one, _ = await desk.store.ask(enrolments.shown, signing.shown(shown).serial)
    return one is not None and one.revoked_utc is not None


async def look(desk: Desk, who: Who, wish: Wish) -> Enrolment:
    """Return the request that a claim would take; nothing changes. Raises NotClaimedError."""
    return await _claim(desk, who, wish, enrolments.look)


async def claim(desk: Desk, who: Who, wish: Wish) -> Enrolment:
    """Let a request become a hub. Raises NotClaimedError."""
    done = await _claim(desk, who, wish, enrolments.claim)
    desk.feed.tell(Update(Topic.HUB, done.hub))
    return done


async def refused(desk: Desk, why: str, address: str, hub: str = "") -> None:
    """Note that somebody was refused, with a line in the audit at most every ten minutes."""
    if desk.registry is not None:
        await _note(desk, desk.registry, why, network(address), hub)


def digits_of(text: str) -> str:
    """Return eight digits as typed, with or without spaces or dashes; '' for anything else."""
    plain = "".join(text.split()).replace("-", "").replace("·", "")
    fits = len(plain) == DIGITS and plain.isascii() and plain.isdecimal()
    return plain if fits else ""


def is_hub(name: str) -> bool:
    """Whether a hub may have this id."""
    try:
        return bool(msgspec.convert(name, Name)) and name not in {CENTER, UNNAMED}
    except msgspec.ValidationError:
        return False


def random_digits() -> str:
    """Return eight random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


Do = Callable[[Connection, Claim, float], Enrolment | NotClaimed]


async def _claim(desk: Desk, who: Who, wish: Wish, do_it: Do) -> Enrolment:
    registry, now = desk.registry, desk.clock()
    if registry is None:
        raise NotClaimedError(NotClaimed.NO_AUTHORITY, wish.hub)
    if not wish.digits or not is_hub(wish.hub):
        why = NotClaimed.BAD_HUB if wish.digits else NotClaimed.BAD_DIGITS
        raise NotClaimedError(why, wish.hub)
    guesses = registry.guesses
    if wait_s := guesses.wait_s(who.name, who.address, wish.hub, now):
        if registry.told.times(("claim", who.name), now):
            await _line(desk, NotClaimed.TOO_MANY_TRIES, who, wish.hub)
        raise NotClaimedError(NotClaimed.TOO_MANY_TRIES, wish.hub, wait_s)
    wanted = Claim(wish.digits, wish.hub, who.name, wish.known_home, wish.replaces)
    found = await desk.store.change(do_it, wanted, now)
    if isinstance(found, Enrolment):
        if do_it is enrolments.claim:
            guesses.right(who.name, wish.hub)
        return found
    if found in {NotClaimed.NO_SUCH_DIGITS, NotClaimed.OVER, NotClaimed.TAKEN}:
        guesses.wrong(who.name, who.address, wish.hub, now)
    if found is not NotClaimed.HAS_HUB:  # that is a question, no refusal
        await _line(desk, found, who, wish.hub)
    raise NotClaimedError(found, wish.hub)


async def _line(desk: Desk, why: NotClaimed, who: Who, hub: str) -> None:
    told = f"{why} {network(who.address)}"
    deed = Deed.CLAIM_REFUSED
    line = Entry(desk.clock(), deed, version=0, by=who.name, text=told, hub=hub)
    await desk.store.change(write_line, line)


async def _read(desk: Desk, registry: Registry, body: bytes, by: str) -> Request:
    if not registry.requests.spend(by, POLL_COST, desk.clock()):
        raise await _refuse(desk, registry, Refused.BUSY, by)
    try:
        return signing.read(body)
    except UnfitError as error:
        raise await _refuse(desk, registry, error.why, by) from error


async def _wait(
    desk: Desk, registry: Registry, request: Request, by: str, cost: float = NEW_COST
) -> Enrolment:
    if not registry.requests.spend(by, cost, desk.clock()):
        raise await _refuse(desk, registry, Refused.BUSY, by)
    own = registry.settings
    room = Room(own.waiting_most, own.waiting_of_network, own.waiting_s)
    asking = partial(enrolments.ask, room=room, digits=random_digits)
    found = await desk.store.change(asking, request.key, by, desk.clock())
    if isinstance(found, Refused):
        raise await _refuse(desk, registry, found, by)
    return found


async def _issue(
    desk: Desk, registry: Registry, request: Request, claimed: Enrolment
) -> Certificate:
    made = await _sign(desk, registry, request, claimed.hub)
    given = await desk.store.change(enrolments.issue, _certificate(made, desk.clock(), claimed.by))
    await leases.drop(desk, claimed.hub)
    desk.feed.tell(Update(Topic.HUB, claimed.hub))
    return given


async def _again(
    desk: Desk, registry: Registry, request: Request, by: str
) -> Enrolment | Certificate:
    """Give the certificate of a key once more: the answer may have been lost on the way."""
    held = await desk.store.ask(enrolments.by_key, request.key)
    if held is not None and held.revoked_utc is not None:
        raise await _refuse(desk, registry, Refused.REVOKED, by, held.hub)
    if held is not None and desk.clock() < held.ends_utc:
        return held
    await desk.store.change(enrolments.ask_anew, request.key, desk.clock())
    return await _wait(desk, registry, request, by)


async def _present(
    desk: Desk, registry: Registry, shown: bytes | None, by: str
) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return the certificate that a hub shows, if it may be used, and those that came after it."""
    if not registry.requests.spend(by, POLL_COST, desk.clock()):
        raise await _refuse(desk, registry, Refused.BUSY, by)
    if shown is None:
        raise await _refuse(desk, registry, Refused.NO_CERTIFICATE, by)
    serial = signing.shown(shown).serial
    one, later = await desk.store.ask(enrolments.shown, serial)
    late_s = registry.settings.late_days * DAY_S
    why = may_renew(one, later, desk.clock(), late_s)
    if why is not None or one is None:
        hub = one.hub if one else ""
        raise await _refuse(desk, registry, why or Refused.NOT_OURS, by, hub)
    if one.used_utc is None:
        await desk.store.change(enrolments.used, serial, desk.clock())
    return one, later


async def _sign(desk: Desk, registry: Registry, request: Request, hub: str) -> Issued:
    if desk.clock() >= registry.authority.ends_utc:
        raise await _refuse(desk, registry, Refused.AUTHORITY_LAPSED, "", hub)
    return signing.sign(registry.authority, request, hub, desk.clock())


async def _refuse(
    desk: Desk, registry: Registry, why: Refused | Unfit, by: str, hub: str = ""
) -> NotEnrolledError:
    """Return the error for a refusal, which costs its network and is noted in the audit."""
    registry.requests.spend(by, NEW_COST, desk.clock())
    await _note(desk, registry, why, by, hub)
    return NotEnrolledError(why, WAITS.get(why, 0.0))


async def _note(desk: Desk, registry: Registry, why: str, by: str, hub: str) -> None:
    if times := registry.told.times((why, by, hub), desk.clock()):
        told = f"{why} {by} {times}"
        line = Entry(desk.clock(), Deed.ENROLMENT_REFUSED, version=0, text=told, hub=hub)
        await desk.store.change(write_line, line)


def _is_fresh(known: Enrolment, now: float) -> bool:
    return not is_over(known, now) and now - known.seen_utc < SEEN_AGAIN_S


def _certificate(made: Issued, now: float, by: str = "") -> Certificate:
    return Certificate(
        made.serial, made.hub, made.key, by, now, made.begins_utc, made.ends_utc, made.der
    )


def _registry(desk: Desk) -> Registry:
    if desk.registry is None:
        raise NotEnrolledError(Refused.AUTHORITY_LAPSED)
    return desk.registry
