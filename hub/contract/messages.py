"""The messages between hub and centre, without topics or bytes (see `wire`).

Events that the centre confirms come first, then the hub's state and faults, then what is only
informative, then what the centre sends. It is long for the wire is one concept: who changes a
message sees its neighbours.
"""

from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

from hub.contract.border import Open
from hub.contract.scaip import Care, Kind, Report, Scaip, What

D = TypeVar("D")
Version = Annotated[int, Meta(ge=0, lt=2**31)]  # fits a database's INTEGER, and the snapshot
Counter = Annotated[int, Meta(ge=0, lt=2**53)]  # fits a JSON number, and the snapshot
Bpm = Annotated[float, Meta(ge=20, le=250)]
Leased = Annotated[float, Meta(ge=0, le=3600)]
Lasting = Annotated[float, Meta(ge=60, le=14_400)]
Age = Annotated[float, Meta(ge=0, le=1e8)]  # seconds ago
Short = Annotated[str, Meta(max_length=64)]
Long = Annotated[str, Meta(max_length=200)]
OxygenPct = Annotated[float, Meta(ge=50, le=100)]
Mmhg = Annotated[float, Meta(ge=20, le=300)]


class Envelope(Struct, Generic[D], frozen=True, tag_field="specversion", tag="1.0"):
    """A CloudEvents 1.0 envelope; its fields are on the wire in this order."""

    id: str
    source: str
    type: str
    time: str
    data: D
    datacontenttype: str = "application/json"


class Stage(Open):
    """How far an alarm has come; `unknown`: the centre does not know the alarm and asks for it."""

    RAISED = "raised"
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PRESENT = "present"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


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


class VitalKind(Open):
    """What a wearable, cuff, oximeter or thermometer measures; units in brackets."""

    PULSE = "pulse"  # [1/min]
    RESTING_PULSE = "resting_pulse"  # [1/min] at rest: see `hub.core.vitals`
    OXYGEN = "oxygen"  # [%] saturation
    SYSTOLIC = "systolic"  # [mmHg]
    DIASTOLIC = "diastolic"  # [mmHg]
    MEAN_PRESSURE = "mean_pressure"  # [mmHg]
    TEMPERATURE = "temperature"  # [°C]
    RMSSD = "rmssd"  # [ms]
    SDNN = "sdnn"  # [ms]
    LF_HF = "lf_hf"  # [1]
    STRESS = "stress"  # [1/s²] Baevsky's index
    WORN = "worn"  # [1] share of the time
    BATTERY = "battery"  # [%]


class VitalWhy(Open):
    """Why there is no value, or none that may be compared."""

    LEARNING = "learning"  # what is usual for this person is not known yet
    NO_RR = "no_rr"  # this device does not send the time between beats
    FLAT = "flat"  # it sends times between beats that it made from the pulse
    SHORT = "short"  # too few beats
    NOISY = "noisy"  # too many beats missed, doubled or out of place
    IRREGULAR = "irregular"  # no steady rhythm, in this window or by the resident's record
    PACEMAKER = "pacemaker"  # by the resident's record
    OFF = "off"  # the resident does not want it
    NOT_WORN = "not_worn"
    NO_REST = "no_rest"  # the resident was not at rest


class VitalLevel(Open):
    """A value against what is usual for this person, never against a norm."""

    LOWER = "lower"
    USUAL = "usual"
    HIGHER = "higher"


class VitalEvidence(Struct, frozen=True):
    """The reading for which an alarm was raised; `value`, `limit`, `usual` are in the kind's unit.

    Of a pulse there are `n` readings since `since_utc`; `value` is the median of the last minutes,
    as many as the limit asks for.
    """

    kind: VitalKind
    value: float
    limit: float
    above: bool  # whether the value is above the limit, or below
    device: str
    since_utc: float
    lasted_s: float = 0.0
    n: int = 1
    usual: float | None = None  # None: not known yet
    said: str = ""  # the resident's answer, when asked: a meaning (`fine`), or nothing


