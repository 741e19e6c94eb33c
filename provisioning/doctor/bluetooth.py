"""Checks of Bluetooth: daemon, adapter, passive scanning, the list of devices and their bonds.

Nothing is started or changed by asking.
"""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path

from msgspec import Struct

from hub.shared import bluetooth
from hub.shared.findings import Finding, bad, good, note
from hub.shared.settings import SettingsError
from provisioning.doctor import voice
from provisioning.doctor.bus import PATIENCE_S, Objects, managed_objects, properties
from provisioning.findings import HubConfig, RadioConfig, Readers, reading, told

ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
MONITORS = "org.bluez.AdvertisementMonitorManager1"
DAEMONS = ("/usr/libexec/bluetooth/bluetoothd", "/usr/lib/bluetooth/bluetoothd")
OLDEST = (5, 56)  # the first with AdvertisementMonitor1
PRIVATE = 0o077
LIST = "devices.toml"
BONDED = {"wearable", "phone"}  # kinds that are paired
WINDOW, INTERVAL = "ScanWindowAdvMonitor", "ScanIntervalAdvMonitor"
USUAL_SLOTS = ("96", "48")  # interval and window, each 0.625 ms, where main.conf says nothing


def _output(*command: str) -> str:
    try:
        return subprocess.run(  # noqa: S603 - fixed commands
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _restarts() -> str:
    """Return what systemd does when bluetoothd dies; empty where there is no systemd."""
    if not Path("/run/systemd/system").is_dir():
        return ""
    return _output("systemctl", "show", "bluetooth.service", "--property=Restart", "--value")


class Machine(Struct, frozen=True):
    """Where the machine says what it is; another one in tests."""

    proc: Path = Path("/proc")
    main_conf: Path = Path("/etc/bluetooth/main.conf")
    rfkill: Path = bluetooth.RFKILL
    daemons: tuple[str, ...] = DAEMONS
    kernel: Callable[[], tuple[int, int, int]] = bluetooth.kernel
    restarts: Callable[[], str] = _restarts


def examine(
    config: HubConfig, radio_config: Path, readers: Readers, machine: Machine | None = None
) -> Iterator[Finding]:
    """Yield the findings, as they are made; one only where this hub uses no Bluetooth."""
    machine = machine or Machine()
    listed, said = devices(Path(config.state_dir) / LIST, readers)
    if not config.radio:
        yield bad("bluetooth", "unused", n=len(listed)) if listed else note("bluetooth", "none")
        return
    yield voice.connected(config.radio, machine.proc, "radio_socket")
    radio, told_of_it = settings(config, radio_config, readers)
    yield from told_of_it
    objects, code = managed_objects("org.bluez", "/")
    yield daemon(code, machine)
    yield from said
    if objects is None:
        return
    yield adapter(objects, radio.adapters, machine.rfkill)
    yield from passive(objects, machine)
    yield bonds(objects, listed)


def settings(config: HubConfig, file: Path, readers: Readers) -> tuple[RadioConfig, list[Finding]]:
    """Return the radio's settings, and the findings on them: hub and radio must agree."""
    if not voice.exists(file):
        return RadioConfig(), [note("radio_config", "none", file=file)]
    found, said = reading("radio_config", file, readers.radio, readers)
    radio = found or RadioConfig()
    if found and radio.socket != config.radio:
        said.append(bad("radio_config", "socket", hub=config.radio, radio=radio.socket))
    if found and Path(radio.state_dir).resolve() != Path(config.state_dir).resolve():
        said.append(bad("radio_config", "state", hub=config.state_dir, radio=radio.state_dir))
    return radio, said


def daemon(code: str, machine: Machine) -> Finding:
    """Return whether bluetoothd answers, and its version."""
    if code:
        return (note if code == "unasked" else bad)("bluetooth_daemon", code)
    there = [path for path in machine.daemons if Path(path).exists()]
    version = _output(there[0], "--version") if there else ""
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    if numbers and numbers < OLDEST:
        return bad("bluetooth_daemon", "old", version=version)
    return good("bluetooth_daemon", version=version or "?")


def adapter(objects: Objects, named: Iterable[str], rfkill: Path) -> Finding:
    """Return whether the adapters are there that are named, else one, powered and not blocked."""
    paths = _having(objects, ADAPTER)
    found = {path.rpartition("/")[2]: properties(objects, path, ADAPTER) for path in paths}
    blocked = {kind for name in found or [""] if (kind := bluetooth.blocked(name, rfkill))}
    if blocked:
        return bad("bluetooth_adapter", f"blocked_{min(blocked)}")
    if not found:
        return bad("bluetooth_adapter", "none")
    there = {*found, *(of.get("Address", "") for of in found.values())}
    missing = [name for name in named if name not in there]
    if missing:
        return bad("bluetooth_adapter", "missing", names=", ".join(missing), there=", ".join(found))
    off = [name for name, of in found.items() if not of.get("Powered")]
    if off:
        return bad("bluetooth_adapter", "off", names=", ".join(off))
    names = ", ".join(f"{name} ({of.get('Address', '?')})" for name, of in found.items())
    if len(found) == 1:
        return note("bluetooth_adapter", "alone", names=names)
    return good("bluetooth_adapter", names=names)


def passive(objects: Objects, machine: Machine) -> Iterator[Finding]:
    """Yield whether it scans passively, all of the time, with a kernel and a BlueZ set up so."""
    running = _arguments(machine.proc)
    file = _settings_file(running or "") or machine.main_conf
    main_conf = _main_conf(file)
    if _having(objects, MONITORS):
        yield good("bluetooth_passive")
    elif _having(objects, ADAPTER):
        wanted = main_conf.get("General", "Experimental", fallback="false").lower() == "true"
        yield bad("bluetooth_passive", "restart" if wanted else "experimental", file=file)
    kernel = machine.kernel()
    version = ".".join(map(str, kernel))
    hears = bluetooth.hears_repeats(kernel)
    yield (good if hears else bad)("bluetooth_kernel", "good" if hears else "old", version=version)
    slots = zip((INTERVAL, WINDOW), USUAL_SLOTS, strict=True)
    interval, window = (main_conf.get("LE", name, fallback=usual) for name, usual in slots)
    yield (
        good("bluetooth_window")
        if interval == window
        else note("bluetooth_window", "half", file=file)
    )
    if running is not None:
        kept_out = re.search(r"(-P|--noplugin)[ =]?\S*battery", running)
        yield good("bluetooth_battery") if kept_out else note("bluetooth_battery", "taken")
    restarts = machine.restarts()
    if restarts:
        yield good("bluetooth_restart") if restarts == "always" else bad("bluetooth_restart", "no")


def devices(file: Path, readers: Readers) -> tuple[dict[str, tuple[str, str]], list[Finding]]:
    """Return the listed devices, address -> (name, kind), and the findings about the list."""
    check = "bluetooth_devices"
    try:
        listed = readers.wireless(file)
        mode = file.stat().st_mode if listed else 0
    except SettingsError as error:
        return {}, [*told(check, error.mistakes, readers)]
    except FileNotFoundError:
        return {}, [bad(check, "gone", file=file)]
    except OSError as error:
        return {}, [bad(check, "unreadable", file=file, error=error.strerror)]
    if not listed:
        return {}, [note(check, "none", file=file)]
    if mode & PRIVATE:
        return listed, [bad(check, "exposed", file=file)]
    return listed, [good(check, n=len(listed))]


def bonds(objects: Objects, listed: Mapping[str, tuple[str, str]]) -> Finding:
    """Return whether what must be paired is, and whether something is paired that nobody listed."""
    known = [properties(objects, path, DEVICE) for path in _having(objects, DEVICE)]
    paired = {one.get("Address", "") for one in known if one.get("Paired")}
    unpaired = [
        name for address, (name, kind) in listed.items() if kind in BONDED and address not in paired
    ]
    if unpaired:
        return note("bluetooth_bonds", "unpaired", names=", ".join(unpaired))
    strange = paired - listed.keys()
    if strange:
        return note("bluetooth_bonds", "unlisted", addresses=", ".join(sorted(strange)))
    return good("bluetooth_bonds", n=len(paired))


def _having(objects: Objects, interface: str) -> list[str]:
    return sorted(path for path, interfaces in objects.items() if interface in interfaces)


def _settings_file(running: str) -> Path | None:
    """Return the settings that bluetoothd was started with, where that is not its usual file."""
    found = re.search(r"\s(?:-f|--configfile)[ =]?(\S+)", running)
    return Path(found[1]) if found else None


def _main_conf(file: Path) -> ConfigParser:
    """Read BlueZ's own settings; nothing where there is no file or no sense in it."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(file, encoding="utf-8")
    except (Error, OSError, UnicodeDecodeError):
        return ConfigParser()
    return parser


def _arguments(proc: Path) -> str | None:
    """Return the command line of root's bluetoothd; None where none is seen."""
    for process in sorted(proc.glob("[0-9]*")):
        try:
            is_daemon = (process / "comm").read_text(encoding="utf-8").strip() == "bluetoothd"
            if is_daemon and process.stat().st_uid == proc.stat().st_uid:
                return (
                    (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
        except OSError:  # it has ended
            continue
    return None
