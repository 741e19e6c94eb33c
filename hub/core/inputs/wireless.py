"""What wireless devices say: pendants call, sensors find, and the radio says how it works."""

from hub.core.model.effects import Took
from hub.core.model.events import (
    DevicesChanged,
    RadioPartChanged,
    RangeChanged,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.supervision import supervision

WirelessEvent = WirelessPressed | WirelessFound | RangeChanged | RadioPartChanged | DevicesChanged


def take_event(state: HomeState, event: WirelessEvent, rules: Rules) -> Step:
    """Apply what the radio process told."""
    match event:
        case WirelessPressed():
            state, effects = supervision.seen(state, event.device, event.at, rules)
            return state, [*effects, Took(event.id)]
        case WirelessFound():
            return supervision.seen(state, event.device, event.at, rules)
        case _:
            return state, []
