"""A whole virtual house for a test: contact, lamp and house on the same pins, and a visitor."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from drivers import contact, lamp, motion, supply
from drivers.virtual import driver as house
from drivers.virtual.sensors import Fitting
from hub.core.model.driver import Driver
from hub.core.model.effects import Order
from hub.core.model.rules import Role, Sense
from tests.drivers.fakes import FakePort, running

LAMP = lamp.Driver(name="lamp", red=5, green=6, amber=13, buzzer=19)
CONTACTS = {"help": 17, "cancel": 27, "cord": 22}
ROLES = {"help": Role.HELP_BUTTON, "cancel": Role.CANCEL_BUTTON, "cord": Role.PULL_CORD}
KITCHEN = motion.Driver(name="kitchen", pin=23, place="부엌", warm_up_s=0.0)
FRONT = contact.Driver(name="front", pin=16, role=Role.EXIT_DOOR, place="현관문")
SERVE = "import sys; from hub.__main__ import main; sys.exit(main(sys.argv[1:]))"
PHRASES = {"raised": "도움을 요청하고 있습니다."}


class Home:
    """The ports of the running drivers, and the socket's path."""

    def __init__(self, path: Path, wireless: Path | None = None) -> None:
        self.path, self.wireless = path, wireless
        self.house, self.lamp = FakePort(), FakePort()
        self.contacts = {name: FakePort() for name in CONTACTS}
        self.power = supply.Driver(name="power", pin=26, battery=str(path.with_name("charge")))
        self.sensors = {name: FakePort() for name in ("kitchen", "front", "power")}

    def tell(self, *orders: Order) -> None:
        for order in orders:
            self.house.tell(order)
            self.lamp.tell(order)

    def drivers(self) -> list[tuple[Driver, FakePort]]:
        buttons: list[tuple[Driver, FakePort]] = [
            (contact.Driver(name=name, pin=CONTACTS[name], role=ROLES[name]), port)
            for name, port in self.contacts.items()
        ]
        three: tuple[Driver, ...] = (KITCHEN, FRONT, self.power)
        sensors = zip(three, self.sensors.values(), strict=True)
        return [*buttons, *sensors, (LAMP, self.lamp), (self.house_driver(), self.house)]

    def fittings(self) -> dict[str, Fitting]:
        return {
            "kitchen": Fitting(Sense.MOTION, KITCHEN.place, KITCHEN.pin),
            "front": Fitting(Sense.EXIT_DOOR, FRONT.place, FRONT.pin),
            "power": Fitting(Sense.MAINS, "허브 전원", self.power.pin, self.power.battery),
        }

    def house_driver(self) -> house.Driver:
        return house.Driver(
            socket=str(self.path),
            contacts=CONTACTS,
            lamps=LAMP.pins(),
            sensors=self.fittings(),
            phrases=PHRASES,
            wireless=str(self.wireless or ""),
        )

    async def ask(self, request: object) -> dict[str, Any]:
        """Send one request and disconnect."""
        async with self.visit() as (reader, writer):
            writer.write(json.dumps(request).encode() + b"\n")
            return await answer(reader)

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_unix_connection(self.path)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Read one line of the house."""
    async with asyncio.timeout(10):
        told: dict[str, Any] = json.loads(await reader.readline())
        return told


@asynccontextmanager
async def living(path: Path, wireless: Path | None = None) -> AsyncIterator[Home]:
    """Run a home whose socket is in `path`, for a minute at most.

    `wireless` is the list of its wireless devices.
    """
    home = Home(path / "house.sock", wireless)
    house.furnish(home.fittings())
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        for driver, port in home.drivers():
            await stack.enter_async_context(running(driver, port))
        yield home


@asynccontextmanager
async def served(socket: Path) -> AsyncIterator[str]:
    """Run `anbu house serve`; return the page's address."""
    line = ["house", "serve", "--port", "0", "--socket", str(socket), "--lang", "ko"]
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, *line, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout
    try:
        told = (await server.stdout.readline()).decode()
        yield re.findall(r"http://\S+", told)[0]
    finally:
        server.terminate()
        await server.wait()
