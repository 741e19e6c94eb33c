"""`anbu radio add`: lists a device that is not paired: a pendant or a sensor, with its key.

    anbu radio add pendant --name pendant --address A4:C1:38:00:00:01 --key 0f1e2d...
    anbu radio add sensor --name front --address A --sense exit_door --place 현관 [--key K]

Hub and radio take the change up by themselves. Exit codes: 0; 1 (it was not listed); 2.
"""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import get_args

from drivers.bluetooth.devices import FILE
from drivers.bluetooth.pairing import roster
from drivers.bluetooth.pairing.bonds_cli import ROOM, complain
from drivers.bluetooth.pairing.roster import NotListedError
from drivers.bluetooth.settings import load
from hub.core.model.rules import Role, Room, Sense
from hub.core.model.wireless import Pendant, Wearable, Wireless, WirelessSensor
from hub.shared.messages import ours
from hub.shared.settings import noted_by

USAGE_ERROR = 2
WHATS: tuple[str, ...] = get_args(Wearable.__annotations__["what"])
ROLES = (Role.HELP_BUTTON, Role.CANCEL_BUTTON)
SENSES = tuple(sense for sense in Sense if sense is not Sense.WEARABLE)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio add`."""
    said = ours(ROOM)["add"]
    parser.add_argument("kind", choices=("pendant", "sensor", "wearable"), help=said["kind"])
    parser.add_argument("--name", required=True, metavar="NAME", help=said["name"])
    parser.add_argument("--address", required=True, metavar="A", help=said["address"])
    parser.add_argument("--key", metavar="K", help=said["key"])
    parser.add_argument("--place", default="", metavar="TEXT", help=said["place"])
    parser.add_argument("--role", choices=[*map(str, ROLES)], default=ROLES[0], help=said["role"])
    parser.add_argument("--sense", choices=[*map(str, SENSES)], help=said["sense"])
    parser.add_argument("--room", choices=[*map(str, Room)], default=Room.OTHER, help=said["room"])
    parser.add_argument("--what", choices=WHATS, help=said["what"])
    parser.add_argument("--user", type=int, metavar="N", help=said["user"])


def run(args: Namespace) -> int:
    """List the device; return 0, 1 or 2. Raises SettingsError or OSError."""
    path = Path(load(args.config, noted_by(args)).state_dir) / FILE
    said = ours(ROOM)["add"]
    needed = {"pendant": "key", "sensor": "sense", "wearable": "what"}[args.kind]
    if getattr(args, needed) is None:
        sys.stderr.write(said[f"needs_{needed}"] + "\n")
        return USAGE_ERROR
    device = _device(args)
    try:
        wired = roster.wired(args.config)
        roster.change(path, lambda devices: roster.added(devices, device, wired))
    except NotListedError as error:
        return complain(error)
    sys.stdout.write(said["added"].format(name=args.name) + "\n")
    return 0


def tidy_address(typed: str) -> str:
    """Return an address as the list has it: people copy it in small letters and with dashes."""
    return typed.strip().upper().replace("-", ":")


def _device(args: Namespace) -> Wireless:
    """Return the device; its name, address and key are checked where it is listed."""
    name, address, key = args.name, tidy_address(args.address), args.key and args.key.lower()
    match args.kind:
        case "pendant":
            return Pendant(name, address, key, args.role, args.place)
        case "sensor":
            sense, room = Sense(args.sense), Room(args.room)
            return WirelessSensor(name, address, sense, key, args.place, room)
        case _:
            return Wearable(name, address, args.what, args.user)
