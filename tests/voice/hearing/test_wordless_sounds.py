"""Composed groans, coughs and laughter through the real engines: none is an answer."""

import numpy as np
import pytest

from bench.wordless_sound import KINDS, made
from voice.hearing.engines import Engines, load
from voice.hearing.hearing import Hearing, Utterance
from voice.sound.pcm import to_pcm
from voice.understanding.intents import Expecting, Intent
from voice.understanding.phrases import Phrases
from voice.understanding.phrases import load as load_phrases

ANSWERS = {Intent.FINE, Intent.YES, Intent.NO, Intent.CANCEL}
# Of each kind one that was Yes in a check-in before there was a rule for it; "whimper 3" is written
# down as plainly as a word.
WERE_YES = {
    "burst": 1, "hum": 1, "breath": 6, "sigh": 5, "groan": 0, "whimper": 3, "laughter": 6,
    "cough": 4, "sneeze": 2, "throat": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load_phrases()


@pytest.fixture(scope="module")
def real(phrases: Phrases) -> Engines:
    return load(None, phrases)


def in_room(kind: str) -> bytes:
    """Return the sound amid 0.4 s of a quiet room's noise on each side, as the bench does."""
    gap, sound = np.zeros(6400), made(kind, WERE_YES[kind])
    whole = np.concatenate([gap, sound, gap, gap])
    return to_pcm(whole + np.random.default_rng(WERE_YES[kind]).standard_normal(len(whole)) * 3e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_no_answer_and_is_known_for_a_sound(
    real: Engines, phrases: Phrases, kind: str
) -> None:
    hearing = Hearing(real, phrases)
    for expecting in (Expecting.CHECKIN, Expecting.HELP, Expecting.NOTHING):
        found = hearing.judge(Utterance(in_room(kind)), expecting)
        assert found.intent not in {*ANSWERS, Intent.HELP}
        assert found.wordless is (expecting is not Expecting.NOTHING)


def test_a_sound_is_always_the_same() -> None:
    for kind in KINDS:
        assert np.array_equal(made(kind, 7), made(kind, 7))
        assert not np.array_equal(made(kind, 7), made(kind, 8))
        assert 0.04 < np.abs(made(kind, 7)).max() < 1.0
