"""The air of the virtual house (`drivers.bluetooth.air.Air`): its devices, heard and connected to.

    house.sock -> words (`drivers.virtual.words`) -> frames -> sensors, wearables -> the hub

From the frames on it is the way of a real device. What stands in for the device's own flash, its
address and its key, is read from the list `devices.toml`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

import msgspec

from drivers.bluetooth.air import BTHOME, Advert, Listener, Lost, LostError, Peripheral
from drivers.bluetooth.devices import in_effect
from drivers.bluetooth.frames.bthome import Cipher
from drivers.bluetooth.virtual import frames
from drivers.bluetooth.virtual.heart import Heart
from drivers.bluetooth.wearables.service import uuid
from drivers.virtual.words import ASK, LINE_BYTES, Carried, Measured, Sent, Word, Worn
from hub.contract import json_lines
from hub.contract.json_lines import JsonLineError
from hub.contract.radio import Fact, OpenPairing, Order, PairingEnd, PairingEnded, Part
from hub.core.model.wireless import Pendant, Wireless, WirelessSensor
from hub.shared.settings import SettingsError
from hub.shared.unix_socket import EndlessLineError, read_line

HEART_RATE, PRESSURE = uuid(0x2A37), uuid(0x2A35)
LEVEL, MODEL, DATE_TIME = uuid(0x2A19), uuid(0x2A24), uuid(0x2A08)
AGAIN_S = 0.5  # between two tries to reach the house
PATIENCE_S = 10.0  # house and hub are one process: it starts within this time
BURST, BURST_GAP_S = 4, 0.15  # a press is sent for some 0.5 s
RSSI_DBM = -58
STAY_S = 10.0  # a cuff disconnects so long after it has told what it measured
NOTIFY_S = 1.0  # between two notifications of a band
LOOK_S = 4.0  # between two words that a device is still here: as over BlueZ
Heard = Callable[[bytes], None]
log = logging.getLogger(__name__)
_words: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)


class VirtualAir:
    """Hears the house at the socket `house`; `listed` is the file `devices.toml`."""

    def __init__(self, house: Path, listed: Path, dice: Random | None = None) -> None:
        self._house, self._listed = house, listed
        self._dice = dice or Random()  # noqa: S311 - a heart, no secret
        self._devices: dict[str, Wireless] = {}
        self._ciphers: dict[str, Cipher] = {}
        self._bands: dict[str, Band] = {}
        self._cuffs: dict[str, Cuff] = {}
        self._here = set[str]()  # addresses

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        """Listen for ever; after each change of the list, to the house anew."""
        async with asyncio.TaskGroup() as group:
            visits: asyncio.Task[None] | None = None
            group.create_task(self._remind(listener))
            async for _ in addresses:
                if visits is not None:
                    visits.cancel()
                    await asyncio.wait({visits})
                self._follow()
                visits = group.create_task(self._visit(listener))

    def connect(self, address: str) -> AbstractAsyncContextManager[Peripheral]:
        """Connect, and disconnect at the end. Raises LostError."""
        return self._connected(address)

    @asynccontextmanager
    async def _connected(self, address: str) -> AsyncIterator[Peripheral]:
        device = self._bands.get(address) or self._cuffs.get(address)
        if device is None or not device.is_near:
            raise LostError(Lost.NOT_FOUND, address)
        try:
            yield device
        finally:
            device.leave()

    def _follow(self) -> None:
        """Take the list; a mistake in it changes nothing, as in the process around us."""
        with suppress(SettingsError, OSError):
            devices = in_effect(self._listed)
            self._devices = {device.name: device for device in devices}
            keys = {one.name: (one.address, getattr(one, "key", None)) for one in devices}
            self._ciphers = {name: Cipher(at, key) for name, (at, key) in keys.items() if key}

    async def _visit(self, listener: Listener) -> None:
        """Hear the house, again and again; that it is not there is told after a while."""
        since, told = monotonic(), False
        listener.trouble(Part.PASSIVE, present=False)
        while True:
            with suppress(OSError, EndlessLineError, JsonLineError):
                reader, writer = await asyncio.open_unix_connection(self._house, limit=LINE_BYTES)
                try:
                    writer.write(ASK)
                    listener.trouble(Part.ADAPTER, present=False)
                    told = False
                    await self._hear(reader, listener)
                finally:
                    writer.close()
                    self._part(listener)
                    since = monotonic()
            if not told and monotonic() - since > PATIENCE_S:
                told = True
                listener.trouble(Part.ADAPTER, present=True, detail="no virtual house")
            await asyncio.sleep(AGAIN_S)

    async def _hear(self, reader: asyncio.StreamReader, listener: Listener) -> None:
        while line := await read_line(reader):
            word = json_lines.decode(line, _words)
            device = self._devices.get(word.device)
            if device is not None:  # else our list is older than the house's
                self._happen(word, device, listener)

    def _happen(self, word: Word, device: Wireless, listener: Listener) -> None:
        address = device.address
        match word:
            case Sent() if isinstance(device, Pendant | WirelessSensor):
                self._send(word, device, listener)
            case Worn():
                band = self._bands.get(address) or Band(word, Heart(self._dice))
                self._bands[address] = band
                band.change(word)
                self._tell(listener, address, near=band.is_near)
            case Measured():
                parted = partial(self._tell, listener, address, near=False)
                cuff = self._cuffs.setdefault(address, Cuff(parted))
                cuff.measure(word, datetime.now(UTC).astimezone())
                self._tell(listener, address, near=True)
            case Carried():
                self._tell(listener, address, near=word.near)
            case _:
                log.warning("%s is of another kind here and in the virtual house", device.name)

    def _tell(self, listener: Listener, address: str, *, near: bool) -> None:
        (self._here.add if near else self._here.discard)(address)
        listener.near(address, near=near)

    async def _remind(self, listener: Listener) -> None:
        """Tell again and again who is here, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            for address in self._here:
                listener.near(address, near=True)

    def _send(self, word: Sent, device: Pendant | WirelessSensor, listener: Listener) -> None:
        """Send a frame as often as such devices do; what BlueZ repeats comes once."""
        data = {BTHOME: frames.service_data(word, self._ciphers.get(device.name))}

        def send() -> None:
            advert = Advert(monotonic(), device.address, rssi_dbm=RSSI_DBM, service_data=data)
            listener.heard(advert)

        send()
        loop = asyncio.get_running_loop()
        for n in range(1, 1 if word.again else BURST):
            loop.call_later(n * BURST_GAP_S, send)

    def _part(self, listener: Listener) -> None:
        """Lose every device: the house is shut, or the list has changed."""
        for address, device in (*self._bands.items(), *self._cuffs.items()):
            device.part()
            listener.near(address, near=False)
        self._bands.clear()
        self._cuffs.clear()
        self._here.clear()


