"""Connecting over BlueZ, by bleak and bleak-retry-connector: `connect` of the air.

    budget's turn ──► Connect ──► it answered ──► services found ──► connected ──► ended
                         │ nobody answers            │ too late, or it went        (reason)
                         ▼                           ▼
                     NOT_FOUND                  TIMEOUT, BOND_STALE, ...

bleak tells that a link ended, but neither why nor whether anybody answered at all. BlueZ says both
of the device's object, so a connection to the bus listens to that object alone while it lasts.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.bluezdbus.manager import get_global_bluez_manager
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakGATTProtocolError
from bleak_retry_connector import BLEAK_RETRY_EXCEPTIONS, establish_connection
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus
from msgspec import Struct

from drivers.bluetooth.air import Lost, LostError, Peripheral
from drivers.bluetooth.bluez import bus as dbus
from drivers.bluetooth.bluez.adapters import Adapter, adapters, choose
from drivers.bluetooth.bluez.bus import BLUEZ, BROKEN, OBJECTS, RefusedError
from drivers.bluetooth.bluez.quota import ConnectBudget
from drivers.bluetooth.settings import Adapters

DEVICE = "org.bluez.Device1"
ANSWER_S = 8.0  # a device that is there advertises more often than each 2.5 s, most each second
FOUND_S = 20.0  # from its answer until its services are known: a slow device with many services
CALL_S = 10.0  # a read, a write or a subscription; ATT itself gives up after 30 s
PART_S = 5.0  # to disconnect
ATTEMPTS = 2
QUICK_S, QUICK_ENDS = 5.0, 6  # so many links in a row that ended so soon: a stale bond
FALLS = 3  # links that fail within one connect: bleak would go on for as long as it may
KEY_MISSING = ("key missing", "key-missing")
AUTHENTICATION = ("org.bluez.Error.Authentication", "org.bluez.Reason.Authentication")
BUSY_TEXTS = ("InProgress", "NotReady", "NotAvailable", "Busy", "NoReply", "ServiceUnknown")
INSECURE = {0x05, 0x08, 0x0C, 0x0F}  # ATT: authentication, authorisation, key size, encryption
NOT_ALLOWED = {0x02, 0x03}  # ATT: this cannot be read, or not be written
FAULTS = (*BLEAK_RETRY_EXCEPTIONS, *BROKEN, KeyError)
T = TypeVar("T")


class Target(Struct, frozen=True):
    """A device that BlueZ knows, on the adapter that connects."""

    adapter: Adapter
    path: str
    properties: dict[str, Any]

    @property
    def paired(self) -> bool:
        """Whether BlueZ has a bond with it, good or stale."""
        return bool(self.properties.get("Paired"))


class _Link:
    """What BlueZ says of one device's link."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.answered = bool(target.properties.get("Connected"))
        self.on_answer: Callable[[], None] = lambda: None
        self.on_fall: Callable[[], None] = lambda: None
        self.falls = 0  # links that ended; `told_why`: BlueZ said why
        self.told_why = False
        self.sent = False  # anything: so the link was good
        self.ended: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()

    def take(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.member == "NameOwnerChanged":
            self.end(Lost.ENDED)
        elif message.path == self.target.path:
            self._of_device(message)

    def _of_device(self, message: Message) -> None:
        match message.member, message.body:
            case "PropertiesChanged", [str(interface), {"Connected": connected}, _]:
                if interface == DEVICE and connected.value:
                    self.answered = True
                    self.renew()
                    self.on_answer()
                elif interface == DEVICE:
                    self.end(Lost.ENDED)
                    self.falls += 1
                    self.on_fall()
            case "Disconnected", [str(reason), str(detail)]:  # since BlueZ 5.79
                self.told_why = True
                self.end(reason_of(LinkError(reason, detail), paired=self.target.paired))
            case _:
                pass

    def renew(self) -> None:
        """A link came up, perhaps after one that fell while it was being made."""
        if self.ended.done():
            self.ended = asyncio.get_running_loop().create_future()

    def end(self, reason: Lost) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)


class LinkError(Exception):
    """BlueZ's own word for why a link ended."""


