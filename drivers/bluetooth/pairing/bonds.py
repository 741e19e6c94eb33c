"""Who is bonded, as BlueZ knows it, and what is done with a bond: pair, trust, rename, remove.

A bond that the other side has forgotten stays `Paired` here, and each connection dies with "PIN or
Key Missing". Only removing the device mends that, and pairing it anew.
"""

import asyncio
from contextlib import suppress
from typing import Any

from dbus_fast import Message, Variant
from dbus_fast.aio import MessageBus
from msgspec import Struct

from drivers.bluetooth.bluez import adapters
from drivers.bluetooth.bluez.bus import BLUEZ, OBJECTS, PROPERTIES, RefusedError, call
from hub.contract.radio import PairingEnd

ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
PAIR_S = 100.0  # BlueZ waits 60 s for a person, and some seconds for the radios
LOOK_S = 1.0  # between two looks whether a device is there yet
LOOKS = 10  # of a search, and of the pause after it; a device that may be paired is heard in 2 s
NAME_LETTERS = 60
_ERROR = "org.bluez.Error."
END_OF_ERROR = {
    f"{_ERROR}AuthenticationFailed": PairingEnd.WRONG_KEY,
    f"{_ERROR}AuthenticationRejected": PairingEnd.NO,
    f"{_ERROR}AuthenticationCanceled": PairingEnd.LEFT,
    f"{_ERROR}AuthenticationTimeout": PairingEnd.UNANSWERED,
    f"{_ERROR}ConnectionAttemptFailed": PairingEnd.ABSENT,
    f"{_ERROR}DoesNotExist": PairingEnd.ABSENT,
    "org.freedesktop.DBus.Error.UnknownObject": PairingEnd.ABSENT,
}


class NoAdapterError(Exception):
    """BlueZ has no such adapter."""


class Known(Struct, frozen=True):
    """A device that BlueZ knows: heard lately, or bonded."""

    path: str
    address: str
    name: str = ""
    paired: bool = False
    trusted: bool = False
    connected: bool = False
    rssi_dbm: int | None = None
    services: tuple[str, ...] = ()


async def objects(bus: MessageBus) -> dict[str, Any]:
    """Return all that BlueZ has. Raises RefusedError or `BROKEN`."""
    (found,) = await call(bus, Message(BLUEZ, "/", OBJECTS, "GetManagedObjects"))
    everything: dict[str, Any] = found
    return everything


def adapter(found: dict[str, Any], wanted: str = "") -> str:
    """Return the path of the adapter of a name or an address; of the first, if none is wanted.

    Raises NoAdapterError.
    """
    chosen = adapters.choose(adapters.adapters(found), wanted)
    if chosen is None:
        raise NoAdapterError(wanted)
    return chosen.path


def known(found: dict[str, Any], at: str) -> tuple[Known, ...]:
    """Return the devices of the adapter at path `at`."""
    return tuple(
        shaped(path, interfaces[DEVICE])
        for path, interfaces in sorted(found.items())
        if DEVICE in interfaces and path.startswith(f"{at}/")
    )


def shaped(path: str, properties: dict[str, Variant]) -> Known:
    """Return a device of its properties."""
    return Known(
        path,
        _value(properties, "Address", "").upper(),
        plain(_value(properties, "Name", "")),
        paired=_value(properties, "Paired", default=False),
        trusted=_value(properties, "Trusted", default=False),
        connected=_value(properties, "Connected", default=False),
        rssi_dbm=_value(properties, "RSSI", None),
        services=tuple(_value(properties, "UUIDs", ())),
    )


def plain(name: str) -> str:
    """Return what a device calls itself without what could disturb a screen or a log."""
    return "".join(letter for letter in name if letter.isprintable())[:NAME_LETTERS]


async def look(bus: MessageBus, path: str) -> Known:
    """Return one device as it is now. Raises RefusedError or `BROKEN`."""
    asked = Message(BLUEZ, path, PROPERTIES, "GetAll", signature="s", body=[DEVICE])
    (properties,) = await call(bus, asked)
    return shaped(path, properties)


async def put(bus: MessageBus, path: str, interface: str, **values: Variant) -> None:
    """Set properties. Raises RefusedError or `BROKEN`."""
    for name, value in values.items():
        body = [interface, name, value]
        await call(bus, Message(BLUEZ, path, PROPERTIES, "Set", signature="ssv", body=body))


async def remove(bus: MessageBus, at: str, path: str) -> None:
    """Have BlueZ forget a device and its keys; one that it does not know is no error."""
    try:
        await call(bus, Message(BLUEZ, at, ADAPTER, "RemoveDevice", signature="o", body=[path]))
    except RefusedError as error:
        if error.name != f"{_ERROR}DoesNotExist":
            raise


async def pair(bus: MessageBus, path: str) -> PairingEnd:
    """Pair with a device that is in reach; return how it ended. Raises `BROKEN`.

    BlueZ may say that it is done and hold no bond (seen after digits were refused and tried again).
    """
    try:
        await call(bus, Message(BLUEZ, path, DEVICE, "Pair"), within_s=PAIR_S)
    except RefusedError as error:
        return END_OF_ERROR.get(error.name, PairingEnd.FAILED)
    except TimeoutError:
        return PairingEnd.UNANSWERED
    held = (await objects(bus)).get(path, {}).get(DEVICE, {}).get("Paired")
    return PairingEnd.PAIRED if held and held.value else PairingEnd.FAILED


async def trust(bus: MessageBus, path: str, name: str) -> None:
    """Let a bonded device connect without a question, under our name for it."""
    truth = Variant("b", True)  # noqa: FBT003 - a value of D-Bus
    await put(bus, path, DEVICE, Trusted=truth, Alias=Variant("s", name))


async def found(bus: MessageBus, at: str, address: str) -> Known:
    """Wait until BlueZ hears a device, and search for it by turns. Raises RefusedError or `BROKEN`.

    Between two searches it listens as always: a search may miss the press of a pendant, and a
    device that is absent would else be searched for as long as the window is open.
    """
    look = 0
    try:
        while True:
            for one in known(await objects(bus), at):
                if one.address == address and (one.rssi_dbm is not None or one.connected):
                    return one
            turn, of = divmod(look, LOOKS)
            if of == 0:
                await (search_no_more if turn % 2 else search)(bus, at)
            look += 1
            await asyncio.sleep(LOOK_S)
    finally:
        await search_no_more(bus, at)


async def search(bus: MessageBus, at: str) -> None:
    """Search actively until `search_no_more` or the end of `bus`; adverts may be missed meanwhile.

    Raises RefusedError or `BROKEN`.
    """
    kinds = {"Transport": Variant("s", "le")}
    await call(
        bus,
        Message(BLUEZ, at, ADAPTER, "SetDiscoveryFilter", signature="a{sv}", body=[kinds]),
    )
    await call(bus, Message(BLUEZ, at, ADAPTER, "StartDiscovery"))


async def search_no_more(bus: MessageBus, at: str) -> None:
    """End our search, if there is one. Raises `BROKEN`."""
    with suppress(RefusedError):  # there was none
        await call(bus, Message(BLUEZ, at, ADAPTER, "StopDiscovery"))


def _value(properties: dict[str, Variant], name: str, default: Any) -> Any:  # noqa: ANN401 - of D-Bus
    variant = properties.get(name)
    return default if variant is None else variant.value
