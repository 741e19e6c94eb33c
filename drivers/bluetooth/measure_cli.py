"""`anbu radio measure`: what only a real radio can show, in a home and on its own Pi.

    anbu radio measure --device pendant --presses 100
    anbu radio measure --device door --connect band --times 10 --seconds 300

Frames of a listed device carry a counter (that of the encryption, else the packet id), so a gap
in it is a frame that was sent and not heard: with a pendant, the presses lost per 100. The time
between frames says how long a press may wait for the next one. With `--connect` the
adapter connects to a wearable again and again meanwhile, and what was not heard during that is told
apart: that is how deaf connecting makes it. Take a device that sends once a second for it.

Exit codes: 0; 1 (no bus, daemon or adapter; nothing heard); 2 (no such device).
"""

import asyncio
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from bleak import BleakClient
from bleak.args.bluez import BlueZClientArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError
from msgspec import Struct

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.devices import FILE, in_effect
from drivers.bluetooth.frames import bthome
from drivers.bluetooth.scan_cli import complain, hearing
from drivers.bluetooth.settings import load as load_settings
from hub.core.model.wireless import Pendant, Wearable, Wireless, WirelessSensor
from hub.shared.messages import Messages, ours
from hub.shared.settings import noted_by

USAGE_ERROR = 2
PRESSES, SECONDS, TIMES = 100, 120.0, 10
APART_S, CONNECT_S = 10.0, 30.0
WRAPS = 256  # a packet id has one byte


class Sample(Struct, frozen=True):
    """One advert of the measured device; `number` None: no counter, or the key did not fit."""

    at: float
    rssi_dbm: int
    number: int | None = None
    wraps: bool = False


class Connect(Struct, frozen=True):
    """One connection that was made, or tried, between two moments."""

    begun: float
    ended: float
    made: bool


