"""Faults of devices and of the hub itself, retained at the broker until they are over.

A fault's id is `<device>:<kind>`, without a dot, which NATS does not take in a topic. The hub's own
device is `hub`.

    over --told--> stands --over--> (the first time) over; else held back: 60 s, 120 s, ... 1 h
                      '-----------again, while it is held back: nothing is told-----------'

A loose plug comes and goes 17,280 times a day. Its fault stays, and nothing is written for it.
"""

import math

from msgspec.structs import replace

from hub.contract import scaip, wire
from hub.contract.messages import (
    AlarmBrief,
    Availability,
    Cleared,
    FaultKind,
    FaultReport,
    HubState,
    PairingReport,
    PhoneSeen,
    ReportData,
    ReportEvent,
    Trigger,
    VoiceCan,
    VoiceReport,
)
from hub.contract.scaip import Kind, Report
from hub.core.model.effects import Effect, Lane, Publish
from hub.core.model.rules import Rules
from hub.core.model.state import STAGE, Fault, HomeState, Link, Step, numbered
from hub.core.model.supervision import Flap, Waiting, WatchState, due_by

HUB = "hub"
OUTAGE = "hub:link"  # no fault, but counted like one that comes and goes
HELD_FROM = 2  # from this end on it is held back; the first one is told at once
MOST_DOUBLINGS = 32  # keeps the float finite where a plug was loose for years
TRIGGERS = 20  # far more than a home has; the message stays small
BRIEFS = 100  # of the oldest alarms; more could make the message longer than `wire.MAX_BYTES`


def fail(
    state: HomeState, kind: FaultKind, device: str, at: float, rules: Rules, detail: str = ""
) -> Step:
    """Raise a fault; one that stands already is left as it is, unless its detail changed."""
    fault = f"{device}:{kind}"
    standing = state.faults.get(fault)
    if standing:
        state = not_over(state, fault)
        if standing.detail == detail or at < told_again_at(state, fault, rules):
            later = None if standing.detail == detail else detail
            return _keep_detail(state, fault, later, rules), []
    state = _count_told(state, fault, at, rules)
    since_utc = standing.since_utc if standing else state.clock.utc(at)
    new = Fault(kind, device, since_utc, state.clock.synced, detail)
    state = replace(state, faults={**state.faults, fault: new})
    waits = device in rules.sensors and kind is not FaultKind.MAINS_LOST
    if waits and (until := state.watch.hold_until) is not None and at < until:
        untold = tuple(dict.fromkeys((*state.watch.untold, fault)))
        watch = due_by(replace(state.watch, untold=untold), until)
        return replace(state, watch=watch), []
    return publish_fault(state, fault, rules)


def mend(state: HomeState, kind: FaultKind, device: str, at: float, rules: Rules) -> Step:
    """End a fault that stands: at once, or, if it comes and goes, when it has stayed away."""
    fault = f"{device}:{kind}"
    if fault not in state.faults:
        return state, []
    flap = state.watch.flaps.get(fault)
    hold_s = _hold_s(flap, rules)
    if flap is None or hold_s == 0.0:
        return end(state, fault, at, rules)
    if flap.over_at is not None:
        return state, []
    watch = due_by(_with_flap(state.watch, fault, replace(flap, over_at=at + hold_s)), at + hold_s)
    return replace(state, watch=watch), []


def end(state: HomeState, fault: str, at: float, rules: Rules) -> Step:
    """End a fault that stands, whatever it did before."""
    faults = {k: v for k, v in state.faults.items() if k != fault}
    flap = state.watch.flaps.get(fault, Flap(1, at))
    watch = _with_flap(state.watch, fault, replace(flap, at=at, over_at=None, detail=None))
    return publish_fault(replace(state, faults=faults, watch=watch), fault, rules)


def stands(state: HomeState, device: str, kind: FaultKind) -> bool:
    """Whether a fault stands against `device`; one whose end is only held back does not."""
    fault = f"{device}:{kind}"
    return bool(state.faults) and fault in state.faults and not _is_over(state, fault)


def not_over(state: HomeState, fault: str) -> HomeState:
    """Return the state in which the fault stands again, if its end was held back."""
    if not _is_over(state, fault):
        return state
    flap = replace(state.watch.flaps[fault], over_at=None)
    return replace(state, watch=_with_flap(state.watch, fault, flap))


