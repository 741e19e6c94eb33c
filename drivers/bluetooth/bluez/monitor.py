"""Our own `org.bluez.AdvertisementMonitor1`: passive scanning, and who came or was lost.

A monitor filters by patterns only. What is told of it, BlueZ tells for each device that matches;
whose it is stands in the device's object path. Without RSSI thresholds BlueZ calls `DeviceFound`
for each advert of each stranger, and `DeviceLost` never (`adv_monitor_filter_rssi` in its
src/adv_monitor.c). With them a device is found once its adverts, `FOUND_S` apart at most, have come
for so long, and lost after `LOST_S` without one. Its data comes at once, by its properties.
"""

from collections.abc import Callable
from typing import Annotated

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusInt16, DBusObjectPath, DBusSignature, DBusStr, DBusUInt16
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

ROOT = "/org/anbu/radio"
PATH = f"{ROOT}/monitor"
FLAGS, SERVICE_DATA_16 = 0x01, 0x16  # AD types: Core Specification Supplement, part A
EVERY_DBM = -127  # every advert is as strong as that
FOUND_S, LOST_S = 3, 10  # the slowest wearables advertise each 2.5 s
EVERY_ADVERT = 0  # sampling period of a controller that filters by itself; by default it tells one
# Seven at most: BlueZ counts the bytes of its request to the kernel, 34 a pattern, in a uint8_t.
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
        """A device is here."""
        self._came(device, True)  # noqa: FBT003

    @dbus_method()
    def DeviceLost(self, device: DBusObjectPath) -> None:  # noqa: N802
        """A device has not been heard for `LOST_S`."""
        self._came(device, False)  # noqa: FBT003

    @dbus_property(PropertyAccess.READ)
    def Type(self) -> DBusStr:  # noqa: N802
        """What it filters by."""
        return "or_patterns"

    @dbus_property(PropertyAccess.READ)
    def Patterns(self) -> Annotated[list[list[int | bytes]], DBusSignature("a(yyay)")]:  # noqa: N802
        """Return position, AD type and content of each."""
        return [list(pattern) for pattern in PATTERNS]

    @dbus_property(PropertyAccess.READ)
    def RSSIHighThreshold(self) -> DBusInt16:  # noqa: N802
        """Return what is strong enough to be found, in dBm."""
        return EVERY_DBM

    @dbus_property(PropertyAccess.READ)
    def RSSILowThreshold(self) -> DBusInt16:  # noqa: N802
        """Return what is too weak to be here, in dBm."""
        return EVERY_DBM

    @dbus_property(PropertyAccess.READ)
    def RSSIHighTimeout(self) -> DBusUInt16:  # noqa: N802
        """Return how long a device must be heard to be found, in seconds."""
        return FOUND_S

    @dbus_property(PropertyAccess.READ)
    def RSSILowTimeout(self) -> DBusUInt16:  # noqa: N802
        """Return how long it must be silent to be lost, in seconds."""
        return LOST_S

    @dbus_property(PropertyAccess.READ)
    def RSSISamplingPeriod(self) -> DBusUInt16:  # noqa: N802
        """Return how many adverts a controller may keep to itself."""
        return EVERY_ADVERT
