"""What a hub does for its identity: it asks for one, renews it, and says what keeps it from that.

    none, another board's, struck off --ask--> waiting (digits) --typed at the centre--> identity
    identity --a third of its life--> renew (mTLS) --ok--> `next`, for the hub's own next dial
                                        '--fails--> again, after 1 min to 6 h
    expired --> renew, too: the centre allows it for 90 days more --refused--> ask

Time is the centre's where it can be had: a Pi has no clock battery. Nothing here is in the way of a
call: the hub dials with what the disk holds.
"""

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hub.contract.provision import Claimed, Claiming, Clock, Fact, Part, Trouble
from hub.shared.backoff import exponential_s
from hub.shared.county import County
from hub.shared.identity import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    NEXT,
    Facts,
    Identity,
    in_use,
    known_name,
    read,
)
from hub.shared.system import clock_synced
from provisioning.enrol import keys, store
from provisioning.enrol.client import Client, Waiting
from provisioning.enrol.keys import Issued
from provisioning.enrol.troubles import EnrolError, EnrolTrouble

log = logging.getLogger(__name__)
CLAIM_FIRST_S, CLAIM_CAP_S = 5.0, 60.0  # an installer stands beside it
RENEW_FIRST_S, RENEW_CAP_S = 60.0, 6 * 3600.0  # 60 days are left
NAME = re.compile("[a-z0-9][a-z0-9_-]{0,62}")
AT_ONCE_S = 0.1
LOOK_S = 3600.0  # between two looks at the centre's time
CLOCK_OFF_S = 60.0  # an alarm's time would be wrong by so much
DAY_S = 86_400.0  # between two looks at the authorities
NO = {EnrolTrouble.REFUSED, EnrolTrouble.OWN_REFUSED}  # a person has to act


def _nothing_more() -> None:
    """Do nothing between the certificate and the hub's new beginning."""