def told_again_at(state: HomeState, fault: str, rules: Rules) -> float:
    """Return when a fault may be told again; one that was told often has to wait."""
    flap = state.watch.flaps.get(fault)
    return -math.inf if flap is None else flap.at + _hold_s(flap, rules)


def publish_fault(state: HomeState, fault: str, rules: Rules) -> Step:
    """Publish how a fault stands, or that it is over."""
    state, key = numbered(state)
    return state, [_publish(state, fault, rules, Lane.FAULT, key)]


def report(
    state: HomeState, kind: Report, value: float, at: float, rules: Rules, device: str = ""
) -> Step:
    """Report something technical; after a power cut that waits, except the loss of the mains."""
    utc, watch = state.clock.utc(at), state.watch
    waiting = Waiting(kind, value, device, utc, state.clock.synced)
    if kind is Report.MAINS_LOST or watch.hold_until is None or at >= watch.hold_until:
        return send_report(state, waiting, rules)
    watch = due_by(replace(watch, waiting=(*watch.waiting, waiting)), watch.hold_until)
    return replace(state, watch=watch), []


def send_report(state: HomeState, report: Waiting, rules: Rules) -> Step:
    """Publish a technical report, with the time at which it was true."""
    state, event = numbered(state)
    block = scaip.of_report(report.report, event)
    message = ReportEvent(
        id=event,
        source=wire.source(rules.hub),
        type=f"anbu.report.{report.report}",
        time=wire.timestamp(report.utc),
        data=ReportData(report.report, round(report.value, 1), report.synced, block, report.device),
    )
    topic = wire.topic(rules.hub, "event")
    return state, [Publish(event, Lane.FAULT, topic, wire.encode(message))]


def link_up(state: HomeState, at: float, rules: Rules) -> Step:
    """Publish that the hub is there and its faults; report an outage of `offline_s` or more."""
    effects: list[Effect] = []
    outage = not state.link.up and state.link.since + rules.offline_s <= at
    if outage and at >= told_again_at(state, OUTAGE, rules):
        state = _count_told(state, OUTAGE, at, rules)
        state, effects = report(state, Report.LINK_BACK, at - state.link.since, at, rules)
    state, told = publish_state(replace(state, link=Link(up=True, since=at)), at, rules)
    told_faults = _told_faults(state)
    faults = [_publish(state, f, rules, Lane.LIVE, f"fault/{f}") for f in told_faults]
    return state, [*told, *faults, *effects]


def link_down(state: HomeState, at: float) -> HomeState:
    """Note since when there is no broker; a failed retry does not change that time."""
    return replace(state, link=Link(up=False, since=at)) if state.link.up else state


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Publish the state message again when it is due."""
    if not state.link.up or state.told_at + _interval_s(state, rules) > at:
        return state, []
    return publish_state(state, at, rules)


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the state message is due again, while there is a link."""
    return state.told_at + _interval_s(state, rules) if state.link.up else None


def publish_state(state: HomeState, at: float, rules: Rules) -> Step:
    """Publish the hub's state; the centre corrects what it says of the alarms."""
    state = replace(state, told_at=at)
    return state, [state_message(state, Availability.READY, at, rules)]


def state_message(state: HomeState, availability: Availability, at: float, rules: Rules) -> Publish:
    """Return the message of the hub's own state; with `lost` it is the last will."""
    message = HubState(
        state=availability,
        utc=state.clock.utc(at),
        synced=state.clock.synced,
        boot=state.boot,
        software=rules.software,
        interval_s=_interval_s(state, rules),
        alarms=tuple(
            AlarmBrief(a.id, STAGE[type(a.life)], a.version) for a in state.alarms[:BRIEFS]
        ),
        faults=_told_faults(state),
        voice=voice_report(state, rules),
        triggers=triggers(state, rules),
        limits=state.limits,
        pairing=_pairing_report(state),
        phones=_phones_seen(state, rules),
    )
    topic = wire.topic(rules.hub, "state")
    return Publish("state", Lane.LIVE, topic, wire.encode(message), retain=True)


def _pairing_report(state: HomeState) -> PairingReport | None:
    window = state.pairing
    if window is None or not window.open:
        return None
    until_utc = state.clock.utc(window.until)
    return PairingReport(until_utc, window.wanted or "", window.digits, window.name, window.ask)


