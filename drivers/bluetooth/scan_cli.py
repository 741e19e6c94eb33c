"""`anbu radio scan`: what is in the air, how strong, and whether it is ours.

    anbu radio scan                      a live table, until Ctrl-C
    anbu radio scan --seconds 30 --json  one JSON array when the time is over

BlueZ tells an advert when its data is new, or it is 8 dB stronger or weaker: so the count is of
news, and a steady device has few. It may run beside the radio: BlueZ shares the air. Passive
scanning disturbs nobody; names that a device says only when asked need `--active`. Listed devices
that are not heard are shown, too: that is what an installer looks for at the worst spot. Exit
codes: 0; 1 (no bus, daemon or adapter).
"""

import asyncio
import json
import sys
import time
import unicodedata
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs, OrPattern, OrPatternLike
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError
from msgspec import Struct

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.bluez import bus as dbus
from drivers.bluetooth.bluez.adapters import Adapter
from drivers.bluetooth.bluez.monitor import PATTERNS
from drivers.bluetooth.bluez.scanner import OutOfOrderError, ready
from drivers.bluetooth.devices import FILE, in_effect
from drivers.bluetooth.frames import bthome
from drivers.bluetooth.settings import load as load_settings
from hub.contract.radio import Part
from hub.core.model.wireless import Pendant, Wireless, WirelessSensor
from hub.shared.messages import Messages, ours
from hub.shared.settings import noted_by

REDRAW_S = 1.0
USUAL_S = 10.0  # where nobody looks: not on a terminal
STRONG_DBM, FAIR_DBM = (
    -65,
    -80,
)  # at -80 dBm a pendant is heard by luck once somebody stands between
KEPT = 20  # the last strengths, of which the median is shown
SERVICES = {  # the first digits of a service's uuid
    "0000180d": "heart_rate", "00001822": "oximeter", "00001810": "blood_pressure",
    "00001809": "thermometer", "0000180f": "battery",
}  # fmt: skip
SAID = ("bthome", *SERVICES.values())
COLUMNS = ("strength", "rssi_dbm", "age_s", "adverts", "device", "address", "says")
CLEAR = "\x1b[2J\x1b[H"
Hear = Callable[[BLEDevice, AdvertisementData], None]
Row = dict[str, object]


