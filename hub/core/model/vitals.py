"""What is known of the resident's body: part of the state (`HomeState.vitals`, `HomeState.beats`).

The beats themselves are never saved. Times are monotonic seconds of the running boot;
`vitals.restart` moves them into the next one. A wearable costs some 1 KB, and up to 12 KB of beats.
"""

from msgspec import Struct, field

from hub.contract.messages import VitalEvidence, VitalWhy
from hub.contract.scaip import Kind
from hub.core.model.activity import NEVER, Row, zeros

BINS, LEAST_BPM, BIN_BPM = 30, 32.0, 4.0  # the histogram of a pulse at rest: 32 to 152


class Tally(Struct, frozen=True, array_like=True):
    """How many readings there were, their sum, and the least and the most of them."""

    n: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def plus(self, value: float) -> "Tally":
        """Return this with one more reading."""
        if not self.n:
            return Tally(1, value, value, value)
        return Tally(self.n + 1, self.total + value, min(self.least, value), max(self.most, value))

    @property
    def mean(self) -> float:
        """The mean; of nothing 0."""
        return self.total / self.n if self.n else 0.0


class Minute(Struct, frozen=True):
    """The readings of the present minute, and what the beats in it say."""

    since: float = NEVER
    bpm: Row = ()
    rr: Tally = Tally()


class Spell(Struct, frozen=True):
    """Minutes in a row with a pulse beyond a limit: their medians, and their readings."""

    since: float
    medians: Row
    bpm: Tally


class Window(Struct, frozen=True):
    """What five minutes of beats at rest said, or why they said nothing."""

    why: VitalWhy | None = None
    beats: int = 0
    clean_share: float = 0.0
    rmssd_ms: float = 0.0
    sdnn_ms: float = 0.0
    lf_hf: float | None = None
    stress: float | None = None


class Day(Struct, frozen=True, array_like=True):
    """A day's stress: windows, and the sum of the logarithms of their indices."""

    day: int  # local, since 1970
    n: int
    total: float


class Usual(Struct, frozen=True):
    """What is usual for this person, as this device measures it."""

    day: int = 0  # the local day that is being learned
    days: int = 0  # that were
    rest: Row = zeros(BINS)  # minutes at rest by pulse; half of them are older than a week
    stress: tuple[Day, ...] = ()


class Band(Struct, frozen=True):
    """A wearable that feels the pulse, and its readings since the last summary."""

    live_at: float = NEVER  # its last pulse of somebody who wears it
    last_bpm: float = 0.0  # of that pulse
    worn: bool = False
    minute: Minute = Minute()
    stirs: int = 0  # a bit for each of the last minutes in which somebody moved; bit 0: the last
    recent: Row = ()  # medians of the last minutes
    judged_at: float = NEVER  # when the last of these ended
    by_beats: bool = False  # in that minute the beats confirmed the pulse
    high: Spell | None = None
    low: Spell | None = None
    pulse: Tally = Tally()
    rest: Tally = Tally()
    worn_s: float = 0.0
    beats: int = 0
    windows: tuple[Window, ...] = ()
    usual: Usual = Usual()


class Meter(Struct, frozen=True):
    """An oximeter on a finger: its readings of the last half minute, as (at, percent).

    Of any device that streams other values, only when one was last told.
    """

    told_at: float = NEVER
    last_at: float = NEVER
    readings: tuple[tuple[float, float], ...] = ()
    due_at: float | None = None  # when the first readings of this finger are judged
    tally: Tally = Tally()


class Waiting(Struct, frozen=True):
    """A reading that passes a limit, and waits for another question to be over."""

    kind: Kind
    evidence: VitalEvidence
    at: float


class Told(Struct, frozen=True):
    """A reading that was told, with or without an answer; until `until` the same is not asked."""

    until: float
    vital: VitalEvidence


class VitalsState(Struct, frozen=True):
    """All wearables; `from_at` begins the present summary. None, while nothing was read."""

    bands: dict[str, Band] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    from_at: float | None = None
    told: dict[str, Told] = field(default_factory=dict)  # by kind of alarm and side: `vitals.again`
    waiting: dict[str, Waiting] = field(default_factory=dict)


class Beats(Struct, frozen=True):
    """The times between beats since a rest began, oldest first, and the gaps between them."""

    at: float
    rr_ms: Row = ()
    gaps: tuple[tuple[int, float], ...] = ()  # index of the beat after it, ms lost
    lag_ms: float = 0.0  # by how much the beats are behind the clock
    span_ms: float = 0.0


NOTHING = VitalsState()
