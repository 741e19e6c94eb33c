"""An absence that nobody declared, and that lasts longer than is usual: somebody should call.

    away by the door --longer than usual here--> NOT_BACK, a task at the centre --at home--> BACK

The door alone may be wrong: a care worker goes out while the resident lies in bed. So such an
absence stops only the judgement of the quiet, and is told long before the rule of 24 h. A resident
who has said that they go out is not missed until that time is over.
"""

from msgspec.structs import replace

from hub.contract.messages import PresenceKind
from hub.contract.scaip import Care
from hub.core.activity import presence
from hub.core.checkin.reports import deliver_need
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

MARGIN = 1.25  # over the longest absence of a month or two
AWAY = PresenceKind.AWAY  # slow to look up in Python 3.11


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Report that the resident is not back as usual, and later, once, that they are."""
    due = next_wake(state, rules)
    if due is None or due > at:
        return state, []
    late = not state.house.overdue
    state = replace(state, house=replace(state.house, overdue=late))
    return deliver_need(state, Care.NOT_BACK if late else Care.BACK, at, rules)


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when there is something to tell."""
    house = state.house
    if house.presence.kind is not AWAY:
        return house.presence.since if house.overdue else None
    if house.overdue or presence.declared(house.presence):
        return None
    return house.presence.since + usual_s(state, rules)


def usual_s(state: HomeState, rules: Rules) -> float:
    """Return how long an absence is usual: by the longest one, within the limits of a quiet."""
    longest_s = state.habits.longest.get(presence.ABSENCE, 0.0)
    return min(max(rules.quiet.safe_day_s, MARGIN * longest_s), rules.quiet.most_s)
