"""A disk that is read late: faults of devices continue, and end when they are over."""

from msgspec.structs import replace

from hub.core import late
from hub.core.decide import decide, recover
from hub.core.model.events import (
    BatteryMeasured,
    Event,
    MainsChanged,
    MotionChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.rig import RULES

SENSED = replace(
    RULES, sensors={"pir": Sensor(Sense.MOTION), "power": Sensor(Sense.MAINS, silent_s=14_400.0)}
)


def begun(boot: str, at: float, old: HomeState | None = None) -> tuple[HomeState, Started]:
    started = Started(at, 1e9 + at, synced=True, boot=boot)
    return recover(old or HomeState(), started, []), started


def lived(state: HomeState, *events: Event) -> HomeState:
    for event in events:
        state = decide(state, event, SENSED)[0]
    return state


def test_a_fault_of_before_goes_on_and_ends_by_what_the_device_has_said_meanwhile() -> None:
    flood = [MotionChanged(20 + n * 0.05, "pir", active=n % 2 == 0) for n in range(130)]
    state, started = begun("b1", 10.0)
    lost, low = MainsChanged(30.0, "power", present=False), BatteryMeasured(31.0, "power", 5.0)
    old = lived(state, started, lost, low, *flood, Ticked(150.0))
    assert set(old.faults) == {"power:mains_lost", "power:low_battery", "pir:chatter"}

    state, started = begun("b2", 1000.0)
    new = lived(
        state,
        started,
        MotionChanged(1000.1, "pir", active=False),
        MainsChanged(1000.1, "power", present=True),
        BatteryMeasured(1000.2, "power", 90.0),
    )
    held, _ = late.joined(recover(old, started, []), new, SENSED)
    assert set(held.faults) == set(old.faults)
    now = lived(held, Ticked(1001.0))
    assert set(now.faults) == {"power:low_battery", "pir:chatter"}
    now = lived(now, MotionChanged(1010.0, "pir", active=False), Ticked(1060.0))
    assert set(now.faults) == {"power:low_battery"}
    assert not lived(now, BatteryMeasured(4600.0, "power", 90.0)).faults
