"""The shapes of the API's JSON. Pure; the OpenAPI document is generated from them."""

from msgspec import Struct

from center.domain.hub import Fault, Seen
from center.domain.incident import Deed, Outcome, Urgency
from hub.contract.messages import Availability, Evidence, Stage, VoiceReport
from hub.contract.scaip import Kind


class Times(Struct, frozen=True):
    """RFC 3339 in UTC; null where it has not happened. `raised` is by the hub's clock."""

    raised: str
    received: str
    waiting: str
    accepted: str | None
    present: str | None
    closed: str | None
    cancelled: str | None
    cancel_asked: str | None
    reopened: str | None
    expires: str | None
    cleared: str | None = None
    sent: str | None = None  # somebody is on the way
    again: str | None = None  # it came in again, and its holder has not answered yet


class Ages(Struct, frozen=True):
    """Seconds at the moment of the answer; `waited_s` stops when a person takes it."""

    received_s: float
    waited_s: float
    urgency: Urgency


class Event(Struct, frozen=True):
    """A line of the timeline; `happened` is by the hub's clock, `stored` by the centre's."""

    stored: str
    deed: Deed
    version: int
    by: str
    event: str
    happened: str | None
    clock_synced: bool
    device: str
    place: str
    outcome: Outcome | None
    text: str


class Alarm(Struct, frozen=True):
    """One alarm; the timeline comes only when it is asked for by its id."""

    id: str
    hub: str
    kind: Kind
    device: str
    place: str
    stage: Stage
    version: int
    who: str
    needs_person: bool
    presses: int
    clock_synced: bool
    outcome: Outcome | None
    false_alarm: bool | None
    times: Times
    ages: Ages
    evidence: Evidence | None = None  # why an automatic alarm was raised
    about: str = ""  # what a spoken call was about: `fall`, `fire`, ...
    surplus: int = 0  # so many calls of one home share it: more than are shown one by one
    unread: str = ""  # places of its events that could not be read, with blanks between; `*`: all
    raw: dict[str, str] = {}  # field -> what was said there, where this program knows only `other`
    timeline: tuple[Event, ...] | None = None  # a page of it, oldest line first
    timeline_next: int | None = None  # the `before` of the page of older lines, null: no more


class Alarms(Struct, frozen=True):
    """Newest first; `next` is the `before` of the next page, null on the last.

    With `order=urgent` the most urgent and oldest first, as the board has them, in one page.
    """

    alarms: tuple[Alarm, ...]
    next: str | None


class HubOut(Struct, frozen=True):
    """A hub as `seen` at the moment of the answer; `state` is its own, or the broker's, word."""

    hub: str
    seen: Seen
    state: Availability
    heard: str
    silent_s: float
    boot: str
    software: str
    interval_s: float
    clock_synced: bool
    faults: tuple[Fault, ...]
    voice: VoiceReport | None  # null: it has not said


class Hubs(Struct, frozen=True):
    """All hubs; `listening` is false while the centre's own link is down."""

    hubs: tuple[HubOut, ...]
    listening: bool


class OutcomeOut(Struct, frozen=True):
    """A way in which an alarm can end."""

    id: Outcome
    label: str
    false_alarm: bool
    needs_note: bool


class Outcomes(Struct, frozen=True):
    """All ways in which an alarm can end."""

    outcomes: tuple[OutcomeOut, ...]


class AuditLine(Struct, frozen=True):
    """A line of the audit; `alarm` is empty for sign-ins and the like."""

    seq: int
    alarm: str
    event: Event
    hub: str = ""  # of a line about a home


class Audit(Struct, frozen=True):
    """Newest first; `next` is the `before` of the next page."""

    lines: tuple[AuditLine, ...]
    next: int | None


class Error(Struct, frozen=True, omit_defaults=True):
    """What went wrong, as a code and as one sentence; `alarm` is how it stands where that helps."""

    error: str
    message: str
    alarm: Alarm | None = None
