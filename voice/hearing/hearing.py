"""The ears: sound in, meaning out, in two passes.

    piece -> is it speech? -> spotter (streaming, cheap) -> SpeechEnded(first)   take(): this thread
    utterance -> Whisper, or the spotter's word for it -> understand -> meaning  judge(): a worker

Nothing is kept on disk, and nothing that was said is logged.
"""

from msgspec import Struct, structs

from voice.hearing import vad
from voice.hearing.engines import Engines, load
from voice.korean.sentences import sentences
from voice.understanding.home import Sensitivity, Understanding
from voice.understanding.likeness import likenesses
from voice.understanding.phrases import Expecting, Intent, Phrases
from voice.understanding.understand import (
    Evidence,
    Guess,
    Understood,
    contested,
    shortlist,
    understand,
    worded,
)

__all__ = ["Engines", "Hearing", "Sensitivity", "SpeechBegan", "SpeechEnded", "Utterance", "load"]

BYTES_S = 32000


class Utterance(Struct, frozen=True):
    """Speech from its beginning to its end. `first` is what the first pass made of it.

    `near`: how like a call for help that was, 0..1; 1 where there was no first pass.
    """

    pcm: bytes
    first: Understood = Understood()
    spotted: tuple[Guess, ...] = ()
    cut: bool = False  # it was long, and goes on in the next
    near: float = 1.0
    amid: str = ""  # what we said ourselves meanwhile
    around: float = 0.0  # what share of the half minute before was as loud

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / BYTES_S


class SpeechBegan(Struct, frozen=True):
    """Somebody speaks."""


class SpeechEnded(Struct, frozen=True):
    """They have stopped; `utterance` is to be judged."""

    utterance: Utterance


class Hearing:
    """Hears. `take` and `reset` belong to one thread; `judge` to any."""

    def __init__(
        self, engines: Engines, phrases: Phrases, *,
        sensitivity: Sensitivity = Sensitivity.NORMAL, spoken_sos: bool = True,
        tell_words: bool = False,
    ) -> None:  # fmt: skip
        self._engines, self._phrases = engines, phrases
        self._home = Understanding(phrases, sensitivity, spoken_sos)
        self._tell_words = tell_words
        self._segments = vad.Segmenter(engines.detect)

    def take(self, pcm: bytes) -> list[SpeechBegan | SpeechEnded]:
        """Take 512 samples (32 ms at 16 kHz, 16 bits); say when speech begins and ends."""
        told: list[SpeechBegan | SpeechEnded] = []
        for turn in self._segments.take(pcm):
            told += self._turn(turn)
        return told

    def judge(self, utterance: Utterance, expecting: Expecting) -> Understood:
        """Say what was meant: the verifying pass, which takes up to 3 s. UNCLEAR unless sure."""
        if utterance.amid and self._calls(utterance.amid):
            return Understood()  # it may have been ourselves
        evidence = self.evidence(utterance, expecting)
        understood = self.conclude(evidence, expecting)
        if utterance.amid and understood.intent is not Intent.HELP:
            return Understood()  # amid our own words only a call for help counts
        return worded(understood, evidence) if self._tell_words else understood

    def evidence(self, utterance: Utterance, expecting: Expecting) -> Evidence:
        """Have the best engine there is write the utterance down, and weigh what is near."""
        recogniser = self._engines.recogniser
        if recogniser is None:
            return Evidence(utterance.spotted, strong=False, around=utterance.around)
        encoded = recogniser.encode(utterance.pcm)
        guesses, no_speech = recogniser.guess(encoded)
        spotted, around = utterance.spotted, utterance.around
        evidence = Evidence(guesses, no_speech, spotted=spotted, around=around)
        for choose in (shortlist, contested):  # the second only of what ends a worry or a call
            texts = choose(evidence, self._phrases, expecting)
            weights = {**evidence.weighed, **recogniser.weigh(encoded, texts)}
            evidence = structs.replace(evidence, weighed=weights)
        return evidence

    def conclude(self, evidence: Evidence, expecting: Expecting) -> Understood:
        """Say what the evidence means after this question."""
        return self._home.explain(evidence, expecting).understood

    def reset(self) -> None:
        """Forget what is buffered, after own speech."""
        self._segments.reset()
        if self._engines.spotter is not None:
            self._engines.spotter.end()

    def _calls(self, text: str) -> bool:
        """Tell whether a sentence of it, were it heard, might be taken for a call for help."""
        alone = (Evidence((Guess(one),)) for one in sentences(text))
        found = (understand(one, self._phrases, Expecting.NOTHING) for one in alone)
        return any(one.intent is Intent.HELP for one in found)

    def _near(self, spotted: tuple[Guess, ...]) -> float:
        """Give how like a call for help it is, as the first pass wrote it down."""
        if self._engines.spotter is None:
            return 1.0
        found = likenesses(Evidence(spotted), self._phrases, Expecting.NOTHING)
        calls = (round(one.value, 3) for one in found.get(Intent.HELP, ()))
        return next(calls, 0.0)

    def _turn(self, turn: vad.Turn) -> list[SpeechBegan | SpeechEnded]:
        spotter = self._engines.spotter
        match turn:
            case vad.Began(pcm=pcm):
                if spotter is not None:
                    spotter.begin()
                    spotter.take(pcm)
                return [SpeechBegan()]
            case vad.Went(pcm=pcm):
                if spotter is not None:
                    spotter.take(pcm)
                return []
            case vad.Ended(pcm=pcm, cut=cut, around=around):
                spotted = spotter.end() if spotter is not None else ()
                if not pcm:
                    return []
                heard = Evidence(spotted, strong=False, around=around)
                first, near = self.conclude(heard, Expecting.NOTHING), self._near(spotted)
                said = Utterance(pcm, first, spotted, cut, near, around=around)
                return [SpeechEnded(said)]
