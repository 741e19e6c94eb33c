"""The interface of a driver, as the author of a driver sees it."""

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct

from hub.contract.voice import Phrase
from hub.core.model.driver import Driver, Port
from hub.core.model.effects import Order, Show, Signal
from hub.core.model.events import ContactChanged, Event


class Door(Struct, frozen=True, kw_only=True):
    """A driver is its settings and one coroutine."""

    name: str
    pin: int = 4

    async def run(self, port: Port) -> None:
        port.ready()
        async for order in port.orders():
            port.beat()
            port.emit(ContactChanged(1.0, self.name, closed=order == Show(Signal.RAISED)))


class Notebook:
    """A port that writes down what a driver does."""

    def __init__(self) -> None:
        self.lines = list[Event | str]()

    def emit(self, event: Event) -> None:
        self.lines.append(event)

    def ready(self) -> None:
        self.lines.append("ready")

    def beat(self) -> None:
        self.lines.append("beat")

    def words(self, phrase: Phrase) -> str:
        return phrase

    async def orders(self) -> AsyncIterator[Order]:
        yield Show(Signal.RESTING)


def test_a_driver_is_a_name_and_a_coroutine() -> None:
    driver: Driver = Door(name="door")
    port = Notebook()
    asyncio.run(driver.run(port))
    assert port.lines == ["ready", "beat", ContactChanged(1.0, "door", closed=False)]