class Connector:
    """`connect` of the air. The budget is that of the adapter that connects."""

    def __init__(
        self, wanted: Adapters | None = None, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._wanted = wanted or Adapters()
        self._now = now
        self._shared = ConnectBudget(now)
        self._own = ConnectBudget(now, shared=False)
        self._quick_ends: Counter[str] = Counter()
        self._daemon = ""  # bluetoothd's unique name on the bus

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Peripheral]:
        """Connect, and disconnect at the end. Raises LostError."""
        async with _listening() as bus:
            target, shared = await self._find(bus, address)
            link = _Link(target)
            bus.add_message_handler(link.take)
            await _watch(bus, target)
            client = await self._establish(address, link, self._shared if shared else self._own)
            begun = self._now()
            try:
                yield _Peripheral(client, link)
            except LostError as error:
                if error.reason in {Lost.ENDED, Lost.TIMEOUT}:
                    self._note(address, link, begun)
                raise
            else:
                self._note(address, link, begun)
            finally:
                await _part(client)

    async def _find(self, bus: MessageBus, address: str) -> tuple[Target, bool]:
        """Return the device, and whether its adapter is the one that listens, too.

        By its property, as the path of one that was paired in this run of bluetoothd still has the
        address that it had made up.
        """
        try:
            await self._know(bus)
            asked = Message(BLUEZ, "/", OBJECTS, "GetManagedObjects")
            objects: dict[str, Any] = (await dbus.call(bus, asked))[0]
        except (*BROKEN, RefusedError) as error:
            raise LostError(Lost.BUSY, f"no answer of bluetoothd: {error}") from error
        found = adapters(objects)
        adapter = choose(found, self._wanted.connect or self._wanted.listen)
        if adapter is None or not adapter.powered:
            raise LostError(Lost.BUSY, "the adapter is missing or off")
        shared = adapter == choose(found, self._wanted.listen)
        for path, interfaces in objects.items():
            held = {name: each.value for name, each in interfaces.get(DEVICE, {}).items()}
            if path.startswith(f"{adapter.path}/") and held.get("Address") == address:
                return Target(adapter, path, held), shared
        if shared:
            raise LostError(Lost.NOT_FOUND, "not heard lately")
        return await _discover(adapter, address), shared

    async def _know(self, bus: MessageBus) -> None:
        """Have bleak forget a bluetoothd that is gone: it would call its devices connected."""
        name = Message(
            dbus.DBUS, dbus.DBUS_PATH, dbus.DBUS, "GetNameOwner", signature="s", body=[BLUEZ]
        )
        owner: str = (await dbus.call(bus, name))[0]
        if self._daemon not in {"", owner}:
            manager = await get_global_bluez_manager()
            if manager._bus:  # noqa: SLF001 - there is no other way; a test fails if it goes
                manager._bus.disconnect()  # noqa: SLF001
        self._daemon = owner

    async def _establish(self, address: str, link: _Link, budget: ConnectBudget) -> BleakClient:
        target = link.target
        device = BLEDevice(
            address, target.properties.get("Alias"),
            {"path": target.path, "props": target.properties},
        )  # fmt: skip
        async with budget.turn() as turn:
            turn.deaf_from = None
            try:
                async with asyncio.timeout(ANSWER_S) as limit:

                    def answered() -> None:
                        turn.deaf_from = self._now() if turn.deaf_from is None else turn.deaf_from
                        _extend(limit)

                    def fell() -> None:
                        if link.falls >= FALLS:
                            limit.reschedule(asyncio.get_running_loop().time())

                    link.on_answer, link.on_fall = answered, fell
                    if link.answered:
                        answered()
                    await dbus.guard_bleak()
                    client = await establish_connection(
                        BleakClient, device, address, lambda _: link.end(Lost.ENDED),
                        max_attempts=ATTEMPTS, use_services_cache=False,
                        bluez={"adapter": target.adapter.name},
                    )  # fmt: skip
            except FAULTS as error:
                reason = self._why(address, link, error)
                raise LostError(reason, str(error)[:200]) from error
            finally:
                link.on_answer = link.on_fall = lambda: None
        if client.is_connected:
            link.renew()  # bleak may tell of a fall before this link only now
        return client

    def _why(self, address: str, link: _Link, error: BaseException) -> Lost:
        """Return why no connection came about."""
        reason = reason_of(error, paired=link.target.paired)
        if link.ended.done() and link.ended.result() is Lost.BOND_STALE:
            reason = Lost.BOND_STALE
        if reason not in {Lost.TIMEOUT, Lost.NOT_FOUND, Lost.ENDED}:
            return reason
        if not link.answered:
            return Lost.NOT_FOUND
        return self._quick(address, link) or Lost.TIMEOUT

    def _note(self, address: str, link: _Link, begun: float) -> None:
        """A bond that only this side still has ends each link at once, without a reason."""
        if link.sent or self._now() > begun + QUICK_S or not link.ended.done():
            del self._quick_ends[address]
        elif self._quick(address, link):
            raise LostError(Lost.BOND_STALE, "each link ends at once")

    def _quick(self, address: str, link: _Link) -> Lost | None:
        if not link.target.paired or link.told_why:
            return None
        self._quick_ends[address] += max(1, link.falls)
        return Lost.BOND_STALE if self._quick_ends[address] >= QUICK_ENDS else None


