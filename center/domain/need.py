"""A task for a person of the centre that is no emergency: a call, or equipment that fails. Pure.

open --call: not reached--> open      open --call: reached, or a visit arranged--> done

A task is of one home (`hub`), or of all homes of an area where equipment fails (`area`):

open --taken--> open, with a name     open --seen to, or all is well again--> done
seen to, and it still fails after `AGAIN_S`--> open
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.border import Open

NOTE_MAX = 2000  # characters
AGAIN_S = 86_400.0  # a task whose equipment still fails is open again after a day
VISIT_DAYS = 7  # of `again_s`: a visit only to try a button may wait
TEST_S = 600.0  # a phone call: find the button, press it, hear what the hub says


class NeedKind(Open):
    """Why somebody should call. What was unclear was not fine, so it is here too."""

    MISSED_CHECKIN = "missed_checkin"
    UNCLEAR = "unclear"
    WORDLESS = "wordless"  # two answers were only sounds: a groan, a cough
    UNWELL = "unwell"
    COUNSELLING = "counselling"
    LOW_MOOD = "low_mood"
    NOT_BACK = "not_back"
    READING = "reading"  # of the body, beyond a limit; no alarm was made of it
    PRESS_DUE = "press_due"  # nobody has pressed the help button for a month: try it together
    HUB_LOST = "hub_lost"  # this and the next two: of an area, with its homes as parts
    TRIGGER_FAULT = "trigger_fault"
    DEVICE_FAULT = "device_fault"

    @property
    def is_of_area(self) -> bool:
        """Whether it is about equipment that fails, gathered by area."""
        return self in _OF_AREA

    @property
    def choices(self) -> "tuple[Called, ...]":
        """What a person may choose as the result."""
        return _ACTS if self.is_of_area else _TESTS if self is NeedKind.PRESS_DUE else CHOICES


_OF_AREA = frozenset({NeedKind.HUB_LOST, NeedKind.TRIGGER_FAULT, NeedKind.DEVICE_FAULT})


class Called(Open):
    """What came of it. `by_incident`: the same home's alarm was closed by a person."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    VISIT_ARRANGED = "visit_arranged"
    BY_INCIDENT = "by_incident"
    TAKEN = "taken"  # by an operator, until it is done or the shift is over
    NOTED = "noted"  # only a note
    SEEN_TO = "seen_to"  # nothing is left to do at the centre, though it may still fail
    TEST_TOLD = "test_told"  # the next press of this home is a test, for some minutes
    BY_ITSELF = "by_itself"  # all of it works again, or the button was pressed

    @property
    def ends(self) -> bool:
        """Whether nothing is left to do after it."""
        return self in _ENDS


_ENDS = frozenset({
    Called.REACHED, Called.VISIT_ARRANGED, Called.BY_INCIDENT, Called.SEEN_TO, Called.BY_ITSELF,
})  # fmt: skip
_OTHERS = frozenset({Called.BY_INCIDENT, Called.BY_ITSELF})  # set by the program, for any kind
CHOICES = (Called.REACHED, Called.NOT_REACHED, Called.VISIT_ARRANGED)  # a person's own
_ACTS = (Called.TAKEN, Called.NOTED, Called.VISIT_ARRANGED, Called.SEEN_TO)
_TESTS = (Called.TEST_TOLD, Called.NOT_REACHED, Called.VISIT_ARRANGED)


class WhyNot(StrEnum):
    """Why a call about a task was not noted."""

    NOT_FOUND = "not_found"
    STALE = "stale"  # somebody else has called since the operator looked at it
    IS_DONE = "is_done"
    NO_RESULT = "no_result"
    NOTHING_CHOSEN = "nothing_chosen"
    NOTE_TOO_LONG = "note_too_long"


class Need(Struct, frozen=True):
    """A task; times are the centre's clock, UTC seconds. `version` counts what people did."""

    id: str
    hub: str
    kind: NeedKind
    version: int
    since_utc: float
    last_utc: float  # when the home reported it last
    score: int = 0  # of a screening
    tries: int = 0  # calls that nobody answered
    result: Called | None = None
    called_utc: float | None = None
    called_by: str = ""
    done_utc: float | None = None
    eased_utc: float | None = None  # a missed check-in: the resident has shown life since
    area: str = ""  # where equipment fails; empty too: homes of which no address is known
    taken_by: str = ""  # who sees to it; also who told of a test press
    taken_utc: float | None = None
    until_utc: float | None = None  # a test press: until then; an area: when it is looked at again

    @property
    def is_open(self) -> bool:
        """Whether a person has yet to deal with it."""
        return self.done_utc is None


class Try(Struct, frozen=True):
    """A person's call: who, when, what came of it, and the version looked at (None: any)."""

    by: str
    utc: float
    result: Called | None
    note: str = ""
    version: int | None = None
    again_s: float = AGAIN_S
    test_s: float = TEST_S


class NotHandled(Struct, frozen=True):
    """A call that was not noted, with the task as it is; its `called_*` say who was first."""

    why: WhyNot
    need: Need | None = None


def handle(need: Need, tried: Try) -> Need | NotHandled:
    """Return the task after a call, or why not: decided against the version looked at."""
    if not need.is_open:
        return NotHandled(WhyNot.IS_DONE, need)
    if tried.version is not None and tried.version != need.version:
        return NotHandled(WhyNot.STALE, need)
    if tried.result is None or tried.result not in {*need.kind.choices, *_OTHERS}:
        return NotHandled(WhyNot.NO_RESULT, need)
    if len(tried.note) > NOTE_MAX:
        return NotHandled(WhyNot.NOTE_TOO_LONG, need)
    need = _held(need, tried)
    return replace(
        need,
        version=need.version + 1,
        tries=need.tries + (tried.result is Called.NOT_REACHED),
        result=tried.result,
        called_utc=tried.utc,
        called_by=tried.by,
        done_utc=tried.utc if tried.result.ends else None,
    )


def _held(need: Need, tried: Try) -> Need:
    """Set who has the task (who takes it or announces a test press), and until when."""
    match tried.result:
        case Called.TAKEN:
            return replace(need, taken_by=tried.by, taken_utc=tried.utc)
        case Called.TEST_TOLD:
            until = tried.utc + tried.test_s
            return replace(need, taken_by=tried.by, taken_utc=tried.utc, until_utc=until)
        case Called.SEEN_TO | Called.VISIT_ARRANGED:
            days = VISIT_DAYS if need.kind is NeedKind.PRESS_DUE else 1
            return replace(need, until_utc=tried.utc + tried.again_s * days)
        case _:
            return need


def given_back(need: Need) -> Need:
    """Return the task without its holder, whose shift is over."""
    return replace(need, taken_by="", taken_utc=None)


def opened_again(need: Need, utc: float) -> Need:
    """Return a task that was over as open again, since its equipment fails still or again."""
    again = replace(given_back(need), last_utc=utc, result=None, done_utc=None, until_utc=None)
    return replace(again, version=need.version + 1, called_utc=None, called_by="")


def said_again(need: Need, utc: float, score: int) -> Need:
    """Return the open task after its home reported the same again; it is no longer eased."""
    latest = max(utc, need.last_utc)
    return replace(need, last_utc=latest, score=max(score, need.score), eased_utc=None)
