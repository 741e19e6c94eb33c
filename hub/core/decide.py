"""The home's decisions: `decide(state, event, rules) -> (state, effects)`; nothing else decides.

What is due by the event's own time is served before the event. Deadlines are derived from the state
by `next_wake`, never scheduled. After a restart `recover` fits the old state to the new process; it
never returns fewer alarms than there were.
"""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.times import DAY_S
from hub.core.activity import hourly, noise, presence, quiet, routines
from hub.core.activity.restart import recovered_house, recovered_warning
from hub.core.alarm import alarm, delivery, press, signals, warning
from hub.core.checkin import checkin, overdue, restart
from hub.core.inputs import (
    announcements,
    buttons,
    commands,
    pairing,
    sensors,
    setup,
    speech,
    testing,
    wireless,
)
from hub.core.model.activity import NEVER
from hub.core.model.effects import Effect, Lane, Pet, Publish
from hub.core.model.events import (
    Answered,
    BatteryMeasured,
    BrokerAcked,
    BrokerRefused,
    CenterAcked,
    CenterBorn,
    ClaimChanged,
    ClockCompared,
    CommandReceived,
    ContactChanged,
    DevicesChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    HeartRateMeasured,
    LinkDown,
    LinkUp,
    MainsChanged,
    Measured,
    MotionChanged,
    NetworkChanged,
    PairingAsked,
    PairingEnded,
    PairingOpened,
    PartChanged,
    RadioPartChanged,
    RangeChanged,
    Registered,
    SetupEvent,
    SetupPartChanged,
    Spoke,
    Started,
    StorageFailed,
    StorageRecovered,
    Talking,
    Ticked,
    VitalsMeasured,
    VoiceTold,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Rules
from hub.core.model.state import NO_SETUP, Clock, HomeState, Link, Step
from hub.core.model.wireless import recovered as recovered_memory
from hub.core.supervision import faults, supervision
from hub.core.vitals import restart as vitals_restart
from hub.core.vitals import vitals

ELAPSE = (  # the order in which what is due is served
    buttons.elapse,
    alarm.elapse,
    delivery.elapse,
    speech.elapse,
    faults.elapse,
    vitals.elapse,
    warning.elapse,
    noise.elapse,
    presence.elapse,
    overdue.elapse,
    quiet.elapse,
    routines.elapse,
    hourly.elapse,
    checkin.elapse,
    announcements.elapse,
    pairing.elapse,
    testing.elapse,
    setup.elapse,
    wireless.elapse,
    supervision.elapse,
)
NEXT_WAKE = (
    buttons.next_wake,
    delivery.next_wake,
    alarm.next_wake,
    faults.next_wake,
    signals.next_wake,
    speech.next_wake,
    vitals.next_wake,
    warning.next_wake,
    noise.next_wake,
    presence.next_wake,
    overdue.next_wake,
    quiet.next_wake,
    routines.next_wake,
    hourly.next_wake,
    checkin.next_wake,
    announcements.next_wake,
    pairing.next_wake,
    testing.next_wake,
    setup.next_wake,
    wireless.next_wake,
    supervision.next_wake,
)

OF_A_PROCESS = {  # what no later process knows
    "farewell": None, "pairing": None, "test_until": None, "follow_until": None,
    "setup": NO_SETUP, "shown": None, "spoken_at": NEVER,
}  # fmt: skip


def decide(state: HomeState, event: Event, rules: Rules) -> Step:
    """Apply one event; return the new state, and what is to be done. Never raises."""
    if not rules.hub:
        return setup.decide_unclaimed(state, event, rules)
    before = state
    state, effects = _elapse(state, event.at, rules)
    state, more = take_event(state, event, rules)
    more = more + setup.give_way(before, state, event.at, rules)
    state, words = signals.express(state, event.at, rules)
    return state, [*effects, *more, *words] if effects or words else more


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return the next deadline in monotonic seconds; a `Ticked` at or after it serves it."""
    if not rules.hub:
        return setup.next_wake_unclaimed(state, rules)
    wake: float | None = None
    for of_part in NEXT_WAKE:
        at = of_part(state, rules)
        if at is not None and (wake is None or at < wake):
            wake = at
    return wake


def due_contacts(state: HomeState, at: float, rules: Rules) -> set[str]:
    """Return the contacts of which a `Ticked` at `at` would make something."""
    return {device for wake, device in buttons.deadlines(state, rules) if wake <= at}


def must_commit(before: HomeState, after: HomeState, effects: list[Effect]) -> bool:
    """Whether a decision must reach the disk before anything of it is done."""
    return (
        after.alarms is not before.alarms
        or after.owed is not before.owed
        or after.faults is not before.faults
        or after.counter != before.counter
        or after.candidate is not before.candidate
        or after.wireless.taken != before.wireless.taken  # else a press would be taken twice
        or after.notices is not before.notices
        or after.care.visit is not before.care.visit  # else a crash could ask it again and again
        or any(isinstance(e, Publish) and e.lane <= Lane.FAULT for e in effects)
    )


def recover(
    state: HomeState, started: Started, unsent: Iterable[str], *, lived_in: bool = False
) -> HomeState:
    """Fit a saved state to a new process, of this boot or of another.

    Monotonic time may have restarted: old deadlines count as passed, each event that is not
    confirmed is due, and so is each SOS that the outbox holds `unsent`. `lived_in`: it is no new
    home, though the snapshot may hold no sign of life.
    """
    at, long_ago = started.at, started.at - DAY_S
    state = vitals_restart.recovered(supervision.recovered(state, started), started)
    asked = recovered_warning(state.warning, at)
    clock, was = Clock(started.utc - at, started.synced, started.zone_s), state.clock
    moved_s = was.offset_s - clock.offset_s if was.synced and clock.synced else 0.0
    return replace(
        state,
        boot=started.boot,
        clock=clock,
        care=restart.recovered(state, started, lived_in=lived_in),
        house=recovered_house(state.house, at),
        warning=vitals_restart.recovered_question(asked, state.vitals, at),
        candidate=speech.recovered(state.candidate, at),
        notices=announcements.recovered(state.notices, at),
        wireless=recovered_memory(state.wireless, moved_s, at),
        contacts={name: press.recovered(c, at) for name, c in state.contacts.items()},
        alarms=tuple(alarm.recovered(a, at, long_ago) for a in state.alarms),
        owed=delivery.recovered(state.owed, unsent, at, long_ago),
        link=Link(up=False, since=at),
        said_at=long_ago,
        told_at=long_ago,
        **OF_A_PROCESS,
    )


def take_event(state: HomeState, event: Event, rules: Rules) -> Step:
    """Apply one event, without what was due before it and without its signal."""
    match event:
        case MotionChanged() | ContactChanged() | HeartRateMeasured() | VitalsMeasured():
            return _take_house_event(state, event, rules)
        case (
            WirelessPressed()
            | WirelessFound()
            | RangeChanged()
            | RadioPartChanged()
            | DevicesChanged()
            | PairingOpened()
            | PairingAsked()
            | PairingEnded()
        ):
            return _take_radio_event(state, event, rules)
        case Answered() | Talking() | Spoke() | PartChanged() | VoiceTold():
            return speech.take_voice_event(state, event, rules)
        case Started() | DeviceSeen() | BatteryMeasured() | MainsChanged():
            return _take_device_event(state, event, rules)
        case LinkUp() | CenterBorn() | LinkDown():
            return _take_link_event(state, event, rules)
        case BrokerAcked() | CenterAcked():
            return _take_ack(state, event, rules)
        case Heartbeat():
            clock = Clock(event.utc - event.at, event.synced, event.zone_s)
            return replace(state, clock=clock), [Pet()]
        case CommandReceived():
            return commands.obey(state, event, rules)
        case Measured():
            return commands.telemetry(state, event, rules)
        case _:
            return _take_other(state, event, rules)


def _take_device_event(
    state: HomeState, event: Started | DeviceSeen | BatteryMeasured | MainsChanged, rules: Rules
) -> Step:
    state, effects = supervision.take_device_event(state, event, rules)
    if not isinstance(event, Started):
        return state, effects
    state, more = wireless.begin(state, event.at, rules)
    return state, effects + more


def _take_house_event(
    state: HomeState,
    event: MotionChanged | ContactChanged | HeartRateMeasured | VitalsMeasured,
    rules: Rules,
) -> Step:
    match event:
        case MotionChanged():
            return sensors.motion(state, event, rules)
        case ContactChanged(device=device) if device in rules.sensors:
            return sensors.door(state, event, rules)
        case ContactChanged():
            return buttons.take_edge(state, event, rules)
        case HeartRateMeasured():
            return sensors.heart(state, event, rules)
        case VitalsMeasured():
            return sensors.reading(state, event, rules)
        case _:
            assert_never(event)


def _take_radio_event(
    state: HomeState, event: wireless.WirelessEvent | pairing.PairingEvent, rules: Rules
) -> Step:
    match event:
        case PairingOpened() | PairingAsked() | PairingEnded():
            return pairing.take_event(state, event, rules)
        case _:
            return wireless.take_event(state, event, rules)


def _take_ack(state: HomeState, event: BrokerAcked | CenterAcked, rules: Rules) -> Step:
    if isinstance(event, CenterAcked):
        return alarm.center_acked(state, event, rules)
    kind, at = FaultKind.BROKER_REFUSES, event.at
    state, effects = faults.mend(state, kind, faults.HUB, at, rules)
    return alarm.broker_acked(state, event.id), effects


def _take_link_event(state: HomeState, event: LinkUp | CenterBorn | LinkDown, rules: Rules) -> Step:
    if isinstance(event, LinkDown):
        return faults.link_down(state, event.at), []
    effects: list[Effect] = []
    if isinstance(event, LinkUp):  # perhaps another broker, or one that was corrected
        kind = FaultKind.BROKER_REFUSES
        state, mended = faults.mend(state, kind, faults.HUB, event.at, rules)
        state, effects = faults.link_up(state, event.at, rules)
        effects += mended
    state, resends = delivery.resend_all(state, event.at, rules)
    return state, [*resends, *effects]


def _take_other(
    state: HomeState,
    event: DriverReady
    | DriverFailed
    | SetupEvent
    | StorageFailed
    | StorageRecovered
    | BrokerRefused
    | Ticked,
    rules: Rules,
) -> Step:
    match event:
        case (
            ClaimChanged() | Registered() | NetworkChanged() | ClockCompared() | SetupPartChanged()
        ):
            return setup.take_event(state, event, rules)
        case Ticked():
            return state, []
        case DriverFailed(at=at, device=rules.radio, reason=reason):
            return faults.fail(state, FaultKind.NO_RADIO, rules.radio, at, rules, reason)
        case DriverReady(at=at, device=rules.radio):
            return faults.mend(state, FaultKind.NO_RADIO, rules.radio, at, rules)
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


def _elapse(state: HomeState, at: float, rules: Rules) -> Step:
    effects: list[Effect] = []
    for elapse in ELAPSE:
        state, more = elapse(state, at, rules)
        if more:
            effects += more
    return state, effects
