"""Events, in the past tense: all that the core ever learns.

`at` is monotonic seconds of the running boot. `utc` is the wall clock in seconds since 1970, which
may be wrong until `synced`. What goes wrong outside is an event, never an exception.
"""

from enum import StrEnum

from msgspec import Struct

from hub.contract.messages import AnsweredBy, Command, Stage
from hub.contract.provision import Part as SetupPart
from hub.contract.provision import Way
from hub.contract.radio import How, PairingEnd, Sensed, Wanted
from hub.contract.radio import Part as RadioPart
from hub.contract.voice import Meaning, Part
from hub.contract.wire import LinkTrouble


class Started(Struct, frozen=True, tag="Started"):
    """The process runs.

    `boot` is random at each start, so that ids never repeat. `chance`, in [0, 1), is the only
    random number of a boot: by it each home reports at another time after a power cut.
    """

    at: float
    utc: float
    synced: bool
    boot: str
    zone_s: float = 32_400.0  # local time = UTC + this; Korea has no summer time
    chance: float = 0.0


class ContactChanged(Struct, frozen=True, tag="ContactChanged"):
    """A contact gave an edge, or a polled level differs from the last edge. `closed`: pressed."""

    at: float
    device: str
    closed: bool


class MotionChanged(Struct, frozen=True, tag="MotionChanged"):
    """A motion sensor saw somebody (`active`), or sees nobody any more."""

    at: float
    device: str
    active: bool


class DeviceSeen(Struct, frozen=True, tag="DeviceSeen"):
    """A device gave a sign of life and nothing else."""

    at: float
    device: str


class BatteryMeasured(Struct, frozen=True, tag="BatteryMeasured"):
    """The charge of a device's battery, in percent."""

    at: float
    device: str
    battery_pct: float


class MainsChanged(Struct, frozen=True, tag="MainsChanged"):
    """The mains came (`present`) or went, as `device` sees it."""

    at: float
    device: str
    present: bool


class PulseReading(Struct, frozen=True, array_like=True):
    """A reading before the one of the event that it is part of."""

    at: float
    bpm: float
    rr_ms: tuple[float, ...] = ()


class HeartRateMeasured(Struct, frozen=True, tag="HeartRateMeasured"):
    """A wearable's reading. It is a sign of life, but no activity.

    `bpm` 0: it measures nothing. `worn` None: the band cannot tell. `rr_ms`: the beats since the
    last reading, oldest first. `earlier`: the readings of the seconds before, oldest first.
    """

    at: float
    device: str
    bpm: float
    rr_ms: tuple[float, ...] = ()
    worn: bool | None = None
    earlier: tuple[PulseReading, ...] = ()

    def each(self) -> list["HeartRateMeasured"]:
        """Return the readings, each by itself, oldest first."""
        last = PulseReading(self.at, self.bpm, self.rr_ms)
        return [
            HeartRateMeasured(one.at, self.device, one.bpm, one.rr_ms, self.worn)
            for one in (*self.earlier, last)
        ]


class VitalsMeasured(Struct, frozen=True, tag="VitalsMeasured"):
    """A reading of an oximeter, cuff or thermometer: name -> value in the name's unit.

    `fresh` is false for a stored record whose age is not known.
    """

    at: float
    device: str
    values: dict[str, float]
    fresh: bool = True
    taken_utc: float | None = None
    irregular: bool = False


class WirelessPressed(Struct, frozen=True, tag="WirelessPressed"):
    """A pendant's button was pressed, as a frame says; perhaps it is told again.

    `at` is when the frame was heard. `id` is the radio's own name of the press.
    """

    at: float
    device: str
    id: str
    how: How
    button: int = 1
    packet_id: int | None = None
    counter: int | None = None
    mark: str = ""


class WirelessFound(Struct, frozen=True, tag="WirelessFound"):
    """A wireless sensor found something (`on`), or no longer does."""

    at: float
    device: str
    what: Sensed
    on: bool


