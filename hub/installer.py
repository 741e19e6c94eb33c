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
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.sight import sight

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
