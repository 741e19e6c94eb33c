"""One take at the microphone: pieces of sound come in, the spoken sentence is cut out of them.

    waiting --speech--> speaking --1.5 s without--> spoken
       | 10 s              | longer than the sentence can last
     silent               long               (Enter: stopped, at any time)

Pure: time is counted in pieces of 32 ms.
"""

from enum import StrEnum

import numpy as np
from msgspec import Struct

from voice.hearing.vad import PIECE, PIECE_S, Began, Ended, Segmenter, Turn
from voice.recording.review import Fault, fault, longest_s
from voice.sound.loudness import decibel, measured
from voice.sound.pcm import HEARING_HZ, SPEECH_HZ, Audio, Resampler, from_pcm, to_pcm

WAIT_S = 10.0  # for the first word
BEFORE_S = 1.2  # kept, with 0.3 s of the detector's: it misses a "네," before a comma
AFTER_S = 0.9  # after the 0.6 s that end an utterance: who reads a list pauses at its commas
ROOM_S = 2.0  # the silence that a take has around the longest speech
ZEROS_S = 3.0  # of zeros only: the microphone is switched off
TOUCH_S = 0.1  # cut off at the end where a key stopped it: the key's own sound
ABOVE_DB, MARGIN = 9.0, 4  # up to so much above the room it is silence; pieces of it that stay
EDGE_S, EDGE_DB = 0.1, 20.0  # an edge so near to the speech's level: a part of it is missing
QUIETEST_PCT, NOISE_DB = 10, 20.0  # a tenth of a take is silence; the bank's worst file has 21.7


class Ending(StrEnum):
    """How a take ended."""

    SPOKEN = "spoken"
    STOPPED = "stopped"
    SILENT = "silent"
    LONG = "long"
    MUTED = "muted"


class Take(Struct, frozen=True):
    """The sentence with a little silence around it; without `speech`, all that was heard.

    `noise_db`: the level of the room around and between the words; `early`: speech had begun before
    the take; `late`: it went on when the take was stopped.
    """

    audio: Audio
    ending: Ending
    speech: bool
    noise_db: float
    early: bool
    late: bool


class Taking:
    """Follows a take of `text`; without `zeros`, a microphone may be digitally silent."""

    def __init__(self, segmenter: Segmenter, text: str, *, zeros: bool = True) -> None:
        self._segmenter = segmenter
        self._longest = _pieces(longest_s(text) + ROOM_S)
        self._zeros = zeros
        self._down, self._low = Resampler(SPEECH_HZ, HEARING_HZ), b""
        self._kept: list[bytes] = []
        self._began: int | None = None
        self._ended: int | None = None
        self._ending: Ending | None = None

    def take_piece(self, pcm: bytes) -> bool:
        """Add a piece of 32 ms, 24 kHz; True when the take has ended by itself."""
        self._kept.append(pcm)
        self._zeros = self._zeros and not any(pcm)
        self._low += to_pcm(self._down.push(from_pcm(pcm)))
        while len(self._low) >= PIECE * 2:
            for turn in self._segmenter.take_piece(self._low[: PIECE * 2]):
                self._follow(turn)
            self._low = self._low[PIECE * 2 :]
        self._ending = self._over()
        return self._ending is not None

    def done(self) -> Take:
        """Return the take; one that did not end by itself was stopped."""
        ending = self._ending or Ending.STOPPED
        begin = max(0, (self._began or 0) - _pieces(BEFORE_S))
        end = len(self._kept) - _pieces(TOUCH_S) if self._ended is None else self._ended
        kept = self._kept[begin:end]
        whole = Audio(b"".join(kept), SPEECH_HZ)
        noise, speech = noise_db(whole), self._began is not None
        first, last = _edges(whole)
        early, late = first and begin == 0, last and ending is Ending.STOPPED
        audio = Audio(b"".join(_narrowed(kept, noise)), SPEECH_HZ) if speech else whole
        return Take(audio, ending, speech, noise, early, late)

    def _follow(self, turn: Turn) -> None:
        match turn:
            case Began(pcm):
                self._ended = None
                if self._began is None:
                    self._began = max(0, len(self._kept) - len(pcm) // (PIECE * 2))
            case Ended(cut=False):
                self._ended = len(self._kept)
            case _:
                pass

    def _over(self) -> Ending | None:
        count = len(self._kept)
        if self._zeros and count >= _pieces(ZEROS_S):
            return Ending.MUTED
        if self._began is None:
            return Ending.SILENT if count >= _pieces(WAIT_S) else None
        if count - self._began >= self._longest:
            return Ending.LONG
        if self._ended is not None and count - self._ended >= _pieces(AFTER_S):
            return Ending.SPOKEN
        return None


def wrong(text: str, take: Take) -> Fault | None:
    """Return what is wrong with a take of `text`; None where nothing is."""
    if take.ending is Ending.MUTED:
        return Fault.MUTED
    if not take.speech:
        return Fault.EMPTY
    noisy = take.noise_db > measured(take.audio).speech_db - NOISE_DB
    if take.ending is Ending.LONG:
        return Fault.NOISY if noisy else Fault.SLOW
    if (found := fault(text, take.audio)) in {Fault.EMPTY, Fault.CLIPPED, Fault.QUIET}:
        return found
    if noisy:
        return Fault.NOISY
    if take.early:
        return Fault.EARLY
    return Fault.CUT if take.late else found


def noise_db(audio: Audio) -> float:
    """Return the level of the room around and between the words, in dB below full scale."""
    levels = [level_db(piece) for piece in _cut(audio, 0.02)]
    return float(np.percentile(levels, QUIETEST_PCT)) if levels else decibel(0)


def _narrowed(pieces: list[bytes], noise: float) -> list[bytes]:
    """Return the pieces without those as loud as the room at both ends, except a margin."""
    loud = [n for n, piece in enumerate(pieces) if level_db(piece) > noise + ABOVE_DB]
    return pieces[max(0, loud[0] - MARGIN) : loud[-1] + 1 + MARGIN] if loud else []


def _edges(audio: Audio) -> tuple[bool, bool]:
    """Whether speech is cut at the beginning, and at the end."""
    loud = measured(audio).speech_db - EDGE_DB
    size = 2 * round(EDGE_S * audio.rate_hz)
    return level_db(audio.pcm[:size]) > loud, level_db(audio.pcm[-size:]) > loud


def _cut(audio: Audio, seconds: float) -> list[bytes]:
    size = 2 * round(seconds * audio.rate_hz)
    return [audio.pcm[at : at + size] for at in range(0, len(audio.pcm) - size + 1, size)]


def level_db(pcm: bytes) -> float:
    """Return the loudness (RMS) of a piece of sound, in dB below full scale."""
    samples = from_pcm(pcm)
    return decibel(float(np.sqrt(np.mean(samples**2)))) if len(samples) else decibel(0)


def _pieces(seconds: float) -> int:
    return round(seconds / PIECE_S)
