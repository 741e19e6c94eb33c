"""The state of a home: all that the hub remembers between two events.

All of it is saved in the snapshot, and `decide.recover` fits a saved state to a new process. The
tags are names on the disk: a class may be renamed, its tag may not change. The first type of a
union stands for a tag that only a newer program knows. Tuples and dicts here are never changed in
place; they are replaced.
"""

from msgspec import Struct, field
from msgspec.structs import replace

from hub.contract.messages import (
    WORDLESS,
    Evidence,
    FaultKind,
    Stage,
    VitalEvidence,
    VitalLimits,
)
from hub.contract.provision import Way
from hub.contract.radio import Wanted
from hub.contract.scaip import Kind
from hub.core.model.activity import FRESH, NEVER, Habits, House
from hub.core.model.checkin import CareState
from hub.core.model.effects import Effect, Signal
from hub.core.model.supervision import WatchState
from hub.core.model.vitals import NOTHING, Beats, VitalsState
from hub.core.model.wireless import WirelessState

FORMAT = 1
BETWEEN = " · "  # between the words of a spoken call and those of the answer to the question back


class Raised(Struct, frozen=True, tag="Raised"):
    """The outbox has the alarm."""


class Sent(Struct, frozen=True, tag="Sent"):
    """A broker has the alarm."""


class Received(Struct, frozen=True, tag="Received"):
    """The centre has stored the alarm; nobody has taken it yet."""


class Accepted(Struct, frozen=True, tag="Accepted"):
    """A person at the centre took the alarm."""

    who: str


class Present(Struct, frozen=True, tag="Present"):
    """Somebody is with the resident."""

    who: str


class Cancelled(Struct, frozen=True, tag="Cancelled"):
    """The resident took the alarm back in time; the centre has not closed it yet."""


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
    """The last further call that a device made of an open alarm, and when the centre was told."""

    kind: Kind
    device: str
    told_at: float
    again_at: float | None = None  # when a call was made that is still to be told
    words: str = ""  # of that call, if it was spoken
    about: str = ""


class Alarm(Struct, frozen=True):
    """A call for help that only the centre can close. `id` is the id of its first event."""

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
    cleared: bool = False  # an automatic alarm whose reason is gone
    words: str = ""  # of a spoken call, where the resident allows it
    about: str = ""  # what a spoken call was about: `fall`, `fire`, ...
    sent: bool = False  # the centre reported that somebody is on the way
    calls: tuple[Called, ...] = ()  # further calls by hand or voice, one for each device
    abouts: tuple[str, ...] = ()  # further topics that the centre was told
    vital: VitalEvidence | None = None  # of an alarm for a reading


class Delivery(Struct, frozen=True):
    """An event that the centre has not confirmed yet. The outbox holds its bytes."""

    id: str
    alarm: str
    due_at: float
    tries: int = 0
    again_at: float | None = None  # when the resident called once more; None: any other event


class Said(Struct, frozen=True):
    """What was said in a spoken call: its `words`, where the resident allows it, and its topic."""

    words: str = ""
    about: str = ""

    def with_answer(self, words: str, about: str) -> "Said":
        """Return this with the answer to the question back; a word tells more than a sound."""
        told = [one for one in (self.about, about) if one and one != WORDLESS]
        about = told[0] if told else self.about or about
        return Said(BETWEEN.join(filter(None, (self.words, words))), about)


class Candidate(Struct, frozen=True):
    """A spoken call for help that was asked back: an alarm at `until`, unless it is taken back."""

    heard_at: float
    until: float
    asked: bool = True  # False: not asked again yet since a restart
    cut_short: bool = False  # by a restart: it is asked again only once
    words: str = ""  # of the call, where the resident allows it
    about: str = ""  # what it was about: `fall`, `fire`, ...

    @property
    def said(self) -> Said:
        """What was said so far."""
        return Said(self.words, self.about)


class Caution(Struct, frozen=True):
    """The warning of an automatic alarm, which follows at `until` without a sign of life."""

    kind: Kind
    device: str
    evidence: Evidence | None
    until: float
    said_at: float
    cut_short: bool = False  # by a restart: it is spoken again only once
    vital: VitalEvidence | None = None  # of a warning for a reading; it has no other evidence


class Farewell(Struct, frozen=True):
    """The signal of an ended alarm, shown until `until`."""

    signal: Signal
    until: float


class Pairing(Struct, frozen=True):
    """A window in which Bluetooth devices are paired: asked of the radio, then `open`.

    It ends at `until`. `wanted` is what a person is to do for the device that asks, if one does;
    its `digits` were last spoken at `said_at`.
    """

    since: float
    until: float
    open: bool = False
    wanted: Wanted | None = None
    digits: str = ""
    name: str = ""  # of the device, as it calls itself
    said_at: float = 0.0
    ask: int = 0  # names the request of that device


