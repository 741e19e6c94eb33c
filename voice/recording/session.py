"""A recording session: sentence after sentence, each kept at once or said again.

    asked --Enter--> a take --good--> Enter: kept, the next      1 listen  2 again  3 skip  0 stop
                            --flawed-> Enter: again              1 listen           3 skip  0 stop

The keys are digits: they are the same while a keyboard writes Hangul. Microphone, keyboard,
loudspeaker and screen are passed in (`Desk`); a take is in memory only, until it is kept.
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
LEAD = round(0.3 / PIECE_S)  # pieces discarded before the speaker is asked: the key's own sound


class GoneError(Exception):
    """The microphone gives no sound any more; the argument says why, as in `Reason`."""


class SoundSource(Protocol):
    """A microphone; what it hears between `end` and `begin` is discarded."""

    def begin(self) -> None:
        """Wait until it gives sound. Raises GoneError."""

    def piece(self) -> bytes:
        """Wait for the next 32 ms of sound, 24 kHz, 16 bits. Raises GoneError."""

    def end(self) -> None:
        """Discard what was not asked for."""

    def losses(self) -> int:
        """Return how often sound was lost since it was opened."""


class Keys(Protocol):
    """A keyboard. Raises EOFError when it is gone."""

    def forget(self) -> None:
        """Discard what was pressed before the question."""

    def wait(self) -> str:
        """Wait for a key."""

    def pressed(self) -> str:
        """Return a key that was pressed meanwhile, or ""."""


class Tell(Protocol):
    """Shows a message of the table [live]; `flaw` is a key of [flaw], filled in."""

    def __call__(self, key: str, flaw: str = "", **values: object) -> None:
        """Show it."""


class Desk(Struct, frozen=True):
    """The devices before the speaker. `play` returns what prevented it, or "".

    `level` shows the loudness of a piece in dB below full scale; None hides it.
    """

    source: SoundSource
    keys: Keys
    play: Callable[[Audio], str]
    tell: Tell
    level: Callable[[float | None], None]


class Prompt(Struct, frozen=True):
    """A sentence to be said, with its number in `anbu voice record --list`."""

    number: int
    text: str


class Outcome(Struct, frozen=True):
    """How many sentences were kept, and whether the microphone was `lost` at the end."""

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
    """Records sentences. `keep` raises OSError; `run` lets only that through."""

    def __init__(
        self,
        desk: Desk,
        segmenter: Callable[[], Segmenter],
        keep: Callable[[Prompt, Audio], None],
        *,
        zeros: bool = True,
    ) -> None:
        self._desk, self._segmenter, self._keep, self._zeros = desk, segmenter, keep, zeros
        self.kept: set[int] = set()

    def run(self, prompts: Sequence[Prompt]) -> Outcome:
        """Record one after the other, until the last, a stop (also Ctrl-C) or a lost microphone."""
        at, step = 0, Step.KEEP
        try:
            while at < len(prompts) and step not in {Step.STOP, Step.LOST}:
                step = self._sentence(prompts[at], len(prompts) - at)
                at = max(0, at - 1) if step is Step.BACK else at + 1
        except (KeyboardInterrupt, EOFError):
            self._desk.level(None)
        return Outcome(len(self.kept), lost=step is Step.LOST)

    def _sentence(self, prompt: Prompt, left: int) -> Step:
        self._desk.tell("sentence", number=prompt.number, left=left, text=prompt.text)
        step = self._asked("menu_ready")
        while step is Step.RECORD:
            try:
                take, flaw = self._recorded(prompt.text)
            except GoneError as gone:
                self._desk.tell(f"gone_{gone}")
                step = self._asked("menu_gone")
            else:
                step = self._judged(prompt, take, flaw)
        return step

    def _recorded(self, text: str) -> tuple[Take, Fault | None]:
        source = self._desk.source
        taking = Taking(self._segmenter(), text, zeros=self._zeros)
        try:
            source.begin()
            losses = source.losses()
            for _ in range(LEAD):
                source.piece()
            self._desk.tell("speak", text=text)
            while not taking.take_piece(piece := source.piece()):
                self._desk.level(level_db(piece))
                if self._desk.keys.pressed() == ENTER:
                    break
            torn = source.losses() > losses
        finally:
            source.end()
            self._desk.level(None)
        take = taking.done()
        return take, Fault.GAPS if torn else wrong(text, take)

    def _judged(self, prompt: Prompt, take: Take, flaw: Fault | None) -> Step:
        """Show what a take is like, play it on demand, and keep it if it is good and wanted."""
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
            self._keep(prompt, take.audio)
            self.kept.add(prompt.number)
            self._desk.tell("kept", number=prompt.number)
        return step

    def _asked(self, menu: str) -> Step:
        self._desk.keys.forget()
        self._desk.tell(menu)
        while (key := self._desk.keys.wait()) not in MENUS[menu]:
            pass
        return MENUS[menu][key]
