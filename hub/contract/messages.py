"""What hub and centre say to each other: the shapes, without topics or bytes (see `wire`)."""

from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

from hub.contract.border import Open
from hub.contract.scaip import Care, Kind, Report, Scaip, What

D = TypeVar("D")


class VoiceCan(Open):
    """How much of a voice there is, as the hub knows it."""

    NOTHING = "nothing"  # none is set up: whoever lives there hears nothing of us
    STARTING = "starting"  # it has yet to say what it can do, or is found lost within 20 s
    LOST = "lost"  # it is set up and does not come, or can neither speak nor hear
    HEARING = "hearing"  # without a loudspeaker
    SPEAKING = "speaking"  # it understands nobody: no model, no microphone, or switched off
    TALKING = "talking"  # it speaks and hears


class VoiceReport(Struct, frozen=True):
    """What the voice can do now, and how it is set: all false where it has not said so.

    `tells_words`: the resident lets what was said leave the home, as a machine has written it down.
    """

    can: VoiceCan
    engines: tuple[str, ...] = ()
    spoken_sos: bool = False  # hub and voice take a spoken call for help
    muted: bool = False  # the resident has switched the microphone off
    tells_words: bool = False


Counter = Annotated[int, Meta(ge=0, lt=2**53)]  # fits a JSON number, and the snapshot


class CommandKind(Open):
    """What the centre may ask of a hub."""

    ANNOUNCE = "announce"
    TEST_CALL = "test_call"


class Command(Struct, frozen=True):
    """Centre to hub. `counter` only rises; a hub refuses one that it has seen or passed."""

    id: str
    kind: CommandKind
    counter: Counter
    expires_utc: float
    text: str = ""
    urgent: bool = False  # an announcement that no quiet hours hold back
    until_utc: float = 0.0  # when an announcement is out of date; 0: never


class Reply(Struct, frozen=True):
    """Hub to centre: what became of the command `id`."""

    id: str
    done: bool
    reason: str = ""


class Topic(Open):
    """What a check-in asks after (CareCall, Waplat)."""

    MOOD = "mood"
    HEALTH = "health"
    SLEEP = "sleep"
    MEALS = "meals"
    OUTING = "outing"
    EXERCISE = "exercise"
    MEDICINE = "medicine"


class CheckInResult(Open):
    """What became of a check-in. Silence and unclear speech never count as fine."""

    FINE = "fine"
    UNWELL = "unwell"
    ALIVE = "alive"  # button or motion: there is life, and nothing was said
    UNCLEAR = "unclear"
    MISSED = "missed"
    AWAY = "away"  # out of the house when it was due


class AnsweredBy(Open):
    """How an answer came."""

    VOICE = "voice"
    BUTTON = "button"
    MOTION = "motion"
    NOBODY = "nobody"


class AnnouncementOutcome(Open):
    """What became of an announcement."""

    SPOKEN = "spoken"
    UNSPOKEN = "unspoken"  # nothing in the house could say it
    EXPIRED = "expired"


class PresenceKind(Open):
    """Where the resident is, as far as the house can tell."""

    UNKNOWN = "unknown"
    HOME = "home"
    ASLEEP = "asleep"
    AWAY = "away"
    VISITOR = "visitor"


class CheckInData(Struct, frozen=True):
    """`data` of `anbu.checkin.*`: `checkin` is `<day>-<hour:minute>`, such as 2026-03-01-0900."""

    checkin: str
    topic: Topic
    result: CheckInResult
    by: AnsweredBy
    attempts: int
    due_utc: float
    synced: bool
    scaip: Scaip
    words: str = ""  # last said to it, by a machine; only where the resident lets them be told
    wordless: int = 0  # answers that were sounds without a word; an older centre reads "unclear"


class CareData(Struct, frozen=True):
    """`data` of `anbu.care.*`: `score` is that of a screening (PHQ-2: 0 to 6), else 0.

    `what` names what ails them, where they said so: `head`, `chest`, `no_food`, ...
    """

    care: Care
    score: int
    synced: bool
    scaip: Scaip
    what: str = ""


