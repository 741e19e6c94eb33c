"""Delivery: each urgent event is sent again until the centre confirms that it has stored it.

An event that is not confirmed is sent again without end: 24 times after 5 s, 16 times after 30 s,
then every 10 minutes, and at once on every reconnect and at the centre's birth. It keeps one id, so
that the centre folds duplicates. The outbox holds the bytes.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from hub.contract import scaip, wire
from hub.contract.messages import (
    AlarmData,
    AlarmEvent,
    AnnouncementEvent,
    CareEvent,
    CheckInEvent,
    Happened,
)
from hub.contract.scaip import What
from hub.core.model.effects import Lane, Publish, Resend
from hub.core.model.rules import Rules
from hub.core.model.state import (
    Alarm,
    Cancelled,
    Delivery,
    HomeState,
    Raised,
    Received,
    Sent,
    Step,
    numbered,
)

CALLS = {What.RAISED, What.REPEATED}


def deliver(
    state: HomeState, alarm: Alarm, what: What, at: float, rules: Rules,
    happened_at: float | None = None,
) -> Step:  # fmt: skip
    """Deliver one more event of `alarm`, as of now or of `happened_at`."""
    state, _ = numbered(state)
    when = at if happened_at is None else happened_at
    told = replace(
        alarm,
        boot=state.boot,
        order=state.order,
        raised_at=when,
        raised_utc=state.clock.utc(when),
        synced=state.clock.synced,
    )
    return deliver_numbered(state, told, what, at, rules)


def deliver_numbered(state: HomeState, told: Alarm, what: What, at: float, rules: Rules) -> Step:
    """Deliver the event that `told` describes, under the number that it already has."""
    event = _alarm_event(told, what, rules)
    again_at = at if what is What.REPEATED else None
    return _add(
        state,
        Delivery(event.id, told.id, at + rules.quick_resend_s, again_at=again_at),
        event,
        rules,
    )


def deliver_event(
    state: HomeState, event: CheckInEvent | CareEvent | AnnouncementEvent, at: float, rules: Rules
) -> Step:
    """Deliver an event that belongs to no alarm."""
    return _add(state, Delivery(event.id, "", at + rules.quick_resend_s), event, rules)


def confirmed(state: HomeState, event: str) -> HomeState:
    """Return the state without the delivery of `event`, which the centre has stored."""
    return replace(state, owed=tuple(o for o in state.owed if o.id != event))


def resend_all(state: HomeState, at: float, rules: Rules) -> Step:
    """Send everything that is not confirmed again, now: the link or the centre is back."""
    due = at + rules.quick_resend_s
    owed = tuple(replace(o, due_at=due) for o in state.owed)
    return replace(state, owed=owed), [Resend(o.id) for o in owed]


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Send again what is due; without a link nothing is due, and the reconnect sends it."""
    if not state.owed or not state.link.up or all(o.due_at > at for o in state.owed):
        return state, []
    owed = tuple(_next_try(o, at, rules) if o.due_at <= at else o for o in state.owed)
    return replace(state, owed=owed), [Resend(o.id) for o in state.owed if o.due_at <= at]


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return the next resend in monotonic seconds, if there is a link to send it over."""
    return min(o.due_at for o in state.owed) if state.owed and state.link.up else None


def recovered(
    owed: tuple[Delivery, ...], unsent: Iterable[str], at: float, long_ago: float
) -> tuple[Delivery, ...]:
    """Return a new process's deliveries: all are due, with what the outbox holds `unsent`."""
    known = {delivery.id: delivery for delivery in owed}
    found = [known.get(i, Delivery(i, "", at)) for i in dict.fromkeys([*known, *unsent])]
    return tuple(
        replace(one, due_at=at, again_at=None if one.again_at is None else long_ago)
        for one in found
    )


def reconciled(state: HomeState, held: Collection[str], settled: Collection[str]) -> HomeState:
    """Remove from a snapshot the deliveries that were `settled` since, or that the outbox has lost.

    Without its bytes, which are `held`, an event can be neither sent nor confirmed, and would keep
    its alarm from being closed for ever. A lost call is told anew, as of the device that called
    last. The event that raised an alarm is kept: the centre asks for it (`Stage.UNKNOWN`).
    """
    lost = [o for o in state.owed if o.alarm != o.id and o.id not in {*held, *settled}]
    gone = {*settled, *(o.id for o in lost)}
    again = {o.alarm: o.again_at for o in lost if o.again_at is not None}
    alarms = tuple(_call_waiting(_received(a, settled), again.get(a.id)) for a in state.alarms)
    return replace(state, owed=tuple(o for o in state.owed if o.id not in gone), alarms=alarms)


def _received(alarm: Alarm, settled: Collection[str]) -> Alarm:
    heard = alarm.id in settled and isinstance(alarm.life, Raised | Sent)
    return replace(alarm, life=Received()) if heard else alarm


def _call_waiting(alarm: Alarm, again_at: float | None) -> Alarm:
    """Return the alarm with its last call to be told again, unless it was taken back since."""
    if again_at is None or not alarm.calls or isinstance(alarm.life, Cancelled):
        return alarm
    *others, last = alarm.calls
    return replace(alarm, calls=(*others, replace(last, again_at=again_at)))


def _add(state: HomeState, owed: Delivery, event: Happened, rules: Rules) -> Step:
    publish = Publish(event.id, Lane.SOS, wire.topic(rules.hub, "event"), wire.encode(event))
    return replace(state, owed=(*state.owed, owed)), [publish]


def _alarm_event(told: Alarm, what: What, rules: Rules) -> AlarmEvent:
    event = f"{told.boot}-{told.order}"
    low = told.vital is not None and not told.vital.above
    return AlarmEvent(
        id=event,
        source=wire.source(rules.hub),
        type=f"anbu.alarm.{what}",
        time=wire.timestamp(told.raised_utc),
        data=AlarmData(
            alarm=told.id,
            kind=told.kind,
            what=what,
            device=told.device,
            place=told.place,
            boot=told.boot,
            order=told.order,
            at=told.raised_at,
            synced=told.synced,
            scaip=scaip.of_alarm(told.kind, what, told.place, event, low=low),
            evidence=told.evidence,
            words=told.words if what in CALLS else "",
            about=told.about if what in CALLS else "",
            vital=told.vital,
        ),
    )


def _next_try(owed: Delivery, at: float, rules: Rules) -> Delivery:
    tries = owed.tries + 1
    if tries < rules.quick_resends:
        wait_s = rules.quick_resend_s
    elif tries < rules.quick_resends + rules.resends:
        wait_s = rules.resend_s
    else:
        wait_s = rules.slow_resend_s
    return replace(owed, tries=tries, due_at=at + wait_s)
