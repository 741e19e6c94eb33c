"""Loudness, trimming and slowing, on tones whose figures are known."""

import numpy as np
import pytest

from voice.sound.effects import slowed
from voice.sound.loudness import PEAK_DB, SPEECH_DB, levelled, measured, pause, trimmed
from voice.sound.pcm import SPEECH_HZ, Audio, from_pcm, to_pcm


def tone(
    seconds: float, *, rate_hz: int = SPEECH_HZ, amplitude: float = 0.1, pitch_hz: float = 200.0
) -> Audio:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = amplitude * np.sin(2 * np.pi * pitch_hz * at)
    return Audio(to_pcm(wave.astype(np.float32)), rate_hz)


def padded(audio: Audio, before_s: float, after_s: float) -> Audio:
    parts = (pause(before_s, audio.rate_hz), audio, pause(after_s, audio.rate_hz))
    return Audio(b"".join(part.pcm for part in parts), audio.rate_hz)


def test_loudness_counts_speech_only() -> None:
    loudness = measured(padded(tone(1.0), 0.5, 2.0))
    assert loudness.speech_db == pytest.approx(-23.0, abs=0.2)
    assert loudness.peak_db == pytest.approx(-20.0, abs=0.1)
    assert loudness.before_s == pytest.approx(0.5, abs=0.03)
    assert loudness.after_s == pytest.approx(2.0, abs=0.03)
    assert loudness.clipped == 0


def test_a_distorted_recording_is_recognised() -> None:
    assert measured(tone(0.5, amplitude=2.0)).clipped > 1000


@pytest.mark.parametrize("amplitude", [0.01, 0.1, 0.9])
def test_every_sentence_is_as_loud_as_the_others(amplitude: float) -> None:
    assert measured(levelled(tone(1.0, amplitude=amplitude))).speech_db == pytest.approx(
        SPEECH_DB, abs=0.3
    )


def test_a_sharp_peak_is_never_clipped() -> None:
    samples = from_pcm(tone(1.0, amplitude=0.01).pcm).copy()
    samples[1000] = 0.9
    assert measured(levelled(Audio(to_pcm(samples), SPEECH_HZ))).peak_db <= PEAK_DB + 0.1


def test_silence_at_the_ends_goes_and_silence_alone_stays_silent() -> None:
    short = trimmed(padded(tone(1.0), 0.8, 0.8))
    assert short.seconds == pytest.approx(1.12, abs=0.05)
    assert trimmed(pause(1.0, SPEECH_HZ)).pcm == b""
    assert levelled(pause(1.0, SPEECH_HZ)) == pause(1.0, SPEECH_HZ)
    assert trimmed(Audio(b"", SPEECH_HZ)).pcm == b""


@pytest.mark.parametrize("times", [0.8, 1.25, 1.5])
def test_slower_speech_lasts_longer_at_the_same_pitch(times: float) -> None:
    longer = slowed(tone(1.0), times)
    assert longer.seconds == pytest.approx(times, rel=0.02)
    spectrum = np.abs(np.fft.rfft(from_pcm(longer.pcm)))
    assert int(np.argmax(spectrum)) / longer.seconds == pytest.approx(200, rel=0.03)


def test_what_is_too_short_to_stretch_stays() -> None:
    assert slowed(tone(0.02), 1.5) == tone(0.02)
    assert slowed(tone(1.0), 1.0) == tone(1.0)
