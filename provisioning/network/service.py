"""The network as a part of `anbu provision run`: what NetworkManager tells, the form, the checks.

NetworkManager --> Looked --.               .--> open, close, join, prune --> NetworkManager
form, hub ------> Asked, Ordered --> state --+--> check --> the centre
                                            '--> Network, Trouble, Clock --> the hub
"""

import asyncio
import hashlib
import logging
import time
from asyncio import Event as Flag
from collections.abc import Callable
from pathlib import Path
from secrets import randbelow

from dbus_fast.aio import MessageBus
from msgspec import Struct

from hub.contract.provision import (
    Clock,
    Fact,
    Network,
    NetworkTrouble,
    OpenHotspot,
    Order,
    Part,
    Trouble,
    Way,
)
from provisioning.network import checks, state
from provisioning.network.bus import connect
from provisioning.network.checks import Center
from provisioning.network.form import Form, View
from provisioning.network.nm import UNREACHED, JoinError, NetworkDaemon, Spot
from provisioning.network.server import serving
from provisioning.network.state import (
    Action,
    Asked,
    Checked,
    Checking,
    Credentials,
    Event,
    Joined,
    Joining,
    Kept,
    Leaving,
    Looked,
    Open,
    Opened,
    Ordered,
    Ticked,
)

log = logging.getLogger(__name__)
Tell = Callable[[Fact], None]
TICK_S = 1.0
LOOK_S = 5.0  # without news; the signal of the Wi-Fi is not told by itself
SETTLED_S = 0.2  # NetworkManager tells one change in several signals
SCAN_S = 20.0
AGAIN_S = 5.0  # before NetworkManager, which is not there, is asked again
SIGNAL_STEP_DB = 3  # below that a signal only wavers
CLOCK_S = 5.0  # a clock that is more wrong is told as out of order
CLOCK_GOOD_S = 2.0  # an installation does not end with one that is more wrong: `AHEAD_S` of it
NAMES, PASSWORDS = 10_000, 10**10
MACHINE_ID = Path("/etc/machine-id")


class Setup(Struct, frozen=True):
    """How the part is set up. `center` None: no centre is known yet, and none is looked for."""

    center: Center | None = None
    port: int = 80  # of the form; phones look for a page on 80 only
    machine_id: str = ""  # of this machine, where it is empty


