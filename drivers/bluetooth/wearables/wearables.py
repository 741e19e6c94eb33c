"""All wearables of a home: each has its own connection loop, and none ends another."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

from drivers.bluetooth.air import Advert, Air
from drivers.bluetooth.wearables.battery import BatteryService
from drivers.bluetooth.wearables.blood_pressure import BloodPressureService
from drivers.bluetooth.wearables.connection import Connection
from drivers.bluetooth.wearables.device_information import DeviceInformationService
from drivers.bluetooth.wearables.heart_rate import HeartRateService
from drivers.bluetooth.wearables.oximeter import OximeterService
from drivers.bluetooth.wearables.polar import PolarService
from drivers.bluetooth.wearables.service import Around, Service
from drivers.bluetooth.wearables.thermometer import ThermometerService
from hub.contract.radio import Fact
from hub.core.model.wireless import Wearable, Wireless

MEASURES: dict[str, Callable[[Wearable, Around], Service]] = {
    "band": HeartRateService,
    "chest_strap": HeartRateService,
    "oximeter": OximeterService,
    "cuff": BloodPressureService,
    "thermometer": ThermometerService,
}
AGAIN_S = 10.0  # after a fault of ours: soon, but not in a storm
log = logging.getLogger(__name__)


class Wearables:
    """Keeps the wearables of the list connected. Tell it of adverts and of who is near."""

    def __init__(self, air: Air, around: Around) -> None:
        self._air, self._around = air, around
        self._connections: dict[str, Connection] = {}  # by address
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._let_go = Counter[str]()  # addresses that somebody else has to himself
        self._changed = asyncio.Event()

    def follow(self, devices: Iterable[Wireless]) -> None:
        """Take a new list: begin with new wearables, end those that it has no longer."""
        before, self._connections = self._connections, {}
        for device in devices:
            if isinstance(device, Wearable):
                old = before.get(device.address)
                new = old if old and old.device == device else self._connection(device)
                self._connections[device.address] = new
        self._changed.set()

    def heard(self, advert: Advert) -> None:
        """Note an advert."""
        if advert.address in self._connections:
            self._connections[advert.address].heard(advert.rssi_dbm)

    def near(self, address: str, *, near: bool) -> None:
        """Note that a device is in range, or has not been heard for a while."""
        if address in self._connections:
            self._connections[address].near(near=near)

    def hurry(self, address: str) -> None:
        """Connect at once, whatever failed before: the device was paired anew, for example."""
        if address in self._connections:
            self._connections[address].hurry()

    @asynccontextmanager
    async def apart(self, address: str) -> AsyncIterator[None]:
        """Let go of a device, and connect to it again at the end.

        Who pairs it has it to himself: a connection of ours would be in the way of BlueZ's
        `RemoveDevice` and `Pair`, and the end of its patience would end them.
        """
        self._let_go[address] += 1
        try:
            if connection := self._connections.get(address):
                await self._end(connection)
            yield
        finally:
            self._let_go[address] -= 1
            self._changed.set()

    async def _end(self, connection: Connection) -> None:
        if task := self._tasks.pop(connection, None):
            task.cancel()
            await asyncio.wait({task})

    def greeting(self) -> Iterator[Fact]:
        """Yield what a hub that has just connected has to know: what lasts."""
        for connection in self._connections.values():
            yield from connection.greeting()

    async def run(self) -> None:
        """Keep the wearables of the list connected, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._changed.wait()
                self._changed.clear()
                for connection in self._tasks.keys() - set(self._connections.values()):
                    self._tasks.pop(connection).cancel()
                    connection.leave()
                for address, connection in self._connections.items():
                    if connection not in self._tasks and not self._let_go[address]:
                        self._tasks[connection] = group.create_task(_keep(connection))

    def _connection(self, device: Wearable) -> Connection:
        return Connection(device, self._air, self._around, services_of(device, self._around))


def services_of(device: Wearable, around: Around) -> tuple[Service, ...]:
    """Return the services that a kind of wearable may have."""
    measures = MEASURES[device.what](device, around)
    own = (PolarService(device, around),) if device.what == "band" else ()
    return measures, *own, BatteryService(device, around), DeviceInformationService(device, around)


async def _keep(connection: Connection) -> None:
    """Run a loop, and begin anew whatever it raises: one wearable must not end the others."""
    while True:
        try:
            await connection.run()
        except Exception:
            log.exception("the connection loop of %s has failed", connection.device.name)
        await asyncio.sleep(AGAIN_S)