class _Peripheral:
    """A connected device."""

    def __init__(self, client: BleakClient, link: _Link) -> None:
        self._client, self._link = client, link
        self._found: dict[str, BleakGATTCharacteristic] = {}
        for service in client.services:
            for characteristic in service.characteristics:
                self._found.setdefault(characteristic.uuid, characteristic)

    @property
    def services(self) -> frozenset[str]:
        return frozenset(self._found)

    async def read(self, characteristic: str) -> bytes:
        found = self._of(characteristic)
        return bytes(await self._within(self._client.read_gatt_char(found)))

    async def write(self, characteristic: str, value: bytes) -> None:
        found = self._of(characteristic)
        await self._within(self._client.write_gatt_char(found, value, response=True))

    async def notify(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        def take(_: BleakGATTCharacteristic, value: bytearray) -> None:
            self._link.sent = True
            heard(bytes(value))

        await self._within(self._client.start_notify(self._of(characteristic), take))

    async def ended(self) -> Lost:
        return await asyncio.shield(self._link.ended)

    def _of(self, characteristic: str) -> BleakGATTCharacteristic:
        if characteristic not in self._found:
            raise LostError(Lost.NOT_SUPPORTED, characteristic)
        return self._found[characteristic]

    async def _within(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(CALL_S):
                return await call
        except FAULTS as error:
            reason = reason_of(error, paired=self._link.target.paired)
            if self._link.ended.done():
                reason = self._link.ended.result()
            raise LostError(reason, str(error)[:200]) from error


def reason_of(error: BaseException, *, paired: bool) -> Lost:
    """Translate what bleak, bleak-retry-connector and BlueZ say, here or as the cause of it."""
    text = " ".join(str(each) for each in (error, error.__cause__) if each)
    if any(key in text.lower() for key in KEY_MISSING):
        return Lost.BOND_STALE
    if any(name in text for name in AUTHENTICATION):
        return Lost.BOND_STALE if paired else Lost.NOT_PERMITTED
    if isinstance(error, BleakGATTProtocolError):
        if error.code in INSECURE:
            return Lost.BOND_STALE if paired else Lost.NOT_PERMITTED
        return Lost.NOT_PERMITTED if error.code in NOT_ALLOWED else Lost.NOT_SUPPORTED
    if isinstance(error, BleakDBusError) and error.dbus_error.endswith("NotPermitted"):
        return Lost.BOND_STALE if paired else Lost.NOT_PERMITTED
    if isinstance(error, BleakDBusError) and error.dbus_error.endswith("NotSupported"):
        return Lost.NOT_SUPPORTED
    if isinstance(error, BROKEN) and not isinstance(error, TimeoutError):
        return Lost.BUSY
    if any(name in text for name in BUSY_TEXTS):
        return Lost.BUSY
    return Lost.TIMEOUT if isinstance(error, TimeoutError) else Lost.ENDED


async def _watch(bus: MessageBus, target: Target) -> None:
    """Have the bus deliver what is said of a device, and the end of the daemon."""
    daemon = f"sender='{dbus.DBUS}',member='NameOwnerChanged',arg0='{BLUEZ}'"
    try:
        for rule in (f"sender='{BLUEZ}',path='{target.path}'", daemon):
            await dbus.match(bus, rule)
    except (*BROKEN, RefusedError) as error:
        raise LostError(Lost.BUSY, str(error)) from error


@asynccontextmanager
async def _listening() -> AsyncIterator[MessageBus]:
    try:
        bus = await dbus.connect()
    except BROKEN as error:
        raise LostError(Lost.BUSY, f"no D-Bus: {error}") from error
    try:
        yield bus
    finally:
        bus.disconnect()


def _extend(limit: asyncio.Timeout) -> None:
    """It has answered: now its services may take longer than an answer."""
    limit.reschedule(asyncio.get_running_loop().time() + FOUND_S)


async def _discover(adapter: Adapter, address: str) -> Target:
    """Look for a device with an adapter of its own; that costs nobody an advert."""
    arguments = BlueZScannerArgs(adapter=adapter.name)
    try:
        async with asyncio.timeout(ANSWER_S + PART_S):
            device = await BleakScanner.find_device_by_address(
                address, timeout=ANSWER_S, bluez=arguments
            )
    except FAULTS as error:
        raise LostError(reason_of(error, paired=False), str(error)[:200]) from error
    if device is None:
        raise LostError(Lost.NOT_FOUND)
    return Target(adapter, device.details["path"], device.details["props"])


async def _part(client: BleakClient) -> None:
    """Disconnect; a daemon that hangs must not hold up the loop.

    bleak asserts that its services are gone, which they are not where the link ended just before it
    found them (seen with a device that hangs up at once).
    """
    with suppress(*FAULTS, AssertionError):
        async with asyncio.timeout(PART_S):
            await client.disconnect()
