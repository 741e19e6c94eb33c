"""The one connection loop for all wearables: connect, subscribe, listen, and begin anew.

    away ──near, or back-off──► connecting ──► subscribing ──► listening ──► away
      ▲                             │               │              │ silent: dropped
      └──────── back-off ───────────┴───────────────┴──────────────┘

Who is near is connected at once; who is not is tried by back-off, since a lost advert must not cost
a wearable. A device that another hub or a phone holds does not advertise: it is out of range here,
and no trouble. A device that stays connected and sends nothing is dropped and subscribed again; if
it is still silent then, that is told once, until it sends.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct

from drivers.bluetooth.air import SEEN_S, Air, Lost, LostError, Peripheral
from drivers.bluetooth.wearables.service import WITHHELD, Around, Service
from hub.contract.radio import Fact, Part, Presence, Trouble
from hub.core.model.wireless import Wearable
from hub.shared.backoff import exponential_s

FIRST_S, LONGEST_S = 1.0, 300.0
UNANSWERED_S = 2.0  # after a try that nobody answered: it costs little, and is no failure
GROWTH = 3.0  # 1, 3, 9, 27, 81, 243, 300 s: with one adapter each connect makes it deaf for 4 s
STEADY_S, SHORTS = 60.0, 3  # at the edge of range, shorter connections come in dozens: few are free
BLIND_S = 300.0  # between tries of a device that is not heard: a lost advert must not cost it
ABSENT_S = 5.0  # who was told as away for so long is tried at once, whatever failed before
RESTING = 6  # failures whose pause is the longest
AWAY_S = 60.0  # not heard and not connected for so long: out of range
FRAMES = 256  # that wait to be read: about 2 min of a band
NO_SERVICE = "no_service"  # it has none of those of its kind: broadcast is off, or proprietary
Frames = asyncio.Queue[tuple[Service, str, bytes] | Lost]
Heard = Callable[[bytes], None]
ASKED_FOR_KEY = {Lost.BOND_STALE, Lost.NOT_PERMITTED}  # somebody has to pair it (again)


class Patience(Struct, frozen=True):
    """How long a kind may be connected and silent, and how often in a row until that is told.

    A band or a strap sends each second. What measures `on_demand` comes into range after a
    measurement, and is silent once it has told that. Staying there with nothing to tell is no
    trouble (some advertise all day), but coming so often for nothing is. Between its silent
    connections is the longest pause, since each costs its battery.
    """

    silent_s: float
    times: int
    on_demand: bool = False


PATIENCE = {
    "band": Patience(60.0, 2),
    "chest_strap": Patience(60.0, 2),
    "oximeter": Patience(60.0, 5, on_demand=True),
    "cuff": Patience(30.0, 5, on_demand=True),
    "thermometer": Patience(30.0, 5, on_demand=True),
}


class Connection:
    """Keeps one wearable connected whenever it can be."""

    def __init__(
        self, device: Wearable, air: Air, around: Around, services: Sequence[Service]
    ) -> None:
        self.device = device
        self._air, self._around = air, around
        self._services = sorted(services, key=lambda each: not each.measures)
        self._patience = PATIENCE[device.what]
        self._near = self._connected = self._unanswered = False
        self._new = self._visit = False  # it came into range: since the last try, before this one
        self._gone_at = float("-inf")
        self._rssi_dbm: int | None = None
        self._arrived = asyncio.Event()
        self._tried_at = float("-inf")
        self._failures = self._shorts = self._silences = 0
        self._told_near: bool | None = None
        self._told_at = float("-inf")
        self._told: set[Part] = set()
        self._away: asyncio.TimerHandle | None = None

    def near(self, *, near: bool) -> None:
        """Note that the device is in range, or has not been heard for a while."""
        if near and not self._near:
            self._new |= self._around.at() >= self._gone_at + ABSENT_S
            self._arrived.set()
        elif self._near and not near:
            self._gone_at = self._around.at()
        self._near = near
        self._range()
        if near and self._around.at() - self._told_at >= SEEN_S:
            self._tell_range(near=True)

    def greeting(self) -> Iterator[Fact]:
        """Yield what a hub that has just connected has to know."""
        if self._told_near is not None:
            yield Presence(self.device.name, near=self._told_near)
        for part in self._told:
            yield Trouble(part, present=True, device=self.device.name)
        for service in self._services:
            yield from service.greeting()

    def leave(self) -> None:
        """Tell that its troubles are over: it is on the list no longer, or begins anew."""
        for part in sorted(self._told):
            self._well(part)

    def heard(self, rssi_dbm: int | None) -> None:
        """Note an advert of the device."""
        self._rssi_dbm = rssi_dbm
        self.near(near=True)

    def hurry(self) -> None:
        """Try at once, and forget what failed before: it was paired anew, for example."""
        self._tried_at = float("-inf")
        self._failures = self._shorts = 0
        self._arrived.set()

    async def run(self) -> None:
        """Connect again and again, for ever."""
        self._range()
        try:
            while True:
                await self._chance()
                await self._try()
        finally:
            if self._away:
                self._away.cancel()

    async def _chance(self) -> None:
        """Wait until the back-off has passed; that is shorter once the device is near."""
        while (left := self._wait_s()) > 0:
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._arrived.wait()

    def _wait_s(self) -> float:
        failures = 0 if self._new else self._failures
        pause = exponential_s(failures + 1, first_s=FIRST_S, longest_s=LONGEST_S, factor=GROWTH)
        if not self._near:
            pause = max(pause, BLIND_S)
        elif self._unanswered and not self._new:
            pause = max(pause, UNANSWERED_S)
        return self._tried_at + pause - self._around.at()

    async def _try(self) -> None:
        began, lively = self._around.at(), False
        self._shorts = 0 if self._new else self._shorts
        self._visit, self._new, self._unanswered = self._new, False, False
        try:
            async with self._air.connect(self.device.address) as peripheral:
                began, self._connected = self._around.at(), True
                self._range()
                lively = await self._session(peripheral)
        except LostError as error:
            self._unanswered = error.reason is Lost.NOT_FOUND
            if error.reason in ASKED_FOR_KEY:
                self._trouble(Part.BOND, error.reason)
        finally:
            self._tried_at = self._around.at()  # the pause begins where the connection ends
            self._connected = False
            if lively:
                steady = self._tried_at >= began + STEADY_S
                self._shorts = 0 if steady else self._shorts + 1
                self._failures = max(0, self._shorts - SHORTS)
            elif not self._unanswered:
                self._failures += 1
            self._range()

    async def _session(self, peripheral: Peripheral) -> bool:
        """Listen until the connection ends or falls silent; return whether it measured anything."""
        frames: Frames = asyncio.Queue(FRAMES + 1)
        ended = asyncio.create_task(_put_end(peripheral, frames))
        try:
            measuring = await self._subscribe(peripheral, frames)
            self._well(Part.BOND)
            if not measuring:
                self._silent(NO_SERVICE)
                return False
            return await self._listen(frames)
        finally:
            ended.cancel()
            for service in self._services:
                service.end()

    async def _subscribe(self, peripheral: Peripheral, frames: Frames) -> bool:
        """Subscribe to what there is, measurements first; return whether any of it measures."""
        measuring = False
        for service in self._services:
            for characteristic in service.wants:
                if characteristic in peripheral.services:
                    heard = partial(self._queue, frames, service, characteristic)
                    measuring |= await self._notify(peripheral, service, characteristic, heard)
        for service in self._services:
            await service.begin(peripheral)
        return measuring

    async def _notify(
        self, peripheral: Peripheral, service: Service, characteristic: str, heard: Heard
    ) -> bool:
        """Subscribe; return whether that brings measurements. Only those must be permitted."""
        try:
            await peripheral.notify(characteristic, heard)
        except LostError as error:
            if service.measures or error.reason not in WITHHELD:
                raise
            return False
        return service.measures

    async def _listen(self, frames: Frames) -> bool:
        lively, silent_at = False, self._around.at() + self._patience.silent_s
        while (left := silent_at - self._around.at()) > 0:
            try:
                async with asyncio.timeout(left):
                    frame = await frames.get()
            except TimeoutError:
                break
            if isinstance(frame, Lost):
                return lively
            service, characteristic, value = frame
            if service.measures:
                lively, silent_at = True, self._around.at() + self._patience.silent_s
                self._sends()
            service.heard(characteristic, value)
        if not (lively and self._patience.on_demand):
            self._silent()
            lively = False
        return lively

    def _queue(self, frames: Frames, service: Service, characteristic: str, value: bytes) -> None:
        """Keep a frame for the loop; nothing that a device sends can hurt the library's thread."""
        if frames.qsize() < FRAMES:
            frames.put_nowait((service, characteristic, value))
        else:
            self._around.refuse("overflow")

    def _sends(self) -> None:
        self._silences = 0
        self._well(Part.MUTE)

    def _silent(self, detail: str = "") -> None:
        """Count a silent connection; what stays in range with nothing to tell is counted once."""
        if self._patience.on_demand:
            self._failures = RESTING
            self._silences += self._visit
        else:
            self._silences += 1
        if detail or self._silences >= self._patience.times:
            self._trouble(Part.MUTE, detail)

    def _trouble(self, part: Part, detail: str) -> None:
        if part not in self._told:
            self._told.add(part)
            self._around.tell(Trouble(part, present=True, device=self.device.name, detail=detail))

    def _well(self, part: Part) -> None:
        if part in self._told:
            self._told.remove(part)
            self._around.tell(Trouble(part, present=False, device=self.device.name))

    def _range(self) -> None:
        """Tell that it is in range at once, and that it is not only after a while."""
        if self._away:
            self._away.cancel()
            self._away = None
        if self._near or self._connected:
            if not self._told_near:
                self._tell_range(near=True)
        elif self._told_near is not False:
            self._away = asyncio.get_running_loop().call_later(AWAY_S, self._gone)

    def _gone(self) -> None:
        self._tell_range(near=False)

    def _tell_range(self, *, near: bool) -> None:
        self._told_near, self._told_at = near, self._around.at()
        rssi_dbm = self._rssi_dbm if near else None
        self._around.tell(Presence(self.device.name, near=near, rssi_dbm=rssi_dbm))


async def _put_end(peripheral: Peripheral, frames: Frames) -> None:
    """Put the end of the connection behind the frames that came before it."""
    frames.put_nowait(await peripheral.ended())
