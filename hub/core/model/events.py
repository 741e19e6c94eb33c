"""Facts, in the past tense: all that the core ever learns.

`at` is monotonic seconds of the running boot; `utc` is the wall clock in seconds since 1970,
which is wrong until `synced`. World trouble is an event here, never an exception.
"""

from enum import StrEnum

from msgspec import Struct

from hub.contract.messages import Command, Stage
from hub.contract.wire import LinkTrouble
from hub.core.house_events import HouseEvent


class StorageTrouble(StrEnum):
    """Why the outbox cannot keep a promise at the moment."""

    FULL = "full"
    READ_ONLY = "read_only"
    CORRUPT = "corrupt"
    SLOW = "slow"
    LOCKED = "locked"  # by another program: one that copies the file, say
    ERROR = "error"


class Started(Struct, frozen=True, tag="Started"):
    """The process runs. `boot` is random per start, so that ids never repeat; `chance` in [0, 1)
    is the one random number of a boot, from which the core spreads what need not go at once.
    """  # noqa: D205 - one sentence

    at: float
    utc: float
    synced: bool
    boot: str
    zone_s: float = 32_400.0  # local time = UTC + this; Korea has no summer time
    chance: float = 0.0


class ContactChanged(Struct, frozen=True, tag="ContactChanged"):
    """A raw edge, or a polled level that differs from the last edge. `closed` is pressed."""

    at: float
    device: str
    closed: bool


class LinkUp(Struct, frozen=True, tag="LinkUp"):
    """The session with a broker stands and the subscriptions are granted."""

    at: float
    broker: str


class LinkDown(Struct, frozen=True, tag="LinkDown"):
    """The session with the broker ended, or could not be made."""

    at: float
    trouble: LinkTrouble


class BrokerAcked(Struct, frozen=True, tag="BrokerAcked"):
    """PUBACK: a broker has the message `id`, and no more than that."""

    at: float
    id: str


class BrokerRefused(Struct, frozen=True, tag="BrokerRefused"):
    """PUBACK with a failure: this broker's rules do not let the hub publish."""

    at: float
    id: str


class CenterAcked(Struct, frozen=True, tag="CenterAcked"):
    """The centre speaks of an alarm; for `received`, `id` is the event it has stored."""

    at: float
    id: str
    alarm: str
    stage: Stage
    version: int
    who: str = ""
    sent: bool = False  # somebody is on the way


class CenterBorn(Struct, frozen=True, tag="CenterBorn"):
    """The centre's link (re)started; it may have missed what was not acked."""

    at: float


class CommandReceived(Struct, frozen=True, tag="CommandReceived"):
    """The centre asks for something; `utc` is this hub's clock when it came."""

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


class StorageFailed(Struct, frozen=True, tag="StorageFailed"):
    """A commit did not reach the disk; what it owed is held in memory and sent from there."""

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
    """The shell found its threads alive; the watchdog is fed only by what this causes."""

    at: float
    utc: float
    synced: bool
    zone_s: float = 32_400.0


class Ticked(Struct, frozen=True, tag="Ticked"):
    """A deadline that `next_wake` named has come."""

    at: float


Event = (
    Started
    | ContactChanged
    | HouseEvent
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
