"""How the triggers of a hub's config are wired: a cut wire must show.

A normally open help button whose wire is cut reads as one that nobody presses, for ever. With
`wiring = "normally_closed"` the same cut is a call, and a fault after a minute (decision 0031).
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from provisioning.findings import Finding, good, note

TRIGGERS = frozenset({"help_button", "pull_cord"})


class Contact(Struct, frozen=True):
    """A device of a hub's config, as far as its wire goes."""

    kind: str = ""
    name: str = ""
    role: str = ""
    wiring: str = ""
    active_low: bool | None = None


class Contacts(Struct, frozen=True):
    """A hub's config, as far as its wires go."""

    device: tuple[Contact, ...] = ()


def examine(config: Path) -> Iterator[Finding]:
    """Find the wired triggers whose cut wire nobody would notice. Raises OSError, ValueError."""
    found = msgspec.convert(tomllib.loads(config.read_text(encoding="utf-8")), Contacts).device
    wired = [one for one in found if one.kind == "contact" and one.role in TRIGGERS]
    silent = [one.name for one in wired if one.wiring != "normally_closed"]
    if silent:
        yield note("wiring", "silent", names=", ".join(silent))
    elif wired:
        yield good("wiring")
