"""Health Thermometer service 0x1809: the temperature of the body."""

from collections.abc import Iterable

from drivers.bluetooth.air import Peripheral
from drivers.bluetooth.frames import gatt
from drivers.bluetooth.wearables import clock
from drivers.bluetooth.wearables.records import Records
from drivers.bluetooth.wearables.service import Around, known, uuid, whole
from hub.contract.radio import Fact, Reading
from hub.core.model.wireless import Wearable

MEASUREMENT = uuid(0x2A1C)


class ThermometerService:
    """Tells each finished measurement."""

    wants = (MEASUREMENT,)
    measures = True

    def __init__(self, device: Wearable, around: Around) -> None:
        self._device, self._around = device, around
        self._records = Records(around)

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Take a record."""
        del characteristic
        said = gatt.temperature(frame)
        if whole(said.reason, self._around):
            values = known(temperature_c=said.temperature_c)
            self._records.take(Reading(self._device.name, values), said.stamp)

    async def begin(self, peripheral: Peripheral) -> None:
        """Set the clock of a thermometer that has one."""
        self._records.begin()
        await clock.set_clock(peripheral, self._around)

    def end(self) -> None:
        """Tell the last records at once."""
        self._records.flush()

    def greeting(self) -> Iterable[Fact]:
        """Nothing lasts."""
        return ()
