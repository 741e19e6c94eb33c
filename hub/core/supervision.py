"""Supervision: each device's sign of life, level, battery, and the mains."""

from hub.core.effects import Effect
from hub.core.events import BatteryMeasured, DeviceSeen, MainsChanged
from hub.core.rules import Rules
from hub.core.state import HomeState

Step = tuple[HomeState, list[Effect]]


def elapse(state: HomeState, at: float, _rules: Rules) -> Step:
    """Raise the faults that are due."""
    del at
    return state, []


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give the next moment at which `elapse` has something to do."""
    del state
    return None


def told(
    state: HomeState, event: DeviceSeen | BatteryMeasured | MainsChanged, _rules: Rules
) -> Step:
    """Take a device's word on itself."""
    del event
    return state, []


def seen(state: HomeState, device: str, at: float, _rules: Rules) -> Step:
    """Take note that `device` spoke: called for each edge, so it must be quick."""
    del device, at
    return state, []


def working(state: HomeState, _rules: Rules) -> tuple[str, ...]:
    """Name the motion sensors and doors that can be believed: no fault stands against them."""
    del state
    return ()