def _phones_seen(state: HomeState, rules: Rules) -> tuple[PhoneSeen, ...]:
    """Return when phones were seen; a consent that was taken back holds at once."""
    seen = ((name, state.phones.get(name)) for name in rules.phones_told)
    return tuple(PhoneSeen(name, utc) for name, utc in seen if utc is not None)


def triggers(state: HomeState, rules: Rules) -> tuple[Trigger, ...]:
    """Return what the resident can call by, so that the centre knows whose fault is urgent."""
    buttons = [
        Trigger(device, button.call, button.place, button.normally_closed)
        for device, button in rules.buttons.items()
        if button.call
    ]
    told = state.watch.voice
    if rules.voice and rules.spoken_sos and (told is None or told.spoken_sos):
        buttons.append(Trigger(rules.voice, Kind.SPOKEN))
    return tuple(buttons[:TRIGGERS])


def _is_over(state: HomeState, fault: str) -> bool:
    flap = state.watch.flaps.get(fault)
    return flap is not None and flap.over_at is not None


def _keep_detail(state: HomeState, fault: str, detail: str | None, rules: Rules) -> HomeState:
    """Keep a changed detail until it may be told; None: it is again as it was told."""
    flap = state.watch.flaps.get(fault)
    if flap is None or flap.detail == detail:
        return state
    watch = _with_flap(state.watch, fault, replace(flap, detail=detail))
    return replace(state, watch=due_by(watch, told_again_at(state, fault, rules)))


def _count_told(state: HomeState, fault: str, at: float, rules: Rules) -> HomeState:
    flap = state.watch.flaps.get(fault)
    forgotten = flap is None or at >= flap.at + rules.watch.flap_forget_s
    told = 1 if flap is None or forgotten else flap.told + 1
    return replace(state, watch=_with_flap(state.watch, fault, Flap(told, at)))


def _hold_s(flap: Flap | None, rules: Rules) -> float:
    if flap is None or flap.told < HELD_FROM:
        return 0.0
    doublings = min(flap.told - HELD_FROM, MOST_DOUBLINGS)
    return min(rules.watch.flap_s * 2.0**doublings, rules.watch.flap_most_s)


def _with_flap(watch: WatchState, fault: str, flap: Flap) -> WatchState:
    return replace(watch, flaps={**watch.flaps, fault: flap})


def _interval_s(state: HomeState, rules: Rules) -> float:
    return rules.alarm_state_interval_s if state.alarms else rules.state_interval_s


def voice_report(state: HomeState, rules: Rules) -> VoiceReport:
    """Return what the voice can do, by its own report and by the faults that stand against it."""
    told = state.watch.voice
    if not rules.voice:
        return VoiceReport(VoiceCan.NOTHING)
    if _voice_has(state, FaultKind.DRIVER_FAILED, rules):
        return VoiceReport(VoiceCan.LOST)
    if told is None or not told.engines:
        return VoiceReport(VoiceCan.STARTING)
    muted = _voice_has(state, FaultKind.MUTED, rules)
    can = VoiceCan.SPEAKING
    if told.hears and not (muted or _voice_has(state, FaultKind.NO_MICROPHONE, rules)):
        can = VoiceCan.TALKING
    if _voice_has(state, FaultKind.NO_LOUDSPEAKER, rules):
        can = VoiceCan.HEARING if can is VoiceCan.TALKING else VoiceCan.LOST
    calls = rules.spoken_sos and told.spoken_sos
    return VoiceReport(can, told.engines, calls, muted, told.tells_words)


def _voice_has(state: HomeState, kind: FaultKind, rules: Rules) -> bool:
    return f"{rules.voice}:{kind}" in state.faults


def _told_faults(state: HomeState) -> tuple[str, ...]:
    return tuple(fault for fault in state.faults if fault not in state.watch.untold)


def _publish(state: HomeState, fault: str, rules: Rules, lane: Lane, key: str) -> Publish:
    standing = state.faults.get(fault)
    report = Cleared(fault) if standing is None else _fault_report(fault, standing)
    topic = wire.topic(rules.hub, "fault", fault)
    return Publish(key, lane, topic, wire.encode(report), retain=True)


def _fault_report(fault: str, standing: Fault) -> FaultReport:
    since_utc, synced = standing.since_utc, standing.synced
    return FaultReport(fault, standing.kind, standing.device, since_utc, synced, standing.detail)
