"""`anbu wipe`: a hub that leaves a home forgets it. It asks for the hub's name before."""

import os
import subprocess
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from hub.shared.identity import FOLDER, in_use
from hub.shared.messages import ours
from provisioning.encryption import fscrypt, wiping
from provisioning.encryption.folders import HUB
from provisioning.encryption.fscrypt import UnsupportedError

DONE, NOT_DONE = 0, 1
SETTINGS = "etc/anbu/hub.toml"
NAMELESS = "anbu"  # what is typed where a hub was never registered
BOOTED = "run/systemd/system"
UNITS = ("anbu-provision", "anbu-radio", "anbu-voice", "anbu-hub", "anbu-state", "bluetooth")
STOP_S = 120  # systemd gives bluetoothd 90 s before it kills it


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu wipe`."""
    about = ours("provisioning", "encryption")["about"]
    parser.add_argument("--hub", default="", metavar="NAME", help=about["hub"])
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help=about["root"])


def run(args: Namespace) -> int:
    """Ask, wipe, and say what was done; 1: nothing was done, or not all of it."""
    root: Path = args.root
    if os.geteuid() != 0:
        return _say("not_root")
    name = name_of(root)
    if not wiping.is_begun(root) and not _agreed(name, args.hub):
        return _say("other_name", name=name)
    encrypted = _is_encrypted(root / HUB)
    try:
        wiping.begin(root)
        if (root / BOOTED).is_dir():
            _quieten()
        troubles = wiping.go_on(root)
    except OSError as error:
        return _say("failed", error=str(error))
    _say("wiped" if encrypted else "overwritten")
    _say("trimmed" if fscrypt.trim(root) else "not_trimmed")
    for trouble in dict.fromkeys(troubles):
        _say("left", what=trouble)
    _say("next", name=name)
    return NOT_DONE if troubles else DONE


def name_of(root: Path) -> str:
    """Return the hub's name: of its identity, of its settings, or that of a hub without one."""
    held = in_use(root / HUB / FOLDER)
    if held is not None:
        return held.hub
    try:
        found = tomllib.loads((root / SETTINGS).read_text("utf-8")).get("hub")
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        found = None
    return found if isinstance(found, str) and found else NAMELESS


def _agreed(name: str, given: str) -> bool:
    """Whether somebody typed the hub's name."""
    if not given:
        _say("ask", name=name)
        given = sys.stdin.readline().strip()
    return given == name


def _is_encrypted(folder: Path) -> bool:
    try:
        return fscrypt.policy(folder) is not None
    except (UnsupportedError, OSError):
        return False


def _quieten() -> None:
    """Stop who writes to the folders, and let nothing of them stay in the swap file.

    The journal goes on in memory until the next start. Raises OSError where a unit does not stop.
    """
    try:
        _ran("systemctl", "stop", *UNITS)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(str(error)) from error
    for words in (("swapoff", "--all"), ("journalctl", "--relinquish-var")):
        with suppress(OSError, subprocess.TimeoutExpired):  # what stays for it is told
            _ran(*words)


def _ran(*words: str) -> None:
    subprocess.run(words, check=False, capture_output=True, timeout=STOP_S)  # noqa: S603 - our own words


def _say(key: str, **values: str) -> int:
    """Say a sentence; return the exit code of a command that ends with it."""
    text = ours("provisioning", "encryption")["said"][key]
    sys.stdout.write(text.format(**values) + "\n")
    sys.stdout.flush()
    return NOT_DONE
