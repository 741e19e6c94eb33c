"""What the hub knows of each device at a moment, as an installer wants to see it."""

from msgspec import Struct

from hub.core.alarm.press import is_down
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
