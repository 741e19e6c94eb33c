"""`anbu radio bonds`: the devices of the list and those that BlueZ is bonded with, in one table.

    anbu radio bonds [--json]             list
    anbu radio bonds rename OLD NEW
    anbu radio bonds remove NAME
    anbu radio bonds consent NAME yes|no

It needs no radio process. Exit codes: 0; 1 (BlueZ cannot be asked, or the list was not changed).
"""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Collection
from pathlib import Path

from dbus_fast import Variant
from msgspec import Struct
from msgspec.structs import asdict, replace

from drivers.bluetooth.bluez.bus import BROKEN, RefusedError, connect
from drivers.bluetooth.devices import FILE, in_effect
from drivers.bluetooth.pairing import bonds, roster
from drivers.bluetooth.pairing.bonds import Known, NoAdapterError
from drivers.bluetooth.pairing.roster import NotListedError
from drivers.bluetooth.settings import RadioSettings
from drivers.bluetooth.settings import load as load_settings
from hub.core.model.wireless import Phone, Wearable, Wireless
from hub.shared import anew
from hub.shared.command_line import Parser
from hub.shared.messages import ours
from hub.shared.settings import noted_by

ROOM = "drivers.bluetooth.pairing"
UNASKED = (RefusedError, NoAdapterError, *BROKEN)


