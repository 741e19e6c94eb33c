"""Listening over BlueZ, for ever: passively where possible, begun anew whenever something changed.

         bus lost, daemon gone, adapter gone or off, monitor released, silence
        ┌──────────────────────────────────────────────────────────────────────┐
        ▼                                                                      │
    bus ──► daemon ──► adapter ──► powered ──► scanning (monitor, else discovery)
        │ no bus, no daemon, no adapter, blocked: told as trouble, waits for the change
        └ refused: ladder: scan anew ► adapter off and on ► actively ► told as a fault, back-off

Each listed device has match rules of its own by its object path, so what strangers say never
reaches this process. A phone keeps, as long as bluetoothd runs, the path of the address that it had
made up when it was paired; so paths are looked up by the address that BlueZ gives. And BlueZ's
signal says what has changed, so old service data, which BlueZ keeps, is told from new. The daemon
is watched by its name on the bus and by pings, the adapter by `Powered`; silence comes last and is
no fault: a quiet home may be silent. It is long for each signal of BlueZ may end the session above.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from bleak import BleakScanner
from bleak.args.bluez import BlueZDiscoveryFilters, BlueZScannerArgs
from bleak.exc import BleakError
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from drivers.bluetooth.air import Advert, Listener
from drivers.bluetooth.bluez import bus as dbus
from drivers.bluetooth.bluez.adapters import (
    ADAPTER,
    MONITORS,
    Adapter,
    adapters,
    address_of,
    choose,
)
from drivers.bluetooth.bluez.bus import BLUEZ, BROKEN, OBJECTS, PEER, PROPERTIES, RefusedError
from drivers.bluetooth.bluez.monitor import PATH, ROOT, Monitor
from drivers.bluetooth.settings import Adapters
from hub.contract.radio import Part
from hub.shared import backoff, bluetooth

DEVICE = "org.bluez.Device1"
TICK_S = 4.0  # between pings of the daemon; one that hangs is noticed within 9 s
PING_S = 5.0
ACTIVE_S = 5.0  # a monitor is activated at once, or not at all
AWAY_S = 30.0  # after BlueZ said "lost", or the last advert: what beacons each 10 s is still here
AT_ONCE = 16  # told as still near at one look, of 64: what the hub is told in a second has a bound
SILENT_S = 900.0
PASSIVE_AGAIN_S = 900.0  # when a refused monitor is tried again
STEADY_S = 30.0  # what has worked for so long begins at the ladder's foot again
TELL_AFTER_S = 5.0  # a daemon that is restarted is back sooner, and is no fault
RETRY_S, LONGEST_S, FAULT_LONGEST_S = 0.5, 4.0, 60.0
NOT_ACTIVATED = "the monitor is not activated"
RELEASED = "BlueZ has released the monitor"
GONE = {  # what the bus itself answers for somebody who has just left it
    "org.freedesktop.DBus.Error.ServiceUnknown": Part.DAEMON,
    "org.freedesktop.DBus.Error.NameHasNoOwner": Part.DAEMON,
    "org.freedesktop.DBus.Error.NoReply": Part.DAEMON,
    "org.freedesktop.DBus.Error.UnknownObject": Part.ADAPTER,
}
CYCLE_AT, CYCLE_EACH = (
    2,
    4,
)  # refusals: at the second, sixth, tenth the adapter is switched off and on
ACTIVE_AFTER = 2  # refusals, after which a refused monitor makes it scan actively
SILENCES_A_CYCLE = 4
MOST_ADAPTERS = 8
BEGINNING = (Part.DAEMON, Part.ADAPTER, Part.BLOCKED, Part.SCANNER)  # none is out while it scans
SIGNS = frozenset({"RSSI", "ServiceData", "ManufacturerData"})  # only an advert changes them
NEWS = frozenset({"ServiceData", "ManufacturerData", "UUIDs", "Name"})


class OutOfOrderError(Exception):
    """Listening cannot begin, or has ended; `part` None: it is begun again and nobody is told."""

    def __init__(self, part: Part | None, detail: str) -> None:
        super().__init__(f"{part}: {detail}")
        self.part, self.detail = part, detail


class Scanner:
    """`listen` of the air (`drivers.bluetooth.air`)."""

    def __init__(  # noqa: PLR0913 - its clocks and places, for tests
        self,
        wanted: Adapters | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        rfkill: Path = bluetooth.RFKILL,
        kernel: tuple[int, int, int] | None = None,
        tell_after_s: float = TELL_AFTER_S,
        away_s: float = AWAY_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self.passive = False
        self.adapter: Adapter | None = None  # while it scans
        self._wanted = wanted or Adapters()
        self._now, self._jitter, self._rfkill = now, jitter, rfkill
        self._kernel = kernel or bluetooth.kernel()
        self._tell_after_s, self._away_s, self._silent_s = tell_after_s, away_s, silent_s
        self._listener: Listener
        self._devices = _Devices(now)
        self._wake, self._active = asyncio.Event(), asyncio.Event()
        self._ended = ""  # why the scan must begin anew
        self._told = dict[Part, bool]()
        self._ruled = dict[str, str]()  # object paths with match rules on this connection: whose
        self._relisted = False  # there may be new paths
        self._out_since: float | None = None
        self._using: Adapter | None = None  # from its being ready on
        self._refused = ""
        self._failures = self._rung = self._silences = 0

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        """Listen for ever, whatever happens to adapter and daemon."""
        self._listener = self._devices.listener = listener
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(addresses))
            while True:
                await self._session()

    async def _follow(self, addresses: AsyncIterator[frozenset[str]]) -> None:
        async for listed in addresses:
            self._devices.list(listed)
            self._relisted = True
            self._wake.set()

    async def _session(self) -> None:
        """One connection to the bus: scan until it must begin anew, or wait for what is missing."""
        try:
            async with self._bus() as bus:
                try:
                    await self._scan(bus)
                except OutOfOrderError as error:
                    self._out(error.part, error.detail)
                    await self._wait_for_change(error.part)
        except BROKEN as error:
            self._out(Part.DAEMON, f"D-Bus: {str(error) or type(error).__name__}")
            self._failures += 1
            await asyncio.sleep(self._pause_s(LONGEST_S))

    @asynccontextmanager
    async def _bus(self) -> AsyncIterator[MessageBus]:
        bus = await dbus.connect()
        self._wake.clear()
        self._ended, self._ruled = "", {}
        bus.add_message_handler(self._on_message)
        watcher = asyncio.create_task(self._until_lost(bus))
        try:
            for rule in _usual_rules():
                await dbus.match(bus, rule)
            yield bus
        finally:
            watcher.cancel()
            bus.disconnect()

    async def _until_lost(self, bus: MessageBus) -> None:
        with suppress(*BROKEN):
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        self._end("the connection to D-Bus was lost")

    async def _wait_for_change(self, part: Part | None) -> None:
        """Wait until something changes on the bus, or until it is time to try again."""
        self._failures += 1
        longest_s = FAULT_LONGEST_S if part is Part.SCANNER else LONGEST_S
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause_s(longest_s)):
                await self._wake.wait()

    def _pause_s(self, longest_s: float) -> float:
        spread = 0.5 + 0.5 * self._jitter()
        return backoff.exponential_s(
            self._failures, first_s=RETRY_S, longest_s=longest_s, jitter=spread
        )

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        self._wake.set()

    # from the bus to a scan

    async def _scan(self, bus: MessageBus) -> None:
        begun = self._now()
        try:
            adapter = self._using = await self._ready(bus)
            async with self._scanning(bus, adapter):
                self.adapter = adapter
                await self._watch(bus, adapter)
        except (RefusedError, BleakError) as error:
            self._using = None
            if isinstance(error, RefusedError) and error.name in GONE:
                raise OutOfOrderError(GONE[error.name], error.name) from error
            raise await self._climb(bus, str(error)) from error
        except BROKEN as error:
            raise OutOfOrderError(Part.DAEMON, "BlueZ does not answer") from error
        except OutOfOrderError:
            self._rung = 0  # it was not the scanner
            raise
        finally:
            self.adapter = self._using = None
        if self._now() - begun < STEADY_S:
            raise OutOfOrderError(
                None, self._ended
            )  # however often it ends, it is not begun at once

    async def _climb(self, bus: MessageBus, detail: str) -> OutOfOrderError:
        """Take the ladder's next step: only another try, the adapter off and on, a fault."""
        self._rung += 1
        self._refused = detail
        if self._rung % CYCLE_EACH == CYCLE_AT:
            with suppress(RefusedError, OutOfOrderError, *BROKEN):
                adapter, _ = await ready(bus, self._wanted.listen, self._rfkill)
                await _power(bus, adapter, on=False)
                await _power(bus, adapter, on=True)
            self._wake.clear()  # it was set by that
        return OutOfOrderError(Part.SCANNER if self._rung > ACTIVE_AFTER else None, detail)

    async def _ready(self, bus: MessageBus) -> Adapter:
        """Return the adapter, powered on, with the rules of all listed devices."""
        self._relisted = False
        adapter, objects = await ready(bus, self._wanted.listen, self._rfkill)
        self._wake.clear()
        await self._relist(bus, adapter, objects)
        objects = await _objects(bus)  # only now: what came before the rules must be in it
        for path, address in self._ruled.items():
            self._devices.known(address, objects.get(path, {}))
        return adapter

    @asynccontextmanager
    async def _scanning(self, bus: MessageBus, adapter: Adapter) -> AsyncIterator[None]:
        """Scan, passively where that works. The monitor ends with the connection to the bus."""
        flaw = self._flaw(adapter)
        if self._rung > ACTIVE_AFTER and self._refused == RELEASED:
            flaw = flaw or RELEASED
        elif (
            adapter.monitors
        ):  # beside a discovery, too: then the kernel passes on repeated adverts
            try:
                await self._monitor(bus, adapter)
            except RefusedError as error:
                if self._rung < ACTIVE_AFTER:
                    raise
                flaw = flaw or str(error)
        async with AsyncExitStack() as stack:
            if flaw:
                await stack.enter_async_context(_discovering(adapter))
            self._works(flaw)
            yield

    def _flaw(self, adapter: Adapter) -> str:
        if not adapter.monitors:
            return "Experimental is off in BlueZ's main.conf"
        if not bluetooth.hears_repeats(self._kernel):
            return f"kernel {'.'.join(map(str, self._kernel))} is without b5431dc2803a"
        return ""

    async def _monitor(self, bus: MessageBus, adapter: Adapter) -> None:
        monitor = Monitor(self._came, self._active.set, lambda: self._end(RELEASED))
        self._active.clear()
        bus.export(PATH, monitor)
        request = Message(BLUEZ, adapter.path, MONITORS, "RegisterMonitor", signature="o")
        request.body = [ROOT]
        await dbus.call(bus, request)
        try:
            async with asyncio.timeout(ACTIVE_S):
                await self._active.wait()
        except TimeoutError as error:
            raise RefusedError(NOT_ACTIVATED) from error

    async def _watch(self, bus: MessageBus, adapter: Adapter) -> None:
        """Return when the scan must begin anew."""
        self._devices.begin()
        begun = self._devices.last
        while not self._ended:
            if self._relisted:
                self._relisted = False
                await self._relist(bus, adapter, await _objects(bus))
            await dbus.call(bus, Message(BLUEZ, "/", PEER, "Ping"), PING_S)
            self._devices.look(self._away_s)
            running_s = self._now() - begun
            if running_s > STEADY_S:
                self._failures = 0
                self._rung = 0 if self.passive else self._rung
            if self._devices.last > begun:
                self._silences = 0  # it hears
            if self._now() - self._devices.last > self._silent_s:
                await self._silence(bus, adapter)
            if not self.passive and adapter.monitors and running_s > PASSIVE_AGAIN_S:
                self._end("passive scanning is tried again")
                self._rung = min(self._rung, ACTIVE_AFTER)
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()
            self._wake.clear()
        if self._ended == RELEASED:
            raise RefusedError(RELEASED)

    async def _silence(self, bus: MessageBus, adapter: Adapter) -> None:
        """Nothing at all was heard for long: begin anew, and now and then cycle an idle adapter."""
        self._end("silence")
        self._silences += 1
        if self._silences % SILENCES_A_CYCLE == 0 and not self._devices.connected:
            await _power(bus, adapter, on=False)
            await _power(bus, adapter, on=True)

    async def _relist(self, bus: MessageBus, adapter: Adapter, objects: dict[str, Any]) -> None:
        """Have the bus deliver what BlueZ says of each listed device, and of nobody else."""
        wanted = _paths(adapter, objects, self._devices.listed)
        for path in wanted.keys() ^ self._ruled.keys():
            for rule in _rules_of(path):
                await dbus.match(bus, rule, wanted=path in wanted)
        self._ruled = wanted

    # what is told

    def _out(self, part: Part | None, detail: str) -> None:
        """Tell that a part is out of order, once it has been for a while."""
        self._out_since = self._now() if self._out_since is None else self._out_since
        if part and self._now() - self._out_since >= self._tell_after_s:
            self._trouble(part, present=True, detail=detail)

    def _works(self, flaw: str) -> None:
        self.passive, self._out_since = not flaw, None
        for part in BEGINNING:
            self._trouble(part, present=False)
        self._trouble(Part.PASSIVE, present=bool(flaw), detail=flaw)

    def _trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        if self._told.get(part) is not present:
            self._told[part] = present
            self._listener.trouble(part, present=present, detail=detail[:200])

    # what the bus says

    def _on_message(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        match message.member, message.body:
            case "PropertiesChanged", [str(interface), dict(changed), _]:
                if interface == DEVICE:
                    self._devices.changed(self._whose(message.path or ""), changed)
                elif interface == ADAPTER:
                    self._powered(message.path or "", changed)
            case "InterfacesAdded", [str(path), dict(interfaces)]:
                if DEVICE in interfaces:
                    self._devices.changed(self._whose(path), interfaces[DEVICE])
                elif ADAPTER in interfaces and not self._using:
                    self._wake.set()
            case "InterfacesRemoved", [str(path), list(interfaces)] if ADAPTER in interfaces:
                self._adapter_gone(path)
            case "NameOwnerChanged", [str(name), str(old), str(_)] if name == BLUEZ:
                self._end(f"{old or 'nobody'} owned {BLUEZ}")

    def _powered(self, path: str, changed: dict[str, Variant]) -> None:
        if "Powered" not in changed:
            return
        if self._using is None:
            self._wake.set()
        elif path == self._using.path and not changed["Powered"].value:
            self._end("the adapter was switched off")

    def _adapter_gone(self, path: str) -> None:
        if self._using is None or path == self._using.path:
            self._end("the adapter is gone")

    def _came(self, path: str, here: bool) -> None:  # noqa: FBT001 - as the monitor calls it
        self._devices.came(self._whose(path), here=here)

    def _whose(self, path: str) -> str:
        return self._ruled.get(path) or address_of(path)


class _Devices:
    """The listed devices: what they said last, and which of them are near."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.listener: Listener
        self.listed = frozenset[str]()
        self.connected = set[str]()
        self.last = now()  # when anybody, listed or not, was heard
        self._now = now
        self._found = set[str]()  # by the monitor: no advert need follow
        self._at = dict[str, float]()  # address -> when it was heard of
        self._near = dict[str, bool]()  # as told
        self._told_at = dict[str, float]()
        self._heard = set[str]()  # since the last look
        self._said = dict[str, dict[str, Any]]()  # Name, UUIDs, RSSI

    def list(self, listed: frozenset[str]) -> None:
        """Take a new list over."""
        for held in (self._at, self._near, self._told_at, self._said):
            for address in held.keys() - listed:
                del held[address]
        self._at |= dict.fromkeys(listed - self._at.keys(), self._now())
        self._found &= listed  # of others nobody notes that they leave
        self._heard &= listed
        self.listed = listed

    def begin(self) -> None:
        """A scan begins: who was here may have left meanwhile, and gets its time to be heard."""
        self._found.clear()
        self._at = dict.fromkeys(self.listed, self._now())
        self.last = self._now()

    def known(self, address: str, interfaces: dict[str, Any]) -> None:
        """Take what BlueZ still holds: a press may be in it that a killed process did not tell."""
        held = interfaces.get(DEVICE, {})
        self.connected.discard(address)
        if held and held["Connected"].value:
            self.connected.add(address)
        if "ServiceData" in held:
            self._hear(address, held)

    def changed(self, address: str, changed: dict[str, Variant]) -> None:
        """Take what changed. That BlueZ reads a bonded device from its disk is no sign."""
        if address not in self.listed:
            return
        if "Connected" in changed:
            here = changed["Connected"].value
            (self.connected.add if here else self.connected.discard)(address)
            self._sign(address)
        if not SIGNS & changed.keys():
            return
        self._sign(address)
        if NEWS & changed.keys():
            self._hear(address, changed)
        else:
            self._said.setdefault(address, {})["RSSI"] = changed["RSSI"].value

    def came(self, address: str, *, here: bool) -> None:
        """Take what the monitor says: of each device around, listed or not."""
        self.last = self._now()
        if address in self.listed:
            self._at[address] = self.last
            (self._found.add if here else self._found.discard)(address)
            if here:
                self._sign(address)

    def look(self, away_s: float) -> None:
        """Tell who was not heard of for `away_s`, and who is still here.

        That is who has advertised since the last look, and who need not: BlueZ tells nothing of
        one that goes on with the same advert, until it is lost, and a connected one has none.
        """
        now, steady = self._now(), self.listed & (self._found | self.connected)
        for address in self.listed - steady:
            if now - self._at[address] > away_s and self._near.get(address) is not False:
                self._near[address] = False
                self.listener.near(address, near=False)
        here = steady | (self.listed & self._heard)
        self._heard.clear()
        for address in sorted(here, key=lambda who: self._told_at.get(who, -math.inf))[:AT_ONCE]:
            self._tell_near(address)

    def _sign(self, address: str) -> None:
        self.last = self._at[address] = self._now()
        self._heard.add(address)
        if not self._near.get(address):
            self._tell_near(address)

    def _tell_near(self, address: str) -> None:
        self._near[address], self._told_at[address] = True, self._now()
        self.listener.near(address, near=True)

    def _hear(self, address: str, changed: dict[str, Variant]) -> None:
        said = self._said.setdefault(address, {})
        said |= {key: changed[key].value for key in ("Name", "UUIDs", "RSSI") if key in changed}
        data = changed["ServiceData"].value if "ServiceData" in changed else {}
        self.listener.heard(
            Advert(
                at=self._now(),
                address=address,
                name=said.get("Name", ""),
                rssi_dbm=said.get("RSSI"),
                service_data={uuid: bytes(variant.value) for uuid, variant in data.items()},
                services=tuple(said.get("UUIDs", ())),
            )
        )


@asynccontextmanager
async def _discovering(adapter: Adapter) -> AsyncIterator[None]:
    """Scan actively, by bleak. What is heard comes by our own rules, so bleak needs no callback."""
    arguments = BlueZScannerArgs(
        adapter=adapter.name, filters=BlueZDiscoveryFilters(DuplicateData=True)
    )
    scanner = BleakScanner(None, None, "active", bluez=arguments)
    async with asyncio.timeout(dbus.CALL_S):
        await dbus.guard_bleak()
        await scanner.start()
    try:
        yield
    finally:
        with suppress(BleakError, *BROKEN):
            async with asyncio.timeout(PING_S):
                await scanner.stop()


async def ready(
    bus: MessageBus, wanted: str = "", rfkill: Path = bluetooth.RFKILL
) -> tuple[Adapter, dict[str, Any]]:
    """Return the wanted adapter, powered on, and all that BlueZ has. Raises `OutOfOrderError`.

    Raises `BROKEN` when nobody answers.
    """
    owned = Message(dbus.DBUS, dbus.DBUS_PATH, dbus.DBUS, "NameHasOwner", signature="s")
    owned.body = [BLUEZ]
    if not (await dbus.call(bus, owned))[0]:
        raise OutOfOrderError(Part.DAEMON, "bluetoothd does not run")
    objects = await _objects(bus)
    adapter = choose(adapters(objects), wanted)
    blocked = bluetooth.blocked(adapter.name if adapter else "", rfkill)
    if blocked or (adapter and adapter.state == "off-blocked"):
        raise OutOfOrderError(Part.BLOCKED, f"rfkill: {blocked or 'blocked'}")
    if adapter is None:
        raise OutOfOrderError(Part.ADAPTER, f"missing: {wanted or 'any'}")
    if not adapter.powered:
        try:
            await _power(bus, adapter, on=True)
        except RefusedError as error:
            raise OutOfOrderError(Part.ADAPTER, f"{adapter.name}: {error}") from error
    return adapter, objects


async def _objects(bus: MessageBus) -> dict[str, Any]:
    """Return all that BlueZ has."""
    asked = Message(BLUEZ, "/", OBJECTS, "GetManagedObjects")
    objects: dict[str, Any] = (await dbus.call(bus, asked))[0]
    return objects


def _paths(adapter: Adapter, objects: dict[str, Any], listed: frozenset[str]) -> dict[str, str]:
    """Return under which object paths BlueZ tells of the listed devices, and whose each is."""
    paths = {adapter.device(address): address for address in listed}
    for path, interfaces in objects.items():
        held = interfaces.get(DEVICE, {}).get("Address")
        if held and held.value in listed and path.startswith(f"{adapter.path}/"):
            paths[path] = held.value
    return paths


async def _power(bus: MessageBus, adapter: Adapter, *, on: bool) -> None:
    body = [ADAPTER, "Powered", Variant("b", on)]
    await dbus.call(
        bus, Message(BLUEZ, adapter.path, PROPERTIES, "Set", signature="ssv", body=body)
    )


def _usual_rules() -> Iterator[str]:
    yield f"sender='{dbus.DBUS}',member='NameOwnerChanged',arg0='{BLUEZ}'"
    yield f"sender='{BLUEZ}',member='PropertiesChanged',arg0='{ADAPTER}'"
    for n in range(MOST_ADAPTERS):
        for member in ("InterfacesAdded", "InterfacesRemoved"):
            yield f"sender='{BLUEZ}',member='{member}',arg0path='/org/bluez/hci{n}'"


def _rules_of(device: str) -> Iterator[str]:
    yield f"sender='{BLUEZ}',member='PropertiesChanged',path='{device}',arg0='{DEVICE}'"
    yield f"sender='{BLUEZ}',member='InterfacesAdded',arg0path='{device}'"
