"""The numbers that decide, and the source of each. A home's settings may change them.

`Rules` holds all of them, and which contacts and sensors the home has.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from hub.contract.forms import TimeOfDay
from hub.contract.messages import Topic
from hub.contract.scaip import Kind

Seconds = Annotated[float, Meta(gt=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Hour = Annotated[float, Meta(ge=0, le=24)]
Times = Annotated[tuple[TimeOfDay, ...], Meta(max_length=5)]  # Rescue Alert: up to five a day
Topics = Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=20)]
Attempts = Annotated[int, Meta(ge=1, le=5)]
Listening = Annotated[float, Meta(ge=10, le=600)]  # an old person needs some seconds to answer
Wait = Annotated[float, Meta(ge=60, le=14_400)]  # so that the escalation ends on the same day
Lateness = Annotated[float, Meta(ge=60, le=43_200)]
Silence = Annotated[float, Meta(ge=3600, le=1_209_600)]
Watching = Annotated[float, Meta(ge=0, le=43_200)]
Days = Annotated[int, Meta(ge=1, le=365)]


class Role(StrEnum):
    """What a contact is for."""

    HELP_BUTTON = "help_button"
    PULL_CORD = "pull_cord"
    CANCEL_BUTTON = "cancel_button"
    DOOR = "door"
    EXIT_DOOR = "exit_door"
    AWAY_SWITCH = "away_switch"


CALL_OF_ROLE = {Role.HELP_BUTTON: Kind.HELP_BUTTON, Role.PULL_CORD: Kind.PULL_CORD}


class Sense(StrEnum):
    """What a sensor reports."""

    MOTION = "motion"
    DOOR = "door"
    EXIT_DOOR = "exit_door"
    MAINS = "mains"
    BATTERY = "battery"
    WEARABLE = "wearable"
    WINDOW = "window"
    OCCUPANCY = "occupancy"
    VIBRATION = "vibration"
    SMOKE = "smoke"
    GAS = "gas"
    CARBON_MONOXIDE = "carbon_monoxide"
    MOISTURE = "moisture"


class Room(StrEnum):
    """The rooms that a rule names; every other room is `other`."""

    BATHROOM = "bathroom"
    BEDROOM = "bedroom"
    OTHER = "other"


class Button(Struct, frozen=True):
    """The role of a contact or pendant, its room, and whether a cut wire shows (as a press).

    `wireless` names a pendant, so that its presses are remembered: its address and a digest of its
    key. It is empty for what is wired.
    `silent_s` is how long it may be silent (0: it gives no sign of life).
    """

    role: Role
    place: str = ""
    normally_closed: bool = False
    wireless: str = ""
    silent_s: float = 0.0

    @property
    def call(self) -> Kind | None:
        """What its press calls as; None: it does not call."""
        kind = CALL_OF_ROLE.get(self.role)
        return Kind.PENDANT if kind and self.wireless else kind


class Sensor(Struct, frozen=True):
    """What a device senses, where, and how long it may be silent (0: it gives no sign of life)."""

    sense: Sense
    place: str = ""
    room: Room = Room.OTHER
    silent_s: float = 0.0


class WatchRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When a device's fault is told. How long it may be silent is in `Sensor.silent_s`."""

    stuck_s: Seconds = 1800.0  # motion without a break: nobody moves for so long without a rest
    short_s: Seconds = 2.0  # a walker keeps a motion sensor busy for longer, a door is slower
    chatter_pulses: Annotated[int, Meta(gt=0)] = 60  # so many short pulses in a window: a flood
    chatter_window_s: Seconds = 60.0
    lone_s: Seconds = 8 * 3600.0  # a night in bed is seen by one sensor alone; less is never noise
    noisy_s: Seconds = 86_400.0  # the fault NOISY ends so long after the last noise
    unmoved_s: Seconds = 7 * 86_400.0  # others saw life all that time: its wire may be off
    low_pct: Percent = 15.0
    fair_pct: Percent = 25.0  # a battery must recover by so much, or be a new one
    remind_s: Seconds = 86_400.0  # low battery: repeated daily until fixed
    mains_lost_s: Seconds = 120.0  # UL: reported within 180 s; shorter cuts are not told
    flap_s: Seconds = 60.0  # a fault's second end in a day must last so long; each next one twice
    flap_most_s: Seconds = 3600.0  # then a fault that comes and goes is told some 30 times a day
    flap_forget_s: Seconds = 86_400.0  # after so long without the fault the count begins anew
    power_up_s: Seconds = 300.0  # a hub that starts so soon after its machine: power is back
    spread_s: Annotated[float, Meta(ge=0)] = 3600.0  # Tunstall: 1 to 4 h after an area power cut


