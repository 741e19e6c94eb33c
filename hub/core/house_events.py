"""Facts of the house and of the resident's own words; `events` has all others.

`at` is monotonic seconds of the running boot.
"""

from msgspec import Struct

from hub.contract.messages import AnsweredBy
from hub.contract.voice import Meaning, Part


class MotionChanged(Struct, frozen=True, tag="MotionChanged"):
    """A motion sensor saw somebody (`active`), or sees nobody any more."""

    at: float
    device: str
    active: bool


class DeviceSeen(Struct, frozen=True, tag="DeviceSeen"):
    """A device gave a sign of life without any news."""

    at: float
    device: str


class BatteryMeasured(Struct, frozen=True, tag="BatteryMeasured"):
    """A device's battery, in percent."""

    at: float
    device: str
    battery_pct: float


class MainsChanged(Struct, frozen=True, tag="MainsChanged"):
    """The mains came (`present`) or went, as `device` sees it."""

    at: float
    device: str
    present: bool


class HeartRateMeasured(Struct, frozen=True, tag="HeartRateMeasured"):
    """A wearable's reading: a sign of life, and no activity."""

    at: float
    device: str
    bpm: float


class Answered(Struct, frozen=True, tag="Answered"):
    """The resident answered, or spoke unasked; `score` where a scale was asked.

    `what` names an ill (`head`, `chest`). With `closes`, whoever asked says what follows: no thanks
    are due. `words` is what was said, where the resident lets it be told. `wordless`: how many
    answers were sounds without a word, where the meaning is unclear.
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
    """A talk with the resident goes on: there is more time to answer."""

    at: float


class Spoke(Struct, frozen=True, tag="Spoke"):
    """What the centre had to say under `receipt` was spoken to its end (`done`), or was not."""

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
    """The voice has said what it has (`engines`), what it can do and how it is set."""

    at: float
    device: str
    engines: tuple[str, ...] = ()
    hears: bool = False
    spoken_sos: bool = True
    tells_words: bool = False


HouseEvent = (
    MotionChanged
    | DeviceSeen
    | BatteryMeasured
    | MainsChanged
    | HeartRateMeasured
    | Answered
    | Talking
    | Spoke
    | PartChanged
    | VoiceTold
)
