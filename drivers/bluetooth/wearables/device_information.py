"""Device Information service 0x180A: who made the device, which model, with which firmware."""

import logging
from collections.abc import Iterable

from drivers.bluetooth.air import Peripheral
from drivers.bluetooth.wearables.service import Around, read, uuid
from hub.contract.radio import Fact
from hub.core.model.wireless import Wearable

MANUFACTURER, MODEL, FIRMWARE = uuid(0x2A29), uuid(0x2A24), uuid(0x2A26)
LONGEST = 60  # characters
log = logging.getLogger(__name__)


class DeviceInformationService:
    """Writes maker, model and firmware to the log, as quirks go by them; never a serial number."""

    wants: tuple[str, ...] = ()
    measures = False

    def __init__(self, device: Wearable, around: Around) -> None:
        del around
        self._device = device

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Nothing is subscribed to."""

    async def begin(self, peripheral: Peripheral) -> None:
        """Read what the device says of itself."""
        said = [await read(peripheral, each) for each in (MANUFACTURER, MODEL, FIRMWARE)]
        texts = [_plain(each) for each in said if each]
        if texts:
            log.info("%s is: %s", self._device.name, ", ".join(texts))

    def end(self) -> None:
        """Hold nothing back."""

    def greeting(self) -> Iterable[Fact]:
        """Nothing lasts."""
        return ()


def _plain(value: bytes) -> str:
    """Return a text that cannot break a line of the log, whatever the device sent."""
    text = value.rstrip(b"\0").decode(errors="replace")[:LONGEST]
    return "".join(each if each.isprintable() else "?" for each in text)
