"""What a contact's turns mean, by its role: red calls, green takes back or says "I am here"."""

from collections.abc import Callable

from msgspec.structs import replace

from hub.core import devices, feedback, press, sos
from hub.core.effects import Effect
from hub.core.payloads import FaultKind
from hub.core.press import Turn
from hub.core.rules import Role, Rules
from hub.core.state import Contact, HomeState

Step = tuple[HomeState, list[Effect]]
Act = Callable[[HomeState, str, float, Rules], Step]


def turn(
    state: HomeState, device: str, pressed: tuple[Contact, list[Turn]], at: float, rules: Rules
) -> Step:
    """Let a contact's turns mean what its role says."""
    contact, turns = pressed
    if state.contacts.get(device) != contact:
        state = replace(state, contacts={**state.contacts, device: contact})
    button = rules.buttons.get(device)
    if button is None:
        return state, []
    effects: list[Effect] = []
    by_role = _GREEN if button.role is Role.CANCEL_BUTTON else _RED
    for each in turns:
        act = _FAULTS.get(each) or by_role.get(each)
        if act:
            state, more = act(state, device, at, rules)
            effects += more
    return state, effects


def _call(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    state = _spend_greens(state, rules)
    kind = sos.KIND[rules.buttons[device].role]
    state, effects = sos.call(state, kind, device, at, rules)
    state, words = feedback.say_again(state, at, rules)
    return state, [*effects, *words]


def _green(state: HomeState, device: str, _at: float, rules: Rules) -> Step:
    """A palm on both buttons calls for help: it does not take back in the same breath."""
    since = press.down_since(state.contacts[device])
    reds = [c for d, c in state.contacts.items() if not _is_green(d, rules)]
    palm = any(press.overlaps(red, since) for red in reds)
    return (_spend_greens(state, rules) if palm else state), []


def _spend_greens(state: HomeState, rules: Rules) -> HomeState:
    contacts = {d: press.spent(c) if _is_green(d, rules) else c for d, c in state.contacts.items()}
    return replace(state, contacts=contacts)


def _is_green(device: str, rules: Rules) -> bool:
    button = rules.buttons.get(device)
    return button is not None and button.role is Role.CANCEL_BUTTON


def _cancel(state: HomeState, _device: str, at: float, rules: Rules) -> Step:
    return sos.cancel(state, at, rules)


def _held(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """A green button held long is a responder's, once somebody was sent; else a slow cancel."""
    arrived, effects = sos.arrive(state, at, rules)
    return (arrived, effects) if effects else _cancel(state, device, at, rules)


def _fail(kind: FaultKind) -> Act:
    return lambda state, device, at, rules: devices.fail(state, kind, device, at, rules)


def _mend(kind: FaultKind) -> Act:
    return lambda state, device, _at, rules: devices.mend(state, kind, device, rules)


_RED: dict[Turn, Act] = {Turn.PRESSED: _call}
_GREEN: dict[Turn, Act] = {Turn.PRESSED: _green, Turn.RELEASED: _cancel, Turn.HELD: _held}
_FAULTS: dict[Turn, Act] = {
    Turn.STUCK: _fail(FaultKind.STUCK),
    Turn.FREED: _mend(FaultKind.STUCK),
    Turn.CHATTERING: _fail(FaultKind.CHATTER),
    Turn.QUIET: _mend(FaultKind.CHATTER),
}