class Result(Struct, frozen=True):
    """What was measured. Times are None where there was nothing to measure."""

    adverts: int
    frames: int  # with a counter, each counted once
    lost: int  # counters in between that were never heard
    lost_pct: float | None
    rssi_dbm: tuple[int, int, int] | None  # weakest, median, strongest
    gap_s: tuple[float, float] | None  # between frames: median, longest
    connects: int = 0
    connected: int = 0
    connect_s: float | None = None  # median
    deaf_s: float | None = None  # the longest gap that overlaps a connect: median over the connects
    quiet_s: float | None = None  # the median of all other gaps


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio measure`."""
    said = ours("drivers.bluetooth", "measure")["cli"]
    parser.description = said["about"]
    parser.add_argument("--device", required=True, metavar="NAME", help=said["device"])
    parser.add_argument("--presses", type=int, metavar="N", help=said["presses"])
    parser.add_argument("--seconds", type=float, metavar="N", help=said["seconds"])
    parser.add_argument("--connect", metavar="NAME", help=said["connect"])
    parser.add_argument("--times", type=int, default=TIMES, metavar="N", help=said["times"])
    parser.add_argument("--json", action="store_true", help=said["json"])


def run(args: Namespace) -> int:
    """Measure. Raises SettingsError."""
    settings = load_settings(args.config, noted_by(args))
    said = ours("drivers.bluetooth", "measure")
    listed = {device.name: device for device in in_effect(Path(settings.state_dir) / FILE)}
    device, band = listed.get(args.device), listed.get(args.connect or "")
    if not isinstance(device, Pendant | WirelessSensor):
        return _usage(said["cli"]["no_device"].format(name=args.device, names=", ".join(listed)))
    if args.connect and not isinstance(band, Wearable):
        return _usage(said["cli"]["no_wearable"].format(name=args.connect))
    measuring = Measuring(args, device, band)
    code = complain(
        measuring.run(settings.adapters.listen, settings.adapters.connect, said),
        ours("drivers.bluetooth", "scan"),
    )
    if code or not measuring.samples:
        sys.stderr.write(said["cli"]["nothing"] + "\n" if not code else "")
        return 1
    found = result(measuring.samples, measuring.connects)
    sys.stdout.write(_told(found, said, as_json=args.json) + "\n")
    return 0


def _usage(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return USAGE_ERROR


class Measuring:
    """One run: adverts of `device`, and connections to `band` where one is named."""

    def __init__(
        self, args: Namespace, device: Pendant | WirelessSensor, band: Wireless | None
    ) -> None:
        self.samples, self.connects = list[Sample](), list[Connect]()
        self._args, self._device, self._band = args, device, band
        self._cipher = bthome.Cipher(device.address, device.key) if device.key else None
        self._enough = asyncio.Event()
        self._numbers = set[int | None]()
        self._seen: BLEDevice | None = None  # the wearable: bleak would search for it actively

    async def run(self, listen: str, connect: str, said: Messages) -> None:
        """Listen until enough presses were heard, or the time is over."""
        sys.stderr.write(said["cli"]["begins"].format(name=self._device.name) + "\n")
        async with hearing(listen, self._hear) as adapter:
            if self._band:
                same = connect in ("", adapter.name, adapter.address)
                await self._connect_again_and_again(self._band.address, "" if same else connect)
                return
            seconds = self._args.seconds or (None if self._args.presses else SECONDS)
            try:
                async with asyncio.timeout(seconds):
                    await self._enough.wait()
            except TimeoutError:
                return

    def _hear(self, device: BLEDevice, advert: AdvertisementData) -> None:
        if self._band and device.address == self._band.address:
            self._seen = device
        if device.address != self._device.address:
            return
        data = advert.service_data.get(BTHOME)
        frame = bthome.read(data, self._cipher) if data else bthome.Frame()
        number = frame.packet_id if frame.counter is None else frame.counter
        sample = Sample(time.monotonic(), advert.rssi, number, frame.counter is None)
        self.samples.append(sample)
        if number is not None and number not in self._numbers:
            self._numbers.add(number)
            if self._args.presses and len(self._numbers) >= self._args.presses:
                self._enough.set()

    async def _connect_again_and_again(self, address: str, adapter: str) -> None:
        for _ in range(self._args.times):
            await asyncio.sleep(APART_S)
            begun, made = time.monotonic(), False
            try:
                async with asyncio.timeout(CONNECT_S):
                    async with self._client(address, adapter):
                        made = True
            except (BleakError, TimeoutError):
                pass
            self.connects.append(Connect(begun, time.monotonic(), made))
        await asyncio.sleep(APART_S)

    def _client(self, address: str, adapter: str) -> BleakClient:
        """Return the wearable on the adapter that listens, or on another one (`adapter`)."""
        if adapter:
            return BleakClient(address, bluez=BlueZClientArgs(adapter=adapter))
        return BleakClient(self._seen or address)


def result(samples: Sequence[Sample], connects: Sequence[Connect] = ()) -> Result:
    """Reckon what the samples say."""
    frames, lost = _lost(samples)
    gaps = [(a.at, b.at) for a, b in pairwise(_news(samples))]
    lengths = [end - begin for begin, end in gaps]
    deaf = [_deafness(gaps, one) for one in connects if one.made]
    quiet = [end - begin for begin, end in gaps if not _overlaps(begin, end, connects)]
    strengths = sorted(sample.rssi_dbm for sample in samples)
    return Result(
        adverts=len(samples),
        frames=frames,
        lost=lost,
        lost_pct=round(100 * lost / (frames + lost), 1) if frames else None,
        rssi_dbm=(strengths[0], round(median(strengths)), strengths[-1]) if strengths else None,
        gap_s=(round(median(lengths), 2), round(max(lengths), 2)) if lengths else None,
        connects=len(connects),
        connected=len(deaf),
        connect_s=_median([one.ended - one.begun for one in connects if one.made]),
        deaf_s=_median(deaf),
        quiet_s=_median(quiet),
    )


def _news(samples: Sequence[Sample]) -> list[Sample]:
    """Return the first advert of each frame: of the others BlueZ tells only what is 8 dB apart."""
    counted = [sample for sample in samples if sample.number is not None]
    if not counted:
        return list(samples)
    return counted[:1] + [b for a, b in pairwise(counted) if a.number != b.number]


def _lost(samples: Sequence[Sample]) -> tuple[int, int]:
    """Return how many counters were heard, and how many in between were not.

    A counter that goes down began anew (a battery was changed): nothing is counted between them.
    """
    frames = lost = 0
    last: int | None = None
    for sample in samples:
        if sample.number is None or sample.number == last:
            continue
        frames += 1
        if last is not None:
            step = sample.number - last
            step = step % WRAPS if sample.wraps else step
            lost += max(0, step - 1)
        last = sample.number
    return frames, lost


def _deafness(gaps: Sequence[tuple[float, float]], connect: Connect) -> float:
    over = [end - begin for begin, end in gaps if _overlaps(begin, end, (connect,))]
    return max(over, default=0.0)


def _overlaps(begin: float, end: float, connects: Sequence[Connect]) -> bool:
    return any(begin < one.ended and end > one.begun for one in connects)


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 2) if values else None


def _told(found: Result, said: Messages, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({name: getattr(found, name) for name in found.__struct_fields__})
    values = {
        name: "-"
        if value is None
        else " / ".join(map(str, value))
        if isinstance(value, tuple)
        else value
        for name in found.__struct_fields__
        for value in [getattr(found, name)]
    }
    lines = ("frames", "strength", "gaps", *(("connects",) if found.connects else ()))
    return "\n".join(said["result"][line].format(**values) for line in lines)