class RangeChanged(Struct, frozen=True, tag="RangeChanged"):
    """A wireless device is in range (`near`; told each minute), or was not heard for a while."""

    at: float
    device: str
    near: bool


class RadioPartChanged(Struct, frozen=True, tag="RadioPartChanged"):
    """A part of the radio, or of one wireless device, went out of order (`broken`), or works."""

    at: float
    device: str
    part: RadioPart
    broken: bool
    detail: str = ""


class PairingOpened(Struct, frozen=True, tag="PairingOpened"):
    """The radio accepts requests for pairing for the next `s` seconds."""

    at: float
    s: float


class PairingAsked(Struct, frozen=True, tag="PairingAsked"):
    """A device is being paired, and a person is `wanted`. `name` is the device's own word."""

    at: float
    name: str
    wanted: Wanted
    digits: str = ""
    ask: int = 0  # names this request; 0: an older radio


class PairingEnded(Struct, frozen=True, tag="PairingEnded"):
    """A device was paired (`done`) or was not; `open`: the window is still open."""

    at: float
    name: str = ""
    done: bool = False
    reason: PairingEnd = PairingEnd.SHUT
    open: bool = False


class DevicesChanged(Struct, frozen=True, tag="DevicesChanged"):
    """The list of wireless devices was changed; the rules that come with this event have it.

    `trouble` says where the list is wrong, so that the one before it still holds.
    """

    at: float
    trouble: str = ""


class Answered(Struct, frozen=True, tag="Answered"):
    """The resident answered, or spoke unasked; `score` where a scale was asked.

    `what` names a complaint (`head`, `chest`). With `closes` the voice itself says what follows, so
    the hub adds no thanks. `words` is what was said, where the resident allows it to leave the
    home. `wordless` counts the answers that were sounds without a word, where the meaning is
    unclear.
    """

    at: float
    meaning: Meaning
    by: AnsweredBy = AnsweredBy.VOICE
    score: int = 0
    closes: bool = False
    what: str = ""
    asked: str = ""  # after which question, empty: unasked, or not known
    words: str = ""
    wordless: int = 0


class Talking(Struct, frozen=True, tag="Talking"):
    """A talk with the resident goes on, so there is more time to answer."""

    at: float


class Spoke(Struct, frozen=True, tag="Spoke"):
    """The centre's announcement `receipt` was spoken to its end (`done`), or was not."""

    at: float
    receipt: str
    done: bool


class PartChanged(Struct, frozen=True, tag="PartChanged"):
    """A part of the voice went out of order (`broken`), or works again."""

    at: float
    device: str
    part: Part
    broken: bool
    detail: str = ""


class VoiceTold(Struct, frozen=True, tag="VoiceTold"):
    """The voice process reported its engines, what it can do and how it is set."""

    at: float
    device: str
    engines: tuple[str, ...] = ()
    hears: bool = False
    spoken_sos: bool = True
    tells_words: bool = False


class ClaimChanged(Struct, frozen=True, tag="ClaimChanged"):
    """An installer has to type `digits` at the centre, so that this hub is registered.

    Empty: none are needed, or there are none; `trouble` says why.
    """

    at: float
    digits: str = ""
    trouble: str = ""


class Registered(Struct, frozen=True, tag="Registered"):
    """The disk holds an identity of this hub id. Told again at each start of the process."""

    at: float
    hub: str


class NetworkChanged(Struct, frozen=True, tag="NetworkChanged"):
    """How the hub reaches the network now. `password` is that of the hub's own hotspot."""

    at: float
    way: Way
    name: str = ""
    password: str = ""
    signal_dbm: int | None = None
    trouble: str = ""


class ClockCompared(Struct, frozen=True, tag="ClockCompared"):
    """The hub's clock is so many seconds ahead of the centre's."""

    at: float
    ahead_s: float


class SetupPartChanged(Struct, frozen=True, tag="SetupPartChanged"):
    """Identity, board, network, clock or disk went out of order (`broken`), or is well."""

    at: float
    device: str
    part: SetupPart
    broken: bool
    detail: str = ""


