"""The daemon: it makes all parts of the hub, starts them in order and stops them.

Start order: drivers first (the help button works and its events queue up), then the outbox, then
READY, and only then the network.
"""

import asyncio
import resource
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from drivers.bluetooth.devices import FILE, DeviceList
from hub import VERSION
from hub.clocks import SystemClocks
from hub.config import Config, rules_of
from hub.contract.messages import Availability
from hub.core.alarm import delivery
from hub.core.decide import recover
from hub.core.model.activity import FRESH
from hub.core.model.driver import Driver
from hub.core.model.effects import BeginAnew, Effect, Lane, Order, Show
from hub.core.model.events import (
    ClockCompared,
    DevicesChanged,
    Event,
    Measured,
    Started,
    StorageTrouble,
)
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.core.model.wireless import Wireless
from hub.core.supervision import faults, snapshot
from hub.diary import Diary
from hub.engine import RETRY_S, Engine
from hub.installer import InstallerSocket, LinkReport, own_faults
from hub.link.identity import Identities
from hub.link.reconnect import Link
from hub.outbox import habits_file
from hub.outbox.store import Row
from hub.outbox.thread import Found, OutboxThread, decode_snapshot
from hub.process import watchdog
from hub.process.blackbox import BlackBox
from hub.process.supervisor import Supervisor
from hub.shared import system
from hub.shared.identity import remember, this_board
from hub.shared.messages import messages
from hub.witness import Follower, Witness

ENDS, END_S = 2, 1.0
GIVE_BACK_S = 3.0  # by then the first TLS handshake is over


class _Past(Struct, frozen=True):
    """All that the disk holds about a home."""

    found: Found
    learned: habits_file.Learned | None  # None: the file cannot be read, so it is not written