class QuietRules(Struct, frozen=True, forbid_unknown_fields=True):
    """How long nothing may move, and how sure the hub must be, before it warns."""

    alarms_a_day: Share = 0.03  # aimed at: the best paper has 0.09 (Wilhelm, Wahl 2024)
    new_days: Count = 5  # until so many days are learned, the safe limits apply as well
    least_s: Seconds = 3600.0  # no quiet is shorter, however regular a life: a long lie is 60 min
    most_s: Seconds = 12 * 3600.0  # no quiet at home is longer, whatever is usual there
    safe_day_s: Seconds = 6 * 3600.0  # fixed limits of 4 to 12 h are usual (field.md)
    safe_night_s: Seconds = 11 * 3600.0
    night_from_h: Hour = 22.0  # the night of a home that is not known yet
    night_to_h: Hour = 8.0
    forget_a_day: Share = 0.02  # of what is learned: half of it is older than 34 days
    believed_share: Share = 0.4  # the least share of the activity that working sensors usually see
    exit_s: Seconds = 180.0  # the resident is away when nothing moves so long after the exit door
    linger_s: Seconds = 10.0  # so long a sensor by the door may still see who leaves
    passage_s: Seconds = 45.0  # edges of the door so close together are one passage
    return_s: Seconds = 600.0  # one pulse without the door is no return; a second within this is
    declared_away_s: Seconds = 12 * 3600.0  # "I'm going out" holds so long
    leave_s: Seconds = 600.0  # who said so needs at most so long for coat, shoes and door
    visitor_s: Seconds = 3 * 3600.0  # "I have a visitor" holds so long
    asleep_s: Seconds = 45 * 60.0
    bathroom_s: Seconds = 75 * 60.0  # the least limit; GrandCare, KT warn from 15 min by night
    door_open_s: Seconds = 3600.0
    door_still_s: Seconds = 1800.0
    out_at_night_s: Seconds = 1800.0
    wander_slots: Count = 12  # five-minute slots with activity in one night: the least limit


class CareRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When check-ins are asked, and what follows when nobody answers."""

    times: Times = ("09:00", "18:00")  # the default: once after rising, once at supper
    quiet_from: TimeOfDay = "21:00"  # nobody is asked from this time ...
    quiet_until: TimeOfDay = "08:00"  # ... to this; where both are equal, at any time
    topics: Topics = tuple(Topic)  # in turn (CareCall, Waplat: all risk factors within a week)
    late_s: Lateness = 7200.0  # after an outage or an alarm a check-in is asked at most so late
    apart_s: Wait = 3600.0  # two begin at least so far apart, whatever the wall clock does
    attempts: Attempts = 3  # Acticheck gives three chances, CareCall calls three times
    answer_s: Listening = 60.0  # how long an answer is waited for
    again_s: Wait = 300.0  # asked again after 5 min, and after 10 more
    remind_s: Wait = 1800.0  # from the first reminder to the second
    call_s: Wait = 3600.0  # from the second reminder to the centre (CareCall: the same day)
    callout_s: Silence = 86_400.0  # Waplat: after 24 h without a sign of life an automatic call
    dispatch_s: Silence = 172_800.0  # Waplat: after 48 h somebody goes and looks
    dark_s: Silence = (
        14_400.0  # off for so long, the hub first watches, then calls (`activity.dark`)
    )
    watch_s: Watching = 14_400.0  # it watches so long, and up to `spread_s` longer
    spread_s: Watching = 14_400.0  # Tunstall: 1 to 4 h after an area power cut
    screen_days: Days = 14  # the two questions of the PHQ-2 are about the last two weeks
    need_again_s: Wait = 600.0  # the same need said again within this is told once


class VitalRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When a reading of the body is asked about. The resident's own limits come from the centre."""

    high_rest_bpm: Seconds = 120.0  # a common watch setting, for 10 min at rest (field.md)
    high_s: Seconds = 600.0
    low_bpm: Seconds = 40.0  # the lowest that watches offer as a rule; beta blockers give 50
    low_s: Seconds = 600.0
    low_oxygen_pct: Percent = (
        90.0  # WHO, Pulse Oximetry Training Manual 2011: below is an emergency
    )
    critical_oxygen_pct: Percent = 85.0  # then "I am fine" is no answer: it dulls the judgement
    high_systolic_mmhg: Seconds = 180.0  # ACC/AHA 2017: hypertensive crisis
    high_diastolic_mmhg: Seconds = 120.0
    low_systolic_mmhg: float = 90.0  # NEWS2 (RCP 2017) scores 3 up to 90
    low_diastolic_mmhg: float = 0.0  # none: no guideline has one
    rest_s: Seconds = 300.0  # Palatini 2006 (J Hypertens 24:603): measured after 5 min of rest
    gap_s: Seconds = 180.0  # without a reading for so long an episode is over
    settle_s: Seconds = 20.0  # an oximeter shows nonsense for the first seconds on a finger
    again_s: Seconds = 4 * 3600.0  # after an answer the same is not asked again for so long
    again_raised_s: Seconds = 3600.0  # nor after an alarm
    summary_s: Seconds = 900.0


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """All rules of one home. Each threshold is in the unit of its suffix."""

    hub: str = ""
    software: str = ""
    voice: str = ""  # the device that speaks
    radio: str = ""  # the device that pairs Bluetooth devices
    setup: str = ""  # the device that registers the hub and brings it onto the network
    enrolled: bool = False  # `hub` is the name of the identity on the disk
    buttons: dict[str, Button] = field(default_factory=dict)
    sensors: dict[str, Sensor] = field(default_factory=dict)
    phones: tuple[str, ...] = ()
    phones_told: tuple[str, ...] = ()  # of those, by the resident's consent: told when seen
    listed: bool = True  # False: the list of wireless devices could not be read
    quiet: QuietRules = field(default_factory=QuietRules)
    care: CareRules = field(default_factory=CareRules)
    watch: WatchRules = field(default_factory=WatchRules)
    vitals: VitalRules = field(default_factory=VitalRules)
    press_settle_s: Seconds = 0.020  # the product's promise: a level held 20 ms is a press
    release_settle_s: Seconds = 0.035  # shorter gaps are bounce; a gap of 50 ms separates presses
    hold_s: Seconds = 3.0  # the green button held on site: the responder is present
    pairing_hold_s: Seconds = 10.0  # the green button: no cancel and no responder holds so long
    pairing_s: Annotated[float, Meta(gt=0, le=600)] = (
        120.0  # the window; phones search 60 s
    )
    hotspot_s: Annotated[float, Meta(gt=0, le=3600)] = 600.0  # to find a phone and a password
    own_network_s: Seconds = (
        180.0  # so long a call has for the network that there is: a router starts
    )
    digits_said_s: Seconds = 900.0  # as long as digits are valid: somebody is still there
    digits_again_s: Seconds = 20.0  # they are said twice; reading them back takes so long
    stuck_s: Seconds = 60.0  # a cord caught in a door, a button jammed
    chatter_edges: Count = 200  # edges in `chatter_window_s` that no finger makes
    chatter_window_s: Seconds = 10.0
    wobble_presses: Count = 100  # presses in `wobble_window_s`: one every 6 s, for ten minutes
    wobble_window_s: Seconds = 600.0
    untold_calls: Count = 500  # more calls of a wobbling cord, offline, would only fill the disk
    repeat_s: Seconds = 10.0  # how often a button's further call of a stored alarm is told
    repeat_doubtful_s: Seconds = 30.0  # by voice or by a wobbling cord: SD cards wear out
    warn_s: Seconds = 300.0  # NEAT NOVO, Tunstall: 60 s to 10 min before an automatic alarm
    warn_again_s: Seconds = 30.0
    spoken_sos: bool = True  # whether a call for help may be spoken
    spoken_s: Seconds = 15.0  # the promise: raised within 15 s of being heard
    spoken_again_s: Seconds = 60.0  # while the centre has not stored the alarm, cries add little
    cancel_window_s: Seconds = 10.0  # Chiptech SEVEN, Climax: 10 s for a press
    undelivered_s: Seconds = 10.0  # EN 50136 D4 asks <= 10 s mean to transmit
    quick_resend_s: Seconds = 5.0  # so a lost `received` is replaced within 6 s
    quick_resends: Count = 24
    resend_s: Seconds = 30.0  # Chiptech SEVEN: 16 x 30 s, then every 10 min, without end
    resends: Count = 16
    slow_resend_s: Seconds = 600.0
    repeat_undelivered_s: Seconds = 30.0
    stage_lasts_s: Seconds = 600.0  # without a link; by then a forgotten alarm is open again there
    repeat_received_s: Seconds = 60.0  # TSA: 97.5 % are answered in 60 s
    farewell_s: Seconds = 5.0  # how long closed and cancelled stay on the lamp
    all_clear_s: Seconds = 60.0  # a detector that swings between on and off is not at rest
    hazard_again_s: Seconds = 1800.0  # one that still finds it so long after its alarm was closed
    refused_s: Seconds = 86_400.0  # the fault of refused frames ends so long after the last one
    early_s: Seconds = 60.0  # a new pendant may call before the hub has read the new list
    offline_s: Seconds = 20.0  # the lamp shows offline only after the time that a reconnect takes
    state_interval_s: Seconds = 30.0  # three missed mean lost: loss is to be reported in <= 90 s
    alarm_state_interval_s: Seconds = 10.0  # how soon a lamp that missed an ack is corrected
    command_age_s: Seconds = 300.0  # an older command was held back by somebody
