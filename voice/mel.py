"""Whisper's spectrogram: 16 kHz sound -> 80 mel bands every 10 ms, in numpy.

As OpenAI's `whisper/audio.py` and librosa's Slaney mel scale have it: Hann windows of 25 ms,
log10 with a floor 8 below the loudest, then (x + 4) / 4.
"""

import functools
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

RATE_HZ, WINDOW, HOP, BANDS = 16000, 400, 160, 80
LINEAR_HZ, STEP = 200 / 3, np.log(6.4) / 27  # Slaney: linear to 1 kHz (15 mel), then logarithmic
TOP_MEL = 15 + np.log(RATE_HZ / 2 / 1000) / STEP

Sound: TypeAlias = npt.NDArray[np.float32]


def samples(pcm: bytes) -> Sound:
    """Give 16-bit samples as numbers in [-1, 1)."""
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


def spectrogram(sound: Sound) -> Sound:
    """Give the 80 bands by frames of 10 ms; at least 25 ms of sound."""
    padded = np.pad(sound, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1], axis=1)) ** 2
    bands = np.log10(np.maximum(_filters() @ power[:-1].T, 1e-10))
    floored = np.maximum(bands, bands.max() - 8)
    return np.ascontiguousarray((floored + 4) / 4, dtype=np.float32)


@functools.cache
def _filters() -> npt.NDArray[np.float64]:
    mels = np.linspace(0, TOP_MEL, BANDS + 2)
    edges = np.where(mels < 15, mels * LINEAR_HZ, 1000 * np.exp(STEP * (mels - 15)))  # noqa: PLR2004
    ramps = edges[:, None] - np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    widths = np.diff(edges)[:, None]
    rise, fall = -ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * area[:, None])
