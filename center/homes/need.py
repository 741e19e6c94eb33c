"""What a resident needs that is no emergency, as a task for a person of the centre. Pure.

open --call: not reached--> open      open --call: reached, or a visit arranged--> done
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.core.border import Open

NOTE_MAX = 2000  # characters


class NeedKind(Open):
    """Why somebody should call. What was unclear was not fine, so it is here too."""

    MISSED_CHECKIN = "missed_checkin"
    UNCLEAR = "unclear"
    WORDLESS = "wordless"  # sounds alone, twice: a groan, a cough
    UNWELL = "unwell"
    COUNSELLING = "counselling"
    LOW_MOOD = "low_mood"
    NOT_BACK = "not_back"


class Called(Open):
    """What came of it. `by_incident`: the same home's alarm was closed by a person."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    VISIT_ARRANGED = "visit_arranged"
    BY_INCIDENT = "by_incident"

    @property
    def ends(self) -> bool:
        """Whether nothing is left to do after it."""
        return self is not Called.NOT_REACHED


CHOICES = (Called.REACHED, Called.NOT_REACHED, Called.VISIT_ARRANGED)  # a person's own


class WhyNot(StrEnum):
    """Why a need was not handled."""

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
    last_utc: float  # when the home said it again
    score: int = 0  # of a screening
    tries: int = 0  # calls that nobody answered
    result: Called | None = None
    called_utc: float | None = None
    called_by: str = ""
    done_utc: float | None = None
    eased_utc: float | None = None  # a missed check-in: the resident has shown life since

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


class NotHandled(Struct, frozen=True):
    """The need as it stays; its `called_*` say who was first."""

    why: WhyNot
    need: Need | None = None


def handle(need: Need, tried: Try) -> Need | NotHandled:
    """Note what came of a call, decided against the version that the operator looked at."""
    if not need.is_open:
        return NotHandled(WhyNot.IS_DONE, need)
    if tried.version is not None and tried.version != need.version:
        return NotHandled(WhyNot.STALE, need)
    if tried.result is None:
        return NotHandled(WhyNot.NO_RESULT, need)
    if len(tried.note) > NOTE_MAX:
        return NotHandled(WhyNot.NOTE_TOO_LONG, need)
    return replace(
        need,
        version=need.version + 1,
        tries=need.tries + (not tried.result.ends),
        result=tried.result,
        called_utc=tried.utc,
        called_by=tried.by,
        done_utc=tried.utc if tried.result.ends else None,
    )


def said_again(need: Need, utc: float, score: int) -> Need:
    """Fold the same need of the same home into its open task: what had eased it is over."""
    latest = max(utc, need.last_utc)
    return replace(need, last_utc=latest, score=max(score, need.score), eased_utc=None)
