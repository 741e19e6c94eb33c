"""The life of an alarm.

    Raised --PUBACK--> Sent --the centre stored it--> Received --a person took it--> Accepted
      '--the resident, in time--> Cancelled               '--someone is on site--> Present

Only `closed` from the centre removes an alarm. Each thing that happens to an alarm is an event of
its own, which `delivery` sends until the centre confirms it. There is one limit, for a wobbling
cord: once the centre has stored the alarm, a device's further calls are told at most every
`repeat_s`. The last call is always told, and a new topic of a spoken call is told at once.
"""

import math
from collections.abc import Container

from msgspec.structs import replace

from hub.contract.messages import Evidence, FaultKind, Stage, VitalEvidence
from hub.contract.scaip import AUTOMATIC, BY_HAND, DETECTED, HAZARDS, Kind, What, priority
from hub.contract.voice import Phrase
from hub.core.alarm.delivery import confirmed, deliver, deliver_numbered, resend_all
from hub.core.model.effects import Effect, Forget, Say, Signal
from hub.core.model.events import CenterAcked
from hub.core.model.rules import Rules
from hub.core.model.state import (
    Accepted,
    Alarm,
    Called,
    Cancelled,
    Farewell,
    HomeState,
    Life,
    Present,
    Raised,
    Received,
    Said,
    Sent,
    Step,
    numbered,
    without_visitor,
)
from hub.core.supervision import faults

STORED = Received | Accepted | Present
BY_DEVICE = BY_HAND | DETECTED  # told again at most every `repeat_s` for each device
ON_SITE = "on site"


def call(
    state: HomeState, kind: Kind, device: str, at: float, rules: Rules,
    ground: Evidence | VitalEvidence | Said | None = None,
) -> Step:  # fmt: skip
    """Raise an alarm, or tell the centre that an open one was called again; each call is one event.

    A press is never told as part of an automatic alarm, nor an urgent call as part of an alarm that
    can wait: the operator would take it for less than it is. For the same reason what a detector
    finds is told as part of an alarm of its own kind only. Only where `untold_calls` of one alarm
    still wait for the centre, a further call of the same device waits, too. `ground` is the
    evidence of an automatic alarm, a reading, or what was said in a spoken call.
    """
    evidence = ground if isinstance(ground, Evidence) else None
    vital = ground if isinstance(ground, VitalEvidence) else None
    said = ground if isinstance(ground, Said) else Said()
    state = without_visitor(state, at)
    source = rules.buttons.get(device) or rules.sensors.get(device)
    place = source.place if source else ""
    for alarm in state.alarms:
        if _is_one_call(alarm, kind):
            again = replace(alarm, kind=kind, device=device, place=place, evidence=evidence)
            again = replace(again, words=said.words, about=said.about, vital=vital)
            return _call_again(state, alarm, again, at, rules)
    state, ident = numbered(state)
    alarm = Alarm(
        id=ident, kind=kind, device=device, place=place, boot=state.boot, order=state.order,
        raised_at=at, raised_utc=state.clock.utc(at),
        synced=state.clock.synced, life=Raised(), evidence=evidence, words=said.words,
        about=said.about, vital=vital,
    )  # fmt: skip
    return deliver_numbered(
        replace(state, alarms=(*state.alarms, alarm)), alarm, What.RAISED, at, rules
    )


def cancel(state: HomeState, at: float, rules: Rules) -> Step:
    """Take the newest alarm back within the window; later, ask the centre to agree.

    A test call, which the centre makes, is taken back only when there is no other alarm. Smoke or
    gas is not taken back by anybody in the house: the centre is asked.
    """
    calling = [a for a in reversed(state.alarms) if not isinstance(a.life, Cancelled)]
    if not calling:
        return state, []
    alarm = min(calling, key=lambda a: a.kind is Kind.TEST)
    state, before = _tell_waiting(state, alarm, at, rules)  # these calls came before the cancel
    alarm = next(a for a in state.alarms if a.id == alarm.id)
    in_time = at - alarm.raised_at <= rules.cancel_window_s and alarm.kind not in HAZARDS
    if in_time and isinstance(alarm.life, Raised | Sent | Received):
        state = _put(state, replace(alarm, life=Cancelled()))
        state = replace(state, farewell=Farewell(Signal.CANCELLED, at + rules.farewell_s))
        state, effects = deliver(state, alarm, What.CANCELLED, at, rules)
        return state, before + effects
    asked: list[Effect] = [Say(Phrase.CANCEL_ASKED)]
    if alarm.cancel_asked:
        return state, before + asked
    state = _put(state, replace(alarm, cancel_asked=True))
    state, effects = deliver(state, alarm, What.CANCEL_ASKED, at, rules)
    return state, before + effects + asked


