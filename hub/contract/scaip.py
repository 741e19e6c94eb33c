"""The SCAIP block (SS 91100:2014, CLC TS 50134-9) that every event carries, as one table.

An alarm receiving centre that uses SCAIP takes these fields as they are, so its gateway is a table,
too. Codes are strings of digits, as in SCAIP's XML. They were checked against the names that a
public gateway gives them (github.com/caruhome/scaip-gateway, `spec.py`): device 0003 personal
trigger, 0019 heart-rate monitor, 0021 gas, 0023 smoke, 0026 carbon monoxide, 0031 system monitor,
0032 communication link, 0033 flood, 0041 power supply, 0049 monitoring device; status 0009
automatic alarm, 0010 manual alarm, 0041 executed, 0046 high level, 0064 low level, 0092 automatic
reset, 0110 assistance. It has none for oxygen or blood pressure: that these are a monitoring
device's is our choice.
"""

from msgspec import Struct

from hub.contract.border import Open


class Scaip(Struct, frozen=True):
    """Device type (`dty`), status code (`stc`), location (`lco`), priority (`pri`), reference."""

    dty: str
    stc: str
    lco: str
    pri: int
    ref: str


class Kind(Open):
    """What raised an alarm."""

    HELP_BUTTON = "help_button"
    PULL_CORD = "pull_cord"
    SPOKEN = "spoken"  # a call for help that the voice heard and the resident did not take back
    TEST = "test"
    QUIET = "quiet"  # no sign of activity for longer than is usual at this hour
    NOT_UP = "not_up"  # not up long after the usual time
    LONG_BATHROOM = "long_bathroom"
    NIGHT_WANDERING = "night_wandering"
    DOOR_OPEN = "door_open"
    OUT_AT_NIGHT = "out_at_night"
    MISSED_CHECKIN = "missed_checkin"
    NO_LIFE = "no_life"  # no sign of life for so long that somebody must go and look
    HEART_RATE = "heart_rate"  # too fast at rest, or too slow, for minutes
    OXYGEN = "oxygen"  # too little in the blood
    BLOOD_PRESSURE = "blood_pressure"  # far too high, or too low
    PENDANT = "pendant"  # a wireless button, worn or on a wall
    SMOKE = "smoke"
    GAS = "gas"
    CARBON_MONOXIDE = "carbon_monoxide"
    WATER = "water"  # where there should be none; it can wait


class What(Open):
    """What happened to an alarm, as the hub tells it."""

    RAISED = "raised"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel_asked"
    PRESENT = "present"
    CLEARED = "cleared"  # the reason is gone: by a sign of life, or a detector finds no more


class Report(Open):
    """Technical reports of the hub."""

    LINK_BACK = "link_back"
    MAINS_LOST = "mains_lost"
    MAINS_BACK = "mains_back"
    BATTERY_LOW = "battery_low"


class Care(Open):
    """What a resident needs that is no emergency."""

    COUNSELLING = "counselling"  # asked for
    LOW_MOOD = "low_mood"  # PHQ-2 of 3 or more (Kroenke, Spitzer, Williams 2003)
    UNWELL = "unwell"  # said so in a check-in
    NOT_BACK = "not_back"  # out by the door, without a word, for longer than is usual
    BACK = "back"  # at home again, after that
    READING = "reading"  # a reading beyond a limit, of which no alarm was made


