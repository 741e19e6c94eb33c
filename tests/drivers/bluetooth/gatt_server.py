"""A peripheral on bluezoo's second adapter: services, characteristics, an advert; values sent.

bluezoo connects to a device once only: at the second time it exports its services again and fails.

async with GattServer(bus.address, {HEART_RATE: {MEASUREMENT: ["notify"]}}) as band:
    band.send(MEASUREMENT, b"...")
"""

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from dbus_fast import Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

ROOT, ADVERT = "/org/anbu/peer", "/org/anbu/peer/advert"
ADAPTER = "/org/bluez/hci1"
ADDRESS = "00:00:00:00:00:02"
Services = dict[str, dict[str, list[str]]]  # service -> characteristic -> flags


class _Service(ServiceInterface):
    def __init__(self, uuid: str) -> None:
        super().__init__("org.bluez.GattService1")
        self._uuid = uuid

    @dbus_property(PropertyAccess.READ)
    def UUID(self) -> "s":  # type: ignore[name-defined]  # noqa: F821, N802 - a D-Bus signature
        return self._uuid

    @dbus_property(PropertyAccess.READ)
    def Primary(self) -> "b":  # type: ignore[name-defined]  # noqa: F821, N802
        return True


class Characteristic(ServiceInterface):
    """A value that can be read, written and sent; `written` keeps what was written."""

    def __init__(self, uuid: str, service: str, flags: list[str]) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._uuid, self._service, self._flags = uuid, service, flags
        self.value, self.written = b"", list[bytes]()
        self.confirmed = asyncio.Event()
        self.notifying = False

    @dbus_property(PropertyAccess.READ)
    def UUID(self) -> "s":  # type: ignore[name-defined]  # noqa: F821, N802
        return self._uuid

    @dbus_property(PropertyAccess.READ)
    def Service(self) -> "o":  # type: ignore[name-defined]  # noqa: F821, N802
        return self._service

    @dbus_property(PropertyAccess.READ)
    def Flags(self) -> "as":  # type: ignore[valid-type]  # noqa: F722, N802
        return self._flags

    @dbus_property(PropertyAccess.READ)
    def Value(self) -> "ay":  # type: ignore[name-defined]  # noqa: F821, N802
        return self.value

    @dbus_property(PropertyAccess.READ)
    def Notifying(self) -> "b":  # type: ignore[name-defined]  # noqa: F821, N802
        return self.notifying

    @dbus_method()
    def ReadValue(self, options: "a{sv}") -> "ay":  # type: ignore[valid-type,name-defined]  # noqa: ARG002, F722, F821, N802
        return self.value

    @dbus_method()
    def WriteValue(self, value: "ay", options: "a{sv}") -> None:  # type: ignore[valid-type,name-defined]  # noqa: ARG002, F722, F821, N802
        self.written.append(bytes(value))

    @dbus_method()
    def StartNotify(self) -> None:  # noqa: N802
        self.notifying = True
        self.emit_properties_changed({"Notifying": True})

    @dbus_method()
    def StopNotify(self) -> None:  # noqa: N802
        self.notifying = False
        self.emit_properties_changed({"Notifying": False})

    @dbus_method()
    def Confirm(self) -> None:  # noqa: N802
        self.confirmed.set()

    def send(self, value: bytes) -> None:
        self.value = value
        self.emit_properties_changed({"Value": value})


class _Advert(ServiceInterface):
    def __init__(self, name: str, services: list[str]) -> None:
        super().__init__("org.bluez.LEAdvertisement1")
        self._name, self._services = name, services

    @dbus_method()
    def Release(self) -> None:  # noqa: N802
        pass

    @dbus_property(PropertyAccess.READ)
    def Type(self) -> "s":  # type: ignore[name-defined]  # noqa: F821, N802
        return "peripheral"

    @dbus_property(PropertyAccess.READ)
    def LocalName(self) -> "s":  # type: ignore[name-defined]  # noqa: F821, N802
        return self._name

    @dbus_property(PropertyAccess.READ)
    def ServiceUUIDs(self) -> "as":  # type: ignore[valid-type]  # noqa: F722, N802
        return self._services

    @dbus_property(PropertyAccess.READ)
    def Discoverable(self) -> "b":  # type: ignore[name-defined]  # noqa: F821, N802
        return True


class GattServer:
    """A peripheral that advertises and lets itself be connected."""

    def __init__(self, address: str, services: Services, name: str = "band") -> None:
        self._address, self._services, self._name = address, services, name
        self.found: dict[str, Characteristic] = {}
        self.bus: MessageBus

    async def __aenter__(self) -> Self:
        self.bus = await MessageBus(bus_address=self._address).connect()
        async with asyncio.timeout(10):
            while not await self._is_there():  # noqa: ASYNC110 - its adapters come unannounced
                await asyncio.sleep(0.02)
        self.bus.export(ROOT, ServiceInterface("org.anbu.Peer"))
        for path, interface in self._objects():
            self.bus.export(path, interface)
        await self._call("org.bluez.GattManager1", "RegisterApplication", ROOT)
        await self.advertise()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.bus.disconnect()

    async def advertise(self) -> None:
        self.bus.export(ADVERT, _Advert(self._name, list(self._services)))
        await self._call("org.bluez.LEAdvertisingManager1", "RegisterAdvertisement", ADVERT)

    async def fall_silent(self) -> None:
        """Advertise no longer."""
        message = Message(
            "org.bluez", ADAPTER, "org.bluez.LEAdvertisingManager1", "UnregisterAdvertisement",
            signature="o", body=[ADVERT],
        )  # fmt: skip
        await self._send(message)
        self.bus.unexport(ADVERT)

    def send(self, characteristic: str, value: str) -> None:
        self.found[characteristic].send(bytes.fromhex(value))

    async def drop(self) -> None:
        """End the connection: at the hub's adapter, since bluezoo does not tell it there."""
        path = f"/org/bluez/hci0/dev_{ADDRESS.replace(':', '_')}"
        await self._send(Message("org.bluez", path, "org.bluez.Device1", "Disconnect"))

    async def _is_there(self) -> bool:
        """Whether bluezoo has its adapters."""
        objects = "org.freedesktop.DBus.ObjectManager"
        message = Message("org.bluez", "/", objects, "GetManagedObjects")
        reply = await self.bus.call(message)
        return reply.message_type is MessageType.METHOD_RETURN and ADAPTER in reply.body[0]

    async def _call(self, interface: str, member: str, path: str) -> None:
        options: dict[str, Variant] = {}
        message = Message("org.bluez", ADAPTER, interface, member)
        message.signature, message.body = "oa{sv}", [path, options]
        await self._send(message)

    async def _send(self, message: Message) -> list[Any]:
        reply = await self.bus.call(message)
        assert reply.message_type is MessageType.METHOD_RETURN, (reply.error_name, reply.body)
        body: list[Any] = reply.body
        return body

    def _objects(self) -> Iterator[tuple[str, ServiceInterface]]:
        for number, (uuid, characteristics) in enumerate(self._services.items()):
            service = f"{ROOT}/service{number}"
            yield service, _Service(uuid)
            for at, (name, flags) in enumerate(characteristics.items()):
                self.found[name] = Characteristic(name, service, flags)
                yield f"{service}/char{at}", self.found[name]
