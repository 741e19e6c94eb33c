"""What a contact's transitions mean, by its role: a red button calls, a green one takes back.

A green button held 3 s says "I am here"; held 10 s while nothing is under way, "pair a device", or
without a link "open the Wi-Fi for setting up".
While a contact chatters it is no sign of life: a red one calls all the same, a green one means
nothing.
"""

from collections.abc import Callable

from msgspec.structs import replace

from hub.contract.messages import HELD_OR_CUT, AnsweredBy, FaultKind
from hub.contract.scaip import Kind
from hub.core.activity import presence
from hub.core.alarm import alarm, press, signals
from hub.core.alarm.press import Transition
from hub.core.inputs import pairing, sensors, setup, speech
from hub.core.model.effects import Effect
from hub.core.model.events import ContactChanged
from hub.core.model.rules import Role, Rules
from hub.core.model.state import Contact, HomeState, Said, Step, Up
from hub.core.supervision import faults
from hub.core.vitals import question

Act = Callable[[HomeState, str, float, Rules], Step]


def take_edge(state: HomeState, event: ContactChanged, rules: Rules) -> Step:
    """Apply one raw level of a contact that is no sensor of the house."""
    before = state.contacts.get(event.device, Contact())
    pressed = press.take_edge(before, event.closed, event.at, rules)
    return _apply_transitions(state, event.device, pressed, event.at, rules)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Apply what time alone has made of the contacts, in the order of their deadlines."""
    effects: list[Effect] = []
    for wake, device in sorted(deadlines(state, rules)) if state.contacts else ():
        if wake > at:
            break
        pressed = press.elapse(state.contacts[device], at, rules)
        state, more = _apply_transitions(state, device, pressed, at, rules)
        effects += more
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return the next deadline of a contact."""
    return min((wake for wake, _ in deadlines(state, rules)), default=None)


def deadlines(state: HomeState, rules: Rules) -> list[tuple[float, str]]:
    """Return the contacts that have a deadline, and when. Most are up, and cost nothing here."""
    wakes: list[tuple[float, str]] = []
    for device, contact in state.contacts.items():
        if contact.restless or not isinstance(contact.life, Up):
            wake = press.next_wake(contact, rules)
            if wake is not None:
                wakes.append((wake, device))
    return wakes


def _apply_transitions(
    state: HomeState,
    device: str,
    pressed: tuple[Contact, list[Transition]],
    at: float,
    rules: Rules,
) -> Step:
    """Apply what a contact has come to mean, by its role."""
    contact, turns = pressed
    before = state.contacts.get(device)
    if before != contact:
        state = replace(state, contacts={**state.contacts, device: contact})
    button = rules.buttons.get(device)
    if button is None:
        return state, []
    effects: list[Effect] = []
    if button.role is Role.AWAY_SWITCH:
        state, effects = _away_switched(state, before, contact, at, rules)
    by_role = _BY_ROLE.get(button.role, {})
    for each in turns:
        act = by_role.get(each)
        if act:
            state, more = act(state, device, at, rules)
            effects += more
    return state, effects


def _away_switched(
    state: HomeState, before: Contact | None, after: Contact, at: float, rules: Rules
) -> Step:
    """Apply an away switch: closed means "I am going out", open "I am back"."""
    away = press.is_down(after)
    if away == press.is_down(before or Contact()):
        return state, []
    return presence.take_declaration(state, at, away=away, rules=rules)


def call(state: HomeState, device: str, at: float, rules: Rules, said: Said | None = None) -> Step:
    """Call for help by a red button; `said` has what is known of a pendant's call."""
    kind = rules.buttons[device].call or Kind.HELP_BUTTON
    state = _mute_greens(state, rules)
    by_hand, asked = not _chatters(state, device), state.warning
    if by_hand:  # surer than a spoken call or a warning that waits
        state = replace(state, candidate=None, warning=None)
    state, effects = alarm.call(state, kind, device, at, rules, said)
    alive: list[Effect] = []
    if by_hand:
        state, read = question.tell_with_call(state, asked, question.BUTTON, at, rules)
        effects += read
        state, alive = sensors.take_activity(state, device, at, AnsweredBy.BUTTON, rules)
    state, words = signals.say_again(state, at, rules)
    return state, [*effects, *alive, *words]


def take_back(state: HomeState, device: str, at: float, rules: Rules, *, held: bool) -> Step:
    """Take back by a green pendant, or, if it was held, report somebody on site first."""
    arrived, effects = alarm.arrive(state, at, rules) if held else (state, [])
    return (arrived, effects) if effects else _cancel(state, device, at, rules)


