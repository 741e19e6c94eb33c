"""The window in which Bluetooth devices are paired: who opens it, who says yes, what ends it.

    None --green held 10 s, centre--> asked --`PairingOpened`--> open --`PairingAsked`--> wanted
      ^                                 |                         | ^--ended, time is left--'
      '--------no radio answers---------'-----its time, a call----'

Nothing of it may touch a call: whatever begins (an alarm, a warning, a question) shuts the window,
and without a person at the green button or the centre nothing is confirmed. The name of a device is
anybody's choice, so it is never spoken. The radio process guards the window; this is what the home
shows and says of it.
"""

import re
from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import Command, CommandKind
from hub.contract.radio import PairingEnd, Wanted
from hub.contract.voice import Phrase
from hub.core.alarm import press
from hub.core.model.checkin import asking
from hub.core.model.effects import Effect, OpenPairing, PairingAnswer, Say
from hub.core.model.events import PairingAsked, PairingEnded, PairingOpened
from hub.core.model.rules import Role, Rules
from hub.core.model.state import Cancelled, HomeState, Pairing, Step
from hub.core.supervision import faults

ANSWERS_S = 5.0  # the radio confirms an order within its ping's interval, or it does not work
GRACE_S = 5.0  # the radio itself ends the window, unless it has died meanwhile
SAY_AGAIN_S = 15.0  # digits, while somebody looks for them on a screen
PHRASE = {
    Wanted.COMPARE: Phrase.PAIRING_COMPARE,
    Wanted.TYPE: Phrase.PAIRING_TYPE,
    Wanted.SHOW: Phrase.PAIRING_SHOW,
}
OF_THE_WINDOW = {PairingEnd.OVER, PairingEnd.SHUT}  # no device has failed
YES, NO = "yes", "no"  # the text of `answer_pairing`, or the digits of a key
KEY = re.compile("[0-9]{1,6}")
PairingEvent = PairingOpened | PairingAsked | PairingEnded


def may_open(state: HomeState, at: float, rules: Rules) -> bool:
    """Whether the home has a radio, and nothing else is under way that a button may be about."""
    fading = state.farewell is not None and at < state.farewell.until
    return bool(rules.radio) and state.pairing is None and is_quiet(state) and not fading


def open_window(state: HomeState, at: float, rules: Rules) -> Step:
    """Order a window; `PairingOpened` follows, or the home says that it cannot be opened."""
    state = replace(state, pairing=Pairing(since=at, until=at + ANSWERS_S))
    return state, [OpenPairing(rules.pairing_s)]


def obey(state: HomeState, command: Command, at: float, rules: Rules) -> Step | None:
    """Do what the centre orders; None: not now, since something is under way or nobody waits."""
    if command.kind is CommandKind.OPEN_PAIRING:
        return open_window(state, at, rules) if may_open(state, at, rules) else None
    window, said = state.pairing, command.text
    if window is None or window.wanted is None or _busy(state):
        return None
    if command.ask not in (0, window.ask):  # it was said to another device
        return None
    if said == NO:
        return _told(_not_wanted(state), [PairingAnswer(yes=False, ask=window.ask)], at, rules)
    if window.wanted is Wanted.COMPARE and said == YES:
        return answer(state, at, rules)
    if window.wanted is Wanted.TYPE and KEY.fullmatch(said):
        return answer(state, at, rules, said)
    return None


def take_event(state: HomeState, event: PairingEvent, rules: Rules) -> Step:
    """Apply what the radio told of pairing."""
    match event:
        case PairingOpened():
            return _opened(state, event, rules)
        case PairingAsked():
            return _asked(state, event, rules)
        case PairingEnded():
            return _ended(state, event, rules)
        case _:
            assert_never(event)


def compares(state: HomeState) -> bool:
    """Whether a green press now means that the digits are the same."""
    window = state.pairing
    return window is not None and window.wanted is Wanted.COMPARE and not _busy(state)


def answer(state: HomeState, at: float, rules: Rules, key: str = "") -> Step:
    """Say yes to the device that waits, or give its key; the radio tells what comes of it."""
    ask = 0 if state.pairing is None else state.pairing.ask
    return _told(_not_wanted(state), [PairingAnswer(yes=True, key=key, ask=ask)], at, rules)


