"""Checks of the way to the centre: NetworkManager, cable and Wi-Fi, name, TLS, portal, time.

NetworkManager is asked through D-Bus and the centre for its time, without a certificate of ours:
no session is touched. A machine whose network another program looks after is no mistake.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.provision import NetworkTrouble
from hub.shared import tls
from hub.shared.county import County
from hub.shared.findings import Finding, Verdict, bad, good, note
from provisioning.doctor.bus import (
    Objects,
    UnansweredError,
    call,
    managed_objects,
    properties,
)
from provisioning.network import checks
from provisioning.network.checks import Center

NM = "org.freedesktop.NetworkManager"
ROOT, SETTINGS_PATH = "/org/freedesktop", "/org/freedesktop/NetworkManager/Settings"
SETTINGS, PROFILE = f"{NM}.Settings", f"{NM}.Settings.Connection"
DEVICE, WIRED, WIRELESS, POINT = (
    f"{NM}.Device", f"{NM}.Device.Wired", f"{NM}.Device.Wireless", f"{NM}.AccessPoint",
)  # fmt: skip
WIFI = "802-11-wireless"
UNMANAGED, UNAVAILABLE, DISCONNECTED, ACTIVATED, DEACTIVATING = 10, 20, 30, 100, 110
MODE_AP = 3  # NM80211Mode
WEAK_DBM = -70  # below it a hub's connection comes and goes; as the form of the hotspot has it
PERCENT_DB, STRONGEST_DBM = 0.6, -40  # NetworkManager: 100 % is -40 dBm or more, 0 % is -100
CONNECTED = {"cable", "wifi", "weak", "hotspot", "trying"}
OFF_S, WRONG_S = 5.0, 3600.0  # as `anbu provision run` tells it; when certificates become invalid
PATIENCE_S = 5.0
PORTAL_PORT = 80


class Machine(Struct, frozen=True):
    """Where the machine says how it is connected; another one in tests."""

    proc: Path = Path("/proc")
    portal_port: int = PORTAL_PORT


def examine(county: County, machine: Machine | None = None) -> Iterator[Finding]:
    """Yield the findings, as they are made. `county` names the centre."""
    machine = machine or Machine()
    routed = _has_route(machine.proc / "net")
    objects, code = managed_objects(NM, ROOT)
    if objects is None:
        yield manager(code, routed=routed)
    else:
        yield from ways(objects, machine.proc / "net" / "wireless", routed=routed)
        yield saved()
    if county.center:
        yield from center(county, machine.portal_port)


def manager(code: str, *, routed: bool) -> Finding:
    """Return what it means that NetworkManager does not answer."""
    if code == "missing" and routed:
        return note("network", "other")
    return (note if code == "unasked" else bad)("network", code)


def ways(objects: Objects, measures: Path, *, routed: bool) -> Iterator[Finding]:
    """Yield how the hub is connected: by cable, by Wi-Fi, by both, or not at all.

    `routed`: there is a way out; if none of the manager's is it, another program has made it.
    """
    devices = [
        (path, properties(objects, path, DEVICE))
        for path in sorted(objects)
        if DEVICE in objects[path]
    ]
    of = [
        finding
        for path, held in devices
        if held["State"] > UNMANAGED and (finding := _way(objects, path, held, measures))
    ]
    connected = any(one.code in CONNECTED for one in of)
    for one in of:
        is_spare = connected and one.verdict is Verdict.BAD  # there is another way
        yield replace(one, verdict=Verdict.NOTE) if is_spare else one
    if connected:
        return
    if routed:
        yield note("network", "other")
    else:
        has_wifi = any(WIRELESS in objects[path] for path, _ in devices)
        yield bad("network", "none" if has_wifi else "no_adapter")


def _way(objects: Objects, path: str, held: dict[str, Any], measures: Path) -> Finding | None:
    if WIRELESS in objects[path]:
        return _wifi(objects, path, held, measures)
    if WIRED not in objects[path] or not properties(objects, path, WIRED)["Carrier"]:
        return None
    state = held["State"]
    if state == ACTIVATED:
        return good("network", "cable", interface=held["Interface"])
    trying = DISCONNECTED < state < ACTIVATED
    return note("network", "trying") if trying else bad("network", "no_address")


def _wifi(objects: Objects, path: str, held: dict[str, Any], measures: Path) -> Finding | None:
    state, radio = held["State"], properties(objects, path, WIRELESS)
    if state <= UNAVAILABLE:
        return bad("network", "radio_off")
    if state <= DISCONNECTED or state >= DEACTIVATING:
        return None
    if state < ACTIVATED:
        return note("network", "trying")
    point = radio["ActiveAccessPoint"]
    heard = properties(objects, point, POINT) if point in objects else {}
    name = bytes(heard.get("Ssid", b"")).decode(errors="replace")
    if radio["Mode"] == MODE_AP:
        return note("network", "hotspot", wifi=name)
    dbm = _measured(measures, held["Interface"])
    if dbm is None:
        dbm = round(STRONGEST_DBM - (100 - heard.get("Strength", 0)) * PERCENT_DB)
    found, code = (note, "weak") if dbm < WEAK_DBM else (good, "wifi")
    return found("network", code, wifi=name, dbm=dbm)


def _measured(table: Path, interface: str) -> int | None:
    """Return the kernel's own measure of the Wi-Fi that is joined; None where it has none."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = (line.split() for line in lines if line.strip().startswith(f"{interface}:"))
    level = next((int(float(fields[3])) for fields in found), 0)
    return level if level < 0 else None


