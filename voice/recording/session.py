"""A session at the microphone: sentence after sentence, each kept at once or said again.

    asked --Enter--> a take --good--> Enter: kept, the next      1 listen  2 again  3 skip  0 stop
                            --flawed-> Enter: again              1 listen           3 skip  0 stop

The keys are digits, since they are the same while a keyboard writes Hangul. Microphone, keyboard,
loudspeaker and screen are handed in; a take is held in memory only, until it is kept.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from voice.hearing.vad import PIECE_S, Segmenter
from voice.recording.review import Fault, polished
from voice.recording.take import Take, Taking, level_db, wrong
from voice.sound.loudness import measured
from voice.sound.pcm import Audio

ENTER = "\n"
LEAD = round(0.3 / PIECE_S)  # pieces before one is asked to speak: the key's own sound


class GoneError(Exception):
    """The microphone gives nothing any more; the argument says why, as in `Reason`."""


class Ears(Protocol):
    """A microphone; what it hears between `end` and `begin` is lost."""

    def begin(self) -> None:
        """Wait until it gives sound. Raises GoneError."""

    def piece(self) -> bytes:
        """Wait for the next 32 ms of sound, 24 kHz, 16 bits. Raises GoneError."""

    def end(self) -> None:
        """Forget what was not asked for."""

    def losses(self) -> int:
        """Count how often sound was lost since it began."""


class Keys(Protocol):
    """A keyboard. Raises EOFError when it is gone."""

    def forget(self) -> None:
        """Forget what was pressed before anybody asked."""

    def wait(self) -> str:
        """Wait for a key."""

    def pressed(self) -> str:
        """Give a key that was pressed meanwhile, or ""."""


class Tell(Protocol):
    """Shows a message of the table [live]; `flaw` is filled in from [flaw]."""

    def __call__(self, key: str, flaw: str = "", **values: object) -> None:
        """Show it."""


class Desk(Struct, frozen=True):
    """What stands before the speaker. `play` gives what hindered it, or "".

    `level` shows the loudness of a piece in dB below full scale; None takes the figure away.
    """

    ears: Ears
    keys: Keys
    play: Callable[[Audio], str]
    tell: Tell
    level: Callable[[float | None], None]


class Line(Struct, frozen=True):
    """A sentence to be said, by its number in `anbu voice record --list`."""

    number: int
    text: str


class Outcome(Struct, frozen=True):
    """How many sentences were kept; `lost`: the microphone was, and is."""

    kept: int
    lost: bool


class Step(StrEnum):
    """What is done next."""

    RECORD = "record"
    LISTEN = "listen"
    KEEP = "keep"
    SKIP = "skip"
    BACK = "back"
    STOP = "stop"
    LOST = "lost"


MENUS: dict[str, dict[str, Step]] = {
    "menu_ready": {ENTER: Step.RECORD, "3": Step.SKIP, "4": Step.BACK, "0": Step.STOP},
    "menu_good": {
        ENTER: Step.KEEP, "1": Step.LISTEN, "2": Step.RECORD, "3": Step.SKIP, "0": Step.STOP,
    },
    "menu_flawed": {ENTER: Step.RECORD, "1": Step.LISTEN, "3": Step.SKIP, "0": Step.STOP},
    "menu_gone": {ENTER: Step.RECORD, "0": Step.LOST},
}  # fmt: skip


class Session:
    """Goes through sentences. `keep` raises OSError; so does `run` then, and nothing else."""

    def __init__(
        self,
        desk: Desk,
        segmenter: Callable[[], Segmenter],
        keep: Callable[[Line, Audio], None],
        *,
        zeros: bool = True,
    ) -> None:
        self._desk, self._segmenter, self._keep, self._zeros = desk, segmenter, keep, zeros
        self.kept: set[int] = set()

    def run(self, lines: Sequence[Line]) -> Outcome:
        """Record one after the other, until the last, a stop (also Ctrl-C) or a lost microphone."""
        at, step = 0, Step.KEEP
        try:
            while at < len(lines) and step not in {Step.STOP, Step.LOST}:
                step = self._sentence(lines[at], len(lines) - at)
                at = max(0, at - 1) if step is Step.BACK else at + 1
        except (KeyboardInterrupt, EOFError):
            self._desk.level(None)
        return Outcome(len(self.kept), lost=step is Step.LOST)

    def _sentence(self, line: Line, left: int) -> Step:
        self._desk.tell("sentence", number=line.number, left=left, text=line.text)
        step = self._asked("menu_ready")
        while step is Step.RECORD:
            try:
                take, flaw = self._taken(line.text)
            except GoneError as gone:
                self._desk.tell(f"gone_{gone}")
                step = self._asked("menu_gone")
            else:
                step = self._judged(line, take, flaw)
        return step

    def _taken(self, text: str) -> tuple[Take, Fault | None]:
        ears = self._desk.ears
        taking = Taking(self._segmenter(), text, zeros=self._zeros)
        try:
            ears.begin()
            losses = ears.losses()
            for _ in range(LEAD):
                ears.piece()
            self._desk.tell("speak", text=text)
            while not taking.take(piece := ears.piece()):
                self._desk.level(level_db(piece))
                if self._desk.keys.pressed() == ENTER:
                    break
            torn = ears.losses() > losses
        finally:
            ears.end()
            self._desk.level(None)
        take = taking.done()
        return take, Fault.GAPS if torn else wrong(text, take)

    def _judged(self, line: Line, take: Take, flaw: Fault | None) -> Step:
        """Tell how a take is, play it, and keep it if it is good and wanted."""
        sound = take.audio if flaw else polished(take.audio)
        if flaw:
            self._desk.tell("flawed", flaw=flaw)
        else:
            speech = round(measured(take.audio).speech_db)
            noise = round(take.noise_db)
            self._desk.tell("good", seconds=round(sound.seconds, 1), speech=speech, noise=noise)
        menu = "menu_flawed" if flaw else "menu_good"
        while (step := self._asked(menu)) is Step.LISTEN:
            if hindered := self._desk.play(sound):
                self._desk.tell("unheard", reason=hindered)
        if step is Step.KEEP:
            self._keep(line, take.audio)
            self.kept.add(line.number)
            self._desk.tell("kept", number=line.number)
        return step

    def _asked(self, menu: str) -> Step:
        self._desk.keys.forget()
        self._desk.tell(menu)
        while (key := self._desk.keys.wait()) not in MENUS[menu]:
            pass
        return MENUS[menu][key]
