"""What the hub holds true between two events. All of it is snapshotted; `home.recover` reads it.

The tags are names on the disk: a class may be renamed, its tag may not. The first of a union stands
for a tag that only a newer program knows. Tuples and dicts here are never changed in place: a new
value takes the old one's place.
"""

from msgspec import Struct, field
from msgspec.structs import replace

from hub.contract.messages import WORDLESS, Evidence, FaultKind, Stage
from hub.contract.scaip import Kind
from hub.core.model.activity import FRESH, NEVER, Habits, House
from hub.core.model.checkin import CareState
from hub.core.model.effects import Effect, Signal
from hub.core.model.supervision import WatchState

FORMAT = 1
BETWEEN = " · "  # the words of a cry, and of the answer to what was asked back


class Raised(Struct, frozen=True, tag="Raised"):
    """The outbox has it."""


class Sent(Struct, frozen=True, tag="Sent"):
    """A broker has it."""


class Received(Struct, frozen=True, tag="Received"):
    """The centre has stored it; nobody has taken it yet."""


class Accepted(Struct, frozen=True, tag="Accepted"):
    """A person took it."""

    who: str


class Present(Struct, frozen=True, tag="Present"):
    """Someone is there."""

    who: str


class Cancelled(Struct, frozen=True, tag="Cancelled"):
    """The resident took it back in time; the centre has yet to close it."""


Life = Raised | Sent | Received | Accepted | Present | Cancelled
STAGE: dict[type[Life], Stage] = {
    Raised: Stage.RAISED,
    Sent: Stage.SENT,
    Received: Stage.RECEIVED,
    Accepted: Stage.ACCEPTED,
    Present: Stage.PRESENT,
    Cancelled: Stage.CANCELLED,
}


class Called(Struct, frozen=True):
    """By what an open alarm was called again, and when the centre was last told so."""

    kind: Kind
    device: str
    told_at: float
    again_at: float | None = None  # of a call that is still to be told
    words: str = ""  # of that call, if it was spoken
    about: str = ""


class Alarm(Struct, frozen=True):
    """A call for help that only the centre can close. `id` is that of its raising event."""

    id: str
    kind: Kind
    device: str
    place: str
    boot: str
    order: int
    raised_at: float
    raised_utc: float
    synced: bool
    life: Life
    version: int = 0
    cancel_asked: bool = False
    evidence: Evidence | None = None
    cleared: bool = False  # an automatic alarm whose ground has gone
    words: str = ""  # of a spoken call, where the resident lets them be told
    about: str = ""  # what a spoken call was about: `fall`, `fire`, ...
    sent: bool = False  # the centre has said that somebody is on the way
    calls: tuple[Called, ...] = ()  # by hand or voice, one for each device
    abouts: tuple[str, ...] = ()  # what else the centre was told that it is about


class Delivery(Struct, frozen=True):
    """An urgent event that the centre has not confirmed yet; the outbox holds its bytes."""

    id: str
    alarm: str
    due_at: float
    tries: int = 0
    again_at: float | None = None  # when the resident called once more; None: any other event


class Said(Struct, frozen=True):
    """What a spoken call was: its `words`, where they may be told, and what it was `about`."""

    words: str = ""
    about: str = ""

    def with_answer(self, words: str, about: str) -> "Said":
        """Add what was said when the hub asked back; sounds tell less than anything told of."""
        told = [one for one in (self.about, about) if one and one != WORDLESS]
        about = told[0] if told else self.about or about
        return Said(BETWEEN.join(filter(None, (self.words, words))), about)


class Candidate(Struct, frozen=True):
    """A spoken call for help, asked back: it is raised at `until`, unless it is taken back."""

    heard_at: float
    until: float
    asked: bool = True  # not yet again since a restart
    cut_short: bool = False  # by a restart: asked again once, and no more
    words: str = ""  # of the cry, where the resident lets them be told
    about: str = ""  # what it was about: `fall`, `fire`, ...

    @property
    def said(self) -> Said:
        """What was said so far."""
        return Said(self.words, self.about)


class Caution(Struct, frozen=True):
    """An automatic alarm is to follow at `until`, unless there is a sign of life."""

    kind: Kind
    device: str
    evidence: Evidence
    until: float
    said_at: float
    cut_short: bool = False  # by a restart: it is spoken again once, and no more


