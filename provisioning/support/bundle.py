"""`anbu support-bundle`: a file for a support person, whose content is shown before it is written.

Nothing in it names the resident, what was said, or when somebody was up: no black box, no habits,
no readings, no key. What is collected goes through `redact`.
"""

import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.shared import unix_socket
from hub.shared.findings import Finding
from hub.shared.messages import ours, sentence
from provisioning.findings import tell
from provisioning.support import redact

UNITS = "anbu-*"
LINES = 2000  # of the log: two days of a hub whose link comes and goes
DAY_S = 86_400
RUN_S = 30.0
ASK_S = 5.0
SHOWN_OF_UNITS = (
    "Id,ActiveState,SubState,Result,NRestarts,ExecMainStatus,MemoryCurrent,MemoryPeak,"
    "CPUUsageNSec,ActiveEnterTimestampMonotonic,StatusText"
)
COUNT = re.compile(r"\w+=\d+\n?")
SHOWN_OF_DEVICES = ("what", "battery_pct", "faults")


class Part(Struct, frozen=True):
    """A file of the bundle. `name` is also the key of the sentence that says what it is."""

    name: str
    content: str


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu support-bundle`."""
    about = ours("provisioning")["support"]
    default = Path("/etc/anbu/hub.toml")
    parser.add_argument(
        "--config", type=Path, default=default, metavar="FILE", help=about["config"]
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=about["out"])
    parser.add_argument("--show", metavar="PART", help=about["show"])
    parser.add_argument("--yes", action="store_true", help=about["yes"])


def run(args: Namespace) -> int:
    """Collect, show what was found, and write it if somebody agrees; return 0, or 1 if not."""
    parts = list(collect(args.config))
    if args.show is not None:
        return _show(parts, args.show)
    said = ours("provisioning")["support"]
    for part in parts:
        size = len(part.content.encode())
        sys.stdout.write(f"  {part.name:<10} {size:>8} B  {said[f'is_{part.name}']}\n")
    sys.stdout.write(said["not_in"].strip("\n") + "\n")
    if not args.yes and not _agreed(said["ask"]):
        return 1
    try:
        path = write(parts, args.out, datetime.now(UTC))
    except OSError as error:
        sys.stderr.write(f"{args.out}: {error.strerror}\n")
        return 1
    sys.stdout.write(sentence("provisioning", "support", "written", path=path) + "\n")
    return 0


def collect(config: Path) -> Iterator[Part]:
    """Yield the parts, redacted; what cannot be had says why."""
    yield Part("about", _about())
    yield Part("doctor", _doctor(config))
    yield Part("settings", _settings(config))
    show = ("systemctl", "show", "--no-pager", f"--property={SHOWN_OF_UNITS}", UNITS)
    yield Part("units", units(_ran(*show)))
    journal = ("journalctl", "--no-pager", "--output=short-iso", f"--lines={LINES}")
    yield Part("journal", redact.text(_ran(*journal, f"--unit={UNITS}")))
    yield Part("kernel", redact.text(_ran(*journal, "--dmesg", "--priority=warning")))
    yield Part("disk", _disk(config))
    yield Part("devices", _devices(config))


def write(parts: list[Part], folder: Path, now: datetime) -> Path:
    """Write the bundle as a file of mode 0600; return its path. Raises `OSError`."""
    path = folder / f"anbu-support-{now:%Y%m%d-%H%M%S}.tar.gz"
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(made, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as bundle:
        for part in parts:
            content = part.content.encode()
            entry = tarfile.TarInfo(f"anbu-support/{part.name}.txt")
            entry.size, entry.mtime = len(content), now.timestamp()
            bundle.addfile(entry, io.BytesIO(content))
    return path


def _show(parts: list[Part], wish: str) -> int:
    names = {part.name: part.content for part in parts}
    if wish not in names:
        told = sentence("provisioning", "support", "no_part", name=wish, names=", ".join(names))
        sys.stderr.write(told + "\n")
        return 2
    sys.stdout.write(names[wish])
    return 0


def _agreed(question: str) -> bool:
    sys.stdout.write(f"{question} ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes", "예", "네"}


def _anbu() -> tuple[str, ...]:
    return (sys.executable, "-m", "hub")


def _about() -> str:
    up_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    lines = {
        "anbu": version("anbu-hub"),
        "system": release,
        "kernel": f"{platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "up_s": f"{up_s:.0f}",
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def _doctor(config: Path) -> str:
    """Return the doctor's findings, one a line, each said anew without names."""
    said = _ran(*_anbu(), "doctor", "--json", "--config", str(config))
    try:
        every = msgspec.json.decode(said, type=list[Finding])
    except msgspec.DecodeError:  # the doctor itself has failed, and says how
        return redact.text(said)
    lines = []
    for one in every:
        shown = replace(one, values=redact.finding(one.check, one.code, one.values))
        lines.append(json.dumps(msgspec.to_builtins(shown) | tell(shown), ensure_ascii=False))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _settings(config: Path) -> str:
    """Return all settings files beside the hub's, with their words withheld."""
    told: dict[str, Any] = {}
    for file in sorted(config.parent.glob("*.toml")):
        try:
            told[file.name] = redact.settings(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            told[file.name] = type(error).__name__  # the message would quote the file
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def units(shown: str) -> str:
    """Return what systemd shows of the services; its counts of bytes are no telephone numbers."""
    runs = groupby(shown.splitlines(keepends=True), lambda line: bool(COUNT.fullmatch(line)))
    whole = (("".join(lines), count) for count, lines in runs)  # a key has many lines
    return "".join(lines if count else redact.text(lines) for lines, count in whole)


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _disk(config: Path) -> str:
    """Return the room on the disk of the state folder, and the sizes of its files."""
    folder = Path(_read(config).get("state_dir", "/var/lib/anbu"))
    try:
        total, used, free = shutil.disk_usage(folder)
        lines = [f"total {total} used {used} free {free}"]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        lines += [f"{path.stat().st_size:>12} {path.relative_to(folder)}" for path in files]
    except OSError as error:
        lines = [f"{error.strerror}"]
    return "\n".join(lines) + "\n"


def _devices(config: Path) -> str:
    """Return what the running hub says of its devices and its link, without names and places."""
    socket = Path(_read(config).get("run_dir", "/run/anbu")) / "hub.sock"
    told = []
    for do in ("sensors", "link"):
        try:
            line = next(unix_socket.ask(socket, json.dumps({"do": do}).encode() + b"\n", ASK_S))
            told.append(json.dumps(_nameless(msgspec.json.decode(line, type=dict[str, Any]))))
        except (OSError, ValueError, StopIteration) as error:
            told.append(f"{do}: {type(error).__name__}")
    return redact.text("\n".join(told)) + "\n"


def _nameless(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with nothing of its devices that a person chose, or that shows a day.

    A motion sensor's last edge says when somebody was up: a sign of life is told by whole days.
    """
    if "sensors" in answer:
        told = [
            {key: of.get(key) for key in SHOWN_OF_DEVICES}
            | {"heard_days": _days(of.get("heard_s"))}
            for of in answer["sensors"]
        ]
        answer = answer | {"sensors": told}
    if "faults" in answer:
        answer = answer | {"faults": [of.get("kind") for of in answer["faults"]]}
    return answer


def _days(age_s: float | None) -> int | None:
    return None if age_s is None else int(age_s // DAY_S)


def _ran(*command: str) -> str:
    """Return what a program printed, or why it could not be run."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, capture_output=True, text=True, errors="replace", timeout=RUN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {type(error).__name__}\n"
    return done.stdout + done.stderr
