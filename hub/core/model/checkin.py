"""What is known of check-ins: part of the state (`HomeState.care`).

    Due --nothing hinders--> Asked --answer, button, motion--> over, with its result
                              ^  '--nobody--> Paused    after the last attempt --> Missed
                              '-----------------'

Times are monotonic seconds of the running boot; `checkin.restart` moves them into the next one.
"""

from enum import StrEnum

from msgspec import Struct, field

from hub.contract.messages import Topic

TALK_S = 240.0  # longer than any talk of the voice: one that lasts longer is stuck


class Due(Struct, frozen=True, tag="Due"):
    """The check-in is to be asked from `from_at` on, unless an alarm hinders it."""

    from_at: float


class Asked(Struct, frozen=True, tag="Asked"):
    """The question was spoken at `at`; `moved`: somebody has moved since.

    `talked_s` is how long after the question the talk was last known to go on.
    """

    at: float
    moved: bool = False
    talked_s: float = 0.0


class Paused(Struct, frozen=True, tag="Paused"):
    """Nobody answered the question that was spoken at `at`; it will be asked again."""

    at: float


class CheckIn(Struct, frozen=True):
    """A check-in that is not over. `unclear`: something was said that was not understood.

    `wordless` counts the answers to it that were sounds without a word.
    """

    name: str
    topic: Topic
    due_at: float
    due_utc: float
    stage: Due | Asked | Paused
    attempts: int = 0
    unclear: bool = False
    words: str = ""  # last said to it, where the resident lets them be told
    wordless: int = 0


class Missed(Struct, frozen=True):
    """A check-in that nobody answered, and when its escalation last made a step."""

    checkin: CheckIn
    at: float
    reminders: int = 1
    called: bool = False  # the centre was


class Screening(Struct, frozen=True):
    """The PHQ-2 under way: its question `item` was asked at `at` for the `tries`-th time."""

    at: float
    item: int = 0
    tries: int = 1
    score: int = 0
    talked_s: float = 0.0
    wordless: int = 0  # answers that were sounds without a word


class LifeWatch(StrEnum):
    """How far the rule of 24 and 48 hours without a sign of life has come."""

    WATCHING = "watching"
    CALLED_OUT = "called_out"
    DISPATCHED = "dispatched"


class Anchor(Struct, frozen=True):
    """One moment by both clocks. It tells how long a power cut was, once the clock is right."""

    at: float
    utc: float


class CareState(Struct, frozen=True):
    """Check-ins, and the escalation after one that was missed."""

    visit: CheckIn | None = None
    missed: Missed | None = None
    screening: Screening | None = None
    turn: int = 0  # of the topics: how many check-ins there have been
    begun_at: float | None = None  # the last check-in
    looked_local: float | None = None  # up to when due check-ins were looked for, in local time
    next_local: float | None = None  # the next one
    told_at: dict[str, float] = field(default_factory=dict)  # need -> when it was last told
    screened_utc: float | None = None  # when the PHQ-2 was last answered, or the hub was new
    life_at: float | None = None  # a sign of life; later ones may stand in `HomeState.house`
    look_at: float | None = None  # when to look again whether there was one
    rung: LifeWatch = LifeWatch.WATCHING
    began_at: float = 0.0  # this process
    noted_at: float = 0.0  # about now: what `checkin.restart` knows of the time after a restart
    anchor: Anchor | None = None
    dark_at: float | None = None  # when it watched again after hours off (`activity.dark`)
    adrift_from: float | None = None  # off since then, for a time that is not known yet


def asking(care: CareState) -> bool:
    """Whether a question waits for its answer."""
    visit = care.visit
    return care.screening is not None or (visit is not None and isinstance(visit.stage, Asked))


def talked(asked_at: float, at: float) -> float:
    """Return for how many seconds after its question a talk went on, at most `TALK_S`."""
    return min(max(at - asked_at, 0.0), TALK_S)
