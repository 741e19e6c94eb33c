"""What the hub knows of each device and of its link, for an installer, over a unix socket.

A client sends one JSON line and gets JSON lines: `{"do":"sensors"}` is answered once,
`{"do":"follow"}` again after every change. The answer is read from the core's state, so it proves
the whole way from the sensor. `{"do":"link"}` is about the broker: a second session under the hub's
name would end the hub's own. The socket serves this machine only; no client can disturb the hub.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.contract import json_lines
from hub.contract.json_lines import JsonLineError
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
    RangeChanged,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role, Rules, Sense
from hub.core.model.state import HomeState
from hub.core.supervision import faults, supervision
from hub.shared.unix_socket import SocketError, read_line, serving

LOG = logging.getLogger("anbu")
LINE_BYTES = 1024
CLIENTS = 8  # at the same time
PULSE_S = 5.0  # `follow` is answered this often without a change, so that it shows a living hub
PAUSE_S = 0.02  # between two answers during a flood of edges
OF_DEVICES = (
    BatteryMeasured,
    ContactChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    HeartRateMeasured,
    MainsChanged,
    MotionChanged,
    RangeChanged,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
PRESSED_S = 5.0  # so long a pendant shows as pressed: it says no more than that it was
Look = Callable[[], tuple[HomeState, Rules, float]]  # the float: monotonic seconds, now


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client may ask."""

    do: str


_requests = msgspec.json.Decoder(Request)


class DeviceReport(Struct, frozen=True):
    """One device: `on` means motion, an open door, a pressed button, mains power, smoke, water."""

    name: str
    what: Sense | Role
    place: str
    on: bool | None  # None: it has not reported yet
    since_s: float | None  # since `on` last changed
    heard_s: float | None  # since its last sign of life
    battery_pct: float | None
    faults: tuple[str, ...]


class DevicesReport(Struct, frozen=True):
    """All devices of a home."""

    ok: bool
    hub: str
    sensors: list[DeviceReport]


class OwnFault(Struct, frozen=True):
    """A fault of the hub itself, or of a driver that is neither sensor nor button."""

    device: str
    kind: str


class LinkReport(Struct, frozen=True):
    """The hub's link: its broker, or why there is none, and the centre that it has heard from.

    With it come the faults that no device's report has: its disk, its radio, its voice.
    """

    ok: bool
    hub: str
    broker: str  # empty: there is no session
    trouble: str
    center: str  # the id of the centre's database; empty: unknown
    center_online: bool
    faults: tuple[OwnFault, ...] = ()


class InstallerSocket:
    """The socket and its clients."""

    def __init__(self, path: Path, look: Look, ask_link: Callable[[], LinkReport]) -> None:
        self._path, self._look, self._ask_link = path, look, ask_link
        self._followers: set[asyncio.Event] = set()

    async def run(self) -> None:
        """Serve until cancelled; a socket that cannot be made is only logged."""
        served = serving(
            self._path, "hub", self._serve_client, line_bytes=LINE_BYTES, clients_most=CLIENTS
        )
        try:
            async with served:
                await asyncio.Future()
        except (OSError, SocketError) as error:
            LOG.warning("no socket for installers: %s", error)

    def note(self, event: Event) -> None:
        """Wake the clients that follow, when a device has reported something."""
        if self._followers and isinstance(event, OF_DEVICES):
            for follower in self._followers:
                follower.set()

    async def _serve_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._answer(reader, writer)
        except (OSError, ValueError, JsonLineError):
            pass  # the client has left, or sent something else than a request
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await read_line(reader):
            match json_lines.decode(line, _requests).do:
                case "sensors":
                    await self._send_devices(writer)
                case "link":
                    writer.write(json_lines.encode(self._ask_link()))
                    await writer.drain()
                case "follow":
                    await self._follow(writer)
                case _:
                    return

    async def _follow(self, writer: asyncio.StreamWriter) -> None:
        changed = asyncio.Event()
        self._followers.add(changed)
        try:
            while True:
                changed.clear()
                await self._send_devices(writer)
                await asyncio.sleep(PAUSE_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PULSE_S):
                        await changed.wait()
        finally:
            self._followers.discard(changed)

    async def _send_devices(self, writer: asyncio.StreamWriter) -> None:
        writer.write(json_lines.encode(devices_report(*self._look())))
        await writer.drain()


def devices_report(state: HomeState, rules: Rules, at: float) -> DevicesReport:
    """Return what the hub knows of each sensor and button at `at` (monotonic seconds)."""
    sensors = [_sensor(state, rules, name, at) for name in rules.sensors]
    return DevicesReport(ok=True, hub=rules.hub, sensors=sensors + _buttons(state, rules, at))


def own_faults(state: HomeState, rules: Rules) -> tuple[OwnFault, ...]:
    """Return the faults that stand now against neither a sensor nor a button nor a phone."""
    told = {*rules.sensors, *rules.buttons, *rules.phones}
    found = (one for one in state.faults.values() if one.device not in told)
    return tuple(
        OwnFault(one.device, one.kind)
        for one in found
        if faults.stands(state, one.device, one.kind)
    )


def _sensor(state: HomeState, rules: Rules, name: str, at: float) -> DeviceReport:
    sensor, sensed = rules.sensors[name], state.house.sensed.get(name)
    mains = state.watch.mains.get(name)
    on, since = (sensed.active, sensed.since) if sensed else (None, None)
    if mains:
        on, since = mains.present, mains.since
    for key, hazard in state.wireless.hazards.items():
        if key.rpartition(":")[0] == name:
            on, since = hazard.on, hazard.since
    heard = supervision.last_word(state, name)
    return DeviceReport(
        name,
        sensor.sense,
        sensor.place,
        on,
        _age_s(since, at),
        _age_s(heard, at),
        _battery(state, name),
        _faults(state, name),
    )


def _buttons(state: HomeState, rules: Rules, at: float) -> list[DeviceReport]:
    found = []
    for name, button in rules.buttons.items():
        contact = state.contacts.get(name)
        on = None if contact is None else is_down(contact)
        heard = None
        if button.wireless:
            on, heard = _was_pressed(state, button, at), supervision.last_word(state, name)
        rest = (None, _age_s(heard, at), _battery(state, name), _faults(state, name))
        found.append(DeviceReport(name, button.role, button.place, on, *rest))
    return found


def _was_pressed(state: HomeState, pendant: Button, at: float) -> bool | None:
    """Return whether a pendant was pressed just now; None: never yet."""
    presses = state.wireless.presses.get(pendant.wireless)
    return at - presses.frames[-1].at < PRESSED_S if presses and presses.frames else None


def _age_s(since: float | None, at: float) -> float | None:
    return None if since is None else round(max(at - since, 0.0), 1)


def _battery(state: HomeState, name: str) -> float | None:
    battery = state.watch.batteries.get(name)
    return battery.pct if battery else None


def _faults(state: HomeState, name: str) -> tuple[str, ...]:
    """Return the faults of the present moment: a mended plug shows at once."""
    mine = (fault.kind for fault in state.faults.values() if fault.device == name)
    return tuple(kind for kind in mine if faults.stands(state, name, kind))
