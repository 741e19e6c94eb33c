"""What this process has seen with its own eyes of each device, for whoever installs the home.

The core keeps a sensor's last activity over a restart, and a driver says its level when it starts:
neither shows that somebody has just walked past. So a use is a change of a level that was known, or
a press; and nothing of an earlier process counts. `InstallReport` is made of it while the centre
follows (`hub.core.inputs.installing`).
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AnsweredBy, FaultKind, InstallDevice, InstallReport
from hub.contract.voice import Meaning
from hub.core.model.events import (
    Answered,
    BatteryMeasured,
    ClockCompared,
    CommandReceived,
    ContactChanged,
    DevicesChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    Event,
    HeartRateMeasured,
    MainsChanged,
    MotionChanged,
    NetworkChanged,
    PartChanged,
    RadioPartChanged,
    RangeChanged,
    Spoke,
    VitalsMeasured,
    VoiceTold,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import NO_SETUP, HomeState
from hub.core.supervision import faults
from hub.installer import DeviceReport, Look, devices_report

EVERY_S = 5.0  # a report is sent so often without a change
APART_S = 1.0  # and no more often than this during a flood of edges
PHONE = "phone"
UNTOLD = "untold"  # a phone of which the resident does not want to be told
OF_DEVICE = (
    BatteryMeasured,
    ContactChanged,
    DeviceSeen,
    HeartRateMeasured,
    MainsChanged,
    MotionChanged,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
OF_PARTS = (
    ClockCompared,
    CommandReceived,
    DevicesChanged,
    DriverFailed,
    DriverReady,
    NetworkChanged,
    PartChanged,
    RadioPartChanged,
    VoiceTold,
)
OPENING = {Sense.DOOR, Sense.EXIT_DOOR, Sense.WINDOW}  # shut by hand, too
ROOM = 512  # bytes of a report that are kept for what is no device
FAULTS, OF_HUB, MOST, PLACE = 16, 32, 256, 200  # as many as the contract takes


class Carrier(Protocol):
    """Where a report goes."""

    def mention(self, topic: str, payload: bytes) -> None:
        """Send it now, if nothing else waits to be sent; else drop it."""


class Seen(Struct):
    """When a device was last used, and heard: monotonic seconds, None: not by this process."""

    used_at: float | None = None
    heard_at: float | None = None


class Witness:
    """Notes each event that shows a device, or the voice, at work."""

    def __init__(self) -> None:
        self._devices: dict[str, Seen] = {}
        self._levels: dict[tuple[str, str], bool] = {}
        self._taken = 0  # presses of pendants that counted
        self.spoke_at: float | None = None
        self.heard_at: float | None = None
        self.answered_at: float | None = None

    def note(self, event: Event, state: HomeState, rules: Rules) -> bool:
        """Note an event after the core has decided on it; return whether it showed anything."""
        match event:
            case Spoke(at=at, done=True):
                self.spoke_at = at
            case Answered(at=at, by=AnsweredBy.VOICE, meaning=meaning, asked=asked):
                if meaning is Meaning.UNCLEAR:
                    return False
                self.heard_at = at
                self.answered_at = at if asked else self.answered_at
            case RangeChanged(at=at, device=device, near=True):
                self._see(device).heard_at = at
            case _ if isinstance(event, OF_DEVICE) and _is_known(event.device, rules):
                self._note_device(event, state, rules)
            case _:
                return False
        return True

    def of(self, device: str) -> Seen:
        """Return what was seen of a device."""
        return self._devices.get(device, Seen())

    def _see(self, device: str) -> Seen:
        return self._devices.setdefault(device, Seen())

    def _note_device(self, event: "DeviceEvent", state: HomeState, rules: Rules) -> None:
        seen = self._see(event.device)
        seen.heard_at = event.at
        sensor = rules.sensors.get(event.device)
        both = sensor is not None and sensor.sense in OPENING
        match event:
            case ContactChanged(closed=closed):
                used = self._changed(event.device, "", on=closed) and (both or closed)
            case MotionChanged(active=active):
                used = self._changed(event.device, "", on=active) and active
            case WirelessFound(what=what, on=on):
                used = self._changed(event.device, what, on=on) and (both or on)
            case MainsChanged(present=present):
                used = self._changed(event.device, "", on=present) and not present
            case WirelessPressed():  # what BlueZ tells again, or a recorder, is none
                used, self._taken = state.wireless.taken > self._taken, state.wireless.taken
            case _:
                used = False
        if used:
            seen.used_at = event.at

    def _changed(self, device: str, what: str, *, on: bool) -> bool:
        """Note a level; return whether it is another one than was known."""
        key = device, what
        before = self._levels.get(key)
        self._levels[key] = on
        return before is not None and before is not on


DeviceEvent = (
    BatteryMeasured
    | ContactChanged
    | DeviceSeen
    | HeartRateMeasured
    | MainsChanged
    | MotionChanged
    | VitalsMeasured
    | WirelessFound
    | WirelessPressed
)


class Follower:
    """Sends reports while the centre follows: at a change, and every `EVERY_S`."""

    def __init__(self, witness: Witness, look: Look, carrier: Carrier) -> None:
        self._witness, self._look, self._carrier = witness, look, carrier
        self._changed = asyncio.Event()
        self._from = 0  # the device that the next report begins with

    def note(self, event: Event, state: HomeState, rules: Rules) -> None:
        """Note an event; while the centre follows, send what it changed."""
        showed = self._witness.note(event, state, rules)
        if (showed or isinstance(event, OF_PARTS)) and state.is_followed(event.at):
            self._changed.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            state, rules, at = self._look()
            self._changed.clear()
            if not state.is_followed(at):
                await self._changed.wait()
                continue
            self._send(state, rules, at)
            await asyncio.sleep(APART_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S - APART_S):
                    await self._changed.wait()

    def _send(self, state: HomeState, rules: Rules, at: float) -> None:
        report, self._from = fitted(install_report(state, rules, at, self._witness), self._from)
        self._carrier.mention(wire.topic(rules.hub, "install"), wire.encode(report))


def install_report(state: HomeState, rules: Rules, at: float, witness: Witness) -> InstallReport:
    """Return what the hub shows of itself at `at` (monotonic seconds).

    What the provisioning process said last, it no longer says while it does not run.
    """
    runs = not faults.stands(state, rules.setup, FaultKind.DRIVER_FAILED)
    setup = state.setup if runs else NO_SETUP
    return InstallReport(
        utc=round(state.clock.utc(at), 3),
        synced=state.clock.synced,
        boot=state.boot,
        software=rules.software,
        devices=tuple(_devices(state, rules, at, witness)),
        has=_has(rules),
        way=setup.way or "",
        network=setup.network,
        signal_dbm=setup.signal_dbm,
        network_trouble=setup.network_trouble,
        ahead_s=setup.ahead_s,
        voice=faults.voice_report(state, rules).can.value,
        spoke_s=_age_s(witness.spoke_at, at),
        heard_s=_age_s(witness.heard_at, at),
        answered_s=_age_s(witness.answered_at, at),
        faults=_faults(state, rules),
        test_s=_left_s(state.test_until, at),
    )


def fitted(report: InstallReport, first: int = 0) -> tuple[InstallReport, int]:
    """Return a report that the wire takes, and with which device the next one begins.

    The devices of a home fit into one, as a rule; else they take turns.
    """
    first = first if first < len(report.devices) else 0
    devices = report.devices[first:] + report.devices[:first]
    room = wire.MAX_BYTES - ROOM - len(wire.encode(replace(report, devices=())))
    taken = list[InstallDevice]()
    for device in devices:
        room -= len(msgspec.json.encode(device)) + 1
        if room < 0 or len(taken) == MOST:
            break
        taken.append(device)
    left = len(devices) - len(taken)
    after = (first + len(taken)) % len(devices) if left else 0
    return replace(report, devices=tuple(taken), left=left), after


def _devices(
    state: HomeState, rules: Rules, at: float, witness: Witness
) -> Iterator[InstallDevice]:
    for one in devices_report(state, rules, at).sensors:
        yield _device(one, witness.of(one.name), rules, at)
    for phone in rules.phones:
        told = () if phone in rules.phones_told else (UNTOLD,)
        heard_s = None if told else _age_s(witness.of(phone).heard_at, at)
        yield InstallDevice(phone, PHONE, wireless=True, heard_s=heard_s, faults=told)


def _device(one: DeviceReport, seen: Seen, rules: Rules, at: float) -> InstallDevice:
    button = rules.buttons.get(one.name)
    return InstallDevice(
        name=one.name,
        what=one.what.value,
        place=one.place[:PLACE],
        wireless=bool(button and button.wireless),
        on=one.on,
        used_s=_age_s(seen.used_at, at),
        heard_s=_age_s(seen.heard_at, at),
        battery_pct=one.battery_pct,
        faults=one.faults[:FAULTS],
    )


def _has(rules: Rules) -> tuple[str, ...]:
    """Return the parts that are set up, by the names that they have in `Rules`."""
    parts = {"radio": rules.radio, "setup": rules.setup, "voice": rules.voice}
    return tuple(part for part, device in parts.items() if device)


def _faults(state: HomeState, rules: Rules) -> tuple[str, ...]:
    """Return the kinds of the faults that stand against the hub itself and its processes."""
    own = {faults.HUB, rules.voice, rules.radio, rules.setup}
    stand = {one.kind.value for one in state.faults.values() if one.device in own}
    return tuple(sorted(stand))[:OF_HUB]


def _is_known(device: str, rules: Rules) -> bool:
    return device in rules.sensors or device in rules.buttons


def _age_s(since: float | None, at: float) -> float | None:
    return None if since is None else round(max(at - since, 0.0), 1)


def _left_s(until: float | None, at: float) -> float | None:
    return None if until is None or until <= at else round(until - at, 1)
