"""The life of an alarm.

    Raised --PUBACK--> Sent --the centre stored it--> Received --a person took it--> Accepted
      '--the resident, in time--> Cancelled               '--someone is on site--> Present

Only `closed` from the centre removes an alarm. Each thing that happens to one is an event of its
own, owed to the centre (`debt`).
"""

from msgspec.structs import replace

from hub.core import presence
from hub.core.debt import owe, resend_all, settle, tell
from hub.core.devices import CALLS
from hub.core.effects import Effect, Forget, Phrase, Say, Signal
from hub.core.events import CenterAcked
from hub.core.notice import Said
from hub.core.payloads import Evidence, Stage
from hub.core.rules import Rules
from hub.core.scaip import Kind, What, priority
from hub.core.state import (
    Accepted,
    Alarm,
    Cancelled,
    Farewell,
    HomeState,
    Life,
    Present,
    Raised,
    Received,
    Sent,
)

Step = tuple[HomeState, list[Effect]]

KIND = CALLS
ON_SITE = "on site"
AUTOMATIC = frozenset(Kind) - {*KIND.values(), Kind.SPOKEN, Kind.TEST}


def call(
    state: HomeState, kind: Kind, device: str, at: float, rules: Rules,
    ground: Evidence | Said | None = None,
) -> Step:  # fmt: skip
    """Raise an alarm, or tell the open one that it was called again: each call is one event.

    A press is never told as part of an automatic alarm, nor an urgent one as part of one that can
    wait: the centre may have taken that already, and would not ring again. Only where
    `untold_calls` of one alarm still wait for the centre, a further one adds nothing. The `ground`
    is the evidence of an automatic alarm, or what was said of a spoken one.
    """
    evidence = ground if isinstance(ground, Evidence) else None
    said = ground if isinstance(ground, Said) else Said()
    state = presence.alone(state, at)
    source = rules.buttons.get(device) or rules.sensors.get(device)
    place = source.place if source else ""
    for alarm in state.alarms:
        if _takes_in(alarm, kind):
            state = _put(state, replace(alarm, cancel_asked=False, cleared=False))
            if sum(o.alarm == alarm.id for o in state.owed) >= rules.untold_calls:
                return state, []
            again = replace(alarm, kind=kind, device=device, place=place, evidence=evidence)
            again = replace(again, words=said.words, about=said.about)
            return tell(state, again, What.REPEATED, at, rules)
    order = state.order + 1
    alarm = Alarm(
        id=f"{state.boot}-{order}", kind=kind, device=device, place=place, boot=state.boot,
        order=order, raised_at=at, raised_utc=at + state.clock.offset_s,
        synced=state.clock.synced, life=Raised(), evidence=evidence, words=said.words,
        about=said.about,
    )  # fmt: skip
    return tell(replace(state, alarms=(*state.alarms, alarm)), alarm, What.RAISED, at, rules)


def _takes_in(alarm: Alarm, kind: Kind) -> bool:
    """Tell whether a call of `kind` is one more of this alarm, for whoever has it."""
    if isinstance(alarm.life, Cancelled) or Kind.TEST in {kind, alarm.kind}:
        return False
    if alarm.kind not in AUTOMATIC:
        return True
    return kind in AUTOMATIC and priority(alarm.kind) <= priority(kind)


def clear(state: HomeState, kinds: frozenset[Kind], at: float, rules: Rules) -> Step:
    """Tell of each open alarm of `kinds` that it has no ground any more; the centre closes it."""
    effects: list[Effect] = []
    for alarm in state.alarms:
        if alarm.kind in kinds and not alarm.cleared:
            state = _put(state, replace(alarm, cleared=True))
            state, more = tell(state, alarm, What.CLEARED, at, rules)
            effects += more
    return state, effects


