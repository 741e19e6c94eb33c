"""The SCAIP block (SS 91100:2014, CLC TS 50134-9) that every event carries, as one table.

An alarm receiving centre that uses SCAIP takes these fields as they are, so its gateway is a table,
too. Codes are strings of digits, as in SCAIP's XML.
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


class What(Open):
    """What happened to an alarm, as the hub tells it."""

    RAISED = "raised"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel_asked"
    PRESENT = "present"
    CLEARED = "cleared"  # a sign of life: the reason of an automatic alarm is gone


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


BY_HAND = frozenset({Kind.HELP_BUTTON, Kind.PULL_CORD, Kind.SPOKEN})  # somebody asked for help
AUTOMATIC = frozenset(Kind) - BY_HAND - {Kind.TEST}
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
    Kind.BLOOD_PRESSURE: 3,  # who uses a cuff is up, and the hub has asked
}
FOLLOW_UP: dict[What, str] = {
    What.CANCELLED: "0019",
    What.CANCEL_ASKED: "0019",
    What.PRESENT: "0088",
    What.CLEARED: "0019",
}
REPORT: dict[Report, tuple[str, str]] = {
    Report.LINK_BACK: ("0023", "0112"),
    Report.MAINS_LOST: ("0023", "0085"),
    Report.MAINS_BACK: ("0023", "0086"),
    Report.BATTERY_LOW: ("0023", "0016"),
}
TECHNICAL = ("0023", "0112")  # for a report that only a newer program knows
CHECK_IN = ("0002", "0103")
ANNOUNCEMENT = ("0002", "0100")
UNWELL = ("0002", "0101")
CARE: dict[Care, tuple[str, str]] = {
    Care.COUNSELLING: UNWELL,
    Care.LOW_MOOD: UNWELL,
    Care.UNWELL: UNWELL,
    Care.NOT_BACK: ("0014", "0009"),
    Care.BACK: ("0014", "0019"),
}


def priority(kind: Kind) -> int:
    """Return an alarm's priority: 0 is the most urgent."""
    return URGENCY.get(kind, 0)


def of_alarm(kind: Kind, what: What, place: str, ref: str) -> Scaip:
    """Return the block of an alarm's event; priority 9 for tests, 3 for what can wait, else 0."""
    device, status = ALARM.get(kind, UNKNOWN)
    return Scaip(device, FOLLOW_UP.get(what, status), place, priority(kind), ref)


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
