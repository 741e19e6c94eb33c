"""The mouth: any text becomes sound, sentence by sentence, from the first source that has it.

    bank (recorded) -> cache (said before) -> the engines in turn (neural voice, espeak-ng)

Only the product's own sentences and the centre's announcements are spoken, never what a resident
said: so the cached sound reveals nothing about anybody.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol

from voice.korean.sentences import sentences
from voice.sound.effects import slowed
from voice.sound.loudness import levelled, pause, trimmed
from voice.sound.pcm import SPEECH_HZ, Audio, resampled

USUAL_SPEED = 0.8  # of a young speaker's: about four syllables a second
SLOW_TIMES = 1.25  # how much longer a sentence lasts when it is repeated
PAUSE_S, SLOW_PAUSE_S = 0.45, 0.7  # between sentences
MOST_CHARACTERS = 4_000  # a quarter of an hour of speech; nobody listens longer
SILENCE = Audio(b"", SPEECH_HZ)


class MouthError(Exception):
    """An engine cannot speak this, or not now; the next one is asked."""


class Synthesizer(Protocol):
    """Makes speech from text; `name` is part of the key under which its sound is cached."""

    name: str

    def speak(self, text: str, speed: float) -> Audio:
        """Say one sentence at `speed` (1.0: a young speaker's). Raises MouthError."""


class Sounds(Protocol):
    """Has the sound of sentences: the phrase bank."""

    def find(self, text: str) -> Audio | None:
        """Return the sound of a sentence; None where it is missing or damaged."""


class Store(Sounds, Protocol):
    """Keeps new sound too: the cache."""

    def keep(self, text: str, audio: Audio) -> None:
        """Keep the sound of a sentence, if there is room."""


class Mouth:
    """Says any text: with the last engine at least; if that fails, with silence."""

    def __init__(
        self, bank: Sounds | None, engines: Sequence[Synthesizer], cache: Store | None
    ) -> None:
        self._bank, self._engines, self._cache = bank, tuple(engines), cache

    def render(self, text: str, *, slow: bool = False) -> Audio:
        """Return `text` as sound at 24 kHz; blocks while an engine speaks, and never raises."""
        gap = pause(SLOW_PAUSE_S if slow else PAUSE_S, SPEECH_HZ)
        parts = list(self.parts(text, slow=slow))
        pieces = chain.from_iterable((gap, part) for part in parts)
        return Audio(b"".join(piece.pcm for piece in pieces)[len(gap.pcm) :], SPEECH_HZ)

    def parts(self, text: str, *, slow: bool = False) -> Iterator[Audio]:
        """Yield the sentences one after the other, so that the first can be played at once."""
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
    at_rate = Audio(resampled(audio.pcm, audio.rate_hz, SPEECH_HZ), SPEECH_HZ)
    return levelled(trimmed(at_rate))


def fingerprint(text: str) -> str:
    """Return the name under which the sound of `text` is kept: 80 bits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]
