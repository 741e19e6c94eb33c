"""When a hub leaves at the centre what a replacement needs, and when a replacement fetches it.

    first certificate of a home --GET--> what the hub of before left, or nothing
    then --PUT--> once a day; minutes after the list of devices has changed
    fails --> again, after 1 min to 6 h; a fault after 7 days

Nothing is stored before the centre has answered what there is, so a new hub never overwrites what
it should have got. Ten thousand hubs that start together store over an hour: each wait is random.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract.provision import Fact, Part, Trouble
from hub.shared.anew import LIST, awaited
from hub.shared.backoff import exponential_s
from hub.shared.county import County
from hub.shared.files import write_whole
from hub.shared.identity import AUTHORITY, CERTIFICATE, FOLDER, KEY, Identity, in_use
from provisioning.backup import kept
from provisioning.enrol.client import Client
from provisioning.enrol.troubles import EnrolError

log = logging.getLogger(__name__)
FILE = "backup.json"
HOUR_S, DAY_S = 3600.0, 86_400.0
LEAST_S, MOST_S = 20 * HOUR_S, 28 * HOUR_S  # between two that are due to time alone
SOON_S, LOOK_S = 300.0, 60.0
FIRST_S, CAP_S = 60.0, 6 * HOUR_S
FAULT_S = 7 * DAY_S
NAMES = 150  # characters of names in a fault


class Mark(Struct, frozen=True):
    """What is known of the backup of `hub`: the file `backup.json`. Times are UTC seconds."""

    hub: str = ""
    since_utc: float = 0.0  # when it was first tried
    asked: bool = False  # the centre has said what there is
    came: dict[str, str] = {}  # files that came from there, with their hashes
    came_utc: float | None = None
    offered: bool = True  # False: this authority keeps nothing
    stored_utc: float | None = None
    devices: str = ""  # a hash of the list that was stored
    trouble: str = ""  # why the last try failed


def mark_of(state_dir: Path) -> Mark:
    """Read the mark; one that cannot be read counts as none."""
    try:
        return msgspec.json.decode((state_dir / FILE).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return Mark()


def wait_s(mark: Mark, devices: str, now: float, chance: float, spread_s: float) -> float:
    """Return the seconds until the next store is due, of a hub that has just looked.

    `chance` is random, 0 to 1; `devices` is a hash of the list as it is now. A county's hubs start
    together after a power cut: what is due by then is spread over `spread_s`.
    """
    if mark.stored_utc is None or now < mark.stored_utc:
        return chance * spread_s
    if devices != mark.devices:
        return SOON_S * (0.5 + chance)
    due = mark.stored_utc + LEAST_S + chance * (MOST_S - LEAST_S) - now
    return due if due > 0 else chance * spread_s


def is_overdue(mark: Mark, now: float) -> bool:
    """Whether it has failed for so long that a person should know."""
    last = mark.since_utc if mark.stored_utc is None else mark.stored_utc
    return bool(mark.trouble) and mark.offered and now - last >= FAULT_S


class Backups:
    """One hub's backups. `tell` takes what the hub is to know; it may be called in a thread."""

    def __init__(
        self,
        folders: tuple[Path, Path],
        county: County,
        board: str,
        tell: Callable[[Fact], None],
        *,
        spread_s: float = HOUR_S,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._state, self._voice = folders
        self._spread_s = spread_s
        self._county, self._board, self._tell, self._utc = county, board, tell, utc
        self._one = threading.Lock()  # enrolment fetches in a thread of its own
        self._failures = 0
        self._due: tuple[object, float] | None = None  # why, and when by the steady clock
        self._told: dict[Part, Trouble] = {}

    async def run(self) -> None:
        """Look once a minute, for ever."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(min(LOOK_S, self._spread_s + 1.0))

    def look(self) -> None:
        """Do what is due; blocking. Nothing that fails is raised."""
        held = in_use(self._state / FOLDER)
        if held is None or not held.fits(self._board) or not self._county.center:
            return
        try:
            with self._one:
                self._look(held)
        except OSError as error:
            log.info("no backup: %s", error)
        self._tell_parts(held.hub)

    def fetch(self) -> None:
        """Fetch at once what the hub of before left: there is a new identity. Never raises."""
        self._due, self._failures = None, 0
        self.look()

    def _look(self, held: Identity) -> None:
        mark = mark_of(self._state)
        if mark.hub != held.hub:
            kept.forget(mark.came, self._state) if mark.came else None
            mark = Mark(held.hub, self._utc())
            self._due = None
        devices = self._devices()
        why = (mark.hub, mark.asked, mark.stored_utc, devices, self._failures)
        if self._due is None or self._due[0] != why:
            self._due = why, time.monotonic() + self._pause_s(mark, devices)
        if time.monotonic() < self._due[1]:
            return
        try:
            with self._client(held) as client:
                mark = (
                    self._stored(client, mark, devices) if mark.asked else self._asked(client, mark)
                )
            self._failures = 0
        except EnrolError as error:
            self._failures += 1
            mark = replace(mark, trouble=str(error.trouble))
            log.info("no backup: %s", error)
        write_whole(self._state / FILE, msgspec.json.encode(mark), 0o600)

    def _pause_s(self, mark: Mark, devices: str) -> float:
        chance = random.random()  # noqa: S311 - it spreads requests, it is no secret
        if self._failures:
            grown_s = exponential_s(self._failures, first_s=FIRST_S, longest_s=CAP_S)
            return grown_s * (0.5 + chance / 2)
        if not mark.asked:
            return 0.0
        return wait_s(mark, devices, self._utc(), chance, self._spread_s)

    def _asked(self, client: Client, mark: Mark) -> Mark:
        """Fetch what there is. Raises EnrolError, OSError."""
        body = client.backup()
        came: dict[str, str] = {}
        if body:
            try:
                came = kept.restore(kept.unpack(body), self._state, self._voice)
                log.info("what the hub of before had learned is here")
            except kept.UnfitError as error:
                log.warning("what the hub of before had left cannot be read: %s", error)
        came_utc = self._utc() if came else None
        return replace(mark, asked=True, offered=body is not None, came=came, came_utc=came_utc,
                       trouble="")  # fmt: skip

    def _stored(self, client: Client, mark: Mark, devices: str) -> Mark:
        """Leave what there is now. Raises EnrolError."""
        body = kept.pack(kept.collect(self._state, self._voice))
        offered = client.keep(body) if len(body) <= kept.BODY_BYTES else False
        return replace(mark, offered=offered, stored_utc=self._utc(), devices=devices, trouble="")

    def _client(self, held: Identity) -> Client:
        known = [Path(self._county.ca), Path(held.file(AUTHORITY))]
        own = held.file(CERTIFICATE), held.file(KEY)
        return Client(self._county.center, known, own, utc=self._utc)

    def _devices(self) -> str:
        try:
            return sha256((self._state / LIST).read_bytes()).hexdigest()
        except OSError:
            return ""

    def _tell_parts(self, hub: str) -> None:
        mark = mark_of(self._state)
        overdue = mark.hub == hub and is_overdue(mark, self._utc())
        names = ", ".join(one.name for one in awaited(self._state))[:NAMES]
        for told in (
            Trouble(Part.BACKUP, overdue, mark.trouble if overdue else ""),
            Trouble(Part.BONDS, bool(names), names),
        ):
            if (
                self._told.get(told.part) != told
            ):  # the first time, too: it may have ended meanwhile
                self._told[told.part] = told
                self._tell(told)
