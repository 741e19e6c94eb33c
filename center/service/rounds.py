"""The rounds: the centre's periodic jobs."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from sqlalchemy.exc import SQLAlchemyError

from center.domain.hub import AHEAD_S, Seen, seen
from center.service import (
    announcements,
    homes,
    incidents,
    own_faults,
    retention,
    revocation,
    vitals,
)
from center.service.desk import Desk
from center.service.feed import Topic, Update
from center.store.rows import hubs
from center.store.store import write_probe

TAKES_S = 1.0
ORDERS_S = 1.0
THREADS_S = 2.0
CLOCK_S = 1.0
HUBS_S = 5.0
COUNTS_S = 10.0
FAULTS_S = 60.0
PRUNE_S = 600.0
REVOKED_S = 1.0

log = logging.getLogger(__name__)


class DiedError(RuntimeError):
    """A thread that the centre needs is gone; the process must end."""


async def run(desk: Desk) -> None:
    """Run all rounds until cancelled, or until a `DiedError`."""
    async with asyncio.TaskGroup() as group:
        group.create_task(watch_threads(desk))
        group.create_task(test_store(desk))
        group.create_task(give_back(desk))
        group.create_task(order_announcements(desk))
        group.create_task(order_limits(desk))
        group.create_task(watch_clock(desk))
        group.create_task(watch_hubs(desk))
        group.create_task(ease_faults(desk))
        group.create_task(keep_counts(desk))
        group.create_task(prune(desk))
        group.create_task(publish_revocations(desk))


async def watch_threads(desk: Desk) -> None:
    """End all rounds when the store's or the link's thread has died."""
    async for _ in _every(THREADS_S):
        if desk.store.has_died() or desk.link.has_died():
            message = "the store has died" if desk.store.has_died() else "the link has died"
            raise DiedError(message)


async def test_store(desk: Desk) -> None:
    """Try a commit while the last one failed: on a quiet day there may be no other."""
    async for _ in _every(THREADS_S):
        if not desk.store.state().ok:
            with contextlib.suppress(SQLAlchemyError):  # the store has logged it
                await desk.store.change(write_probe, desk.clock())


async def give_back(desk: Desk) -> None:
    """Make incidents free that their holders forgot or do not answer, and tell everybody."""
    patience = desk.settings.center.patience
    async for _ in _every(TAKES_S):
        try:
            if await desk.store.ask(incidents.any_due, desk.clock(), patience):
                back = await desk.store.change(incidents.give_back, desk.clock(), patience)
                for incident in back:
                    incidents.tell(desk, incident)
        except SQLAlchemyError as error:
            log.warning("forgotten takes wait: %s", type(error).__name__)


async def order_announcements(desk: Desk) -> None:
    """Send announcements to the hubs that have not taken them yet."""
    async for _ in _every(ORDERS_S):
        try:
            await announcements.order_due(desk)
        except SQLAlchemyError as error:
            log.warning("announcements wait: %s", type(error).__name__)


async def order_limits(desk: Desk) -> None:
    """Send limits to the hubs that do not have them yet."""
    async for _ in _every(ORDERS_S):
        try:
            await vitals.order_due(desk)
        except SQLAlchemyError as error:
            log.warning("limits wait: %s", type(error).__name__)


async def watch_clock(desk: Desk, steady: Callable[[], float] = time.monotonic) -> None:
    """Detect that the server's clock was set back, and move the times of hubs back with it."""
    ahead = desk.clock() - steady()
    async for _ in _every(CLOCK_S):
        now = desk.clock()
        step_s, ahead = now - steady() - ahead, now - steady()
        if step_s > -AHEAD_S:
            continue
        log.warning("the clock was set back by %.0f s", -step_s)
        try:
            await desk.store.change(hubs.set_back, -step_s, now)
        except SQLAlchemyError as error:
            log.warning("hubs look lost until they speak: %s", type(error).__name__)


async def watch_hubs(desk: Desk) -> None:
    """Update the pages when a hub is lost or back, which no message says.

    Equipment that fails for too long becomes a task; when it works again, the task ends.
    """
    before: dict[str, Seen] = {}
    async for _ in _every(HUBS_S):
        try:
            known = await desk.store.ask(hubs.known)
        except SQLAlchemyError as error:
            log.warning("the hubs were not looked at: %s", type(error).__name__)
            continue
        now, listening_utc = desk.clock(), desk.link.listening_utc
        found = {hub.hub: seen(hub, now, listening_utc) for hub in known}
        for name, state in found.items():
            if before.get(name, state) is not state:
                desk.feed.tell(Update(Topic.HUB, name))
        before = found
        try:
            await homes.follow_trouble(desk, known, now, listening_utc)
        except SQLAlchemyError as error:
            log.warning("what fails was not made a task: %s", type(error).__name__)


async def ease_faults(desk: Desk) -> None:
    """End the centre's own faults of hubs that it does not see any more."""
    async for _ in _every(FAULTS_S):
        try:
            for hub in await desk.store.change(own_faults.ease, desk.clock()):
                desk.feed.tell(Update(Topic.HUB, hub))
        except SQLAlchemyError as error:
            log.warning("what is over still shows: %s", type(error).__name__)


async def keep_counts(desk: Desk) -> None:
    """Store the counters of refused messages when they have changed."""
    written = desk.tally.refused()
    async for _ in _every(COUNTS_S):
        counts = desk.tally.refused()
        if counts == written:
            continue
        try:
            await desk.store.change(hubs.keep_refused_counts, counts, desk.clock())
            written = counts
        except SQLAlchemyError as error:
            log.warning("counts were not written: %s", type(error).__name__)


async def publish_revocations(desk: Desk) -> None:
    """Tell the broker which hubs were struck off, within seconds."""
    written: revocation.Written | None = None
    async for _ in _every(REVOKED_S):
        try:
            written = await revocation.publish(desk, written)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the broker does not know who is struck off: %s", type(error).__name__)


async def prune(desk: Desk) -> None:
    """Delete rows that are older than their table's rule allows (see `retention`).

    Readings of a home whose resident took back the consent are deleted whatever their age.
    """
    async for _ in _every(PRUNE_S):
        try:
            await vitals.forget_unwanted(desk)
        except SQLAlchemyError as error:
            log.warning("readings without consent stay: %s", type(error).__name__)
        try:
            at = await desk.store.change(retention.advance, desk.clock())
        except SQLAlchemyError as error:
            log.warning("what is old stays: %s", type(error).__name__)
            continue
        for rule in retention.RULES:
            try:
                await forget(desk, rule, at)
            except SQLAlchemyError as error:
                log.warning("what is old stays in %s: %s", rule.table.name, type(error).__name__)


async def forget(desk: Desk, rule: retention.Rule, at: float) -> int:
    """Delete the rows of one rule as of `at`, batch by batch; return how many."""
    center, gone = desk.settings.center, 0
    while keys := await desk.store.ask(retention.due, rule, center, at):
        dropped = await desk.store.change(retention.drop, rule, center, at, keys)
        gone += dropped
        if not dropped:
            break  # what was due is not due any more
    return gone


async def _every(seconds: float) -> AsyncIterator[None]:
    while True:
        yield
        await asyncio.sleep(seconds)
