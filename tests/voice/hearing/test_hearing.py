"""Hearing as a whole, with engines of the test's own: two passes, an off switch, no models."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile

from hub.shared.models import Why
from voice.hearing import vad
from voice.hearing.engines import Engines, load
from voice.hearing.hearing import Hearing, SpeechBegan, SpeechEnded, Utterance
from voice.hearing.whisper import Encoded
from voice.sound.pcm import Resampler
from voice.understanding.home import Sensitivity
from voice.understanding.intents import Expecting, Intent, Understood
from voice.understanding.likeness import Guess
from voice.understanding.phrases import Phrases
from voice.understanding.phrases import load as load_phrases

LOUD = np.random.default_rng(1).integers(-3000, 3000, vad.PIECE).astype(np.int16).tobytes()
SILENT = bytes(2 * vad.PIECE)


class Writer:
    """A recogniser that always writes the same, and finds it likely."""

    name = "writer"

    def __init__(self, text: str, no_speech: float = 0.0) -> None:
        self.text, self.no_speech = text, no_speech
        self.heard: list[bytes] = []

    def encode(self, pcm: bytes) -> Encoded:
        self.heard.append(pcm)
        return cast("Encoded", pcm)

    def guess(self, encoded: Encoded) -> tuple[tuple[Guess, ...], float]:
        assert cast("bytes", encoded) == self.heard[-1]
        return (Guess(self.text, -0.3),), self.no_speech

    def weigh(self, encoded: Encoded, texts: Sequence[str]) -> dict[str, float]:
        assert cast("bytes", encoded) == self.heard[-1]
        return {text: -2.0 if text == self.text else -20.0 for text in texts}


class Spotter:
    """A spotter that always hears the same."""

    name = "spotter"

    def __init__(self, text: str) -> None:
        self.text, self.pieces = text, 0

    def begin(self) -> None:
        self.pieces = 0

    def take_sound(self, pcm: bytes) -> None:
        self.pieces += len(pcm) // len(SILENT)

    def end(self) -> tuple[Guess, ...]:
        return (Guess(self.text),) if self.pieces else ()


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load_phrases()


@pytest.fixture(scope="module")
def real(phrases: Phrases) -> Engines:
    engines = load(None, phrases)
    assert not engines.troubles
    return engines


def hearing_with(phrases: Phrases, text: str, *, spoken_sos: bool = True) -> Hearing:
    engines = Engines(lambda piece: float(piece == LOUD), Spotter(text), Writer(text))
    return Hearing(engines, phrases, spoken_sos=spoken_sos)


def said(hearing: Hearing) -> Utterance:
    events: list[SpeechBegan | SpeechEnded] = []
    for piece in [SILENT] * 20 + [LOUD] * 30 + [SILENT] * 30:
        events += hearing.take_piece(piece)
    began, ended = events
    assert isinstance(began, SpeechBegan)
    assert isinstance(ended, SpeechEnded)
    return ended.utterance


def test_a_call_for_help_is_heard_in_both_passes(phrases: Phrases) -> None:
    hearing = hearing_with(phrases, "도와주세요")
    utterance = said(hearing)
    assert utterance.first.intent is Intent.HELP
    assert utterance.seconds == pytest.approx(30 * vad.PIECE_S + 0.6 + 0.25, abs=0.2)
    assert hearing.judge(utterance, Expecting.NOTHING).intent is Intent.HELP


def test_what_is_said_tells_how_like_a_call_it_is(phrases: Phrases) -> None:
    """Where too much waits to be recognised, what is least like a call is dropped."""
    near = [
        said(hearing_with(phrases, text)).near
        for text in ("오늘 장날이에요", "도아주", "도와주세요")
    ]
    assert near == sorted(set(near))
    assert near[-1] == 1.0
    deaf = Hearing(Engines(lambda piece: float(piece == LOUD)), phrases)
    assert said(deaf).near == 1.0  # nobody can tell


def test_the_home_may_switch_the_spoken_call_off(phrases: Phrases) -> None:
    hearing = hearing_with(phrases, "도와주세요", spoken_sos=False)
    utterance = said(hearing)
    assert utterance.first == Understood()
    assert hearing.judge(utterance, Expecting.NOTHING) == Understood()
    assert hearing.judge(utterance, Expecting.HELP).intent in (Intent.HELP, Intent.YES)


def test_the_verifying_pass_overrules_the_first(phrases: Phrases) -> None:
    spotter, writer = Spotter("살려 주세요"), Writer("텔레비전을 보고 있어요")
    engines = Engines(lambda piece: float(piece == LOUD), spotter, writer)
    hearing = Hearing(engines, phrases, sensitivity=Sensitivity.HIGH)
    utterance = said(hearing)
    assert utterance.first.intent is Intent.HELP
    assert hearing.judge(utterance, Expecting.NOTHING).intent is Intent.UNCLEAR
    assert writer.heard == [utterance.pcm]


def test_the_spotter_alone_may_call_and_never_says_fine(phrases: Phrases) -> None:
    for text, intent in (("살려 주세요", Intent.HELP), ("괜찮 아요", Intent.UNCLEAR)):
        engines = Engines(lambda piece: float(piece == LOUD), Spotter(text))
        hearing = Hearing(engines, phrases)
        assert hearing.judge(said(hearing), Expecting.CHECKIN).intent is intent
        assert engines.names == ("spotter",)


def test_nothing_to_hear_with_understands_nothing(phrases: Phrases) -> None:
    hearing = Hearing(Engines(lambda piece: float(piece == LOUD)), phrases)
    utterance = said(hearing)
    for expecting in Expecting:
        assert hearing.judge(utterance, expecting) == Understood()


def test_own_speech_is_forgotten(phrases: Phrases) -> None:
    hearing = hearing_with(phrases, "도와주세요")
    for piece in [LOUD] * 30:
        hearing.take_piece(piece)
    hearing.reset()
    assert not [event for piece in [SILENT] * 40 for event in hearing.take_piece(piece)]


@pytest.mark.parametrize(
    ("name", "expecting", "intent"),
    [
        ("help", Expecting.NOTHING, Intent.HELP), ("save", Expecting.NOTHING, Intent.HELP),
        ("well", Expecting.CHECKIN, Intent.FINE), ("again", Expecting.CHECKIN, Intent.REPEAT),
        ("talk", Expecting.NOTHING, Intent.UNCLEAR), ("talk", Expecting.CHECKIN, Intent.UNCLEAR),
    ],
)  # fmt: skip
def test_real_engines_understand_clear_speech(
    real: Engines, phrases: Phrases, name: str, expecting: Expecting, intent: Intent
) -> None:
    sound, rate_hz = soundfile.read(
        Path(__file__).parents[1] / f"sounds/{name}.ogg", dtype="float32"
    )
    resampler, gap = Resampler(rate_hz, 16000), np.zeros(rate_hz, np.float32)
    heard = resampler.push(np.concatenate([gap, sound, gap, gap]))
    pcm = (np.clip(heard, -1, 1) * 32767).astype(np.int16).tobytes()
    hearing, verdicts = Hearing(real, phrases), []
    for start in range(0, len(pcm) - 1023, 1024):
        verdicts += [
            hearing.judge(event.utterance, expecting).intent
            for event in hearing.take_piece(pcm[start : start + 1024])
            if isinstance(event, SpeechEnded)
        ]
    assert verdicts == [intent]


def test_missing_models_are_told_and_the_rest_works(tmp_path: Path, phrases: Phrases) -> None:
    engines = load(tmp_path, phrases)
    assert engines.names == ()
    assert [trouble.why for trouble in engines.troubles] == [Why.MISSING, Why.MISSING]
    assert 0 <= engines.detect(SILENT) <= 1


@pytest.mark.parametrize(
    ("text", "own_words", "meant"),
    [
        ("도와주세요", "오늘은 폭염입니다. 물을 드세요.", Intent.HELP),
        ("도와주세요", "안내 말씀입니다. 도와주세요!", Intent.UNCLEAR),  # it may be our own voice
        ("잘 지내고 있어요", "오늘은 폭염입니다.", Intent.UNCLEAR),
        ("취소해 주세요", "오늘은 폭염입니다.", Intent.UNCLEAR),
    ],
)
def test_amid_our_own_words_only_a_call_counts_that_is_not_ours(
    phrases: Phrases, text: str, own_words: str, meant: Intent
) -> None:
    hearing = hearing_with(phrases, text)
    understood = hearing.judge(Utterance(LOUD * 30, own_words=own_words), Expecting.NOTHING)
    assert understood.intent is meant


def test_what_is_overheard_amid_the_question_for_help_does_not_hold_up_the_answer(
    phrases: Phrases,
) -> None:
    writer = Writer("도와주세요")
    hearing = Hearing(Engines(lambda _: 1.0, None, writer), phrases)
    hearing.judge(Utterance(LOUD * 30, own_words="도움이 필요하세요?"), Expecting.NOTHING)
    assert not writer.heard


def test_what_a_television_goes_on_saying_is_judged_as_that(phrases: Phrases) -> None:
    hearing = hearing_with(phrases, "도와줄래요")
    told = [one for _ in range(4 * vad.LONGEST + 20) for one in hearing.take_piece(LOUD)]
    said = [one.utterance for one in told if isinstance(one, SpeechEnded)]
    assert [one.around for one in said] == [0.0, 0.0, 1.0, 1.0]
    first = [one.first.intent for one in said]
    assert first == [Intent.HELP, Intent.HELP, Intent.UNCLEAR, Intent.UNCLEAR]
    assert hearing.evidence(said[-1], Expecting.NOTHING).around == 1.0