class Farewell(Struct, frozen=True):
    """The last word on an ended alarm, shown until `until`."""

    signal: Signal
    until: float


class Announcement(Struct, frozen=True):
    """An announcement; `until_utc` 0: for as long as it takes. `due_at`: when to try (again).

    One that is `over` has no text any more, and is kept so that it is known when it comes again.
    """

    id: str
    text: str
    urgent: bool
    until_utc: float
    due_at: float
    tries: int = 0
    over: bool = False


class Up(Struct, frozen=True, tag="Up"):
    """The contact is open."""


class Settling(Struct, frozen=True, tag="Settling"):
    """It closed, perhaps only for a glitch."""

    since: float


class Down(Struct, frozen=True, tag="Down"):
    """It is pressed, and the press has been counted."""

    since: float
    held: bool = False
    stuck: bool = False


class Lifting(Struct, frozen=True, tag="Lifting"):
    """It opened, perhaps only to bounce."""

    down: Down
    since: float


class Recalled(Struct, frozen=True, tag="Recalled"):
    """It was down when an older process ended; the first level that is seen decides."""

    down: Down


Touch = Up | Settling | Down | Lifting | Recalled


class Contact(Struct, frozen=True):
    """A contact; how many edges it gave in the present window, and how many presses in its own.

    `chattering` is by the edges, `wobbling` by the presses; either is the fault.
    """

    life: Touch = field(default_factory=Up)
    edges: int = 0
    window_at: float = 0.0
    chattering: bool = False
    presses: int = 0
    presses_at: float = 0.0
    wobbling: bool = False

    @property
    def restless(self) -> bool:
        """Whether it closes and opens as no finger does."""
        return self.chattering or self.wobbling


class Fault(Struct, frozen=True):
    """Something is wrong with `device` (or with the hub itself) since `since_utc`."""

    kind: FaultKind
    device: str
    since_utc: float
    synced: bool
    detail: str = ""


class Clock(Struct, frozen=True):
    """Wall clock = monotonic + `offset_s`; not to be trusted until `synced`."""

    offset_s: float = 0.0
    synced: bool = False
    zone_s: float = 32_400.0  # local time = UTC + this

    def utc(self, at: float) -> float:
        """Return the wall clock at `at`, in seconds since 1970."""
        return at + self.offset_s

    def local(self, at: float) -> float:
        """Return the local time at `at`, in seconds since 1970 as if the zone were UTC."""
        return at + self.offset_s + self.zone_s


class Link(Struct, frozen=True):
    """Whether a broker is there, and since when."""

    up: bool = False
    since: float = 0.0


class HomeState(Struct, frozen=True, omit_defaults=True):
    """The home."""

    boot: str = ""
    order: int = 0
    format: int = FORMAT
    clock: Clock = field(default_factory=Clock)
    contacts: dict[str, Contact] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    owed: tuple[Delivery, ...] = ()
    faults: dict[str, Fault] = field(default_factory=dict)
    link: Link = field(default_factory=Link)
    farewell: Farewell | None = None
    shown: Signal | None = None
    said_at: float = 0.0
    told_at: float = 0.0  # when the state message last went out
    house: House = field(default_factory=House)
    habits: Habits = FRESH  # kept in a file of its own: the snapshot of a call stays small
    care: CareState = field(default_factory=CareState)
    warning: Caution | None = None
    candidate: Candidate | None = None
    spoken_at: float = NEVER  # when a spoken call was last raised
    notices: tuple[Announcement, ...] = ()  # announcements that are not yet spoken
    watch: WatchState = field(default_factory=WatchState)
    counter: int = 0  # of the last command obeyed


Step = tuple[HomeState, list[Effect]]  # what a decision comes to: the new state, what is to be done


def numbered(state: HomeState) -> tuple[HomeState, str]:
    """Return the state after it has given out one more message id, and that id."""
    state = replace(state, order=state.order + 1)
    return state, f"{state.boot}-{state.order}"


def without_visitor(state: HomeState, at: float) -> HomeState:
    """Let whoever was with the resident be gone."""
    if at >= state.house.visitor_until:
        return state
    return replace(state, house=replace(state.house, visitor_until=at))
