"""The home decides: `decide(state, event, rules) -> (state, effects)`, and nothing else does.

Whatever is due by the event's own time is served before the event. Deadlines are derived from the
state by `next_wake`, never scheduled. After a restart `recover` makes the old state fit the new
boot; it never raises fewer alarms than there were.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from hub.core import (
    buttons,
    checkin,
    debt,
    devices,
    facts,
    feedback,
    press,
    quiet,
    supervision,
    warn,
)
from hub.core.effects import Effect, Lane, Publish
from hub.core.events import Event, Started
from hub.core.rules import Rules
from hub.core.state import Clock, Contact, Down, HomeState, Lifting, Link, Owed, Recalled, Touch, Up

Step = tuple[HomeState, list[Effect]]

DAY_S = 86_400.0


_SERVE = (
    debt.elapse,
    devices.elapse,
    warn.elapse,
    quiet.elapse,
    checkin.elapse,
    supervision.elapse,
)


def decide(state: HomeState, event: Event, rules: Rules) -> Step:
    """Take one fact; give the new state and what is to be done. Never raises."""
    state, effects = _elapse(state, event.at, rules)
    state, more = facts.take(state, event, rules)
    state, words = feedback.express(state, event.at, rules)
    return state, [*effects, *more, *words]


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Give the next deadline in monotonic seconds; a `Ticked` at or after it serves it."""
    times = [press.next_wake(contact, rules) for contact in state.contacts.values()]
    times += [
        debt.next_wake(state),
        devices.next_wake(state, rules),
        feedback.next_wake(state, rules),
        warn.next_wake(state, rules),
        quiet.next_wake(state, rules),
        checkin.next_wake(state, rules),
        supervision.next_wake(state, rules),
    ]
    return min((t for t in times if t is not None), default=None)


def due_contacts(state: HomeState, at: float, rules: Rules) -> set[str]:
    """Name the contacts of which a `Ticked` at `at` would make something."""
    wakes = ((press.next_wake(c, rules), device) for device, c in state.contacts.items())
    return {device for wake, device in wakes if wake is not None and wake <= at}


def recover(state: HomeState, started: Started, unsent: Iterable[str]) -> HomeState:
    """Fit a snapshot to a new process, of this boot or of another.

    Monotonic time may have restarted, so old deadlines count as passed; nothing is shown or
    linked yet; all that is owed is due, and so is what the outbox holds `unsent` (ids of SOS
    events) though a damaged snapshot may not know of it.
    """
    long_ago = started.at - DAY_S
    known = {o.id: o for o in state.owed}
    owed = [known.get(i, Owed(i, "", started.at)) for i in dict.fromkeys([*known, *unsent])]
    return replace(
        state,
        boot=started.boot,
        clock=Clock(started.utc - started.at, started.synced, started.zone_s),
        contacts={name: _resume(c, started.at) for name, c in state.contacts.items()},
        alarms=tuple(replace(a, raised_at=long_ago) for a in state.alarms),
        owed=tuple(_overdue(o, started.at) for o in owed),
        link=Link(up=False, since=started.at),
        farewell=None,
        shown=None,
        said_at=long_ago,
        told_at=long_ago,
    )


def owes(before: HomeState, after: HomeState, effects: list[Effect]) -> bool:
    """Tell whether a decision must reach the disk before anything of it is done."""
    return (
        after.alarms is not before.alarms
        or after.owed is not before.owed
        or after.faults is not before.faults
        or after.counter != before.counter
        or any(isinstance(e, Publish) and e.lane <= Lane.FAULT for e in effects)
    )


def _overdue(owed: Owed, at: float) -> Owed:
    again_at = None if owed.again_at is None else at - DAY_S
    return replace(owed, due_at=at, again_at=again_at)


def _resume(contact: Contact, at: float) -> Contact:
    """Keep a press that was counted from being counted again, unless the machine was off."""
    life: Touch = Up()
    match contact.life:
        case (Down() as down) | Lifting(down=down) | Recalled(down=down):
            if down.stuck or down.since <= at:
                life = Recalled(Down(at, held=True, stuck=down.stuck))
        case _:
            pass
    return Contact(life, window_at=at, chattering=contact.chattering)  # till it has been quiet


def _elapse(state: HomeState, at: float, rules: Rules) -> Step:
    effects: list[Effect] = []
    wakes = ((press.next_wake(c, rules), device) for device, c in state.contacts.items())
    due = sorted((wake, device) for wake, device in wakes if wake is not None and wake <= at)
    for _, device in due:
        pressed = press.elapse(state.contacts[device], at, rules)
        state, more = buttons.turn(state, device, pressed, at, rules)
        effects += more
    for serve in _SERVE:
        state, more = serve(state, at, rules)
        effects += more
    return state, effects
