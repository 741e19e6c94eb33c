"""The numbers that decide, and where each comes from. A home's config may change them."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from hub.core.care_rules import CareRules
from hub.core.quiet_rules import QuietRules
from hub.core.watch_rules import WatchRules

Seconds = Annotated[float, Meta(gt=0)]  # none of it may be 0: the engine would never rest
Count = Annotated[int, Meta(gt=0)]


class Role(StrEnum):
    """What a contact is for."""

    HELP_BUTTON = "help_button"
    PULL_CORD = "pull_cord"
    CANCEL_BUTTON = "cancel_button"
    DOOR = "door"
    EXIT_DOOR = "exit_door"
    AWAY_SWITCH = "away_switch"


class Sense(StrEnum):
    """What a device tells of the house."""

    MOTION = "motion"
    DOOR = "door"
    EXIT_DOOR = "exit_door"
    MAINS = "mains"
    BATTERY = "battery"
    WEARABLE = "wearable"


class Room(StrEnum):
    """Rooms of which a rule speaks; all others are `other`."""

    BATHROOM = "bathroom"
    BEDROOM = "bedroom"
    OTHER = "other"


class Sensor(Struct, frozen=True):
    """What a device senses, where, and how long it may be silent (0: it has no sign of life)."""

    sense: Sense
    place: str = ""
    room: Room = Room.OTHER
    silent_s: float = 0.0


class Button(Struct, frozen=True):
    """A contact's role, the room it is in, and whether a cut wire shows (as a press)."""

    role: Role
    place: str = ""
    normally_closed: bool = False


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds in the unit of their suffix."""

    hub: str = ""
    software: str = ""
    voice: str = ""  # the device that speaks
    buttons: dict[str, Button] = field(default_factory=dict)
    sensors: dict[str, Sensor] = field(default_factory=dict)
    quiet: QuietRules = field(default_factory=QuietRules)
    care: CareRules = field(default_factory=CareRules)
    watch: WatchRules = field(default_factory=WatchRules)
    press_settle_s: Seconds = 0.020  # product's promise: a level held 20 ms is a press
    release_settle_s: Seconds = 0.035  # shorter gaps are bounce; gaps of 50 ms part two presses
    hold_s: Seconds = 3.0  # the green button held on site: the responder is present
    stuck_s: Seconds = 60.0  # a cord caught in a door, a button jammed
    chatter_edges: Count = 200  # edges in `chatter_window_s` that no finger makes
    chatter_window_s: Seconds = 10.0
    wobble_presses: Count = 100  # presses in `wobble_window_s`: one every 6 s, for ten minutes
    wobble_window_s: Seconds = 600.0
    untold_calls: Count = 500  # a wobbling cord, offline: further ones would only fill the disk
    repeat_s: Seconds = 10.0  # so often is told that a button calls a stored alarm again
    repeat_doubtful_s: Seconds = 30.0  # by voice, or by a cord that wobbles: cards wear out
    warn_s: Seconds = 300.0  # NEAT NOVO, Tunstall: 60 s to 10 min before an automatic alarm
    warn_again_s: Seconds = 30.0
    spoken_sos: bool = True  # whether a call for help may be spoken
    spoken_s: Seconds = 15.0  # the promise: raised within 15 s of being heard
    spoken_again_s: Seconds = 60.0  # while nobody has stored the alarm: what is cried adds little
    cancel_window_s: Seconds = 10.0  # Chiptech SEVEN, Climax: 10 s for a press
    undelivered_s: Seconds = 10.0  # EN 50136 D4 asks <= 10 s mean to transmit
    quick_resend_s: Seconds = 5.0  # a withheld `received` is made good within 6 s
    quick_resends: Count = 24
    resend_s: Seconds = 30.0  # Chiptech SEVEN: 16 x 30 s, then every 10 min, without end
    resends: Count = 16
    slow_resend_s: Seconds = 600.0
    repeat_undelivered_s: Seconds = 30.0
    stage_lasts_s: Seconds = 600.0  # without a link; the centre gives a forgotten take back by then
    repeat_received_s: Seconds = 60.0  # TSA: 97.5 % are answered in 60 s
    farewell_s: Seconds = 5.0  # how long closed and cancelled stay on the lamp
    offline_s: Seconds = 20.0  # the lamp says offline only when a reconnect has had its chance
    state_interval_s: Seconds = 30.0  # loss is to be reported in <= 90 s: three missed are lost
    alarm_state_interval_s: Seconds = 10.0  # how soon a lamp that missed an ack is put right
    command_age_s: Seconds = 300.0  # a command that is older than this was held back by someone
