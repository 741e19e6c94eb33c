"""Each fact to the module that knows what it means."""

from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.core.alarm import alarm, delivery, press
from hub.core.house_events import (
    Answered,
    BatteryMeasured,
    DeviceSeen,
    HeartRateMeasured,
    MainsChanged,
    MotionChanged,
    PartChanged,
    Spoke,
    Talking,
    VoiceTold,
)
from hub.core.inputs import buttons, commands, sensors, speech
from hub.core.model.effects import Effect, Pet
from hub.core.model.events import (
    BrokerAcked,
    BrokerRefused,
    CenterAcked,
    CenterBorn,
    CommandReceived,
    ContactChanged,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    LinkDown,
    LinkUp,
    Measured,
    Started,
    StorageFailed,
    StorageRecovered,
    Ticked,
)
from hub.core.model.rules import Rules
from hub.core.model.state import Clock, Contact, HomeState
from hub.core.supervision import faults, supervision

Step = tuple[HomeState, list[Effect]]


def take(state: HomeState, event: Event, rules: Rules) -> Step:
    """Give the new state, and what is to be done."""
    match event:
        case MotionChanged() | ContactChanged() | HeartRateMeasured():
            return _living(state, event, rules)
        case Answered() | Talking() | Spoke() | PartChanged() | VoiceTold():
            return speech.take(state, event, rules)
        case Started() | DeviceSeen() | BatteryMeasured() | MainsChanged():
            return supervision.told(state, event, rules)
        case LinkUp() | CenterBorn() | LinkDown():
            return _reach(state, event, rules)
        case BrokerAcked():
            kind, at = FaultKind.BROKER_REFUSES, event.at
            state, effects = faults.mend(state, kind, faults.HUB, at, rules)
            return alarm.broker_acked(state, event.id), effects
        case CenterAcked():
            return alarm.center_acked(state, event, rules)
        case Heartbeat():
            clock = Clock(event.utc - event.at, event.synced, event.zone_s)
            return replace(state, clock=clock), [Pet()]
        case CommandReceived():
            return commands.obey(state, event, rules)
        case Measured():
            return commands.measured(state, event, rules)
        case _:
            return _trouble(state, event, rules)


def _living(
    state: HomeState,
    event: MotionChanged | ContactChanged | HeartRateMeasured,
    rules: Rules,
) -> Step:
    match event:
        case MotionChanged():
            return sensors.motion(state, event, rules)
        case ContactChanged(device=device) if device in rules.sensors:
            return sensors.door(state, event, rules)
        case ContactChanged(at=at, device=device, closed=closed):
            pressed = press.edge(state.contacts.get(device, Contact()), closed, at, rules)
            return buttons.turn(state, device, pressed, at, rules)
        case HeartRateMeasured():
            return sensors.heart(state, event, rules)
        case _:
            assert_never(event)


def _reach(state: HomeState, event: LinkUp | CenterBorn | LinkDown, rules: Rules) -> Step:
    if isinstance(event, LinkDown):
        return faults.link_down(state, event.at), []
    effects: list[Effect] = []
    if isinstance(event, LinkUp):  # perhaps another broker, or one that was put right
        kind = FaultKind.BROKER_REFUSES
        state, mended = faults.mend(state, kind, faults.HUB, event.at, rules)
        state, effects = faults.link_up(state, event.at, rules)
        effects += mended
    state, resends = delivery.resend_all(state, event.at, rules)
    return state, [*resends, *effects]


def _trouble(
    state: HomeState,
    event: DriverReady | DriverFailed | StorageFailed | StorageRecovered | BrokerRefused | Ticked,
    rules: Rules,
) -> Step:
    match event:
        case Ticked():
            return state, []
        case DriverFailed(at=at, device=device, reason=reason):
            return faults.fail(state, FaultKind.DRIVER_FAILED, device, at, rules, reason)
        case DriverReady(at=at, device=device):
            return faults.mend(state, FaultKind.DRIVER_FAILED, device, at, rules)
        case StorageFailed(at=at, trouble=trouble):
            return faults.fail(state, FaultKind.STORAGE, faults.HUB, at, rules, trouble)
        case StorageRecovered(at=at):
            return faults.mend(state, FaultKind.STORAGE, faults.HUB, at, rules)
        case BrokerRefused(at=at):
            return faults.fail(state, FaultKind.BROKER_REFUSES, faults.HUB, at, rules)
        case _:
            assert_never(event)