class Hub:
    """The parts of a running hub."""

    def __init__(self, config: Config, drivers: tuple[Driver, ...]) -> None:
        system.one_heap()
        self.config, self.clocks = config, SystemClocks(config.zone_h * 3600.0)
        self._drivers = drivers
        self.rules = rules_of(config, VERSION, drivers, None)
        self.outbox = OutboxThread(
            Path(config.state_dir) / "outbox.db",
            hub=config.hub,
            patience_s=config.outbox.patience_s,
            telemetry_rows=config.outbox.telemetry_rows,
        )
        self.engine = Engine(HomeState(), self.rules, self.outbox, self.clocks, self)
        said = messages("hub", config.language, "hub")["say"]
        self.supervisor = Supervisor(drivers, self.engine.emit, self.clocks.at, said)
        self._habits = Path(config.state_dir) / "habits.bin"
        self.habits_file: habits_file.HabitsFile | None = None
        self.installer = InstallerSocket(
            Path(config.run_dir) / "hub.sock", self._look, self._look_at_link
        )
        self.follower = Follower(Witness(), self._look, self.engine.delivery)
        self.diary = Diary(config.language, self.clocks.at)
        self.link: Link | None = None
        self.over = asyncio.Event()  # it has to begin anew, with another identity
        self.blackbox: BlackBox | None = None
        self._started: Started | None = None  # None: before the engine has begun
        wired = {device.name for device in config.device}
        path = Path(config.state_dir) / FILE
        self.devices = DeviceList(path, self._list_devices, self._tell_list, wired, keeps=True)
        self.devices.look()
        if not (self.rules.listed or self.devices.trouble):
            self._rule_by(())

    async def run(self) -> None:
        """Work until cancelled; raise what restarting one part cannot solve."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run())
            await self._recover()
            group.create_task(self.engine.run())
            group.create_task(self._await_disk())
            await self.supervisor.settled(within_s=2.0)
            system.settle_memory()
            watchdog.ready()
            group.create_task(self._heartbeat())
            group.create_task(self._telemetry())
            group.create_task(_give_back())
            group.create_task(self._learn())
            group.create_task(self.installer.run())
            group.create_task(self.follower.run())
            group.create_task(self.devices.watch())
            if self.config.hub:  # one that is not registered has nobody to dial
                await self._connect()

    async def leave(self) -> None:
        """Stop cleanly: save everything, and tell the broker that the hub is not lost."""
        watchdog.stopping()
        await self._read_late_disk()  # else calls made meanwhile are on no disk
        await self.engine.flush()
        if self.habits_file:
            await self.habits_file.save(self.engine.state.habits)
        if self.link:
            await self.link.leave(self._state(Availability.DISCONNECTED))
        self.outbox.close()
        if self.blackbox:
            self.blackbox.close()

    # What the engine performs through (hub.engine.Outlets).

    def tell(self, order: Order) -> None:
        """Hand an order to the drivers."""
        if isinstance(order, BeginAnew):
            self.over.set()
        self.supervisor.tell(order)
        if isinstance(order, Show):
            self.diary.shows(order.signal)
            watchdog.status(f"signal {order.signal}")

    def pet(self) -> None:
        """Tell the watchdog that the hub works."""
        watchdog.pet()

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Log trouble, wake installers' clients, note the centre's time, fill the black box."""
        self.diary.note(event)
        self.installer.note(event)
        self.follower.note(event, self.engine.state, self.rules)
        if isinstance(event, ClockCompared):
            self.clocks.compare(event.ahead_s)
        if self.blackbox:
            self.blackbox.record(event, effects, self.engine.state, self.rules)

    async def _connect(self) -> None:
        config, identities = self.config, None
        if config.enrolled:
            identities = Identities(config.identities, config.hub, this_board())
        listener = self.engine.delivery
        link = Link(config.mqtt, config.hub, listener, self._will, identities, self.clocks)
        self.link = self.engine.delivery.carrier = link
        await link.run()

    async def _recover(self) -> None:
        """Begin with what the disk holds, or with an empty state while it does not answer."""
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
        """Read a disk that could not be read at start as soon as it answers: it may hold an SOS."""
        while not self.outbox.known:
            await self.outbox.answer(RETRY_S)
            await self._read_late_disk()

    async def _read_late_disk(self) -> None:
        """Add what the disk holds to the engine, if that was not done yet and it can be read."""
        if self._started is None or self.outbox.known:
            return
        past = await self._past()
        if past is None or self.outbox.known:  # by another task, while this one read
            return
        self.engine.absorb(self._recovered(past, self._started), past.found)
        self._remember(past)
        if self.blackbox:
            self.blackbox.begin(self.rules, self.engine.state)

    async def _past(self) -> "_Past | None":
        """Read all that the disk holds about this home; None where it cannot be read now."""
        found = await self.outbox.read()
        if found is None:
            return None
        learned, trouble = await habits_file.read(self._habits, self.outbox)
        return None if trouble is StorageTrouble.SLOW else _Past(found, learned)

    def _recovered(self, past: "_Past | None", started: Started) -> HomeState:
        """Return the state to start with; without a readable disk, the home counts as lived in."""
        if past is None:
            return recover(HomeState(), started, (), lived_in=True)
        learned = past.learned or habits_file.Learned(FRESH, (habits_file.HABITS,))
        lost = (*past.found.lost, *learned.lost)
        known = replace(decode_snapshot(past.found.snapshot, *lost), habits=learned.habits)
        unsent = [row.id for row in self.outbox.unsettled(past.found)]
        known = delivery.reconciled(known, unsent, self.outbox.settled())
        return recover(known, started, unsent, lived_in=snapshot.FAULT in known.faults)

    def _remember(self, past: "_Past | None") -> None:
        """Save habits from now on, since it is known what was learned before."""
        if past is not None and past.learned is not None:
            self.habits_file = habits_file.HabitsFile(
                self._habits, self.outbox, past.learned.habits
            )

    async def _heartbeat(self) -> None:
        """Emit a heartbeat now and then, only while no driver hangs and the disk answers.

        The heartbeat goes through the engine; its effect feeds the watchdog.
        """
        interval_s = watchdog.interval_s()
        while True:
            hung = self.supervisor.hung()
            if not hung and await self.outbox.probe():
                self.engine.emit(self.clocks.heartbeat())
            else:
                self.diary.beats(*hung)
            await asyncio.sleep(interval_s)

    async def _learn(self) -> None:
        """Keep the hub's id, and save the habits every 15 minutes."""
        if self.config.hub and self.config.enrolled:
            await self.outbox.aside(partial(remember, self.config.identities, self.config.hub))
        while True:
            await asyncio.sleep(habits_file.EVERY_S)
            if self.habits_file:
                await self.habits_file.save(self.engine.state.habits)

    async def _telemetry(self) -> None:
        while True:
            await asyncio.sleep(self.config.telemetry_s)
            refused = self.engine.delivery.refused
            readings = _readings() | {f"refused_{k}": float(n) for k, n in refused.items()}
            readings["decided"] = float(self.engine.decided)
            counts = self.engine.state.wireless.counts
            readings |= {f"presses_{reason}": float(n) for reason, n in counts.items()}
            self.engine.emit(Measured(self.clocks.at(), readings, self.outbox.dropped))

    def _list_devices(self, devices: tuple[Wireless, ...]) -> None:
        """Decide by the new list from now on."""
        self._rule_by(devices)
        self.engine.emit(DevicesChanged(self.clocks.at()))

    def _tell_list(self, trouble: str) -> None:
        """Report where the list is wrong, or that it is right again; what was read last holds."""
        if not trouble:
            self._rule_by(self.devices.devices)
        self.engine.emit(DevicesChanged(self.clocks.at(), trouble))

    def _rule_by(self, devices: tuple[Wireless, ...]) -> None:
        """Change the rules; the black box begins anew, since it can replay one set of rules."""
        self.rules = rules_of(self.config, VERSION, self._drivers, devices)
        self.engine.rules = self.rules
        if self.blackbox:
            self.blackbox.begin(self.rules, self.engine.state)

    def _look(self) -> tuple[HomeState, Rules, float]:
        return self.engine.state, self.rules, self.clocks.at()

    def _look_at_link(self) -> LinkReport:
        link, center = self.link, self.engine.delivery.center
        broker = link.broker if link else ""
        trouble = str(link.trouble or "") if link else ""
        database, online = (center.database, center.online) if center else ("", False)
        own = own_faults(self.engine.state, self.rules)
        return LinkReport(True, self.config.hub, broker, trouble, database, online, own)  # noqa: FBT003

    def _will(self) -> bytes:
        return self._state(Availability.LOST).payload

    def _state(self, availability: Availability) -> Row:
        told = faults.state_message(self.engine.state, availability, self.clocks.at(), self.rules)
        return Row(0, told.id, Lane.LIVE, told.topic, told.payload, retain=True)