WORDLESS = "wordless"  # the topic of a call that was answered with sounds without a word
COUNTER_RESTARTED = (
    "counter_restarted"  # a pendant counts from the start: a new battery, or a trick
)


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
    words: str = ""  # of a spoken call, written by a machine; only where the resident allows it
    # the topic of a spoken call, such as `fall`, `fire`; empty: not known; `wordless`: sounds only;
    # of a pendant's call: `counter_restarted`, as after a change of its battery
    about: str = ""
    vital: VitalEvidence | None = None  # of an alarm for a reading


class AlarmEvent(Envelope[AlarmData], frozen=True):
    """A CloudEvents 1.0 envelope around an alarm's event; (`source`, `id`) is unique."""


class ReportData(Struct, frozen=True):
    """`data` of `anbu.report.*`: `value` is in the report's unit.

    link_back, mains_lost, mains_back: seconds without it; battery_low: percent.
    """

    report: Report
    value: float
    synced: bool
    scaip: Scaip
    device: str = ""  # empty: the hub itself


class ReportEvent(Envelope[ReportData], frozen=True):
    """A CloudEvents 1.0 envelope around a technical report."""


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
    """How an answer was given."""

    VOICE = "voice"
    BUTTON = "button"
    MOTION = "motion"
    NOBODY = "nobody"


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
    words: str = ""  # the last answer, written by a machine; only where the resident allows it
    wordless: int = 0  # answers that were sounds without a word; an older centre reads "unclear"


class CheckInEvent(Envelope[CheckInData], frozen=True):
    """A CloudEvents 1.0 envelope around a check-in's result; sent until `received`."""


class CareData(Struct, frozen=True):
    """`data` of `anbu.care.*`: `score` is that of a screening (PHQ-2: 0 to 6), else 0.

    `what` names the complaint, where the resident named it: `head`, `chest`, `no_food`, ...; of a
    reading its kind, as an alarm for it would have had.
    """

    care: Care
    score: int
    synced: bool
    scaip: Scaip
    what: str = ""
    vital: VitalEvidence | None = None  # of a reading


class CareEvent(Envelope[CareData], frozen=True):
    """A CloudEvents 1.0 envelope around a need; sent until `received`."""


class AnnouncementOutcome(Open):
    """What became of an announcement."""

    SPOKEN = "spoken"
    UNSPOKEN = "unspoken"  # nothing in the house could say it
    EXPIRED = "expired"


class AnnouncementData(Struct, frozen=True):
    """`data` of `anbu.announcement.*`: what became of the command `command`."""

    command: str
    outcome: AnnouncementOutcome
    synced: bool
    scaip: Scaip


class AnnouncementEvent(Envelope[AnnouncementData], frozen=True):
    """A CloudEvents 1.0 envelope around an announcement's receipt; sent until `received`."""


class OtherEvent(Struct, frozen=True):
    """An event of a family that this program does not know, with a priority that can wait."""

    id: str
    source: str
    type: str
    time: str


class Availability(Open):
    """The hub's report of its own state; the broker publishes `lost`, by last will."""

    INIT = "init"
    READY = "ready"
    DISCONNECTED = "disconnected"
    LOST = "lost"


class VoiceCan(Open):
    """How much of a voice there is, as the hub knows it."""

    NOTHING = "nothing"  # none is set up: the resident hears nothing from the hub
    STARTING = "starting"  # it has not reported yet; without a report in 20 s it is lost
    LOST = "lost"  # it is set up and does not connect, or can neither speak nor hear
    HEARING = "hearing"  # without a loudspeaker
    SPEAKING = "speaking"  # it understands nobody: no model, no microphone, or switched off
    TALKING = "talking"  # it speaks and hears


class VoiceReport(Struct, frozen=True):
    """What the voice can do now, and how it is set; all false where it has not reported.

    `tells_words`: the resident allows what was said, as a machine wrote it down, to leave the home.
    """

    can: VoiceCan
    engines: tuple[str, ...] = ()
    spoken_sos: bool = False  # both hub and voice accept a spoken call for help
    muted: bool = False  # the resident has switched the microphone off
    tells_words: bool = False


