"""What readings of the body mean. A reading shows that its wearer lives, not that they are well."""

from hub.core.model.events import VitalsMeasured
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.supervision import supervision


def take_reading(state: HomeState, event: VitalsMeasured, rules: Rules) -> Step:
    """Apply a reading of an oximeter, cuff or thermometer."""
    return supervision.seen(state, event.device, event.at, rules)
