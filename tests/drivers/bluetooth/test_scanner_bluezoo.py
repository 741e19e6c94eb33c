"""The scanner, and bleak's active scan below it, against bluezoo, which is a process of its own."""

import asyncio
from pathlib import Path
from typing import Annotated

from dbus_fast import Message, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.bluez import bus as dbus
from drivers.bluetooth.bluez.scanner import Scanner
from drivers.bluetooth.settings import Adapters
from hub.contract.radio import Part
from tests.drivers.bluetooth.conftest import Addresses, Ear, beside, until
from tests.drivers.bluetooth.private_bus import Bluezoo, PrivateBus

NEIGHBOUR = "00:00:00:00:00:02"  # bluezoo's second adapter, which is in range of the first
FRAME = "40000a0164"


class Advertisement(ServiceInterface):
    """What the second adapter says."""

    def __init__(self) -> None:
        super().__init__("org.bluez.LEAdvertisement1")

    @dbus_method()
    def Release(self) -> None:  # noqa: N802
        pass

    @dbus_property(PropertyAccess.READ)
    def Type(self) -> DBusStr:  # noqa: N802
        return "broadcast"

    @dbus_property(PropertyAccess.READ)
    def Discoverable(self) -> DBusBool:  # noqa: N802 - else bluezoo keeps it to itself
        return True

    @dbus_property(PropertyAccess.READ)
    def ServiceData(self) -> Annotated[dict[str, Variant], DBusSignature("a{sv}")]:  # noqa: N802
        return {BTHOME: Variant("ay", bytes.fromhex(FRAME))}


async def advertise() -> MessageBus:
    bus = await dbus.connect()
    bus.export("/advert", Advertisement())
    manager = ("org.bluez", "/org/bluez/hci1", "org.bluez.LEAdvertisingManager1")
    arguments: list[object] = ["/advert", dict[str, Variant]()]
    await dbus.call(
        bus, Message(*manager, "RegisterAdvertisement", signature="oa{sv}", body=arguments)
    )
    return bus


def test_bleak_scans_actively_where_bluez_has_no_monitors(bus: PrivateBus, tmp_path: Path) -> None:
    ear = Ear()

    async def story(scanner: Scanner) -> None:
        await until(lambda: scanner.adapter, "it scans")
        advertising = await advertise()
        await until(lambda: ear.adverts, "the neighbour is heard")
        advertising.disconnect()

    async def all_of_it() -> None:
        scanner = Scanner(Adapters(listen="hci0"), rfkill=tmp_path)
        await beside(scanner.listen(Addresses(NEIGHBOUR), ear), story(scanner))

    with Bluezoo(bus):
        asyncio.run(all_of_it())
    assert ear.adverts[0].address == NEIGHBOUR
    assert ear.adverts[0].service_data == {BTHOME: bytes.fromhex(FRAME)}
    assert ear.here == {NEIGHBOUR: True}
    assert ear.out == {Part.PASSIVE}
