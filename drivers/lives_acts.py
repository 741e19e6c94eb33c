"""What a person does at home: where, for how long, and how much of it a motion sensor can see.

The numbers are the author's judgement, not fitted to any recording: long stillness in front of the
TV and in bed, minutes of bustle in the kitchen, and log-normal durations with heavy tails.
"""

from enum import StrEnum
from typing import NamedTuple

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class State(StrEnum):
    """Where the resident is in truth; `visitor` is at home with company."""

    HOME = "home"
    ASLEEP = "asleep"
    AWAY = "away"
    BATHROOM = "bathroom"
    VISITOR = "visitor"


class Zone(StrEnum):
    """The places of a small home. The passage joins bedroom, bathroom and living room."""

    LIVING = "living"
    KITCHEN = "kitchen"
    BATHROOM = "bathroom"
    BEDROOM = "bedroom"
    PASSAGE = "passage"
    ENTRY = "entry"


class Act(NamedTuple):
    """One kind of activity.

    `minutes` is the median length and `spread` the deviation of its logarithm; `moves_h` are the
    movements an hour that a sensor may see, and `still` is how much that varies from one occasion
    to the next (deviation of the logarithm).
    """

    zone: Zone
    minutes: float
    spread: float
    moves_h: float
    still: float
    fridge_h: float = 0.0
    state: State = State.HOME


ACTS = {
    "cook": Act(Zone.KITCHEN, 24, 0.45, 100, 0.3, fridge_h=7),
    "eat": Act(Zone.KITCHEN, 18, 0.4, 35, 0.5, fridge_h=1),
    "dishes": Act(Zone.KITCHEN, 9, 0.5, 110, 0.3, fridge_h=3),
    "snack": Act(Zone.KITCHEN, 5, 0.6, 80, 0.4, fridge_h=12),
    "tv": Act(Zone.LIVING, 40, 0.7, 11, 0.95),
    "tv-evening": Act(Zone.LIVING, 75, 0.6, 8, 1.2),
    "read": Act(Zone.LIVING, 35, 0.6, 7, 0.8),
    "phone": Act(Zone.LIVING, 10, 1.0, 15, 0.8),
    "rest": Act(Zone.BEDROOM, 25, 0.6, 7, 0.8),
    "potter": Act(Zone.LIVING, 12, 0.6, 75, 0.4),
    "chores": Act(Zone.LIVING, 22, 0.6, 105, 0.4),
    "tidy-bedroom": Act(Zone.BEDROOM, 10, 0.6, 75, 0.4),
    "laundry": Act(Zone.BATHROOM, 14, 0.5, 80, 0.4, state=State.BATHROOM),
    "exercise": Act(Zone.LIVING, 20, 0.4, 130, 0.3),
    "doze": Act(Zone.LIVING, 40, 0.7, 1.8, 1.0, state=State.ASLEEP),
    "nap": Act(Zone.BEDROOM, 75, 0.5, 1.0, 1.0, state=State.ASLEEP),
    "lie": Act(Zone.BEDROOM, 60, 0.6, 3, 0.9),
    "wash": Act(Zone.BATHROOM, 12, 0.45, 65, 0.4, state=State.BATHROOM),
    "toilet": Act(Zone.BATHROOM, 5, 0.55, 45, 0.5, state=State.BATHROOM),
    "bath": Act(Zone.BATHROOM, 35, 0.5, 22, 0.7, state=State.BATHROOM),
    "talk": Act(Zone.LIVING, 35, 0.5, 35, 0.5),
    "set-table": Act(Zone.KITCHEN, 20, 0.4, 90, 0.3, fridge_h=8),
}
LONGEST_MIN = {"nap": 190.0, "doze": 180.0, "bath": 80.0, "toilet": 35.0, "phone": 130.0}
LONGEST_USUAL_MIN = 200.0

BY_DAY = {
    "tv": 2.2, "read": 0.8, "phone": 0.6, "rest": 0.7, "potter": 2.4, "chores": 1.6,
    "tidy-bedroom": 0.7, "laundry": 0.3, "snack": 1.0, "exercise": 0.4, "doze": 0.25,
}  # fmt: skip
BY_EVENING = {
    "tv-evening": 5.0, "read": 0.8, "phone": 0.8, "potter": 1.2, "snack": 0.8, "doze": 0.5,
    "rest": 0.3,
}  # fmt: skip
WHEN_ILL = {"lie": 5.0, "nap": 2.5, "tv": 0.4, "snack": 0.5, "phone": 0.2}
WITH_COMPANY = {"talk": 5.0, "set-table": 1.0, "eat": 1.0, "tv": 1.2, "potter": 0.8}
