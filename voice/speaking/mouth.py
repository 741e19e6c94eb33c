"""The mouth: a text becomes sound, sentence by sentence, and no text can silence it.

    bank (recorded) -> cache (said before) -> the engines in turn (neural voice, espeak-ng)

Each falls to the next. What a resident said is never given to it: only the product's own sentences
and the centre's announcements are spoken, so that keeping their sound betrays nobody.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol

from voice.korean.sentences import sentences
from voice.sound.effects import slowed
from voice.sound.loudness import levelled, pause, trimmed
from voice.sound.pcm import Audio, resampled

RATE_HZ = 24_000
USUAL_SPEED = 0.8  # of a young speaker's: about four syllables a second
SLOW_TIMES = 1.25  # the second time a sentence lasts so much longer
PAUSE_S, SLOW_PAUSE_S = 0.45, 0.7  # between sentences
MOST_CHARACTERS = 4_000  # a quarter of an hour of speech; nobody listens longer
SILENCE = Audio(b"", RATE_HZ)


class MouthError(Exception):
    """An engine that cannot speak this, or not now; the next one is asked."""


class Synthesizer(Protocol):
    """What makes speech of text; `name` tells it from others where sound is kept."""

    name: str

    def speak(self, text: str, speed: float) -> Audio:
        """Say one sentence at `speed` (1.0: a young speaker's). Raises MouthError."""


class Sounds(Protocol):
    """Where the sound of a sentence may be found: the phrase bank."""

    def find(self, text: str) -> Audio | None:
        """Give the sound of a sentence; None where it is missing or damaged."""


class Store(Sounds, Protocol):
    """Sounds that grow: the cache."""

    def keep(self, text: str, audio: Audio) -> None:
        """Remember the sound of a sentence, where there is room."""


class Mouth:
    """Says any text: at least with the engine that is always there, else with silence."""

    def __init__(
        self, bank: Sounds | None, engines: Sequence[Synthesizer], cache: Store | None
    ) -> None:
        self._bank, self._engines, self._cache = bank, tuple(engines), cache

    def render(self, text: str, *, slow: bool = False) -> Audio:
        """Give `text` as sound at 24 kHz; blocks while an engine speaks, and never raises."""
        gap = pause(SLOW_PAUSE_S if slow else PAUSE_S, RATE_HZ)
        parts = list(self.parts(text, slow=slow))
        pieces = chain.from_iterable((gap, part) for part in parts)
        return Audio(b"".join(piece.pcm for piece in pieces)[len(gap.pcm) :], RATE_HZ)

    def parts(self, text: str, *, slow: bool = False) -> Iterator[Audio]:
        """Give the sentences one after the other, so that the first can sound at once."""
        for sentence in sentences(text[:MOST_CHARACTERS]):
            audio = self._sentence(sentence)
            yield slowed(audio, SLOW_TIMES) if slow else audio

    def _sentence(self, sentence: str) -> Audio:
        known = self._bank.find(sentence) if self._bank else None
        return known or self._spoken(sentence) or SILENCE

    def _spoken(self, sentence: str) -> Audio | None:
        for engine in self._engines:
            kept = f"{engine.name} {USUAL_SPEED} {sentence}"
            if self._cache and (known := self._cache.find(kept)):
                return known
            try:
                audio = _even(engine.speak(sentence, USUAL_SPEED))
            except MouthError:
                continue
            if self._cache:
                self._cache.keep(kept, audio)
            return audio
        return None


def _even(audio: Audio) -> Audio:
    at_rate = Audio(resampled(audio.pcm, audio.rate_hz, RATE_HZ), RATE_HZ)
    return levelled(trimmed(at_rate))


def fingerprint(text: str) -> str:
    """Give the name under which the sound of `text` is kept: 80 bits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]