class AnnouncementData(Struct, frozen=True):
    """`data` of `anbu.announcement.*`: what became of the command `command`."""

    command: str
    outcome: AnnouncementOutcome
    synced: bool
    scaip: Scaip


class Envelope(Struct, Generic[D], frozen=True, tag_field="specversion", tag="1.0"):
    """A CloudEvents 1.0 envelope: its fields stand on the wire in this order."""

    id: str
    source: str
    type: str
    time: str
    data: D
    datacontenttype: str = "application/json"


class CheckInEvent(Envelope[CheckInData], frozen=True):
    """A CloudEvents 1.0 envelope around a check-in's result; owed until `received`."""


class CareEvent(Envelope[CareData], frozen=True):
    """A CloudEvents 1.0 envelope around a need; owed until `received`."""


class AnnouncementEvent(Envelope[AnnouncementData], frozen=True):
    """A CloudEvents 1.0 envelope around an announcement's receipt; owed until `received`."""


class Activity(Struct, frozen=True):
    """An hour of the home: how often each device saw activity, and where the resident was."""

    from_utc: float
    synced: bool
    seen: dict[str, int]  # device -> activations
    places: dict[str, str]  # device -> its room's name
    presence: PresenceKind  # at the hour's end
    asleep_s: float = 0.0
    away_s: float = 0.0


Version = Annotated[int, Meta(ge=0, lt=2**31)]  # fits a database's INTEGER, and the snapshot


class Stage(Open):
    """How far an alarm has come; `unknown` is the centre's plea to hear of it again."""

    RAISED = "raised"
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PRESENT = "present"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Availability(Open):
    """The hub's own word on itself; `lost` is the broker's, by last will."""

    INIT = "init"
    READY = "ready"
    DISCONNECTED = "disconnected"
    LOST = "lost"


class FaultKind(Open):
    """What can be wrong with a device or with the hub itself."""

    DRIVER_FAILED = "driver_failed"
    STUCK = "stuck"
    CHATTER = "chatter"
    STORAGE = "storage"
    SNAPSHOT = "snapshot"  # not all that it had kept could be read at its last start
    BROKER_REFUSES = "broker_refuses"
    NOISY = "noisy"  # it sees motion for hours, where nothing else in the home bears it out
    SILENT = "silent"  # no sign of life for longer than its kind allows
    LOW_BATTERY = "low_battery"
    MAINS_LOST = "mains_lost"
    NO_MICROPHONE = "no_microphone"
    NO_LOUDSPEAKER = "no_loudspeaker"
    NO_SPEECH = "no_speech"  # it hears, and cannot understand
    MUTED = "muted"  # by the resident
    TWIN = "twin"  # two machines with one identity; this and what follows only the centre can see
    FLOOD = "flood"  # it sends more than the centre takes in at once
    CROWDED = "crowded"  # more calls are open than are shown one by one


HELD_OR_CUT = "held_or_cut"  # detail of STUCK: a normally closed button, or its wire is cut


class Trigger(Struct, frozen=True):
    """A device by which the resident can call, whether it was ever used or not.

    `kind` is a `Kind`, or one that only a newer hub knows: a trigger it is all the same.
    """

    device: str
    kind: str
    place: str = ""
    normally_closed: bool = False  # a cut wire shows: as a press, then as STUCK


class Evidence(Struct, frozen=True):
    """Why an automatic alarm was raised; times in seconds."""

    since_utc: float  # the last activity, or when the door was opened
    lasted_s: float
    usual_s: float  # the longest that is usual at this hour in this home
    limit_s: float  # beyond this it was raised
    last: str = ""  # the device that saw the last activity
    sensors: tuple[str, ...] = ()  # the working sensors that have seen nothing since
    learned_days: int = 0
    wordless: int = 0  # answers to a check-in that were sounds without a word