SetupEvent = ClaimChanged | Registered | NetworkChanged | ClockCompared | SetupPartChanged
HouseEvent = (
    MotionChanged
    | DeviceSeen
    | BatteryMeasured
    | MainsChanged
    | HeartRateMeasured
    | VitalsMeasured
    | WirelessPressed
    | WirelessFound
    | RangeChanged
    | RadioPartChanged
    | PairingOpened
    | PairingAsked
    | PairingEnded
    | DevicesChanged
    | Answered
    | Talking
    | Spoke
    | PartChanged
    | VoiceTold
)


class LinkUp(Struct, frozen=True, tag="LinkUp"):
    """The session with a broker is up, and the subscriptions are granted."""

    at: float
    broker: str


class LinkDown(Struct, frozen=True, tag="LinkDown"):
    """The session with the broker ended, or could not be made."""

    at: float
    trouble: LinkTrouble


class BrokerAcked(Struct, frozen=True, tag="BrokerAcked"):
    """A broker has the message `id` (PUBACK), and no more than that."""

    at: float
    id: str


class BrokerRefused(Struct, frozen=True, tag="BrokerRefused"):
    """The broker's rules do not allow the hub to publish (PUBACK with a failure)."""

    at: float
    id: str


class CenterAcked(Struct, frozen=True, tag="CenterAcked"):
    """The centre reports the stage of an alarm; for `received`, `id` is the event it stored."""

    at: float
    id: str
    alarm: str
    stage: Stage
    version: int
    who: str = ""
    sent: bool = False  # somebody is on the way


class CenterBorn(Struct, frozen=True, tag="CenterBorn"):
    """The centre's link was started (again); it may have missed what it did not confirm."""

    at: float


class CommandReceived(Struct, frozen=True, tag="CommandReceived"):
    """The centre sent a command; `utc` is this hub's clock when it came."""

    at: float
    utc: float
    command: Command


class DriverReady(Struct, frozen=True, tag="DriverReady"):
    """The driver of `device` works."""

    at: float
    device: str


class DriverFailed(Struct, frozen=True, tag="DriverFailed"):
    """The driver of `device` ended with an error; the supervisor will start it again."""

    at: float
    device: str
    reason: str


class StorageTrouble(StrEnum):
    """Why the outbox cannot write to the disk at the moment."""

    FULL = "full"
    READ_ONLY = "read_only"
    CORRUPT = "corrupt"
    SLOW = "slow"
    LOCKED = "locked"  # by another program: one that copies the file, say
    ERROR = "error"


class StorageFailed(Struct, frozen=True, tag="StorageFailed"):
    """A commit did not reach the disk; its messages are kept in memory and sent from there."""

    at: float
    trouble: StorageTrouble


class StorageRecovered(Struct, frozen=True, tag="StorageRecovered"):
    """Commits reach the disk again, and what memory held is written."""

    at: float


class Measured(Struct, frozen=True, tag="Measured"):
    """Readings of the hub's own health, for telemetry: name -> value in the name's unit."""

    at: float
    readings: dict[str, float]
    dropped: int = 0


class Heartbeat(Struct, frozen=True, tag="Heartbeat"):
    """The hub found its threads alive. Only the effect of this event feeds the watchdog."""

    at: float
    utc: float
    synced: bool
    zone_s: float = 32_400.0


class Ticked(Struct, frozen=True, tag="Ticked"):
    """A deadline that `next_wake` returned has come."""

    at: float


Event = (
    Started
    | ContactChanged
    | HouseEvent
    | SetupEvent
    | LinkUp
    | LinkDown
    | BrokerAcked
    | BrokerRefused
    | CenterAcked
    | CenterBorn
    | CommandReceived
    | DriverReady
    | DriverFailed
    | StorageFailed
    | StorageRecovered
    | Measured
    | Heartbeat
    | Ticked
)
