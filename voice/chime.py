"""The chime before a question: computed, two soft tones that old ears hear (below 1 kHz)."""

from functools import cache
from itertools import chain
from math import exp, pi, sin
from struct import pack

from voice.audio import Audio

RATE_HZ = 16_000
TONES = ((659.26, 0.35), (523.25, 0.65))  # E5, C5: Hz, seconds
LOUD, RISE_S, FADE_S = 0.35, 0.01, 0.18


@cache
def chime() -> Audio:
    """Give the chime, one second long."""
    made = [_value(n / RATE_HZ) for n in range(int(sum(s for _, s in TONES) * RATE_HZ))]
    return Audio(pack(f"<{len(made)}h", *(int(value * 32_767) for value in made)), RATE_HZ)


def _value(at: float) -> float:
    begun = chain([0.0], (s for _, s in TONES))
    value = begin = 0.0
    for (hz, _), offset in zip(TONES, begun, strict=False):
        begin += offset
        if (into := at - begin) >= 0:
            value += sin(2 * pi * hz * into) * min(1.0, into / RISE_S) * exp(-into / FADE_S)
    return LOUD * value