BY_HAND = frozenset({Kind.HELP_BUTTON, Kind.PULL_CORD, Kind.SPOKEN, Kind.PENDANT})  # asked for help
HAZARDS = frozenset({Kind.SMOKE, Kind.GAS, Kind.CARBON_MONOXIDE})  # leave the house, call 119
DETECTED = HAZARDS | {Kind.WATER}  # a detector found it: raised at once, and never as another kind
AUTOMATIC = frozenset(Kind) - BY_HAND - DETECTED - {Kind.TEST}  # judged by the hub, after a warning
# kind -> (device type, status code while it lasts); pri 0 is the most urgent
ALARM: dict[Kind, tuple[str, str]] = {
    Kind.HELP_BUTTON: ("0004", "0010"),
    Kind.PULL_CORD: ("0004", "0010"),
    Kind.SPOKEN: ("0004", "0010"),  # the hub's own call, as by its button
    Kind.TEST: ("0004", "0102"),
    Kind.QUIET: ("0010", "0009"),
    Kind.NOT_UP: ("0010", "0009"),
    Kind.LONG_BATHROOM: ("0010", "0009"),
    Kind.NIGHT_WANDERING: ("0010", "0009"),
    Kind.DOOR_OPEN: ("0014", "0077"),
    Kind.OUT_AT_NIGHT: ("0014", "0009"),
    Kind.MISSED_CHECKIN: ("0002", "0104"),
    Kind.NO_LIFE: ("0010", "0009"),
    Kind.PENDANT: ("0003", "0010"),
    Kind.SMOKE: ("0023", "0009"),
    Kind.GAS: ("0021", "0009"),
    Kind.CARBON_MONOXIDE: ("0026", "0009"),
    Kind.WATER: ("0033", "0009"),
    Kind.HEART_RATE: ("0019", "0046"),
    Kind.OXYGEN: ("0049", "0064"),
    Kind.BLOOD_PRESSURE: ("0049", "0046"),
}
UNKNOWN = ("0004", "0010")  # for a kind that only a newer program knows: the hub's own call
URGENCY = {
    Kind.TEST: 9,
    Kind.MISSED_CHECKIN: 3,
    Kind.DOOR_OPEN: 3,
    Kind.NIGHT_WANDERING: 3,
    Kind.WATER: 3,
    Kind.BLOOD_PRESSURE: 3,  # who uses a cuff is up, and the hub has asked
}
FOLLOW_UP: dict[What, str] = {
    What.CANCELLED: "0019",
    What.CANCEL_ASKED: "0019",
    What.PRESENT: "0088",
    What.CLEARED: "0019",
}
LOW = "0064"
ALL_CLEAR = "0092"  # automatic reset: a detector finds nothing any more
REPORT: dict[Report, tuple[str, str]] = {
    Report.LINK_BACK: ("0032", "0112"),
    Report.MAINS_LOST: ("0041", "0085"),
    Report.MAINS_BACK: ("0041", "0086"),
    Report.BATTERY_LOW: ("0031", "0016"),
}
TECHNICAL = ("0031", "0062")  # a log entry: for a report that only a newer program knows
CHECK_IN = ("0002", "0041")
ANNOUNCEMENT = ("0002", "0041")
UNWELL = ("0002", "0110")
CARE: dict[Care, tuple[str, str]] = {
    Care.COUNSELLING: UNWELL,
    Care.LOW_MOOD: UNWELL,
    Care.UNWELL: UNWELL,
    Care.NOT_BACK: ("0014", "0009"),
    Care.BACK: ("0014", "0019"),
    Care.READING: UNWELL,
}


def priority(kind: Kind) -> int:
    """Return an alarm's priority: 0 is the most urgent."""
    return URGENCY.get(kind, 0)


def of_alarm(kind: Kind, what: What, place: str, ref: str, *, low: bool = False) -> Scaip:
    """Return the block of an alarm's event; priority 9 for tests, 3 for what can wait, else 0.

    `low`: what was read is below a limit, not above one.
    """
    device, status = ALARM.get(kind, UNKNOWN)
    status = FOLLOW_UP.get(what, LOW if low else status)
    if what is What.CLEARED and kind in DETECTED:
        status = ALL_CLEAR
    return Scaip(device, status, place, priority(kind), ref)


def of_check_in(ref: str) -> Scaip:
    """Return the block of a check-in's result."""
    device, status = CHECK_IN
    return Scaip(device, status, "", 5, ref)


def of_announcement(ref: str) -> Scaip:
    """Return the block of an announcement's receipt."""
    device, status = ANNOUNCEMENT
    return Scaip(device, status, "", 7, ref)


def of_care(care: Care, ref: str) -> Scaip:
    """Return the block of a need."""
    device, status = CARE.get(care, UNWELL)
    return Scaip(device, status, "", 3, ref)


def of_report(report: Report, ref: str) -> Scaip:
    """Return the block of a technical report."""
    device, status = REPORT.get(report, TECHNICAL)
    return Scaip(device, status, "", 5, ref)
