"""From raw edges of a contact to presses: pressed, held, released, stuck.

    Up --closed--> Settling --20 ms--> Down --open--> Lifting --35 ms--> Up
         Settling --open--> Up           Lifting --closed--> Down

A press is counted once, when the level has held `press_settle_s`. The edges' own times count, so a
late tick or a late edge changes nothing. Gaps shorter than `release_settle_s` are bounce. After a
restart a press that was counted is `Recalled`: still down, or over long ago.

A contact chatters by too many edges in seconds, or by too many presses in minutes: a swinging cord
gives 8 presses a second, each as good as a finger's. All of them are counted as presses.
"""

import math
from enum import Enum, auto

import msgspec

from hub.core.model.rules import Rules
from hub.core.model.state import Contact, Down, Lifting, Recalled, Settling, Touch, Up


class Transition(Enum):
    """What a contact has just come to mean."""

    PRESSED = auto()
    HELD = auto()
    HELD_ON = auto()  # where `held_on` allowed it
    RELEASED = auto()  # after a press that was not held
    STUCK = auto()
    FREED = auto()
    CHATTERING = auto()
    QUIET = auto()


def take_edge(
    contact: Contact,
    closed: bool,  # noqa: FBT001 - a level
    at: float,
    rules: Rules,
) -> tuple[Contact, list[Transition]]:
    """Apply one raw level at `at`; the same level again is harmless."""
    contact, turns = elapse(contact, at, rules)
    before = contact.life
    life: Touch
    match before, closed:
        case Up(), True:
            life = Settling(at)
        case Settling(), False:
            life = Up()
        case Down(), False:
            life = Lifting(before, at)
        case Lifting(down=down) | Recalled(down=down), True:
            life = down
        case Recalled(down=down), False:
            freed = [Transition.FREED] if down.stuck else []
            return msgspec.structs.replace(contact, life=Up()), turns + freed
        case _:
            return contact, turns
    contact, more = _count(msgspec.structs.replace(contact, life=life), at, rules)
    return contact, turns + more


def elapse(contact: Contact, at: float, rules: Rules) -> tuple[Contact, list[Transition]]:
    """Apply, in order, every transition that time alone has made up to `at`."""
    turns: list[Transition] = []
    while (ahead := _ahead(contact.life, rules)) and ahead[0] <= at:
        contact = msgspec.structs.replace(contact, life=ahead[1])
        turns += ahead[2]
        if Transition.PRESSED in ahead[2]:
            contact, more = _pressed(contact, ahead[0], rules)
            turns += more
    if not contact.restless:
        return contact, turns
    contact = _calmer(contact, at, rules)
    return contact, turns if contact.restless else [*turns, Transition.QUIET]


def next_wake(contact: Contact, rules: Rules) -> float | None:
    """Return the contact's next deadline in monotonic seconds."""
    ahead = _ahead(contact.life, rules)
    times = [ahead[0]] if ahead else []
    if contact.chattering:
        times.append(contact.window_at + rules.chatter_window_s)
    if contact.wobbling:
        times.append(contact.presses_at + rules.wobble_window_s)
    return min(times, default=None)


def recovered(contact: Contact, at: float) -> Contact:
    """Return a contact whose counted press is not counted again, unless the machine was off."""
    life: Touch = Up()
    match contact.life:
        case (Down() as down) | Lifting(down=down) | Recalled(down=down):
            if down.stuck or down.since <= at:
                life = Recalled(Down(at, held=True, stuck=down.stuck))
        case _:
            pass
    return Contact(  # its fault stands until it has been quiet
        life, window_at=at, chattering=contact.chattering, presses_at=at, wobbling=contact.wobbling
    )


def muted(contact: Contact) -> Contact:
    """Return the contact whose present press means no more: neither held nor released."""
    match contact.life:
        case Down() as down:
            return msgspec.structs.replace(contact, life=_mute(down))
        case Lifting(down=down) as lifting:
            muted = msgspec.structs.replace(lifting, down=_mute(down))
            return msgspec.structs.replace(contact, life=muted)
        case _:
            return contact