def cancel(state: HomeState, at: float, rules: Rules) -> Step:
    """Take the newest alarm back within the window; later, ask the centre to agree.

    A test call, which the centre makes, is taken back only when there is no other.
    """
    calling = [a for a in reversed(state.alarms) if not isinstance(a.life, Cancelled)]
    if not calling:
        return state, []
    alarm = min(calling, key=lambda a: a.kind is Kind.TEST)
    in_time = at - alarm.raised_at <= rules.cancel_window_s
    if in_time and isinstance(alarm.life, Raised | Sent | Received):
        state = _put(state, replace(alarm, life=Cancelled()))
        state = replace(state, farewell=Farewell(Signal.CANCELLED, at + rules.farewell_s))
        return tell(state, alarm, What.CANCELLED, at, rules)
    asked: list[Effect] = [Say(Phrase.CANCEL_ASKED)]
    if alarm.cancel_asked:
        return state, asked
    state = _put(state, replace(alarm, cancel_asked=True))
    state, effects = tell(state, alarm, What.CANCEL_ASKED, at, rules)
    return state, effects + asked


def arrive(state: HomeState, at: float, rules: Rules) -> Step:
    """Let the responder on site say so, of every alarm that somebody took."""
    effects: list[Effect] = []
    for alarm in state.alarms:
        if isinstance(alarm.life, Accepted):
            state = _put(state, replace(alarm, life=Present(ON_SITE)))
            state, more = tell(state, alarm, What.PRESENT, at, rules)
            effects += more
    return state, effects


def broker_acked(state: HomeState, event: str) -> HomeState:
    """Note that a broker has the alarm: no more than that."""
    for alarm in state.alarms:
        if alarm.id == event and isinstance(alarm.life, Raised):
            return _put(state, replace(alarm, life=Sent()))
    return state


def center_acked(state: HomeState, ack: CenterAcked, rules: Rules) -> Step:
    """Settle the debt for `ack.id`, and follow the centre's view of the alarm."""
    effects: list[Effect] = []
    if ack.id and ack.stage is not Stage.UNKNOWN:
        effects.append(Forget(ack.id))
        state = settle(state, ack.id)
    alarm = next((a for a in state.alarms if a.id == ack.alarm), None)
    if alarm is None:
        return state, effects
    if ack.stage is Stage.UNKNOWN:
        return _again(state, alarm, ack.at, rules)
    if ack.version < alarm.version:
        return state, effects
    if ack.stage is Stage.CLOSED and not _unheard(state, alarm):
        return _end(state, alarm, ack.at, rules), effects
    life = _follow(alarm.life, ack)
    return _put(state, replace(alarm, life=life, version=ack.version)), effects


def _follow(life: Life, ack: CenterAcked) -> Life:
    match ack.stage:
        case Stage.RECEIVED if not isinstance(life, Cancelled):
            return Received()
        case Stage.ACCEPTED:
            return Accepted(ack.who)
        case Stage.PRESENT:
            return Present(ack.who)
        case _:
            return life


def _end(state: HomeState, alarm: Alarm, at: float, rules: Rules) -> HomeState:
    state = replace(state, alarms=tuple(a for a in state.alarms if a.id != alarm.id))
    if isinstance(alarm.life, Cancelled):  # the resident was told so long ago
        return state
    return replace(state, farewell=Farewell(Signal.CLOSED, at + rules.farewell_s))


def _again(state: HomeState, alarm: Alarm, at: float, rules: Rules) -> Step:
    """The centre has no such alarm (a restored backup): raise it again under its own id.

    The bytes are made anew: the outbox may have let them go, or lost them with a damaged page.
    """
    life = alarm.life if isinstance(alarm.life, Cancelled) else Raised()
    alarm = replace(alarm, life=life, version=0, cancel_asked=False)
    state, resent = resend_all(settle(_put(state, alarm), alarm.id), at, rules)
    untold = isinstance(life, Cancelled) and not _unheard(state, alarm)
    state, effects = owe(state, alarm, What.RAISED, at, rules)
    if untold:
        state, resent = tell(state, alarm, What.CANCELLED, at, rules)
    return state, effects + resent


def _unheard(state: HomeState, alarm: Alarm) -> bool:
    """Tell whether the centre has yet to hear what happened to the alarm after it was raised.

    It may have closed the alarm without knowing of a later call; it says so again once it does.
    """
    return any(o.alarm == alarm.id != o.id for o in state.owed)


def _put(state: HomeState, alarm: Alarm) -> HomeState:
    return replace(state, alarms=tuple(alarm if a.id == alarm.id else a for a in state.alarms))
