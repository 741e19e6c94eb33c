"""Keeps drivers running: a failed one is reported and started again; the others are not touched."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from hub.contract.voice import Phrase
from hub.core.model.driver import Driver
from hub.core.model.effects import Order, Show
from hub.core.model.events import DriverFailed, DriverReady, Event
from hub.shared.backoff import exponential_s

FIRST_S = 1.0
CAP_S = 10.0  # no longer: a help button that was repaired must work again soon
STEADY_S = 60.0
HUNG_S = 5.0
PROVEN_S = 10.0
QUEUE = 32
Texts = Mapping[str, str]
NOTHING_SAID: Texts = {}


class DriverPort:
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
        """Report that the device works; after a failure it runs 10 s before its fault clears."""
        self.answered.set()
        if self._failed:
            self._proof = asyncio.get_running_loop().call_later(PROVEN_S, self._proven)
        else:
            self.emit(DriverReady(self._at(), self._name))

    def failed(self) -> None:
        """Note that the driver has ended."""
        self.beat_at = None
        self.answered.set()
        self._failed = True
        if self._proof:
            self._proof.cancel()

    def beat(self) -> None:
        """Note that the driver is alive."""
        self.beat_at = self._at()

    def words(self, phrase: Phrase) -> str:
        """Return the phrase's sentence from the message file, or the phrase's key without one."""
        return self._said.get(phrase, phrase)

    async def orders(self) -> AsyncIterator[Order]:
        """Yield what is to be shown and said, beginning with what is shown at present."""
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
        """Whether the driver has stopped beating."""
        return self.beat_at is not None and self._at() > self.beat_at + HUNG_S

    def _proven(self) -> None:
        self._failed = False
        self.emit(DriverReady(self._at(), self._name))


class Supervisor:
    """Runs every driver of the home."""

    def __init__(
        self,
        drivers: tuple[Driver, ...],
        emit: Callable[[Event], None],
        at: Callable[[], float],
        said: Texts = NOTHING_SAID,
    ) -> None:
        self._emit, self._at = emit, at
        self._ports = {d.name: DriverPort(d.name, emit, at, said) for d in drivers}
        self._drivers = drivers

    async def run(self) -> None:
        """Run every driver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for driver in self._drivers:
                group.create_task(self._keep(driver, self._ports[driver.name]))

    async def settled(self, within_s: float) -> None:
        """Wait until each driver works or has failed, `within_s` at most.

        Voice and radio are processes of their own (`is_beside`), ready some 15 s after they came:
        nobody waits for them, or each start of the hub would be late to the network by `within_s`.
        """
        awaited = [d.name for d in self._drivers if not getattr(d, "is_beside", False)]
        answers = [asyncio.ensure_future(self._ports[n].answered.wait()) for n in awaited]
        if answers:
            _, late = await asyncio.wait(answers, timeout=within_s)
            for answer in late:
                answer.cancel()

    def tell(self, order: Order) -> None:
        """Hand an order to every driver."""
        for port in self._ports.values():
            port.tell(order)

    def hung(self) -> list[str]:
        """Return the names of the drivers that have stopped beating."""
        return [name for name, port in self._ports.items() if port.hung()]

    async def _keep(self, driver: Driver, port: DriverPort) -> None:
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
    """Return a text that fits a message: at most 200 characters, all of them encodable."""
    return reason[:200].encode(errors="replace").decode()


async def _run(driver: Driver, port: DriverPort) -> str:
    """Run the driver; return why it ended, whatever it raised."""
    try:
        await driver.run(port)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return f"cancelled itself: {error}"  # a failure, so that it is started again
    except Exception as error:  # noqa: BLE001 - reported by the caller
        return f"{type(error).__name__}: {error}"
    return "ended"