class Enrolment:
    """One hub's way to its certificate. `tell` takes what the hub is to know.

    `registering` is called in a thread before a new identity is on the disk, `registered` as soon
    as it is, before the hub is told of it.
    """

    def __init__(
        self,
        root: Path,
        county: County,
        board: str,
        tell: Callable[[Fact], None],
        *,
        synced: Callable[[], bool] = clock_synced,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._root, self._county, self._board, self._tell = root, county, board, tell
        self.registering: Callable[[], None] = _nothing_more
        self.registered: Callable[[], None] = _nothing_more
        self._synced, self._utc = synced, utc
        self._failures, self._hurry = 0, asyncio.Event()
        self._ahead_s: float | None = None  # of this clock, as the centre said last
        self._digits = ""
        self._refused = 0  # the generation of which an expired certificate was not renewed
        self._revoked = 0  # the generation that the centre has struck off
        self._refreshed = -DAY_S
        self._told: dict[Part, Trouble] = {}

    async def run(self) -> None:
        """Do one step after the other, for ever."""
        while True:
            pause_s = await self.step()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._hurry.wait()
            self._hurry.clear()

    def hurry(self) -> None:
        """Do the next step at once: there is a network now."""
        self._hurry.set()

    async def step(self) -> float:
        """Do what is to be done now; return the seconds until the next step."""
        try:
            pause_s = await asyncio.to_thread(self._step)
        except EnrolError as error:
            return self._failed(error)
        except OSError as error:  # the disk: the network's errors are EnrolErrors
            return self._failed(EnrolError(EnrolTrouble.NO_ROOM, str(error)))
        self._failures = 0
        self._part(Part.DISK, present=False)
        return pause_s

    def _step(self) -> float:
        """Work in a thread. Raises EnrolError, OSError."""
        store.adopt(self._root, self._board)
        held = in_use(self._root)
        if held is not None and self._ahead_s is None and not self._synced():
            with self._client() as client:  # before a clock that may be years off condemns it
                client.clock()
                self._tell_clock(client.ahead_s)
        if held is not None and (ended := self._ended(held)) is not None:
            try:
                return self._look_after(held, ended)
            except EnrolError as error:
                if error.trouble not in NO:
                    raise
                self._refused = held.number
        usable = self._usable(held)
        if held is not None and usable is not None:
            return self._look_after(held, usable)
        if self._waits_for_dial():
            return RENEW_FIRST_S
        return self._claim()

    # claiming

    def _claim(self) -> float:
        """Ask for an identity until the digits were typed."""
        asked = self._pending()
        with self._client() as client:
            found = client.enrol(asked.request, asked.key)
            self._tell_clock(client.ahead_s)
            if isinstance(found, Waiting):
                self._waiting(found)
                return found.after_s
            self.registering()
            self._take(client, asked, found)
        log.info("registered as %s", found.hub)
        self.registered()  # before the hub begins anew under its name
        self._digits = ""
        self._tell(Claiming())
        self._tell(Claimed(found.hub))
        for part in (Part.IDENTITY, Part.BOARD):
            self._part(part, present=False)
        return LOOK_S

    def _waiting(self, found: Waiting) -> None:
        if found.digits != self._digits:
            self._digits = found.digits
            log.info("the centre waits for the digits")
        self._tell(Claiming(found.digits))

    # renewal

    def _ended(self, held: Identity) -> Issued | None:
        """Return an expired certificate that may be renewed: the centre allows it for some time."""
        if held.number in {self._refused, self._revoked} or not held.fits(self._board):
            return None
        issued = _issued(held)
        return issued if issued is not None and self._is_over(issued) else None

    def _usable(self, held: Identity | None) -> Issued | None:
        """Return the certificate of an identity that goes on; None: the hub is to be registered."""
        if held is None:
            if known_name(self._root):  # it has been registered before
                self._part(Part.IDENTITY, present=True, detail=EnrolTrouble.NO_IDENTITY)
            return None
        if not held.fits(self._board):
            self._part(Part.BOARD, present=True, detail=EnrolTrouble.OTHER_BOARD)
            return None
        issued = _issued(held)
        if held.number == self._revoked:
            self._part(Part.IDENTITY, present=True, detail=EnrolTrouble.REVOKED)
            return None
        if issued is None or self._is_over(issued):
            detail = EnrolTrouble.OTHER_KEY if issued is None else EnrolTrouble.EXPIRED
            self._part(Part.IDENTITY, present=True, detail=detail)
            return None
        return issued

    def _look_after(self, held: Identity, issued: Issued) -> float:
        """Renew a certificate that is due; return when to look again."""
        with self._client(held) as client:
            if self._failures == 0 or self._ahead_s is None:
                client.clock()
                self._tell_clock(client.ahead_s)
                if client.revoked:
                    self._revoked = held.number
                    return AT_ONCE_S
            left_s = (issued.renewed_at() - self._now()).total_seconds()
            if left_s > 0 or self._waits_for_dial():
                self._part(Part.IDENTITY, present=False)
                self._refresh(client, held)
                return LOOK_S if left_s <= 0 else min(left_s, LOOK_S)
            asked = self._pending(held.hub)
            found = client.enrol(asked.request, asked.key, again=True)
            if isinstance(found, Waiting):
                return max(found.after_s, RENEW_FIRST_S)
            self._take(client, asked, found)
        log.info("the certificate of %s is renewed until %s", found.hub, found.ends)
        self._part(Part.IDENTITY, present=False)
        if found.hub != held.hub:
            self._tell(Claimed(found.hub))
        return LOOK_S

    def _waits_for_dial(self) -> bool:
        """Whether there is a renewed certificate already, of which a third is not over."""
        fresh = read(self._root, NEXT)
        issued = self._usable(fresh) if fresh is not None else None
        return issued is not None and issued.renewed_at() > self._now()

    def _take(self, client: Client, asked: store.Pending, found: Issued) -> None:
        """Keep the certificate; from now on a power cut cannot take it away."""
        if not NAME.fullmatch(found.hub):
            raise EnrolError(EnrolTrouble.UNREADABLE, found.hub)
        facts = Facts(found.hub, self._board, self._county.center)
        store.finish(asked, found.pem(), self._authorities(client), facts)
        store.adopt(self._root, self._board)
        store.tidy(self._root)

    def _refresh(self, client: Client, held: Identity) -> None:
        """Ask once a day whether the authority has a successor; the next dial takes it up.

        Raises EnrolError, OSError.
        """
        now = self._utc()
        if 0 <= now - self._refreshed < DAY_S or read(self._root, NEXT) is not None:
            return
        more, present = client.authorities(), Path(held.file(AUTHORITY)).read_bytes()
        self._refreshed = now
        fresh = keys.authorities(self._now(), present, Path(self._county.ca).read_bytes(), more)
        if not keys.same(fresh, present):
            log.info("the authorities are others: %s", store.reissue(self._root, held, fresh))

    def _authorities(self, client: Client) -> bytes:
        """Return what brokers and centre are known by: the county's file, and what follows it."""
        try:
            more = client.authorities()
        except EnrolError as error:
            log.info("no authorities: %s", error)
            more = b""
        return keys.authorities(self._now(), Path(self._county.ca).read_bytes(), more)

    def _pending(self, name: str = keys.UNNAMED) -> store.Pending:
        """Return the request that is under way, or begin one with a new key."""
        asked = store.pending(self._root, self._board)
        if asked is None:
            key = keys.new_key()
            asked = store.begin(self._root, self._board, key, keys.request(key, name))
        return asked

    def _client(self, held: Identity | None = None) -> Client:
        own = (held.file(CERTIFICATE), held.file(KEY)) if held else None
        if not self._county.center:
            raise EnrolError(EnrolTrouble.NOT_SET_UP)
        known = [Path(self._county.ca)]
        if held is not None:  # the authority's successor, perhaps
            known.append(Path(held.file(AUTHORITY)))
        return Client(self._county.center, known, own, self._synced, self._utc)

    # time, troubles

    def _now(self) -> datetime:
        """Return the centre's time as far as it is known, or this clock's."""
        return datetime.fromtimestamp(self._utc() - (self._ahead_s or 0.0), UTC)

    def _tell_clock(self, ahead_s: float | None) -> None:
        if ahead_s is None:
            return
        self._ahead_s = ahead_s
        self._tell(Clock(round(ahead_s, 1)))
        self._part(Part.CLOCK, present=abs(ahead_s) > CLOCK_OFF_S, detail=f"{ahead_s:.0f} s")

    def _failed(self, error: EnrolError) -> float:
        """Tell a failure; return the wait before it is tried again."""
        log.info("%s", error)
        self._failures += 1
        if error.trouble is EnrolTrouble.OTHER_KEY:  # it would come again for the same request
            store.forget(self._root, self._board)
        if error.trouble is EnrolTrouble.NO_ROOM:
            self._part(Part.DISK, present=True, detail=error.detail[:200])
        held = in_use(self._root)
        issued = _issued(held) if held and held.fits(self._board) else None
        struck = held is not None and held.number == self._revoked
        claims = issued is None or struck or self._is_over(issued)
        if claims:
            if issued is not None and not struck:
                self._part(Part.IDENTITY, present=True, detail=EnrolTrouble.EXPIRED)
            self._digits = ""
            self._tell(Claiming(trouble=error.trouble))
        elif issued is not None and self._is_overdue(issued):
            self._part(Part.IDENTITY, present=True, detail=error.trouble)
        first, cap = (CLAIM_FIRST_S, CLAIM_CAP_S) if claims else (RENEW_FIRST_S, RENEW_CAP_S)
        jitter = 0.5 + random.random() / 2  # noqa: S311 - it spreads requests, it is no secret
        wait_s = exponential_s(self._failures, first_s=first, longest_s=cap) * jitter
        return max(wait_s, error.after_s)

    def _is_over(self, issued: Issued) -> bool:
        """Whether it has expired, by a clock that can be believed."""
        believed = self._ahead_s is not None or self._synced()
        return believed and issued.ends <= self._now()

    def _is_overdue(self, issued: Issued) -> bool:
        begins, ends = issued.leaf.not_valid_before_utc, issued.ends
        return self._now() >= begins + (ends - begins) * keys.OVERDUE

    def _part(self, part: Part, *, present: bool, detail: str = "") -> None:
        """Tell how a part fares, if that has changed.

        The first time, too: a fault that an earlier process told may have ended meanwhile.
        """
        told = Trouble(part, present, detail if present else "")
        if self._told.get(part) != told:
            self._told[part] = told
            self._tell(told)


def _issued(held: Identity) -> Issued | None:
    """Return the certificate of an identity; None where it is damaged or not of its key."""
    try:
        found = keys.load(Path(held.file(CERTIFICATE)).read_bytes())
        matches = keys.belongs(found.leaf, Path(held.file(KEY)).read_bytes())
    except (OSError, ValueError):
        return None
    return found if matches else None
