"""Calls for help while we speak: what the microphone hears then, without our own voice.

    loudspeaker --played----> own --.
    microphone --take_piece-> heard-+--> a few seconds --> worker: echo, speech? --> Overheard

The capture discards its sound meanwhile. Only a call for help counts of what is found here, never
an answer.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from msgspec import Struct

from voice.hearing import vad
from voice.hearing.hearing import Utterance
from voice.sound import echo
from voice.sound.pcm import HEARING_BYTES_S, from_pcm

LEAD = HEARING_BYTES_S  # examined again before a stretch, for the echoes that reach into it
RESIDUE = 0.08  # of the loudness of what was heard: what our own voice leaves, 22 dB below
SHORT = 2 * HEARING_BYTES_S  # from here on a stretch ends in a pause of ours
LONG = 6 * HEARING_BYTES_S  # here it ends in any case
PAUSE = 10  # pieces of 32 ms
AHEAD = 2 * HEARING_BYTES_S  # of what will be played; more means that nobody reads it
CHIME = "♪"  # the text of the chime: no words of ours, and yet not empty
MOST = 4  # stretches that wait for the worker


class Overheard(Struct, frozen=True):
    """Somebody spoke while we did."""

    utterance: Utterance


class _Stretch(Struct, frozen=True):
    heard: bytes
    own: bytes
    lead: int  # bytes of it that were in the last one
    own_words: str
    last: bool  # our own speech is over


class Overhearing:
    """`post` runs a function in the loop; `happened` gets there each `Overheard`."""

    def __init__(
        self, post: Callable[[Callable[[], None]], object], happened: Callable[[object], None]
    ) -> None:
        self._post, self._happened = post, happened
        self._lock = threading.Lock()
        self._playing, self._said = bytearray(), list[str]()
        self._heard, self._own = bytearray(), bytearray()
        self._lead = self._paused = 0
        self._begins = False
        self._work: queue.Queue[_Stretch] | None = None
        self.lost_s = 0.0  # of sound that this machine was too slow for

    def start(self, detect: vad.Detect | None) -> None:
        """Start the worker with a detector of its own; without one, nothing is overheard."""
        if detect is None:
            return
        work: queue.Queue[_Stretch] = queue.Queue(MOST)
        threading.Thread(target=_run, args=(work, detect, self._told), daemon=True).start()
        self._work = work

    def say(self, text: str) -> None:
        """Note what is going to be said."""
        with self._lock:
            self._said.append(text)

    def played(self, pcm: bytes) -> None:
        """Note what goes to the loudspeaker, at 16 kHz; from its thread."""
        with self._lock:
            self._playing += pcm
            del self._playing[:-AHEAD]

    def begin(self) -> None:
        """Note that another sound begins: drivers may lose the end of the one before."""
        with self._lock:
            self._playing.clear()
            self._begins = True

    def take_piece(self, pcm: bytes) -> None:
        """Note a piece, from the microphone's thread, while we speak; never wait."""
        with self._lock:
            own = bytes(self._playing[: len(pcm)]).ljust(len(pcm), b"\0")
            del self._playing[: len(pcm)]
            anew = self._begins and any(own)
            self._begins = self._begins and not anew
        if anew:  # the delay of each sound is different
            self._cut(lead=0)
        self._heard += pcm
        self._own += own
        self._paused = 0 if any(own) else self._paused + 1
        fresh = len(self._heard) - self._lead
        if fresh >= LONG or (fresh >= SHORT and self._paused >= PAUSE):
            self._cut()

    def end(self) -> None:
        """Note that we have stopped speaking, and that the capture hears again."""
        self._cut(last=True)
        with self._lock:
            self._playing.clear()
            self._said.clear()
        self._heard.clear()
        self._own.clear()
        self._lead = self._paused = 0

    def _cut(self, *, lead: int = LEAD, last: bool = False) -> None:
        with self._lock:
            own_words = " ".join(self._said) or CHIME
        stretch = _Stretch(bytes(self._heard), bytes(self._own), self._lead, own_words, last)
        spent = max(0, len(self._heard) - lead)
        del self._heard[:spent], self._own[:spent]
        self._lead = len(self._heard)
        if self._work is not None:
            try:
                self._work.put_nowait(stretch)
            except queue.Full:
                self.lost_s += (len(stretch.heard) - stretch.lead) / HEARING_BYTES_S

    def _told(self, overheard: Overheard) -> None:
        self._post(partial(self._happened, overheard))


def _run(
    work: "queue.Queue[_Stretch]", detect: vad.Detect, told: Callable[[Overheard], None]
) -> None:
    segments = vad.Segmenter(detect)
    while True:
        stretch = work.get()
        for utterance in _utterances(segments, stretch):
            told(Overheard(utterance))


def _utterances(segments: vad.Segmenter, stretch: _Stretch) -> Iterator[Utterance]:
    """Yield what somebody else said, each to its end or to that of the last stretch."""
    size = vad.PIECE * 2
    pcm = echo.without(stretch.heard, stretch.own)[stretch.lead :]
    loud = _loudness(stretch.heard)
    if stretch.last:
        pcm += bytes(size * (vad.SILENCE + 1))
    for start in range(0, len(pcm) - size + 1, size):
        for turn in segments.take_piece(pcm[start : start + size]):
            if isinstance(turn, vad.Ended) and _loudness(turn.pcm) > RESIDUE * loud:
                yield Utterance(turn.pcm, cut=turn.cut, own_words=stretch.own_words)
    if stretch.last:
        segments.reset()


def _loudness(pcm: bytes) -> float:
    """Return the root mean square; 0 for nothing."""
    samples = from_pcm(pcm)
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
