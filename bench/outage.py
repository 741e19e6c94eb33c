"""A hub without its process: engine, outbox and file, on a clock that a bench moves."""

import asyncio
import time
from pathlib import Path

from bench.rig import HUB
from hub.contract.wire import LinkTrouble
from hub.core.decide import recover
from hub.core.model.effects import Effect, Lane, Order, Publish
from hub.core.model.events import (
    CenterAcked,
    ContactChanged,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    LinkDown,
    Measured,
    Started,
)
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import HomeState
from hub.engine import Engine
from hub.outbox.thread import OutboxThread

HOUR_S = 3600.0
BEAT_S, TELEMETRY_S = 5.0, 60.0
DEVICES = 20
RULES = Rules(hub=HUB, buttons={"help": Button(Role.HELP_BUTTON)})


class World:
    """The engine's outlets and clocks: the clock can be moved, and decisions are noted."""

    def __init__(self) -> None:
        self._moved = 0.0
        self._real = False
        self.received: dict[str, float] = {}
        self.called: list[str] = []

    def at(self) -> float:
        """Return monotonic seconds, simulated at first."""
        return self._moved + (time.monotonic() if self._real else 0.0)

    def utc(self) -> float:
        """Return seconds since 1970."""
        return self.at() + 1.8e9

    def wait(self, seconds: float) -> None:
        """Move the simulated clock forward."""
        self._moved += seconds

    def wake(self) -> None:
        """Go on in real time."""
        self._moved, self._real = self._moved - time.monotonic(), True

    def tell(self, order: Order) -> None:
        """Show nothing."""

    def pet(self) -> None:
        """Do nothing."""

    def record(self, event: Event, effects: list[Effect]) -> None:
        """Note what was called, and when the centre has said `received`."""
        self.called += [e.id for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS]
        if isinstance(event, CenterAcked) and event.id:
            self.received.setdefault(event.id, event.at)


class Hub:
    """Engine, outbox and file, without the process around them."""

    def __init__(self, path: Path, telemetry_rows: int) -> None:
        self.world, self.measured = World(), list[float]()
        self.outbox = OutboxThread(path, patience_s=30.0, telemetry_rows=telemetry_rows)
        self.engine = Engine(HomeState(), RULES, self.outbox, self.world, self.world)

    async def begin(self) -> None:
        """Open the file and start."""
        found = await self.outbox.read()
        world = self.world
        started = Started(world.at(), world.utc(), synced=True, boot="b00t")
        state = recover(HomeState(), started, ())
        self.engine.begin(state, started, found)
        await self.take(LinkDown(world.at(), LinkTrouble.UNREACHABLE))

    async def take(self, *events: Event) -> None:
        """Emit events, and let the engine decide until none is left."""
        for event in events:
            self.engine.emit(event)
        await asyncio.sleep(0)
        while True:
            await self.engine.turn()
            await asyncio.sleep(0)
            if not self.engine._facts:  # noqa: SLF001 - to see that it is done
                return

    async def press(self) -> float:
        """Press; return the time at which it became one."""
        await self.take(ContactChanged(self.world.at(), "help", closed=True))
        self.world.wait(RULES.press_settle_s)
        at = self.world.at()
        await self.take(ContactChanged(at, "help", closed=False))
        return at

    async def hours(self, hours: int, faults: int) -> None:
        """Live through the outage; the burst of faults comes in the middle."""
        for hour in range(hours):
            await self.press()
            if hour == hours // 2:
                await self.burst(faults)
            for beat in range(int(HOUR_S / BEAT_S)):
                at, utc = self.world.at(), self.world.utc()
                events: list[Event] = [Heartbeat(at, utc, synced=True)]
                if beat % (TELEMETRY_S // BEAT_S) == 0:
                    readings = {f"reading_{n}": float(beat) for n in range(12)}
                    events.append(Measured(at, readings, self.outbox.dropped))
                    self.measured.append(utc)
                await self.take(*events)
                self.world.wait(BEAT_S)

    async def burst(self, faults: int) -> None:
        """Report failing and working devices as fast as possible; a second time is held back."""
        at = self.world.at()
        for n in range(0, faults, 2 * DEVICES):
            names = [f"sensor-{n + m}" for m in range(DEVICES)]
            await self.take(*(DriverFailed(at, d, f"try {n}") for d in names))
            await self.take(*(DriverReady(at, d) for d in names))