def saved() -> Finding:
    """Return which Wi-Fi the hub would join again after a power cut."""
    try:
        names = dict.fromkeys(_saved())  # one Wi-Fi may have been saved twice
    except UnansweredError:
        return note("wifi_saved", "unknown")
    if not names:
        return note("wifi_saved", "none")
    return good("wifi_saved", n=len(names), wifi=", ".join(names))


def _saved() -> Iterator[str]:
    for profile in call(NM, SETTINGS_PATH, SETTINGS, "ListConnections")[0]:
        held = call(NM, profile, PROFILE, "GetSettings")[0].get(WIFI, {})
        if held and held.get("mode", {}).get("data", "infrastructure") == "infrastructure":
            yield bytes(held["ssid"]["data"]).decode(errors="replace")


def center(county: County, portal_port: int = PORTAL_PORT) -> Iterator[Finding]:
    """Yield whether the county's centre answers, whether it is that one, and its time."""
    there = Center.at(county.center, county.ca)
    found = asyncio.run(checks.check(there, portal_port))
    told = {"center": f"{there.host}:{there.port}"}
    match found.trouble:
        case None:
            yield good("center", **told)
        case NetworkTrouble.WRONG_CENTER:
            yield bad("center", flaw(there), **told)
        case trouble:
            yield bad("center", str(trouble), **told)
    if found.ahead_s is not None:
        yield clock(found.ahead_s)
    elif found.trouble is None:
        yield note("center_clock", "untold")


def clock(ahead_s: float) -> Finding:
    """Return how far the hub's clock is from the centre's."""
    away, told = abs(ahead_s), {"s": f"{ahead_s:+.1f}"}
    if away > WRONG_S:
        return bad("center_clock", "wrong", **told)
    return note("center_clock", "off", **told) if away > OFF_S else good("center_clock", **told)


def flaw(there: Center) -> str:
    """Return why the machine that answers cannot be taken for the centre, as a sentence's code."""
    try:
        context = tls.context(there.ca, "", "")
        with (
            socket.create_connection((there.host, there.port), PATIENCE_S) as raw,
            context.wrap_socket(raw, server_hostname=there.host),
        ):
            return "changed"  # it was wrong a moment ago
    except ssl.SSLCertVerificationError as error:
        return f"server_{tls.flaw_of(error)}"
    except ssl.SSLError:
        return "no_tls"
    except tls.CertificateFilesError:
        return "no_ca"
    except socket.gaierror:
        return "no_name"
    except OSError:
        return "center_unreachable"


def _has_route(net: Path) -> bool:
    """Whether this machine has a way out, whoever made it."""
    try:
        lines = (net / "route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        lines = []
    return any(line.split()[1:2] == ["00000000"] for line in lines)
