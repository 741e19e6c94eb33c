"""Blood Pressure service 0x1810: a cuff's measurements, with those that it has stored."""

from collections.abc import Iterable

from drivers.bluetooth.air import Peripheral
from drivers.bluetooth.frames import gatt
from drivers.bluetooth.wearables import clock
from drivers.bluetooth.wearables.records import Records
from drivers.bluetooth.wearables.service import Around, known, uuid, whole
from hub.contract.radio import Fact, Reading
from hub.core.model.wireless import Wearable

MEASUREMENT = uuid(0x2A35)
OTHER_USER = "other_user"


class BloodPressureService:
    """Tells the resident's measurements. What another user of the cuff measured is refused."""

    wants = (MEASUREMENT,)
    measures = True

    def __init__(self, device: Wearable, around: Around) -> None:
        self._device, self._around = device, around
        self._records = Records(around)

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Take a record."""
        del characteristic
        said = gatt.pressure(frame)
        if not whole(said.reason, self._around):
            return
        values = known(
            systolic_mmhg=said.systolic_mmhg,
            diastolic_mmhg=said.diastolic_mmhg,
            map_mmhg=said.map_mmhg,
            pulse_bpm=said.pulse_bpm,
        )
        if values and self._device.user not in {None, said.user}:
            self._around.refuse(OTHER_USER)
            return
        reading = Reading(self._device.name, values, irregular=said.irregular)
        self._records.take(reading, said.stamp)

    async def begin(self, peripheral: Peripheral) -> None:
        """Set the cuff's clock, so that its next record says when it was taken."""
        self._records.begin()
        await clock.set_clock(peripheral, self._around)

    def end(self) -> None:
        """Tell the last records at once."""
        self._records.flush()

    def greeting(self) -> Iterable[Fact]:
        """Nothing lasts."""
        return ()
