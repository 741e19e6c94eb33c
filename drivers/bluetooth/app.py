"""The radio process, put together: adverts and connections become words for the hub.

    air -> adverts of listed devices -> sensors    -> link -> the hub
        -> connections               -> wearables -'

It may be killed at any moment; whoever started it starts it again. It decides nothing: the hub
knows the home.
"""

import asyncio
import logging
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from drivers.bluetooth.air import SEEN_S, Advert, Air
from drivers.bluetooth.devices import FILE, DeviceList
from drivers.bluetooth.link import RadioLink
from drivers.bluetooth.owed_file import FILE as OWED
from drivers.bluetooth.owed_file import OwedFile, clocks
from drivers.bluetooth.sensors import Sensors
from drivers.bluetooth.settings import RadioSettings, load
from drivers.bluetooth.wearables.service import Around
from drivers.bluetooth.wearables.wearables import Wearables
from hub.contract.radio import (
    Fact,
    Found,
    Hello,
    Order,
    Part,
    Ping,
    Pong,
    Presence,
    Pressed,
    Pulse,
    Reading,
    Trouble,
)
from hub.core.model.wireless import Pendant, Phone, Wearable, Wireless, WirelessSensor
from hub.shared.messages import ours
from hub.shared.settings import noted_by
from hub.shared.system import clock_synced, one_heap, settle_memory

log = logging.getLogger(__name__)
BROKEN_EXIT = 70  # EX_SOFTWARE: start me again
SHORT_S, REST_S = 10.0, 2.0  # a life so short is followed by a rest
END_S = 2.0  # for what is told BlueZ at the end
MOST_REASONS = 32  # as `hub.contract.radio.Pong` has it
WELL_BY: dict[type[Fact], tuple[Part, ...]] = {  # what shows that these parts of a device work
    Pressed: (Part.KEY,),
    Found: (Part.KEY,),
    Pulse: (Part.BOND, Part.MUTE),
    Reading: (Part.BOND, Part.MUTE),
}
HOUSE = "house.sock"  # of a virtual house, in the hub's folder
BROKEN = "broken"  # the reason of a frame on which our own code broke


class Windows(Protocol):
    """The windows in which devices are paired."""

    def noted(self, fact: Fact) -> None:
        """Note whose bond is stale: the next window is for them."""

    def take_order(self, order: Order) -> None:
        """Follow an order of the hub."""

    async def run(self) -> None:
        """Serve one window after the other, for ever."""