def held_on(contact: Contact) -> Contact:
    """Return the contact whose present press, held on for `pairing_hold_s`, means something."""
    match contact.life:
        case Down(stuck=False) as down:
            life = msgspec.structs.replace(down, opens=True)
            return msgspec.structs.replace(contact, life=life)
        case _:
            return contact


def is_down(contact: Contact) -> bool:
    """Whether the contact counts as closed, whatever that means."""
    return isinstance(contact.life, Down | Lifting | Recalled)


def down_since(contact: Contact) -> float:
    """Return when the counted press began; infinity where there is none."""
    life = contact.life.down if isinstance(contact.life, Lifting) else contact.life
    return life.since if isinstance(life, Down) else math.inf


def overlaps(contact: Contact, since: float) -> bool:
    """Whether a finger was on the contact after `since`; on a stuck contact there is none."""
    match contact.life:
        case Down(stuck=stuck):
            return not stuck
        case Lifting(down=Down(stuck=stuck), since=lifted):
            return not stuck and lifted > since
        case _:
            return False


def _mute(down: Down) -> Down:
    return msgspec.structs.replace(down, held=True, opens=False)


def _ahead(life: Touch, rules: Rules) -> tuple[float, Touch, list[Transition]] | None:
    """Return the next transition that time alone makes: when, to what, and what it means."""
    match life:
        case Settling(since=since):
            return since + rules.press_settle_s, Down(since), [Transition.PRESSED]
        case Down(since=since, held=False):
            return since + rules.hold_s, Down(since, held=True), [Transition.HELD]
        case Down(since=since, opens=True):
            return since + rules.pairing_hold_s, Down(since, held=True), [Transition.HELD_ON]
        case Down(since=since, stuck=False):
            return since + rules.stuck_s, Down(since, held=True, stuck=True), [Transition.STUCK]
        case Lifting(down=down, since=since):
            turns = [Transition.FREED] if down.stuck else [] if down.held else [Transition.RELEASED]
            return since + rules.release_settle_s, Up(), turns
        case _:
            return None


def _count(contact: Contact, at: float, rules: Rules) -> tuple[Contact, list[Transition]]:
    if not contact.chattering and contact.window_at + rules.chatter_window_s <= at:
        contact = msgspec.structs.replace(contact, edges=0, window_at=at)
    contact = msgspec.structs.replace(contact, edges=contact.edges + 1)
    if contact.chattering or contact.edges < rules.chatter_edges:
        return contact, []
    begins = [] if contact.wobbling else [Transition.CHATTERING]
    return msgspec.structs.replace(contact, chattering=True), begins


def _pressed(contact: Contact, at: float, rules: Rules) -> tuple[Contact, list[Transition]]:
    if not contact.wobbling and contact.presses_at + rules.wobble_window_s <= at:
        contact = msgspec.structs.replace(contact, presses=0, presses_at=at)
    contact = msgspec.structs.replace(contact, presses=contact.presses + 1)
    if contact.wobbling or contact.presses < rules.wobble_presses:
        return contact, []
    begins = [] if contact.chattering else [Transition.CHATTERING]
    return msgspec.structs.replace(contact, wobbling=True), begins


def _calmer(contact: Contact, at: float, rules: Rules) -> Contact:
    """End chatter after a window without it; a wobble ends below half of what began it."""
    if contact.chattering and contact.window_at + rules.chatter_window_s <= at:
        still = contact.edges >= rules.chatter_edges
        contact = msgspec.structs.replace(contact, edges=0, window_at=at, chattering=still)
    if contact.wobbling and contact.presses_at + rules.wobble_window_s <= at:
        still = 2 * contact.presses >= rules.wobble_presses
        contact = msgspec.structs.replace(contact, presses=0, presses_at=at, wobbling=still)
    return contact
