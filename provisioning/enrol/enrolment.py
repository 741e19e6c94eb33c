"""What a hub does for its identity: it asks for one, renews it, and says what keeps it from that.

    none, another board's, struck off --ask--> waiting (digits) --typed at the centre--> identity
    identity --a third of its life--> renew (mTLS) --ok--> `next`, for the hub's own next dial
                                        '--fails--> again, after 1 min to 6 h
    expired, or not valid yet --> renew, too: the centre allows it for 90 days more
    no generation is accepted --> ask, and keep them; each is shown again once an hour

`next` is shown before the current one, since the hub dials with it first.

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
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from msgspec import Struct

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
    generations,
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
LOOK_S = 3600.0  # between two looks at the centre's time
CLOCK_OFF_S = 60.0  # an alarm's time would be wrong by so much
DAY_S = 86_400.0  # between two looks at the authorities
NO = {EnrolTrouble.REFUSED, EnrolTrouble.OWN_REFUSED, EnrolTrouble.REVOKED}  # of a certificate
FOR_EVER = {"not_ours", "superseded", "lapsed"}  # words of `center.domain.enrolment`


class Verdict(Struct, frozen=True):
    """That the centre does not accept a generation; it is shown again at `again_at`, steady clock.

    `works`: what its dates said then.
    """

    trouble: EnrolTrouble
    again_at: float
    works: bool


Ways = list[tuple[Identity, Issued]]


def _nothing_more() -> None:
    """Do nothing between the certificate and the hub's new beginning."""


