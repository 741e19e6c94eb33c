"""Hubs that are struck off: what the broker's helper reads is written at once, and each day.

struck off -> broker_dir/denied, crl.pem -> `anbu broker-reload`: the session ends (decision 0051)
"""

import asyncio
import logging
from pathlib import Path

from center.authority import signing
from center.domain.enrolment import Reason
from center.service import leases
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.service.strangers import Registry
from center.store.rows import revocations
from hub.shared.files import to_disk, write_whole

DAY_S = 86_400.0
DENIED, CRL = "denied", "crl.pem"  # as `provisioning.broker.revocation` reads them

log = logging.getLogger(__name__)


async def strike_off(desk: Desk, hub: str, by: str, reason: Reason) -> bool:
    """Strike a hub off; False where it is already, or nobody knows it."""
    done = await desk.store.change(revocations.strike_off, hub, desk.clock(), by, reason)
    if done:
        await leases.drop(desk, hub)
        desk.feed.tell(Update(Topic.HUB, hub))
    return done


class Writer:
    """Writes the files for the broker when something changed, and when they are a day old."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._folder = Path(registry.settings.broker_dir)
        self._mark: tuple[object, ...] | None = None
        self._written_utc = 0.0
        self._failed = False

    async def look(self, desk: Desk) -> bool:
        """Write if it is due; return whether it was. A folder that fails is logged once."""
        now = desk.clock()
        mark = await desk.store.ask(revocations.mark)
        if mark == self._mark and 0 <= now - self._written_utc < DAY_S:
            return False
        standing = await desk.store.ask(revocations.standing, now)
        try:
            await asyncio.to_thread(self._write, standing, now)
        except OSError as error:
            if not self._failed:
                log.error("the broker is not told who is struck off: %s", error)  # noqa: TRY400
            self._failed = True
            return False
        self._mark, self._written_utc, self._failed = mark, now, False
        self._registry.list_utc = now
        return True

    def _write(self, standing: revocations.Standing, now: float) -> None:
        """The list goes first: what is denied then cannot come back by it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        made = signing.revocation_list(self._registry.authority, dict(standing.revoked), now)
        write_whole(self._folder / CRL, made, 0o644)
        lines = "".join(f"{hub}\n" for hub in standing.denied)
        write_whole(self._folder / DENIED, lines.encode(), 0o644)
        to_disk(self._folder)