class Setup(Struct, frozen=True):
    """What the provisioning process said last: registration, network, the centre's time.

    `until`: by then somebody is beside the hub, so new digits are spoken unasked; `again_at`: they
    are said once more. `asked_at`: when the button last asked for the hotspot; `left_at`: when the
    hotspot ended, and no network took its place yet.
    """

    digits: str = ""
    trouble: str = ""
    until: float | None = None
    again_at: float | None = None
    registered: str = ""  # the hub id of the identity on the disk
    way: Way | None = None
    network: str = ""  # the name of the Wi-Fi, or of the hotspot
    password: str = ""  # of the hotspot while it is open
    signal_dbm: int | None = None
    network_trouble: str = ""
    asked_at: float | None = None
    left_at: float | None = None
    ahead_s: float | None = None  # of the centre's clock


NO_SETUP = Setup()


class Announcement(Struct, frozen=True):
    """An announcement of the centre. It is tried at `due_at`, until `until_utc` (0: without end).

    One that is `over` has lost its text. It is kept so that the same order is known when it comes
    again.
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
    """The contact closed a moment ago; it may be a glitch."""

    since: float


class Down(Struct, frozen=True, tag="Down"):
    """The contact is pressed, and the press was counted."""

    since: float
    held: bool = False
    stuck: bool = False
    opens: bool = False  # held on, it opens a window for pairing


class Lifting(Struct, frozen=True, tag="Lifting"):
    """The contact opened a moment ago; it may be a bounce."""

    down: Down
    since: float


class Recalled(Struct, frozen=True, tag="Recalled"):
    """The contact was down when an older process ended; the first level seen decides."""

    down: Down


Touch = Up | Settling | Down | Lifting | Recalled


class Contact(Struct, frozen=True):
    """A contact, and its counts of edges and of presses, each in a window of its own.

    Too many edges make it `chattering`, too many presses `wobbling`. Either is the fault CHATTER.
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
        """Whether the contact closes and opens as no finger does."""
        return self.chattering or self.wobbling


class Fault(Struct, frozen=True):
    """Something is wrong with `device` (or with the hub itself) since `since_utc`."""

    kind: FaultKind
    device: str
    since_utc: float
    synced: bool
    detail: str = ""


class Clock(Struct, frozen=True):
    """How wall clock and local time follow from monotonic time; right only if `synced`."""

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
    """Whether the link to a broker is up, and since when it is up or down."""

    up: bool = False
    since: float = 0.0


class HomeState(Struct, frozen=True, omit_defaults=True):
    """The whole state of a home."""

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
    told_at: float = 0.0  # when the state message was last sent
    house: House = field(default_factory=House)
    habits: Habits = FRESH  # saved in a file of its own, so that the snapshot stays small
    care: CareState = field(default_factory=CareState)
    warning: Caution | None = None
    candidate: Candidate | None = None
    spoken_at: float = NEVER  # when a spoken call was last raised
    pairing: Pairing | None = None
    test_until: float | None = None  # the home shows test mode until then [s, monotonic]
    follow_until: float | None = None  # the centre follows an installation until then
    phones: dict[str, float] = field(default_factory=dict)  # by consent: when each was seen, UTC
    notices: tuple[Announcement, ...] = ()  # that wait to be spoken, and some that are over
    watch: WatchState = field(default_factory=WatchState)
    wireless: WirelessState = field(default_factory=WirelessState)
    counter: int = 0  # of the last command that was accepted
    vitals: VitalsState = NOTHING
    beats: dict[str, Beats] = field(default_factory=dict)  # never saved
    limits: VitalLimits | None = None  # of the resident's readings, as the centre set them
    setup: Setup = NO_SETUP

    def is_followed(self, at: float) -> bool:
        """Whether the centre follows an installation at `at`."""
        return self.follow_until is not None and at < self.follow_until


Step = tuple[HomeState, list[Effect]]  # the result of a decision: the new state, what is to be done


def numbered(state: HomeState) -> tuple[HomeState, str]:
    """Return the state with the next message number used up, and the message id made of it."""
    state = replace(state, order=state.order + 1)
    return state, f"{state.boot}-{state.order}"


def without_visitor(state: HomeState, at: float) -> HomeState:
    """Return the state in which a visitor, if there was one, has left by `at`."""
    if at >= state.house.visitor_until:
        return state
    return replace(state, house=replace(state.house, visitor_until=at))
