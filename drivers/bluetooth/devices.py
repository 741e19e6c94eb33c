"""The list of wireless devices, `devices.toml`, read again whenever it changes.

The hub reads the same file. One with mistakes changes nothing: the devices of before are listened
to, since a slip of the hand must not silence a pendant. For a process that starts with such a file
the hub keeps a copy of the last list that it could use, `devices.good.toml`. A list that is gone is
such a mistake, too, where devices were listed before: whoever wants none writes an empty file.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from hub.core.model.wireless import Pendant, Phone, Wearable, Wireless, WirelessFile, WirelessSensor
from hub.shared import anew
from hub.shared.files import write_whole
from hub.shared.messages import tell, usual_language
from hub.shared.settings import Kinds, Mistake, Problem, SettingsError, read, text_of
from hub.shared.toml_lines import line_of, locate

FILE, KEPT = anew.LIST, anew.GOOD
KEPT_MODE = 0o600  # it has the keys
LOOK_S = 2.0
log = logging.getLogger(__name__)
Found = tuple[Wireless, ...] | str  # the devices, or where the file is wrong
_SHAPES: dict[str, type[Struct]] = {
    "pendant": Pendant,
    "sensor": WirelessSensor,
    "wearable": Wearable,
    "phone": Phone,
}
KINDS = Kinds(_SHAPES.get, tuple(_SHAPES), unique=("name", "address"))


def load(path: Path, taken: Collection[str] = ()) -> tuple[Wireless, ...]:
    """Return the listed devices; none where there is no file and never was one.

    `taken` are names that no wireless device may have: those of the wired ones. Raises
    SettingsError, OSError, and of these FileNotFoundError where a list that named devices is gone.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if _names_any(path.with_name(KEPT)):
            raise
        return ()
    text = text_of(data, str(path))
    devices = read(text, str(path), WirelessFile, kinds={"device": KINDS}).device
    mistakes = tuple(_clashes(text, str(path), devices, taken))
    if mistakes:
        raise SettingsError(mistakes)
    return devices


def in_effect(path: Path) -> tuple[Wireless, ...]:
    """Return the devices that hub and radio go by, also where the list is gone.

    Raises SettingsError or OSError.
    """
    try:
        return load(path)
    except FileNotFoundError:
        return load(path.with_name(KEPT))


def _names_any(kept: Path) -> bool:
    """Whether devices were listed; a copy that cannot be read had some."""
    try:
        return bool(read(text_of(kept.read_bytes(), str(kept)), str(kept), WirelessFile,
                         kinds={"device": KINDS}).device)  # fmt: skip
    except FileNotFoundError:
        return False
    except (SettingsError, OSError):
        return True


def _clashes(
    text: str, file: str, devices: tuple[Wireless, ...], taken: Collection[str]
) -> Iterator[Mistake]:
    """Yield a mistake for each name that is taken, and each address that was written before."""
    lines, first = locate(text), dict[str, int]()
    for n, device in enumerate(devices):
        line = line_of(lines, ("device", n, "name"))
        if device.name in taken:
            yield Mistake(file, line, f"device[{n + 1}].name", Problem.TAKEN)
        line = line_of(lines, ("device", n, "address"))
        before = first.setdefault(device.address, line)
        if before != line:
            where = f"device[{n + 1}].address"
            yield Mistake(file, line, where, Problem.DUPLICATE, detail=str(before))


def _unheard(_: str) -> None:
    """Ignore what is wrong with the list: somebody else reports it."""


class DeviceList:
    """The devices as the file last named them without a mistake.

    `changed` is called with the devices, `troubled` with where the file is wrong, such as
    `devices.toml:7`, and with an empty text when it is right again; `trouble` has the last one.
    `keeps`: whether to keep a copy of what is right, as only the hub does, which knows all names.
    """

    def __init__(
        self,
        path: Path,
        changed: Callable[[tuple[Wireless, ...]], None],
        troubled: Callable[[str], None] = _unheard,
        taken: Collection[str] = (),
        *,
        keeps: bool = False,
    ) -> None:
        self._path, self._changed, self._troubled, self._taken = path, changed, troubled, taken
        self._keeps, self._kept = keeps, path.with_name(KEPT)
        self._was_right = self._is_kept = False
        self._seen: tuple[int, ...] | None = None
        self.trouble = ""
        self.devices: tuple[Wireless, ...] = ()

    def look(self) -> None:
        """Read the file if it is another than before; report what has changed."""
        self._take(self._read())

    async def watch(self) -> None:
        """Look every 2 s, for ever. A disk that hangs holds up nothing else."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._take(await asyncio.to_thread(self._read))
            if self._keeps and not (self.trouble or self._is_kept):
                await asyncio.to_thread(self._keep)

    def _read(self) -> Found | None:
        """Return what the file says now; None: it is the same as before."""
        seen = self._stamp()
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            found = load(self._path, self._taken)
            return found if found or not self.devices or self._path.exists() else self._gone()
        except FileNotFoundError:
            return self._gone()
        except SettingsError as error:
            for mistake in error.mistakes:
                log.warning("%s", _said(mistake))
            return f"{self._path.name}:{error.mistakes[0].line}"
        except OSError as error:
            log.warning("%s: %s", self._path, error)
            self._seen = None  # it may become readable without a change of it
            return f"{self._path.name}: {error.strerror}"

    def _gone(self) -> str:
        """Return that the list is not there, though it named devices."""
        why = f"{self._path.name}: {os.strerror(errno.ENOENT)}"
        log.warning("%s: the devices of before go on; an empty file lists none", why)
        return why

    def _take(self, found: Found | None) -> None:
        if found is None:
            return
        trouble = found if isinstance(found, str) else ""
        if not trouble:
            self._was_right, self._is_kept = True, False
        elif not self._was_right:
            found = self._last_good() or found
        if not isinstance(found, str) and found != self.devices:
            self.devices = found
            self._changed(found)
        if trouble != self.trouble:
            self.trouble = trouble
            self._troubled(trouble)

    def _last_good(self) -> tuple[Wireless, ...]:
        """Return the list of an earlier process, for one that starts with a wrong one."""
        with suppress(SettingsError, OSError):
            return load(self._kept, self._taken)
        return ()

    def _keep(self) -> None:
        """Keep a copy of a right list. A disk that does not take it is tried at the next change."""
        self._is_kept = True
        try:
            data = self._path.read_bytes() if self._path.exists() else b""
            if self._stamp() != self._seen:
                self._is_kept = False  # it was changed since, perhaps for the worse
            elif not self._kept.exists() or self._kept.read_bytes() != data:
                write_whole(self._kept, data, mode=KEPT_MODE)
        except OSError as error:
            log.warning("%s: %s", self._kept, error)

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


def _said(mistake: Mistake) -> str:
    return tell(mistake, usual_language())
