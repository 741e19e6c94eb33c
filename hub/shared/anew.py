"""Wireless devices of the hub of before, of which this one has no key or bond: `devices.anew.toml`.

A replacement gets the list of devices, and never a key: bonds are made anew, with whoever installs
it. A device is off this list by itself as soon as `devices.toml` has its address.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from hub.shared.files import write_whole

FILE, LIST = "devices.anew.toml", "devices.toml"
LIST_BYTES = 65_536
KEY = "key"
PLAIN = "sensor"  # one without a key is heard by whoever knows its address
HEAD = "# Devices of the hub that was here before: pair them anew, then they leave this list.\n"
Text = Annotated[str, Meta(max_length=200)]


class Awaited(Struct, frozen=True):
    """A device that is to be paired anew, as the list of before named it."""

    name: Text
    address: Text
    kind: Text
    place: Text = ""


class _Listed(Struct):
    device: list[dict[str, Any]] = []


def awaited(state_dir: Path) -> list[Awaited]:
    """Return the devices that are still to be paired anew; none where that cannot be read."""
    here = {str(one.get("address", "")) for one in tables(_text(state_dir / LIST))}
    found = []
    for table in tables(_text(state_dir / FILE)):
        try:
            one = msgspec.convert(table, Awaited)
        except msgspec.ValidationError:
            continue
        if one.address not in here:
            found.append(one)
    return found


def drop(state_dir: Path, name: str) -> bool:
    """Take a device off the list: it is not used any more. False: it is not there; `OSError`."""
    left = awaited(state_dir)
    names = {one.address for one in left if one.name != name}
    if len(names) == len(left):
        return False
    rest = [one for one in tables(_text(state_dir / FILE)) if one.get("address") in names]
    write_whole(state_dir / FILE, written(rest, HEAD).encode(), 0o600)
    return True


def tables(text: str) -> list[dict[str, Any]]:
    """Return the devices of a list as they are written; none where it cannot be read."""
    try:
        return msgspec.convert(tomllib.loads(text), _Listed).device
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        return []


def written(devices: list[dict[str, Any]], head: str = "") -> str:
    """Return a list without any key."""
    return head + "".join(f"\n[[device]]\n{_lines(one)}" for one in devices)


def is_heard(device: dict[str, Any]) -> bool:
    """Whether a device of the list of before needs nothing new."""
    return device.get("kind") == PLAIN and KEY not in device


def _lines(device: dict[str, Any]) -> str:
    plain = {name: value for name, value in device.items() if name != KEY}
    kept = (one for one in plain.items() if isinstance(one[1], str | int | float))
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in kept)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LIST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return ""
