"""Heart Rate service 0x180D: pulse, contact with the skin, and the intervals between beats."""

from collections.abc import Iterable

from drivers.bluetooth.air import Peripheral
from drivers.bluetooth.frames import gatt
from drivers.bluetooth.link import TOO_MANY, Bound
from drivers.bluetooth.wearables.service import Around, uuid, whole
from hub.contract.radio import Fact, Pulse
from hub.core.model.wireless import Wearable

MEASUREMENT = uuid(0x2A37)
PER_S = 10  # a band sends one a second; one that has gone mad must not crowd out the others
INTERVALS_MOST = 64  # of one `Pulse`


class HeartRateService:
    """Tells each notification as a pulse; a band that measures nothing says so, too."""

    wants = (MEASUREMENT,)
    measures = True

    def __init__(self, device: Wearable, around: Around) -> None:
        self._device, self._around = device, around
        self._bound = Bound(PER_S, around.at)

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Tell a pulse; without a value it says that the band is not worn, or still searching."""
        del characteristic
        if not self._bound.allows():
            self._around.refuse(TOO_MANY)
            return
        said = gatt.heart_rate(frame)
        if whole(said.reason, self._around):
            rr_ms = tuple(each for each in said.rr_ms if each > 0)[-INTERVALS_MOST:]
            rr_ms = rr_ms if said.bpm else ()
            self._around.tell(Pulse(self._device.name, said.bpm, rr_ms=rr_ms, worn=said.worn))

    async def begin(self, peripheral: Peripheral) -> None:
        """Need nothing more."""

    def end(self) -> None:
        """Hold nothing back."""

    def greeting(self) -> Iterable[Fact]:
        """Nothing lasts."""
        return ()