class _Device:
    """A device that can be connected to: what it has to read, and whom it notifies."""

    def __init__(self, model: bytes, *characteristics: str) -> None:
        self._values = {MODEL: model, LEVEL: b""}
        self._has = frozenset({MODEL, LEVEL, *characteristics})
        self._heard: dict[str, Heard] = {}
        self._ended = asyncio.Event()
        self.is_near = False

    @property
    def services(self) -> frozenset[str]:
        """The uuids of its characteristics."""
        return self._has

    async def read(self, characteristic: str) -> bytes:
        """Return a value. Raises LostError."""
        if characteristic not in self._values:
            raise LostError(Lost.NOT_SUPPORTED, characteristic)
        return self._values[characteristic]

    async def write(self, characteristic: str, value: bytes) -> None:
        """Take a value: the clock of a cuff, which is right anyway."""
        del characteristic, value

    async def notify(self, characteristic: str, heard: Heard) -> None:
        """Call `heard` for each notification, until the connection ends."""
        self._heard[characteristic] = heard

    async def ended(self) -> Lost:
        """Wait until it is out of range, or disconnects by itself."""
        await self._ended.wait()
        return Lost.ENDED

    def tell(self, characteristic: str, value: bytes) -> None:
        """Notify whoever has subscribed."""
        if heard := self._heard.get(characteristic):
            heard(value)

    def charge(self, pct: float) -> None:
        """Have this charge, and notify it where it is another than before."""
        level = frames.charge(pct)
        if level != self._values[LEVEL]:
            self._values[LEVEL] = level
            self.tell(LEVEL, level)

    def come(self) -> None:
        """Be in range."""
        self.is_near = True
        self._ended.clear()

    def part(self) -> None:
        """Be out of range."""
        self.is_near = False
        self._ended.set()

    def leave(self) -> None:
        """Forget who has subscribed: the connection has ended."""
        self._heard.clear()


