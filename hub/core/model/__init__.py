"""Events, effects, rules and state: the types of the core. Drivers may import this room, too."""

__all__ = [
    "activity",
    "checkin",
    "driver",
    "effects",
    "events",
    "rr",
    "rules",
    "state",
    "supervision",
    "vitals",
    "wireless",
]
