"""Sound at another rate is the same sound."""

import math

import numpy as np
import pytest

from voice.sound.pcm import Resampler, Samples, from_pcm, resampled, to_pcm


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> Samples:
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    return np.asarray(0.5 * np.sin(2 * math.pi * hz * at), np.float32)


def loudness(samples: Samples) -> float:
    middle = samples[len(samples) // 4 : len(samples) * 3 // 4]
    return float(np.sqrt(np.mean(middle**2)))


@pytest.mark.parametrize("rate_hz", [8000, 22_050, 44_100, 48_000])
def test_a_tone_keeps_its_pitch_and_loudness(rate_hz: int) -> None:
    made = from_pcm(resampled(to_pcm(tone(1000, rate_hz)), rate_hz, 16_000))
    wanted = tone(1000, 16_000)
    assert len(made) == len(wanted)
    inner = slice(800, -800)
    assert float(np.abs(made[inner] - wanted[inner]).max()) < 0.01


@pytest.mark.parametrize("hz", [8_500, 11_000])
def test_what_is_too_high_for_the_new_rate_does_not_come_back_as_another_tone(hz: int) -> None:
    made = Resampler(48_000, 16_000).push(tone(hz, 48_000))
    assert loudness(made) < 1e-5 * loudness(tone(1000, 16_000))


def test_all_that_the_new_rate_can_hold_stays_as_loud() -> None:
    made = Resampler(48_000, 16_000).push(tone(7_000, 48_000))
    assert loudness(made) == pytest.approx(loudness(tone(7_000, 16_000)), rel=0.01)


def test_at_one_rate_nothing_is_changed() -> None:
    sound = tone(700, 16_000)
    assert np.array_equal(Resampler(16_000, 16_000).push(sound), sound)


def test_pieces_give_what_the_whole_gives() -> None:
    sound = tone(700, 44_100)
    whole = Resampler(44_100, 16_000).push(sound)
    by_piece = Resampler(44_100, 16_000)
    pieces = [by_piece.push(sound[n : n + 1411]) for n in range(0, len(sound), 1411)]
    joined = np.concatenate(pieces)
    assert len(joined) == len(whole)
    assert float(np.abs(joined - whole).max()) < 1e-5


def test_two_channels_become_one_and_what_is_too_loud_is_clipped() -> None:
    assert from_pcm(np.array([16_384, -16_384], "<i2").tobytes(), 2).tolist() == [0.0]
    assert to_pcm(np.array([2.0, -2.0], np.float32)) == np.array([32_767, -32_768], "<i2").tobytes()