class Heard(Struct):
    """What was heard of one address, at monotonic `at` for the last time."""

    address: str
    at: float
    name: str = ""
    strengths: list[int] = []
    adverts: int = 0
    data: bytes | None = None  # of BTHome
    services: frozenset[str] = frozenset()

    @property
    def rssi_dbm(self) -> int | None:
        """The median of the last strengths."""
        return round(median(self.strengths)) if self.strengths else None

    def note(self, advert: AdvertisementData, at: float) -> None:
        """Take one more advert."""
        self.at, self.adverts = at, self.adverts + 1
        self.name = advert.local_name or self.name
        self.strengths = [*self.strengths, advert.rssi][-KEPT:]
        self.data = advert.service_data.get(BTHOME, self.data)
        uuids = {uuid[:8] for uuid in (*advert.service_uuids, *advert.service_data)}
        self.services |= {SERVICES[uuid] for uuid in uuids & SERVICES.keys()}


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio scan`."""
    said = ours("drivers.bluetooth", "scan")["cli"]
    parser.description = said["about"]
    parser.add_argument("--seconds", type=float, metavar="N", help=said["seconds"])
    parser.add_argument("--active", action="store_true", help=said["active"])
    parser.add_argument("--json", action="store_true", help=said["json"])


def run(args: Namespace) -> int:
    """Show what is heard. Raises SettingsError."""
    settings = load_settings(args.config, noted_by(args))
    said = ours("drivers.bluetooth", "scan")
    try:
        listed = in_effect(Path(settings.state_dir) / FILE)
    except OSError as error:
        sys.stderr.write(
            said["devices"]["unreadable"].format(file=error.filename, error=error.strerror) + "\n"
        )
        listed = ()
    work = _show(args, settings.adapters.listen, listed, said)
    return complain(work, said)


def complain(work: Coroutine[Any, Any, None], said: Messages) -> int:
    """Run a command; say why it cannot be done. Return the exit code."""
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        return 0
    except OutOfOrderError as error:
        sys.stderr.write(
            said["trouble"][error.part or Part.SCANNER].format(detail=error.detail) + "\n"
        )
        return 1
    except (BleakError, *dbus.BROKEN) as error:
        sys.stderr.write(said["trouble"][Part.DAEMON].format(detail=error) + "\n")
        return 1
    return 0


@asynccontextmanager
async def hearing(wanted: str, hear: Hear, *, active: bool = False) -> AsyncIterator[Adapter]:
    """Call `hear` for each advert in the air. Raises OutOfOrderError, BleakError or `BROKEN`."""
    bus = await dbus.connect()
    try:
        adapter, _ = await ready(bus, wanted)
    finally:
        bus.disconnect()
    mode: Literal["active", "passive"] = "active" if active or not adapter.monitors else "passive"
    patterns: list[OrPatternLike] = [
        OrPattern(at, AdvertisementDataType(kind), content) for at, kind, content in PATTERNS
    ]
    arguments = BlueZScannerArgs(adapter=adapter.name, or_patterns=patterns)
    async with BleakScanner(hear, None, mode, bluez=arguments):
        yield adapter


async def _show(args: Namespace, wanted: str, listed: tuple[Wireless, ...], said: Messages) -> None:
    air = dict[str, Heard]()

    def hear(device: BLEDevice, advert: AdvertisementData) -> None:
        now = time.monotonic()
        air.setdefault(device.address, Heard(device.address, now)).note(advert, now)

    live = sys.stdout.isatty() and not args.json
    seconds = args.seconds or (float("inf") if live else USUAL_S)
    ends = time.monotonic() + seconds
    async with hearing(wanted, hear, active=args.active):
        while (left_s := ends - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, REDRAW_S))
            if live:
                sys.stdout.write(CLEAR + table(rows(air, listed, time.monotonic()), said) + "\n")
                sys.stdout.flush()
    if not live:
        told = rows(air, listed, time.monotonic())
        sys.stdout.write(
            (json.dumps(told, ensure_ascii=False) if args.json else table(told, said)) + "\n"
        )


def rows(air: dict[str, Heard], listed: Iterable[Wireless], now: float) -> list[Row]:
    """Return a row for each listed device, heard or not, then each stranger; strongest first."""
    ours = {device.address: device for device in listed}
    unheard = [Heard(address, now) for address in ours.keys() - air.keys()]
    order = sorted(
        (*air.values(), *unheard),
        key=lambda one: (one.address not in ours, -(one.rssi_dbm or -999), one.address),
    )
    return [_row(one, ours.get(one.address), now) for one in order]


def _row(one: Heard, device: Wireless | None, now: float) -> Row:
    key = device.key if isinstance(device, Pendant | WirelessSensor) else None
    cipher = bthome.Cipher(one.address, key) if key else None
    frame = bthome.read(one.data, cipher) if one.data else None
    return {
        "address": one.address,
        "device": device.name if device else None,
        "name": one.name or None,
        "rssi_dbm": one.rssi_dbm,
        "strength": _strength(one.rssi_dbm),
        "adverts": one.adverts,
        "age_s": round(now - one.at, 1) if one.adverts else None,
        "says": sorted(one.services | ({"bthome"} if frame else set())),
        "encrypted": frame.encrypted if frame else None,
        "key_fits": frame.authenticated if frame and cipher else None,
    }


def _strength(rssi_dbm: int | None) -> str:
    if rssi_dbm is None:
        return "none"
    return "strong" if rssi_dbm >= STRONG_DBM else "fair" if rssi_dbm >= FAIR_DBM else "weak"


def table(told: Iterable[Row], said: Messages) -> str:
    """Draw the rows; the columns line up although a Korean letter is two wide."""
    lines = [[said["head"][column] for column in COLUMNS]]
    lines += [[_cell(row, column, said) for column in COLUMNS] for row in told]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: list[str], widths: list[int]) -> str:
    padded = (c + " " * (w - _width(c)) for c, w in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cell(row: Row, column: str, said: Messages) -> str:
    value = row[column]
    match column:
        case "strength":
            return said["strength"][str(value)]
        case "device":
            return str(value or said["devices"]["stranger"])
        case "says":
            return _says(row, said)
        case _:
            return "-" if value is None else str(value)


def _says(row: Row, said: Messages) -> str:
    words = [said["says"][word] for word in SAID if word in str(row["says"])]
    if row["encrypted"]:
        fits = {None: "encrypted", True: "key_fits", False: "key_wrong"}[row["key_fits"]]  # type: ignore[index]
        words.append(said["says"][fits])
    elif row["key_fits"] is False:
        words.append(said["says"]["plain"])
    return ", ".join(words + ([str(row["name"])] if row["name"] else []))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
