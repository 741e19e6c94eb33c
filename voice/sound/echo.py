"""Our own voice out of what the microphone heard, a few seconds of it at a time.

The room is a filter on each band of the spectrum: some frames of what we played make each frame of
its echo. The filter is solved for by least squares, twice more with each frame weighed by how
little was left of it, so that a cry amid our words does not bend it. What is left over is what
somebody else said. We have time: no filter that adapts as it goes knows the whole sentence.

Measured in a simulated room (0.4 s of reverberation, a driver that distorts): frames of 1024 by 256
leave 26.7 dB less of our voice, of 512 by 128 20.9 dB for seven times the work, of 1024 by 512
17.0 dB. `bench.overheard` measures what is heard of cries.
"""

import numpy as np
from numpy.typing import NDArray

from voice.sound.pcm import from_pcm, to_pcm

RATE_HZ = 16_000
FRAME, HOP = 1024, 256  # samples: 64 and 16 ms
PAST, AHEAD = 15, 2  # frames of what we played that make one of its echo; the delay is a guess
LATEST = int(0.6 * RATE_HZ)  # samples from the loudspeaker's queue to the microphone's, at most
PASSES = 3
SLIGHT = 1e-6  # of the power, that keeps the solution bounded; 1e-3 spoils low bands (to 9 dB)
BANDS = 64  # solved at once, for the sake of memory
WINDOW = np.sqrt(np.hanning(FRAME + 1)[:FRAME]).astype(np.float32)

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]  # bands x frames


def without(heard: bytes, own: bytes) -> bytes:
    """Give what was heard without our own voice; both 16 kHz, mono, 16 bits, and of one length.

    `own` is what was given to the loudspeaker meanwhile: its echo comes up to 0.6 s later.
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
    """Give after how many samples our voice is most plainly heard."""
    size = 1 << (2 * len(sound) - 1).bit_length()
    both = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(voice, size))
    plain = np.fft.irfft(both / (np.abs(both) ** 0.8 + 1e-9), size)  # nearly its phase alone
    return int(np.argmax(np.abs(plain[:LATEST])))


def _left(seen: Spectrum, said: Spectrum) -> Spectrum:
    """Give what of `seen` no filter on `said` explains."""
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
        room = np.linalg.solve(alike, np.einsum("btk,bt->bk", weighed, seen)[:, :, None])
        left = seen - (frames @ room.astype(np.complex64))[:, :, 0]
    return left


def _weight(left: Spectrum) -> Floats:
    """Give one over the power that is left in each frame, smoothed over three."""
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
