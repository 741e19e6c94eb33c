"""The numbers of presence, quiet and routines; `[rules.quiet]` of the config.

Where a number is called a prior, it counts as so much evidence and fades as the home is learned.
"""

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Hour = Annotated[float, Meta(ge=0, le=24)]
Count = Annotated[int, Meta(gt=0)]


class QuietRules(Struct, frozen=True, forbid_unknown_fields=True):
    """How sure the house must be before it says that something is wrong."""

    alarms_a_day: Share = 0.03  # aimed at: the best paper has 0.09 (Wilhelm, Wahl 2024)
    new_days: Count = 5  # until so many days are learned, the safe limits hold as well
    least_s: Seconds = 3600.0  # no quiet is shorter, however regular a life: a long lie is 60 min
    most_s: Seconds = 12 * 3600.0  # no quiet at home is longer, whatever is usual there
    safe_day_s: Seconds = 6 * 3600.0  # fixed limits of 4 to 12 h are usual (field.md)
    safe_night_s: Seconds = 11 * 3600.0
    night_from_h: Hour = 22.0  # the night of a home that is not known yet
    night_to_h: Hour = 8.0
    forget_a_day: Share = 0.02  # of what is learned: half of it is older than 34 days
    believed_share: Share = 0.4  # of the activity that the working sensors usually see
    exit_s: Seconds = 180.0  # nothing moves for so long after the exit door: away
    linger_s: Seconds = 10.0  # a sensor by the door may still see who leaves, no other one
    passage_s: Seconds = 45.0  # edges of the door so close together are one passage
    return_s: Seconds = 600.0  # one blip without the door is no return; a second one within this is
    declared_away_s: Seconds = 12 * 3600.0  # "I'm going out" holds so long
    leave_s: Seconds = 600.0  # who has said so is by the door within this, coat and shoes on
    visitor_s: Seconds = 3 * 3600.0  # "I have a visitor" holds so long
    asleep_s: Seconds = 45 * 60.0
    bathroom_s: Seconds = 75 * 60.0  # never less; GrandCare, KT warn from 15 min by night
    door_open_s: Seconds = 3600.0
    door_still_s: Seconds = 1800.0
    out_at_night_s: Seconds = 1800.0
    wander_slots: Count = 12  # five-minute slots with activity in one night, never less
