"""Adapters, as BlueZ's object manager tells of them, and which of them listens or connects."""

from typing import Any

from msgspec import Struct

ADAPTER = "org.bluez.Adapter1"
MONITORS = "org.bluez.AdvertisementMonitorManager1"


class Adapter(Struct, frozen=True):
    """An adapter that BlueZ has."""

    path: str
    address: str
    powered: bool
    state: str = ""  # PowerState, since BlueZ 5.65: "off-blocked" and others
    monitors: bool = False  # whether it scans passively: `Experimental`, or a BlueZ that needs none

    @property
    def name(self) -> str:
        """Its name, such as `hci0`."""
        return self.path.rpartition("/")[2]

    def device(self, address: str) -> str:
        """Return the object path of a device that it hears."""
        return f"{self.path}/dev_{address.replace(':', '_')}"


def adapters(objects: dict[str, Any]) -> list[Adapter]:
    """Read what `GetManagedObjects` answers."""
    return [
        Adapter(
            path=path,
            address=_value(interfaces[ADAPTER], "Address", ""),
            powered=_value(interfaces[ADAPTER], "Powered", default=False),
            state=_value(interfaces[ADAPTER], "PowerState", ""),
            monitors=MONITORS in interfaces,
        )
        for path, interfaces in sorted(objects.items())
        if ADAPTER in interfaces
    ]


def choose(found: list[Adapter], wanted: str) -> Adapter | None:
    """Return the wanted one, None where it is missing: another would hear other rooms."""
    fits = [one for one in found if not wanted or wanted.lower() in (one.name, one.address.lower())]
    return fits[0] if fits else None


def address_of(path: str) -> str:
    """Return the address of the device at an object path."""
    return path.rpartition("/dev_")[2].replace("_", ":")


def _value(properties: dict[str, Any], name: str, default: Any) -> Any:  # noqa: ANN401 - of D-Bus
    variant = properties.get(name)
    return default if variant is None else variant.value
