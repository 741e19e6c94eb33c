"""Hearing: sound in, meaning out, in two passes.

    take_piece, in the capture's thread:
        piece -> voice activity -> spotter (streaming, cheap) -> SpeechEnded(first pass's meaning)
    judge, in a thread of the queue:
        utterance -> Whisper, or else the spotter's text -> understanding -> meaning

Nothing is kept on disk here, and nothing that was said is logged.
"""

from msgspec import Struct, structs

from voice.hearing import vad
from voice.hearing.engines import Engines
from voice.korean.sentences import sentences
from voice.sound.pcm import HEARING_BYTES_S
from voice.understanding.home import Sensitivity, Understanding
from voice.understanding.intents import Expecting, Intent, Understood
from voice.understanding.likeness import Evidence, Guess, likenesses
from voice.understanding.phrases import Phrases
from voice.understanding.understand import contested, understand, worded
from voice.understanding.weighing import shortlist


class Utterance(Struct, frozen=True):
    """Speech from its beginning to its end. `first` is the first pass's meaning.

    `near`: how like a call for help it was, 0..1; 1 where there was no first pass.
    """

    pcm: bytes
    first: Understood = Understood()
    spotted: tuple[Guess, ...] = ()
    cut: bool = False  # it was long, and goes on in the next
    near: float = 1.0
    own_words: str = ""  # what we said ourselves meanwhile
    around: float = 0.0  # the share of the half minute before that was as loud

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / HEARING_BYTES_S


class SpeechBegan(Struct, frozen=True):
    """Somebody speaks."""


class SpeechEnded(Struct, frozen=True):
    """They have stopped; `utterance` waits for its judgement."""

    utterance: Utterance


class Hearing:
    """Both passes. One thread calls `take_piece` and `reset`; any thread calls `judge`."""

    def __init__(
        self, engines: Engines, phrases: Phrases, *,
        sensitivity: Sensitivity = Sensitivity.NORMAL, spoken_sos: bool = True,
        tell_words: bool = False,
    ) -> None:  # fmt: skip
        self._engines, self._phrases = engines, phrases
        self._home = Understanding(phrases, sensitivity, spoken_sos)
        self._tell_words = tell_words
        self._segments = vad.Segmenter(engines.detect)

    def take_piece(self, pcm: bytes) -> list[SpeechBegan | SpeechEnded]:
        """Judge 512 samples (32 ms at 16 kHz, 16 bits); return when speech begins and ends."""
        told: list[SpeechBegan | SpeechEnded] = []
        for turn in self._segments.take_piece(pcm):
            told += self._turn(turn)
        return told

    def judge(self, utterance: Utterance, expecting: Expecting) -> Understood:
        """Return what was meant: the second pass, which takes up to 3 s. UNCLEAR unless sure."""
        if utterance.own_words and self._calls(utterance.own_words):
            return Understood()  # it may have been ourselves
        evidence = self.evidence(utterance, expecting)
        understood = self.conclude(evidence, expecting)
        if utterance.own_words and understood.intent is not Intent.HELP:
            return Understood()  # while we speak only a call for help counts
        return worded(understood, evidence) if self._tell_words else understood

    def evidence(self, utterance: Utterance, expecting: Expecting) -> Evidence:
        """Transcribe the utterance with the best engine, and weigh the phrases that are similar."""
        recogniser = self._engines.recogniser
        if recogniser is None:
            return Evidence(utterance.spotted, strong=False, around=utterance.around)
        encoded = recogniser.encode(utterance.pcm)
        guesses, no_speech = recogniser.guess(encoded)
        spotted, around = utterance.spotted, utterance.around
        evidence = Evidence(guesses, no_speech, spotted=spotted, around=around)
        for choose in (shortlist, contested):  # the second only for what ends a worry or a call
            texts = choose(evidence, self._phrases, expecting)
            weights = {**evidence.weighed, **recogniser.weigh(encoded, texts)}
            evidence = structs.replace(evidence, weighed=weights)
        return evidence

    def conclude(self, evidence: Evidence, expecting: Expecting) -> Understood:
        """Return what the evidence means after this question."""
        return self._home.explain(evidence, expecting).understood

    def reset(self) -> None:
        """Discard what is buffered, after own speech."""
        self._segments.reset()
        if self._engines.spotter is not None:
            self._engines.spotter.end()

    def _calls(self, text: str) -> bool:
        """Whether a sentence of it, if it were heard, might be taken for a call for help."""
        alone = (Evidence((Guess(one),)) for one in sentences(text))
        found = (understand(one, self._phrases, Expecting.NOTHING) for one in alone)
        return any(one.intent is Intent.HELP for one in found)

    def _near(self, spotted: tuple[Guess, ...]) -> float:
        """Return how like a call for help it is, as the first pass wrote it down."""
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
                    spotter.take_sound(pcm)
                return [SpeechBegan()]
            case vad.Continued(pcm=pcm):
                if spotter is not None:
                    spotter.take_sound(pcm)
                return []
            case vad.Ended(pcm=pcm, cut=cut, around=around):
                spotted = spotter.end() if spotter is not None else ()
                if not pcm:
                    return []
                heard = Evidence(spotted, strong=False, around=around)
                first, near = self.conclude(heard, Expecting.NOTHING), self._near(spotted)
                said = Utterance(pcm, first, spotted, cut, near, around=around)
                return [SpeechEnded(said)]