class Trigger(Struct, frozen=True):
    """A device by which the resident can call, whether it was ever used or not.

    `kind` is a `Kind`, or one that only a newer hub knows: such a device is a trigger, too.
    """

    device: str
    kind: str
    place: str = ""
    normally_closed: bool = False  # a cut wire shows: as a press, then as STUCK


class AlarmBrief(Struct, frozen=True):
    """What the hub knows of one open alarm, so that the centre can correct it."""

    alarm: str
    stage: Stage
    version: Version


class VitalLimits(Struct, frozen=True, omit_defaults=True):
    """The limits of one resident, and what may be judged at all. None: the hub's own default.

    Defaults and their sources are in `hub.core.model.rules.VitalRules`.
    """

    high_rest_bpm: Bpm | None = None  # at rest, for `high_s`
    high_s: Lasting | None = None
    low_bpm: Bpm | None = None  # for `low_s`
    low_s: Lasting | None = None
    low_oxygen_pct: OxygenPct | None = None
    high_systolic_mmhg: Mmhg | None = None
    low_systolic_mmhg: Mmhg | None = None
    high_diastolic_mmhg: Mmhg | None = None
    low_diastolic_mmhg: Mmhg | None = None
    watch_pulse: bool = True  # False: shown, and never the reason for an alarm; so the next two
    watch_oxygen: bool = True
    watch_pressure: bool = True
    stress: bool = True  # False: neither stress nor any figure between beats leaves the hub
    pacemaker: bool = False  # then there is no stress; a pulse is judged by its limits only
    irregular: bool = False  # an irregular rhythm is known: as with a pacemaker
    # since when they are of this resident; what a hub learned of a body before, it forgets
    since_utc: float = 0.0


class PairingReport(Struct, frozen=True):
    """The window in which Bluetooth devices are paired is open until `until_utc`.

    `wanted`: what a person is to do for the device that calls itself `name`: `compare` its `digits`
    with those that it shows, `type` the key that it shows, `show` it the `digits`; empty: no device
    waits. A newer hub may want something else.
    """

    until_utc: float
    wanted: str = ""
    digits: str = ""
    name: str = ""
    ask: int = 0  # names the request, for the answer to it; 0: an older hub


class PhoneSeen(Struct, frozen=True):
    """When a paired phone was last seen at home. That it is not seen now means nothing."""

    phone: str
    utc: float


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
    voice: VoiceReport | None = None  # None: from an older hub, which does not report it
    triggers: tuple[Trigger, ...] | None = None  # None: from an older hub, as above
    limits: VitalLimits | None = None  # as the last command set them; None: none was ever set
    pairing: PairingReport | None = None  # None: no device can be paired now
    phones: tuple[PhoneSeen, ...] = ()  # by consent only


class FaultKind(Open):
    """What can be wrong with a device or with the hub itself."""

    DRIVER_FAILED = "driver_failed"
    STUCK = "stuck"
    CHATTER = "chatter"
    STORAGE = "storage"
    SNAPSHOT = "snapshot"  # not all of its saved state could be read at its last start
    BROKER_REFUSES = "broker_refuses"
    NOISY = "noisy"  # it reports motion for hours that nothing else in the home confirms
    SILENT = "silent"  # no sign of life for longer than its kind allows
    LOW_BATTERY = "low_battery"
    MAINS_LOST = "mains_lost"
    NO_MICROPHONE = "no_microphone"
    NO_LOUDSPEAKER = "no_loudspeaker"
    NO_SPEECH = "no_speech"  # it hears, and cannot understand
    MUTED = "muted"  # by the resident
    NO_RADIO = "no_radio"  # the radio process is dead or hangs: no pendant is heard
    NO_BLUETOOTH = "no_bluetooth"  # the system's Bluetooth service is missing
    NO_ADAPTER = "no_adapter"  # missing, or taken by another program
    ADAPTER_BLOCKED = "adapter_blocked"  # by rfkill
    ACTIVE_SCAN = "active_scan"  # passive scanning does not work, so presses may be lost
    SCAN_FAILED = "scan_failed"  # nothing that the radio can do brings the scanner back
    DEVICE_LIST = "device_list"  # the list of wireless devices cannot be read; the last one holds
    STALE_BOND = "stale_bond"  # the device has forgotten the hub: it must be paired anew
    WRONG_KEY = "wrong_key"  # frames in its name that are not encrypted with its key
    MUTE_LINK = "mute_link"  # connected, and it sends nothing
    REPLAYED = "replayed"  # somebody sends its old presses again
    TAMPER = "tamper"  # opened, or torn off
    CERTIFICATE = "certificate"  # the hub's own: it cannot be renewed, or has expired
    OTHER_BOARD = "other_board"  # the SD card was registered in another device
    NETWORK = "network"  # no way to the centre, as the hub itself sees it
    CLOCK = "clock"  # it differs from the centre's
    DISK_FULL = "disk_full"  # too full to renew the certificate
    NO_BACKUP = "no_backup"  # for days the centre could not keep what a replacement needs
    UNBONDED = "unbonded"  # a replacement: these devices of the hub of before are to be paired anew
    TWIN = "twin"  # two machines with one identity; only the centre sees this and the next two
    FLOOD = "flood"  # it sends more than the centre takes in at once
    CROWDED = "crowded"  # more calls are open than are shown one by one