class App:
    """One run of the process. It is what the air tells (`drivers.bluetooth.air.Listener`).

    `windows` makes the windows for pairing of what tells the hub; None: those over BlueZ.
    """

    def __init__(
        self,
        settings: RadioSettings,
        air: Air,
        windows: Callable[[Callable[[Fact], None]], Windows] | None = None,
    ) -> None:
        self._air = air
        self._refused = Counter[str]()
        owed = OwedFile(Path(settings.state_dir) / OWED, clocks())
        self._link = RadioLink(
            settings.socket, self._take_order, self._greeting, self._refused, file=owed
        )
        self._pairing = windows(self._link.tell) if windows else self._over_bluez(settings)
        self._sensors = Sensors(token_hex(4), self._refused)
        around = Around(self.tell, self._refuse, time.monotonic, _utc)
        self._wearables = Wearables(air, around)
        self._listed: dict[str, Wireless] = {}
        self._relisted, self._ended = asyncio.Event(), asyncio.Event()
        self._list = DeviceList(Path(settings.state_dir) / FILE, self._follow)
        self._parts: dict[tuple[str, Part], Trouble] = {}  # as each part fares; "": our own
        self._near = set[str]()  # addresses, as the air told last
        self._seen: dict[str, float] = {}
        self._count = 0

    async def run(self) -> int:
        """Serve until a signal; return the exit code. Raises what broke."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        self._list.look()
        settle_memory()
        work = (
            self._link.run(),
            self._list.watch(),
            self._wearables.run(),
            self._pairing.run(),
            self._air.listen(self._addresses(), self),
            self._until_ended(),
        )
        tasks = [asyncio.create_task(one) for one in work]
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.wait(rest, timeout=END_S)
        self._link.close()
        for task in done:
            task.result()
        return 0 if self._ended.is_set() else BROKEN_EXIT

    def tell(self, fact: Fact) -> None:
        """Tell the hub; the next window is for whose bond is told to be stale.

        What a device says shows that it works. An earlier radio may have told otherwise.
        """
        if isinstance(fact, Trouble):
            if fact.device and self._parts.get((fact.device, fact.part)) != fact:
                log.info("%s: %s: %s", fact.device, fact.part, _state(fact))
            self._parts[fact.device, fact.part] = fact
        self._pairing.noted(fact)
        self._link.tell(fact)
        if isinstance(fact, Pressed | Found | Pulse | Reading):
            for part in WELL_BY[type(fact)]:
                if (fact.device, part) not in self._parts:
                    self.tell(Trouble(part, present=False, device=fact.device))

    def _over_bluez(self, settings: RadioSettings) -> Windows:
        from drivers.bluetooth.pairing.control import Served  # noqa: PLC0415 - needs D-Bus

        return Served(settings, self._link.tell, self._refused, self._paired, self._apart)

    async def _until_ended(self) -> None:
        await self._ended.wait()

    # what the air tells

    def heard(self, advert: Advert) -> None:
        """Tell what an advert of a listed device says. Nothing that is in the air may end us."""
        device = self._listed.get(advert.address)
        if device is None:
            return
        self._count += 1
        try:
            if isinstance(device, Wearable):
                self._wearables.heard(advert)
            elif isinstance(device, Pendant | WirelessSensor):
                for fact in self._sensors.heard(advert):
                    self.tell(fact)
        except Exception:
            log.exception("an advert of %s broke what reads it", device.name)
            self._refused[BROKEN] += 1

    def near(self, address: str, *, near: bool) -> None:
        """Tell that a device is in range, and each `SEEN_S` that it still is.

        A pendant and many a sensor are silent for hours: only that they were heard says anything.
        Of a phone nothing is told without consent, and never that it is away.
        """
        (self._near.add if near else self._near.discard)(address)
        self._tell_range(address, near=near)

    def _tell_range(self, address: str, *, near: bool) -> None:
        device = self._listed.get(address)
        if isinstance(device, Wearable):
            self._wearables.near(address, near=near)
        elif near and device is not None and not (isinstance(device, Phone) and not device.consent):
            self._tell_seen(device)

    def trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        """Tell that a part is out of order, or works again; the same is not told twice."""
        told = Trouble(part, present, detail=detail)
        if self._parts.get(("", part)) != told:
            log.info("%s: %s", part, _state(told))
            self.tell(told)

    def _tell_seen(self, device: Wireless) -> None:
        now = time.monotonic()
        if now - self._seen.get(device.name, -SEEN_S) >= SEEN_S:
            self._seen[device.name] = now
            self.tell(Presence(device.name, near=True))

    # what the hub asks, and what it is told first

    def _take_order(self, order: Order) -> None:
        if isinstance(order, Ping):
            refused = dict(self._refused.most_common(MOST_REASONS))
            self.tell(Pong(order.n, refused, self._count))
        else:
            self._pairing.take_order(order)

    def _greeting(self) -> Iterable[Fact]:
        passive = self._parts.get(("", Part.PASSIVE))
        names = tuple(device.name for device in self._list.devices)
        yield Hello(devices=names, passive=passive is not None and not passive.present)
        yield from list(self._parts.values())
        yield from self._wearables.greeting()

    def _paired(self, address: str) -> None:
        self._wearables.hurry(address)
        self._relisted.set()  # BlueZ may tell of it under another path

    def _apart(self, address: str) -> AbstractAsyncContextManager[None]:
        return self._wearables.apart(address)

    def _refuse(self, reason: str) -> None:
        self._refused[reason] += 1

    # the list of devices

    def _follow(self, devices: tuple[Wireless, ...]) -> None:
        log.info("%d wireless devices", len(devices))
        before = {device.address: device.name for device in self._listed.values()}
        self._link.renamed(
            {
                before[device.address]: device.name
                for device in devices
                if before.get(device.address, device.name) != device.name
            }
        )
        old, self._listed = self._listed, {device.address: device for device in devices}
        names = {device.name for device in devices}
        self._seen = {name: at for name, at in self._seen.items() if name in names}
        self._parts = {key: told for key, told in self._parts.items() if key[0] in {"", *names}}
        self._sensors.follow(devices)
        self._wearables.follow(devices)
        self._near &= self._listed.keys()
        for address in self._near:
            if old.get(address) != self._listed[address]:  # a consent, a new name: nobody comes
                self._tell_range(address, near=True)
        self._relisted.set()

    async def _addresses(self) -> AsyncIterator[frozenset[str]]:
        """Yield who is to be listened to, now and after each change of the list."""
        while True:
            self._relisted.clear()
            yield frozenset(self._listed)
            await self._relisted.wait()


def _state(told: Trouble) -> str:
    return (told.detail or "out of order") if told.present else "works"


def _utc() -> float | None:
    return time.time() if clock_synced() else None


def add_arguments(parser: ArgumentParser) -> None:
    """Describe `anbu radio run`."""
    about = ours("drivers.bluetooth")["cli"]
    parser.add_argument("--virtual", action="store_true", help=about["virtual"])


def run(args: Namespace) -> int:
    """Serve until a signal; return the exit code. Raises SettingsError, and what broke.

    systemd starts it again after 0.2 s. One that ends at once, since its settings are wrong or its
    code is, rests before, or it would take the hub's core with nothing but starting.
    """
    begun, code = time.monotonic(), BROKEN_EXIT
    try:
        settings = load(args.config, noted_by(args))
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        one_heap()

        async def serve() -> int:
            return await (_in_a_virtual_house if args.virtual else _over_bluez)(settings).run()

        code = asyncio.run(serve())
    finally:
        is_service = not sys.stderr.isatty()
        if code != 0 and is_service and time.monotonic() - begun < SHORT_S:
            time.sleep(REST_S)
    return code


def _over_bluez(settings: RadioSettings) -> App:
    from drivers.bluetooth.bluez.air import BlueZ  # noqa: PLC0415 - a virtual house has none

    return App(settings, BlueZ(settings.adapters))


def _in_a_virtual_house(settings: RadioSettings) -> App:
    """Return the process in the house whose socket is beside the hub's radio socket."""
    from drivers.bluetooth.virtual.air import NoWindows, VirtualAir  # noqa: PLC0415 - no home has it

    house = Path(settings.socket).with_name(HOUSE)
    return App(settings, VirtualAir(house, Path(settings.state_dir) / FILE), NoWindows)
