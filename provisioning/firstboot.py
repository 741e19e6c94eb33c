"""`anbu firstboot`: after a card's first start its passwords go, and what was not applied is told.

The program that writes a card leaves its settings on the FAT partition, where anybody with a card
reader reads them: a Wi-Fi's password, a user's. cloud-init applies them. Once it has finished, this
compares what they asked for with what the machine has, overwrites and removes them and cloud-init's
own copies, and switches cloud-init off. The Wi-Fi's password stays where the network reads it: only
root can.

It runs as root, once (`systemd/anbu-firstboot.service`). Until cloud-init has finished nothing is
removed. What is overwritten may still be in blocks that a card has set aside: see record 0049.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from hub.shared.files import to_disk, write_whole
from hub.shared.messages import ours
from provisioning.encryption import wiping

CARD = "boot/firmware"
SETTINGS = ("user-data", "network-config")  # of cloud-init's NoCloud
FORGOTTEN = (  # of earlier card writers; where they are still there, nothing has read them
    "custom.toml", "firstrun.sh", "ssh", "ssh.txt", "userconf", "userconf.txt",
    "wpa_supplicant.conf",
)  # fmt: skip
COPIES = ("var/lib/cloud/instances", "var/lib/cloud/instance", "var/log/cloud-init.log",
          "var/log/cloud-init-output.log")  # fmt: skip
IN_MEMORY = "run/cloud-init"  # a mount point for the unit: only what is in it goes
NETWORKS = ("etc/netplan", "etc/NetworkManager/system-connections",
            "run/NetworkManager/system-connections")  # fmt: skip
OFF = "etc/cloud/cloud-init.disabled"
REPORT = "var/lib/anbu-firstboot/report.json"
NO_DATA = "DataSourceNone"
DONE, LATER = 0, 1


class Unapplied(Struct, frozen=True):
    """A setting of the card that the machine does not have; `what` is a key of the messages."""

    what: Annotated[str, Meta(max_length=40)]
    name: str = ""


class Report(Struct, frozen=True):
    """What the first start left: names only, never a password."""

    unapplied: tuple[Unapplied, ...] = ()
    scrubbed: tuple[str, ...] = ()


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu firstboot`."""
    about = ours("provisioning", "firstboot")["about"]
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help=about["root"])


def run(args: Namespace) -> int:
    """Do it, and say what was found; 1: cloud-init has not finished, or something stays."""
    try:
        report = tidy(args.root)
    except OSError as error:
        _say("left", error=str(error))
        return LATER
    if report is None:
        _say("waits")
        return LATER
    for one in report.unapplied:
        _say(one.what, name=one.name)
    _say("scrubbed" if report.scrubbed else "clean", names=", ".join(report.scrubbed))
    return DONE


def _say(key: str, **values: str) -> None:
    text = ours("provisioning", "firstboot")["said"][key]
    sys.stdout.write(text.format(**values) + "\n")


def tidy(root: Path) -> Report | None:
    """Compare, write the report, switch off and remove; None while cloud-init has not finished.

    Cut off at any point it does the rest at the next start; what an earlier report found and what
    went at that time stay in the report. Raises OSError in the end, where something stays.
    """
    earlier = _earlier(root)
    if not finished(root) and earlier is None:
        return None
    found = earlier.unapplied if earlier else tuple(unapplied(root))
    gone = earlier.scrubbed if earlier else ()
    report = Report(found, tuple(dict.fromkeys((*gone, *on_card(root)))))
    place = root / REPORT
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, msgspec.json.encode(report), 0o644)
    to_disk(place.parent)
    troubles: list[str] = []
    _switch_off(root / OFF, troubles)
    for name in report.scrubbed:
        _remove(root / CARD / name, troubles)
    for path in (*(root / name for name in COPIES), *(root / IN_MEMORY).glob("*")):
        _remove(path, troubles)
    if troubles:
        raise OSError("; ".join(troubles))
    return report


def _switch_off(file: Path, troubles: list[str]) -> None:
    """Let cloud-init not run again: a card without its settings would be another machine to it."""
    try:
        if file.parent.is_dir():
            file.touch()
            to_disk(file.parent)
    except OSError as error:
        troubles.append(f"{file}: {error.strerror}")


def _earlier(root: Path) -> Report | None:
    try:
        return msgspec.json.decode((root / REPORT).read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        return None


def finished(root: Path) -> bool:
    """Whether cloud-init has ended, was never there, or is switched off."""
    is_here = (root / "etc/cloud").is_dir() and not (root / OFF).exists()
    return not is_here or (root / "run/cloud-init/result.json").exists()


def unapplied(root: Path) -> Iterator[Unapplied]:
    """Yield what the card asked for and the machine does not have."""
    for name in FORGOTTEN:
        if (root / CARD / name).exists():
            yield Unapplied("forgotten", name)
    result = _table(_table(_json(root / "run/cloud-init/result.json")).get("v1"))
    asked = [name for name in SETTINGS if (root / CARD / name).exists()]
    if NO_DATA in str(result.get("datasource")) and asked:
        yield Unapplied("unread", ", ".join(asked))
    for error in result.get("errors") or ():
        yield Unapplied("error", str(error)[:200])
    yield from _system(root, _table(_json(root / "run/cloud-init/combined-cloud-config.json")))
    yield from _wifi(root, _table(_json(root / "run/cloud-init/network-config.json")))


def _system(root: Path, wanted: dict[str, Any]) -> Iterator[Unapplied]:
    if (host := wanted.get("hostname")) and _text(root / "etc/hostname").strip() != host:
        yield Unapplied("hostname", str(host))
    if zone := wanted.get("timezone"):
        link = root / "etc/localtime"
        if not (link.is_symlink() and str(link.readlink()).endswith(f"/{zone}")):
            yield Unapplied("timezone", str(zone))
    known = {line.partition(":")[0] for line in _text(root / "etc/passwd").splitlines()}
    users = wanted.get("users")
    for user in users if isinstance(users, list) else ():
        name = str(_table(user).get("name", ""))
        if name and name not in known:
            yield Unapplied("user", name)


def _wifi(root: Path, asked: dict[str, Any]) -> Iterator[Unapplied]:
    """Yield the Wi-Fi networks of the card that neither netplan nor NetworkManager has."""
    files = [file for place in NETWORKS for file in (root / place).glob("*")]
    there = "\n".join(_text(file) for file in files)
    for device in _table(_table(asked.get("network", asked)).get("wifis")).values():
        for name in _table(_table(device).get("access-points")):
            if name not in there:
                yield Unapplied("wifi", name)


def on_card(root: Path) -> Iterator[str]:
    """Yield the files on the card in which a password may be."""
    for name in (*SETTINGS, *FORGOTTEN):
        if (root / CARD / name).exists():
            yield name


def _remove(path: Path, troubles: list[str]) -> None:
    """Overwrite a file, or each in a folder, and remove it; links are only removed."""
    try:
        if path.exists() or path.is_symlink():
            wiping.erase(path, troubles)
            to_disk(path.parent)
    except OSError as error:
        troubles.append(f"{path}: {error.strerror}")


def _json(file: Path) -> object:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
