"""The composition root: the only module that knows everyone.

Start order: drivers first (the help button is armed and its facts queue), then the outbox, then
READY, and only then the network.
"""

import asyncio
import signal
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from hub.clocks import SystemClocks
from hub.config import Config, rules_of
from hub.contract.messages import Availability
from hub.core import decide
from hub.core.alarm import delivery
from hub.core.model.activity import FRESH
from hub.core.model.driver import Driver
from hub.core.model.effects import Effect, Lane, Order, Show
from hub.core.model.events import Event, Measured, Started, StorageTrouble
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.core.supervision import faults, snapshot
from hub.diary import Diary
from hub.engine import RETRY_S, Engine
from hub.installer import LinkSight, Proof
from hub.link.reconnect import Link
from hub.outbox import habits_file
from hub.outbox import snapshot as health
from hub.outbox.store import Row
from hub.outbox.thread import Found, Journal
from hub.process import watchdog
from hub.process.blackbox import BlackBox
from hub.process.supervisor import Supervisor
from hub.shared import system
from hub.shared.messages import messages

ENDS, END_S = 2, 1.0


class _Past(Struct, frozen=True):
    """All that the disk knows of a home."""

    found: Found
    learned: habits_file.Learned | None  # None: the file cannot be read, so it must not be written


class Hub:
    """The parts, put together."""

    def __init__(self, config: Config, drivers: tuple[Driver, ...]) -> None:
        system.keep_one()
        self.config, self.clocks = config, SystemClocks(config.zone_h * 3600.0)
        self.rules = rules_of(config, version("anbu-hub"), drivers)
        self.journal = Journal(
            Path(config.state_dir) / "outbox.db",
            patience_s=config.outbox.patience_s,
            telemetry_rows=config.outbox.telemetry_rows,
        )
        self.engine = Engine(HomeState(), self.rules, self.journal, self.clocks, self)
        said = messages("hub", config.language)["say"]
        self.supervisor = Supervisor(drivers, self.engine.emit, self.clocks.at, said)
        self._habits = Path(config.state_dir) / "habits.bin"
        self.memory: habits_file.Memory | None = None
        self.proof = Proof(Path(config.run_dir) / "hub.sock", self._look, self._look_at_link)
        self.diary = Diary(config.language, self.clocks.at)
        self.link: Link | None = None
        self.blackbox: BlackBox | None = None
        self._started: Started | None = None  # once the home was begun with

    async def run(self) -> None:
        """Work until cancelled; raise what no restart of a part can mend."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run())
            await self._recover()
            group.create_task(self.engine.run())
            group.create_task(self._await_disk())
            await self.supervisor.settled(within_s=2.0)
            system.settle()
            watchdog.ready()
            group.create_task(self._heartbeat())
            group.create_task(self._telemetry())
            group.create_task(self._learn())
            group.create_task(self.proof.run())
            self.link = Link(self.config.mqtt, self.config.hub, self.engine.post, self._will)
            self.engine.post.carrier = self.link
            await self.link.run()

    async def leave(self) -> None:
        """End cleanly: the disk has all, and the broker knows that it is no loss."""
        watchdog.stopping()
        await self._take_up()  # else what was called for meanwhile has no file to go to
        await self.engine.flush()
        if self.memory:
            await self.memory.save(self.engine.state.habits)
        if self.link:
            await self.link.leave(self._state(Availability.DISCONNECTED))
        self.journal.close()
        if self.blackbox:
            self.blackbox.close()

    # What the engine performs through (hub.engine.Outlets).

    def tell(self, order: Order) -> None:
        """Hand an order to the drivers."""
        self.supervisor.tell(order)
        if isinstance(order, Show):
            self.diary.shows(order.signal)
            watchdog.status(f"signal {order.signal}")

    def pet(self) -> None:
        """Feed the watchdog."""
        watchdog.pet()

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Log trouble; keep the decision in the black box, whose own trouble only ends it."""
        self.diary.note(event)
        self.proof.note(event)
        if self.blackbox:
            self.blackbox.record(event, effects, self.engine.state, self.rules)

    async def _recover(self) -> None:
        """Begin with what the disk tells, or for now with nothing where it does not answer."""
        past, started = await self._past(), self.clocks.started()
        self.engine.begin(self._recovered(past, started), started, past.found if past else None)
        self._started = started
        self._remember(past)
        settings = self.config.blackbox
        if settings.file_mb:
            folder = Path(self.config.state_dir) / "blackbox"
            self.blackbox = BlackBox(folder, file_mb=settings.file_mb, files=settings.files)
            self.blackbox.begin(self.rules, self.engine.state)

    async def _await_disk(self) -> None:
        """Read a disk that could not be read at start as soon as it can be: it may hold an SOS."""
        while not self.journal.known:
            await self.journal.answer(RETRY_S)
            await self._take_up()

    async def _take_up(self) -> None:
        """Take up what the disk holds, if that was not done yet and it can be read now."""
        if self._started is None or self.journal.known:
            return
        past = await self._past()
        if past is None or self.journal.known:  # by another task, while this one read
            return
        self.engine.absorb(self._recovered(past, self._started), past.found)
        self._remember(past)
        if self.blackbox:
            self.blackbox.begin(self.rules, self.engine.state)

    async def _past(self) -> "_Past | None":
        """Read all that the disk knows of this home, or nothing; nothing is taken up by it."""
        found = await self.journal.read()
        if found is None:
            return None
        learned, trouble = await habits_file.read(self._habits, self.journal)
        return None if trouble is StorageTrouble.SLOW else _Past(found, learned)

    def _recovered(self, past: "_Past | None", started: Started) -> HomeState:
        """Fit what is known to this process; a home of which nothing can be read was lived in."""
        if past is None:
            return decide.recover(HomeState(), started, (), lived_in=True)
        learned = past.learned or habits_file.Learned(FRESH, (habits_file.HABITS,))
        lost = (*past.found.lost, *learned.lost)
        known = replace(health.decode(past.found.snapshot, *lost), habits=learned.habits)
        unsent = [row.id for row in self.journal.unsettled(past.found)]
        known = delivery.backed(known, unsent, self.journal.settled())
        return decide.recover(known, started, unsent, lived_in=snapshot.FAULT in known.faults)

    def _remember(self, past: "_Past | None") -> None:
        """Write from now on what the home teaches, since it is known what it taught before."""
        if past is not None and past.learned is not None:
            self.memory = habits_file.Memory(self._habits, self.journal, past.learned.habits)

    async def _heartbeat(self) -> None:
        """Look after oneself, and let a heartbeat travel the whole way only if all is well."""
        interval_s = watchdog.interval_s()
        while True:
            hung = self.supervisor.hung()
            if not hung and await self.journal.probe():
                self.engine.emit(self.clocks.heartbeat())
            else:
                self.diary.beats(*hung)
            await asyncio.sleep(interval_s)

    async def _learn(self) -> None:
        """Save what was learned now and then."""
        while True:
            await asyncio.sleep(habits_file.EVERY_S)
            if self.memory:
                await self.memory.save(self.engine.state.habits)

    async def _telemetry(self) -> None:
        while True:
            await asyncio.sleep(self.config.telemetry_s)
            refused = self.engine.post.refused
            readings = health.readings() | {f"refused_{k}": float(n) for k, n in refused.items()}
            readings["decided"] = float(self.engine.decided)
            self.engine.emit(Measured(self.clocks.at(), readings, self.journal.dropped))

    def _look(self) -> tuple[HomeState, Rules, float]:
        return self.engine.state, self.rules, self.clocks.at()

    def _look_at_link(self) -> LinkSight:
        link, center = self.link, self.engine.post.center
        broker = link.broker if link else ""
        trouble = str(link.trouble or "") if link else ""
        database, online = (center.database, center.online) if center else ("", False)
        return LinkSight(True, self.config.hub, broker, trouble, database, online)  # noqa: FBT003

    def _will(self) -> bytes:
        return self._state(Availability.LOST).payload

    def _state(self, availability: Availability) -> Row:
        told = faults.state_message(self.engine.state, availability, self.clocks.at(), self.rules)
        return Row(0, told.id, Lane.LIVE, told.topic, told.payload, retain=True)


async def serve(config: Config, drivers: tuple[Driver, ...]) -> None:
    """Run a hub until SIGTERM or SIGINT; raise what no restart of a part can mend."""
    hub = Hub(config, drivers)
    running = asyncio.ensure_future(hub.run())
    wanted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, wanted.set)
    ending = asyncio.ensure_future(wanted.wait())
    await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await hub.leave()
    ending.cancel()
    for _ in range(ENDS):  # a part that swallows its cancellation gets another
        running.cancel()
        await asyncio.wait({running}, timeout=END_S)
    if running.done():  # else `asyncio.run` cancels each task by itself
        with suppress(asyncio.CancelledError):
            await running
