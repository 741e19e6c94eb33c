"""Echo cancellation: remove our own voice from a few seconds of what the microphone heard.

The room acts as a filter on each band of the spectrum: each frame of the echo is a sum of some
frames that we played. The filter is the least-squares solution, solved twice more with each frame
weighted by how little was left of it, so that a cry during our words does not distort it. What the
filter does not explain is what somebody else said. It is solved for a whole stretch at once, since
nothing waits for it: an adaptive filter would not yet know the rest of the sentence.

Measured in a simulated room (0.4 s of reverberation, a driver that distorts): frames of 1024 by 256
leave 26.7 dB less of our voice, of 512 by 128 20.9 dB for seven times the work, of 1024 by 512
17.0 dB. `bench.overheard` measures how many cries are heard.
"""

import numpy as np
from numpy.typing import NDArray

from voice.sound.pcm import HEARING_HZ, from_pcm, to_pcm

FRAME, HOP = 1024, 256  # samples: 64 and 16 ms
PAST, AHEAD = 15, 2  # frames that we played before and after one of the echo; the delay is a guess
LATEST = int(0.6 * HEARING_HZ)  # samples from the loudspeaker's queue to the microphone's, at most
PASSES = 3
SLIGHT = 1e-6  # of the power, keeps the solution bounded; 1e-3 spoils low bands (to 9 dB)
BANDS = 64  # solved at once; all of them would need too much memory
WINDOW = np.sqrt(np.hanning(FRAME + 1)[:FRAME]).astype(np.float32)

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]  # bands x frames


def without(heard: bytes, own: bytes) -> bytes:
    """Return what was heard without our own voice; both 16 kHz, mono, 16 bits, of equal length.

    `own` is what went to the loudspeaker meanwhile: its echo comes up to 0.6 s later.
    """
    if not any(own):
        return heard
    sound, voice = from_pcm(heard), from_pcm(own)
    late = delay(sound, voice)
    voice = np.concatenate([np.zeros(late, np.float32), voice])[: len(sound)]
    seen, said = _spectrum(sound), _spectrum(voice)
    left = np.empty_like(seen)
    for low in range(0, len(seen), BANDS):
        bands = slice(low, low + BANDS)
        left[bands] = _left(seen[bands], said[bands])
    return to_pcm(_sound(left, len(sound)))


def delay(sound: Floats, voice: Floats) -> int:
    """Return the delay of our voice in what was heard, in samples."""
    size = 1 << (2 * len(sound) - 1).bit_length()
    both = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(voice, size))
    plain = np.fft.irfft(both / (np.abs(both) ** 0.8 + 1e-9), size)  # nearly its phase alone
    return int(np.argmax(np.abs(plain[:LATEST])))


def _left(seen: Spectrum, said: Spectrum) -> Spectrum:
    """Return the part of `seen` that no filter on `said` explains."""
    padded = np.pad(said, ((0, 0), (PAST, AHEAD)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, PAST + AHEAD + 1, axis=1)
    taps = PAST + AHEAD + 1
    left = seen
    for turn in range(PASSES):
        weight = _weight(left) ** (1.0 if turn else 0.5)
        weighed = np.conj(frames) * weight[:, :, None]
        alike = (weighed.transpose(0, 2, 1) @ frames).astype(np.complex128)
        trace = np.trace(alike, axis1=1, axis2=2).real
        alike += (SLIGHT * trace / taps + 1e-12)[:, None, None] * np.eye(taps)
        response = np.linalg.solve(alike, np.einsum("btk,bt->bk", weighed, seen)[:, :, None])
        left = seen - (frames @ response.astype(np.complex64))[:, :, 0]
    return left


def _weight(left: Spectrum) -> Floats:
    """Return 1 / the power that is left in each frame, smoothed over three frames."""
    power = np.pad(np.abs(left) ** 2, ((0, 0), (1, 1)), mode="edge")
    power = (power[:, :-2] + power[:, 1:-1] + power[:, 2:]) / 3
    least = 1e-4 * power.mean(axis=1, keepdims=True) + 1e-7
    return np.asarray(1 / np.maximum(power, least), np.float32)


def _spectrum(sound: Floats) -> Spectrum:
    padded = np.pad(sound, FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.ascontiguousarray(np.fft.rfft(frames * WINDOW, axis=1).T, np.complex64)


def _sound(spectrum: Spectrum, count: int) -> Floats:
    frames = np.fft.irfft(spectrum.T, FRAME, axis=1) * WINDOW * (2 * HOP / FRAME)
    sound = np.zeros(HOP * len(frames) + FRAME, np.float32)
    for number, frame in enumerate(frames):
        sound[number * HOP : number * HOP + FRAME] += frame
    return sound[FRAME : FRAME + count]
