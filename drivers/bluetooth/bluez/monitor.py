"""Our own `org.bluez.AdvertisementMonitor1`: passive scanning, and who came or was lost.

A monitor filters by patterns only. What is told of it, BlueZ tells for each device that matches;
whose it is stands in the device's object path.
"""

from collections.abc import Callable
from typing import Annotated

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

ROOT = "/org/anbu/radio"
PATH = f"{ROOT}/monitor"
FLAGS, SERVICE_DATA_16 = 0x01, 0x16  # AD types: Core Specification Supplement, part A
PATTERNS: tuple[tuple[int, int, bytes], ...] = (
    (
        0,
        SERVICE_DATA_16,
        b"\xd2\xfc",
    ),  # BTHome; with flags alone, adverts without a Flags field vanish
    *((0, FLAGS, bytes([flags])) for flags in (0x02, 0x04, 0x05, 0x06, 0x18, 0x1A)),  # wearables
)


class Monitor(ServiceInterface):
    """Tells `came(path, here)` of each device, `active` when it works, `released` when it ends."""

    def __init__(
        self,
        came: Callable[[str, bool], None],
        active: Callable[[], None],
        released: Callable[[], None],
    ) -> None:
        super().__init__("org.bluez.AdvertisementMonitor1")
        self._came, self._active, self._released = came, active, released

    @dbus_method()
    def Release(self) -> None:  # noqa: N802 - BlueZ's names, here and below
        """BlueZ has removed it."""
        self._released()

    @dbus_method()
    def Activate(self) -> None:  # noqa: N802
        """It works."""
        self._active()

    @dbus_method()
    def DeviceFound(self, device: DBusObjectPath) -> None:  # noqa: N802
        """A device is heard for the first time, or again."""
        self._came(device, True)  # noqa: FBT003

    @dbus_method()
    def DeviceLost(self, device: DBusObjectPath) -> None:  # noqa: N802
        """A device has not been heard for 5 s."""
        self._came(device, False)  # noqa: FBT003

    @dbus_property(PropertyAccess.READ)
    def Type(self) -> DBusStr:  # noqa: N802
        """What it filters by."""
        return "or_patterns"

    @dbus_property(PropertyAccess.READ)
    def Patterns(self) -> Annotated[list[list[int | bytes]], DBusSignature("a(yyay)")]:  # noqa: N802
        """Return position, AD type and content of each."""
        return [list(pattern) for pattern in PATTERNS]
