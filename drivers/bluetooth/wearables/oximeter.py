"""Pulse Oximeter service 0x1822: oxygen and pulse, each second on a finger or as a spot check."""

from collections.abc import Iterable

from drivers.bluetooth.air import Peripheral
from drivers.bluetooth.frames import gatt
from drivers.bluetooth.link import TOO_MANY, Bound
from drivers.bluetooth.wearables import clock
from drivers.bluetooth.wearables.records import Records
from drivers.bluetooth.wearables.service import Around, known, uuid, whole
from hub.contract.radio import Fact, Reading
from hub.core.model.wireless import Wearable

PER_S = 10  # an oximeter sends one a second; one that has gone mad must not crowd out the others
SPOT, CONTINUOUS = uuid(0x2A5E), uuid(0x2A5F)
# The Pulse Oximeter Service's bits of the measurement status: of a demonstration, of a test,
# calibrating, unavailable, questionable, invalid
NO_MEASUREMENT = 0b1111_1100_0000_0000
STORED = 1 << 9
# Bits of the device and sensor status: malfunction, inadequate signal, erratic, not pulsating,
# questionable pulse, not on the user, displaced, sensor's malfunction, disconnected. Poor signal
# and low perfusion are what the cold fingers of the old are like: those values count.
NO_SIGNAL = 0b1110_1001_1100_1010
INVALID = "invalid"


class OximeterService:
    """Tells what was measured; what the oximeter itself calls invalid is refused."""

    wants = (CONTINUOUS, SPOT)
    measures = True

    def __init__(self, device: Wearable, around: Around) -> None:
        self._device, self._around = device, around
        self._records = Records(around)
        self._bound = Bound(PER_S, around.at)

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Take a reading."""
        spot = characteristic == SPOT
        if not spot and not self._bound.allows():
            self._around.refuse(TOO_MANY)
            return
        said = gatt.spot_oxygen(frame) if spot else gatt.continuous_oxygen(frame)
        if not whole(said.reason, self._around):
            return
        if (said.status or 0) & NO_MEASUREMENT or (said.device_status or 0) & NO_SIGNAL:
            self._around.refuse(INVALID)
            return
        values = known(spo2_pct=said.spo2_pct, pulse_bpm=said.pulse_bpm)
        reading = Reading(self._device.name, values)
        if spot:
            stored = bool((said.status or 0) & STORED)
            self._records.take(reading, said.stamp, stored=stored)
        elif values:
            self._around.tell(reading)

    async def begin(self, peripheral: Peripheral) -> None:
        """Set the clock of an oximeter that has one."""
        self._records.begin()
        await clock.set_clock(peripheral, self._around)

    def end(self) -> None:
        """Tell the last records at once."""
        self._records.flush()

    def greeting(self) -> Iterable[Fact]:
        """Nothing lasts."""
        return ()
