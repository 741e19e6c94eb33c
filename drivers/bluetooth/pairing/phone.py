"""What a phone finds in its Bluetooth settings, so that it can be bonded without an app.

Phones list what advertises a service that they can use themselves. So the hub is, only while the
window is open, a HID device over GATT (Bluetooth SIG: HOGP 1.0) with one button that nobody ever
presses: of the page of consumer controls, since a phone hides its own keyboard while a keyboard is
connected. Each characteristic wants an authenticated link, so the phone pairs by comparing digits.
Bonding exchanges identity keys; from then on BlueZ reports the phone's changing addresses under its
identity address.

Tried here: against a fake `org.bluez`, how it is registered and read. Real phones are not tried:
which of them list it, and which reconnect by themselves, is to be seen on a Pi.
"""

from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from drivers.bluetooth.bluez.bus import BLUEZ, OBJECTS, PROPERTIES, call

GATT, ADVERTS = "org.bluez.GattManager1", "org.bluez.LEAdvertisingManager1"
ADVERT = "org.bluez.LEAdvertisement1"
SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
DESCRIPTOR = "org.bluez.GattDescriptor1"
ROOT = "/anbu/pairing/phone"
ADVERT_PATH = f"{ROOT}/advert"
HID, HID_INFORMATION, REPORT_MAP = "1812", "2a4a", "2a4b"
CONTROL_POINT, REPORT, REPORT_REFERENCE = "2a4c", "2a4d", "2908"
REMOTE = 0x0180  # GAP appearance: generic remote control
INFORMATION = bytes((0x11, 0x01, 0, 0b10))  # HID 1.11, no country, normally connectable
REPORT_ID = 1
# HID 1.11, 6.2.2: usage page consumer (0x0C), usage consumer control; one bit, "play/pause" (0xCD)
MAP = bytes.fromhex("050c0901a101" + "8501" + "1500250109cd75019501810275079501810" + "3c0")
LOCKED = "encrypt-authenticated-read"
VALUES = {
    HID_INFORMATION: INFORMATION,
    REPORT_MAP: MAP,
    REPORT: bytes(1),
    REPORT_REFERENCE: bytes((REPORT_ID, 1)),  # an input report
}
Objects = dict[str, dict[str, dict[str, Variant]]]


class Showing:
    """The objects that BlueZ reads from us while a phone may find the hub."""

    def __init__(self, bus: MessageBus, name: str) -> None:
        self._bus, self._name = bus, name
        self.owner = ""

    def called(self, message: Message) -> Message | None:
        """Answer BlueZ's reading of our objects; None for any other message."""
        path = message.path or ""
        ours = path == ROOT or path.startswith(f"{ROOT}/")
        if not ours or message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.sender != self.owner:
            return Message.new_error(message, "org.freedesktop.DBus.Error.AccessDenied", "")
        match message.interface, message.member:
            case iface, "GetManagedObjects" if iface == OBJECTS:
                tree = {p: o for p, o in self.objects().items() if p != ADVERT_PATH}
                return Message.new_method_return(message, "a{oa{sa{sv}}}", [tree])
            case iface, "GetAll" if iface == PROPERTIES:
                held = self.objects().get(path, {}).get(message.body[0], {})
                return Message.new_method_return(message, "a{sv}", [held])
            case _, "ReadValue":
                return Message.new_method_return(message, "ay", [self._value(path)])
            case _, "WriteValue" | "StartNotify" | "StopNotify" | "Release":
                return Message.new_method_return(message)
            case _:
                return None

    def objects(self) -> Objects:
        """Return the advert, and the service with all its parts."""
        service, report = f"{ROOT}/service0", f"{ROOT}/service0/{REPORT}"
        tree: Objects = {ADVERT_PATH: {ADVERT: self._advert()}}
        primary = Variant("b", True)  # noqa: FBT003 - a value of D-Bus
        tree[service] = {SERVICE: {"UUID": Variant("s", HID), "Primary": primary}}
        for uuid, flags in (
            (HID_INFORMATION, ["read", LOCKED]),
            (REPORT_MAP, ["read", LOCKED]),
            (CONTROL_POINT, ["write-without-response"]),
            (REPORT, ["read", LOCKED, "notify"]),
        ):
            part = {"UUID": uuid, "Service": service}
            tree[f"{service}/{uuid}"] = {CHARACTERISTIC: _props(part, flags)}
        reference = {"UUID": REPORT_REFERENCE, "Characteristic": report}
        tree[f"{report}/{REPORT_REFERENCE}"] = {DESCRIPTOR: _props(reference, ["read", LOCKED])}
        return tree

    async def register(self, adapter: str, owner: str) -> None:
        """Show it. Raises RefusedError (an adapter that is no peripheral, say) or `BROKEN`."""
        self.owner = owner
        body: list[Any] = [ROOT, {}]
        await call(
            self._bus,
            Message(BLUEZ, adapter, GATT, "RegisterApplication", signature="oa{sv}", body=body),
        )
        body = [ADVERT_PATH, {}]
        await call(
            self._bus,
            Message(
                BLUEZ, adapter, ADVERTS, "RegisterAdvertisement", signature="oa{sv}", body=body
            ),
        )

    async def unregister(self, adapter: str) -> None:
        """Show it no longer. Raises RefusedError, where it was not shown, or `BROKEN`."""
        for manager, member, path in (
            (ADVERTS, "UnregisterAdvertisement", ADVERT_PATH),
            (GATT, "UnregisterApplication", ROOT),
        ):
            await call(
                self._bus, Message(BLUEZ, adapter, manager, member, signature="o", body=[path])
            )

    def _advert(self) -> dict[str, Variant]:
        return {
            "Type": Variant("s", "peripheral"),
            "ServiceUUIDs": Variant("as", [HID]),
            "LocalName": Variant("s", self._name),
            "Appearance": Variant("q", REMOTE),
            "Discoverable": Variant("b", True),  # noqa: FBT003 - a value of D-Bus
        }

    def _value(self, path: str) -> bytes:
        return VALUES.get(path.rpartition("/")[2], b"")


def _props(parts: dict[str, str], flags: list[str]) -> dict[str, Variant]:
    """Return the properties of a part of the service; paths are of the D-Bus type `o`."""
    told = {k: Variant("s" if k == "UUID" else "o", v) for k, v in parts.items()}
    return told | {"Flags": Variant("as", flags)}
