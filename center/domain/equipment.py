"""Which equipment fails for so long that it becomes a task: hubs, triggers, other devices. Pure.

A hub that is lost or disconnected, and any fault of a trigger (what the resident calls by), is a
task within minutes; a fault of another device within a day; a trigger that was not pressed for a
month is a task, too: to try it together by phone. `need` has the life of a task.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from center.domain.hub import Fault, Hub, Seen, seen
from center.domain.need import NeedKind
from hub.contract.messages import FaultKind, Trigger
from hub.contract.scaip import Kind

HUB = "hub"  # the hub itself, among devices
PRESSED = frozenset({Kind.HELP_BUTTON, Kind.PULL_CORD, Kind.PENDANT})  # tested once a month
_BACK = frozenset({Seen.READY, Seen.STARTING})
_GONE = frozenset({Seen.LOST, Seen.DISCONNECTED})
_EACH_CALL = frozenset(
    {FaultKind.STORAGE, FaultKind.BROKER_REFUSES, FaultKind.DEVICE_LIST, FaultKind.UNBONDED}
)  # of the hub: they concern every trigger
_DEAF = frozenset({  # of the radio: it hears no pendant
    FaultKind.NO_RADIO, FaultKind.NO_BLUETOOTH, FaultKind.NO_ADAPTER, FaultKind.ADAPTER_BLOCKED,
    FaultKind.SCAN_FAILED,
})  # fmt: skip
_OF_CENTRE = frozenset({FaultKind.TWIN, FaultKind.FLOOD, FaultKind.CROWDED})  # it may lose calls
_AT_ONCE = frozenset({FaultKind.TWIN})  # somebody may hold a key of the county's
_OF_NO_TRIGGER = frozenset({FaultKind.MAINS_LOST, FaultKind.MUTED})  # muted: as the resident wishes
_TOWNSHIP = re.compile(r"(?!\d+동$)\S+[읍면동가]$")  # a town, township or quarter; no building
_COUNTY = re.compile(r"\S+[시군구]$")
_COUNTIES = 3  # a province, a city and its district begin an address


class Grace(Struct, frozen=True):
    """How long something may fail before it becomes a task, in seconds."""

    lost_s: float
    trigger_s: float
    device_s: float
    press_s: float


class Part(Struct, frozen=True):
    """A hub that is gone, or a device with its fault; `since_utc` is the centre's clock."""

    kind: NeedKind
    hub: str
    device: str = ""
    fault: str = ""
    detail: str = ""
    since_utc: float = 0.0

    @property
    def key(self) -> tuple[NeedKind, str, str, str]:
        """What fails, without since when."""
        return self.kind, self.hub, self.device, self.fault


class Known(Struct, frozen=True):
    """What is known of a home beside its hub: its sensors, and when each trigger was pressed.

    `pressed` has by device when it was last pressed, or else since when the centre knows it; the
    device is empty where the hub does not list its triggers.
    """

    sensors: Collection[str] = ()
    pressed: Mapping[str, float] = {}


class Look(Struct, frozen=True):
    """The time of a check, and since when the centre is connected (None: it is not)."""

    now: float
    listening_utc: float | None
    grace: Grace


def failing(hub: Hub, known: Known, look: Look) -> Iterator[Part]:
    """Yield what fails at a home for long enough; nothing while the centre is not connected."""
    state = seen(hub, look.now, look.listening_utc)
    if state is Seen.UNKNOWN:
        return
    if state in _GONE:
        heard = max(hub.heard_utc, look.listening_utc or 0.0)
        if look.now - heard >= look.grace.lost_s:
            yield Part(NeedKind.HUB_LOST, hub.hub, since_utc=hub.heard_utc)
    for fault in hub.faults:
        part = _of_fault(hub, fault, known)
        limit_s = look.grace.device_s
        if part.kind is NeedKind.TRIGGER_FAULT:
            limit_s = 0.0 if fault.kind in _AT_ONCE else look.grace.trigger_s
        if look.now - part.since_utc >= limit_s:
            yield part
    if state is Seen.READY:
        yield from _not_pressed(hub, known, look)


def goes_on(part: Part, hub: Hub | None, failing_now: Collection[object], look: Look) -> bool:
    """Return whether a part of a task still fails; a lost hub is back once it has spoken again."""
    if hub is None:
        return False
    if look.listening_utc is None:
        return True
    if part.kind is NeedKind.HUB_LOST:
        state = seen(hub, look.now, look.listening_utc)
        return state not in _BACK or hub.heard_utc <= part.since_utc
    if part.kind is NeedKind.PRESS_DUE:
        return part.device in named(hub)  # a press ends it by itself
    return part.key in failing_now


def named(hub: Hub) -> tuple[str, ...]:
    """Return the triggers to press: those that the hub lists, else '' for the whole home.

    Each is returned once, however often its hub lists it.
    """
    if hub.triggers is None:
        return ("",)
    listed = (trigger.device for trigger in hub.triggers if trigger.kind in PRESSED)
    return tuple(dict.fromkeys(listed))


def area_of(address: str) -> str:
    """Return the area of a home: its address up to the township, else the county, else empty.

    A power cut or a broken line hits a valley: that is a township (읍·면·동), some 300
    homes of a county at most.
    """
    words = address.replace(",", " ").split()
    for size in range(min(len(words), _COUNTIES + 1), 0, -1):
        if _TOWNSHIP.match(words[size - 1]):
            return " ".join(words[:size])
    for size in range(min(len(words), _COUNTIES), 0, -1):
        if _COUNTY.match(words[size - 1]):
            return " ".join(words[:size])
    return ""


def grouped(parts: Iterable[Part], areas: Mapping[str, str]) -> dict[tuple[str, str], list[Part]]:
    """Group parts of one kind by task, of an area or of one home; keys are (hub, area)."""
    found: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        key = ("", areas.get(part.hub, "")) if part.kind.is_of_area else (part.hub, "")
        found.setdefault(key, []).append(part)
    return found


def _of_fault(hub: Hub, fault: Fault, known: Known) -> Part:
    urgent = _is_of_trigger(hub.triggers, fault, known)
    kind = NeedKind.TRIGGER_FAULT if urgent else NeedKind.DEVICE_FAULT
    since = fault.stored_utc or 0.0
    return Part(kind, hub.hub, fault.device, fault.kind.value, fault.detail, since)


def _is_of_trigger(triggers: tuple[Trigger, ...] | None, fault: Fault, known: Known) -> bool:
    """Return whether a trigger has the fault: by the hub's list, else all but the known sensors."""
    if fault.kind in _OF_NO_TRIGGER:
        return False
    if fault.kind in _OF_CENTRE:
        return True
    if fault.kind in _DEAF:
        return any(trigger.kind == Kind.PENDANT for trigger in triggers or ())
    if fault.device == HUB:
        return fault.kind in _EACH_CALL
    if triggers is not None:
        return any(trigger.device == fault.device for trigger in triggers)
    return fault.device in known.pressed or fault.device not in known.sensors


def _not_pressed(hub: Hub, known: Known, look: Look) -> Iterator[Part]:
    places = {trigger.device: trigger.place for trigger in hub.triggers or ()}
    for device in named(hub):
        since = known.pressed.get(device)
        if since is not None and look.now - since >= look.grace.press_s:
            place = places.get(device, "")
            yield Part(NeedKind.PRESS_DUE, hub.hub, device, detail=place, since_utc=since)
