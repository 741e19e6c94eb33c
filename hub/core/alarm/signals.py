"""What the resident sees and hears: one signal at a time, derived from the state.

The lamp's table over `Signal` is in `drivers/lamp.py`; the words are in the message files.
"""

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.provision import UNREGISTERED
from hub.contract.scaip import HAZARDS
from hub.contract.voice import Phrase
from hub.core.model.checkin import asking
from hub.core.model.effects import Effect, Say, Show, Signal
from hub.core.model.rules import Rules
from hub.core.model.state import (
    Accepted,
    Alarm,
    Cancelled,
    Fault,
    HomeState,
    Life,
    Present,
    Raised,
    Received,
    Sent,
    Step,
)
from hub.core.supervision import faults, snapshot

RESTING, FAULT = Signal.RESTING, Signal.FAULT  # slow to look up in Python 3.11
BY_A_PERSON = {Signal.ACCEPTED, Signal.PRESENT}
# the centre sees to these, and every way to call for help works
UNSEEN = frozenset({FaultKind.MUTE_LINK, FaultKind.STALE_BOND, FaultKind.NO_BACKUP})
# the least advanced alarm decides what is shown, so that no alarm hides another
URGENCY = (Signal.RAISED, Signal.RECEIVED, Signal.ACCEPTED, Signal.PRESENT)

SIGNAL: dict[type[Life], Signal] = {
    Raised: Signal.RAISED,
    Sent: Signal.RAISED,
    Received: Signal.RECEIVED,
    Accepted: Signal.ACCEPTED,
    Present: Signal.PRESENT,
}

PHRASE: dict[Signal, Phrase] = {
    Signal.UNCLAIMED: Phrase.UNCLAIMED,
    Signal.RAISED: Phrase.RAISED,
    Signal.UNDELIVERED: Phrase.UNDELIVERED,
    Signal.RECEIVED: Phrase.RECEIVED,
    Signal.ACCEPTED: Phrase.ACCEPTED,
    Signal.PRESENT: Phrase.PRESENT,
    Signal.CLOSED: Phrase.CLOSED,
    Signal.CANCELLED: Phrase.CANCELLED,
}
OUTSIDE: dict[Signal, Phrase] = {  # while there is smoke or gas nobody is told to wait inside
    Signal.UNDELIVERED: Phrase.UNDELIVERED_OUTSIDE,
    Signal.RECEIVED: Phrase.RECEIVED_OUTSIDE,
}


def express(state: HomeState, at: float, rules: Rules) -> Step:
    """Show and say what has changed, and repeat what the resident cannot be expected to remember.

    An event may come late by its own time; what was shown and said is not taken back for it.
    """
    at = max(at, state.said_at)
    signal = signal_of(state, at, rules)
    if signal is state.shown is RESTING:
        return state, []  # the usual case
    phrase = _phrase(state, signal)
    if signal is not state.shown:
        state = replace(state, shown=signal, said_at=at)
        effects: list[Effect] = [Show(signal)]
        return state, effects + ([Say(phrase)] if phrase else [])
    repeat_s = _repeat_s(signal, rules)
    if phrase is None or repeat_s is None or state.said_at + repeat_s > at:
        return state, []
    return replace(state, said_at=at), [Say(phrase)]


def say_again(state: HomeState, at: float, rules: Rules) -> Step:
    """Answer a press that changes nothing by speaking the present signal, at most every 3 s."""
    shown = state.shown
    phrase = _phrase(state, shown) if shown and shown is signal_of(state, at, rules) else None
    if phrase is None or at < state.said_at + 3.0:
        return state, []
    return replace(state, said_at=at), [Say(phrase)]


