"""What is known of the devices' own health: part of the state (`HomeState.watch`)."""

from msgspec import Struct, field
from msgspec.structs import replace

from hub.contract.scaip import Report
from hub.core.model.events import VoiceTold


class Battery(Struct, frozen=True):
    """A battery's charge, and when it was last reported low (None: it is not low)."""

    pct: float
    told_at: float | None = None
    told_utc: float = 0.0


class Mains(Struct, frozen=True):
    """Whether the mains are there, since when, and when they were last lost."""

    present: bool
    since: float
    lost_utc: float


class Flicker(Struct, frozen=True):
    """How many pulses too short for a person came in the window that began at `since`."""

    pulses: int
    since: float
    chattering: bool = False


class Waiting(Struct, frozen=True):
    """A technical report that waits, so that a whole town does not report at once."""

    report: Report
    value: float
    device: str
    utc: float
    synced: bool


class Flap(Struct, frozen=True):
    """How often of late a fault was told, and when last; and until when its end is held back."""

    told: int
    at: float
    over_at: float | None = None  # None: it is not over
    detail: str | None = None  # that has changed since and is told later; None: it has not


class WatchState(Struct, frozen=True):
    """Signs of life, batteries, the mains, and what is to be told of them later.

    Nothing can become due before `due`; it may be too early, never too late.
    """

    began_at: float = 0.0  # of this process: from then on each device has its whole `silent_s`
    due: float | None = None
    chance: float = 0.0
    words: dict[str, float] = field(default_factory=dict)  # device -> sign of life that is no edge
    batteries: dict[str, Battery] = field(default_factory=dict)
    mains: dict[str, Mains] = field(default_factory=dict)
    flickers: dict[str, Flicker] = field(default_factory=dict)
    flaps: dict[str, Flap] = field(default_factory=dict)  # fault -> how it comes and goes
    hold_until: float | None = None
    untold: tuple[str, ...] = ()  # faults that are told at `hold_until`
    waiting: tuple[Waiting, ...] = ()
    voice: VoiceTold | None = None  # its last report to this process


def due_by(watch: WatchState, at: float) -> WatchState:
    """Return the state with `due` at `at` or earlier, so that `at` is not missed."""
    return watch if watch.due is not None and watch.due <= at else replace(watch, due=at)
