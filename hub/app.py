"""The composition root: the only module that knows everyone.

Start order: drivers first (the help button is armed and its facts queue), then the outbox, then
READY, and only then the network.
"""

import asyncio
import logging
import signal
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from msgspec.structs import replace

from hub import health, heap, watchdog
from hub.blackbox import BlackBox
from hub.clocks import SystemClocks
from hub.config import Config, rules_of
from hub.core import devices, home
from hub.core.driver import Driver
from hub.core.effects import Effect, Lane, Order, Show
from hub.core.events import (
    BrokerRefused,
    DriverFailed,
    Event,
    LinkDown,
    LinkUp,
    Measured,
    Started,
    StorageFailed,
    StorageRecovered,
)
from hub.core.payloads import Availability
from hub.core.rules import Rules
from hub.core.state import HomeState
from hub.engine import RETRY_S, Engine
from hub.journal import Journal
from hub.link import Link
from hub.memory import Memory
from hub.outbox import Row
from hub.proof import LinkSight, Proof
from hub.supervisor import Supervisor
from hub.texts import messages

LOG = logging.getLogger("anbu")
TROUBLE = (DriverFailed, LinkUp, LinkDown, BrokerRefused, StorageFailed, StorageRecovered)


class Hub:
    """The parts, put together."""

    def __init__(self, config: Config, drivers: tuple[Driver, ...]) -> None:
        heap.keep_one()
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
        self.memory = Memory(Path(config.state_dir) / "habits.bin", self.journal)
        self.proof = Proof(Path(config.run_dir) / "hub.sock", self._look, self._look_at_link)
        self.link: Link | None = None
        self.blackbox: BlackBox | None = None

    async def run(self) -> None:
        """Work until cancelled; raise what no restart of a part can mend."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run())
            started = await self._recover()
            group.create_task(self.engine.run())
            group.create_task(self._await_disk(started))
            await self.supervisor.settled(within_s=2.0)
            heap.settle()
            watchdog.ready()
            group.create_task(self._heartbeat())
            group.create_task(self._telemetry())
            group.create_task(self.memory.keep(lambda: self.engine.state.habits))
            group.create_task(self.proof.run())
            self.link = Link(self.config.mqtt, self.config.hub, self.engine.post, self._will)
            self.engine.post.carrier = self.link
            await self.link.run()

    async def leave(self) -> None:
        """End cleanly: the disk has all, and the broker knows that it is no loss."""
        watchdog.stopping()
        await self.engine.flush()
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
            LOG.info("signal %s", order.signal)
            watchdog.status(f"signal {order.signal}")

    def pet(self) -> None:
        """Feed the watchdog."""
        watchdog.pet()

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Log trouble; keep the decision in the black box, whose own trouble only ends it."""
        if isinstance(event, TROUBLE):
            LOG.warning("%s", event)
        self.proof.note(event)
        if self.blackbox:
            self.blackbox.record(event, effects, self.engine.state, self.rules)

    async def _recover(self) -> Started:
        snapshot = await self.journal.open()
        started = self.clocks.started()
        known = replace(health.decode(snapshot), habits=await self.memory.load())
        state = home.recover(known, started, self.journal.urgent)
        self.engine.begin(state, started, self.journal.trouble)
        settings = self.config.blackbox
        if settings.file_mb:
            folder = Path(self.config.state_dir) / "blackbox"
            self.blackbox = BlackBox(folder, file_mb=settings.file_mb, files=settings.files)
            self.blackbox.begin(self.rules, self.engine.state)
        return started

    async def _await_disk(self, started: Started) -> None:
        """Read a disk that could not be read at start as soon as it can be: it may hold an SOS."""
        snapshot, late = None, not self.journal.known
        while not self.journal.known:
            await asyncio.sleep(RETRY_S)
            snapshot = await self.journal.open()
        if late:
            old = home.recover(health.decode(snapshot), started, self.journal.urgent)
            self.engine.absorb(old, self.journal.trouble)
            if self.blackbox:
                self.blackbox.begin(self.rules, self.engine.state)

    async def _heartbeat(self) -> None:
        """Look after oneself, and let a heartbeat travel the whole way only if all is well."""
        interval_s = watchdog.interval_s()
        while True:
            hung = self.supervisor.hung()
            if not hung and await self.journal.probe():
                self.engine.emit(self.clocks.heartbeat())
            else:
                LOG.error("no heartbeat: %s", ", ".join(hung) or "disk")
            await asyncio.sleep(interval_s)

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
        told = devices.state_message(self.engine.state, availability, self.clocks.at(), self.rules)
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
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