class Connections:
    """The hub's network. It may be asked for the hotspot before it has begun."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._state = state.begin(time.monotonic())
        self._todo: asyncio.Queue[Action] = asyncio.Queue()
        self._name, self._password = hotspot_name(setup.machine_id or _machine_id()), ""
        self._spots: tuple[Spot, ...] = ()
        self._joined = ""  # UUID of the profile that was joined last
        self._unheard = True  # tries whose end was not heard may be left: of this process, or of
        # the one before
        self._search = Flag()
        self._told: dict[type[Fact] | Part, Fact] = {}
        self._tell: Tell = _nobody
        self._revision = 0
        self._form = Form(self._view, self._ask, lambda: self._on(Kept()), self._search.set)
        self._checking: asyncio.Task[None] | None = None
        self._served: asyncio.Task[None] | None = None

    async def run(self, tell: Tell) -> None:
        """Work for ever. NetworkManager may begin anew, or not be there at all."""
        self._tell = tell
        tick = asyncio.create_task(self._tick())
        try:
            while True:
                try:
                    await self._with_manager()
                except* UNREACHED as errors:
                    log.warning("NetworkManager is not reached: %r", errors.exceptions)
                await self._shut_form()
                self._lose()
                await asyncio.sleep(AGAIN_S)
        finally:
            for task in (tick, self._checking, self._served):
                if task:
                    task.cancel()

    def take_order(self, order: Order) -> None:
        """Follow an order of the hub."""
        if isinstance(order, OpenHotspot):
            self._on(Ordered(order.s))

    def _lose(self) -> None:
        """Nothing that was begun by the last connection goes on, nor what waited for it."""
        if isinstance(self._state.mode, Joining):
            self._unheard = True
            self._on(Joined(NetworkTrouble.JOIN_FAILED))
        self._todo = asyncio.Queue()
        self._on(Looked(None))

    async def _with_manager(self) -> None:
        """Serve with one connection to the bus until it breaks. Raises a group of `UNREACHED`."""
        bus = await connect()
        try:
            manager = NetworkDaemon(bus)
            await manager.begin()
            if self._unheard:
                await manager.forget_tries()
                self._unheard = False
            async with asyncio.TaskGroup() as work:
                work.create_task(self._look(manager))
                work.create_task(self._scan(manager))
                work.create_task(self._work(manager))
                work.create_task(_until_broken(bus))
                work.create_task(_until_gone(manager))
        finally:
            bus.disconnect()

    async def _look(self, manager: NetworkDaemon) -> None:
        while True:
            manager.changed.clear()
            self._on(Looked(await manager.look()))
            try:
                async with asyncio.timeout(LOOK_S):
                    await manager.changed.wait()
                await asyncio.sleep(SETTLED_S)
            except TimeoutError:
                continue

    async def _scan(self, manager: NetworkDaemon) -> None:
        """Hear which Wi-Fi there is, while somebody may want to choose one."""
        while True:
            self._search.clear()
            if isinstance(self._state.mode, Open) or not self._state.seen.saved:
                heard = await manager.scan()
                others = tuple(one for one in heard if one.name != self._name)
                if others and others != self._spots:
                    self._spots = others
            try:
                async with asyncio.timeout(SCAN_S):
                    await self._search.wait()
            except TimeoutError:
                continue

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._on(Ticked())

    # what is decided, and what is done

    def _on(self, event: Event) -> None:
        now = time.monotonic()
        before = self._state
        self._state, actions = state.decide(before, event, now)
        if (type(before.mode), before.result) != (type(self._state.mode), self._state.result):
            self._revision += 1
            log.info("network: %s %s", type(self._state.mode).__name__.lower(), actions)
        for action in actions:
            if action is Action.CHECK:
                if self._checking:  # it looks by a way that is no more
                    self._checking.cancel()
                self._checking = asyncio.create_task(self._check())
            else:
                self._todo.put_nowait(action)
        self._report(now)

    async def _work(self, manager: NetworkDaemon) -> None:
        """Do one thing after the other. A hotspot that is only coming up holds nothing back."""
        opening: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as group:
            while True:
                action = await self._todo.get()
                await _end(opening)
                match action:
                    case Action.OPEN:
                        opening = group.create_task(self._open(manager))
                    case Action.CLOSE:
                        await self._close(manager)
                    case Action.JOIN:
                        await self._join(manager)
                    case Action.PRUNE:
                        self._password = ""
                        await manager.prune(but=self._joined)
                    case Action.CHECK:
                        pass  # `_on` has begun it: it needs no manager, and waits for none

    async def _close(self, manager: NetworkDaemon) -> None:
        self._password = ""
        await self._shut_form()
        await manager.close_hotspot()

    async def _open(self, manager: NetworkDaemon) -> None:
        await self._shut_form()
        self._password = self._password or f"{randbelow(PASSWORDS):010d}"
        try:
            address = await manager.open_hotspot(self._name, self._password)
        except JoinError as error:
            log.warning("the hotspot: %s", error)
            self._on(Opened(well=False))
        except UNREACHED:
            self._on(Opened(well=False))
            raise
        else:
            self._served = asyncio.create_task(self._serve(address))

    async def _join(self, manager: NetworkDaemon) -> None:
        mode = self._state.mode
        if not isinstance(mode, Joining):
            return
        await self._shut_form()
        try:
            self._joined = await manager.join(mode.wanted)
        except JoinError as error:
            log.info("not joined: %s", error)
            self._on(Joined(error.trouble))
        except UNREACHED:
            self._on(Joined(NetworkTrouble.JOIN_FAILED))
            raise
        else:
            self._on(Joined(None))

    async def _serve(self, address: str) -> None:
        """Serve the form until it is cancelled; without a port there is no use in a hotspot."""
        try:
            async with serving(self._form.answer, address, self._setup.port) as port:
                self._form.own = f"{address}:{port}"
                self._on(Opened(well=True))
                log.info("the form is at http://%s/", self._form.own)
                await asyncio.Event().wait()
        except OSError as error:
            log.warning("the form cannot be served at %s: %s", address, error)
            self._on(Opened(well=False))

    async def _shut_form(self) -> None:
        served, self._served = self._served, None
        self._form.own = ""
        await _end(served)

    async def _check(self) -> None:
        found, off = checks.Way(), False
        if self._setup.center:
            found = await checks.check(self._setup.center)
        if found.ahead_s is not None:
            self._tell(Clock(found.ahead_s))
            wrong, off = (abs(found.ahead_s) > limit for limit in (CLOCK_S, CLOCK_GOOD_S))
            self._tell_part(Part.CLOCK, f"{found.ahead_s:.0f}" if wrong else "")
        self._on(Checked(found.trouble, clock_off=off))

    # what is told

    def _report(self, now: float) -> None:
        trouble = state.trouble(self._state, now)
        fact = self._network(trouble)
        last = self._told.get(Network)
        if not isinstance(last, Network) or _differs(last, fact):
            self._told[Network] = fact
            self._tell(fact)
        self._tell_part(Part.NETWORK, state.fault(self._state, now) or "")

    def _network(self, trouble: NetworkTrouble | None) -> Network:
        way, seen, said = state.way(self._state), self._state.seen, trouble or ""
        if way is Way.HOTSPOT:
            return Network(way, self._name, self._password, trouble=said)
        if way is Way.WIFI:
            return Network(way, seen.name, signal_dbm=seen.signal_dbm, trouble=said)
        return Network(way, trouble=said)

    def _tell_part(self, part: Part, detail: str) -> None:
        fact = Trouble(part, present=bool(detail), detail=detail)
        if self._told.get(part, Trouble(part, present=False)) != fact:
            self._told[part] = fact
            self._tell(fact)

    # the form

    def _view(self) -> View:
        match self._state.mode:
            case Leaving(wanted) | Joining(wanted) | Checking(wanted):
                doing = wanted.name
            case _:
                doing = ""
        return View(self._name, self._spots, self._state.result, doing, self._revision)

    def _ask(self, wanted: Credentials) -> bool:
        free = isinstance(self._state.mode, Open)
        self._on(Asked(wanted))
        return free


def hotspot_name(machine_id: str) -> str:
    """Return the hotspot's name, such as `Anbu-1234`: the same for one machine at each start."""
    number = int.from_bytes(hashlib.sha256(b"anbu hotspot " + machine_id.encode()).digest()[:8])
    return f"Anbu-{number % NAMES:04d}"


def _machine_id() -> str:
    try:
        return MACHINE_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _differs(last: Network, now: Network) -> bool:
    if last.signal_dbm is None or now.signal_dbm is None:
        return last != now
    far = abs(last.signal_dbm - now.signal_dbm) >= SIGNAL_STEP_DB
    return far or (last.way, last.name, last.trouble) != (now.way, now.name, now.trouble)


def _nobody(_: Fact) -> None:
    """Tell nobody: the process has not begun."""


async def _end(task: asyncio.Task[None] | None) -> None:
    if task:
        task.cancel()
        await asyncio.wait([task])


async def _until_broken(bus: MessageBus) -> None:
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    raise EOFError


async def _until_gone(manager: NetworkDaemon) -> None:
    await manager.until_gone()
    raise EOFError