def arrive(state: HomeState, at: float, rules: Rules) -> Step:
    """Mark as present, by a button on site, every alarm for which the centre has sent somebody.

    That somebody took a call is not enough: the resident can hold the green button, too. A centre
    of an older release never reports that it sent somebody; then the button marks nobody as
    present.
    """
    effects: list[Effect] = []
    for known in state.alarms:
        if known.sent and isinstance(known.life, Received | Accepted):
            state, before = _tell_waiting(state, known, at, rules)
            alarm = next(a for a in state.alarms if a.id == known.id)
            state = _put(state, replace(alarm, life=Present(ON_SITE)))
            state, more = deliver(state, alarm, What.PRESENT, at, rules)
            effects += before + more
    return state, effects


def clear(state: HomeState, kinds: frozenset[Kind], at: float, rules: Rules) -> Step:
    """Report that the reason of each open alarm of `kinds` is gone; the centre then closes it."""
    effects: list[Effect] = []
    for alarm in state.alarms:
        if alarm.kind in kinds and not alarm.cleared:
            state = _put(state, replace(alarm, cleared=True))
            state, more = deliver(state, alarm, What.CLEARED, at, rules)
            effects += more
    return state, effects


def broker_acked(state: HomeState, event: str) -> HomeState:
    """Note that a broker has the alarm, and no more than that."""
    for alarm in state.alarms:
        if alarm.id == event and isinstance(alarm.life, Raised):
            return _put(state, replace(alarm, life=Sent()))
    return state


def center_acked(state: HomeState, ack: CenterAcked, rules: Rules) -> Step:
    """Drop the delivery of `ack.id`, and follow the centre's view of the alarm."""
    effects: list[Effect] = []
    if ack.id and ack.stage is not Stage.UNKNOWN:
        effects.append(Forget(ack.id))
        state = confirmed(state, ack.id)
    alarm = next((a for a in state.alarms if a.id == ack.alarm), None)
    if alarm is None:
        return state, effects
    if ack.stage is Stage.UNKNOWN:
        return _raise_anew(state, alarm, ack.at, rules)
    if ack.version < alarm.version:
        return state, effects
    if ack.stage is Stage.CLOSED:
        state, more = _tell_waiting(state, alarm, ack.at, rules)
        effects += more
        if not _is_untold(state, alarm):
            return _close(state, alarm, ack.at, rules), effects
        alarm = next(a for a in state.alarms if a.id == alarm.id)
    life = _follow(alarm.life, ack)
    followed = replace(alarm, life=life, version=ack.version, sent=ack.sent)
    return (state if followed == alarm else _put(state, followed)), effects


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Report the calls that had to wait and are due."""
    effects: list[Effect] = []
    for alarm in state.alarms:
        due = {c.device for c in alarm.calls if _tell_at(state, alarm, c, rules) <= at}
        if due:
            state, more = _tell_waiting(state, alarm, at, rules, due)
            effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the next waiting call is to be told."""
    if not state.alarms:
        return None
    waits = (_tell_at(state, a, c, rules) for a in state.alarms for c in a.calls)
    at = min(waits, default=math.inf)
    return None if at == math.inf else at


def recovered(alarm: Alarm, at: float, long_ago: float) -> Alarm:
    """Return an alarm as a new process holds it: a call that waited is due."""
    calls = tuple(
        replace(c, told_at=long_ago, again_at=None if c.again_at is None else at)
        for c in alarm.calls
    )
    return replace(alarm, raised_at=long_ago, calls=calls)


def is_news(alarm: Alarm, about: str) -> bool:
    """Whether the centre was not told yet that the alarm is about this."""
    return about not in {"", alarm.about, *alarm.abouts}


def _is_one_call(alarm: Alarm, kind: Kind) -> bool:
    """Whether a call of `kind` counts as one more call of this alarm, for whoever handles it."""
    if isinstance(alarm.life, Cancelled) or Kind.TEST in {kind, alarm.kind}:
        return False
    if not alarm.kind.is_known:  # from a newer program's snapshot
        return False
    if DETECTED & {kind, alarm.kind}:
        return kind is alarm.kind
    if alarm.kind not in AUTOMATIC:
        return True
    return kind in AUTOMATIC and priority(alarm.kind) <= priority(kind)


def _call_again(state: HomeState, alarm: Alarm, again: Alarm, at: float, rules: Rules) -> Step:
    """Report one more call of the open alarm, or keep it until it may be reported."""
    unsaid = alarm.cancel_asked or alarm.cleared  # called again: the cancel does not count
    if unsaid:
        alarm = replace(alarm, cancel_asked=False, cleared=False)
        again = replace(again, cancel_asked=False, cleared=False)
        state = _put(state, alarm)
    by = next((c for c in alarm.calls if c.device == again.device), None)
    full = _is_full(state, alarm, rules)
    new = unsaid or again.kind not in BY_DEVICE or is_news(alarm, again.about)
    if by is None or new or (not full and at >= _retold_at(state, alarm, by, rules)):
        state = _put(state, _with_call(alarm, again, at))
        return deliver(state, again, What.REPEATED, at, rules)
    newer = full and by.again_at is not None and at >= by.again_at + _pause_s(state, by, rules)
    if by.again_at is None or newer or (again.about and not by.about):
        waits = replace(by, again_at=at, words=again.words, about=again.about)
        calls = tuple(waits if c is by else c for c in alarm.calls)
        state = _put(state, replace(alarm, calls=calls))
    return state, []


