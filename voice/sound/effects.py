"""Sounds that are computed: the chime, and speech made slower or quicker at the same pitch."""

from functools import cache
from itertools import chain
from math import exp, pi, sin
from struct import pack

import numpy as np
from numpy.typing import NDArray

from voice.sound.pcm import Audio, from_pcm, to_pcm

CHIME_HZ = 16_000  # its sample rate
TONES = ((659.26, 0.35), (523.25, 0.65))  # E5, C5: Hz, seconds
LOUD, RISE_S, FADE_S = 0.35, 0.01, 0.18
PIECE_S = 0.03
REACH_S = 0.01  # how far around a piece's place a better fitting one is searched for
SAME = 0.01  # a change of speed that nobody hears


@cache
def chime() -> Audio:
    """Return the chime, one second long."""
    made = [_value(n / CHIME_HZ) for n in range(int(sum(s for _, s in TONES) * CHIME_HZ))]
    return Audio(pack(f"<{len(made)}h", *(int(value * 32_767) for value in made)), CHIME_HZ)


def _value(at: float) -> float:
    begun = chain([0.0], (s for _, s in TONES))
    value = begin = 0.0
    for (hz, _), offset in zip(TONES, begun, strict=False):
        begin += offset
        if (into := at - begin) >= 0:
            value += sin(2 * pi * hz * into) * min(1.0, into / RISE_S) * exp(-into / FADE_S)
    return LOUD * value


def slowed(audio: Audio, times: float) -> Audio:
    """Return `audio` lasting `times` as long (0.5 to 2); what is shorter than a piece stays.

    Overlapping pieces are each laid where they fit best: WSOLA after Verhelst and Roelands, 1993.
    It sounds good up to a fifth slower or quicker, and hollow beyond.
    """
    piece = 2 * round(PIECE_S * audio.rate_hz / 2)
    samples = from_pcm(audio.pcm)
    if len(samples) < 2 * piece or abs(times - 1) < SAME:
        return audio
    laid = _laid(samples, piece, round(REACH_S * audio.rate_hz), times)
    return Audio(to_pcm(laid), audio.rate_hz)


def _laid(
    samples: NDArray[np.float32], piece: int, reach: int, times: float
) -> NDArray[np.float32]:
    hop, window = piece // 2, np.hanning(piece).astype(np.float32)
    padded = np.pad(samples, (reach, piece + reach + hop))
    count = int(len(samples) * times) // hop
    out = np.zeros(count * hop + piece, np.float32)
    taken = reach
    for number in range(count):
        if number:
            begin = int(number * hop / times)
            follows = padded[taken + hop : taken + hop + piece]  # what would come next
            field = padded[begin : begin + piece + 2 * reach]
            taken = begin + int(np.argmax(np.correlate(field, follows, "valid")))
        out[number * hop : number * hop + piece] += padded[taken : taken + piece] * window
    return out[: int(len(samples) * times)]
