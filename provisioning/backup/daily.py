"""When a hub leaves at the centre what a replacement needs, and when a replacement fetches it.

    first certificate of a home --GET--> what the hub of before left, or nothing
    then --PUT--> once a day; minutes after the list of devices has changed
    fails --> again, after 1 min to 6 h; a fault after 7 days

Nothing is stored before the centre has answered what there is, so a new hub, or one that comes
back, never overwrites what it should have got. What cannot be read is stored as it was last.

Ten thousand hubs that start together store over an hour: each wait is random.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.contract.provision import Fact, Part, Trouble
from hub.shared.anew import FILE as WAITING
from hub.shared.anew import awaited, is_damaged
from hub.shared.backoff import exponential_s
from hub.shared.county import County
from hub.shared.files import write_whole
from hub.shared.identity import AUTHORITY, CERTIFICATE, FOLDER, KEY, Identity, in_use
from provisioning.backup import kept
from provisioning.backup.mark import FILE, Mark, mark_of
from provisioning.enrol.client import Client
from provisioning.enrol.troubles import EnrolError, EnrolTrouble

log = logging.getLogger(__name__)
HOUR_S, DAY_S = 3600.0, 86_400.0
LEAST_S, MOST_S = 20 * HOUR_S, 28 * HOUR_S  # between two that are due to time alone
SOON_S, LOOK_S = 300.0, 60.0
FIRST_S, CAP_S = 60.0, 6 * HOUR_S
FAULT_S = 7 * DAY_S
NAMES = 150  # characters of names in a fault


def wait_s(mark: Mark, devices: str, now: float, chance: float, spread_s: float) -> float:
    """Return the seconds until the next store is due, of a hub that has just looked.

    `chance` is random, 0 to 1; `devices` is a hash of the list as it is now. A county's hubs start
    together after a power cut: what is due by then is spread over `spread_s`.
    """
    if mark.stored_utc is None or now < mark.stored_utc:
        return chance * spread_s
    due = mark.stored_utc + LEAST_S + chance * (MOST_S - LEAST_S) - now
    due = due if due > 0 else chance * spread_s
    return due if devices == mark.devices else min(due, SOON_S * (0.5 + chance))


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
        self._mark: Mark | None = None  # as it is, also where the disk does not take it
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
        with self._one:
            self._look(held)
        self._tell_parts(held.hub)

    def registering(self) -> None:
        """Ask anew before anything is stored: whoever was here meanwhile may have left more.

        It is called before a new identity is on the disk, since the power may be cut after that.
        """
        with self._one:
            self._due, self._failures = None, 0
            self._mark = replace(self._known(), asked=False)
            try:
                self._save(self._mark)
            except OSError as error:
                log.info("no backup: %s", error)

    def fetch(self) -> None:
        """Fetch at once what the hub of before left: there is a new identity. Never raises."""
        self.registering()
        self.look()

    def _known(self) -> Mark:
        return self._mark or mark_of(self._state)

    def _save(self, mark: Mark) -> None:
        """Keep the mark. Raises OSError; then what was known before holds."""
        write_whole(self._state / FILE, msgspec.json.encode(mark), 0o600)
        self._mark = mark

    def _look(self, held: Identity) -> None:
        mark = self._known()
        devices = kept.hash_of_list(self._state, mark.came) or mark.devices
        why = (held.hub, mark.hub, mark.asked, mark.stored_utc, devices, self._failures)
        if self._due is None or self._due[0] != why:
            asked = mark.asked and mark.hub == held.hub
            self._due = why, time.monotonic() + self._pause_s(mark, devices, asked=asked)
        if time.monotonic() < self._due[1]:
            return
        try:
            self._work(held, devices)
            self._failures = self._failures + 1 if self._known().trouble else 0
        except (EnrolError, kept.UnfitError, OSError) as error:
            log.info("no backup: %s", error)
            self._failures += 1
            self._mark = replace(self._known(), trouble=_trouble(error))
            with suppress(OSError):
                self._save(self._mark)

    def _work(self, held: Identity, devices: str) -> None:
        """Ask, or store. Raises EnrolError, UnfitError, OSError."""
        mark = self._known()
        if mark.hub != held.hub:
            if mark.hub:
                kept.forget(mark.came, self._state)
            mark = Mark(held.hub, self._utc())
            self._save(mark)
        with self._client(held) as client:
            step = self._stored(client, mark, devices) if mark.asked else self._asked(client, mark)
        self._save(step)

    def _pause_s(self, mark: Mark, devices: str, *, asked: bool) -> float:
        chance = random.random()  # noqa: S311 - it spreads requests, it is no secret
        if self._failures:
            grown_s = exponential_s(self._failures, first_s=FIRST_S, longest_s=CAP_S)
            return grown_s * (0.5 + chance / 2)
        if not asked:
            return 0.0
        return wait_s(mark, devices, self._utc(), chance, self._spread_s)

    def _asked(self, client: Client, mark: Mark) -> Mark:
        """Fetch what there is. Raises EnrolError, UnfitError, OSError.

        The mark of the files is on the disk before them: whatever a power cut leaves of them is
        known to be from there.
        """
        body = client.backup()
        if body:
            fresh = kept.unpack(body)
            files = kept.files_of(fresh, self._state, self._voice, mark.came)
            mark = replace(mark, came=mark.came | kept.hashes(files), came_utc=self._utc())
            self._save(mark)
            kept.put(files, self._state)
            log.info("what the hub of before had learned is here")
        return replace(mark, asked=True, offered=body is not None, days=0, trouble="")

    def _stored(self, client: Client, mark: Mark, devices: str) -> Mark:
        """Leave what there is now. Raises EnrolError, UnfitError.

        Where a part cannot be read, the others are stored beside what was stored of it last, and
        it counts as a failure: a new pendant must not wait for a card to be mended.
        """
        read = kept.collect(self._state, self._voice, mark.came, mark.had)
        found = read.kept
        if read.unread:
            log.warning("cannot be read: %s", ", ".join(read.unread.values()))
            last = client.backup()
            found = read.filled(kept.unpack(last) if last else kept.Kept())
        days = kept.days_of(found.habits) or 0
        if days < mark.days:
            log.warning("habits: %d days, and %d at the centre", days, mark.days)
            return replace(mark, asked=False)  # the hub has lost them: it gets them back
        offered = client.keep(kept.pack(found))
        had = [part for part in ("habits", "devices") if getattr(found, part)]
        mark = replace(mark, offered=offered, devices=devices, had=had, days=days)
        if read.unread:
            return replace(mark, trouble=EnrolTrouble.OWN_FILE)
        return replace(mark, stored_utc=self._utc(), trouble="")

    def _client(self, held: Identity) -> Client:
        known = [Path(self._county.ca), Path(held.file(AUTHORITY))]
        own = held.file(CERTIFICATE), held.file(KEY)
        return Client(self._county.center, known, own, utc=self._utc)

    def _tell_parts(self, hub: str) -> None:
        mark = self._known()
        overdue = mark.hub == hub and is_overdue(mark, self._utc())
        names = named([one.name for one in awaited(self._state)], NAMES)
        if is_damaged(self._state):
            names = WAITING
        for told in (
            Trouble(Part.BACKUP, overdue, mark.trouble if overdue else ""),
            Trouble(Part.BONDS, bool(names), names),
        ):
            if (
                self._told.get(told.part) != told
            ):  # the first time, too: it may have ended meanwhile
                self._told[told.part] = told
                self._tell(told)


def named(names: list[str], most: int) -> str:
    """Return the names in `most` characters; where they do not fit, with how many are left out."""
    told = ", ".join(names)
    shown = len(names)
    while len(told) > most:
        shown -= 1
        told = ", ".join([*names[:shown], f"+{len(names) - shown}"])
    return told


def _trouble(error: Exception) -> str:
    match error:
        case EnrolError(trouble=trouble):
            return trouble
        case kept.UnfitError():
            return EnrolTrouble.NEWER
        case _:
            return EnrolTrouble.NO_ROOM