class Row(Struct, frozen=True):
    """A device: `kind` is empty where it is not listed, the rest None where BlueZ is not known."""

    name: str
    kind: str
    address: str
    listed: bool
    paired: bool | None = None
    trusted: bool | None = None
    connected: bool | None = None
    consent: bool | None = None  # of a phone
    anew: bool = False  # the hub of before had it; here it is to be paired, or its key to be typed


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio bonds`."""
    said = ours(ROOM)["bonds"]
    parser.add_argument("--json", action="store_true", help=said["json"])
    deeds = parser.add_subparsers(
        dest="deed", metavar="list|rename|remove|consent", parser_class=Parser
    )
    deeds.add_parser("list", help=said["list"])
    rename = deeds.add_parser("rename", help=said["rename"])
    rename.add_argument("old", metavar="OLD", help=said["old"])
    rename.add_argument("new", metavar="NEW", help=said["new"])
    for deed in ("remove", "consent"):
        one = deeds.add_parser(deed, help=said[deed])
        one.add_argument("name", metavar="NAME", help=said["named"])
    one.add_argument("answer", choices=("yes", "no"), help=said["answer"])


def run(args: Namespace) -> int:
    """Do what is asked; return 0 or 1. Raises SettingsError or OSError."""
    settings = load_settings(args.config, noted_by(args))
    path = Path(settings.state_dir) / FILE
    try:
        match args.deed:
            case "rename":
                wired = roster.wired(args.config)
                return asyncio.run(_rename(settings, path, (args.old, args.new), wired))
            case "remove":
                return asyncio.run(_remove(settings, path, args.name))
            case "consent":
                return _consent(path, args.name, given=args.answer == "yes")
            case _:
                return asyncio.run(_list(settings, path, as_json=args.json))
    except NotListedError as error:
        return complain(error)


def complain(error: NotListedError) -> int:
    """Say why the list was not changed; return the exit code."""
    sys.stderr.write(ours(ROOM)["why"][error.why].format(detail=error.detail) + "\n")
    return 1


def table(devices: tuple[Wireless, ...], found: tuple[Known, ...] | None) -> list[Row]:
    """Return the devices of the list, then the bonds of which the list does not know."""
    by_address = {one.address: one for one in found or ()}
    rows = [_row(one, by_address.get(one.address), asked=found is not None) for one in devices]
    listed = {one.address for one in devices}
    strangers = [one for one in found or () if one.paired and one.address not in listed]
    states = [(s, (s.paired, s.trusted, s.connected)) for s in strangers]
    return rows + [Row(s.name, "", s.address, False, *state) for s, state in states]  # noqa: FBT003


def _row(device: Wireless, known: Known | None, *, asked: bool) -> Row:
    kind = device.what if isinstance(device, Wearable) else device.__struct_config__.tag
    consent = device.consent if isinstance(device, Phone) else None
    row = Row(device.name, str(kind), device.address, listed=True, consent=consent)
    if not asked:
        return row
    known = known or Known("", device.address)
    return replace(row, paired=known.paired, trusted=known.trusted, connected=known.connected)


def _awaited(state_dir: Path) -> list[Row]:
    found = anew.awaited(state_dir)
    return [Row(one.name, one.kind, one.address, listed=False, anew=True) for one in found]


async def _list(settings: RadioSettings, path: Path, *, as_json: bool) -> int:
    said, devices = ours(ROOM)["bonds"], in_effect(path)
    try:
        found: tuple[Known, ...] | None = await _known(settings)
    except UNASKED as error:
        found = None
        sys.stderr.write(said["unreachable"].format(detail=error) + "\n")
    rows = table(devices, found) + _awaited(path.parent)
    if as_json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], ensure_ascii=False) + "\n")
    else:
        lines = [_line(row) for row in rows] or [said["none"]]
        sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found is None else 0


def _line(row: Row) -> str:
    words = ours(ROOM)
    said, kinds = words["bonds"], words["kind"]
    if row.anew:
        states = [said["anew_key" if row.kind in {"pendant", "sensor"} else "anew"]]
    elif row.paired is None:
        states = [said["unknown"]]
    elif row.kind in {"pendant", "sensor"}:
        states = [said["broadcasts"]]
    else:
        held = {"paired": row.paired, "trusted": row.trusted, "connected": row.connected}
        states = [said[key] for key, holds in held.items() if holds] or [said["unpaired"]]
    if row.consent:
        states.append(said["consented"])
    kind = kinds.get(row.kind, said["unlisted"])
    return str(said["row"]).format(
        name=row.name, kind=kind, address=row.address, state=", ".join(states)
    )


async def _rename(
    settings: RadioSettings, path: Path, names: tuple[str, str], wired: Collection[str]
) -> int:
    old, new = names
    device = roster.named(in_effect(path), old)
    roster.change(path, lambda devices: roster.renamed(devices, old, new, wired))
    try:
        await _with_bond(settings, device, new)
    except UNASKED as error:
        sys.stderr.write(ours(ROOM)["bonds"]["unreachable"].format(detail=error) + "\n")
    sys.stdout.write(ours(ROOM)["bonds"]["renamed"].format(old=old, new=new) + "\n")
    return 0


async def _remove(settings: RadioSettings, path: Path, name: str) -> int:
    said = ours(ROOM)["bonds"]
    if anew.drop(path.parent, name):
        sys.stdout.write(said["removed"].format(name=name) + "\n")
        return 0
    device = roster.named(in_effect(path), name)
    roster.change(path, lambda devices: roster.removed(devices, name))
    try:
        await _with_bond(settings, device, None)
    except UNASKED as error:
        sys.stderr.write(said["kept"].format(detail=error) + "\n")
        return 1
    sys.stdout.write(said["removed"].format(name=name) + "\n")
    return 0


def _consent(path: Path, name: str, *, given: bool) -> int:
    said, device = ours(ROOM)["bonds"], roster.named(in_effect(path), name)
    if not isinstance(device, Phone):
        sys.stderr.write(said["no_phone"].format(name=name) + "\n")
        return 1
    after = replace(device, consent=given)
    roster.change(path, lambda all_: tuple(after if one.name == name else one for one in all_))
    sys.stdout.write(said["noted"].format(name=name) + "\n")
    return 0


async def _known(settings: RadioSettings) -> tuple[Known, ...]:
    """Return what BlueZ knows. Raises `UNASKED`."""
    bus = await connect()
    try:
        found = await bonds.objects(bus)
        return bonds.known(found, bonds.adapter(found, wanted(settings)))
    finally:
        bus.disconnect()


async def _with_bond(settings: RadioSettings, device: Wireless, name: str | None) -> None:
    """Have BlueZ call a bonded device by its new name; None: forget it. Raises `UNASKED`."""
    bus = await connect()
    try:
        found = await bonds.objects(bus)
        at = bonds.adapter(found, wanted(settings))
        for known in bonds.known(found, at):
            if known.address != device.address:
                continue
            if name is None:
                await bonds.remove(bus, at, known.path)
            else:
                await bonds.put(bus, known.path, bonds.DEVICE, Alias=Variant("s", name))
    finally:
        bus.disconnect()


def wanted(settings: RadioSettings) -> str:
    """Return the adapter by which devices are paired: the one that connects."""
    return settings.adapters.connect or settings.adapters.listen
