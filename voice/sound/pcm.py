"""Sound as 16-bit samples (PCM): its conversion to numbers and to another sample rate.

The rates: all that is heard is judged at `HEARING_HZ`, all that the voice says is made and kept at
`SPEECH_HZ`; a sound device has a rate of its own (`Device.rate_hz`, `Stream.rate_hz`).
"""

from math import ceil

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

HEARING_HZ = 16_000  # what Silero, Vosk and Whisper were trained on
HEARING_BYTES_S = 2 * HEARING_HZ  # of 16-bit mono sound
SPEECH_HZ = 24_000  # what the neural voice gives; the phrase bank and the cache have it too

Samples = NDArray[np.float32]
LOBES = 12  # of the sinc to each side: -60 dB beyond the transition


class Audio(Struct, frozen=True):
    """Mono sound of 16-bit samples, little endian, at `rate_hz`."""

    pcm: bytes
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / 2 / self.rate_hz


def from_pcm(pcm: bytes, channels: int = 1) -> Samples:
    """Return 16-bit sound as numbers from -1 to 1, its channels mixed into one."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32_768
    if channels == 1:
        return np.asarray(samples, np.float32)
    return np.asarray(samples.reshape(-1, channels).mean(axis=1), np.float32)


def to_pcm(samples: Samples | NDArray[np.float64]) -> bytes:
    """Return numbers from -1 to 1 as 16-bit sound; what is beyond is clipped."""
    return np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype("<i2").tobytes()


def resampled(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Return a whole piece of 16-bit mono sound at another rate."""
    if from_hz == to_hz:
        return pcm
    made = Resampler(from_hz, to_hz)
    tail = np.zeros(2 * ceil(LOBES * max(1.0, from_hz / to_hz)), np.float32)
    wanted = round(len(pcm) // 2 * to_hz / from_hz)
    return to_pcm(made.push(np.concatenate((from_pcm(pcm), tail)))[:wanted])


class Resampler:
    """Converts mono sound from `from_hz` to `to_hz` piece by piece, by a windowed sinc."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._step = from_hz / to_hz
        self._cutoff = min(1.0, to_hz / from_hz) * 0.95
        self._reach = ceil(LOBES / self._cutoff)
        self._kept = np.zeros(self._reach, np.float32)
        self._next = float(self._reach)  # where in `_kept` the next sample lies

    def push(self, samples: Samples) -> Samples:
        """Return the samples that can be made by now; the last few wait for what follows."""
        self._kept = np.concatenate((self._kept, samples))
        count = max(0, ceil((len(self._kept) - self._reach - self._next) / self._step))
        at = self._next + np.arange(count, dtype=np.float64) * self._step
        if count:
            self._next = float(at[-1]) + self._step
        made = self._made(at)
        spent = int(self._next) - self._reach
        self._kept, self._next = self._kept[spent:], self._next - spent
        return made

    def _made(self, at: NDArray[np.float64]) -> Samples:
        near = np.floor(at).astype(np.int64)[:, None] + np.arange(1 - self._reach, self._reach + 1)
        apart = near - at[:, None]
        window = np.cos(np.pi / 2 * np.clip(apart / self._reach, -1, 1)) ** 2
        weights = np.sinc(apart * self._cutoff) * window * self._cutoff
        found = self._kept[np.clip(near, 0, len(self._kept) - 1)]
        return np.asarray((found * weights).sum(axis=1), np.float32)
