"""Checks of this machine: Python, packages, GPIO, systemd, Mosquitto, disk, clock."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hub.shared.findings import Finding, bad, good, note
from hub.shared.system import clock_synced
from provisioning.broker.config import program
from provisioning.encryption import fscrypt
from provisioning.encryption.folders import ASIDE

NEEDED = ("gpiozero", "msgspec", "paho.mqtt", "systemd.daemon")
OLDEST = (3, 11)
SYNCS = 20
SLOW_MS = 100.0  # for a commit: the lamp must flash within 200 ms
LEAST_MB = 50.0
THIS_WORKS_SINCE = 1_767_225_600  # 2026: a clock with an earlier time was never set


def examine(state_dir: Path) -> Iterator[Finding]:
    """Yield one finding per part of the machine; nothing is changed on it."""
    yield python(sys.version_info[:2])
    yield packages(NEEDED)
    yield gpio(Path("/dev"))
    yield systemd(Path("/run/systemd/system"))
    yield mosquitto(program())
    yield disk(state_dir)
    yield from encryption(state_dir)
    yield clock(time.time(), synced=clock_synced())


def python(version: tuple[int, int]) -> Finding:
    """Return whether this Python is new enough."""
    found = good if version >= OLDEST else bad
    code = "good" if version >= OLDEST else "old"
    return found("python", code, version=platform.python_version())


def packages(needed: tuple[str, ...]) -> Finding:
    """Return which packages are missing."""
    missing = [name for name in needed if not _is_there(name)]
    return bad("packages", "missing", names=", ".join(missing)) if missing else good("packages")


def gpio(devices: Path) -> Finding:
    """Return whether there are GPIO lines, and whether this user may use them."""
    chips = sorted(devices.glob("gpiochip*"))
    if not chips:
        return note("gpio", "none")
    usable = [chip for chip in chips if os.access(chip, os.R_OK | os.W_OK)]
    if not usable:
        return bad("gpio", "forbidden", chip=chips[0])
    if not _is_there("lgpio"):
        return bad("gpio", "no_library", chip=usable[0])
    return good("gpio", chips=", ".join(chip.name for chip in usable))


def systemd(booted: Path) -> Finding:
    """Return whether systemd runs here, which supervises and restarts the hub."""
    if not booted.is_dir():
        return note("systemd", "none")
    return good("systemd", "listening" if os.environ.get("NOTIFY_SOCKET") else "good")


def mosquitto(path: str) -> Finding:
    """Return whether a broker is installed here; a hub needs none."""
    if not shutil.which(path):
        return note("mosquitto", "none")
    said = subprocess.run([path, "-h"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - asked by its full path
    version = re.search(r"version ([\d.]+)", said)
    return good("mosquitto", version=version[1] if version else "?")


def disk(folder: Path) -> Finding:
    """Return how long a commit takes on the outbox's disk, and whether the disk has room."""
    try:
        while not folder.exists():
            folder = folder.parent
        free_mb = shutil.disk_usage(folder).free / 1e6
        worst_ms = max(_sync_times_ms(folder))
    except OSError as error:
        return bad("disk", "unwritable", folder=folder, error=error.strerror)
    told = {"folder": str(folder), "ms": f"{worst_ms:.1f}", "mb": f"{free_mb:.0f}"}
    if free_mb < LEAST_MB:
        return bad("disk", "full", **told)
    return note("disk", "slow", **told) if worst_ms > SLOW_MS else good("disk", **told)


def encryption(folder: Path) -> Iterator[Finding]:
    """Yield whether the hub's folder is encrypted, and whether one lies beside it without a key."""
    aside = Path(f"{folder.resolve()}{ASIDE}")
    if aside.exists():
        yield note("encryption", "aside", folder=aside)
    try:
        encrypted = fscrypt.policy(folder) is not None
    except fscrypt.UnsupportedError:
        yield note("encryption", "unsupported", folder=folder)
    except OSError:  # there is none yet, or it is another user's: told of elsewhere
        return
    else:
        yield (
            good("encryption", folder=folder)
            if encrypted
            else note("encryption", "plain", folder=folder)
        )


def clock(utc: float, *, synced: bool) -> Finding:
    """Return whether the wall clock can be trusted."""
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(utc))
    if utc < THIS_WORKS_SINCE:
        return bad("clock", "wrong", now=told)
    return good("clock", now=told) if synced else note("clock", "unsynchronised", now=told)


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False


def _sync_times_ms(folder: Path) -> Iterator[float]:
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            yield (time.perf_counter() - begin) * 1000
