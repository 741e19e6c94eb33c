"""Battery service 0x180F: the charge, once per connection and whenever the device says so."""

from collections.abc import Iterable

from drivers.bluetooth.air import Peripheral
from drivers.bluetooth.frames import gatt
from drivers.bluetooth.wearables.service import Around, read, uuid, whole
from hub.contract.radio import Battery, Fact
from hub.core.model.wireless import Wearable

LEVEL = uuid(0x2A19)


class BatteryService:
    """Tells the charge when it is another than before."""

    wants = (LEVEL,)
    measures = False

    def __init__(self, device: Wearable, around: Around) -> None:
        self._device, self._around = device, around
        self._told: float | None = None

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Tell the charge."""
        del characteristic
        said = gatt.charge(frame)
        pct = said.battery_pct
        if whole(said.reason, self._around) and pct is not None and pct != self._told:
            self._told = pct
            self._around.tell(Battery(self._device.name, pct))

    async def begin(self, peripheral: Peripheral) -> None:
        """Read the charge, and tell it once per connection: many devices never do by themselves."""
        self._told = None
        level = await read(peripheral, LEVEL)
        if level is not None:
            self.heard(LEVEL, level)

    def end(self) -> None:
        """Hold nothing back."""

    def greeting(self) -> Iterable[Fact]:
        """Return the charge, if it is known."""
        return () if self._told is None else (Battery(self._device.name, self._told),)
