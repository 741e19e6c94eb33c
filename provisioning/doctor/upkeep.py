"""Checks of what keeps a hub well between visits: first start, watchdog, updates, time, restart.

Only what the machine itself says is read; tools that are missing are told, and nothing is changed.
"""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.shared.findings import Finding, bad, good, note
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning import firstboot
from provisioning.encryption import wiping
from provisioning.firstboot import Report

PATIENCE_S = 10.0
DAY_S = 86_400.0
IDLE_DAYS = (
    8.0  # without a look for updates: apt's timer runs each day, a home may be off for a week
)
FAR_MS = 1000.0
ORIGINS = 'Unattended-Upgrade::Origins-Pattern:: "'
RASPBIAN = "Raspberry Pi Foundation"
PI_LIST = "archive.raspberrypi"


def examine(root: Path = Path("/")) -> Iterator[Finding]:
    """Yield the findings, as they are made. `root`: of the machine; another folder in tests."""
    yield from first_start(root)
    if wiping.is_begun(root) or wiping.is_left(root):
        yield note("wiping", "left")
    yield watchdog(root)
    yield from updates(root)


def first_start(root: Path) -> Iterator[Finding]:
    """Yield what the card's first start could not apply, and whether its passwords are gone."""
    left = list(firstboot.on_card(root))
    try:
        report = msgspec.json.decode((root / firstboot.REPORT).read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        yield (
            bad("firstboot", "waits", names=", ".join(left)) if left else note("firstboot", "none")
        )
        return
    for one in report.unapplied:
        words = {language: messages("provisioning", language, "firstboot") for language in Language}
        said = {
            str(language): of["said"].get(one.what, one.what).format(name=one.name)
            for language, of in words.items()
        }
        yield note("firstboot", "unapplied", what=one.what, **said)
    if left:
        yield bad("firstboot", "left", names=", ".join(left))
    elif report.scrubbed:
        yield good("firstboot", "scrubbed", names=", ".join(report.scrubbed))
    else:
        yield good("firstboot", "clean")


def watchdog(root: Path) -> Finding:
    """Return whether the board starts anew by itself when kernel or systemd hangs."""
    if not (root / "run/systemd/system").is_dir():
        return note("watchdog", "no_systemd")
    said = _ran("systemctl", "show", "--property=RuntimeWatchdogUSec", "--value")
    if said is None:
        return note("watchdog", "unasked")
    if said.strip() in {"", "0", "infinity"}:
        return bad("watchdog", "off")
    if not list((root / "dev").glob("watchdog*")):
        return bad("watchdog", "no_device")
    return good("watchdog", s=said.strip())


def updates(root: Path) -> Iterator[Finding]:
    """Yield whether security updates come by themselves, and whether a restart is due."""
    yield _unattended(root)
    if (root / "run/reboot-required").exists():
        yield note("restart", "due")


def _unattended(root: Path) -> Finding:
    if not (root / "usr/bin/unattended-upgrade").exists():
        return bad("updates", "none")
    said = _ran("apt-config", "dump")
    if said is None:
        return note("updates", "unasked")
    if not re.search(r'^APT::Periodic::Unattended-Upgrade "[1-9]', said, re.MULTILINE):
        return bad("updates", "off")
    origins = [line for line in said.splitlines() if line.startswith(ORIGINS)]
    if _is_pi(root) and not any(RASPBIAN in line for line in origins):
        return bad("updates", "no_pi")
    if not any("Debian-Security" in line for line in origins):
        return bad("updates", "no_security")
    idle_days = _idle_days(root / "var/lib/apt/periodic/unattended-upgrades-stamp")
    if idle_days is None:
        return note("updates", "never")
    told = {"days": f"{idle_days:.0f}"}
    return note("updates", "idle", **told) if idle_days > IDLE_DAYS else good("updates", **told)


def _is_pi(root: Path) -> bool:
    """Whether packages of Raspberry Pi's own archive are installed here."""
    lists = (root / "etc/apt/sources.list.d").glob("*")
    return any(PI_LIST in file.read_text("utf-8", "replace") for file in lists if file.is_file())


def _idle_days(stamp: Path) -> float | None:
    try:
        return max(0.0, (time.time() - stamp.stat().st_mtime) / DAY_S)
    except OSError:
        return None


def time_source() -> Finding:
    """Return from whom this machine has its time, and how far chrony believes to be from it."""
    said = _ran("chronyc", "-c", "tracking")
    if said is not None:
        return _chrony(said)
    server = _ran("timedatectl", "show-timesync", "--property=ServerName", "--value")
    if server is None:
        return note("time_source", "unasked")
    if not server.strip():
        return bad("time_source", "none")
    return good("time_source", "timesyncd", server=server.strip())


class _Tracking(Struct, frozen=True):
    """A line of `chronyc -c tracking`, as far as it is examined."""

    server: str
    away_s: float
    leap: str


def _chrony(said: str) -> Finding:
    fields = said.strip().split(",")
    try:
        found = _Tracking(fields[1], abs(float(fields[4])), fields[13])
    except (IndexError, ValueError):
        return bad("time_source", "stopped")
    if found.leap == "Not synchronised" or not found.server:
        return bad("time_source", "none")
    told = {"server": found.server, "ms": f"{found.away_s * 1000:.1f}"}
    far = found.away_s * 1000 > FAR_MS
    return note("time_source", "far", **told) if far else good("time_source", "chrony", **told)


def _ran(*command: str) -> str | None:
    """Return what a program printed; None where it is missing or fails to answer."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 or command[0] == "chronyc" else None
