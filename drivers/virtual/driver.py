"""The virtual house as a driver: it presses contacts and reads lamps, without hardware.

It moves and reads the simulated pins of contacts, sensors and lamps, for clients of a unix socket
with JSON lines: `press`, `motion`, `door`, `lamps`, ... (`protocol.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic

from msgspec import Struct, field

from drivers.bluetooth.devices import DeviceList
from drivers.gpio import Device
from drivers.virtual.house import House
from drivers.virtual.pins import HousePin, MockFactory
from drivers.virtual.protocol import LINE_BYTES, talk
from drivers.virtual.sensors import Fitting, Sensors, move_in
from hub.contract.forms import FilePath, Name, SocketPath
from hub.core.model.driver import Port
from hub.core.model.effects import Say
from hub.core.model.events import Spoke, VoiceTold
from hub.shared.unix_socket import serving

PAGE = "page"  # reported as the engine of speech: what is said is read on the page


class HouseError(Exception):
    """The virtual house cannot be used; the text says why."""


def use_virtual_pins() -> None:
    """Use pins of the virtual house for every device that is made from now on."""
    Device.pin_factory = MockFactory(pin_class=HousePin)


def furnish(sensors: dict[str, Fitting], resting_closed: Mapping[str, int] | None = None) -> None:
    """Shut the doors, turn on the mains, and close the contacts that rest closed.

    To be called before any driver reads its pin. Raises HouseError.
    """
    move_in(sensors, _lines(sensors))
    for pin in _pins(resting_closed or {}).values():
        pin.rest_closed()


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="house", tag_field="kind"):
    """The virtual house. `contacts`, `lamps` and `sensors` name the pins of the other drivers."""

    socket: SocketPath
    name: Name = "house"
    contacts: dict[str, int] = field(default_factory=dict)
    lamps: dict[str, int] = field(default_factory=dict)
    sensors: dict[str, Fitting] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    wireless: FilePath = ""  # the list of wireless devices, `devices.toml`
    voice: bool = False  # whether a voice process speaks; else what is said counts as heard

    @property
    def speaks(self) -> bool:
        """Whether the resident hears what is said: here it is read."""
        return True

    async def run(self, port: Port) -> None:
        """Serve the socket until cancelled.

        Raises HouseError without virtual pins, SocketError where another house has the socket.
        """
        sensors = Sensors(self.sensors, _lines(self.sensors))
        house = House(_pins(self.contacts), _pins(self.lamps), self.phrases, sensors)
        listed = DeviceList(Path(self.wireless), house.wireless.follow) if self.wireless else None
        async with _open_to_visitors(Path(self.socket), house), _moving_in(house, listed):
            house.hears = port.emit
            port.ready()
            if not self.voice:
                port.emit(VoiceTold(monotonic(), self.name, (PAGE,), hears=True))
            async for order in port.orders():
                house.note(order)
                if isinstance(order, Say) and order.receipt and not self.voice:
                    port.emit(Spoke(monotonic(), order.receipt, done=True))


@asynccontextmanager
async def _moving_in(house: House, listed: DeviceList | None) -> AsyncIterator[None]:
    """Have the wireless devices of the list, now and after each change of it."""
    work = [house.wireless.beacon()]
    if listed is not None:
        listed.look()
        work.append(listed.watch())
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def _lines(sensors: dict[str, Fitting]) -> dict[str, HousePin]:
    return _pins({name: s.pin for name, s in sensors.items() if s.pin is not None})


def _pins(numbers: Mapping[str, int]) -> dict[str, HousePin]:
    factory = Device.pin_factory
    if not isinstance(factory, MockFactory):
        message = "the virtual house needs virtual pins: start the hub with --virtual"
        raise HouseError(message)
    pins = {name: factory.pin(number) for name, number in numbers.items()}
    for name, pin in pins.items():
        if not isinstance(pin, HousePin):
            message = (
                f"{name}: {pin!r} is no pin of the virtual house; call use_virtual_pins() first"
            )
            raise HouseError(message)
    return pins


@asynccontextmanager
async def _open_to_visitors(path: Path, house: House) -> AsyncIterator[None]:
    async with serving(path, "virtual house", partial(talk, house), line_bytes=LINE_BYTES):
        house.listen(asyncio.get_running_loop())
        try:
            yield
        finally:
            house.listen(None)