HELD_OR_CUT = "held_or_cut"  # detail of STUCK: a normally closed button, or its wire is cut


class FaultReport(Struct, frozen=True):
    """Retained on `fault/<id>` while it lasts; an empty payload says it is over."""

    fault: str
    kind: FaultKind
    device: str
    since_utc: float
    synced: bool
    detail: str = ""


class Cleared(Struct, frozen=True):
    """An empty payload on a fault's topic: the fault is over."""

    fault: str


class PresenceKind(Open):
    """Where the resident is, as far as the house can tell."""

    UNKNOWN = "unknown"
    HOME = "home"
    ASLEEP = "asleep"
    AWAY = "away"
    VISITOR = "visitor"


class Activity(Struct, frozen=True):
    """An hour of the home: how often each device saw activity, and where the resident was."""

    from_utc: float
    synced: bool
    seen: dict[str, int]  # device -> activations
    places: dict[str, str]  # device -> its room's name
    presence: PresenceKind  # at the hour's end
    asleep_s: float = 0.0
    away_s: float = 0.0


class Vital(Struct, frozen=True, omit_defaults=True):
    """A reading, or the summary of readings in an interval, in the kind's unit.

    `utc` is when it was taken, or when the interval ended. Without a `value`, `why` says why.
    """

    kind: VitalKind
    utc: float
    device: str
    value: float | None = None  # of a summary: the mean
    least: float | None = None
    most: float | None = None
    n: int = 1  # readings, or beats, that the value is made of
    clean_share: float | None = None  # of the beats that were heard, 0 to 1
    usual: float | None = None  # for this person; None: not known
    level: VitalLevel | None = None  # against what is usual
    why: VitalWhy | None = None
    fresh: bool = True  # False: a stored record; `utc` may be only when it was heard
    irregular: bool = False  # the device says that the pulse was irregular


class Vitals(Struct, frozen=True):
    """Readings of the body; about every 15 minutes, of a cuff and an oximeter at once."""

    from_utc: float
    to_utc: float
    synced: bool
    entries: tuple[Vital, ...] = ()


class InstallDevice(Struct, frozen=True, omit_defaults=True):
    """A device as its hub knows it while somebody installs it.

    `what` is a sense or a role, or `phone`. `used_s`: it reported that somebody used it (motion, an
    opened door, a press), or that the mains went; `heard_s`: it gave any sign of life. Both count
    only what came since the hub's process began; None: nothing yet.
    """

    name: Short
    what: Short
    place: Long = ""
    wireless: bool = False
    on: bool | None = None  # motion, an open door, a pressed button, mains power; None: not known
    used_s: Age | None = None
    heard_s: Age | None = None
    battery_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    faults: Annotated[tuple[Short, ...], Meta(max_length=16)] = ()