class AlarmData(Struct, frozen=True):
    """`data` of `anbu.alarm.*`: `alarm` is the id of the event that raised it."""

    alarm: str
    kind: Kind
    what: What
    device: str
    place: str
    boot: str
    order: int  # rises by one per event of a boot
    at: float  # monotonic seconds of that boot, when it happened
    synced: bool  # whether `time` can be trusted
    scaip: Scaip
    evidence: Evidence | None = None  # of an automatic alarm
    words: str = ""  # of a spoken call, by a machine; only where the resident lets them be told
    # what a spoken call was about, as `fall`, `fire`; empty: nothing was told of; `wordless`: it
    # was answered with sounds alone
    about: str = ""


class ReportData(Struct, frozen=True):
    """`data` of `anbu.report.*`: `value` is in the report's unit.

    link_back, mains_lost, mains_back: seconds without it; battery_low: percent.
    """

    report: Report
    value: float
    synced: bool
    scaip: Scaip
    device: str = ""  # empty: the hub itself


class AlarmEvent(Envelope[AlarmData], frozen=True):
    """A CloudEvents 1.0 envelope around an alarm's event; (`source`, `id`) is unique."""


class ReportEvent(Envelope[ReportData], frozen=True):
    """A CloudEvents 1.0 envelope around a technical report."""


class OtherEvent(Struct, frozen=True):
    """An event of a family that this program does not know, and which says that it can wait."""

    id: str
    source: str
    type: str
    time: str


class AlarmBrief(Struct, frozen=True):
    """What the hub believes of one open alarm, so that the centre can put it right."""

    alarm: str
    stage: Stage
    version: Version


class HubState(Struct, frozen=True):
    """Retained on `state`, renewed every `interval_s`; silence for longer means lost."""

    state: Availability
    utc: float
    synced: bool
    boot: str
    software: str
    interval_s: float
    alarms: tuple[AlarmBrief, ...] = ()
    faults: tuple[str, ...] = ()
    voice: VoiceReport | None = None  # None: of an older hub, which does not say
    triggers: tuple[Trigger, ...] | None = None  # None: of an older hub, which does not say


class FaultReport(Struct, frozen=True):
    """Retained on `fault/<id>` while it lasts; an empty payload says it is over."""

    fault: str
    kind: FaultKind
    device: str
    since_utc: float
    synced: bool
    detail: str = ""


class Telemetry(Struct, frozen=True):
    """A batch of readings, name -> value; `dropped` counts batches lost to a full outbox."""

    utc: float
    synced: bool
    readings: dict[str, float]
    dropped: int = 0


class Ack(Struct, frozen=True):
    """Centre to hub: `event` is stored there for good (empty: no receipt, only news).

    `stage` is always where the alarm stands *now*: `received` while nobody has it, `accepted`,
    `present`, `closed`; or `unknown`: "I have no such alarm, tell me again". `version` counts the
    alarm's changes at the centre; a hub ignores the stage of an older one. `sent` says that
    somebody is on the way to the home: only then is its green button, held, a word from on site.
    """

    event: str
    alarm: str
    stage: Stage
    version: Version
    utc: float
    who: str = ""
    sent: bool = False


class CenterState(Struct, frozen=True):
    """Retained on the centre's own topic: its birth, and by last will its death.

    `database` is the id of the store that calls go to, `boot` that of the process: they tell two
    centres with one configuration apart. Both are empty from an older centre.
    """

    online: bool
    utc: float
    database: str = ""
    boot: str = ""


class Cleared(Struct, frozen=True):
    """An empty payload on a fault's topic: the fault is over."""

    fault: str


Happened = AlarmEvent | ReportEvent | CheckInEvent | CareEvent | AnnouncementEvent
FromHub = Happened | Activity | HubState | FaultReport | Cleared | Telemetry | Reply
FromCenter = Ack | Command | CenterState


WORDLESS = "wordless"  # what a call is about where sounds without a word were the answers
