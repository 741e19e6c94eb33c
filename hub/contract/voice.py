"""The protocol of hub and voice process: one JSON object a line, in Wyoming's shape.

    {"type": "say", "data": {"key": "received", "text": "..."}}

The voice process connects to the hub's unix socket, sends `Hello`, and answers each `Ping`. A
header may announce `data_length` and `payload_length` bytes that follow the line, as Wyoming's do:
data that is too long for the line, and sound, which a later two-way call will carry. Only the
meaning leaves the voice process, and the words where the resident has agreed to it (`tells_words`);
sound never does.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from hub.contract.json_lines import Vocabulary

LINE_BYTES = 65_536  # an announcement has at most 16 KB, and each byte of it may be escaped
WORDS_MAX = 200  # characters of what was said; at most 8 s of sound are understood at a time
PROTOCOL = 1
Engine = Annotated[str, Meta(max_length=40)]


class Meaning(StrEnum):
    """What an answer meant. It is `unclear` unless the voice is sure."""

    FINE = "fine"
    UNWELL = "unwell"
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    COUNSEL = "counsel"
    AWAY = "away"
    HOME = "home"
    VISITOR = "visitor"  # somebody is with them
    ALONE = "alone"  # and has gone again
    HELP = "help"
    CANCEL = "cancel"


class Part(StrEnum):
    """The parts of the voice that can be out of order."""

    MICROPHONE = "microphone"
    LOUDSPEAKER = "loudspeaker"
    SPEECH = "speech"  # a model, a phrase file or a plan: it hears, and does not understand
    MUTE = "mute"  # the resident has switched the microphone off


class Phrase(StrEnum):
    """A key into the message files; the text is never in code."""

    RAISED = "raised"
    UNDELIVERED = "undelivered"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PRESENT = "present"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel_asked"
    LEAVE_SMOKE = "leave_smoke"
    LEAVE_GAS = "leave_gas"
    LEAVE_CARBON_MONOXIDE = "leave_carbon_monoxide"
    UNDELIVERED_OUTSIDE = "undelivered_outside"
    RECEIVED_OUTSIDE = "received_outside"
    WATER_FOUND = "water_found"
    ANNOUNCEMENT = "announcement"
    ASK_HELP = "ask_help"
    HELP_NOT_NEEDED = "help_not_needed"
    WARN_QUIET = "warn_quiet"
    WARN_NOT_UP = "warn_not_up"
    WARN_BATHROOM = "warn_bathroom"
    WARN_WANDERING = "warn_wandering"
    WARN_DOOR = "warn_door"
    WARN_OUT = "warn_out"
    WARN_NO_LIFE = "warn_no_life"
    WARN_PULSE = "warn_pulse"
    WARN_OXYGEN = "warn_oxygen"
    WARN_PRESSURE = "warn_pressure"
    READING_NOTED = "reading_noted"
    READING_TOLD = "reading_told"
    READING_OVER = "reading_over"
    WARNING_OVER = "warning_over"
    ASK_MOOD = "ask_mood"
    ASK_HEALTH = "ask_health"
    ASK_SLEEP = "ask_sleep"
    ASK_MEALS = "ask_meals"
    ASK_OUTING = "ask_outing"
    ASK_EXERCISE = "ask_exercise"
    ASK_MEDICINE = "ask_medicine"
    ASK_PHQ_INTEREST = "ask_phq_interest"
    ASK_PHQ_MOOD = "ask_phq_mood"
    REMIND = "remind"
    THANKS_FINE = "thanks_fine"
    THANKS_UNWELL = "thanks_unwell"
    THANKS_ALIVE = "thanks_alive"
    NOT_UNDERSTOOD = "not_understood"
    COUNSEL_COMING = "counsel_coming"
    AWAY_NOTED = "away_noted"
    WELCOME_HOME = "welcome_home"
    PAIRING_OPEN = "pairing_open"
    PAIRING_COMPARE = "pairing_compare"
    PAIRING_TYPE = "pairing_type"
    PAIRING_SHOW = "pairing_show"
    PAIRING_DONE = "pairing_done"
    DIGITS = "digits"  # the words for 0 to 9, of which a number is put together
    PAIRING_FAILED = "pairing_failed"
    PAIRING_CLOSED = "pairing_closed"
    PAIRING_UNREADY = "pairing_unready"
    TEST_MODE = "test_mode"
    TEST_MODE_OVER = "test_mode_over"
    UNCLAIMED = "unclaimed"
    UNCLAIMED_DIGITS = "unclaimed_digits"  # the digits follow
    UNCLAIMED_WAITS = "unclaimed_waits"
    CLAIMED = "claimed"
    OTHER_BOARD = "other_board"
    HOTSPOT_OPEN = "hotspot_open"  # its password follows, where that is a number
    HOTSPOT_SHUT = "hotspot_shut"
    NETWORK_JOINED = "network_joined"
    NETWORK_FAILED = "network_failed"


class Say(Struct, frozen=True):
    """Hub to voice: speak `text`; with a `receipt`, tell when it was spoken."""

    key: str
    text: str
    receipt: str = ""
    urgent: bool = False


class Ask(Struct, frozen=True):
    """Hub to voice: hold the talk that begins with the question `text`; `slow` when asked again."""

    key: str
    text: str
    slow: bool = False


class Listen(Struct, frozen=True):
    """Hub to voice: treat what is said in the next `s` seconds as an answer to `key`."""

    key: str
    s: float = 10.0


class Stop(Struct, frozen=True):
    """Hub to voice: be silent, and drop whatever is queued or under way."""


class Ping(Struct, frozen=True):
    """Hub to voice: are you there? Answered by the loop that does the work."""

    n: int


class Hello(Struct, frozen=True):
    """Voice to hub, first of all, and again when it can do more: the engines that work.

    Without engines it has just begun. `hears`: one of them understands speech; `spoken_sos` and
    `tells_words` are its settings.
    """

    protocol: int = PROTOCOL
    engines: Annotated[tuple[Engine, ...], Meta(max_length=8)] = ()
    hears: bool = False
    spoken_sos: bool = True
    tells_words: bool = False


class Heard(Struct, frozen=True):
    """Voice to hub: what was meant, `asked` after which key (empty: unasked).

    `score` is 0 to 3 where a scale was asked, `what` names a complaint (`head`, `chest`), `sure` is
    0 to 1. With `closes` the voice itself says what follows, and the hub adds no thanks. `words` is
    what was said as the engine wrote it down, empty without the resident's consent. `wordless`,
    where the meaning is unclear, counts the answers to this question and to those that followed it
    that were sounds without a word: a groan, a cough. A hub that does not know it reads "unclear".
    """

    meaning: Meaning
    asked: str = ""
    score: Annotated[int, Meta(ge=0, le=3)] = 0
    what: Annotated[str, Meta(pattern="^[a-z_]{0,40}$")] = ""
    sure: float = 0.0
    closes: bool = False
    words: Annotated[str, Meta(max_length=WORDS_MAX)] = ""
    wordless: Annotated[int, Meta(ge=0, le=99)] = 0


class Talking(Struct, frozen=True):
    """Voice to hub: the talk of `key` goes on; sent at its start, and at each turn of it."""

    key: str


class Spoke(Struct, frozen=True):
    """Voice to hub: `key` was spoken to its end (`done`), or was not."""

    key: str
    receipt: str = ""
    done: bool = True


class Trouble(Struct, frozen=True):
    """Voice to hub: a part of it is out of order (`present`), or works again."""

    part: Part
    present: bool
    detail: Annotated[str, Meta(max_length=200)] = ""


class Pong(Struct, frozen=True):
    """Voice to hub: the answer to a ping, which shows that the voice works.

    Where it was too slow, seconds of sound were dropped since it began: at the microphone
    (`ear_lost_s`), while it spoke itself (`amid_lost_s`), and of speech that waited to be judged
    (`unjudged_s`).
    """

    n: int
    ear_lost_s: Annotated[float, Meta(ge=0)] = 0.0
    amid_lost_s: Annotated[float, Meta(ge=0)] = 0.0
    unjudged_s: Annotated[float, Meta(ge=0)] = 0.0


Order = Say | Ask | Listen | Stop | Ping
Fact = Hello | Heard | Talking | Spoke | Trouble | Pong
Word = Order | Fact


VOCABULARY: Vocabulary[Fact, Order] = Vocabulary(
    (Hello, Heard, Talking, Spoke, Trouble, Pong),
    (Say, Ask, Listen, Stop, Ping),
    hello=Hello,
    pong=Pong,
    ping=Ping,
    line_bytes=LINE_BYTES,
)
encode, decode = VOCABULARY.encode, VOCABULARY.decode
