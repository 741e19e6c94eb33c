"""What a hub tells of the resident's day: check-ins, needs that are no emergency, activity."""

from msgspec import Struct

from hub.contract.border import Open
from hub.contract.scaip import Care, Scaip


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


class CheckInEvent(Struct, frozen=True, tag_field="specversion", tag="1.0"):
    """A CloudEvents 1.0 envelope around a check-in's result; owed until `received`."""

    id: str
    source: str
    type: str
    time: str
    data: CheckInData
    datacontenttype: str = "application/json"


class CareEvent(Struct, frozen=True, tag_field="specversion", tag="1.0"):
    """A CloudEvents 1.0 envelope around a need; owed until `received`."""

    id: str
    source: str
    type: str
    time: str
    data: CareData
    datacontenttype: str = "application/json"


class AnnouncementEvent(Struct, frozen=True, tag_field="specversion", tag="1.0"):
    """A CloudEvents 1.0 envelope around an announcement's receipt; owed until `received`."""

    id: str
    source: str
    type: str
    time: str
    data: AnnouncementData
    datacontenttype: str = "application/json"


class Activity(Struct, frozen=True):
    """An hour of the home: how often each device saw activity, and where the resident was."""

    from_utc: float
    synced: bool
    seen: dict[str, int]  # device -> activations
    places: dict[str, str]  # device -> its room's name
    presence: PresenceKind  # at the hour's end
    asleep_s: float = 0.0
    away_s: float = 0.0
