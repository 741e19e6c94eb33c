"""How loud speech is; speech brought to the common loudness, without the silence at its ends.

Levels are in dB below full scale. A part that is more than `SILENCE_DB` below the loudest counts as
silence, so that pauses do not make a sentence seem quiet.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from voice.sound.pcm import Audio, from_pcm, to_pcm

Samples = NDArray[np.float32]
SPEECH_DB = -20.0  # RMS of speech: the level of broadcast talk, with room for its peaks
PEAK_DB = -1.0
SILENCE_DB = 35.0
FRAME_S = 0.02
EDGE_S = 0.06  # of silence that stays at either end; a hard cut would click
NOTHING_DB = -120.0


class Loudness(Struct, frozen=True):
    """`speech_db`: RMS while there is speech; `before_s` and `after_s`: the silence around it."""

    speech_db: float
    peak_db: float
    before_s: float
    after_s: float
    clipped: int  # samples at full scale


def measured(audio: Audio) -> Loudness:
    """Measure a piece of sound; a silent piece counts as silence before."""
    samples = from_pcm(audio.pcm)
    spoken = _speech(samples, audio.rate_hz)
    full = int(np.count_nonzero(np.abs(samples) >= 0.999))  # noqa: PLR2004 - full scale
    if not spoken.any():
        return Loudness(NOTHING_DB, decibel(_peak(samples)), audio.seconds, 0.0, full)
    first, last = np.flatnonzero(spoken)[[0, -1]]
    frames = _frames(samples, audio.rate_hz)[spoken]
    return Loudness(
        decibel(float(np.sqrt(np.mean(frames**2)))),
        decibel(_peak(samples)),
        float(first) * FRAME_S,
        max(0.0, audio.seconds - float(last + 1) * FRAME_S),
        full,
    )


def decibel(amplitude: float) -> float:
    """Return an amplitude of 0 to 1 in dB below full scale."""
    return 20 * float(np.log10(amplitude)) if amplitude > 0 else NOTHING_DB


def levelled(audio: Audio) -> Audio:
    """Return speech at `SPEECH_DB` with no sample above `PEAK_DB`; silence stays silence."""
    loudness = measured(audio)
    if loudness.speech_db <= NOTHING_DB:
        return audio
    gain_db = min(SPEECH_DB - loudness.speech_db, PEAK_DB - loudness.peak_db)
    return Audio(to_pcm(from_pcm(audio.pcm) * np.float32(10 ** (gain_db / 20))), audio.rate_hz)


def trimmed(audio: Audio) -> Audio:
    """Return speech without the silence at its ends, except `EDGE_S`, which is faded."""
    samples = from_pcm(audio.pcm)
    spoken = np.flatnonzero(_speech(samples, audio.rate_hz))
    if not len(spoken):
        return Audio(b"", audio.rate_hz)
    edge, frame = round(EDGE_S * audio.rate_hz), round(FRAME_S * audio.rate_hz)
    begin = max(0, int(spoken[0]) * frame - edge)
    kept = samples[begin : (int(spoken[-1]) + 1) * frame + edge].copy()
    ramp = np.linspace(0, 1, min(frame, len(kept) // 2), dtype=np.float32)
    kept[: len(ramp)] *= ramp
    kept[len(kept) - len(ramp) :] *= ramp[::-1]
    return Audio(to_pcm(kept), audio.rate_hz)


def pause(seconds: float, rate_hz: int) -> Audio:
    """Return silence."""
    return Audio(bytes(2 * round(seconds * rate_hz)), rate_hz)


def _peak(samples: Samples) -> float:
    return float(np.max(np.abs(samples), initial=0.0))


def _frames(samples: Samples, rate_hz: int) -> Samples:
    length = round(FRAME_S * rate_hz)
    whole = np.pad(samples, (0, -len(samples) % length))
    return whole.reshape(-1, length)


def _speech(samples: Samples, rate_hz: int) -> NDArray[np.bool_]:
    levels = np.sqrt(np.mean(_frames(samples, rate_hz) ** 2, axis=1))
    loudest = float(np.max(levels, initial=0.0))
    return np.asarray(levels > max(loudest * 10 ** (-SILENCE_DB / 20), 1e-4))