class Enrolment:
    """One hub's way to its certificate. `tell` takes what the hub is to know.

    `registering` is called in a thread before a new identity is on the disk, `registered` as soon
    as it is, before the hub is told of it.
    """

    def __init__(  # noqa: PLR0913 - its clocks, for tests
        self,
        root: Path,
        county: County,
        board: str,
        tell: Callable[[Fact], None],
        *,
        synced: Callable[[], bool] = clock_synced,
        utc: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._county, self._board, self._tell = root, county, board, tell
        self.registering: Callable[[], None] = _nothing_more
        self.registered: Callable[[], None] = _nothing_more
        self._synced, self._utc, self._steady = synced, utc, steady
        self._failures, self._hurry = 0, asyncio.Event()
        self._compared: tuple[float, float] | None = None  # see `_ahead_s`
        self._claims = False  # this step asks for digits
        self._said = Claiming()
        self._no: dict[int, Verdict] = {}  # by the generation's number
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
        self._claims = False
        store.adopt(self._root, self._board)
        held = in_use(self._root)
        if held is not None and self._ahead_s is None and not self._synced():
            with self._client() as client:  # before a clock that may be years off condemns it
                client.clock()
                self._tell_clock(client.ahead_s)
        ways = self._ways(held)
        pause_s = self._keep(ways)
        if pause_s is not None:
            return pause_s
        self._tell_why(held, ways)
        self._claims = True
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
        self._say(Claiming())
        self._tell(Claimed(found.hub))
        for part in (Part.IDENTITY, Part.BOARD):
            self._part(part, present=False)
        return LOOK_S if self._works(found) else RENEW_FIRST_S

    def _waiting(self, found: Waiting) -> None:
        if found.digits != self._said.digits:
            log.info("the centre waits for the digits")
        self._say(Claiming(found.digits))

    def _say(self, claiming: Claiming) -> None:
        self._said = claiming
        self._tell(claiming)

    # renewal

    def _ways(self, held: Identity | None) -> Ways:
        """Return what the hub may dial with, the newest first: of this board, and not damaged."""
        found = {one.number: one for one in (read(self._root, NEXT), held) if one is not None}
        fitting = (found[n] for n in sorted(found, reverse=True) if found[n].fits(self._board))
        return [(one, issued) for one in fitting if (issued := _issued(one)) is not None]

    def _keep(self, ways: Ways) -> float | None:
        """Look after the newest identity that the centre accepts; return when to look again.

        None: it accepts none, so that only a person helps. Raises EnrolError, OSError.
        """
        refusal, vague = None, False
        for held, issued in ways:
            if self._rests(held, issued):
                continue
            try:
                return self._look_after(held, issued)
            except EnrolError as error:
                if error.trouble not in NO:
                    raise
                refusal = error.with_traceback(None)  # which would keep the connection
                if self._is_final(error, issued):
                    self._condemn(held, issued, error.trouble)
                else:
                    vague = True
        if refusal is None or refusal.trouble is EnrolTrouble.REVOKED:
            return None
        pause_s = self._renew_by_the_one_before(ways)
        if pause_s is None and vague:
            raise refusal
        return pause_s

    def _is_final(self, error: EnrolError, issued: Issued) -> bool:
        """Whether a refusal is more than a renewal's that may be a proxy's or another server's."""
        if error.trouble is not EnrolTrouble.REFUSED or not self._works(issued):
            return True
        return error.reason in FOR_EVER

    def _condemn(self, held: Identity, issued: Issued, trouble: EnrolTrouble) -> None:
        again_at = self._steady() + LOOK_S
        self._no[held.number] = Verdict(trouble, again_at, self._works(issued))

    def _rests(self, held: Identity, issued: Issued) -> bool:
        """Whether the centre has refused it, and nothing has changed since."""
        no = self._no.get(held.number)
        return no is not None and self._steady() < no.again_at and no.works == self._works(issued)

    def _goes_on(self, held: Identity, issued: Issued) -> bool:
        return held.number not in self._no and self._works(issued)

    def _look_after(self, held: Identity, issued: Issued, *, renews: bool = False) -> float:
        """Renew a certificate that is due, or that has to be; return when to look again."""
        with self._client(held) as client:
            client.clock()
            self._tell_clock(client.ahead_s)
            if client.refusal is not None:
                raise client.refusal
            left_s = (issued.renewed_at() - self._now()).total_seconds()
            is_sound = self._works(issued) and _knows_brokers(held)
            if not renews and left_s > 0 and is_sound:
                self._is_well(held)
                self._refresh(client, held)
                return min(left_s, LOOK_S)
            found = self._renew(client, held)
        log.info("the certificate of %s is renewed until %s", found.hub, found.ends)
        self._is_well(held)
        if found.hub != held.hub:
            self._tell(Claimed(found.hub))
        return LOOK_S

    def _renew(self, client: Client, held: Identity) -> Issued:
        """Fetch the certificate that follows. Raises EnrolError, OSError.

        Where an answer was lost the centre gives the same again, which may have ended meanwhile: a
        new key gets another.
        """
        found = self._fetch(client, held)
        if not self._works(found):
            store.forget(self._root, self._board)
            found = self._fetch(client, held)
        if not self._works(found):
            store.forget(self._root, self._board)
            said = f"{found.leaf.not_valid_before_utc} to {found.ends}"
            raise EnrolError(EnrolTrouble.UNREADABLE, said)
        self._take(client, self._pending(held.hub), found)
        return found

    def _fetch(self, client: Client, held: Identity) -> Issued:
        asked = self._pending(held.hub)
        found = client.enrol(asked.request, asked.key, again=True)
        if isinstance(found, Waiting):
            raise EnrolError(EnrolTrouble.BUSY, "202", max(found.after_s, RENEW_FIRST_S))
        return found

    def _renew_by_the_one_before(self, ways: Ways) -> float | None:
        """Renew by an older certificate: a centre that was restored knows none that came after it.

        Raises EnrolError, OSError.
        """
        newest, _ = ways[0]
        for number in generations(self._root):
            one = read(self._root, str(number))
            issued = _issued(one) if one is not None and one.fits(self._board) else None
            if one is None or issued is None or one.hub != newest.hub:
                continue
            if any(issued.leaf == known.leaf for _, known in ways):
                continue
            try:
                return self._look_after(one, issued, renews=True)
            except EnrolError as error:
                if error.trouble not in NO:
                    raise
        return None

    def _is_well(self, held: Identity) -> None:
        """Tell that the centre accepts an identity: nobody has to type digits."""
        self._no.pop(held.number, None)
        self._part(Part.IDENTITY, present=False)
        if self._said != Claiming():
            self._say(Claiming())

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
        """Return the request that is under way, or begin one with a new key.

        One to renew is given up for a claim: of its key the centre may have a certificate.
        """
        asked = store.pending(self._root, self._board)
        if asked is not None and name == keys.UNNAMED != keys.name_of(asked.request):
            store.forget(self._root, self._board)
            asked = None
        if asked is None:
            key = keys.new_key()
            asked = store.begin(self._root, self._board, key, keys.request(key, name))
        return asked

    def _client(self, held: Identity | None = None) -> Client:
        own = (held.file(CERTIFICATE), held.file(KEY)) if held else None
        if not self._county.center:
            raise EnrolError(EnrolTrouble.NOT_SET_UP)
        known = [Path(self._county.ca)]
        if held is not None and _knows_brokers(held):  # by the authority's successor, perhaps
            known.append(Path(held.file(AUTHORITY)))
        return Client(self._county.center, known, own, self._synced, self._utc)

    # time, troubles

    @property
    def _ahead_s(self) -> float | None:
        """By how much this clock is ahead of the centre's, as it said last.

        None: it did not say it yet, or this clock was set since.
        """
        if self._compared is None:
            return None
        ahead_s, between_s = self._compared
        is_as_it_was = abs(self._utc() - self._steady() - between_s) < CLOCK_OFF_S
        return ahead_s if is_as_it_was else None

    def _now(self) -> datetime:
        """Return the centre's time as far as it is known, or this clock's."""
        return datetime.fromtimestamp(self._utc() - (self._ahead_s or 0.0), UTC)

    def _tell_clock(self, ahead_s: float | None) -> None:
        if ahead_s is None:
            return
        self._compared = ahead_s, self._utc() - self._steady()
        self._tell(Clock(round(ahead_s, 1)))
        self._part(Part.CLOCK, present=abs(ahead_s) > CLOCK_OFF_S, detail=f"{ahead_s:.0f} s")

    def _failed(self, error: EnrolError) -> float:
        """Tell a failure; return the wait before it is tried again."""
        log.info("%s", error)
        self._failures += 1
        if error.trouble in {EnrolTrouble.OTHER_KEY, EnrolTrouble.REVOKED}:
            store.forget(self._root, self._board)  # it would come again for the same key
        if error.trouble is EnrolTrouble.NO_ROOM:
            self._part(Part.DISK, present=True, detail=error.detail[:200])
        held = in_use(self._root)
        ways = self._ways(held)
        good = next((issued for one, issued in ways if self._goes_on(one, issued)), None)
        claims = self._claims or good is None
        if claims:
            self._tell_why(held, ways)
            self._say(Claiming(trouble=error.trouble))
        elif good is not None and self._is_overdue(good):
            self._part(Part.IDENTITY, present=True, detail=error.trouble)
        first, cap = (CLAIM_FIRST_S, CLAIM_CAP_S) if claims else (RENEW_FIRST_S, RENEW_CAP_S)
        jitter = 0.5 + random.random() / 2  # noqa: S311 - it spreads requests, it is no secret
        wait_s = exponential_s(self._failures, first_s=first, longest_s=cap) * jitter
        return max(wait_s, error.after_s)

    def _tell_why(self, held: Identity | None, ways: Ways) -> None:
        """Tell why there is no identity to go on with; one that never was is no fault."""
        if held is None:
            if known_name(self._root):  # it has been registered before
                self._part(Part.IDENTITY, present=True, detail=EnrolTrouble.NO_IDENTITY)
        elif not held.fits(self._board):
            self._part(Part.BOARD, present=True, detail=EnrolTrouble.OTHER_BOARD)
        else:
            self._part(Part.IDENTITY, present=True, detail=self._why(ways))

    def _why(self, ways: Ways) -> EnrolTrouble:
        said = [no.trouble for one, _ in ways if (no := self._no.get(one.number))]
        dated = [issued for _, issued in ways if self._works(issued)]
        if not ways:
            return EnrolTrouble.OTHER_KEY
        if EnrolTrouble.REVOKED in said:
            return EnrolTrouble.REVOKED
        if said and dated:
            return said[0]
        is_over = any(issued.ends <= self._now() for _, issued in ways)
        return EnrolTrouble.EXPIRED if is_over else EnrolTrouble.NOT_YET_VALID

    def _works(self, issued: Issued) -> bool:
        """Whether it is valid now, as far as a clock can be believed."""
        if self._ahead_s is None and not self._synced():
            return True
        begins = issued.leaf.not_valid_before_utc - timedelta(seconds=CLOCK_OFF_S)
        return begins <= self._now() < issued.ends

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


def _knows_brokers(held: Identity) -> bool:
    """Whether its authorities can be read: without them the hub dials with it in vain."""
    try:
        return bool(x509.load_pem_x509_certificates(Path(held.file(AUTHORITY)).read_bytes()))
    except (OSError, ValueError):
        return False


def _issued(held: Identity) -> Issued | None:
    """Return the certificate of an identity; None where it is damaged or not of its key."""
    try:
        found = keys.load(Path(held.file(CERTIFICATE)).read_bytes())
        matches = keys.belongs(found.leaf, Path(held.file(KEY)).read_bytes())
    except (OSError, ValueError):
        return None
    return found if matches else None
