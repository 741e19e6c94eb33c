"""Whether a hub runs here, and what it says about its link and its devices.

The hub's socket is asked, not the broker: a broker has one session for each name, and a second
client with the hub's certificate ends the hub's session. The doctor connects as the hub only where
it is certain that no hub runs here.

A hub is meant to run where systemd has its unit with these settings, or where an identity was
registered into its state folder. Elsewhere (a workstation, an image in the making) none is missed.
"""

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from hub.shared import unix_socket
from hub.shared.findings import Finding, bad, good, note
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning.findings import HubConfig

PATIENCE_S = 5.0
UNIT = "anbu-hub.service"
ASKED = ("LoadState", "UnitFileState", "ActiveState", "ExecStart")
RUNS = {"active", "reloading"}
KEPT_OFF = {"disabled", "masked", "masked-runtime", "enabled-runtime"}  # after a power cut
CALLING = {  # what a device is that calls by itself: buttons, cords, pendants, detectors
    "help_button", "pull_cord", "smoke", "gas", "carbon_monoxide", "moisture",
}  # fmt: skip
WORTH_KNOWING = {"muted", "no_backup", "snapshot", "clock"}  # a call gets out all the same
T = TypeVar("T")


class OwnFault(Struct, frozen=True):
    """A fault of the hub itself, or of a driver that is neither sensor nor button."""

    device: str
    kind: str


class Word(Struct, frozen=True):
    """What a running hub says about its link; `broker` is empty while it has no session.

    `center_online` is None where the hub is older and does not say it.
    """

    broker: str = ""
    trouble: str = ""
    center_online: bool | None = None
    faults: tuple[OwnFault, ...] = ()


class Device(Struct, frozen=True):
    """What a running hub says about a device; `on` is None until it has reported."""

    name: str
    what: str
    on: bool | None = None
    faults: tuple[str, ...] = ()


class Devices(Struct, frozen=True):
    """A running hub's answer about its devices."""

    sensors: tuple[Device, ...]


class Running(Struct, frozen=True):
    """`may`: whether a hub may be running; `word` is None where no hub answered.

    `hidden`: this user may not ask it. `devices` is None where the hub did not tell them.
    """

    may: bool
    word: Word | None = None
    hidden: bool = False
    devices: tuple[Device, ...] | None = None


class Unit(Struct, frozen=True):
    """What systemd says of the hub's unit; empty where there is none."""

    config: Path | None = None
    enabled: str = ""
    active: str = ""

    def starts(self, config: Path) -> bool:
        """Whether it starts a hub with this config."""
        return self.config == config.resolve()


def unit() -> Unit:
    """Ask systemd for the hub's unit."""
    command = ("systemctl", "show", UNIT, *(f"--property={name}" for name in ASKED))
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Unit()
    told = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    config = re.search(r" --config[ =]([^ ;]+)", told.get("ExecStart", ""))
    if told.get("LoadState") not in {"loaded", "masked"} or not config:
        return Unit()
    file = Path(config[1]).resolve()
    return Unit(file, told.get("UnitFileState", ""), told.get("ActiveState", ""))


def look(config: HubConfig) -> Running:
    """Look for a hub with this configuration on this machine."""
    socket = Path(config.run_dir) / "hub.sock"
    try:
        word = _ask(socket, "link", Word)
        devices = _ask(socket, "sensors", Devices) if word else None
        return Running(may=True, word=word, devices=devices.sensors if devices else None)
    except (FileNotFoundError, ConnectionRefusedError):
        return _claim(Path(config.state_dir))
    except PermissionError:  # another user's socket
        return Running(may=True, hidden=True)
    except (OSError, ValueError):  # it hangs, or is older and does not answer
        return Running(may=True)


def examine(config: HubConfig, file: Path, running: Running, unit: Unit) -> Iterator[Finding]:
    """Yield whether the hub runs that is meant to, and what keeps its calls from the centre."""
    ours = unit.starts(file)
    if running.word is None:
        yield _missing(running, unit.active if ours else "", meant=ours or _is_registered(config))
        return
    off = ours and unit.enabled in KEPT_OFF
    yield bad("hub_process", "disabled") if off else good("hub_process")
    if running.word.broker and running.word.center_online is not None:
        heard = running.word.center_online
        yield good("hub_center") if heard else bad("hub_center", "absent")
    for own in running.word.faults:
        found = note if own.kind in WORTH_KNOWING else bad
        yield found("hub_own", "fault", name=own.device, fault=own.kind, **_of(own.kind))
    yield from devices(config, running.devices)


def _missing(running: Running, active: str, *, meant: bool) -> Finding:
    """Return what it means that no hub answers. `active`: what systemd says of it, if it does."""
    if not meant:
        return note("hub_process", "unasked" if running.may else "none")
    if not running.may or (active and active not in RUNS):
        return bad("hub_process", "stopped")
    return bad("hub_process", "hidden" if running.hidden else "silent")


def _is_registered(config: HubConfig) -> bool:
    return config.enrolled and bool(config.hub)


def devices(config: HubConfig, told: tuple[Device, ...] | None) -> Iterator[Finding]:
    """Yield what the running hub says is wrong with its devices."""
    if told is None:
        yield bad("hub_device", "untold")
        return
    faults = [(one, kind) for one in told for kind in one.faults]
    for one, kind in faults:
        grave = one.what in CALLING
        yield (bad if grave else note)(
            "hub_device", "fault", name=one.name, fault=kind, **_of(kind)
        )
    here = {one.name: one for one in told}
    unknown = [name for name in config.triggers if name not in here]
    if unknown:
        yield bad("hub_device", "unknown", names=", ".join(unknown))
    unheard = [one.name for one in told if _is_unheard(one, config)]
    if unheard:
        yield bad("hub_device", "unheard", names=", ".join(unheard))
    if not (faults or unknown or unheard):
        yield good("hub_device", n=len(told))


def _is_unheard(device: Device, config: HubConfig) -> bool:
    """Whether a wired button has not told its level, which it does when the hub starts."""
    return device.name in config.triggers and device.on is None and not device.faults


def _of(fault: str) -> dict[str, str]:
    """Return what to do about a fault, in each language."""
    words = {str(of): messages("provisioning", of, "doctor")["fault"] for of in Language}
    return {of: said.get(fault, said["other"]) for of, said in words.items()}


def _ask(path: Path, do: str, answer: type[T]) -> T | None:
    line = next(unix_socket.ask(path, b'{"do":"%s"}\n' % do.encode(), PATIENCE_S), b"")
    return msgspec.json.decode(line, type=answer) if line else None


def _claim(folder: Path) -> Running:
    """Return whether a process holds the state folder (`hub/process/claim.py`), or might."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return Running(may=False)
    except OSError as error:
        return Running(may=True, hidden=isinstance(error, PermissionError))
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return Running(may=True)
    finally:
        os.close(held)
    return Running(may=False)
