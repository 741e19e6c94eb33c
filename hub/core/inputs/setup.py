"""Registration and network: what the provisioning process tells, and a hub that nobody knows yet.

    unclaimed (`rules.hub` is empty) --digits typed at the centre, `Registered`--> BeginAnew
        red button: says that nobody is called     green: the digits again     green 3 s: hotspot

An unclaimed hub has no centre, so it raises nothing, asks nothing and promises nothing. One that
has worked under a name before is no new one: it tells the radio of no press that it was taken, so
that the press is owed until there is a name again. One that is registered goes on as ever, and so
does one whose identity is lost; it says digits only at the green button, and opens the hotspot when
that is held while there is no link. There is one radio: a call shuts the hotspot, so that it goes
out by the saved Wi-Fi. Where that brings no call out, the hotspot may be asked for again.
"""

import math
from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.provision import UNREGISTERED, Part, Way
from hub.contract.radio import Sensed
from hub.contract.voice import Meaning, Phrase
from hub.core.alarm import press, signals
from hub.core.alarm.press import Transition
from hub.core.model.checkin import asking
from hub.core.model.effects import BeginAnew, Effect, OpenHotspot, Pet, Say, Took
from hub.core.model.events import (
    Answered,
    ClaimChanged,
    ClockCompared,
    ContactChanged,
    Event,
    Heartbeat,
    NetworkChanged,
    Registered,
    SetupEvent,
    SetupPartChanged,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Role, Rules
from hub.core.model.state import Clock, Contact, HomeState, Setup, Step
from hub.core.supervision import faults

FAULT = {
    Part.IDENTITY: FaultKind.CERTIFICATE,
    Part.BOARD: FaultKind.OTHER_BOARD,
    Part.NETWORK: FaultKind.NETWORK,
    Part.CLOCK: FaultKind.CLOCK,
    Part.DISK: FaultKind.DISK_FULL,
    Part.BACKUP: FaultKind.NO_BACKUP,
    Part.BONDS: FaultKind.UNBONDED,
}
OUT_NOW = {
    Sensed.SMOKE: Phrase.LEAVE_SMOKE,
    Sensed.GAS: Phrase.LEAVE_GAS,
    Sensed.CARBON_MONOXIDE: Phrase.LEAVE_CARBON_MONOXIDE,
}
ONLINE = {Way.ETHERNET, Way.WIFI}
TRY_S = 180.0  # leaving the hotspot and NetworkManager's own deadlines for a Wi-Fi are 100 s


def take_event(state: HomeState, event: SetupEvent, rules: Rules) -> Step:
    """Apply what the provisioning process tells."""
    match event:
        case ClaimChanged():
            return _claim(state, event, rules)
        case Registered(hub=hub):
            state = _with(state, replace(state.setup, registered=hub))
            return state, [Say(Phrase.CLAIMED)] if hub and not rules.hub else []
        case NetworkChanged():
            return _network(state, event)
        case ClockCompared(ahead_s=ahead_s):
            return _with(state, replace(state.setup, ahead_s=ahead_s)), []
        case SetupPartChanged():
            return _part(state, event, rules)
        case _:
            assert_never(event)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Say digits once more, and begin anew under another name as soon as no call is open.

    Without a link it begins anew at once: there is no certificate of the old name any more, and the
    call goes out under the new one.
    """
    setup = state.setup
    if setup.again_at is not None and setup.again_at <= at:
        state = _with(state, replace(setup, again_at=None))
        return state, [Say(Phrase.UNCLAIMED_DIGITS, setup.digits)]
    if _is_other(state, rules) and not _may_finish(state, rules):
        return _with(state, replace(setup, registered="")), [BeginAnew()]
    return state, []


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return when digits are said again."""
    return state.setup.again_at


def may_open(state: HomeState, at: float, rules: Rules) -> bool:
    """Whether the green button may open the hotspot: there is no link, and nothing is asked.

    A call that waits has the network that there is for itself first. It must not keep the hub from
    another network for ever, which may be all that it waits for.
    """
    cut_off = not state.link.up and state.link.since + rules.offline_s <= at
    asked = state.warning is not None or state.candidate is not None or asking(state.care)
    alone = _called_at(state) + rules.own_network_s <= at
    return bool(rules.setup) and cut_off and not asked and alone


def open_hotspot(state: HomeState, at: float, rules: Rules) -> Step:
    """Order the hotspot; `NetworkChanged` follows. Of one that is open the password is said again.

    A new hub opens it by itself, perhaps before anybody listened.
    """
    state = _with(state, replace(state.setup, asked_at=at))
    order: list[Effect] = [OpenHotspot(rules.hotspot_s)]
    if state.setup.way is Way.HOTSPOT:
        order.append(Say(Phrase.HOTSPOT_OPEN, state.setup.password))
    return state, order


def give_way(before: HomeState, state: HomeState, at: float, rules: Rules) -> list[Effect]:
    """Order a hotspot that is open, or will be, shut when an event of an alarm has come up."""
    if state.owed is before.owed or not _in_the_way(state.setup, at, rules):
        return []
    known = {delivery.id for delivery in before.owed}
    new = any(one.alarm and one.id not in known for one in state.owed)
    return [OpenHotspot(0.0)] if new else []


def _in_the_way(setup: Setup, at: float, rules: Rules) -> bool:
    asked = setup.asked_at is not None and at <= setup.asked_at + rules.hotspot_s
    return setup.way is Way.HOTSPOT or asked


def _called_at(state: HomeState) -> float:
    """Return when help was called for last, in the alarms that are open."""
    times = [call.told_at for alarm in state.alarms for call in alarm.calls]
    return max(times + [alarm.raised_at for alarm in state.alarms], default=-math.inf)


def says_digits(state: HomeState) -> bool:
    """Whether a registered hub waits for digits, so that the green button says them."""
    return bool(state.setup.digits) and not state.alarms


def digits_again(state: HomeState, at: float, rules: Rules) -> Step:
    """Say the digits, or that there are none; whoever pressed hears the next ones as well."""
    setup = replace(state.setup, until=at + rules.digits_said_s, again_at=None)
    if setup.digits:
        return _with(state, setup), [Say(Phrase.UNCLAIMED_DIGITS, setup.digits)]
    return _with(state, setup), [Say(Phrase.UNCLAIMED_WAITS)]


# a hub that is not registered


def decide_unclaimed(state: HomeState, event: Event, rules: Rules) -> Step:
    """Apply one event at a hub without a centre."""
    state, effects = elapse_unclaimed(state, event.at, rules)
    state, more = _take_unclaimed(state, event, rules)
    state, words = signals.express(state, event.at, rules)
    return state, [*effects, *more, *words]


def next_wake_unclaimed(state: HomeState, rules: Rules) -> float | None:
    """Return the next deadline of a button, and when digits are said again."""
    times = [press.next_wake(contact, rules) for contact in state.contacts.values()]
    return min((t for t in (*times, state.setup.again_at) if t is not None), default=None)


def elapse_unclaimed(state: HomeState, at: float, rules: Rules) -> Step:
    """Apply what time alone has made of buttons and digits."""
    effects: list[Effect] = []
    for device, contact in state.contacts.items():
        state, more = _turned(state, device, press.elapse(contact, at, rules), at, rules)
        effects += more
    state, more = elapse(state, at, rules)
    return state, effects + more


def _take_unclaimed(state: HomeState, event: Event, rules: Rules) -> Step:
    match event:
        case ContactChanged(device=device) if device not in rules.sensors:
            before = state.contacts.get(device, Contact())
            pressed = press.take_edge(before, event.closed, event.at, rules)
            return _turned(state, device, pressed, event.at, rules)
        case WirelessPressed(id=id_):
            took: list[Effect] = [] if _had_a_name(state) else [Took(id_)]
            state, words = signals.say_again(state, event.at, rules)
            return state, [*took, *words]
        case Answered(meaning=Meaning.HELP):
            return signals.say_again(state, event.at, rules)
        case WirelessFound(what=what, on=True) if what in OUT_NOW:
            return state, [Say(OUT_NOW[what]), Say(Phrase.UNCLAIMED)]
        case ClaimChanged() | Registered() | NetworkChanged() | ClockCompared():
            state, effects = take_event(state, event, rules)
            state, more = elapse(state, event.at, rules)
            return state, effects + more
        case Heartbeat():
            clock = Clock(event.utc - event.at, event.synced, event.zone_s)
            return replace(state, clock=clock), [Pet()]
        case _:
            return state, []


def _turned(
    state: HomeState,
    device: str,
    pressed: tuple[Contact, list[Transition]],
    at: float,
    rules: Rules,
) -> Step:
    """Say to whoever presses a button that nobody is called, or the digits."""
    contact, turns = pressed
    if state.contacts.get(device) != contact:
        state = replace(state, contacts={**state.contacts, device: contact})
    button, effects = rules.buttons.get(device), list[Effect]()
    if button is None:
        return state, effects
    is_green = button.role is Role.CANCEL_BUTTON
    if button.call and Transition.PRESSED in turns:
        state, effects = signals.say_again(state, at, rules)
    elif is_green and Transition.RELEASED in turns:
        state, effects = digits_again(state, at, rules)
    elif is_green and Transition.HELD in turns:
        state = _with(state, replace(state.setup, until=at + rules.digits_said_s))
        state, effects = open_hotspot(state, at, rules) if rules.setup else (state, effects)
    return state, effects


# what the provisioning process tells


def _claim(state: HomeState, event: ClaimChanged, rules: Rules) -> Step:
    """Keep the digits; say new ones at a hub without a name, while somebody is beside it."""
    setup = state.setup
    until = event.at + rules.digits_said_s if setup.until is None else setup.until
    is_new = event.digits not in {"", setup.digits}
    spoken = is_new and not rules.hub and event.at <= until
    again_at = setup.again_at if event.digits == setup.digits else None
    if spoken:
        again_at = event.at + rules.digits_again_s
    setup = replace(
        setup, digits=event.digits, trouble=event.trouble, until=until, again_at=again_at
    )
    return _with(state, setup), ([Say(Phrase.UNCLAIMED_DIGITS, event.digits)] if spoken else [])


def _network(state: HomeState, event: NetworkChanged) -> Step:
    """Keep how the network is reached, and say what became of the hotspot."""
    was, way = state.setup, event.way
    setup = replace(
        was, way=way, network=event.name, password=event.password,
        signal_dbm=event.signal_dbm, network_trouble=event.trouble,
    )  # fmt: skip
    if way is was.way:
        return _with(state, setup), []
    waited = was.left_at is not None and event.at <= was.left_at + TRY_S
    left = was.way is Way.HOTSPOT and way not in ONLINE
    setup = replace(setup, left_at=event.at if left else None)
    asked_at = -math.inf if was.asked_at is None else was.asked_at
    waits = any(one.alarm for one in state.owed) and _called_at(state) > asked_at
    if way is Way.HOTSPOT and waits:
        return _with(state, setup), [OpenHotspot(0.0)]
    said: list[Effect] = []
    if way is Way.HOTSPOT:
        said = [Say(Phrase.HOTSPOT_OPEN, event.password)]
    elif state.alarms:
        pass  # the resident waits for other words
    elif was.way is Way.HOTSPOT:
        said = [Say(_after_hotspot(event))]
    elif way in ONLINE and waited:  # a Wi-Fi is joined in some seconds, without any network
        said = [Say(Phrase.NETWORK_JOINED)]
    return _with(state, setup), said


def _after_hotspot(event: NetworkChanged) -> Phrase:
    if event.way in ONLINE:
        return Phrase.NETWORK_JOINED
    return Phrase.NETWORK_FAILED if event.trouble else Phrase.HOTSPOT_SHUT


def _part(state: HomeState, event: SetupPartChanged, rules: Rules) -> Step:
    kind = FAULT[event.part]
    if not event.broken:
        return faults.mend(state, kind, faults.HUB, event.at, rules)
    said: list[Effect] = []
    if event.part is Part.BOARD:
        said = [Say(Phrase.OTHER_BOARD)]
    elif event.part is Part.IDENTITY and event.detail in UNREGISTERED and not state.link.up:
        said = [Say(Phrase.UNCLAIMED)]
    is_new = not faults.stands(state, faults.HUB, kind)
    state, effects = faults.fail(state, kind, faults.HUB, event.at, rules, event.detail)
    return state, effects + (said if is_new else [])


def _is_other(state: HomeState, rules: Rules) -> bool:
    """Whether the identity on the disk has another name than the one that this process runs by."""
    registered = state.setup.registered
    return registered not in {"", rules.hub} and (rules.enrolled or not rules.hub)


def _may_finish(state: HomeState, rules: Rules) -> bool:
    """Whether a call can still be told under the old name."""
    return bool(rules.hub) and state.link.up and bool(state.alarms or state.owed)


def _had_a_name(state: HomeState) -> bool:
    """Whether this home's hub has told a centre anything: one without a name numbers no message."""
    return state.order > 0


def _with(state: HomeState, setup: Setup) -> HomeState:
    return replace(state, setup=setup)