def _chatters(state: HomeState, device: str) -> bool:
    """Whether the wind may move the contact, so that it is no sign of life."""
    return faults.stands(state, device, FaultKind.CHATTER)


def _green_pressed(state: HomeState, device: str, _at: float, rules: Rules) -> Step:
    """Mute a green press made with a red one: a palm on both calls and does not take back."""
    since = press.down_since(state.contacts[device])
    reds = [c for d, c in state.contacts.items() if _is_red(d, rules)]
    palm = any(press.overlaps(red, since) for red in reds)
    return (_mute_greens(state, rules) if palm else state), []


def _mute_greens(state: HomeState, rules: Rules) -> HomeState:
    contacts = {d: press.muted(c) if _is_green(d, rules) else c for d, c in state.contacts.items()}
    return replace(state, contacts=contacts)


def _is_red(device: str, rules: Rules) -> bool:
    button = rules.buttons.get(device)
    return button is None or button.call is not None


def _is_green(device: str, rules: Rules) -> bool:
    button = rules.buttons.get(device)
    return button is not None and button.role is Role.CANCEL_BUTTON


def _cancel(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Take back what is being asked about, else answer the warning, else cancel the newest alarm.

    A warning that is on began after the alarm: a call by hand ends it. Who answers it does not mean
    the call.
    """
    if _chatters(state, device):  # perhaps nobody's finger: it must not take a call back
        return state, []
    if state.candidate is not None:
        step = speech.taken_back(state)
    elif state.warning is not None:
        step = state, list[Effect]()
    else:
        step = alarm.cancel(state, at, rules)
    return _with_life(step, device, at, rules)


def _green_released(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Say yes to digits that are compared; that takes a finger here, not on a pendant somewhere."""
    if pairing.compares(state) and not _chatters(state, device):
        return _with_life(pairing.answer(state, at, rules), device, at, rules)
    if setup.says_digits(state):
        return _with_life(setup.digits_again(state, at, rules), device, at, rules)
    return _cancel(state, device, at, rules)


def _with_life(step: Step, device: str, at: float, rules: Rules) -> Step:
    state, effects = step
    state, alive = sensors.take_activity(state, device, at, AnsweredBy.BUTTON, rules)
    return state, effects + alive


def _green_held(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Mark a responder as present, once somebody was sent; else this is a slow cancel.

    Where nothing was under way, the press may be held on, to pair a device; in a window for that,
    it shuts the window.
    """
    if _chatters(state, device):
        return state, []
    arrived, effects = alarm.arrive(state, at, rules)
    if effects:
        return arrived, effects
    if state.pairing is not None:
        return _with_life(pairing.shut(state, at, rules), device, at, rules)
    free = pairing.may_open(state, at, rules) or setup.may_open(state, at, rules)
    state, effects = _cancel(state, device, at, rules)
    if free:
        held_on = press.held_on(state.contacts[device])
        state = replace(state, contacts={**state.contacts, device: held_on})
    return state, effects


def _green_held_on(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    if _chatters(state, device):
        return state, []
    if setup.may_open(state, at, rules):
        return setup.open_hotspot(state, at, rules)
    if not pairing.may_open(state, at, rules):
        return state, []
    return pairing.open_window(state, at, rules)


def _fail(kind: FaultKind) -> Act:
    return lambda state, device, at, rules: faults.fail(state, kind, device, at, rules)


def _mend(kind: FaultKind) -> Act:
    return lambda state, device, at, rules: faults.mend(state, kind, device, at, rules)


def _stuck(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Raise the fault; a normally closed contact that stays open is held, or its wire is cut."""
    detail = HELD_OR_CUT if rules.buttons[device].normally_closed else ""
    return faults.fail(state, FaultKind.STUCK, device, at, rules, detail)


_FAULTS: dict[Transition, Act] = {
    Transition.STUCK: _stuck,
    Transition.FREED: _mend(FaultKind.STUCK),
    Transition.CHATTERING: _fail(FaultKind.CHATTER),
    Transition.QUIET: _mend(FaultKind.CHATTER),
}
_RED: dict[Transition, Act] = {**_FAULTS, Transition.PRESSED: call}
_GREEN = {
    **_FAULTS,
    Transition.PRESSED: _green_pressed,
    Transition.RELEASED: _green_released,
    Transition.HELD: _green_held,
    Transition.HELD_ON: _green_held_on,
}
_BY_ROLE: dict[Role, dict[Transition, Act]] = {
    Role.HELP_BUTTON: _RED,
    Role.PULL_CORD: _RED,
    Role.CANCEL_BUTTON: _GREEN,
    Role.AWAY_SWITCH: {each: _FAULTS[each] for each in (Transition.CHATTERING, Transition.QUIET)},
}