def shut(state: HomeState, at: float, rules: Rules) -> Step:
    """Shut the window."""
    over: list[Effect] = [OpenPairing(0.0), Say(Phrase.PAIRING_CLOSED)]
    return _told(replace(state, pairing=None), over, at, rules)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Shut a window that is over or in the way, and say digits again."""
    window = state.pairing
    if window is None:
        return state, []
    if _busy(state):  # without a word: something else is being said
        return _told(replace(state, pairing=None), [OpenPairing(0.0)], at, rules)
    if window.until <= at:
        phrase = Phrase.PAIRING_CLOSED if window.open else Phrase.PAIRING_UNREADY
        over: list[Effect] = [OpenPairing(0.0), Say(phrase)]
        return _told(replace(state, pairing=None), over, at, rules)
    if window.wanted is not None and window.said_at + SAY_AGAIN_S <= at:
        return replace(state, pairing=replace(window, said_at=at)), [_spoken(window)]
    return state, []


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return when the window is over or speaks again; a past time where it is in the way."""
    window = state.pairing
    if window is None:
        return None
    if _busy(state):
        return window.since
    again = window.until if window.wanted is None else window.said_at + SAY_AGAIN_S
    return min(window.until, again)


def _opened(state: HomeState, event: PairingOpened, rules: Rules) -> Step:
    """Note that the radio accepts requests; a window that is in the way is shut again."""
    if not (rules.radio and is_quiet(state)):
        return state, [OpenPairing(0.0)]
    was = state.pairing
    until = event.at + event.s + GRACE_S
    if was is not None and was.open:  # it is open for longer now
        return replace(state, pairing=replace(was, until=until)), []
    state = replace(state, pairing=Pairing(event.at, until, open=True))
    return _told(state, [Say(Phrase.PAIRING_OPEN)], event.at, rules)


def _asked(state: HomeState, event: PairingAsked, rules: Rules) -> Step:
    """Tell a person what to do; a request outside the home's window is answered no."""
    window = state.pairing
    if window is None or not window.open or _busy(state):
        return state, [PairingAnswer(yes=False, ask=event.ask)]
    asked = replace(
        window, wanted=event.wanted, digits=event.digits, name=event.name, said_at=event.at,
        ask=event.ask,
    )  # fmt: skip
    state = replace(_without_fingers(state, rules), pairing=asked)
    return _told(state, [_spoken(asked)], event.at, rules)


def _without_fingers(state: HomeState, rules: Rules) -> HomeState:
    """Return the state in which a green press that is under way means nothing.

    Whoever began it had not heard these digits; and no call is open that it could take back.
    """
    green = {d for d, one in rules.buttons.items() if one.role is Role.CANCEL_BUTTON}
    contacts = {d: press.muted(c) if d in green else c for d, c in state.contacts.items()}
    return replace(state, contacts=contacts)


def _ended(state: HomeState, event: PairingEnded, rules: Rules) -> Step:
    """Say what came of it; where the home has shut the window itself, nothing is left to say."""
    window = state.pairing
    if window is None:
        return state, []
    if event.done:
        phrase = Phrase.PAIRING_DONE
    elif not window.open:
        phrase = Phrase.PAIRING_UNREADY
    elif event.reason in OF_THE_WINDOW:
        phrase = Phrase.PAIRING_CLOSED
    else:
        phrase = Phrase.PAIRING_FAILED
    state = _not_wanted(state) if event.open else replace(state, pairing=None)
    return _told(state, [Say(phrase)], event.at, rules)


def _not_wanted(state: HomeState) -> HomeState:
    """Return the state in which no device waits for a person."""
    window = state.pairing and replace(state.pairing, wanted=None, digits="", name="", ask=0)
    return replace(state, pairing=window)


def _spoken(window: Pairing) -> Say:
    """Return what is said to a person; the voice's driver spells the digits one by one."""
    phrase = PHRASE[window.wanted] if window.wanted else Phrase.PAIRING_OPEN
    return Say(phrase, window.digits)


def _told(state: HomeState, effects: list[Effect], at: float, rules: Rules) -> Step:
    """Publish the hub's state as well, so that the centre sees the window at once."""
    if not state.link.up:
        return state, effects
    state, told = faults.publish_state(state, at, rules)
    return state, [*effects, *told]


def is_quiet(state: HomeState) -> bool:
    """Whether no alarm is open, and nothing else is under way that needs button and voice."""
    return not state.alarms and not _busy(state)


def _busy(state: HomeState) -> bool:
    """Whether something is under way for which button and voice are needed."""
    calling = any(not isinstance(a.life, Cancelled) for a in state.alarms)
    return calling or state.warning is not None or state.candidate is not None or asking(state.care)