async def _give_back() -> None:
    """Return what only the first connection needed: a quarter of a MB. It takes some ms, once."""
    await asyncio.sleep(GIVE_BACK_S)
    system.give_back()


def _readings() -> dict[str, float]:
    """Return memory (MB), open files, CPU seconds, and the chip's temperature where it is known."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "rss_mb": round(system.rss_mb(), 1),
        "open_files": float(sum(1 for _ in Path("/proc/self/fd").iterdir())),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
    }
    zone = Path("/sys/class/thermal/thermal_zone0/temp")
    if zone.exists():
        found["chip_celsius"] = int(zone.read_text(encoding="ascii")) / 1000
    return found


async def serve(config: Config, drivers: tuple[Driver, ...]) -> None:
    """Run a hub until SIGTERM, SIGINT or another identity; raise what no part's restart mends."""
    hub = Hub(config, drivers)
    running = asyncio.ensure_future(hub.run())
    wanted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, wanted.set)
    ending = [asyncio.ensure_future(one.wait()) for one in (wanted, hub.over)]
    await asyncio.wait({running, *ending}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await hub.leave()
    for one in ending:
        one.cancel()
    for _ in range(ENDS):  # a part that swallows its cancellation is cancelled again
        running.cancel()
        await asyncio.wait({running}, timeout=END_S)
    if running.done():  # else `asyncio.run` cancels each task by itself
        with suppress(asyncio.CancelledError):
            await running
