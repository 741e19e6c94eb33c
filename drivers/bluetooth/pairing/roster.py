"""Writing the list of wireless devices: whole, at once, for its owner only, since keys are in it.

Hub and radio read it again by themselves. One name, one address, one device. The file belongs to
whom its folder belongs, also where an administrator wrote it: else the hub could not read it.
"""

import fcntl
import json
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drivers.bluetooth.devices import in_effect
from hub.core.model.wireless import Wearable, Wireless
from hub.shared.files import give_to_owner_of, to_disk, write_whole
from hub.shared.settings import SettingsError, text_of

AT_FIELD = re.compile(r"\$\.(\w+)")  # as msgspec names the place of a mistake
LOCK = "devices.lock"
HUBS = "hub.toml"
USUAL_HUBS = Path("/etc/anbu") / HUBS
MOST = 64  # as `WirelessFile`
HEAD = "# Written by `anbu radio`. Keys are in here: keep it to the hub's own user.\n"
W = TypeVar("W", bound=Struct)
Listed = tuple[Wireless, ...]


class Why(StrEnum):
    """Why the list was not changed."""

    NAME_TAKEN = "name_taken"
    NAME_WIRED = "name_wired"  # by a device of the hub's own settings
    ADDRESS_TAKEN = "address_taken"
    FULL = "full"
    UNKNOWN = "unknown"  # there is no device of that name
    INVALID = "invalid"  # `detail` is the field that has not its form, such as `key`


class NotListedError(Exception):
    """The list was not changed; `why` says why, and `detail` about what."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else str(why))
        self.why, self.detail = why, detail


def change(path: Path, how: Callable[[Listed], Listed]) -> Listed:
    """Read the list, change it, and write it; return it as it is now.

    Where the list is gone, it is written again with the devices of before. No other program changes
    it meanwhile. Raises NotListedError, SettingsError, OSError.
    """
    with _alone(path.parent):
        after = how(in_effect(path))
        write(path, after)
    return after


def write(path: Path, devices: Listed) -> None:
    """Write the whole list. Raises NotListedError where it would not be read again, or OSError."""
    text = HEAD + "".join(f"\n[[device]]\n{_table(device)}" for device in devices)
    write_whole(path, text.encode(), mode=0o600)
    give_to_owner_of(path.parent, path)
    to_disk(path.parent)


class _Wired(Struct):
    """A device of the hub's settings; of one without a name its kind is the name."""

    kind: str = ""
    name: str = ""


class _HubFile(Struct):
    device: tuple[_Wired, ...] = ()


def wired(radio_config: Path | None) -> frozenset[str]:
    """Return the names of the hub's own devices, which no wireless device may have.

    They are in the hub's settings, beside the radio's or in the usual place. None where these
    cannot be read: then the hub tells a clash as a mistake of the list.
    """
    for path in ([radio_config.with_name(HUBS)] if radio_config else []) + [USUAL_HUBS]:
        try:
            tables = tomllib.loads(text_of(path.read_bytes(), str(path)))
            found = msgspec.convert(tables, _HubFile).device
        except (OSError, SettingsError, tomllib.TOMLDecodeError, msgspec.ValidationError):
            continue
        return frozenset(one.name or one.kind for one in found)
    return frozenset()


def added(devices: Listed, new: Wireless, wired_names: Collection[str] = ()) -> Listed:
    """Return the list with one more device. Raises NotListedError."""
    new = checked(new)
    _check_name(devices, new.name, wired_names)
    taken = next((one.name for one in devices if one.address == new.address), None)
    if taken is not None:
        raise NotListedError(Why.ADDRESS_TAKEN, taken)
    if len(devices) >= MOST:
        raise NotListedError(Why.FULL, str(MOST))
    return (*devices, new)


def renamed(devices: Listed, old: str, new: str, wired_names: Collection[str] = ()) -> Listed:
    """Return the list with a device by another name. Raises NotListedError."""
    device = named(devices, old)
    if old != new:
        _check_name(devices, new, wired_names)
    after = checked(replace(device, name=new))
    return tuple(after if one is device else one for one in devices)


def removed(devices: Listed, name: str) -> Listed:
    """Return the list without a device. Raises NotListedError."""
    device = named(devices, name)
    return tuple(one for one in devices if one is not device)


def named(devices: Listed, name: str) -> Wireless:
    """Return the device of a name. Raises NotListedError."""
    for device in devices:
        if device.name == name:
            return device
    raise NotListedError(Why.UNKNOWN, name)


def free_name(devices: Listed, stem: str) -> str:
    """Return a name that no device has: `phone-1`, `phone-2`, ..."""
    taken = {device.name for device in devices}
    numbers = range(1, len(taken) + 2)
    return next(name for n in numbers if (name := f"{stem}-{n}") not in taken)


def _check_name(devices: Listed, name: str, wired_names: Collection[str]) -> None:
    if name in wired_names:
        raise NotListedError(Why.NAME_WIRED, name)
    if any(one.name == name for one in devices):
        raise NotListedError(Why.NAME_TAKEN, name)


def wearable(name: str, address: str, what: str) -> Wearable:
    """Return a wearable of what somebody typed. Raises NotListedError."""
    return _of({"name": name, "address": address, "what": what, "kind": "wearable"}, Wearable)


def checked(device: Wireless) -> Wireless:
    """Return the device if its name, address and key have their forms; else raise."""
    return _of(msgspec.to_builtins(device), type(device))


def _of(fields: object, shape: type[W]) -> W:
    try:
        return msgspec.convert(fields, shape)
    except msgspec.ValidationError as error:
        field = AT_FIELD.search(str(error))
        raise NotListedError(Why.INVALID, field[1] if field else "") from error


def _table(device: Wireless) -> str:
    fields: dict[str, object] = msgspec.to_builtins(device)
    return "".join(f"{key} = {_value(v)}\n" for key, v in fields.items() if v is not None)


def _value(value: object) -> str:
    """Return a TOML value: JSON's strings, numbers and booleans are TOML, but for one letter."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the list's lock; another program that changes the list waits for it.

    It is a file of its own: the folder itself is locked by the hub for as long as it runs.
    """
    opened = os.open(folder / LOCK, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        give_to_owner_of(folder, opened)
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
