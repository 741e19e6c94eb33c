"""The shapes of the API's JSON on homes. Pure; times are RFC 3339 in UTC."""

from msgspec import Struct

from center.domain.need import Called, NeedKind
from center.domain.record import Record
from hub.contract.messages import AnsweredBy, CheckInResult, PresenceKind, Topic


class HomeOut(Struct, frozen=True):
    """A home's record; `version` 0 where none was written. To read it is written down."""

    hub: str
    version: int
    changed: str | None
    changed_by: str
    record: Record
    rooms: dict[str, str]  # device -> room


class HourOut(Struct, frozen=True):
    """An hour: activations by device and by room; hours that are missing are not known."""

    begin: str
    clock_synced: bool
    devices: dict[str, int]
    rooms: dict[str, int]
    presence: PresenceKind
    asleep_s: float
    away_s: float


class ActivityOut(Struct, frozen=True):
    """A home's hours, oldest first."""

    hub: str
    hours: tuple[HourOut, ...]


class CheckInOut(Struct, frozen=True):
    """A check-in's result."""

    hub: str
    checkin: str
    day: str
    slot: str
    topic: Topic
    result: CheckInResult
    by: AnsweredBy
    attempts: int
    due: str
    clock_synced: bool
    wordless: int = 0  # answers that were sounds without a word


class CheckIns(Struct, frozen=True):
    """All homes' check-ins of a day."""

    day: str
    checkins: tuple[CheckInOut, ...]


class CallOut(Struct, frozen=True):
    """A call that was made."""

    at: str
    by: str
    result: Called
    note: str


class NeedOut(Struct, frozen=True):
    """A task: `version` counts what people did; `done` is null while it is open."""

    id: str
    hub: str
    kind: NeedKind
    version: int
    since: str
    last: str
    score: int
    tries: int
    eased: str | None
    done: str | None
    calls: tuple[CallOut, ...]
    area: str = ""  # of equipment that fails; `hub` is empty there
    homes: int = 1  # in which it still fails
    taken_by: str = ""
    until: str | None = None  # a test press holds until then


class PartOut(Struct, frozen=True):
    """A home of a task on equipment; `over` is null while it fails."""

    hub: str
    device: str
    fault: str  # empty: its hub is out of reach, or a button is to be pressed
    detail: str
    since: str
    over: str | None
    times: int  # it came back so often


class NeedWhole(Struct, frozen=True):
    """A task with a page of its parts, those that still fail first; `next` is the next `skip`."""

    need: NeedOut
    parts: tuple[PartOut, ...]
    next: int | None


class Needs(Struct, frozen=True):
    """Tasks: the open ones oldest first, those dealt with newest first."""

    needs: tuple[NeedOut, ...]
