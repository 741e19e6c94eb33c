"""Link and driver health: faults that last are retained at the broker until they are over.

A fault's id is `<device>:<kind>`, without a dot, which NATS does not take in a topic; the hub's own
device is `hub`.
"""

from msgspec.structs import replace

from hub.core import scaip, wire
from hub.core.effects import Effect, Lane, Publish
from hub.core.payloads import (
    AlarmBrief,
    Availability,
    Cleared,
    FaultKind,
    FaultReport,
    HubState,
    ReportData,
    ReportEvent,
)
from hub.core.rules import Rules
from hub.core.scaip import Report
from hub.core.state import STAGE, Fault, HomeState, Link

Step = tuple[HomeState, list[Effect]]

HUB = "hub"
BRIEFS = 100  # of the oldest alarms; with more the message could outgrow `wire.MAX_BYTES`


def fail(
    state: HomeState, kind: FaultKind, device: str, at: float, rules: Rules, detail: str = ""
) -> Step:
    """Raise a fault; one that stands already is left as it is, unless its detail changed."""
    fault = f"{device}:{kind}"
    standing = state.faults.get(fault)
    if standing and standing.detail == detail:
        return state, []
    since_utc = standing.since_utc if standing else at + state.clock.offset_s
    new = Fault(kind, device, since_utc, state.clock.synced, detail)
    state = replace(state, faults={**state.faults, fault: new}, order=state.order + 1)
    return state, [_publish(state, fault, rules, Lane.FAULT)]


def mend(state: HomeState, kind: FaultKind, device: str, rules: Rules) -> Step:
    """End a fault, if it stands."""
    fault = f"{device}:{kind}"
    if fault not in state.faults:
        return state, []
    faults = {k: v for k, v in state.faults.items() if k != fault}
    state = replace(state, faults=faults, order=state.order + 1)
    return state, [_publish(state, fault, rules, Lane.FAULT)]


def link_up(state: HomeState, at: float, rules: Rules) -> Step:
    """Say that the hub is there and what is wrong with it; report an outage worth knowing."""
    effects: list[Effect] = []
    if not state.link.up and state.link.since + rules.offline_s <= at:
        state, effects = _report(state, Report.LINK_BACK, at - state.link.since, at, rules)
    state, told = announce(replace(state, link=Link(up=True, since=at)), at, rules)
    faults = [_publish(state, fault, rules, Lane.LIVE) for fault in state.faults]
    return state, [*told, *faults, *effects]


def link_down(state: HomeState, at: float) -> HomeState:
    """Note since when there is no broker; a failed retry does not move that time."""
    return replace(state, link=Link(up=False, since=at)) if state.link.up else state


def announce(state: HomeState, at: float, rules: Rules) -> Step:
    """Publish the hub's state; the centre puts right what it says of the alarms."""
    state = replace(state, told_at=at)
    return state, [state_message(state, Availability.READY, at, rules)]


def state_message(state: HomeState, availability: Availability, at: float, rules: Rules) -> Publish:
    """Give the hub's word on itself; with `lost` it is the last will."""
    message = HubState(
        state=availability,
        utc=at + state.clock.offset_s,
        synced=state.clock.synced,
        boot=state.boot,
        software=rules.software,
        interval_s=_interval_s(state, rules),
        alarms=tuple(
            AlarmBrief(a.id, STAGE[type(a.life)], a.version) for a in state.alarms[:BRIEFS]
        ),
        faults=tuple(state.faults),
    )
    topic = wire.topic(rules.hub, "state")
    return Publish("state", Lane.LIVE, topic, wire.encode(message), retain=True)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Renew the state message when it is due."""
    due = next_wake(state, rules)
    return announce(state, at, rules) if due is not None and due <= at else (state, [])


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Give the next renewal of the state message, while there is a link."""
    return state.told_at + _interval_s(state, rules) if state.link.up else None


def _interval_s(state: HomeState, rules: Rules) -> float:
    return rules.alarm_state_interval_s if state.alarms else rules.state_interval_s


def _publish(state: HomeState, fault: str, rules: Rules, lane: Lane) -> Publish:
    standing = state.faults.get(fault)
    report = Cleared(fault) if standing is None else _fault_report(fault, standing)
    key = f"{state.boot}-{state.order}" if lane is Lane.FAULT else f"fault/{fault}"
    topic = wire.topic(rules.hub, "fault", fault)
    return Publish(key, lane, topic, wire.encode(report), retain=True)


def _fault_report(fault: str, standing: Fault) -> FaultReport:
    since_utc, synced = standing.since_utc, standing.synced
    return FaultReport(fault, standing.kind, standing.device, since_utc, synced, standing.detail)


def _report(state: HomeState, report: Report, value: float, at: float, rules: Rules) -> Step:
    state = replace(state, order=state.order + 1)
    event = f"{state.boot}-{state.order}"
    message = ReportEvent(
        id=event,
        source=wire.source(rules.hub),
        type=f"anbu.report.{report}",
        time=wire.timestamp(at + state.clock.offset_s),
        data=ReportData(
            report, round(value, 1), state.clock.synced, scaip.of_report(report, event)
        ),
    )
    topic = wire.topic(rules.hub, "event")
    return state, [Publish(event, Lane.FAULT, topic, wire.encode(message))]
