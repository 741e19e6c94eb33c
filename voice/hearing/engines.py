"""The engines of hearing, loaded from the models that are installed, in a thread of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct

from hub.shared.system import give_back
from voice.hearing import vad
from voice.hearing.models import Model, ModelError, find
from voice.hearing.spotter import Spotter
from voice.hearing.whisper import Encoded, Whisper
from voice.understanding.likeness import Guess
from voice.understanding.phrases import Phrases

E = TypeVar("E")


class Recogniser(Protocol[E]):
    """Writes down an utterance, and weighs what it might have been."""

    name: str

    def encode(self, pcm: bytes) -> E:
        """Encode an utterance: the work that `guess` and `weigh` share."""
        ...

    def guess(self, encoded: E) -> tuple[tuple[Guess, ...], float]:
        """Return guesses, best first, and the chance that nobody spoke."""
        ...

    def weigh(self, encoded: E, texts: Sequence[str]) -> dict[str, float]:
        """Return the log-likelihood of each text."""
        ...


class Spotting(Protocol):
    """Listens for calls for help as sound comes in."""

    name: str

    def begin(self) -> None:
        """Begin a new utterance."""
        ...

    def take_sound(self, pcm: bytes) -> None:
        """Hear some more of it."""
        ...

    def end(self) -> tuple[Guess, ...]:
        """Return what was heard, within 0.2 s; nothing where none of its phrases was."""
        ...


class Engines(Struct, frozen=True):
    """The engines that can be used. `troubles` tells which models cannot, and why."""

    detect: vad.Detect
    spotter: Spotting | None = None
    recogniser: Recogniser[Encoded] | None = None
    troubles: tuple[ModelError, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The engines that work."""
        return tuple(one.name for one in (self.spotter, self.recogniser) if one is not None)


def load(folder: Path | None, phrases: Phrases, *, threads: int = 1) -> Engines:
    """Load all engines whose models are installed (up to 10 s: not in the main loop). Never raises.

    Without any model only voice activity works, and everything that is heard is UNCLEAR.
    """
    troubles: list[ModelError] = []
    spotter: Spotter | None = None
    recogniser: Whisper | None = None
    try:  # first the one that needs most memory while it loads
        recogniser = Whisper(find(Model.WHISPER, folder), threads=threads)
    except ModelError as error:
        troubles.append(error)
    try:
        spotter = Spotter(find(Model.VOSK, folder), phrases)
    except ModelError as error:
        troubles.append(error)
    give_back()
    return Engines(vad.detector(), spotter, recogniser, tuple(troubles))