def _with_call(alarm: Alarm, again: Alarm, at: float) -> Alarm:
    """Return the alarm with one more call by hand, voice or a detector noted as told."""
    if again.kind not in BY_DEVICE:
        return alarm
    abouts = (*alarm.abouts, again.about) if is_news(alarm, again.about) else alarm.abouts
    others = (c for c in alarm.calls if c.device != again.device)
    return replace(alarm, calls=(*others, Called(again.kind, again.device, at)), abouts=abouts)


def _tell_waiting(
    state: HomeState, alarm: Alarm, at: float, rules: Rules, due: Container[str] | None = None
) -> Step:
    """Report the waiting calls of `alarm`: all of them, or those of the devices that are `due`."""
    effects: list[Effect] = []
    for call in alarm.calls:
        if call.again_at is None or not (due is None or call.device in due):
            continue
        source = rules.buttons.get(call.device) or rules.sensors.get(call.device)
        place = source.place if source else ""
        again = replace(
            alarm, kind=call.kind, device=call.device, place=place, evidence=None, vital=None
        )
        again = replace(again, words=call.words, about=call.about)
        alarm = _with_call(alarm, again, at)
        state, more = deliver(_put(state, alarm), again, What.REPEATED, at, rules, call.again_at)
        effects += more
    return state, effects


def _tell_at(state: HomeState, alarm: Alarm, call: Called, rules: Rules) -> float:
    if call.again_at is None or _is_full(state, alarm, rules):
        return math.inf
    return call.told_at + _pause_s(state, call, rules)


def _retold_at(state: HomeState, alarm: Alarm, by: Called, rules: Rules) -> float:
    """Return when a device may be told again; at once until the centre has stored the alarm."""
    stored = isinstance(alarm.life, STORED)
    return by.told_at + _pause_s(state, by, rules) if stored else -math.inf


def _pause_s(state: HomeState, call: Called, rules: Rules) -> float:
    """Return how long a device is not told again; longer for a voice and for a wobbling cord."""
    if call.kind is Kind.SPOKEN or faults.stands(state, call.device, FaultKind.CHATTER):
        return rules.repeat_doubtful_s
    return rules.repeat_s


def _is_full(state: HomeState, alarm: Alarm, rules: Rules) -> bool:
    """Whether so many events of the alarm wait for the centre that a further press can wait."""
    return sum(o.alarm == alarm.id for o in state.owed) >= rules.untold_calls


def _follow(life: Life, ack: CenterAcked) -> Life:
    match ack.stage:
        case Stage.RECEIVED if not isinstance(life, Cancelled):
            return Received()
        case Stage.ACCEPTED:
            return Accepted(ack.who)
        case Stage.PRESENT:
            return Present(ack.who)
        case stage if not stage.is_known and isinstance(life, Raised | Sent):
            return Received()  # a stage of a newer centre: it has the alarm
        case _:
            return life


def _close(state: HomeState, alarm: Alarm, at: float, rules: Rules) -> HomeState:
    state = replace(state, alarms=tuple(a for a in state.alarms if a.id != alarm.id))
    if isinstance(alarm.life, Cancelled):  # the resident was told when it was cancelled
        return state
    return replace(state, farewell=Farewell(Signal.CLOSED, at + rules.farewell_s))


def _raise_anew(state: HomeState, alarm: Alarm, at: float, rules: Rules) -> Step:
    """Raise an alarm that the centre does not know (a restored backup) again, under its own id.

    The bytes are made anew: the outbox may have dropped them, or lost them with a damaged page.
    """
    life = alarm.life if isinstance(alarm.life, Cancelled) else Raised()
    alarm = replace(alarm, life=life, version=0, cancel_asked=False, sent=False, abouts=())
    state, resent = resend_all(confirmed(_put(state, alarm), alarm.id), at, rules)
    untold = isinstance(life, Cancelled) and not _is_untold(state, alarm)
    state, effects = deliver_numbered(state, alarm, What.RAISED, at, rules)
    if untold:
        state, resent = deliver(state, alarm, What.CANCELLED, at, rules)
    return state, effects + resent


def _is_untold(state: HomeState, alarm: Alarm) -> bool:
    """Whether the centre has not heard yet all that happened to the alarm after it was raised.

    It may have closed the alarm without knowing of a later call; it closes it again once it knows.
    """
    return any(o.alarm == alarm.id != o.id for o in state.owed)


def _put(state: HomeState, alarm: Alarm) -> HomeState:
    return replace(state, alarms=tuple(alarm if a.id == alarm.id else a for a in state.alarms))
