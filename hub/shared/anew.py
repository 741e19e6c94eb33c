"""Wireless devices of the hub of before, of which this one has no key or bond: `devices.anew.toml`.

A replacement gets the list of devices, and never a key: bonds are made anew, with whoever installs
it. A device is off this list by itself as soon as `devices.toml` has its address.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hub.shared.files import give_to_owner_of, write_whole
from hub.shared.settings import text_of

FILE, LIST = "devices.anew.toml", "devices.toml"
GOOD = "devices.good.toml"  # the hub's copy of the last list without a mistake
LIST_BYTES = 262_144  # the hub takes 64 devices: some 20 KB, in UTF-32 four times as much
WORD = 200  # characters of a name or a place
KEY = "key"
PLAIN = "sensor"  # one without a key is heard by whoever knows its address
HEAD = "# Devices of the hub that was here before: pair them anew, then they leave this list.\n"
Table = dict[str, Any]


class UnreadError(ValueError):
    """A file is there and cannot be read, so nobody knows what it says; the text is its name."""


class Awaited(Struct, frozen=True):
    """A device that is to be paired anew, as the list of before named it."""

    name: str
    address: str
    kind: str
    place: str = ""


class _Listed(Struct):
    device: list[Table] = []


def listed(state_dir: Path) -> list[Table] | None:
    """Return the devices that hub and radio go by; None: there is no list. Raises UnreadError.

    The hub copies each list that it can use. While the list is wrong, or gone, that copy holds, and
    only the hub sees every mistake: so the copy counts, and the list where no hub has run yet.
    """
    return read(in_effect(state_dir))


def in_effect(state_dir: Path) -> Path:
    """Return the file whose devices `listed` gives; it may be missing."""
    good = state_dir / GOOD
    return good if os.path.lexists(good) else state_dir / LIST


def awaited(state_dir: Path) -> list[Awaited]:
    """Return the devices that are still to be paired anew; for a damaged file see `is_damaged`."""
    try:
        here = {str(one.get("address")) for one in listed(state_dir) or []}
    except UnreadError:
        here = set()
    return [
        Awaited(*(str(one.get(word, ""))[:WORD] for word in Awaited.__struct_fields__))
        for one in _of_before(state_dir)
        if str(one.get("address")) not in here
    ]


def is_damaged(state_dir: Path) -> bool:
    """Whether nobody can tell which devices are to be paired anew."""
    try:
        read(state_dir / FILE)
    except UnreadError:
        return True
    return False


def drop(state_dir: Path, name: str) -> bool:
    """Take a device off the list: it is not used any more. False: it is not there; `OSError`."""
    left = awaited(state_dir)
    names = {one.address for one in left if one.name != name}
    if len(names) == len(left):
        return False
    rest = [one for one in _of_before(state_dir) if str(one.get("address")) in names]
    write_whole(state_dir / FILE, written(rest, HEAD).encode(), 0o600)
    give_to_owner_of(state_dir, state_dir / FILE)
    return True


def read(path: Path) -> list[Table] | None:
    """Return the devices of a list as they are written; None: no such file. Raises UnreadError."""
    try:
        with path.open("rb") as file:
            data = file.read(LIST_BYTES + 1)
        if len(data) > LIST_BYTES:
            raise UnreadError(path.name)
        return tables(text_of(data, path.name))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:
        raise UnreadError(path.name) from error


def tables(text: str) -> list[Table]:
    """Return the devices of a list's text. Raises what `read` makes an UnreadError of."""
    return msgspec.convert(tomllib.loads(text), _Listed).device


def written(devices: list[Table], head: str = "") -> str:
    """Return a list without any key."""
    return head + "".join(f"\n[[device]]\n{_lines(one)}" for one in devices)


def is_heard(device: Table) -> bool:
    """Whether a device of the list of before needs nothing new."""
    return device.get("kind") == PLAIN and KEY not in device


def _lines(device: Table) -> str:
    plain = {name: value for name, value in device.items() if name != KEY}
    kept = (one for one in plain.items() if isinstance(one[1], str | int | float))
    return "".join(f"{name} = {_value(value)}\n" for name, value in kept)


def _value(value: str | float) -> str:
    """Return a TOML value: JSON's strings, numbers and booleans are TOML, but for one letter."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _of_before(state_dir: Path) -> list[Table]:
    try:
        return read(state_dir / FILE) or []
    except UnreadError:
        return []