def signal_of(state: HomeState, at: float, rules: Rules) -> Signal:
    """Return the one signal that is true at `at`."""
    if not rules.hub:
        return Signal.UNCLAIMED
    if state.alarms:
        calling = [_signal_of_alarm(state, a.life, at, rules) for a in _open_alarms(state)]
        if any(due <= at for due in _undelivered(state, rules)):
            return Signal.UNDELIVERED
        if calling:
            return min(calling, key=URGENCY.index)
    if state.warning is not None or state.candidate is not None:
        return Signal.WARNING
    if state.farewell and at < state.farewell.until:
        return state.farewell.signal
    if asking(state.care):
        return Signal.ASKING
    return _signal_at_rest(state, at, rules)


def _signal_at_rest(state: HomeState, at: float, rules: Rules) -> Signal:
    """Return what is shown while nobody calls and nothing is asked."""
    if state.pairing is not None and state.pairing.open:
        return Signal.PAIRING
    if not state.link.up and state.link.since + rules.offline_s <= at:
        return Signal.OFFLINE
    if state.test_until is not None and at < state.test_until:
        return Signal.TEST_MODE
    return FAULT if any(_shows(*fault) for fault in state.faults.items()) else RESTING


def _shows(ident: str, fault: Fault) -> bool:
    """Whether a fault colours the lamp; it may stand for weeks, and the lamp is seen at night."""
    return ident != snapshot.FAULT and fault.kind not in UNSEEN


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return the next time at which `express` may have something to say."""
    if state.shown is RESTING and state.link.up and not state.alarms:
        return None  # the usual case
    times = _undelivered(state, rules) if state.shown is not Signal.UNDELIVERED else []
    if state.farewell and state.shown is state.farewell.signal:
        times.append(state.farewell.until)
    if not state.link.up and state.shown in {Signal.RESTING, Signal.FAULT, Signal.TEST_MODE}:
        times.append(state.link.since + rules.offline_s)
    if not state.link.up and state.shown in BY_A_PERSON:
        times.append(state.link.since + rules.stage_lasts_s)
    repeat_s = _repeat_s(state.shown, rules)
    if repeat_s is not None:
        times.append(state.said_at + repeat_s)
    return min(times, default=None)


def _phrase(state: HomeState, signal: Signal) -> Phrase | None:
    if signal in OUTSIDE and any(a.kind in HAZARDS and not a.cleared for a in state.alarms):
        return OUTSIDE[signal]
    if signal is Signal.UNDELIVERED and not state.link.up:
        return _unregistered(state) or PHRASE[signal]
    return PHRASE.get(signal)


def _unregistered(state: HomeState) -> Phrase | None:
    """Return what is said instead of "it is tried again" where only a person can mend that."""
    ours = [fault for fault in state.faults.values() if fault.device == faults.HUB]
    if any(fault.kind is FaultKind.OTHER_BOARD for fault in ours):
        return Phrase.OTHER_BOARD
    lost = any(f.kind is FaultKind.CERTIFICATE and f.detail in UNREGISTERED for f in ours)
    return Phrase.UNCLAIMED if lost else None


def _open_alarms(state: HomeState) -> list[Alarm]:
    return [a for a in state.alarms if not isinstance(a.life, Cancelled)]


def _signal_of_alarm(state: HomeState, life: Life, at: float, rules: Rules) -> Signal:
    """Return an alarm's signal; a person's stage is dropped after a long time without a link."""
    signal = SIGNAL[type(life)]
    cut_off = not state.link.up and state.link.since + rules.stage_lasts_s <= at
    return Signal.RECEIVED if cut_off and signal in BY_A_PERSON else signal


def _undelivered(state: HomeState, rules: Rules) -> list[float]:
    """Return, for each call that the centre has not confirmed, when the resident is to be told."""
    calling = {a.id: a for a in _open_alarms(state)}
    first = [a.raised_at for a in calling.values() if isinstance(a.life, Raised | Sent)]
    again = [o.again_at for o in state.owed if o.alarm in calling and o.again_at is not None]
    return [at + rules.undelivered_s for at in first + again]


def _repeat_s(signal: Signal | None, rules: Rules) -> float | None:
    if signal is Signal.UNDELIVERED:
        return rules.repeat_undelivered_s
    return rules.repeat_received_s if signal is Signal.RECEIVED else None
