"""The numbers of supervision; `[rules.watch]` of the config."""

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]


class WatchRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When a device's trouble is told. How long it may be silent is its own (`Sensor.silent_s`)."""

    stuck_s: Seconds = 1800.0  # motion without a break: nobody moves for so long without a rest
    short_s: Seconds = 2.0  # a walker keeps a motion sensor busy for longer, a door is slower
    chatter_pulses: Annotated[int, Meta(gt=0)] = 60  # so many short pulses in a window: a flood
    chatter_window_s: Seconds = 60.0
    lone_s: Seconds = 8 * 3600.0  # a night in bed is seen by one sensor alone: never less is noise
    noisy_s: Seconds = 86_400.0  # a fault for noise stands until so long after it
    unmoved_s: Seconds = 7 * 86_400.0  # others saw life all that time: is its wire off?
    low_pct: Percent = 15.0
    fair_pct: Percent = 25.0  # a battery must recover by so much, or be a new one
    remind_s: Seconds = 86_400.0  # low battery: repeated daily until fixed
    mains_lost_s: Seconds = 120.0  # UL: reported within 180 s; shorter blips are nobody's trouble
    flap_s: Seconds = 60.0  # the second end of a fault in a day must last so long, each next twice
    flap_most_s: Seconds = 3600.0  # then a fault that comes and goes is told some 30 times a day
    flap_forget_s: Seconds = 86_400.0  # without it so long, it begins anew
    power_up_s: Seconds = 300.0  # a hub that starts so soon after its machine had no power
    spread_s: Annotated[float, Meta(ge=0)] = 3600.0  # Tunstall: 1 to 4 h after an area power cut
