"""The proof for an installer: what the hub knows of each device, over a unix socket.

One JSON line asks, JSON lines answer: `{"do":"sensors"}` once, `{"do":"follow"}` again after every
change. What is told is what the core has taken in, so it proves the whole way from the sensor.
`{"do":"link"}` tells of the broker: nobody else can ask it under the hub's name without throwing
the hub off. The socket serves this machine only, and no trouble of a visitor is the hub's.
"""

import asyncio
import logging
import socket as sockets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.core.alarm.press import is_down
from hub.core.model.events import (
    BatteryMeasured,
    ContactChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    Event,
    HeartRateMeasured,
    MainsChanged,
    MotionChanged,
)
from hub.core.model.rules import Role, Rules, Sense
from hub.core.model.state import HomeState
from hub.core.supervision import faults as devices
from hub.core.supervision import supervision


class Proven(Struct, frozen=True):
    """One device: `on` is motion, an open door, a pressed button, mains that are there."""

    name: str
    what: Sense | Role
    place: str
    on: bool | None  # None: nothing was heard of it yet
    since_s: float | None  # how long it has been so
    heard_s: float | None  # since its last sign of life
    battery_pct: float | None
    faults: tuple[str, ...]


class Sight(Struct, frozen=True):
    """All devices of a home."""

    ok: bool
    hub: str
    sensors: list[Proven]


def sight(state: HomeState, rules: Rules, at: float) -> Sight:
    """Give what the hub knows of each sensor and button at `at`."""
    sensors = [_sensor(state, rules, name, at) for name in rules.sensors]
    return Sight(ok=True, hub=rules.hub, sensors=sensors + _buttons(state, rules))


def _sensor(state: HomeState, rules: Rules, name: str, at: float) -> Proven:
    sensor, sensed = rules.sensors[name], state.house.sensed.get(name)
    mains = state.watch.mains.get(name)
    on, since = (sensed.active, sensed.since) if sensed else (None, None)
    if mains:
        on, since = mains.present, mains.since
    heard = supervision.last_word(state, name)
    return Proven(
        name,
        sensor.sense,
        sensor.place,
        on,
        _age_s(since, at),
        _age_s(heard, at),
        _battery(state, name),
        _faults(state, name),
    )


def _buttons(state: HomeState, rules: Rules) -> list[Proven]:
    found = []
    for name, button in rules.buttons.items():
        contact = state.contacts.get(name)
        on = None if contact is None else is_down(contact)
        rest = (None, None, _battery(state, name), _faults(state, name))
        found.append(Proven(name, button.role, button.place, on, *rest))
    return found


def _age_s(since: float | None, at: float) -> float | None:
    return None if since is None else round(max(at - since, 0.0), 1)


def _battery(state: HomeState, name: str) -> float | None:
    battery = state.watch.batteries.get(name)
    return battery.pct if battery else None


def _faults(state: HomeState, name: str) -> tuple[str, ...]:
    """Give what is wrong just now: who mends a plug sees at once that it holds."""
    mine = (fault.kind for fault in state.faults.values() if fault.device == name)
    return tuple(kind for kind in mine if devices.stands(state, name, kind))


LOG = logging.getLogger("anbu")
LINE_BYTES = 1024
VISITS = 8
PULSE_S = 5.0  # without a change, this often all the same: the watcher knows that we live
BREATH_S = 0.02  # a flood of edges is told no faster
OF_DEVICES = (
    BatteryMeasured,
    ContactChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    HeartRateMeasured,
    MainsChanged,
    MotionChanged,
)


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """What a visitor may ask."""

    do: str


class LinkSight(Struct, frozen=True):
    """The hub's link: its broker or why there is none, and which centre it has heard of."""

    ok: bool
    hub: str
    broker: str  # empty: no session stands
    trouble: str
    center: str  # the id of the centre's database; empty: unknown
    center_online: bool


Look = Callable[[], tuple[HomeState, Rules, float]]  # and the monotonic time of now


class Proof:
    """The door, and those who watch."""

    def __init__(self, path: Path, look: Look, ask_link: Callable[[], LinkSight]) -> None:
        self._path, self._look, self._ask_link = path, look, ask_link
        self._watchers: set[asyncio.Event] = set()
        self._visits: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until cancelled; without a place for the socket there is no proof, and no harm."""
        try:
            door = await asyncio.start_unix_server(
                self._welcome, sock=_bound(self._path), limit=LINE_BYTES
            )
        except OSError as error:
            LOG.warning("no proof for installers at %s: %s", self._path, error)
            return
        try:
            await asyncio.Future()
        finally:
            door.close()
            self._path.unlink(missing_ok=True)
            for visit in list(self._visits):
                visit.cancel()
            await asyncio.gather(*self._visits, return_exceptions=True)

    def note(self, event: Event) -> None:
        """Let the watchers look again when a device has said something."""
        if self._watchers and isinstance(event, OF_DEVICES):
            for watcher in self._watchers:
                watcher.set()

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._visits) >= VISITS:
            writer.close()
            return
        visit = asyncio.ensure_future(self._visit(reader, writer))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (OSError, ValueError, RecursionError, msgspec.DecodeError):
            pass  # a visitor who left, or who talks nonsense
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            match msgspec.json.decode(line, type=Request).do:
                case "sensors":
                    await self._tell(writer)
                case "link":
                    writer.write(msgspec.json.encode(self._ask_link()) + b"\n")
                    await writer.drain()
                case "follow":
                    await self._follow(writer)
                case _:
                    return

    async def _follow(self, writer: asyncio.StreamWriter) -> None:
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                changed.clear()
                await self._tell(writer)
                await asyncio.sleep(BREATH_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PULSE_S):
                        await changed.wait()
        finally:
            self._watchers.discard(changed)

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        writer.write(msgspec.json.encode(sight(*self._look())) + b"\n")
        await writer.drain()


def _bound(path: Path) -> sockets.socket:
    """Bind, and set the mode before it listens: nobody may connect before that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    door = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        door.bind(str(path))
        path.chmod(0o600)
    except OSError:
        door.close()
        raise
    return door
