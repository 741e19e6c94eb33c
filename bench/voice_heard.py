"""Plays sound to the product's hearing and notes what it makes of it, and what that costs."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from bench.voice_sound import Recording, Sound, mixed, noise
from voice.hearing.engines import Engines
from voice.hearing.hearing import Hearing, SpeechEnded, Utterance
from voice.hearing.whisper import Encoded, Whisper
from voice.sound.pcm import HEARING_HZ, to_pcm
from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Guess
from voice.understanding.phrases import Phrases

PIECE_BYTES = 1024
AFTER = {"cancel": Expecting.HELP}  # all other answers: after a check-in's question
SEED = 1
UNASKED = ("sos", "talk", "unwell")


class Heard(Struct, frozen=True):
    """What a recording was heard as: unasked, and as an answer."""

    kind: str
    text: str
    unasked: tuple[Intent, ...]
    answer: tuple[Intent, ...]

    @property
    def meant(self) -> Intent:
        """What it was taken for in the situation in which its kind is said."""
        told = self.unasked if self.kind in UNASKED else self.answer
        if Intent.HELP in told:
            return Intent.HELP
        return next((one for one in told if one is not Intent.UNCLEAR), Intent.UNCLEAR)


class Costs(Struct):
    """Processor seconds: `first` and `verify` per utterance; `heard_s` of sound took `spent_s`."""

    first: list[float]
    verify: list[float]
    heard_s: float = 0.0
    spent_s: float = 0.0


class Remembering:
    """A recogniser that takes in an utterance once, though it is judged after two questions."""

    name = "whisper"

    def __init__(self, whisper: Whisper) -> None:
        self._whisper = whisper
        self._last: tuple[bytes, Encoded, tuple[tuple[Guess, ...], float]] | None = None

    @property
    def written(self) -> str:
        """What the last utterance was written down as."""
        return self._last[2][0][0].text if self._last is not None and self._last[2][0] else ""

    def encode(self, pcm: bytes) -> Encoded:
        """Note an utterance."""
        if self._last is None or self._last[0] != pcm:
            encoded = self._whisper.encode(pcm)
            self._last = (pcm, encoded, self._whisper.guess(encoded))
        return self._last[1]

    def guess(self, encoded: Encoded) -> tuple[tuple[Guess, ...], float]:
        """Return guesses, best first, and the chance that nobody spoke."""
        if self._last is None or self._last[1] is not encoded:
            return self._whisper.guess(encoded)
        return self._last[2]

    def weigh(self, encoded: Encoded, texts: Sequence[str]) -> dict[str, float]:
        """Return the log-likelihood of each text."""
        return self._whisper.weigh(encoded, texts)


class Listener:
    """Hearing and a clock."""

    def __init__(self, engines: Engines, phrases: Phrases) -> None:
        self.hearing = Hearing(engines, phrases)
        self._recogniser = engines.recogniser
        self.costs = Costs([], [])

    @property
    def written(self) -> str:
        """What the last utterance was written down as, by the recogniser if there is one."""
        return self._recogniser.written if isinstance(self._recogniser, Remembering) else "?"

    def bare_s(self) -> float:
        """Return the seconds that the recogniser needs for 2 s of sound: a verdict's floor."""
        if self._recogniser is None:
            return 0.0
        random = np.random.default_rng(9)
        pcm = to_pcm(random.standard_normal(2 * HEARING_HZ) * 0.01)
        began = time.process_time()
        self._recogniser.encode(pcm)
        return time.process_time() - began

    def play(self, sound: Sound, *, goes_on: bool = False) -> Iterator[Utterance]:
        """Play a sound piece by piece; return what was said.

        Then there is silence, and the room is another, but where it `goes_on`.
        """
        pcm = to_pcm(sound if goes_on else np.concatenate([sound, np.zeros(HEARING_HZ)]))
        for start in range(0, len(pcm) - PIECE_BYTES + 1, PIECE_BYTES):
            began = time.process_time()
            told = self.hearing.take_piece(pcm[start : start + PIECE_BYTES])
            took = time.process_time() - began
            self.costs.heard_s += PIECE_BYTES / 2 / HEARING_HZ
            self.costs.spent_s += took
            for event in told:
                if isinstance(event, SpeechEnded):
                    self.costs.first.append(took)
                    yield event.utterance
        if not goes_on:
            self.hearing.reset()

    def judge(self, utterance: Utterance, expecting: Expecting) -> Intent:
        """Judge an utterance with the verifying pass."""
        began = time.process_time()
        intent = self.hearing.judge(utterance, expecting).intent
        took = time.process_time() - began
        self.costs.verify.append(took)
        self.costs.spent_s += took
        return intent


def hear(
    listener: Listener, clips: Sequence[Recording], level_db: float | None, kinds: Sequence[str],
    talk: Sequence[Recording], *, every: bool = False,
) -> list[Heard]:  # fmt: skip
    """Play each recording in `every` noise, or in one of them in turn.

    Babble is `talk` of other voices than the recording's.
    """
    told = []
    for number, clip in enumerate(clips):
        turn = number % len(kinds)
        for kind in kinds if every and level_db is not None else kinds[turn : turn + 1]:
            random = np.random.default_rng([SEED, number])
            others = [other for other in talk if other.voice != clip.voice]
            over = None if level_db is None else noise(kind, len(clip.sound) * 2, random, others)
            sound = mixed(clip.sound, 0.4, over, level_db or 0.0)
            told.append(_heard(listener, clip, sound))
    return told


def _heard(listener: Listener, clip: Recording, sound: Sound) -> Heard:
    unasked, answer = [], []
    after = AFTER.get(clip.kind, Expecting.CHECKIN)
    for utterance in listener.play(sound):
        unasked.append(listener.judge(utterance, Expecting.NOTHING))
        if clip.kind != "sos":
            answer.append(listener.judge(utterance, after))
    return Heard(clip.kind, clip.text, tuple(unasked), tuple(answer))


def memory_mb() -> tuple[float, float]:
    """Return the memory of this process now, and its highest, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    told = dict(line.split(":", 1) for line in lines)
    return _mb(told["VmRSS"]), _mb(told["VmHWM"])


def _mb(text: str) -> float:
    return int(text.strip().removesuffix("kB")) / 1024
