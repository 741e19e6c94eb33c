"""Sound as 16-bit samples (PCM): its conversion to numbers and to another sample rate.

The rates: all that is heard is judged at `HEARING_HZ`, all that the voice says is made and kept at
`SPEECH_HZ`; a sound device has a rate of its own (`Device.rate_hz`, `Stream.rate_hz`). The only
module that imports soxr.
"""

import numpy as np
import soxr
from msgspec import Struct
from numpy.typing import NDArray

HEARING_HZ = 16_000  # what Silero, Vosk and Whisper were trained on
HEARING_BYTES_S = 2 * HEARING_HZ  # of 16-bit mono sound
SPEECH_HZ = 24_000  # what the neural voice gives; the phrase bank and the cache have it too

Samples = NDArray[np.float32]


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
    wanted = round(len(pcm) // 2 * to_hz / from_hz)
    made = np.zeros(wanted, np.float32)
    found = soxr.resample(from_pcm(pcm), from_hz, to_hz)[:wanted]  # a sample more or less
    made[: len(found)] = found
    return to_pcm(made)


class Resampler:
    """Converts mono sound from `from_hz` to `to_hz` piece by piece."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = None
        if from_hz != to_hz:
            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32")

    def push(self, samples: Samples) -> Samples:
        """Return the samples that can be made by now; the last 40 ms wait for what follows."""
        if self._stream is None:
            return samples
        return np.asarray(self._stream.resample_chunk(samples), np.float32)
