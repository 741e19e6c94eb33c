"""The word that the neural voice says before each sentence, and that is cut off again.

Whatever it says, it begins with a vowel of its own, a tenth of a second and 10 dB below the rest: a
listener hears "우숨이" for 숨이. Said before the sentence, `LEAD` takes it; the pause behind it is
some 0.2 s, so that the cut falls into silence.
"""

import numpy as np
from numpy.typing import NDArray

from voice.phonemes import tokens

LEAD = tuple(tokens("네."))
FRAME_S = 0.02
PAUSE_FRAMES = 5  # no sound within a word is silent for so long: a closed ㅂ is 0.08 s
QUIET_DB = 38.0  # below the loudest frame
LATEST_S = 1.4  # the lead is over by then, at half the usual speed too
KEPT_FRAMES = 3  # of the silence before the sentence


def without_lead(said: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32] | None:
    """Give mono samples without the first word; None where no pause follows it."""
    length = round(FRAME_S * rate_hz)
    frames = said[: len(said) // length * length].reshape(-1, length)
    power = np.mean(frames**2, axis=1)
    loud = np.flatnonzero(power > np.max(power, initial=0.0) * 10 ** (-QUIET_DB / 10))
    pauses = np.flatnonzero((np.diff(loud) > PAUSE_FRAMES) & (loud[:-1] * FRAME_S < LATEST_S))
    if not len(pauses):
        return None
    return said[(int(loud[pauses[0] + 1]) - KEPT_FRAMES) * length :]
