"""The list of wireless devices, `devices.toml`, read again whenever it changes.

The hub reads the same file. One with mistakes changes nothing: the devices of before are listened
to, since a slip of the hand must not silence a pendant.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from hub.core.model.wireless import Pendant, Phone, Wearable, Wireless, WirelessFile, WirelessSensor
from hub.shared.messages import tell, usual_language
from hub.shared.settings import Kinds, Mistake, SettingsError, read

FILE = "devices.toml"
LOOK_S = 2.0
log = logging.getLogger(__name__)
_SHAPES: dict[str, type[Struct]] = {
    "pendant": Pendant,
    "sensor": WirelessSensor,
    "wearable": Wearable,
    "phone": Phone,
}
KINDS = Kinds(_SHAPES.get, tuple(_SHAPES), unique=("name", "address"))


def load(path: Path) -> tuple[Wireless, ...]:
    """Return the listed devices; none where there is no file. Raises SettingsError or OSError."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return ()
    return read(text, str(path), WirelessFile, kinds={"device": KINDS}).device


class DeviceList:
    """The devices as the file last named them without a mistake."""

    def __init__(self, path: Path, changed: Callable[[tuple[Wireless, ...]], None]) -> None:
        self._path, self._changed = path, changed
        self._seen: tuple[int, ...] | None = None
        self.devices: tuple[Wireless, ...] = ()

    def look(self) -> None:
        """Read the file if it is another than before; call `changed` if its devices are."""
        seen = self._stamp()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            devices = load(self._path)
        except SettingsError as error:
            for mistake in error.mistakes:
                log.warning("%s", _said(mistake))
        except OSError as error:
            log.warning("%s: %s", self._path, error)
            self._seen = None  # it may become readable without a change of it
        else:
            if devices != self.devices:
                self.devices = devices
                self._changed(devices)

    async def watch(self) -> None:
        """Look every 2 s, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


def _said(mistake: Mistake) -> str:
    return tell(mistake, usual_language())