class Band(_Device):
    """A band that tells the pulse each second."""

    def __init__(self, word: Worn, heart: Heart) -> None:
        super().__init__(b"virtual band", HEART_RATE)
        self._word, self._heart = word, heart
        self._beating: asyncio.Task[None] | None = None

    def change(self, word: Worn) -> None:
        """Take a new state."""
        self._word = word
        self.charge(word.battery_pct)
        if word.near and word.battery_pct > 0:  # an empty one is as one that is away
            self.come()
        else:
            self.part()

    async def notify(self, characteristic: str, heard: Heard) -> None:
        """Call `heard` for each notification, until the connection ends."""
        await super().notify(characteristic, heard)
        if characteristic == HEART_RATE and self._beating is None:
            self._beating = asyncio.create_task(self._beat())

    def leave(self) -> None:
        """Tell nothing any more: the connection has ended."""
        super().leave()
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(NOTIFY_S)
            word = self._word
            rr_ms = self._heart.beat(NOTIFY_S, word.pulse_bpm, word.variation)
            if not word.worn:
                self._heart.stop()
            self.tell(HEART_RATE, frames.heart_rate(word.pulse_bpm, rr_ms, worn=word.worn))


class Cuff(_Device):
    """A cuff: it can be connected to after a measurement, tells that, and disconnects.

    `parted` is called when it has disconnected.
    """

    def __init__(self, parted: Callable[[], None]) -> None:
        super().__init__(b"virtual cuff", PRESSURE, DATE_TIME)
        self._records: list[bytes] = []
        self._parted = parted
        self._off: asyncio.TimerHandle | None = None

    def measure(self, word: Measured, local: datetime) -> None:
        """Measure now, and wait for somebody to tell it to."""
        self.charge(word.battery_pct)
        self._records.append(frames.pressure(word, local))
        self.come()
        self._tell_records()

    async def notify(self, characteristic: str, heard: Heard) -> None:
        """Call `heard` for each indication, until the connection ends."""
        await super().notify(characteristic, heard)
        self._tell_records()

    def part(self) -> None:
        """Switch itself off."""
        if self._off is not None:
            self._off.cancel()
            self._off = None
        super().part()

    def _tell_records(self) -> None:
        if PRESSURE not in self._heard:
            return
        records, self._records = self._records, []
        for record in records:
            self.tell(PRESSURE, record)
        if self._off is not None:
            self._off.cancel()
        self._off = asyncio.get_running_loop().call_later(STAY_S, self._switch_off)

    def _switch_off(self) -> None:
        self._off = None
        self.part()
        self._parted()


class NoWindows:
    """No window for pairing (`drivers.bluetooth.app.Windows`): the list has all virtual devices."""

    def __init__(self, tell: Callable[[Fact], None]) -> None:
        self._tell = tell

    def noted(self, fact: Fact) -> None:
        """Nothing is paired."""

    def take_order(self, order: Order) -> None:
        """Answer that no window can be opened."""
        if isinstance(order, OpenPairing) and order.s > 0:
            self._tell(PairingEnded(reason=PairingEnd.FAILED))

    async def run(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()
