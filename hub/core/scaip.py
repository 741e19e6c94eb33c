"""The SCAIP block (SS 91100:2014, CLC TS 50134-9) that every event carries, as one table.

An alarm receiving centre that speaks SCAIP takes these fields as they are, so its gateway is a
table too. Codes are strings of digits, as in SCAIP's XML.
"""

from enum import StrEnum

from msgspec import Struct


class Scaip(Struct, frozen=True):
    """Device type (`dty`), status code (`stc`), location (`lco`), priority (`pri`), reference."""

    dty: str
    stc: str
    lco: str
    pri: int
    ref: str


class Kind(StrEnum):
    """What raised an alarm."""

    HELP_BUTTON = "help_button"
    PULL_CORD = "pull_cord"
    TEST = "test"


class What(StrEnum):
    """What happened to an alarm, as the hub tells it."""

    RAISED = "raised"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel_asked"
    PRESENT = "present"


# kind -> (device type, status code while it lasts); pri 0 is the most urgent
ALARM: dict[Kind, tuple[str, str]] = {
    Kind.HELP_BUTTON: ("0004", "0010"),
    Kind.PULL_CORD: ("0004", "0010"),
    Kind.TEST: ("0004", "0102"),
}
FOLLOW_UP: dict[What, str] = {
    What.CANCELLED: "0019",
    What.CANCEL_ASKED: "0019",
    What.PRESENT: "0088",
}


class Report(StrEnum):
    """Technical reports of the hub."""

    LINK_BACK = "link_back"


REPORT: dict[Report, tuple[str, str]] = {Report.LINK_BACK: ("0023", "0112")}


def of_alarm(kind: Kind, what: What, place: str, ref: str) -> Scaip:
    """Give the block of an alarm's event; tests are priority 9, all else 0."""
    device, status = ALARM[kind]
    return Scaip(device, FOLLOW_UP.get(what, status), place, 9 if kind is Kind.TEST else 0, ref)


def of_report(report: Report, ref: str) -> Scaip:
    """Give the block of a technical report."""
    device, status = REPORT[report]
    return Scaip(device, status, "", 5, ref)
