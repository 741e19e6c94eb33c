"""Keeps drivers alive: a failed one is reported and started again, its neighbours left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from hub.contract.voice import Phrase
from hub.core.model.driver import Driver
from hub.core.model.effects import Order, Show
from hub.core.model.events import DriverFailed, DriverReady, Event
from hub.shared.backoff import exponential_s

FIRST_S = 1.0
CAP_S = 10.0  # a help button that fails must not stay dead for a minute after it is mended
STEADY_S = 60.0
HUNG_S = 5.0
PROVEN_S = 10.0
QUEUE = 32
Texts = Mapping[str, str]
NOTHING_SAID: Texts = {}


class Lent:
    """A `Port`: what one running driver may use."""

    def __init__(
        self, name: str, emit: Callable[[Event], None], at: Callable[[], float], said: Texts
    ) -> None:
        self._name, self._at, self._said = name, at, said
        self.emit = emit
        self.beat_at: float | None = None
        self.answered = asyncio.Event()
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._last: Show | None = None
        self._failed = False
        self._proof: asyncio.TimerHandle | None = None

    def ready(self) -> None:
        """Say that the device works; after a failure it must prove it, lest the fault flap."""
        self.answered.set()
        if self._failed:
            self._proof = asyncio.get_running_loop().call_later(PROVEN_S, self._proven)
        else:
            self.emit(DriverReady(self._at(), self._name))

    def failed(self) -> None:
        """Take note that the driver has ended."""
        self.beat_at = None
        self.answered.set()
        self._failed = True
        if self._proof:
            self._proof.cancel()

    def beat(self) -> None:
        """Say "still alive"."""
        self.beat_at = self._at()

    def words(self, phrase: Phrase) -> str:
        """Give the sentence of the message file; a phrase that it lacks is said by its key."""
        return self._said.get(phrase, phrase)

    async def orders(self) -> AsyncIterator[Order]:
        """Give what is to be shown and said, beginning with what is shown already."""
        self._orders = asyncio.Queue()
        if self._last:
            self._orders.put_nowait(self._last)
        while True:
            yield await self._orders.get()

    def tell(self, order: Order) -> None:
        """Queue an order; a driver that does not listen keeps only the newest few."""
        if isinstance(order, Show):
            self._last = order
        if self._orders.qsize() >= QUEUE:
            self._orders.get_nowait()
        self._orders.put_nowait(order)

    def hung(self) -> bool:
        """Tell whether the driver has stopped beating."""
        return self.beat_at is not None and self._at() > self.beat_at + HUNG_S

    def _proven(self) -> None:
        self._failed = False
        self.emit(DriverReady(self._at(), self._name))


class Supervisor:
    """Every driver of the house, and how it fares."""

    def __init__(
        self,
        drivers: tuple[Driver, ...],
        emit: Callable[[Event], None],
        at: Callable[[], float],
        said: Texts = NOTHING_SAID,
    ) -> None:
        self._emit, self._at = emit, at
        self._ports = {d.name: Lent(d.name, emit, at, said) for d in drivers}
        self._drivers = drivers

    async def run(self) -> None:
        """Run every driver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for driver in self._drivers:
                group.create_task(self._keep(driver, self._ports[driver.name]))

    async def settled(self, within_s: float) -> None:
        """Wait until each driver works or has failed, `within_s` at most."""
        answers = [asyncio.ensure_future(p.answered.wait()) for p in self._ports.values()]
        if answers:
            _, late = await asyncio.wait(answers, timeout=within_s)
            for answer in late:
                answer.cancel()

    def tell(self, order: Order) -> None:
        """Hand an order to every driver."""
        for port in self._ports.values():
            port.tell(order)

    def hung(self) -> list[str]:
        """Name the drivers that have stopped beating."""
        return [name for name, port in self._ports.items() if port.hung()]

    async def _keep(self, driver: Driver, port: Lent) -> None:
        failures = 0
        while True:
            began = self._at()
            reason = await _run(driver, port)
            port.failed()
            self._emit(DriverFailed(self._at(), driver.name, _plain(reason)))
            failures = 0 if self._at() - began > STEADY_S else failures + 1
            await asyncio.sleep(_pause_s(failures))


def _pause_s(failures: int) -> float:
    """Return the wait before the next start: `FIRST_S`, too, after a driver that ran steadily."""
    return exponential_s(max(failures, 1), first_s=FIRST_S, longest_s=CAP_S)


def _plain(reason: str) -> str:
    """Make any text fit a message of the wire."""
    return reason[:200].encode(errors="replace").decode()


async def _run(driver: Driver, port: Lent) -> str:
    """Run the driver; give why it ended. Whatever fails in a driver is its fault only."""
    try:
        await driver.run(port)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return f"cancelled itself: {error}"  # as a failure, else it would be gone for good
    except Exception as error:  # noqa: BLE001 - reported by the caller
        return f"{type(error).__name__}: {error}"
    return "ended"