class InstallReport(Struct, frozen=True, omit_defaults=True):
    """What a hub shows of itself to whoever installs it, while the centre follows; may be lost.

    Its times are ages in seconds, so that a wrong clock tells no wrong time. `has` are the parts
    that are set up: `voice`, `radio`, `setup` (the provisioning process). `left` devices found no
    room in this report; they are in the next one.
    """

    utc: float
    synced: bool
    boot: Short
    software: Short = ""
    devices: Annotated[tuple[InstallDevice, ...], Meta(max_length=256)] = ()
    left: Annotated[int, Meta(ge=0, le=10_000)] = 0
    has: Annotated[tuple[Short, ...], Meta(max_length=16)] = ()
    way: Short = ""  # `provision.Way`; empty: nobody has told the hub
    network: Long = ""  # the Wi-Fi's name
    signal_dbm: Annotated[int, Meta(ge=-200, le=0)] | None = None
    network_trouble: Long = ""
    ahead_s: float | None = None  # of the centre's clock, as the provisioning process compares it
    voice: Short = ""  # `VoiceCan`
    spoke_s: Age | None = None  # since an announcement of the centre was spoken to its end
    heard_s: Age | None = None  # since the voice understood somebody
    answered_s: Age | None = None  # since the resident answered by voice what the hub had asked
    faults: Annotated[tuple[Short, ...], Meta(max_length=32)] = ()  # kinds, of the hub and voice
    test_s: Age | None = None  # test mode is shown for so long from now on; None: it is not


class Telemetry(Struct, frozen=True):
    """A batch of readings, name -> value; `dropped` counts batches lost to a full outbox."""

    utc: float
    synced: bool
    readings: dict[str, float]
    dropped: int = 0


class Reply(Struct, frozen=True):
    """Hub to centre: what became of the command `id`."""

    id: str
    done: bool
    reason: str = ""


class Ack(Struct, frozen=True):
    """Centre to hub: `event` is stored there for good (empty: no receipt, only news).

    `stage` is always the alarm's present stage: `received` while nobody has it, `accepted`,
    `present`, `closed`; or `unknown`: the centre has no such alarm and asks for it again. `version`
    counts the alarm's changes at the centre; a hub ignores the stage of an older one. `sent`:
    somebody is on the way to the home; only then does its green button, held, report somebody on
    site.
    """

    event: str
    alarm: str
    stage: Stage
    version: Version
    utc: float
    who: str = ""
    sent: bool = False


class CommandKind(Open):
    """What the centre may ask of a hub."""

    ANNOUNCE = "announce"
    TEST_CALL = "test_call"
    VITAL_LIMITS = "vital_limits"
    OPEN_PAIRING = "open_pairing"  # the window in which Bluetooth devices are paired
    ANSWER_PAIRING = "answer_pairing"  # `text`: `yes`, `no`, or the key that the device shows
    TEST_MODE = "test_mode"  # the home shows for `lasts_s` that its presses are tests
    SOUND_CHECK = "sound_check"  # the hub asks how the resident is, now, and listens
    INSTALL_FOLLOW = "install_follow"  # the hub publishes `InstallReport` for `lasts_s`


class Command(Struct, frozen=True):
    """Centre to hub. `counter` only rises; a hub refuses one that is not higher than the last."""

    id: str
    kind: CommandKind
    counter: Counter
    expires_utc: float
    text: str = ""
    urgent: bool = False  # an announcement that does not wait for the end of the quiet hours
    until_utc: float = 0.0  # when an announcement is out of date; 0: never
    limits: VitalLimits | None = None  # of `vital_limits`: all of them; None: the defaults again
    ask: int = 0  # of `answer_pairing`: the request that it answers; 0: whichever waits
    lasts_s: Leased = 0.0  # from now on, on the hub's steady clock; 0: it ends now


class CenterState(Struct, frozen=True):
    """Retained on the centre's own topic: its birth, and by last will its death.

    `database` is the id of the store that calls are written to, `boot` that of the process: they
    tell two centres with one configuration apart. Both are empty from an older centre.
    """

    online: bool
    utc: float
    database: str = ""
    boot: str = ""


Happened = AlarmEvent | ReportEvent | CheckInEvent | CareEvent | AnnouncementEvent
FromHub = (
    Happened
    | Activity
    | Vitals
    | HubState
    | FaultReport
    | Cleared
    | Telemetry
    | Reply
    | InstallReport
)
FromCenter = Ack | Command | CenterState
