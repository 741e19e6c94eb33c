"""The numbers of check-ins and of the ladder after a missed one; `[rules.care]` of the config.

`times = []` asks nobody; the rule of 24 and 48 hours holds all the same. Where nothing in the house
can speak, the default asks nobody either (`config.rules_of`).
"""

from typing import Annotated

from msgspec import Meta, Struct

from hub.contract.forms import TimeOfDay
from hub.contract.messages import Topic

Times = Annotated[tuple[TimeOfDay, ...], Meta(max_length=5)]  # Rescue Alert: up to five a day
Topics = Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=20)]
Attempts = Annotated[int, Meta(ge=1, le=5)]
Listening = Annotated[float, Meta(ge=10, le=600)]  # an old person needs some seconds to answer
Wait = Annotated[float, Meta(ge=60, le=14_400)]  # the ladder ends on the same day
Lateness = Annotated[float, Meta(ge=60, le=43_200)]
Silence = Annotated[float, Meta(ge=3600, le=1_209_600)]
Watching = Annotated[float, Meta(ge=0, le=43_200)]
Days = Annotated[int, Meta(ge=1, le=365)]


class CareRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When to ask, and what follows when nobody answers."""

    times: Times = ("09:00", "18:00")  # the default: once after rising, once at supper
    quiet_from: TimeOfDay = "21:00"  # nobody is asked from here ...
    quiet_until: TimeOfDay = "08:00"  # ... to here; where both are equal, at any time
    topics: Topics = tuple(Topic)  # in turn (CareCall, Waplat: all risk factors within a week)
    late_s: Lateness = 7200.0  # after an outage or an alarm, one check-in is made up for
    apart_s: Wait = 3600.0  # whatever the wall clock does, no two begin closer than this
    attempts: Attempts = 3  # Acticheck gives three chances, CareCall calls three times
    answer_s: Listening = 60.0  # how long an answer is waited for
    again_s: Wait = 300.0  # asked again after 5 min, and after 10 more
    remind_s: Wait = 1800.0  # from the first reminder to the second
    call_s: Wait = 3600.0  # from the second reminder to the centre (CareCall: the same day)
    callout_s: Silence = 86_400.0  # Waplat: after 24 h without a sign of life an automatic call,
    dispatch_s: Silence = 172_800.0  # after 48 h somebody goes and looks
    dark_s: Silence = 14_400.0  # off for so long: what became due meanwhile waits to be watched
    watch_s: Watching = 14_400.0  # so long, and up to
    spread_s: Watching = 14_400.0  # so much longer (Tunstall: 1 to 4 h after an area power cut)
    screen_days: Days = 14  # the two questions of the PHQ-2 are about the last two weeks
    need_again_s: Wait = 600.0  # what is said again within this is one need, told once
